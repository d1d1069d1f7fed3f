//! `verify` with an operator's values: whether the kubelet would pull each image with them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use common::helm::{helm, helms};
use common::{Run, assert_valid, command, copy, finished, run, testdata};
use tempfile::TempDir;

/// nova and falco of testdata/trees/openstack-helm/before, migrated, and a file with a password.
fn migrated() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    for chart in ["nova", "falco", "helm-toolkit"] {
        copy(&testdata("trees/openstack-helm/before").join(chart), &work.path().join("charts").join(chart));
    }
    let applied = run(work.path(), &["apply", "charts"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    fs::write(work.path().join("password"), "s3cret\n").unwrap();
    work
}

fn overrides(work: &Path, args: &[&str]) {
    let login = ["--username", "me", "--password-file", "password", "charts"];
    let login = if args.contains(&"--existing-secret") { &login[4..] } else { &login };
    let written = run(work, &[&["overrides"], args, login].concat());
    assert_eq!(written.code, 0, "{}", written.stderr);
}

fn verify(work: &Path, args: &[&str]) -> Run {
    verify_by(helm(), work, args)
}

fn verify_by(helm: &Path, work: &Path, args: &[&str]) -> Run {
    run(work, &[&["verify", "--helm", helm.to_str().unwrap(), "charts"], args].concat())
}

#[test]
fn what_overrides_writes_lets_the_kubelet_pull() {
    for registry in ["registry.example.com", "registry.example.com:5000/mirror", "docker.io"] {
        let work = migrated();
        overrides(work.path(), &["--registry", registry, "--images", "-o", "values/"]);
        for helm in helms() {
            let found = verify_by(helm, work.path(), &["--values-dir", "values"]);
            assert_eq!(found.code, 0, "{registry}: {}{}", found.stdout, found.stderr);
            let first = found.stdout.lines().next().unwrap();
            assert_eq!(first, "pods with a login for all of their images: 2 of 2", "{registry}");
        }
    }
}

/// Arguments for `overrides`, what is replaced in its files, arguments for `verify`, and what that says.
type Mistake<'m> = (&'m [&'m str], &'m str, &'m str, &'m [&'m str], &'m str);

/// Each mistake of an operator's, in the files that `overrides` writes; why, and with which id.
#[test]
fn mistakes_are_found_with_their_reasons() {
    let registry = &["--registry", "registry.example.com", "--images", "-o", "values/"][..];
    let edits: [Mistake<'_>; 9] = [
        (registry, "default: null", "default: 443", &[], "the key has the port 443, the image none"),
        (
            registry,
            "    port:\n      registry:\n        default: null\n",
            "",
            &[],
            "the key has the port 5000, the image none",
        ),
        (
            registry,
            "    hosts:\n      default: registry.example.com\n    host_fqdn_override:\n      default: registry.example.com\n",
            "",
            &[],
            "the image is at registry.example.com, the key is for ",
        ),
        (
            registry,
            "images:\n",
            "not_images:\n",
            &[],
            "the image is at registry.example.org, the key is for registry.example.com",
        ),
        (
            registry,
            "registry.example.com/",
            "registry.example.org/",
            &[],
            "the image is at registry.example.org",
        ),
        (
            registry,
            "\"s3cret\"",
            "password",
            &[],
            "error[placeholder-login]: with these values: the login is",
        ),
        (
            registry,
            "\"s3cret\"",
            "CHANGE-ME",
            &[],
            "error[placeholder-login]: with these values: the login is",
        ),
        (registry, "enabled: true", "enabled: false", &[], "error[secret-not-made]: with these values: "),
        (
            registry,
            "enabled: true",
            "enabled: true",
            &[
                "--set",
                "endpoints.oci_image_registry.host_fqdn_override.default=other.example.com,endpoints.oci_image_registry.hosts.default=other",
            ],
            "the key is for other.example.com",
        ),
    ];
    for (call, from, to, args, why) in edits {
        let work = migrated();
        overrides(work.path(), call);
        for chart in ["nova", "falco"] {
            let file = work.path().join("values").join(chart).join("oci_registry.yaml");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{from}:\n{text}");
            fs::write(file, text.replace(from, to)).unwrap();
        }
        let found = verify(work.path(), &[&["--values-dir", "values"], args].concat());
        assert_eq!(found.code, 1, "{to}: {}{}", found.stdout, found.stderr);
        assert!(found.stdout.contains(why), "{why}:\n{}", found.stdout);
        let first = found.stdout.lines().next().unwrap();
        let all = if why.contains("placeholder-login") { 2 } else { 0 };
        assert_eq!(first, format!("pods with a login for all of their images: {all} of 2"), "{why}");
    }
}

#[test]
fn one_file_serves_all_charts_and_says_what_it_does_not_serve() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.com", "-o", "login.yaml"]);
    let found = verify(work.path(), &["--values", "login.yaml", "--format", "json"]);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    let report = serde_json::from_str(&found.stdout).unwrap();
    assert_valid("src/report/verify.schema.json", &report);
    let pulls = &report["pulls"];
    assert_eq!((&pulls["pods"], &pulls["with_login"]), (&2.into(), &0.into()));
    assert!(pulls["without"].as_array().unwrap().len() >= 2, "{pulls}");
    assert_eq!(report["charts"][0]["faults"][0]["id"], "image-without-credentials");
}

/// Charts of one name, of two checkouts: the report for programs counts by name.
#[test]
fn the_pods_of_two_charts_of_one_name_are_summed() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.com", "-o", "login.yaml"]);
    copy(&work.path().join("charts"), &work.path().join("twins"));
    let found = verify(work.path(), &["twins", "--values", "login.yaml", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let images = report["pulls"]["without"].as_array().unwrap();
    let counts =
        |image: &serde_json::Value| image["pods"].as_object().unwrap().values().all(|pods| *pods == 2);
    assert!(images.len() >= 2 && images.iter().all(counts), "{}", report["pulls"]);
}

/// Nobody here knows what is in a Secret that is in the cluster already.
#[test]
fn a_secret_that_is_there_already_is_left_open() {
    let work = migrated();
    overrides(work.path(), &["--existing-secret", "regcred", "-o", "login.yaml"]);
    let found = verify(work.path(), &["--values", "login.yaml"]);
    assert_eq!(found.code, 0, "{}{}", found.stdout, found.stderr);
    assert!(
        found.stdout.starts_with("pods with a login for all of their images: 0 of 2; of 2 it is not known"),
        "{}",
        found.stdout
    );
    assert!(found.stdout.contains("note: the Secret regcred is not made here"), "{}", found.stdout);
}

/// Each row of the table in docs/operators.md.
#[test]
fn the_table_for_operators_is_right() {
    let work = migrated();
    let operators =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operators.md")).unwrap();
    let rows: Vec<Vec<&str>> = operators
        .lines()
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() == 6 && cells[4].contains("pull"))
        .collect();
    assert!(rows.len() >= 6, "{rows:?}");
    for cells in rows {
        let [image, host, port] = [1, 2, 3].map(|cell| cells[cell].trim_matches('`'));
        let port = if port.starts_with("not set") {
            String::new()
        } else {
            format!("{REGISTRY}port.registry.default={port},")
        };
        let set = format!(
            "images.tags.nova_api={image},{port}{REGISTRY}host_fqdn_override.default={host},{REGISTRY}auth.enabled=true,{REGISTRY}auth.nova.password=x"
        );
        let found = verify(work.path(), &["--include", "nova", "--set", &set]);
        let pulls = usize::from(cells[4] == "pulls");
        assert!(found.stdout.starts_with(&format!("{SUM}{pulls} of 1\n")), "{cells:?}: {}", found.stdout);
        assert_eq!(found.code == 0, pulls == 1, "{cells:?}: {}{}", found.stdout, found.stderr);
    }
}

const REGISTRY: &str = "endpoints.oci_image_registry.";

const SUM: &str = "pods with a login for all of their images: ";

/// What comes out of a pipe is there once; each chart gets it.
#[test]
fn values_may_come_out_of_a_pipe() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.org", "-o", "login.yaml"]);
    for file in ["-", "/dev/stdin"] {
        let args = ["verify", "--helm", helm().to_str().unwrap(), "--values", file, "charts"];
        let mut program = command(work.path(), &args);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut values = fs::File::open(work.path().join("login.yaml")).unwrap();
        std::io::copy(&mut values, &mut child.stdin.take().unwrap()).unwrap();
        let found = finished(child.wait_with_output().unwrap());
        assert_eq!(found.code, 0, "{file}: {}{}", found.stdout, found.stderr);
        assert!(found.stdout.starts_with(&format!("{SUM}2 of 2\n")), "{file}: {}", found.stdout);
    }
}

/// With values for an endpoint that the chart did not have, it rendered something else before.
#[test]
fn a_chart_that_names_all_endpoints_is_compared_with_itself() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.org", "-o", "login.yaml"]);
    let nova = work.path().join("nova");
    copy(&testdata("trees/openstack-helm/before/nova"), &nova);
    let template = "kind: ConfigMap\nmetadata: {name: endpoints}\ndata:\n{{- range $name, $endpoint := .Values.endpoints }}\n{{- if kindIs \"map\" $endpoint }}\n  {{ $name }}: {{ $endpoint.namespace | default $endpoint.hosts.default }}\n{{- end }}\n{{- end }}\n";
    fs::write(nova.join("templates/endpoints.yaml"), template).unwrap();
    fs::remove_dir_all(work.path().join("charts/nova")).unwrap();
    fs::rename(nova, work.path().join("charts/nova")).unwrap();
    let found = verify(work.path(), &["--values", "login.yaml"]);
    assert_eq!(found.code, 0, "{}{}", found.stdout, found.stderr);
    assert!(found.stdout.contains("nova: proven with these values"), "{}", found.stdout);
}

#[test]
fn a_chart_without_values_and_one_that_does_not_render_are_said() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.com", "--images", "-o", "values/"]);
    fs::remove_dir_all(work.path().join("values/falco")).unwrap();
    let found = verify(work.path(), &["--values-dir", "values"]);
    assert_eq!(found.code, 1);
    assert!(found.stdout.starts_with(&format!("{SUM}1 of 2\n")), "{}", found.stdout);
    assert!(
        found.stdout.contains("  note: values/falco: no values (*.yaml) for this chart\n"),
        "{}",
        found.stdout
    );
    for values in ["images: {tags: null}\n", "- a\n"] {
        fs::create_dir_all(work.path().join("values/falco")).unwrap();
        fs::write(work.path().join("values/falco/falco.yaml"), values).unwrap();
        let found = verify(work.path(), &["--values-dir", "values"]);
        let expected = format!("{SUM}1 of 1; not counted: those of 1 chart, see below\n");
        assert!(found.code != 0 && found.stdout.starts_with(&expected), "{}", found.stdout);
    }
}

/// Secrets of an owner's own count, as Kubernetes reads them.
#[test]
fn other_secrets_of_a_chart_count() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.com", "--include", "nova", "-o", "login.yaml"]);
    let templates = work.path().join("charts/nova/templates");
    let deployment = fs::read_to_string(templates.join("deployment-api.yaml")).unwrap();
    let list = "    spec:\n      imagePullSecrets:\n        - name: own\n";
    let deployment = deployment.replace("    spec:\n      service", &format!("{list}      service"));
    fs::write(templates.join("deployment-api.yaml"), deployment).unwrap();
    let config = |key: &str| format!("{{\"auths\": {{\"quay.io\": {{}}, \"{key}\": {{}}}}}}");
    let as_data =
        |key: &str| format!("data: {{.dockerconfigjson: {{{{ {:?} | b64enc }}}}, x: eA==}}", config(key));
    let as_text = |key: &str| format!("stringData: {{.dockerconfigjson: '{}'}}", config(key));
    for (data, pulls) in [
        (as_data("*.example.org"), true),
        (as_text("registry.example.org"), true),
        (as_data("*.org"), false),
        (as_text("registry.example.org:443"), false),
    ] {
        let secret =
            format!("kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {{name: own}}\n{data}\n");
        fs::write(templates.join("own.yaml"), secret).unwrap();
        let found = verify(work.path(), &["--values", "login.yaml", "--include", "nova"]);
        assert_eq!(found.code, i32::from(!pulls), "{data}: {}{}", found.stdout, found.stderr);
        // Each login is said to be of no use.
        let reasons = found.stdout.lines().nth(1).unwrap().matches("the key ").count();
        assert_eq!(reasons, if pulls { 0 } else { 3 }, "{}", found.stdout);
    }
}

#[test]
fn values_that_are_not_there_are_an_error() {
    let work = migrated();
    for args in [["--values", "nothing.yaml"], ["--values", "charts"], ["--values-dir", "nothing"]] {
        let found = verify(work.path(), &args);
        assert_eq!(found.code, 2);
        assert!(found.stderr.contains("cannot be read"), "{}", found.stderr);
    }
    fs::write(work.path().join("odd.yaml"), "a: [\n").unwrap();
    let found = verify(work.path(), &["--values", "odd.yaml"]);
    assert_eq!(found.code, 2);
    assert!(found.stdout.contains("nova: not verified: these values: Error:"), "{}", found.stdout);
}
