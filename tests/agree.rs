//! New values agree with what the checkout has already.

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

use common::{run, testdata};
use tempfile::TempDir;

/// A chart without the registry's entries.
fn put_new(checkout: &Path, name: &str) {
    common::copy(&testdata("charts/demo"), &checkout.join(name));
    let metadata = checkout.join(name).join("Chart.yaml");
    let text = fs::read_to_string(&metadata).unwrap();
    fs::write(metadata, text.replace("name: demo", &format!("name: {name}"))).unwrap();
}

/// A chart that was completed with `args`.
fn put_old(checkout: &Path, name: &str, args: &[&str]) {
    put_new(checkout, name);
    let applied = run(checkout, &[&["apply", name], args].concat());
    assert_eq!(applied.code, 0, "{}", applied.stderr);
}

fn values(checkout: &Path, name: &str) -> String {
    fs::read_to_string(checkout.join(name).join("values.yaml")).unwrap()
}

/// A checkout in which some charts are complete, and `fresh` and `other` are not.
fn checkout(old: &[(&str, &[&str])]) -> TempDir {
    let work = tempfile::tempdir().unwrap();
    for (name, args) in old {
        put_old(work.path(), name, args);
    }
    put_new(work.path(), "fresh");
    put_new(work.path(), "other");
    work
}

const NULL: &[&str] = &["--port", "null"];

fn port(number: &str) -> String {
    format!("    port:\n      registry:\n        default: {number}\n")
}

#[test]
fn the_port_is_that_of_the_other_charts() {
    let work = checkout(&[("a", NULL), ("b", NULL)]);
    let plan = run(work.path(), &["plan"]);
    let note = "note: the registry's port is null in new entries, as in 2 of the 2 charts that have the entry; --port sets another one";
    assert!(plan.stderr.contains(note), "{}", plan.stderr);
    // Whichever charts are selected, and by whatever path the call names them.
    let whole = checkout(&[("a", NULL), ("b", NULL)]);
    assert_eq!(run(whole.path(), &["apply"]).code, 0);
    for args in [&["apply", "--include", "fresh"][..], &["apply", "other"]] {
        assert_eq!(run(work.path(), args).code, 0);
    }
    for name in ["fresh", "other"] {
        assert!(values(work.path(), name).contains(&port("null")));
        assert_eq!(values(work.path(), name), values(whole.path(), name));
    }
    let again = run(work.path(), &["plan"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    assert!(!again.stderr.contains("note: the registry's port"), "{}", again.stderr);
}

#[test]
fn the_port_that_the_call_names_goes_before_that_of_the_charts() {
    let work = checkout(&[("a", NULL)]);
    let applied = run(work.path(), &["apply", "--port", "443"]);
    assert!(!applied.stderr.contains("the registry's port"), "{}", applied.stderr);
    assert!(values(work.path(), "fresh").contains(&port("443")));
}

#[test]
fn where_charts_disagree_the_blueprint_has_it() {
    let work = checkout(&[("a", NULL), ("b", &["--port", "443"])]);
    let applied = run(work.path(), &["apply"]);
    let note = "note: the registry's port is 5000 in new entries: the charts disagree on it; --port sets another one";
    assert!(applied.stderr.contains(note), "{}", applied.stderr);
    assert!(values(work.path(), "fresh").contains(&port("5000")));
    // What the blueprint has anyway is no news.
    let work = checkout(&[("a", &["--port", "5000"])]);
    let applied = run(work.path(), &["apply"]);
    assert!(!applied.stderr.contains("note: the registry's port"), "{}", applied.stderr);
}

#[test]
fn secrets_are_called_as_those_of_the_other_charts() {
    let named: &[&str] = &["--secret-name", "{chart}-pull"];
    let work = checkout(&[("a", named), ("b", named), ("c", named)]);
    let applied = run(work.path(), &["apply"]);
    let note = "note: new Secrets are called {chart}-pull, as in 3 of the 3 charts that have the entry; --secret-name sets another one";
    assert!(applied.stderr.contains(note), "{}", applied.stderr);
    assert!(values(work.path(), "fresh").contains("    fresh: fresh-pull\n"));
    let again = run(work.path(), &["plan"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    // Two charts are no custom, nor is a form that others have not; and no two charts can make one Secret.
    let usual: &[&str] = &["--secret-name", "{chart}-oci-image-registry-key"];
    let fixed: &[&str] = &["--secret-name", "pull"];
    for old in [
        &[("a", named), ("b", named)][..],
        &[("a", named), ("b", named), ("c", named), ("d", usual)],
        &[("a", fixed), ("b", fixed), ("c", fixed)],
    ] {
        let work = checkout(old);
        assert_eq!(run(work.path(), &["apply"]).code, 0);
        assert!(values(work.path(), "fresh").contains("    fresh: fresh-oci-image-registry-key\n"));
    }
}
