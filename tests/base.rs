//! What `verify` and `check` compare with: what git has, or another revision; and `apply --verify`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "these are tests")]

mod common;

use std::fs;
use std::path::Path;

use common::helm::{helm, helms};
use common::{Run, commit_all, copy, git, run, testdata};
use tempfile::TempDir;

/// testdata/trees/openstack-helm/before in a repository, committed.
fn repository() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
    commit_all(work.path());
    work
}

fn migrate(dir: &Path) {
    let applied = run(dir, &["apply", "--include", "nova", "--include", "helm-toolkit"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
}

fn verify(dir: &Path, args: &[&str]) -> Run {
    verify_by(helm(), dir, args)
}

fn verify_by(helm: &Path, dir: &Path, args: &[&str]) -> Run {
    run(dir, &[&["verify", "--helm", helm.to_str().unwrap(), "--include", "nova"], args].concat())
}

fn assert_says(found: &Run, code: i32, stdout: &str) {
    assert_eq!(found.code, code, "{}{}", found.stdout, found.stderr);
    assert!(found.stdout.contains(stdout), "{stdout}:\n{}{}", found.stdout, found.stderr);
}

/// A line that changes what nova renders with default values.
fn break_nova(dir: &Path) {
    let template = dir.join("nova/templates/deployment-api.yaml");
    let text = fs::read_to_string(&template).unwrap();
    fs::write(template, text.replace("component: api\n    spec", "component: other\n    spec")).unwrap();
}

#[test]
fn what_is_not_committed_is_compared_with_what_is() {
    for helm in helms() {
        let work = repository();
        let verify = || verify_by(helm, work.path(), &[]);
        assert_says(&verify(), 0, "nova: proven as planned (");
        migrate(work.path());
        assert_says(&verify(), 0, "nova: proven against HEAD (");
        break_nova(work.path());
        let changed = "with default values: Deployment/nova-api: spec.template.metadata.labels.component";
        assert_says(&verify(), 1, changed);
        commit_all(work.path());
        assert_says(&verify(), 0, "nova: proven as it is (");
    }
}

#[test]
fn a_branch_is_compared_with_where_it_began() {
    let work = repository();
    migrate(work.path());
    commit_all(work.path());
    for place in [&[][..], &["nova", "helm-toolkit"], &["./nova", "./helm-toolkit", "--base", "HEAD~1"]] {
        let found = verify(work.path(), &[&["--base", "HEAD~1"], place].concat());
        assert_says(&found, 0, "nova: proven against HEAD~1 (");
    }
    let alone = verify(&work.path().join("nova"), &["--base", "HEAD~1"]);
    assert_says(&alone, 0, "nova: proven against HEAD~1 (");
    break_nova(work.path());
    commit_all(work.path());
    assert_says(&verify(work.path(), &["--base", "HEAD~2"]), 1, "labels.component: \"api\" -> \"other\"");
    assert_says(&verify(work.path(), &["--base", "HEAD"]), 0, "nova: proven as it is (");
    // Nothing of the work tree or of git has changed.
    git(work.path(), &["diff", "--exit-code", "--quiet", "HEAD"]);
}

#[test]
fn check_says_only_what_the_branch_brings() {
    let work = repository();
    let all = run(work.path(), &["check", "--include", "nova"]);
    assert_eq!(all.code, 1, "{}", all.stdout);
    let none = run(work.path(), &["check", "--base", "HEAD", "--include", "nova"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""), "{}", none.stderr);
    // Lines move, and one more pod is bare.
    let template = work.path().join("nova/templates/deployment-api.yaml");
    let text = fs::read_to_string(&template).unwrap();
    let pod = "kind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n    - image: a\n";
    fs::write(&template, format!("# a comment\n{text}---\napiVersion: v1\n{pod}")).unwrap();
    let new = run(work.path(), &["check", "--base", "HEAD", "--include", "nova"]);
    assert_eq!((new.code, new.stdout.lines().count()), (1, 1), "{}", new.stdout);
    assert!(new.stdout.contains("error[bare-pod]"), "{}", new.stdout);
    assert!(new.stderr.contains("1 error in 1 of 1 chart, 0 warnings"), "{}", new.stderr);
}

#[test]
fn charts_come_go_and_are_renamed() {
    let work = repository();
    migrate(work.path());
    fs::rename(work.path().join("nova"), work.path().join("compute")).unwrap();
    let renamed = verify(work.path(), &["--base", "HEAD"]);
    assert_says(&renamed, 0, "compute: proven against HEAD (");
    assert!(!renamed.stderr.contains("gone"), "{}", renamed.stderr);
    fs::rename(work.path().join("compute"), work.path().join("nova")).unwrap();
    commit_all(work.path());
    let gone = work.path().join("falco");
    fs::remove_dir_all(&gone).unwrap();
    assert!(verify(work.path(), &["--base", "HEAD"]).stderr.contains("gone since HEAD: falco\n"));
    commit_all(work.path());
    let came = verify(work.path(), &["--base", "HEAD~2"]);
    assert_says(&came, 0, "nova: proven against HEAD~2 (");
    git(work.path(), &["rm", "-r", "--quiet", "--cached", "nova"]);
    git(work.path(), &["commit", "--quiet", "--message", "without nova"]);
    let came = verify(work.path(), &["--base", "HEAD"]);
    assert_says(&came, 0, "note: is not in HEAD: with default values there is nothing to compare it with");
}

#[test]
fn where_there_is_no_before_it_is_said() {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
    assert!(!verify(work.path(), &[]).stderr.contains("what they were before"));
    migrate(work.path());
    let found = verify(work.path(), &[]);
    assert_says(&found, 0, "nova: proven as it is (");
    assert!(
        found.stderr.contains("were not compared with what they were before: git has nothing committed here")
    );
    let repository = repository();
    let unknown = verify(repository.path(), &["--base", "no-such-branch"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("there is no revision \"no-such-branch\""), "{}", unknown.stderr);
    let two = verify(repository.path(), &["--base", "HEAD", "--base", "HEAD"]);
    assert_eq!((two.code, two.stderr.contains("--base is given 2 times")), (2, true), "{}", two.stderr);
}

/// A pod that only one of the checkout's own files of values shows.
#[test]
fn files_of_values_are_rendered_before_and_after() {
    let work = repository();
    let own = work.path().join("nova/values_overrides");
    let shared = work.path().join("values_overrides/nova");
    for folder in [&own, &shared] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(own.join("tls.yaml"), "tls: true\n").unwrap();
    fs::write(shared.join("other.yaml"), "other: true\n").unwrap();
    fs::write(shared.join("netpol.yaml"), "%%% REPLACE %%%\n").unwrap();
    fs::write(shared.join("fails.yaml"), "order: out\n").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", shared.join("link.yaml")).unwrap();
    let template = work.path().join("nova/templates/more.yaml");
    fs::write(&template, "{{ if eq (toString .Values.order) \"out\" }}{{ fail \"no\" }}{{ end }}\n").unwrap();
    commit_all(work.path());
    let found = verify(work.path(), &["--all-overrides"]);
    assert_says(&found, 0, "nova: proven as planned (1 pod, 1 ServiceAccount, 2 override files)\n");
    for note in [
        "note: values_overrides/nova/netpol.yaml: not compared: it is no YAML",
        "note: values_overrides/nova/fails.yaml: not compared: does not render before: Error:",
    ] {
        assert!(found.stdout.contains(note), "{note}\n{}", found.stdout);
    }
    assert!(!found.stdout.contains("link.yaml"), "{}", found.stdout);
    let pod = "{{ if and .Values.tls (hasKey .Values.secrets \"oci_image_registry\") }}kind: ConfigMap\nmetadata: {name: a}\n{{ end }}\n";
    fs::write(&template, pod).unwrap();
    commit_all(work.path());
    assert_says(&verify(work.path(), &[]), 0, "nova: proven as planned");
    let found = verify(work.path(), &["--all-overrides"]);
    assert_says(&found, 1, "error[render-differs]: with values_overrides/tls.yaml: ConfigMap/a: is new");
    migrate(work.path());
    fs::write(own.join("tls.yaml"), "tls: false\n").unwrap();
    commit_all(work.path());
    assert_says(&verify(work.path(), &["--all-overrides", "--base", "HEAD~1"]), 0, ", 3 override files)");
    fs::write(own.join("tls.yaml"), "tls: true\n").unwrap();
    let found = verify(work.path(), &["--all-overrides", "--base", "HEAD"]);
    assert_says(&found, 1, "with values_overrides/tls.yaml: ConfigMap/a: is new");
}

#[test]
fn apply_writes_only_what_helm_proves() {
    let work = repository();
    let apply = |args: &[&str]| {
        let charts = ["--include", "nova", "--include", "helm-toolkit"];
        run(
            work.path(),
            &[&["apply", "--verify", "--helm", helm().to_str().unwrap()], &charts[..], args].concat(),
        )
    };
    let template = work.path().join("nova/templates/more.yaml");
    fs::write(&template, "kind: Pod\nmetadata: {name: x}\n{{ include \"pod\" . }}\n{{ define \"pod\" }}spec: {containers: [{image: a}]}{{ end }}\n")
        .unwrap();
    commit_all(work.path());
    let withheld = apply(&[]);
    assert_eq!(withheld.code, 1, "{}", withheld.stderr);
    for said in [
        "error[pod-without-credentials]: with authentication on: Pod/x: ",
        "nothing is written: rendered by Helm, 1 chart faulty, 0 not verified",
    ] {
        assert!(withheld.stderr.contains(said), "{said}:\n{}", withheld.stderr);
    }
    git(work.path(), &["diff", "--exit-code", "--quiet", "HEAD"]);
    assert_eq!(withheld.stdout, "");
    fs::remove_file(&template).unwrap();
    commit_all(work.path());
    let applied = apply(&[]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert!(!applied.stderr.contains("not tried"), "{}", applied.stderr);
    assert!(fs::read_to_string(work.path().join("nova/values.yaml")).unwrap().contains("oci_image_registry"));
    let plain = repository();
    let untried = run(plain.path(), &["apply", "--include", "nova", "--include", "helm-toolkit"]);
    assert!(
        untried.stderr.ends_with(
            "not tried with Helm: `osh-registry-auth verify` renders the charts before and after\n"
        )
    );
}
