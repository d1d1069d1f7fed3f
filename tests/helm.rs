//! The migration judged by the real Helm: what charts render before and after it, with default
//! values, with authentication switched on, and with whatever operators may set.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::helm::{Rendered, name, pull_secrets, render, text_at};
use common::{cases, testdata};

const AUTH_ON: [&str; 2] = ["--set", "endpoints.oci_image_registry.auth.enabled=true"];

fn before(path: &str) -> PathBuf {
    testdata("trees/openstack-helm/before").join(path)
}

fn after(path: &str) -> PathBuf {
    testdata("trees/openstack-helm/after").join(path)
}

/// Renders a migrated chart of testdata/trees/openstack-helm.
fn migrated(chart: &str, args: &[&str]) -> Rendered {
    render(&after(chart), &after("helm-toolkit"), args)
        .unwrap_or_else(|error| panic!("{chart} {args:?}: {error}"))
}

fn auth_on(args: &[&'static str]) -> Vec<&'static str> {
    [&AUTH_ON[..], args].concat()
}

/// The registry and the login in the one registry Secret.
fn registry(rendered: &Rendered) -> (String, String) {
    let secrets: Vec<_> = rendered
        .of_kind("Secret")
        .filter(|secret| text_at(secret, "type") == "kubernetes.io/dockerconfigjson")
        .collect();
    assert_eq!(secrets.len(), 1, "registry Secrets");
    let decode = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    let config = decode(&text_at(&secrets[0]["data"], ".dockerconfigjson"));
    let config: serde_yaml::Value = serde_yaml::from_str(&config).unwrap();
    let auths = config["auths"].as_mapping().unwrap();
    assert_eq!(auths.len(), 1);
    let (host, login) = auths.iter().next().unwrap();
    (host.as_str().unwrap().to_owned(), decode(&text_at(login, "auth")))
}

/// The charts of the tree that have images and use the toolkit: folder and name.
const CHARTS: [(&str, &str); 6] = [
    ("blackbox", "prometheus-blackbox-exporter"),
    ("falco", "falco"),
    ("kube-dns", "kube-dns"),
    ("nova", "nova"),
    ("postgresql", "postgresql"),
    ("trove", "trove"),
];

#[test]
fn default_values_render_what_they_did() {
    for (chart, _) in CHARTS {
        let old = render(&before(chart), &before("helm-toolkit"), &[]).unwrap();
        assert!(!old.objects.is_empty(), "{chart} renders nothing");
        assert!(old.objects == migrated(chart, &[]).objects, "{chart} renders something else");
    }
}

#[test]
fn with_authentication_every_pod_gets_the_credentials() {
    for (chart, chart_name) in CHARTS {
        let on = migrated(chart, &AUTH_ON);
        let secret = format!("{chart_name}-oci-image-registry-key");
        let port = if matches!(chart, "postgresql" | "trove") { "" } else { ":5000" };
        let host = format!("localhost.oci-image-registry.svc.cluster.local{port}");
        assert_eq!(registry(&on), (host, format!("{chart_name}:password")), "{chart}");
        assert!(on.of_kind("Secret").any(|object| name(object) == secret), "{chart}");
        let pods = on.pods();
        assert!(!pods.is_empty(), "{chart} has no pods");
        for (pod, secrets) in pods {
            assert_eq!(secrets, [secret.as_str()], "{chart}: {pod}");
        }
        for account in on.of_kind("ServiceAccount") {
            assert_eq!(pull_secrets(account), [secret.as_str()], "{chart}: {}", name(account));
        }
        assert!(on.without_pull_secrets() == migrated(chart, &[]).objects, "{chart}: something else changed");
    }
}

#[test]
fn operators_set_registry_and_login() {
    let host = "endpoints.oci_image_registry.host_fqdn_override.default=registry.example.com";
    let port = "endpoints.oci_image_registry.port.registry.default";
    let auth = "endpoints.oci_image_registry.auth.nova";
    let registry_of = |args: &[&str]| registry(&migrated("nova", &[&AUTH_ON, args].concat()));
    assert_eq!(registry_of(&["--set", host]).0, "registry.example.com:5000");
    assert_eq!(registry_of(&["--set", host, "--set", &format!("{port}=null")]).0, "registry.example.com");
    // A number from --set, a string, and one for the internal endpoint only.
    assert_eq!(registry_of(&["--set", host, "--set", &format!("{port}=443")]).0, "registry.example.com:443");
    assert_eq!(
        registry_of(&["--set", host, "--set-string", &format!("{port}=443")]).0,
        "registry.example.com:443"
    );
    let internal = "endpoints.oci_image_registry.port.registry.internal=444";
    assert_eq!(registry_of(&["--set", host, "--set", internal]).0, "registry.example.com:444");
    assert_eq!(
        registry_of(&["--set", "endpoints.oci_image_registry.hosts.default=10.0.0.1"]).0,
        "10.0.0.1:5000"
    );
    assert_eq!(
        registry_of(&["--set", "endpoints.oci_image_registry.port=null", "--set", host]).0,
        "registry.example.com"
    );

    let login = |args: &[&str]| registry_of(args).1;
    assert_eq!(login(&["--set", &format!("{auth}.username=me,{auth}.password=s3cret")]), "me:s3cret");
    assert_eq!(
        login(&["--set", &format!("{auth}.username=12345678901,{auth}.password=true")]),
        "12345678901:true"
    );
    // Numbers in a values file are floats to Helm.
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("login.yaml");
    let text =
        "endpoints: {oci_image_registry: {auth: {nova: {username: 12345678901, password: '<\"é&>'}}}}\n";
    fs::write(&file, text).unwrap();
    assert_eq!(login(&["--values", file.to_str().unwrap()]), "12345678901:<\"é&>");
}

#[test]
fn a_secret_made_elsewhere_can_be_used() {
    let args = auth_on(&[
        "--set",
        "manifests.secret_registry=false",
        "--set",
        "secrets.oci_image_registry.nova=ours",
    ]);
    let on = migrated("nova", &args);
    assert_eq!(on.of_kind("Secret").count(), 0);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["ours"]), "{:?}", on.pods());
}

#[test]
fn every_manifest_switched_on_is_covered() {
    let on = migrated("nova", &auth_on(&["--set", "manifests.job_db_sync=true"]));
    assert_eq!(on.pods().len(), 2);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["nova-oci-image-registry-key"]));
}

#[test]
fn charts_that_are_not_migrated_yet_render_with_the_new_toolkit() {
    for (chart, _) in CHARTS.into_iter().filter(|(chart, _)| *chart != "postgresql") {
        let old = render(&before(chart), &before("helm-toolkit"), &[]).unwrap();
        let new = render(&before(chart), &after("helm-toolkit"), &[]).unwrap();
        assert!(old.objects == new.objects, "{chart}");
    }
    // Switched on for all charts by an operator, before this one has the entries.
    let on = render(&before("nova"), &after("helm-toolkit"), &AUTH_ON).unwrap();
    assert!(on.pods().iter().all(|(_, secrets)| secrets.is_empty()));
}

/// Whatever of the way to `enabled` is missing, null or empty: nothing fails, nothing is added.
#[test]
fn the_toolkit_is_safe_from_missing_values() {
    let work = tempfile::tempdir().unwrap();
    let levels = [
        "endpoints",
        "endpoints.oci_image_registry",
        "endpoints.oci_image_registry.auth",
        "secrets",
        "secrets.oci_image_registry",
    ];
    let mut tried = 0;
    for level in levels {
        for (number, value) in ["null", "{}"].into_iter().enumerate() {
            let chart = work.path().join(format!("{}-{number}", level.replace('.', "-")));
            common::copy(&before("falco"), &chart);
            let mut text = String::from(
                "images: {tags: {falco: x}}\ndependencies: {static: {falco: {}}}\nmanifests: {daemonset: true}\n",
            );
            let mut keys = level.split('.').peekable();
            let mut indent = String::new();
            while let Some(key) = keys.next() {
                let value = if keys.peek().is_some() { "" } else { value };
                text.extend([&indent, key, ": ", value, "\n"]);
                indent.push_str("  ");
            }
            fs::write(chart.join("values.yaml"), text).unwrap();
            let rendered = render(&chart, &after("helm-toolkit"), &[])
                .unwrap_or_else(|error| panic!("{level}: {value}: {error}"));
            assert!(rendered.pods().iter().all(|(_, secrets)| secrets.is_empty()), "{level}: {value}");
            tried += 1;
        }
    }
    assert_eq!(tried, 10);
}

/// Every patched form of the toolkit gives the account of a pod the registry's Secret, and keeps
/// what was there.
#[test]
fn every_form_of_the_toolkit_works() {
    let mut tried = 0;
    for case in cases(&testdata("trees"), 20) {
        let form = case.file_name().unwrap().to_string_lossy().into_owned();
        let toolkit = [case.join("after/helm-toolkit"), case.join("before/helm-toolkit")]
            .into_iter()
            .find(|path| path.exists());
        let (Some(toolkit), true) = (toolkit, form.starts_with("toolkit-") && case.join("after").exists())
        else {
            continue;
        };
        let secrets = |args: &[&str]| {
            let rendered =
                render(&after("nova"), &toolkit, args).unwrap_or_else(|error| panic!("{form}: {error}"));
            pull_secrets(rendered.of_kind("ServiceAccount").next().unwrap())
        };
        let others: &[&str] = match form.as_str() {
            "toolkit-with-own-list" => &["default-registry-key", "another-key"],
            "toolkit-with-own-list-flush" => &["default-registry-key"],
            _ => &[],
        };
        assert_eq!(secrets(&[]), others, "{form}");
        assert_eq!(secrets(&AUTH_ON), [others, &["nova-oci-image-registry-key"]].concat(), "{form}");
        tried += 1;
    }
    assert!(tried >= 5, "only {tried} forms");
}

/// ServiceAccounts and pods of every shape that the rules patch.
#[test]
fn patched_templates_render() {
    let values = ["--set", "pods.one=1,pods.two=2,labels.a=b,wide=true"];
    let mut tried = 0;
    for tree in ["service-accounts", "pods"] {
        for new in cases(&testdata("trees").join(tree).join("after"), 5) {
            let old = Path::new(&new.to_string_lossy().replace("/after/", "/before/")).to_owned();
            if !new.join("templates/secret-registry.yaml").exists() {
                continue;
            }
            let rendered = |chart: &Path, args: &[&str]| {
                render(chart, &after("helm-toolkit"), args)
                    .unwrap_or_else(|error| panic!("{}: {error}", chart.display()))
            };
            let off = rendered(&new, &values);
            assert!(rendered(&old, &values).objects == off.objects, "{}", new.display());
            let on = rendered(&new, &[&values[..], &AUTH_ON].concat());
            let secret = format!("{}-oci-image-registry-key", new.file_name().unwrap().to_string_lossy());
            for account in on.of_kind("ServiceAccount") {
                assert!(pull_secrets(account).contains(&secret), "{}: {}", new.display(), name(account));
            }
            for (pod, secrets) in on.pods() {
                assert!(
                    secrets.contains(&secret) || pod == "has-account",
                    "{}: {pod}: {secrets:?}",
                    new.display()
                );
            }
            tried += 1;
        }
    }
    assert!(tried >= 8, "only {tried} charts");
}
