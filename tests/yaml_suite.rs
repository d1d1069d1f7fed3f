//! The cases of the YAML test suite (<https://github.com/yaml/yaml-test-suite>) as values.yaml files:
//! each is edited rightly, refused or left alone.
//!
//! The suite is not part of this project. To run it over a checkout of its branch `data`:
//!
//! ```console
//! $ YAML_TEST_SUITE=path/to/the/checkout cargo test --test yaml_suite -- --ignored --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "these are tests"
)]

#[path = "common/judge.rs"]
mod judge;

use std::collections::BTreeMap;

use judge::{Verdict, Wanted};

const MINIMUM: usize = 350;

/// A case as it is, and as part of a values.yaml of which more is wanted: above and below other
/// blocks, and inside of one, which may be one that entries go into.
fn variants(text: &str) -> [String; 5] {
    let line_break = if text.ends_with('\n') { "" } else { "\n" };
    let indented = format!("  {}", text.replace('\n', "\n  "));
    [
        text.to_owned(),
        format!("{text}{line_break}images: {{}}\n"),
        format!("images: {{}}\n{text}"),
        format!("images: {{}}\ncase:\n{indented}"),
        format!("images: {{}}\nsecrets:\n{indented}"),
    ]
}

#[test]
#[ignore = "needs the YAML test suite, which is not part of this project"]
fn every_case_of_the_suite_is_edited_rightly_or_refused() {
    let suite = std::env::var_os("YAML_TEST_SUITE").expect("YAML_TEST_SUITE names a checkout of its data");
    let wanted = Wanted::new("demo", "5000", "{chart}-oci-image-registry-key");
    let mut wrong = Vec::new();
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    let entries = walkdir::WalkDir::new(suite).sort_by_file_name().into_iter().map(Result::unwrap);
    let cases: Vec<_> = entries.filter(|entry| entry.file_name() == "in.yaml").collect();
    for case in &cases {
        let Ok(text) = std::fs::read_to_string(case.path()) else { continue };
        for (number, text) in variants(&text).iter().enumerate() {
            let verdict = match judge::judge_values(&wanted, text) {
                Ok(Verdict::Edited) => "edited",
                Ok(Verdict::Complete) => "complete",
                Ok(Verdict::LeftAlone) => "left alone",
                Ok(Verdict::Refused(_)) => "refused",
                Err(complaint) => {
                    wrong.push(format!("{} {number}: {complaint}", case.path().display()));
                    "wrong"
                }
            };
            *verdicts.entry(verdict).or_default() += 1;
        }
    }
    eprintln!("{} cases in five forms each: {verdicts:?}", cases.len());
    assert!(cases.len() >= MINIMUM, "only {} cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
