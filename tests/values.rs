//! values.yaml files of every shape. `testdata/values/edited/*` hold `before.yaml` and
//! `after.yaml`; `testdata/values/refused/*` are refused, with the words in `refused.txt`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::panic, reason = "these are tests")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use common::{assert_snapshot, cases, git_apply, run, testdata};

const EDITED: usize = 45;
const REFUSED: usize = 53;

/// A chart called `demo` with this values.yaml.
fn chart_with(values: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let chart = "apiVersion: v2\nname: demo\nversion: 0.1.0\ndependencies:\n  - name: helm-toolkit\n    version: '>= 0.1.0'\n";
    fs::write(dir.path().join("Chart.yaml"), chart).unwrap();
    fs::copy(values, dir.path().join("values.yaml")).unwrap();
    dir
}

fn values_of(chart: &tempfile::TempDir) -> Vec<u8> {
    fs::read(chart.path().join("values.yaml")).unwrap()
}

#[test]
fn values_are_edited_as_expected() {
    for case in cases(&testdata("values/edited"), EDITED) {
        let name = case.file_name().unwrap().to_string_lossy();
        let (before, after) = (case.join("before.yaml"), case.join("after.yaml"));
        let planned = chart_with(&before);
        let plan = run(planned.path(), &["plan", "--exit-code"]);
        let applied = chart_with(&before);
        let apply = run(applied.path(), &["apply", "-q"]);
        assert_eq!((apply.code, apply.stderr.as_str()), (0, ""), "{name}");
        let written = values_of(&applied);
        if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::write(&after, &written).unwrap();
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&written), text(&fs::read(&after).unwrap()), "{name}");
        assert_eq!(plan.code, 1, "{name}");
        git_apply(planned.path(), &plan.stdout);
        assert_eq!(text(&values_of(&planned)), text(&written), "{name}: plan | git apply");
        let again = run(applied.path(), &["apply", "-v"]);
        assert_eq!(again.code, 0, "{name}: {}", again.stderr);
        assert_eq!(values_of(&applied), written, "{name}: second apply");
        assert!(again.stderr.contains("1 complete"), "{name}: {}", again.stderr);
    }
}

#[test]
fn values_that_are_refused_stay_as_they_are() {
    let mut said = String::new();
    for case in cases(&testdata("values/refused"), REFUSED) {
        let chart = chart_with(&case);
        let apply = run(chart.path(), &["apply", "-q"]);
        let name = case.file_name().unwrap().to_string_lossy();
        assert_eq!(apply.code, 2, "{name}");
        assert_eq!(values_of(&chart), fs::read(&case).unwrap(), "{name}");
        assert!(!chart.path().join("templates").exists(), "{name}: part of it was written");
        writeln!(said, "{name}\n  {}", apply.stderr.trim_end()).unwrap();
    }
    assert_snapshot(&testdata("values/refused.txt"), &said);
}

/// A chart whose values are generated.
fn chart_with_text(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("generated.yaml");
    fs::write(&file, text).unwrap();
    let chart = chart_with(&file);
    let values = chart.path().join("values.yaml");
    (chart, values)
}

#[test]
fn size_and_nesting_do_no_harm() {
    let deep_list = format!("images: {{}}\nx:\n{}y\n", "- ".repeat(50_000));
    let deep_flow = format!("images: {{}}\nx: {}\n", "[".repeat(50_000));
    let deep_map = format!("images: {{}}\nx: {}1{}\n", "{a: ".repeat(20_000), "}".repeat(20_000));
    let deep_block: String =
        (0..2_000).fold("images: {}\n".to_owned(), |text, level| text + &" ".repeat(level) + "x:\n");
    let keys: String = (0..8_000).fold(String::new(), |text, key| text + &format!("  k{key}: v\n"));
    let aliases = format!("images: {{}}\nx: &x\n{keys}y:\n{}", "- *x\n".repeat(8_000));
    let laughs: String = (1..30).fold("images: {}\na0: &a0 x\n".to_owned(), |text, level| {
        text + &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)
    });
    for text in [deep_list, deep_flow, deep_map, deep_block, aliases, laughs] {
        let (chart, _) = chart_with_text(text.as_bytes());
        let refused = run(chart.path(), &["apply"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("values.yaml:"), "{}", refused.stderr);
    }
    let many: String =
        (0..100_000).fold("images: {}\nconf:\n".to_owned(), |text, key| text + &format!("  k{key}: v\n"));
    let long = format!(
        "images: {{}}\nconf:\n  line: {}\nmanifests:\n  a: \"{}\"\n",
        "x ".repeat(1 << 20),
        "é".repeat(1 << 19)
    );
    let merges = format!("images: {{}}\nx: &x {{a: 1}}\nmanifests:\n  <<: [{}*x]\n", "*x, ".repeat(20_000));
    let flow = format!("images: {{}}\nx: [{}]\n", "\u{e4}, {a: b}, ".repeat(50_000));
    for text in [many, long, merges, flow] {
        let (chart, values) = chart_with_text(text.as_bytes());
        let apply = run(chart.path(), &["apply"]);
        assert_eq!(apply.code, 0, "{}", apply.stderr);
        assert!(fs::read_to_string(values).unwrap().contains("secret_registry: true"));
    }
}
