//! Calls from other folders than the top of a checkout, and of single charts.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::expect_used,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::helm::helm;
use common::{assert_same_tree, commit_all, copy, git, run, testdata, tree};
use tempfile::TempDir;

/// A checkout in the folder `osh` of a work tree.
fn work_tree() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    copy(tree("openstack-helm").path(), &work.path().join("osh"));
    commit_all(work.path());
    work
}

/// `plan ARGS | git apply` in `folder`; what `plan` said.
fn plan_and_git_apply(folder: &Path, args: &[&str]) -> String {
    let plan = run(folder, &[&["plan"], args].concat());
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let diff = tempfile::NamedTempFile::new().unwrap();
    fs::write(diff.path(), plan.stdout).unwrap();
    let input = Stdio::from(fs::File::open(diff.path()).unwrap());
    let mut git = Command::new("git");
    git.args(["apply", "--whitespace=nowarn", "-"]).current_dir(folder).stdin(input);
    assert!(git.status().unwrap().success(), "git apply in {}", folder.display());
    plan.stderr
}

#[test]
fn git_applies_the_plan_in_any_folder() {
    for (folder, args) in [
        ("osh", &[][..]),
        ("osh/nova", &[]),
        ("osh/nova", &["--include", "nova"]),
        ("osh", &["nova", "falco"]),
        (".", &["osh/nova"]),
    ] {
        let (planned, applied) = (work_tree(), work_tree());
        let said = plan_and_git_apply(&planned.path().join(folder), args);
        assert!(!said.contains("git apply"), "{said}");
        assert_eq!(run(&applied.path().join(folder), &[&["apply"], args].concat()).code, 0);
        for tree in [&planned, &applied] {
            fs::remove_dir_all(tree.path().join(".git")).unwrap();
        }
        assert_same_tree(planned.path(), applied.path(), folder);
    }
}

/// Git leaves out what is not below the folder that it runs in, and says nothing.
#[test]
fn what_git_leaves_out_is_said() {
    let work = work_tree();
    let nova = work.path().join("osh/nova");
    let said = plan_and_git_apply(&nova, &[".."]);
    let top = work.path().canonicalize().unwrap();
    let note = format!("where `git apply` would leave them out: run it in {}", top.display());
    assert!(said.contains(&note), "{said}");
}

#[test]
fn a_chart_alone_finds_its_toolkit() {
    let work = tree("openstack-helm");
    let (nova, trove) = (work.path().join("nova"), work.path().join("trove"));
    let verified = run(&nova, &["verify", "--helm", helm().to_str().unwrap()]);
    assert!(verified.stdout.starts_with("nova: proven as planned"), "{}{}", verified.stdout, verified.stderr);
    let check = run(&trove, &["check"]);
    assert!(check.stdout.contains("error[unknown-function]"), "{}", check.stdout);
    // The toolkit is nothing that the call names.
    assert!(!check.stdout.contains("toolkit-function"), "{}", check.stdout);
    let plan = run(&nova, &["plan", "-v"]);
    assert!(plan.stderr.starts_with("nova: secrets entry"), "{}", plan.stderr);
    assert!(plan.stderr.contains("left alone, not named in the call"), "{}", plan.stderr);
    assert!(!plan.stdout.contains("helm-toolkit/"));
}

/// A path in a Chart.yaml leads nowhere else.
#[test]
fn a_toolkit_elsewhere_is_not_looked_for() {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("charts/helm-toolkit"), &work.path().join("helm-toolkit"));
    copy(&testdata("charts/demo"), &work.path().join("osh/charts/demo"));
    let chart = work.path().join("osh/charts/demo");
    let metadata = "name: demo\nversion: 0.1.0\ndependencies: [{name: helm-toolkit, repository: 'file://../../../helm-toolkit'}]\n";
    fs::write(chart.join("Chart.yaml"), metadata).unwrap();
    let said = || run(&chart, &["plan"]).stderr;
    assert!(said().contains("no helm-toolkit is among these charts"));
    // A work tree that both are in is one checkout.
    git(work.path(), &["init", "-q"]);
    assert!(!said().contains("no helm-toolkit is among these charts"), "{}", said());
}
