//! OpenStack-Helm's own lint: yamllint with one configuration for values and notes, and with another for what
//! Helm renders. A migrated chart has no finding that it did not have before.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use common::helm::template;
use common::python::python;
use common::{after, files, run, testdata, tree};

/// What yamllint finds in `text`, by level and rule, and how often. Lines have moved: where does not matter.
fn findings(text: &str, config: &str) -> BTreeMap<String, usize> {
    let mut yamllint = python("yamllint", &["yamllint==1.38.0"], "yamllint");
    yamllint.args(["-f", "parsable", "-c"]).arg(testdata("lint").join(config)).arg("-");
    let mut child = yamllint.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "yamllint does not run");
    let mut findings = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // stdin:3:1: [error] trailing spaces (trailing-spaces)
        let finding = line.split_once('[').map_or(line, |(_, finding)| finding);
        *findings.entry(finding.to_owned()).or_default() += 1;
    }
    findings
}

/// Asserts that `new` has no finding that `old` has not, or more of them.
fn assert_nothing_new(old: &str, new: &str, config: &str, what: &str) {
    let (old, found) = (findings(old, config), findings(new, config));
    let more: Vec<_> =
        found.iter().filter(|(finding, count)| old.get(*finding).is_none_or(|old| *count > old)).collect();
    assert!(more.is_empty(), "{what}: {more:?}\n{new}");
}

#[test]
fn the_linter_sees_something() {
    assert_eq!(findings("a: 1 \n", "values.conf").len(), 1);
    assert_eq!(findings("a:\n   b: 1\n", "templates.conf").len(), 1);
}

#[test]
fn what_is_written_passes_the_lint_of_values() {
    for (name, args) in
        [("openstack-helm", &["--replace-templates"][..]), ("release-notes-reno", &["--release-notes"])]
    {
        let work = tree(name);
        let before = files(work.path());
        assert_eq!(run(work.path(), &[&["apply"], args].concat()).code, 0);
        let is_linted = |path: &Path| {
            path.extension().is_some_and(|extension| extension == "yaml")
                && !path.iter().any(|part| part == "templates")
        };
        let mut count = 0;
        for (path, new) in files(work.path()).iter().filter(|(path, _)| is_linted(path)) {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let old = before.get(path).map(|old| text(old)).unwrap_or_default();
            if old != text(new) {
                assert_nothing_new(&old, &text(new), "values.conf", &path.display().to_string());
                count += 1;
            }
        }
        assert!(count >= 3, "{name}: {count} files");
    }
}

#[test]
fn what_helm_renders_passes_the_lint_of_templates() {
    let (before, after) = (tree("openstack-helm"), after("openstack-helm"));
    let (before, after) = (before.path(), after.path());
    let auth = "endpoints.oci_image_registry.auth.enabled=true";
    let mut charts = 0;
    for entry in fs::read_dir(before).unwrap() {
        let chart = entry.unwrap().file_name();
        let toolkit = |state: &Path| state.join("helm-toolkit");
        let Ok(old) = template(&before.join(&chart), &toolkit(before), &[]) else { continue };
        charts += 1;
        for args in [&[][..], &["--set", auth]] {
            let new = template(&after.join(&chart), &toolkit(after), args).unwrap();
            assert_nothing_new(&old, &new, "templates.conf", &format!("{} {args:?}", chart.display()));
        }
    }
    assert!(charts >= 4, "{charts} charts render");
}
