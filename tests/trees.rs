//! Whole checkouts, before and after. Each folder of testdata/trees/ holds `before/`, `after/`
//! (where something changes), `args` (one argument a line, if any) and `said`: what `apply` and
//! `plan` say on standard error, and their exit codes.

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

use common::{assert_same_tree, assert_snapshot, cases, command, copy, finished, git_apply, run, testdata};

const MINIMUM: usize = 30;

fn check(case: &Path) {
    let name = case.file_name().unwrap().to_string_lossy();
    let work = tempfile::tempdir().unwrap();
    let (planned, applied) = (work.path().join("planned"), work.path().join("applied"));
    let before = case.join("before");
    copy(&before, &planned);
    copy(&before, &applied);
    let args = fs::read_to_string(case.join("args")).unwrap_or_default();
    let with = |first: &[&'static str]| -> Vec<String> {
        first.iter().map(ToString::to_string).chain(args.lines().map(ToOwned::to_owned)).collect()
    };
    let call = |dir: &Path, first: &[&'static str]| {
        let args: Vec<String> = with(first);
        run(dir, &args.iter().map(String::as_str).collect::<Vec<_>>())
    };

    let plan_args: Vec<String> = with(&["plan"]);
    let plan_args: Vec<&str> = plan_args.iter().map(String::as_str).collect();
    let plan = run(&planned, &plan_args);
    assert_same_tree(&before, &planned, &format!("{name}: plan wrote something"));
    for jobs in ["1", "3"] {
        let again = run(&planned, &[&plan_args[..], &["--jobs", jobs]].concat());
        assert_eq!(again.stdout, plan.stdout, "{name}: another diff with --jobs {jobs}");
        assert_eq!(again.stderr, plan.stderr, "{name}: another summary with --jobs {jobs}");
    }

    let apply = call(&applied, &["apply"]);
    assert_eq!(apply.stdout, "", "{name}: apply has no data to give");
    let after = case.join("after");
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        let _ = fs::remove_dir_all(&after);
        if common::files(&before) != common::files(&applied) {
            copy(&applied, &after);
        }
    }
    let after = if after.exists() { after } else { before };
    assert_same_tree(&after, &applied, &name);

    let mut said = String::new();
    writeln!(said, "$ plan\n{}exit code: {}\n", plan.stderr, plan.code).unwrap();
    writeln!(said, "$ apply\n{}exit code: {}", apply.stderr, apply.code).unwrap();
    assert_snapshot(&case.join("said"), &said);

    // A second run has nothing to do.
    let again = call(&applied, &["apply"]);
    assert_eq!(again.code, apply.code, "{name}: second apply: {}", again.stderr);
    assert_same_tree(&after, &applied, &format!("{name}: second apply"));

    // What was printed is what was written, unless a refusal kept apply from writing.
    let withheld = apply.stderr.contains("nothing is written");
    if !withheld {
        // The diff's paths are those of the checkout that is named, if only one is.
        let inside = args.lines().filter(|arg| planned.join(arg).is_dir()).collect::<Vec<_>>();
        let root = if inside.len() == 1 { planned.join(inside[0]) } else { planned.clone() };
        git_apply(&root, &plan.stdout);
        assert_same_tree(&after, &planned, &format!("{name}: plan | git apply"));
        assert_eq!(
            run(&applied, &[&plan_args[..], &["--exit-code"]].concat()).stdout,
            "",
            "{name}: plan finds something left to do"
        );
    }
}

#[test]
fn every_tree_comes_out_as_expected() {
    for case in cases(&testdata("trees"), MINIMUM) {
        check(&case);
    }
}

#[test]
fn a_chart_is_not_changed_twice_when_named_twice() {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
    let once = run(work.path(), &["plan", "."]);
    let twice = run(work.path(), &["plan", ".", "nova", "./nova/", "umbrella/charts/nova"]);
    assert_eq!(once.stdout, twice.stdout);
}

#[test]
fn it_works_from_any_folder() {
    let work = tempfile::tempdir().unwrap();
    let checkout = work.path().join("checkout");
    copy(&testdata("trees/openstack-helm/before"), &checkout);
    let inside = run(&checkout, &["plan"]);
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
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
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
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/openstack-helm/before"), work.path());
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
        &["plan", "--jobs", "0"],
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

#[test]
fn help_teaches() {
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help-plan", &["plan", "--help"]),
        ("help-apply", &["apply", "-h"]),
        ("help-verify", &["verify", "--help"]),
    ] {
        let help = run(Path::new("/"), args);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert_snapshot(&testdata(&format!("cli/{name}.txt")), &help.stdout);
    }
}
