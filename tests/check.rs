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
use std::fs;
use std::path::Path;

use common::{Run, after, assert_snapshot, assert_valid, put_tree, run, testdata, tree, trees};
use osh_registry_auth::Id;
use serde_json::Value;

fn check(dir: &Path, args: &[&str]) -> Run {
    run(dir, &[&["check"], args].concat())
}

fn json_of(dir: &Path, args: &[&str]) -> Value {
    let run = check(dir, &[&["--format", "json"], args].concat());
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

/// What is found is what the schema says, and points at a line that is there. (What it is stands in `said` of
/// each tree.)
#[test]
fn every_finding_points_at_what_is_there() {
    let mut ids = BTreeSet::new();
    for name in trees() {
        for work in [tree(&name), after(&name)] {
            let found = json_of(work.path(), &[]);
            assert_valid("src/report/check/check.schema.json", &found);
            let findings = found["findings"].as_array().unwrap();
            for finding in findings {
                ids.insert(finding["id"].as_str().unwrap().to_owned());
                // A text that breaks off does so behind its last line.
                if let (Some(line), Some(path)) = (finding["line"].as_u64(), finding["path"].as_str()) {
                    let text =
                        String::from_utf8_lossy(&fs::read(work.path().join(path)).unwrap()).into_owned();
                    let lines = text.lines().count() as u64;
                    assert!(line <= lines + 1, "{name}: {finding}");
                }
            }
            let errors = findings.iter().any(|one| one["level"] == "error");
            let refused = findings.iter().any(|one| one["refused"] == true);
            let expected = if refused { 2 } else { i32::from(errors) };
            assert_eq!(check(work.path(), &[]).code, expected, "{name}: {found}");
        }
    }
    // Between the refusals and what `verify` finds.
    let known = Id::ALL.iter().skip_while(|id| **id != Id::MissingSecretsEntry);
    let known = known.take_while(|id| **id != Id::DoesNotRender);
    let missing: Vec<&str> = known.map(|id| id.as_str()).filter(|id| !ids.contains(*id)).collect();
    assert!(missing.is_empty(), "no tree has these: {missing:?}");
}

/// What apply has done, check has nothing against: no error that it could have mended is left.
#[test]
fn after_apply_nothing_is_left_that_apply_could_do() {
    let mut applied = 0;
    for name in trees() {
        let work = tree(&name);
        let apply = run(work.path(), &["apply", "-q", "--replace-templates"]);
        if apply.code != 0 {
            continue;
        }
        applied += 1;
        let found = json_of(work.path(), &["--replace-templates"]);
        for finding in found["findings"].as_array().unwrap() {
            assert_eq!(finding["planned"], false, "{name}: {finding}");
        }
    }
    assert!(applied >= 10, "only {applied} trees");
}

#[test]
fn every_format_says_the_same() {
    let before = testdata("trees/openstack-helm/before");
    for format in ["text", "json", "github", "sarif"] {
        let run = check(&before, &["--format", format]);
        assert_eq!(run.code, 1, "{format}: {}", run.stderr);
        assert_snapshot(&testdata(&format!("reports/check.{format}")), &run.stdout);
    }
    let work = tempfile::tempdir().unwrap();
    let (text, sarif) = (work.path().join("found.txt"), work.path().join("found.sarif"));
    let both = check(&before, &["-q", "-o", text.to_str().unwrap(), "-o", sarif.to_str().unwrap()]);
    assert_eq!((both.code, both.stdout.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(text).unwrap(), check(&before, &["-q"]).stdout);
    assert!(fs::read_to_string(sarif).unwrap().contains("\"2.1.0\""));
}

/// Code scanning services ask for texts of each rule, and show no result without a place.
/// (`tests/packaging/run` has Microsoft's validator look at it.)
#[test]
fn sarif_explains_its_rules_and_places_its_results() {
    let found = check(&testdata("trees/openstack-helm/before"), &["-q", "--format", "sarif"]).stdout;
    let run = &serde_json::from_str::<Value>(&found).unwrap()["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for (rule, part) in
        rules.iter().flat_map(|rule| ["shortDescription", "fullDescription", "help"].map(|part| (rule, part)))
    {
        let text = rule[part]["text"].as_str().unwrap();
        assert!(text.len() > 20 && text.ends_with('.') && !text.contains('\n'), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(
            region["startLine"].as_u64() >= Some(1) && region["endColumn"].as_u64() >= Some(2),
            "{result}"
        );
    }
    assert!(rules.len() >= 10 && results.len() >= 20);
}

/// Marks in a pull request and code scanning look for files from the top of the repository.
#[test]
fn paths_are_seen_from_where_the_program_runs() {
    let work = tempfile::tempdir().unwrap();
    put_tree("one-chart", &work.path().join("some folder/charts"));
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
    let work = tree("one-chart");
    let values = work.path().join("glance/values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let wrong = "\nsecrets:\n  oci_image_registry:\n    \"x\\n::error::%0Aowned\": y\n";
    fs::write(&values, text.replace("\n...\n", "\n") + wrong).unwrap();
    let said = check(work.path(), &["-q", "--format", "github"]).stdout;
    assert!(said.contains("wrong-key"), "{said}");
    assert!(
        said.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::warning file=")),
        "{said}"
    );
    assert!(said.contains("x\\n::error::%250Aowned"), "{said}");
}

/// What somebody has looked at stays as it is, and is counted.
#[test]
fn a_comment_allows_what_stays() {
    let work = tree("wrong-parts");
    let values = work.path().join("stale-key/values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let wrong = "    state-key: of-somebody-who-mistyped-it\n";
    let check = |text: &str| {
        fs::write(&values, text).unwrap();
        let run = check(&work.path().join("stale-key"), &[]);
        (run.stdout.contains("[wrong-key]"), run.stderr)
    };
    assert!(check(&text).0);
    for comment in [
        "    state-key: of-somebody-who-mistyped-it  # osh-registry-auth: allow wrong-key\n",
        "    # osh-registry-auth: allow no-boolean, wrong-key\n    state-key: of-somebody-who-mistyped-it\n",
    ] {
        let (is_found, said) = check(&text.replace(wrong, comment));
        assert!(!is_found, "{comment}");
        assert!(said.contains("note: 1 finding allowed by a comment"), "{said}");
    }
    // Another id, another place; and what `apply` adds is no matter of opinion.
    let elsewhere = format!("# osh-registry-auth: allow wrong-key\n{text}");
    for text in
        [text.replace(wrong, &wrong.replace('\n', "  # osh-registry-auth: allow no-boolean\n")), elsewhere]
    {
        assert!(check(&text).0, "{text}");
    }
    let planned = "images: {}  # osh-registry-auth: allow missing-secrets-entry\n";
    fs::write(&values, planned).unwrap();
    assert!(run(&work.path().join("stale-key"), &["check"]).stdout.contains("missing-secrets-entry"));
}

/// Helm installs a Secret for one release only. A chart that makes none, or says that it shares its own, is no matter.
#[test]
fn charts_that_make_one_secret_are_found() {
    let work = tree("wrong-parts");
    let values = work.path().join("same-name/values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let check = |text: &str| {
        fs::write(&values, text).unwrap();
        let run = check(work.path(), &[]);
        (run.stdout.matches("warning[shared-secret]").count(), run.stderr)
    };
    assert_eq!(check(&text).0, 2);
    assert_eq!(check(&text.replace("stale-key-oci", "same-name-oci")).0, 0);
    assert_eq!(check(&text.replace("secret_registry: true", "secret_registry: false")).0, 0);
    let (found, said) = check(&format!("# osh-registry-auth: allow shared-secret\n{text}"));
    assert_eq!(found, 1);
    assert!(said.contains("note: 1 finding allowed by a comment"), "{said}");
}

/// In charts that lack nothing.
#[test]
fn values_and_templates_that_make_no_right_secret_are_found() {
    let work = after("openstack-helm");
    let chart = work.path().join("nova");
    for (file, from, to, what) in [
        ("values.yaml", "username: nova", "username: \"no:va\"", "auth.nova.username` has a colon in it"),
        ("values.yaml", "username: nova", "username: null", "auth.nova.username` is not set"),
        (
            "values.yaml",
            "password: password",
            "password: \"pass\\n\"",
            "auth.nova.password` has a line break",
        ),
        ("values.yaml", "password: password", "password: 0123", "auth.nova.password` is no text to Helm"),
        ("values.yaml", "username: nova", "username: yes", "auth.nova.username` is no text to Helm"),
        ("values.yaml", "enabled: false", "enabled: null", "auth.enabled` is no boolean"),
        (
            "values.yaml",
            "secret_registry: true",
            "secret_registry: null",
            "manifests.secret_registry` is no boolean",
        ),
        (
            "templates/secret-registry.yaml",
            "and .Values.manifests.secret_registry ",
            "",
            "does not ask for .Values.manifests.secret_registry",
        ),
    ] {
        let file = chart.join(file);
        let clean = fs::read_to_string(&file).unwrap();
        assert!(clean.contains(from), "{from}");
        fs::write(&file, clean.replace(from, to)).unwrap();
        let found = check(work.path(), &["--include", "nova"]);
        assert_eq!(found.code, 1, "{to}: {}{}", found.stdout, found.stderr);
        assert!(found.stdout.contains(what), "{what}: {}", found.stdout);
        fs::write(&file, clean).unwrap();
    }
}
