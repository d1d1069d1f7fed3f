//! Charts from a grammar, thousands of them: each is edited rightly or refused, and few are refused.
//!
//! The same charts every time. `PROPTEST_RNG_SEED=7 PROPTEST_CASES=200000` tries others, and more.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "these are tests"
)]

#[path = "common/judge.rs"]
mod judge;

mod grammar;

use std::cell::Cell;

use grammar::templates::Template;
use judge::{Data, Verdict, Wanted};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// How many of a hundred valid charts must be edited or complete: a program that refuses all that
/// is unusual would be right every time.
const DONE: usize = 60;

/// Tries `cases` charts, if nothing else is asked for by the environment.
fn runner(cases: u32) -> TestRunner {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
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

    /// Asserts that most were edited, and that there were some of every kind.
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
    let outcome = runner(1500).run(&strategy, |(text, wanted)| {
        let verdict = judge::judge_values(&wanted, &text).map_err(TestCaseError::fail)?;
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
    let outcome = runner(1500).run(strategy, |Template { old, new }| {
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
