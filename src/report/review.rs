//! A plan as a reviewer reads it: each edit once, with the charts that get it; what all charts
//! should get, and which do not and why; and what is out of the ordinary. The formats for people
//! and programs all show this.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{self, Hunk, Sign};
use crate::edit;
use crate::error::{printable, shown};
use crate::finding::Finding;
use crate::plan::{ChartPlan, Counts, FileChange, Outcome, Part, Plan};
use crate::rules::{RULES, Rule};
use crate::shape::Shape;

/// A plan, grouped.
pub struct Review<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The rules that were at work.
    pub rules: Vec<&'static dyn Rule>,
    /// The edits that differ, in the order of the rules, the most frequent first.
    pub shapes: Vec<ShapeUses<'p>>,
    /// What every chart should get.
    pub expectations: Vec<Expectation<'p>>,
    /// How many charts come to what.
    pub counts: Counts,
    /// How many lines the diff has.
    pub lines: Lines,
}

/// A shape, and where it is used.
#[derive(Debug)]
pub struct ShapeUses<'p> {
    /// What is done.
    pub shape: &'p Shape,
    /// The charts that get it, sorted by path; at least one. A chart can get it several times.
    pub uses: Vec<Use<'p>>,
    /// The use that is shown in full.
    pub example: Example<'p>,
}

/// One use of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Use<'p> {
    /// The chart.
    pub chart: &'p ChartPlan,
    /// The file.
    pub file: &'p FileChange,
    /// What is done to it.
    pub part: &'p Part,
}

/// A use of a shape in full: a file with this edit and no other.
#[derive(Debug)]
pub struct Example<'p> {
    /// The file.
    pub file: &'p FileChange,
    /// What it is with this edit alone.
    pub new: String,
}

/// What all charts of a kind should have of one rule.
#[derive(Debug)]
pub struct Expectation<'p> {
    /// The rule's name.
    pub rule: &'static str,
    /// The charts that get it.
    pub get: usize,
    /// The charts that do not, and why.
    pub missing: BTreeMap<Missing, Vec<&'p ChartPlan>>,
}

/// Why a chart does not get what a rule gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// It has that already.
    HasIt,
    /// It has something else in its place, which somebody has to look at.
    ByHand,
    /// It is refused.
    Refused,
}

impl Missing {
    /// As it stands behind the charts' names.
    #[must_use]
    pub fn because(self, is_one: bool) -> &'static str {
        match (self, is_one) {
            (Missing::HasIt, true) => "has it already",
            (Missing::HasIt, false) => "have it already",
            (Missing::ByHand, true) => "has something else in its place",
            (Missing::ByHand, false) => "have something else in its place",
            (Missing::Refused, true) => "is refused",
            (Missing::Refused, false) => "are refused",
        }
    }
}

/// What becomes of a chart by one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has what the rule gives, or needs nothing of it.
    Done,
    /// The plan gives it.
    ToDo,
    /// Somebody has to look at it.
    ByHand,
    /// The chart is refused.
    Refused,
    /// The chart is left alone.
    Skipped,
    /// The rule is not for such charts.
    NotForIt,
}

impl State {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::ToDo => "to do",
            State::ByHand => "by hand",
            State::Refused => "refused",
            State::Skipped => "skipped",
            State::NotForIt => "not for it",
        }
    }
}

/// How many lines the diff of a plan has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Those that it adds.
    pub added: usize,
    /// Those that it takes away.
    pub removed: usize,
}

impl<'p> Review<'p> {
    /// Groups what is in `plan`.
    #[must_use]
    pub fn of(plan: &'p Plan) -> Self {
        let mut by_shape: BTreeMap<&Shape, Vec<Use<'p>>> = BTreeMap::new();
        for chart in &plan.charts {
            for file in chart.files() {
                for part in &file.parts {
                    by_shape.entry(&part.shape).or_default().push(Use { chart, file, part });
                }
            }
        }
        let mut shapes: Vec<ShapeUses<'p>> = by_shape
            .into_iter()
            .filter_map(|(shape, uses)| Some(ShapeUses { shape, example: example(&uses)?, uses }))
            .collect();
        // What no rule makes, such as a page of documentation, comes last.
        let order = |rule: &str| RULES.iter().position(|other| other.name() == rule).unwrap_or(RULES.len());
        shapes.sort_by_key(|group| (order(group.shape.rule), usize::MAX - group.uses.len()));
        let is_used = |rule: &&&dyn Rule| {
            !rule.is_optional() || shapes.iter().any(|group| group.shape.rule == rule.name())
        };
        let rules = RULES.iter().filter(is_used).copied().collect();
        let expectations = RULES.iter().filter(|rule| rule.is_for_all()).map(|rule| expectation(plan, *rule));
        let expectations = expectations.collect();
        Review { plan, rules, shapes, expectations, counts: plan.counts(), lines: Lines::of(plan) }
    }

    /// What a reviewer should not take for the ordinary: what the plan leaves to people, and where it
    /// changes a line that was there.
    pub fn exceptions(&self) -> impl Iterator<Item = &'p Finding> {
        self.plan.left_to_people()
    }

    /// What charts are called here: by their names, unless two have the same.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut seen = BTreeSet::new();
        Names {
            twice: self
                .plan
                .charts
                .iter()
                .filter(|chart| !seen.insert(&chart.name))
                .map(|chart| chart.name.clone())
                .collect(),
        }
    }
}

/// Which names do not say which chart is meant.
#[derive(Clone, Debug)]
pub struct Names {
    twice: BTreeSet<String>,
}

impl Names {
    /// What `chart` is called: its name, or its folder where another has the same name.
    #[must_use]
    pub fn of(&self, chart: &ChartPlan) -> String {
        if self.twice.contains(&chart.name) {
            shown(&chart.path)
        } else {
            printable(&chart.name).into_owned()
        }
    }
}

impl Example<'_> {
    /// What changes.
    #[must_use]
    pub fn hunks(&self) -> Vec<Hunk<'_>> {
        diff::hunks_of(self.file.old.as_deref().unwrap_or_default(), &self.new)
    }
}

impl<'p> ShapeUses<'p> {
    /// The charts that get it, each once.
    #[must_use]
    pub fn charts(&self) -> Vec<&'p ChartPlan> {
        let mut charts: Vec<&ChartPlan> = self.uses.iter().map(|usage| usage.chart).collect();
        charts.dedup_by_key(|chart| &chart.path);
        charts
    }

    /// What the names of parameters in the shape stand for: a text, in which `CHART` is the chart's name, or
    /// `None` where no such text is right for all uses; then [`Use`] has each.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<&'static str, Option<String>> {
        let mut possible: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for Use { chart, part, .. } in &self.uses {
            for (name, text) in &part.parameters {
                let patterns = patterns(text, &chart.name);
                let known = possible.entry(name).or_insert_with(|| patterns.clone());
                known.retain(|pattern| patterns.contains(pattern));
            }
        }
        let most_general = |patterns: BTreeSet<String>| {
            patterns.into_iter().max_by_key(|pattern| pattern.matches(CHART).count())
        };
        possible.into_iter().map(|(name, patterns)| (name, most_general(patterns))).collect()
    }
}

/// What stands for the chart's name.
const CHART: &str = "CHART";

/// All ways to write `text` with or without [`CHART`] for the chart's name, which may stand in it several
/// times, and by chance: the chart `registry` has the Secret `registry-oci-image-registry-key`.
fn patterns(text: &str, chart: &str) -> BTreeSet<String> {
    let hits = text.match_indices(chart);
    let one = hits.filter_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + chart.len()..)?);
        Some(format!("{before}{CHART}{after}"))
    });
    one.chain([text.to_owned(), text.replace(chart, CHART)]).collect()
}

/// The first of `uses` in full.
fn example<'p>(uses: &[Use<'p>]) -> Option<Example<'p>> {
    let Use { file, part, .. } = *uses.first()?;
    let old = file.old.as_deref().unwrap_or_default();
    // These edits were proven together with the others; there is nothing for them to collide with.
    let new = edit::apply(old, &part.edits).unwrap_or_else(|_| file.new_text());
    Some(Example { file, new })
}

fn expectation<'p>(plan: &'p Plan, rule: &dyn Rule) -> Expectation<'p> {
    let mut expectation = Expectation { rule: rule.name(), get: 0, missing: BTreeMap::new() };
    for chart in &plan.charts {
        let missing = match state(chart, rule) {
            State::ToDo => {
                expectation.get += 1;
                continue;
            }
            State::Done => Missing::HasIt,
            State::ByHand => Missing::ByHand,
            State::Refused => Missing::Refused,
            State::Skipped | State::NotForIt => continue,
        };
        expectation.missing.entry(missing).or_default().push(chart);
    }
    expectation
}

/// What becomes of `chart` by `rule`.
#[must_use]
pub fn state(chart: &ChartPlan, rule: &dyn Rule) -> State {
    let name = rule.name();
    let has_part = |file: &FileChange| file.parts.iter().any(|part| part.shape.rule == name);
    let is_open = |finding: &Finding| {
        finding.rule == Some(name) && !finding.is_planned && !finding.id.is_about_the_change()
    };
    match &chart.outcome {
        Outcome::LeftAlone(_) => State::Skipped,
        _ if chart.role != rule.role() => State::NotForIt,
        Outcome::Refused(_) => State::Refused,
        Outcome::Change(_) if chart.files().iter().any(has_part) => State::ToDo,
        _ if chart.findings.iter().any(is_open) => State::ByHand,
        _ => State::Done,
    }
}

impl Lines {
    /// Counts those of `plan`.
    fn of(plan: &Plan) -> Self {
        let mut lines = Lines::default();
        for file in plan.files() {
            let new = file.new_text();
            let hunks = diff::hunks_of(file.old.as_deref().unwrap_or_default(), &new);
            for line in hunks.into_iter().flat_map(|hunk| hunk.lines) {
                match line.sign {
                    Sign::Added => lines.added += 1,
                    Sign::Removed => lines.removed += 1,
                    Sign::Kept => {}
                }
            }
        }
        lines
    }
}
