//! `check`: what it finds, what it does not find, and how it says so.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{Run, assert_snapshot, assert_valid, cases, copy, run, testdata};
use osh_registry_auth::finding::FindingId;
use serde_json::Value;

fn check(dir: &Path, args: &[&str]) -> Run {
    run(dir, &[&["check"], args].concat())
}

fn json_of(dir: &Path, args: &[&str]) -> Value {
    let run = check(dir, &[&["--format", "json"], args].concat());
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

/// A line for each fault in each tree before the migration, and what is left after it.
#[test]
fn every_tree_is_found_to_be_what_it_is() {
    let mut ids = BTreeSet::new();
    for case in cases(&testdata("trees"), 25) {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let mut said = String::new();
        for state in ["before", "after"] {
            let tree = case.join(state);
            if !tree.exists() {
                continue;
            }
            let run = check(&tree, &[]);
            write!(said, "$ check {state}\n{}{}exit code: {}\n\n", run.stdout, run.stderr, run.code).unwrap();
            let found = json_of(&tree, &[]);
            assert_valid("src/report/check/check.schema.json", &found);
            for finding in found["findings"].as_array().unwrap() {
                ids.insert(finding["id"].as_str().unwrap().to_owned());
                // What it points at is there; a text that breaks off does so behind its last line.
                if let (Some(line), Some(path)) = (finding["line"].as_u64(), finding["path"].as_str()) {
                    let text = String::from_utf8_lossy(&fs::read(tree.join(path)).unwrap()).into_owned();
                    let lines = text.lines().count() as u64;
                    assert!(line <= lines + 1, "{name}: {finding}");
                }
            }
            let errors = found["findings"].as_array().unwrap().iter().any(|one| one["level"] == "error");
            let refused = found["findings"].as_array().unwrap().iter().any(|one| one["refused"] == true);
            let expected = if refused { 2 } else { i32::from(errors) };
            assert_eq!(run.code, expected, "{name} {state}: {}", run.stdout);
        }
        assert_snapshot(&testdata(&format!("check/{name}.txt")), &said);
    }
    let known = FindingId::ALL.iter().filter(|id| !id.is_about_the_change());
    let missing: Vec<&str> = known.map(|id| id.id()).filter(|id| !ids.contains(*id)).collect();
    assert!(missing.is_empty(), "no tree has these: {missing:?}");
}

/// What apply has done, check has nothing against: no error that it could have mended is left.
#[test]
fn after_apply_nothing_is_left_that_apply_could_do() {
    for case in cases(&testdata("trees"), 25) {
        let work = tempfile::tempdir().unwrap();
        copy(&case.join("before"), work.path());
        let apply = run(work.path(), &["apply", "-q", "--replace-templates"]);
        if apply.code != 0 {
            continue;
        }
        let found = json_of(work.path(), &["--replace-templates"]);
        for finding in found["findings"].as_array().unwrap() {
            assert_eq!(finding["planned"], false, "{}: {finding}", case.display());
        }
    }
}

#[test]
fn every_format_says_the_same() {
    let before = testdata("trees/openstack-helm/before");
    for format in ["text", "json", "github", "sarif"] {
        let run = check(&before, &["-q", "--format", format]);
        assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{format}");
        assert_snapshot(&testdata(&format!("reports/check.{format}")), &run.stdout);
    }
    let work = tempfile::tempdir().unwrap();
    let (text, sarif) = (work.path().join("found.txt"), work.path().join("found.sarif"));
    let both = check(&before, &["-q", "-o", text.to_str().unwrap(), "-o", sarif.to_str().unwrap()]);
    assert_eq!((both.code, both.stdout.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(text).unwrap(), check(&before, &["-q"]).stdout);
    assert!(fs::read_to_string(sarif).unwrap().contains("\"2.1.0\""));
}

/// Marks in a pull request and code scanning look for files from the top of the repository.
#[test]
fn paths_are_seen_from_where_the_program_runs() {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/one-chart/before"), &work.path().join("some folder/charts"));
    let at = |args: &[&str]| json_of(work.path(), args)["findings"][0]["path"].clone();
    assert!(at(&["some folder/charts"]).as_str().unwrap().starts_with("some folder/charts/"));
    let sarif = check(work.path(), &["some folder", "--format", "sarif"]).stdout;
    assert!(sarif.contains("\"uri\": \"some%20folder/charts/"), "{sarif}");
    let github = check(work.path(), &["--format", "github"]).stdout;
    assert!(github.starts_with("::error file=some folder/charts/"), "{github}");
    let elsewhere = run(Path::new("/"), &["check", work.path().to_str().unwrap(), "--format", "json"]);
    let from_root: Value = serde_json::from_str(&elsewhere.stdout).unwrap();
    let path = from_root["findings"][0]["path"].as_str().unwrap().to_owned();
    assert!(Path::new("/").join(&path).parent().unwrap().parent().unwrap().exists(), "{path}");
}

/// What comes from charts can end no command of a workflow and start none.
#[test]
fn a_workflow_command_stays_one() {
    let work = tempfile::tempdir().unwrap();
    copy(&testdata("trees/one-chart/before"), work.path());
    let chart = fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().path());
    let chart = chart.into_iter().find(|path| !path.ends_with("helm-toolkit") && path.is_dir()).unwrap();
    let values = chart.join("values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let wrong = "\nsecrets:\n  oci_image_registry:\n    \"x\\n::error::%0Aowned\": y\n";
    fs::write(&values, text.replace("\n...\n", "\n") + wrong).unwrap();
    let said = check(work.path(), &["-q", "--format", "github"]).stdout;
    assert!(said.contains("wrong-key"), "{said}");
    assert!(
        said.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::warning file=")),
        "{said}"
    );
    assert!(said.contains("x%0A::error::%250Aowned"), "{said}");
}
