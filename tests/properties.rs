//! Charts from a grammar, thousands of them: each is edited rightly or refused, and few are refused.
//!
//! The same charts every time, and more of them in the nightly run. `PROPTEST_RNG_SEED=7 PROPTEST_CASES=200000`
//! tries others, and as many.

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

mod common;
mod grammar;

use std::cell::Cell;

use grammar::templates::Template;
use judge::{Data, Verdict, Wanted};
use osh_registry_auth::Id;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// How many of a hundred valid charts must be edited or complete: a program that refuses all that
/// is unusual would be right every time.
const DONE: usize = 60;

/// Tries `cases` charts, fifty times as many in the nightly run, if nothing else is asked for by the environment.
fn runner(cases: u32) -> TestRunner {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = if common::nightly() { cases * 50 } else { cases };
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(2022);
    }
    TestRunner::new(config)
}

/// What became of the charts that were tried.
#[derive(Default)]
struct Count {
    edited: Cell<usize>,
    complete: Cell<usize>,
    left_alone: Cell<usize>,
    refused: Cell<usize>,
    invalid: Cell<usize>,
}

impl Count {
    fn add(&self, verdict: &Verdict, is_valid: bool) {
        let counter = match verdict {
            Verdict::Edited => &self.edited,
            Verdict::Complete => &self.complete,
            Verdict::LeftAlone => &self.left_alone,
            Verdict::Refused(_) if is_valid => &self.refused,
            Verdict::Refused(_) => &self.invalid,
        };
        counter.set(counter.get() + 1);
    }

    /// Asserts that most were edited, and that the grammar does not make nonsense.
    fn assert_most_are_done(&self) {
        let [edited, complete, left_alone, refused, invalid] =
            [&self.edited, &self.complete, &self.left_alone, &self.refused, &self.invalid].map(Cell::get);
        let counts = format!(
            "{edited} edited, {complete} complete, {left_alone} left alone, {refused} refused, {invalid} invalid"
        );
        // For `cargo test -- --nocapture`.
        eprintln!("{counts}");
        let done = edited + complete;
        assert!(done * 100 >= (done + refused) * DONE, "{counts}");
        assert!(edited > 10 * invalid, "{counts}");
    }
}

#[test]
fn values_are_edited_rightly_or_refused() {
    let wanted = (
        select(grammar::values::CHARTS),
        select(&["5000", "443", "null"][..]),
        select(&["{chart}-oci-image-registry-key", "on", "1.5", "a-{chart}.b"][..]),
    );
    let strategy = wanted.prop_flat_map(|(chart, port, name)| {
        let wanted = Wanted::new(chart, port, name);
        (grammar::values::texts(wanted.entries()), Just(wanted))
    });
    let count = Count::default();
    let outcome = runner(400).run(&strategy, |(text, wanted)| {
        let verdict = judge::judge_values(&wanted, &text).map_err(TestCaseError::fail)?;
        // Of bytes at random it may be that no edit of theirs can be proven; of files as people write them
        // that is, in the program's own words, its defect.
        if let Verdict::Refused(refusals) = &verdict
            && let Some(defect) = refusals.iter().find(|refusal| refusal.id == Id::Unproven)
        {
            return Err(TestCaseError::fail(format!("{defect}\n{text}")));
        }
        count.add(&verdict, Data::read(&text).is_ok());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    count.assert_most_are_done();
}

/// The judge of templates looks at lines; where the lists belong, the grammar knows.
fn check_templates(
    strategy: &BoxedStrategy<Template>,
    judge: impl Fn(&str) -> Result<(Verdict, Option<String>), String>,
) {
    let count = Count::default();
    let outcome = runner(200).run(strategy, |Template { old, new }| {
        let (verdict, edited) = judge(&old).map_err(TestCaseError::fail)?;
        if !matches!(verdict, Verdict::Refused(_)) {
            let edited = edited.unwrap_or_else(|| old.clone());
            let complaint = format!("--- old\n{old}\n--- expected\n{new}\n--- new\n{edited}");
            prop_assert!(edited == new, "{complaint}");
        }
        count.add(&verdict, true);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    count.assert_most_are_done();
}

#[test]
fn templates_of_charts_are_edited_rightly_or_refused() {
    check_templates(&grammar::templates::charts(), judge::judge_template);
}

#[test]
fn templates_of_toolkits_are_edited_rightly_or_refused() {
    check_templates(&grammar::templates::toolkits(), judge::judge_toolkit);
}

/// A judge that takes everything would never be noticed: none of these edits may lack a line, or have
/// it twice.
#[test]
fn the_judge_notices_every_line() {
    let wanted = Wanted::new("demo", "5000", "{chart}-oci-image-registry-key");
    let mut tried = 0;
    for case in [
        "plain",
        "comments-everywhere",
        "crlf",
        "flow-blocks",
        "null-blocks",
        "block-scalars",
        "partly-there",
    ] {
        let folder = format!("{}/testdata/values/edited/{case}", env!("CARGO_MANIFEST_DIR"));
        let [old, new] =
            ["before.yaml", "after.yaml"].map(|file| std::fs::read_to_string(format!("{folder}/{file}")));
        let (old, new) = (old.unwrap(), new.unwrap());
        assert_eq!(judge::judge_edit(&wanted, &old, &new), Ok(()), "{case}");
        let lines: Vec<&str> = new.split_inclusive('\n').collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (before, behind) = (lines[..number].concat(), lines[number + 1..].concat());
            for wrong in [format!("{before}{behind}"), format!("{before}{line}{line}{behind}")] {
                assert!(judge::judge_edit(&wanted, &old, &wrong).is_err(), "{case}: not noticed:\n{wrong}");
            }
            tried += 1;
        }
    }
    assert!(tried > 200, "only {tried} lines");
    let (old, list) = ("a:\n  b: c\n", judge::list("$", 2, false));
    let with = |lines: &[String]| format!("a:\n{}\n  b: c\n", lines.join("\n"));
    assert_eq!(judge::list_is_inserted(old, &with(&list)), Ok(()));
    // Without its key, it is the item that another list gets.
    for number in (0..list.len()).filter(|number| !list[*number].contains("Secrets:")) {
        let mut wrong = list.clone();
        wrong.remove(number);
        assert!(judge::list_is_inserted(old, &with(&wrong)).is_err(), "not noticed: {wrong:?}");
    }
}
