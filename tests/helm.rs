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

use common::helm::{Rendered, helm, helms, name, pull_secrets, registry, render_by, text_at};
use common::{after, cases, copy, run, tree};
use tempfile::TempDir;

const AUTH_ON: [&str; 2] = ["--set", "endpoints.oci_image_registry.auth.enabled=true"];

/// The tree openstack-helm, before or after, and the Helm that renders it.
struct Charts(TempDir, &'static Path);

impl Charts {
    fn before() -> Self {
        Charts(tree("openstack-helm"), helm())
    }

    fn after() -> Self {
        Charts(after("openstack-helm"), helm())
    }

    fn by(self, helm: &'static Path) -> Self {
        Charts(self.0, helm)
    }

    fn path(&self, chart: &str) -> PathBuf {
        self.0.path().join(chart)
    }

    /// What a chart renders with the helm-toolkit of this tree.
    fn render(&self, chart: &str, args: &[&str]) -> Rendered {
        self.render_other(&self.path(chart), args)
    }

    /// What Helm says of a chart that does not render.
    fn complaint(&self, chart: &str, args: &[&str]) -> String {
        match render_by(self.1, &self.path(chart), &self.path("helm-toolkit"), args) {
            Err(complaint) => complaint,
            Ok(_) => panic!("{chart} renders with {args:?}"),
        }
    }

    /// What a chart from elsewhere renders.
    fn render_other(&self, chart: &Path, args: &[&str]) -> Rendered {
        render_by(self.1, chart, &self.path("helm-toolkit"), args)
            .unwrap_or_else(|error| panic!("{} {args:?}: {error}", chart.display()))
    }
}

fn auth_on(args: &[&'static str]) -> Vec<&'static str> {
    [&AUTH_ON[..], args].concat()
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
    for helm in helms() {
        let (before, after) = (Charts::before().by(helm), Charts::after().by(helm));
        for (chart, _) in CHARTS {
            let old = before.render(chart, &[]);
            assert!(!old.objects.is_empty(), "{chart} renders nothing");
            assert!(old.objects == after.render(chart, &[]).objects, "{chart} renders something else");
        }
    }
}

#[test]
fn with_authentication_every_pod_gets_the_credentials() {
    for helm in helms() {
        let after = Charts::after().by(helm);
        for (chart, chart_name) in CHARTS {
            let on = after.render(chart, &AUTH_ON);
            let secret = format!("{chart_name}-oci-image-registry-key");
            let host = "localhost.oci-image-registry.svc.cluster.local:5000".to_owned();
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
            assert!(
                on.without_pull_secrets() == after.render(chart, &[]).objects,
                "{chart}: something else changed"
            );
        }
    }
}

#[test]
fn operators_set_registry_and_login() {
    let host = "endpoints.oci_image_registry.host_fqdn_override.default=registry.example.com";
    let port = "endpoints.oci_image_registry.port.registry.default";
    let auth = "endpoints.oci_image_registry.auth.nova";
    let after = Charts::after();
    let registry_of = |args: &[&str]| registry(&after.render("nova", &[&AUTH_ON, args].concat()));
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
    // Digits are digits where --set gives them, and all that is in quotes.
    assert_eq!(
        login(&[
            "--set",
            &format!("{auth}.username=12345678901"),
            "--set-string",
            &format!("{auth}.password=true")
        ]),
        "12345678901:true"
    );
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("login.yaml");
    let with_login = |login: &str| {
        fs::write(&file, format!("endpoints: {{oci_image_registry: {{auth: {{nova: {login}}}}}}}\n"))
            .unwrap();
        file.to_str().unwrap().to_owned()
    };
    let quoted = with_login("{username: '01234', password: '<\\\"é&>'}");
    assert_eq!(login(&["--values", &quoted]), "01234:<\\\"é&>");

    // What YAML would take for something else is not guessed at, and what is missing is named.
    let complaint = |args: &[&str]| after.complaint("nova", &[&AUTH_ON, args].concat());
    for password in ["yes", "1e5", "01234", "12345", "null", "''"] {
        let values = with_login(&format!("{{password: {password}}}"));
        let said = complaint(&["--values", &values]);
        assert!(
            said.contains("endpoints.oci_image_registry.auth.nova.password: set it, in quotes"),
            "{said}"
        );
    }
    let said = complaint(&["--values", &with_login("null")]);
    assert!(said.contains("endpoints.oci_image_registry.auth.nova.username: set it, in quotes"), "{said}");
    let said = complaint(&["--set", "secrets.oci_image_registry.nova=null"]);
    assert!(said.contains("secrets.oci_image_registry.nova: set the name of the Secret"), "{said}");
}

#[test]
fn a_secret_made_elsewhere_can_be_used() {
    let args = auth_on(&[
        "--set",
        "manifests.secret_registry=false",
        "--set",
        "secrets.oci_image_registry.nova=ours",
    ]);
    let on = Charts::after().render("nova", &args);
    assert_eq!(on.of_kind("Secret").count(), 0);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["ours"]), "{:?}", on.pods());
}

#[test]
fn every_manifest_switched_on_is_covered() {
    let on = Charts::after().render("nova", &auth_on(&["--set", "manifests.job_db_sync=true"]));
    assert_eq!(on.pods().len(), 2);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["nova-oci-image-registry-key"]));
}

#[test]
fn charts_that_are_not_migrated_yet_render_with_the_new_toolkit() {
    let (before, after) = (Charts::before(), Charts::after());
    for (chart, _) in CHARTS.into_iter().filter(|(chart, _)| *chart != "postgresql") {
        let old = before.render(chart, &[]);
        let new = after.render_other(&before.path(chart), &[]);
        assert!(old.objects == new.objects, "{chart}");
    }
    // Switched on for all charts by an operator, before this one has the entries.
    let on = after.render_other(&before.path("nova"), &AUTH_ON);
    assert!(on.pods().iter().all(|(_, secrets)| secrets.is_empty()));
}

/// Whatever of the way to `enabled` is missing, null or empty: nothing fails, nothing is added.
#[test]
fn the_toolkit_is_safe_from_missing_values() {
    let work = tempfile::tempdir().unwrap();
    let (before, after) = (Charts::before(), Charts::after());
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
            copy(&before.path("falco"), &chart);
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
            let rendered = after.render_other(&chart, &[]);
            assert!(rendered.pods().iter().all(|(_, secrets)| secrets.is_empty()), "{level}: {value}");
            tried += 1;
        }
    }
    assert_eq!(tried, 10);
}

/// Every form of the toolkit that is patched, or was before, gives the account of a pod the registry's
/// Secret, and keeps what was there.
#[test]
fn every_form_of_the_toolkit_works() {
    for helm in helms() {
        let (charts, toolkits) = (Charts::after().by(helm), after("toolkits"));
        for (form, others) in [
            ("of-2022", &[][..]),
            ("of-2026", &[]),
            ("with-crlf", &[]),
            ("with-labels", &[]),
            ("with-own-list", &["default-registry-key", "another-key"]),
            ("with-own-list-flush", &["default-registry-key"]),
        ] {
            let secrets = |args: &[&str]| {
                let rendered = render_by(charts.1, &charts.path("nova"), &toolkits.path().join(form), args)
                    .unwrap_or_else(|error| panic!("{form}: {error}"));
                pull_secrets(rendered.of_kind("ServiceAccount").next().unwrap())
            };
            assert_eq!(secrets(&[]), others, "{form}");
            assert_eq!(secrets(&AUTH_ON), [others, &["nova-oci-image-registry-key"]].concat(), "{form}");
        }
    }
}

/// ServiceAccounts and pods of every shape that the rules patch.
#[test]
fn patched_templates_render() {
    for helm in helms() {
        let values = ["--set", "pods.one=1,pods.two=2,labels.a=b,wide=true"];
        let charts = Charts::after().by(helm);
        let mut tried = 0;
        for name in ["service-accounts", "pods"] {
            let (old, new) = (tree(name), after(name));
            for chart in cases(new.path(), 5) {
                if !chart.join("templates/secret-registry.yaml").exists() {
                    continue;
                }
                let chart_name = chart.file_name().unwrap().to_str().unwrap();
                let off = charts.render_other(&chart, &values);
                let before = charts.render_other(&old.path().join(chart_name), &values);
                assert!(before.objects == off.objects, "{chart_name}");
                let on = charts.render_other(&chart, &[&values[..], &AUTH_ON].concat());
                let secret = format!("{chart_name}-oci-image-registry-key");
                for account in on.of_kind("ServiceAccount") {
                    assert!(pull_secrets(account).contains(&secret), "{chart_name}: {}", self::name(account));
                }
                for (pod, secrets) in on.pods() {
                    let is_right = secrets.contains(&secret) || pod == "has-account";
                    assert!(is_right, "{chart_name}: {pod}: {secrets:?}");
                }
                tried += 1;
            }
        }
        assert!(tried >= 8, "only {tried} charts");
    }
}

/// helm-toolkit's function as upstream has had it since 2022 prints Go's complaint in place of a number.
#[test]
fn a_function_that_garbles_numbers_is_mended() {
    let charts = Charts::after();
    let work = tree("toolkits");
    let templates = work.path().join("with-garbled-function/templates");
    for folder in ["manifests", "endpoints"] {
        copy(&templates.join(folder), &charts.path("helm-toolkit/templates").join(folder));
    }
    let login = work.path().join("login.yaml");
    let password = |text: &str| {
        let auth = format!("enabled: true, nova: {{username: nova, password: {text}}}");
        fs::write(&login, format!("endpoints: {{oci_image_registry: {{auth: {{{auth}}}}}}}\n")).unwrap();
        ["--values", login.to_str().unwrap()].map(ToOwned::to_owned)
    };
    let with = |args: &[String]| charts.render("nova", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let port = ["--set", "endpoints.oci_image_registry.port.registry.default=5000"].map(ToOwned::to_owned);
    assert_eq!(registry(&with(&password("12345"))).1, "nova:%!s(float64=12345)");
    assert!(registry(&with(&[&password("secret")[..], &port].concat())).0.ends_with(":%!f(int64=5000)"));

    let checkout = charts.0.path();
    let check = run(checkout, &["check"]);
    assert!(check.stdout.contains("warning[garbled-number]"), "{}", check.stdout);
    let before = run(checkout, &["apply"]);
    assert!(before.stderr.contains("0 charts changed"), "{}", before.stderr);
    let mended = run(checkout, &["apply", "--replace-templates", "--include", "helm-toolkit"]);
    assert!(mended.stderr.contains("1 chart changed (1 file)"), "{}", mended.stderr);
    let again = run(checkout, &["check", "--include", "helm-toolkit"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));

    let on = with(&[&password("'12345'")[..], &port].concat());
    assert_eq!(registry(&on), ("localhost:5000".to_owned(), "nova:12345".to_owned()));
    let secret = on.of_kind("Secret").find(|secret| name(secret) == "nova-oci-image-registry-key").unwrap();
    assert_eq!(text_at(&secret["metadata"]["annotations"], "made-for"), "nova");
    let number = password("12345");
    let complaint = charts.complaint("nova", &number.each_ref().map(String::as_str));
    assert!(complaint.contains("auth.nova.password: set it, in quotes"), "{complaint}");
}

/// What the Secret has besides, and cannot be kept, is not thrown away.
#[test]
fn a_function_that_holds_more_is_left_alone() {
    let work = tree("toolkits");
    let toolkit = work.path().join("with-garbled-function");
    let file = toolkit.join("templates/manifests/_secret-registry.yaml.tpl");
    let function = fs::read_to_string(&file).unwrap();
    for (old, new) in [
        ("type: kubernetes", "immutable: true\ntype: kubernetes"),
        ("\ndata:\n", "\ndata:\n  more: bW9yZQ==\n"),
        ("made-for: {{ $registryUser }}", "made-for: {{ $host }}"),
        ("  annotations:\n", "  annotations:\n{{ if true }}\n"),
    ] {
        // A condition that goes on behind the metadata is closed with the data.
        let end = if new.contains("{{ if") { "{{ end }}\n{{- end -}}" } else { "{{- end -}}" };
        let text = function.replacen(old, new, 1).replacen("{{- end -}}", end, 1);
        fs::write(&file, text).unwrap();
        let check = run(&toolkit, &["check", "--replace-templates"]);
        let left = "it holds more than `--replace-templates` could keep";
        assert!(check.stdout.contains(left), "{new}: {}", check.stdout);
    }
}
