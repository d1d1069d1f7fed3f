//! `--release-notes` and `--docs`, where whole trees do not tell all: what the checkout's own check says,
//! what a run that was killed has left, what git has committed, and who else may be at work.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{after, assert_same_tree, command, files, git_apply, run, tree};
use osh_registry_auth::{Options, Selection};

const NOTE: &str = "releasenotes/notes/nova.yaml";

fn git(dir: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let output = Command::new("git").current_dir(dir).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit_all(dir: &Path) {
    git(dir, &["init", "-q"]);
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "x"]);
}

#[test]
fn the_checkouts_own_check_passes_then() {
    let work = tree("release-notes-counted");
    let passes = || {
        let check = Command::new("sh").arg("tools/gate/reno-check.sh").current_dir(work.path()).output();
        check.unwrap().status.success()
    };
    assert!(!passes(), "barbican has no note yet");
    assert_eq!(run(work.path(), &["apply", "--release-notes"]).code, 0);
    assert!(passes());
}

/// A run that is killed has written the first few files, in the order of their turns: each of them wholly.
#[test]
fn after_a_kill_between_any_two_files_a_second_run_ends_where_the_first_would_have() {
    for (name, args) in [
        ("release-notes-counted", &["apply", "--release-notes", "--docs"][..]),
        ("release-notes-reno", &["apply", "--release-notes"]),
        ("release-notes-common", &["apply", "--release-notes"]),
    ] {
        let options = Options { release_notes: true, docs: args.contains(&"--docs"), ..Options::default() };
        let (whole, expected) = (tree(name), after(name));
        let paths = [whole.path().to_owned()];
        let plan = osh_registry_auth::plan(&paths, &Selection::default(), &options).unwrap();
        let changes = plan.in_write_order();
        for written in 1..changes.len() {
            let work = tree(name);
            for change in &changes[..written] {
                let path = work.path().join(&change.path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &change.new).unwrap();
            }
            let run = run(work.path(), args);
            assert_eq!(run.code, 0, "{}", run.stderr);
            let last = changes[written - 1].path.display();
            assert_same_tree(expected.path(), work.path(), &format!("{name}: killed behind {last}"));
        }
    }
}

#[test]
fn without_the_options_nothing_of_this_is_touched() {
    let work = tree("release-notes-counted");
    let before = files(work.path());
    assert_eq!(run(work.path(), &["apply"]).code, 0);
    let now = files(work.path());
    let is_ours = |path: &&PathBuf| {
        path.ends_with("Chart.yaml") || path.starts_with("releasenotes") || path.starts_with("doc")
    };
    assert!(now.keys().filter(is_ours).eq(before.keys().filter(is_ours)));
    assert!(now.iter().filter(|(path, _)| is_ours(path)).all(|(path, text)| before[path] == *text));
}

#[test]
fn a_chart_that_is_complete_is_not_noted() {
    let work = tree("release-notes-counted");
    assert_eq!(run(work.path(), &["apply"]).code, 0);
    let again = run(work.path(), &["plan", "--release-notes", "--exit-code"]);
    assert_eq!((again.stdout.as_str(), again.code), ("", 0), "{}", again.stderr);
}

/// What git has not committed is noted as if both were one call, and once.
#[test]
fn what_a_plain_apply_did_is_noted_afterwards() {
    for name in ["release-notes-counted", "release-notes-reno", "release-notes-common"] {
        let (work, at_once) = (tree(name), tree(name));
        for dir in [work.path(), at_once.path()] {
            commit_all(dir);
        }
        assert_eq!(run(work.path(), &["apply"]).code, 0);
        let noted = run(work.path(), &["apply", "--release-notes"]);
        assert_eq!(noted.code, 0, "{}", noted.stderr);
        assert_eq!(run(at_once.path(), &["apply", "--release-notes"]).code, 0);
        assert!(files(work.path()) == files(at_once.path()), "{name}: {}", noted.stderr);
        // It is noted; it is committed; and the next change is another one.
        let is_done = || run(work.path(), &["plan", "--release-notes", "--exit-code"]);
        assert_eq!((is_done().code, is_done().stdout.as_str()), (0, ""), "{name}");
        git(work.path(), &["add", "-A"]);
        git(work.path(), &["commit", "-q", "-m", "y"]);
        assert_eq!((is_done().code, is_done().stdout.as_str()), (0, ""), "{name}");
        fs::remove_file(work.path().join("nova/templates/secret-registry.yaml")).unwrap();
        git(work.path(), &["commit", "-q", "-a", "-m", "z"]);
        let next = is_done().stdout;
        assert_eq!(next.matches("\n+++ b/releasenotes/notes/nova").count(), 1, "{name}: {next}");
    }
}

#[test]
fn without_git_it_says_that_it_cannot_note_what_was_done() {
    let work = tree("release-notes-common");
    assert_eq!(run(work.path(), &["apply"]).code, 0);
    let noted = run(work.path(), &["apply", "--release-notes"]);
    let said = "note: release notes: git cannot tell what is not committed here: charts that are complete already get no note";
    assert!(noted.stderr.lines().any(|line| line == said), "{}", noted.stderr);
}

#[test]
fn a_chart_that_is_named_alone_is_noted_beside_it() {
    let (work, only, inside) =
        (tree("release-notes-counted"), tree("release-notes-counted"), tree("release-notes-counted"));
    let args = |command| [command, "--release-notes", "--docs", "nova"];
    let plan = run(work.path(), &args("plan"));
    let before = files(work.path());
    assert_eq!(run(work.path(), &args("apply")).code, 0);
    let done = files(work.path());
    let changed: Vec<_> = before.iter().filter(|(path, text)| done[*path] != **text).collect();
    let changed: Vec<_> = changed.into_iter().map(|(path, _)| path.display().to_string()).collect();
    let toolkit = "nova/charts/helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl";
    let index = "doc/source/install/index.rst";
    assert_eq!(changed, [index, "nova/Chart.yaml", toolkit, "nova/values.yaml", NOTE]);
    // Paths are relative to the checkout then.
    git_apply(only.path(), &plan.stdout);
    assert_same_tree(work.path(), only.path(), "plan | git apply");
    let from_inside = run(&inside.path().join("nova"), &["apply", "--release-notes", "--docs"]);
    assert_eq!(from_inside.code, 0, "{}", from_inside.stderr);
    assert_same_tree(work.path(), inside.path(), "from inside");
}

#[test]
fn whoever_is_at_work_in_the_notes_is_waited_for() {
    let work = tree("release-notes-counted");
    for folder in ["releasenotes", "doc/source"] {
        let other = File::open(work.path().join(folder)).unwrap();
        other.lock().unwrap();
        let args = ["apply", "nova", "--release-notes", "--docs"];
        let mut child = command(work.path(), &args).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "{folder}: it did not wait");
        drop(other);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_note_with_changes_that_are_not_committed_is_guarded() {
    let work = tree("release-notes-counted");
    commit_all(work.path());
    let note = work.path().join(NOTE);
    let text = fs::read_to_string(&note).unwrap();
    fs::write(&note, text.replace("hello", "good day")).unwrap();
    let before = files(work.path());
    let run = run(work.path(), &["apply", "--release-notes"]);
    assert_eq!(run.code, 2);
    let said = "refused[uncommitted]: releasenotes/notes/nova.yaml: has changes that are not committed";
    assert!(run.stderr.lines().any(|line| line == said), "{}", run.stderr);
    assert!(before == files(work.path()));
}

/// The charts that were migrated by hand in 2022 have the same words in their notes. What git has is an
/// earlier change; what it does not have is what a run that was killed has left.
#[test]
fn a_line_that_is_committed_is_that_of_an_earlier_change() {
    let version = |dir: &Path| fs::read_to_string(dir.join("octavia/Chart.yaml")).unwrap();
    let work = tree("release-notes-counted");
    commit_all(work.path());
    let plan = run(work.path(), &["plan", "--release-notes"]);
    assert_eq!(run(work.path(), &["apply", "--release-notes"]).code, 0);
    assert!(version(work.path()).contains("version: 0.2.6\n"));
    let note = fs::read_to_string(work.path().join("releasenotes/notes/octavia.yaml")).unwrap();
    assert!(note.ends_with(
        "  - 0.2.5 Added OCI registry authentication\n  - 0.2.6 Added OCI registry authentication\n...\n"
    ));
    assert!(plan.stdout.contains("+  - 0.2.6 Added OCI registry authentication"));
    // A note that is ahead of its chart: the version of its line is out, too.
    let ironic = fs::read_to_string(work.path().join("ironic/Chart.yaml")).unwrap();
    assert!(ironic.contains("version: 0.2.6\n"), "{ironic}");
    // Killed before it came to octavia's values, and run again.
    let done = files(work.path());
    git(work.path(), &["checkout", "octavia/values.yaml", "ironic/values.yaml", "ironic/Chart.yaml"]);
    assert_eq!(run(work.path(), &["apply", "--release-notes"]).code, 0);
    assert!(done == files(work.path()));
}

#[test]
fn the_output_is_not_written_over_a_note_or_a_page() {
    let work = tree("release-notes-counted");
    for path in [NOTE, "nova/Chart.yaml", "doc/source/install/index.rst"] {
        let run = run(work.path(), &["plan", "--release-notes", "--docs", "-o", path]);
        assert_eq!(run.code, 2, "{path}");
        assert!(run.stderr.contains(path), "{}", run.stderr);
    }
}
