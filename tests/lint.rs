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
use std::path::Path;

use common::helm::{helm, template};
use common::python::python;
use common::{after, files, run, testdata, tree};

/// What yamllint finds in each of `texts`, by level and rule, and how often. Lines have moved: where does not
/// matter. It is started once, since that is what takes the time.
fn findings(texts: &[&str], config: &str) -> Vec<BTreeMap<String, usize>> {
    let work = tempfile::tempdir().unwrap();
    let mut yamllint = python("yamllint", &["yamllint==1.38.0"], "yamllint");
    yamllint.args(["-f", "parsable", "-c"]).arg(testdata("lint").join(config)).current_dir(work.path());
    for (number, text) in texts.iter().enumerate() {
        fs::write(work.path().join(number.to_string()), text).unwrap();
        yamllint.arg(number.to_string());
    }
    let output = yamllint.output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "yamllint does not run");
    let mut findings = vec![BTreeMap::new(); texts.len()];
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // 7:3:1: [error] trailing spaces (trailing-spaces)
        let (number, _) = line.split_once(':').unwrap();
        let finding = line.split_once('[').map_or(line, |(_, finding)| finding);
        *findings[number.parse::<usize>().unwrap()].entry(finding.to_owned()).or_default() += 1;
    }
    findings
}

/// A text before and after, and which one it is.
struct Pair {
    what: String,
    old: String,
    new: String,
}

/// Asserts that nothing new is found in `new`, nor more of anything.
fn assert_nothing_new(pairs: &[Pair], config: &str) {
    let texts: Vec<&str> = pairs.iter().flat_map(|pair| [pair.old.as_str(), pair.new.as_str()]).collect();
    for (pair, found) in pairs.iter().zip(findings(&texts, config).chunks(2)) {
        let (old, new) = (&found[0], &found[1]);
        let is_more = |(finding, count): &(&String, &usize)| old.get(*finding).is_none_or(|old| *count > old);
        let more: Vec<_> = new.iter().filter(is_more).collect();
        assert!(more.is_empty(), "{}: {more:?}\n{}", pair.what, pair.new);
    }
}

#[test]
fn the_linter_sees_something() {
    let found = |text: &str, config: &str| findings(&["a: 1\n", text], config)[1].len();
    assert_eq!(found("a: 1 \n", "values.conf"), 1);
    assert_eq!(found("a:\n   b: 1\n", "templates.conf"), 1);
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
        let mut pairs = Vec::new();
        for (path, new) in files(work.path()).iter().filter(|(path, _)| is_linted(path)) {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let old = before.get(path).map(|old| text(old)).unwrap_or_default();
            if old != text(new) {
                pairs.push(Pair { what: path.display().to_string(), old, new: text(new) });
            }
        }
        assert!(pairs.len() >= 3, "{name}: {} files", pairs.len());
        assert_nothing_new(&pairs, "values.conf");
    }
}

#[test]
fn what_helm_renders_passes_the_lint_of_templates() {
    let (before, after) = (tree("openstack-helm"), after("openstack-helm"));
    let (before, after) = (before.path(), after.path());
    let auth = "endpoints.oci_image_registry.auth.enabled=true";
    let mut pairs = Vec::new();
    for entry in fs::read_dir(before).unwrap() {
        let chart = entry.unwrap().file_name();
        let toolkit = |state: &Path| state.join("helm-toolkit");
        let Ok(old) = template(helm(), &before.join(&chart), &toolkit(before), &[]) else { continue };
        for args in [&[][..], &["--set", auth]] {
            let new = template(helm(), &after.join(&chart), &toolkit(after), args).unwrap();
            pairs.push(Pair { what: format!("{} {args:?}", chart.display()), old: old.clone(), new });
        }
    }
    assert!(pairs.len() >= 8, "{} renders", pairs.len());
    assert_nothing_new(&pairs, "templates.conf");
}
