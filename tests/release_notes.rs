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

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{after, assert_same_tree, command, commit_all, copy, files, git, git_apply, run, tree};
use osh_registry_auth::{Options, Selection};
use tempfile::TempDir;

const NOTE: &str = "releasenotes/notes/nova.yaml";

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

/// A checkout with `version` of nova, and these lines in its note.
fn nova(version: &str, notes: &[&str]) -> TempDir {
    let work = tree("release-notes-counted");
    set_version(work.path(), version);
    fs::write(work.path().join(NOTE), format!("nova:\n  - {}\n", notes.join("\n  - "))).unwrap();
    work
}

fn set_version(dir: &Path, version: &str) {
    let path = dir.join("nova/Chart.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let (above, rest) = text.split_once("version: ").unwrap();
    let (_, below) = rest.split_once('\n').unwrap();
    fs::write(path, format!("{above}version: {version}\n{below}")).unwrap();
}

/// What the plan makes of nova's version, and what it notes.
fn raised(dir: &Path) -> (Vec<String>, String) {
    let plan = run(dir, &["plan", "nova", "--release-notes"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let ours = |line: &&str| line.starts_with("+version:") || line.starts_with("+  - 0.");
    (plan.stdout.lines().filter(ours).map(ToOwned::to_owned).collect(), plan.stderr)
}

const OURS: &str = "Added OCI registry authentication";
const STAYS: &str = "the version stays 0.2.9: git cannot tell whether it was raised for this change";

/// The version that git has was not raised for this change, whatever is noted. A higher one was, and so was that of a
/// new chart.
#[test]
fn a_version_that_git_has_is_raised() {
    let noted_with_it = format!("0.2.9 {OURS}");
    let up = |version: &str| [format!("+version: {version}"), format!("+  - {version} {OURS}")];
    for (committed, now, notes, expected) in [
        ("0.2.9", "0.2.9", &["0.2.9 First"][..], &up("0.2.10")[..]),
        ("0.2.9", "0.2.9", &["0.2.8 First"], &up("0.2.10")),
        ("0.2.9", "0.2.9", &[&noted_with_it], &up("0.2.10")),
        // Raised by hand, and not noted; and noted.
        ("0.2.8", "0.2.9", &["0.2.8 First"], &up("0.2.9")[1..]),
        ("0.2.8", "0.2.9", &["0.2.8 First", &noted_with_it], &[]),
        // Lower than before: with a note of what was before, and without.
        ("0.2.9", "0.2.5", &["0.2.9 First"], &up("0.2.10")),
        ("0.2.9", "0.2.5", &["0.2.4 First"], &up("0.2.10")),
        // A note that is ahead.
        ("0.2.9", "0.2.9", &["0.2.11 First"], &up("0.2.12")),
    ] {
        let work = nova(committed, &["0.0.1 None"]);
        commit_all(work.path());
        set_version(work.path(), now);
        fs::write(work.path().join(NOTE), fs::read(nova(now, notes).path().join(NOTE)).unwrap()).unwrap();
        let (found, said) = raised(work.path());
        let what = format!("{committed} {now} {notes:?}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected.iter().collect(), "{what}");
        assert!(!said.contains("unraised-version"), "{what}: {said}");
    }
    let work = nova("0.2.9", &["0.2.8 First"]);
    commit_all(work.path());
    git(work.path(), &["rm", "-q", "--cached", "nova/Chart.yaml"]);
    git(work.path(), &["commit", "-q", "-m", "y"]);
    let (found, said) = raised(work.path());
    assert_eq!(found, up("0.2.9")[1..], "a new chart");
    assert!(!said.contains("unraised-version"), "{said}");
}

#[test]
fn without_git_a_version_that_stays_is_said() {
    let noted = format!("0.2.9 {OURS}");
    for (notes, expected) in [(&["0.2.8 First"][..], &[format!("+  - {noted}")][..]), (&[&noted], &[])] {
        let work = nova("0.2.9", notes);
        let (found, said) = raised(work.path());
        assert_eq!(found, expected, "{notes:?}");
        let warning = format!("warning[unraised-version]: nova/Chart.yaml:3:10: {STAYS}");
        assert!(said.lines().any(|line| line.starts_with(&warning)), "{said}");
    }
    // Of one that goes up there is nothing to say.
    let (found, said) = raised(nova("0.2.9", &["0.2.9 First"]).path());
    assert!(found.len() == 2 && !said.contains("unraised-version"), "{found:?} {said}");
}

#[test]
fn a_version_that_cannot_go_up_is_refused() {
    let last = "0.2.18446744073709551615";
    for (version, notes, what) in [
        (last, format!("{last} First"), format!("cannot go above {last}")),
        ("0.2.9", format!("{last} First"), format!("cannot go above {last}")),
        ("0.2.18446744073709551616", "0.2.0 First".to_owned(), "is not three numbers".to_owned()),
        ("0.2.9-rc1", "0.2.0 First".to_owned(), "is not three numbers".to_owned()),
    ] {
        for has_git in [false, true] {
            let work = nova(version, &[&notes]);
            if has_git {
                commit_all(work.path());
            }
            let plan = run(work.path(), &["plan", "nova", "--release-notes"]);
            let refused =
                format!("refused[unclear-version]: nova/Chart.yaml:3:10: the chart's version {what}");
            assert_eq!(plan.code, 2);
            let is_said = plan.stderr.lines().any(|line| line.starts_with(&refused));
            assert!(is_said, "{version}: {}", plan.stderr);
        }
    }
}

/// One checkout asks for notes, and the other does not.
#[test]
fn charts_without_a_folder_for_notes_are_named() {
    let work = tempfile::tempdir().unwrap();
    copy(tree("release-notes-counted").path(), &work.path().join("one"));
    copy(&work.path().join("one/glance"), &work.path().join("two/glance"));
    let plan = run(work.path(), &["plan", "--release-notes", "one", "two"]);
    let said = "note: release notes of two/glance: none, since there is neither releasenotes/ nor tools/gate/reno-check.sh around these charts";
    assert!(plan.stderr.lines().any(|line| line == said), "{}", plan.stderr);
    assert!(!plan.stdout.contains("+++ b/two/glance/Chart.yaml"), "{}", plan.stdout);
}

/// Reno's configuration says in which way changes are noted. Where it cannot be read, nobody knows.
#[test]
fn without_a_configuration_that_can_be_read_nothing_is_noted() {
    let work = tree("release-notes-common");
    let config = work.path().join("releasenotes/config.yaml");
    fs::rename(&config, work.path().join("config")).unwrap();
    std::os::unix::fs::symlink("../config", &config).unwrap();
    let plan = run(work.path(), &["plan", "--release-notes"]);
    assert_eq!((plan.code, plan.stdout.contains("releasenotes/notes")), (2, false), "{}", plan.stdout);
    assert!(plan.stderr.contains("refused[link]: releasenotes/config.yaml"), "{}", plan.stderr);
}

/// What a note tells of may be called as what the note is made of.
#[test]
fn the_name_of_a_file_is_noted_as_it_is() {
    let work = nova("0.2.9", &["0.2.9 First"]);
    assert_eq!(run(work.path(), &["apply", "nova"]).code, 0);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      image: a\n";
    fs::write(work.path().join("nova/templates/CHART-VERSION-WORDS.yaml"), pod).unwrap();
    fs::remove_file(work.path().join(NOTE)).unwrap();
    let (found, said) = raised(work.path());
    let words = "+  - 0.2.10 Added imagePullSecrets for OCI registry authentication in templates/CHART-VERSION-WORDS.yaml";
    assert!(found.iter().any(|line| line == words), "{found:?} {said}");
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
