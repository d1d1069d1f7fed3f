//! Whole checkouts. Each folder of testdata/trees/ holds `before/`, `charts` (what comes from testdata/charts,
//! if anything), `args` (one argument a line, if any), `expected.diff` (what `plan` prints and `apply` does, if
//! anything) and `said`: what `plan`, `apply` and `check` say besides, and their exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{
    Run, after, assert_exact_snapshot, assert_same_tree, assert_snapshot, command, files, finished,
    git_apply, run, testdata, tree, tree_args, trees,
};

fn said(call: &str, run: &Run) -> String {
    format!("$ {call}\n{}exit code: {}\n", run.stderr, run.code)
}

fn check(name: &str) {
    let case = testdata("trees").join(name);
    let args = tree_args(name);
    let call = |dir: &Path, first: &[&str]| {
        let rest = args.iter().map(String::as_str);
        run(dir, &first.iter().copied().chain(rest).collect::<Vec<_>>())
    };

    let planned = tree(name);
    let before = files(planned.path());
    let plan = call(planned.path(), &["plan"]);
    assert!(before == files(planned.path()), "{name}: plan wrote something");
    for jobs in ["1", "3"] {
        let again = call(planned.path(), &["plan", "--jobs", jobs]);
        assert_eq!(again.stdout, plan.stdout, "{name}: another diff with --jobs {jobs}");
        assert_eq!(again.stderr, plan.stderr, "{name}: another summary with --jobs {jobs}");
    }
    let diff = case.join("expected.diff");
    if plan.stdout.is_empty() {
        assert!(!diff.exists(), "{name}: nothing changes: remove {}", diff.display());
    } else {
        assert_exact_snapshot(&diff, &plan.stdout);
    }

    let applied = tree(name);
    let checked = run(applied.path(), &["check"]);
    let apply = call(applied.path(), &["apply"]);
    assert_eq!(apply.stdout, "", "{name}: apply has no data to give");
    let mut all = said("plan", &plan) + "\n" + &said("apply", &apply);
    for (call, check) in [("check", checked), ("apply; check", run(applied.path(), &["check"]))] {
        write!(all, "\n$ {call}\n{}{}exit code: {}\n", check.stdout, check.stderr, check.code).unwrap();
    }
    assert_snapshot(&case.join("said"), &all);

    // What was printed is what was written.
    git_apply(planned.path(), &plan.stdout);
    assert_same_tree(planned.path(), applied.path(), &format!("{name}: plan | git apply"));

    // A second run has nothing to do.
    let again = call(applied.path(), &["apply"]);
    assert_eq!(again.code, apply.code, "{name}: second apply: {}", again.stderr);
    assert_same_tree(planned.path(), applied.path(), &format!("{name}: second apply"));
    let left = call(applied.path(), &["plan", "--exit-code"]).stdout;
    assert_eq!(left, "", "{name}: plan finds something left to do");
}

#[test]
fn every_tree_comes_out_as_expected() {
    for name in trees() {
        check(&name);
    }
}

/// A chart that is named alone is changed alone, and the diff's paths are those of the chart.
#[test]
fn a_chart_that_is_named_alone_is_changed_alone() {
    let (work, whole) = (tree("one-chart"), after("one-chart"));
    let before = files(work.path());
    let plan = run(work.path(), &["plan", "glance"]);
    assert_eq!(run(work.path(), &["apply", "glance"]).code, 0);
    let (now, whole) = (files(work.path()), files(whole.path()));
    for (path, text) in &now {
        let expected = if path.starts_with("glance") { &whole } else { &before };
        assert!(expected.get(path) == Some(text), "{}", path.display());
    }
    assert!(now != before);
    let by_git = tree("one-chart");
    git_apply(&by_git.path().join("glance"), &plan.stdout);
    assert_same_tree(work.path(), by_git.path(), "plan | git apply");
}

/// Without `--keep-going`, which this tree is applied with, one refused chart keeps all from being written.
#[test]
fn a_refusal_keeps_apply_from_writing() {
    let work = tree("keep-going");
    let before = files(work.path());
    let (plan, apply) = (run(work.path(), &["plan"]), run(work.path(), &["apply"]));
    assert!(plan.stdout.contains("+++ b/glance/values.yaml"), "{}", plan.stdout);
    assert_eq!((plan.code, apply.code, apply.stdout.as_str()), (2, 2, ""));
    assert!(apply.stderr.contains("nothing is written"), "{}", apply.stderr);
    assert!(before == files(work.path()));
}

#[test]
fn a_chart_is_not_changed_twice_when_named_twice() {
    let work = tree("openstack-helm");
    let once = run(work.path(), &["plan", "."]);
    let twice = run(work.path(), &["plan", ".", "nova", "./nova/", "umbrella/charts/nova"]);
    assert_eq!(once.stdout, twice.stdout);
}

#[test]
fn it_works_from_any_folder() {
    let work = tree("openstack-helm");
    let checkout = work.path();
    let inside = run(checkout, &["plan"]);
    let outside = run(Path::new("/"), &["plan", checkout.to_str().unwrap()]);
    let beside = run(&checkout.join("nova"), &["plan", ".."]);
    assert_eq!(inside.stdout, outside.stdout);
    assert_eq!(inside.stdout, beside.stdout);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let case = testdata("trees/openstack-helm/before");
    let mut child = command(&case, &["plan", "-q"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run = finished(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn output_goes_into_a_file_or_a_device() {
    let work = tree("openstack-helm");
    let plan = run(work.path(), &["plan"]);
    let file = work.path().join("plan.diff");
    let silent = run(work.path(), &["plan", "-o", "plan.diff"]);
    assert_eq!((silent.stdout.as_str(), silent.code), ("", 0));
    assert_eq!(fs::read_to_string(&file).unwrap(), plan.stdout);
    let device = run(work.path(), &["plan", "-o", "/dev/stdout"]);
    assert_eq!(device.stdout, plan.stdout);
    assert_eq!(run(work.path(), &["plan", "-o", "/dev/null"]).code, 0);
    assert!(fs::metadata("/dev/null").unwrap().file_type() != fs::metadata(&file).unwrap().file_type());
    let nowhere = run(work.path(), &["plan", "-o", "no/such/folder"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("no/such/folder"), "{}", nowhere.stderr);
    // apply says there what it did.
    fs::remove_file(&file).unwrap();
    assert_eq!(run(work.path(), &["apply", "-o", "plan.diff"]).code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), plan.stdout);
}

#[test]
fn colours_switch_on_and_off() {
    let case = testdata("trees/openstack-helm/before");
    assert!(!run(&case, &["plan"]).stdout.contains('\x1b'));
    let coloured = run(&case, &["plan", "--color", "always"]);
    assert!(coloured.stdout.contains('\x1b') && coloured.stderr.contains('\x1b'));
    let forced = |variables: &[(&str, &str)], args: &[&str]| {
        finished(command(&case, args).envs(variables.iter().copied()).output().unwrap())
            .stdout
            .contains('\x1b')
    };
    assert!(forced(&[("CLICOLOR_FORCE", "1")], &["plan"]));
    assert!(!forced(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &["plan"]));
    assert!(!forced(&[("CLICOLOR_FORCE", "1")], &["plan", "--color", "never"]));
}

#[test]
fn exit_codes_are_as_documented() {
    let work = tree("openstack-helm");
    let code = |args: &[&str]| run(work.path(), args).code;
    assert_eq!(code(&["plan"]), 0);
    assert_eq!(code(&["plan", "--exit-code"]), 1);
    assert_eq!(code(&["apply", "--replace-templates", "--exit-code"]), 1);
    assert_eq!(code(&["apply", "--exit-code"]), 0);
    assert_eq!(code(&["plan", "--exit-code"]), 0);
    for wrong in [
        &["plan", "no-such-folder"][..],
        &["plan", "tools"],
        &["plan", "nova/values.yaml"],
        &["plan", "--port", "0"],
        &["plan", "--port", "many"],
        &["plan", "--secret-name", "No Name"],
        &["plan", "--include", "["],
        &["plan", "--jobs", "-1"],
        &["check", "--include", "novva"],
        &["plan", "--include", "nova", "--include", "x-*"],
        &["plan", "-o", "-", "-o", "-"],
        &["plan", "--color", "sometimes"],
        &["plan", "-q", "-v"],
        &["no-such-command"],
        &[],
    ] {
        assert_eq!(code(wrong), 2, "{wrong:?}");
    }
}

#[test]
fn an_empty_folder_is_told_from_a_finished_one() {
    let work = tempfile::tempdir().unwrap();
    let run = run(work.path(), &["plan"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no chart found in ."), "{}", run.stderr);
}

/// What is called otherwise in other programs, and an option that names nothing.
#[test]
fn wrong_calls_are_told_the_right_one() {
    let work = tree("one-chart");
    for (args, answer) in [
        (&["check", "--fix"][..], "tip: `osh-registry-auth apply` makes the changes"),
        (&["apply", "--dry-run"], "tip: `osh-registry-auth plan` prints what `apply` would change"),
        (
            &["check", "--include", "glence"],
            "--include glence is the name of no chart here; did you mean glance?",
        ),
    ] {
        let run = run(work.path(), args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains(answer), "{args:?}: {}", run.stderr);
    }
    let said = |args| run(work.path(), args);
    assert_eq!(said(&["plan", "-o", "-"]).stdout, said(&["plan", "--jobs", "0"]).stdout);
    assert_eq!(said(&["help", "plan"]).stdout, said(&["plan", "--help"]).stdout);
}

/// Of what `check` found, -q leaves the errors.
#[test]
fn quiet_checks_list_no_warnings() {
    let work = tree("wrong-parts");
    let lines = |args| -> Vec<String> { run(work.path(), args).stdout.lines().map(str::to_owned).collect() };
    let (all, quiet) = (lines(&["check"]), lines(&["check", "-q"]));
    let errors: Vec<String> = all.iter().filter(|line| !line.contains(": warning[")).cloned().collect();
    assert_eq!(quiet, errors);
    assert!(quiet.len() < all.len() && !quiet.is_empty());
}

/// In narrow terminals too; the groups of options stand in one order everywhere.
#[test]
fn help_is_readable() {
    for command in [&[][..], &["plan"], &["apply"], &["check"], &["verify"], &["overrides"]] {
        let help = help_at(&[command, &["--help"]].concat(), "60");
        let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > 60).collect();
        assert!(long.is_empty(), "{command:?}: {long:?}");
        let groups =
            ["Options:", "Charts:", "Output:", "Changes:", "Helm:", "Values:", "Registry:", "Login:"];
        let seen: Vec<&str> = help.lines().filter(|line| groups.contains(line)).collect();
        let expected: Vec<&str> = groups.into_iter().filter(|group| seen.contains(group)).collect();
        assert_eq!(seen, expected, "{command:?}");
    }
    let broken = "     is given and something changes, or would";
    assert!(help_at(&["--help"], "60").lines().any(|line| line == broken));
}

fn help_at(args: &[&str], columns: &str) -> String {
    let output = common::command(Path::new("/"), args).env("COLUMNS", columns).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_teaches() {
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help-plan", &["plan", "--help"]),
        ("help-apply", &["apply", "-h"]),
        ("help-verify", &["verify", "--help"]),
        ("help-overrides", &["overrides", "--help"]),
    ] {
        let help = run(Path::new("/"), args);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert_snapshot(&testdata(&format!("cli/{name}.txt")), &help.stdout);
    }
}
