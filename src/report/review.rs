//! A plan as a reviewer reads it: each edit once, with the charts that get it; what all charts
//! should get, and which do not and why; and what is out of the ordinary. The formats for people
//! and programs all show this.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{FileChange, Part, Shape};
use crate::diff::{self, Hunk, Sign};
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::plan::{ChartPlan, Outcome, Plan, Totals};
use crate::rules::{RULES, Rule};
use crate::text::{printable, shown};

/// A plan, grouped.
pub(crate) struct Review<'p> {
    pub(crate) plan: &'p Plan,
    /// The edits that differ, in the order of the rules, the most frequent first.
    pub(crate) shapes: Vec<ShapeUses<'p>>,
    /// What every chart should get.
    pub(crate) expectations: Vec<Expectation<'p>>,
    pub(crate) totals: Totals,
    pub(crate) lines: LineTotals,
}

/// A shape, and where it is used.
pub(crate) struct ShapeUses<'p> {
    pub(crate) shape: &'p Shape,
    /// Sorted by path; at least one. A chart can get a shape several times.
    pub(crate) uses: Vec<Use<'p>>,
    /// The use that is shown in full: a file with this edit and no other.
    pub(crate) example: &'p FileChange,
    example_text: String,
}

#[derive(Clone, Copy)]
pub(crate) struct Use<'p> {
    /// `None` for a change of the checkout itself.
    pub(crate) chart: Option<&'p ChartPlan>,
    pub(crate) file: &'p FileChange,
    pub(crate) part: &'p Part,
}

/// What all charts of a kind should have of one rule.
pub(crate) struct Expectation<'p> {
    pub(crate) rule: &'static str,
    /// How many charts get it.
    pub(crate) get: usize,
    /// The charts that do not.
    pub(crate) missing: BTreeMap<Missing, Vec<&'p ChartPlan>>,
}

/// Why a chart does not get what a rule gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Missing {
    HasIt,
    /// It has something else in its place, which somebody has to look at.
    ByHand,
    Refused,
}

impl Missing {
    /// The reason, as it stands behind the charts' names.
    pub(crate) fn because(self, is_one: bool) -> &'static str {
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
pub(crate) enum Status {
    /// It has what the rule gives, or needs nothing of it.
    Done,
    /// The plan gives it.
    ToDo,
    /// Somebody has to look at it.
    ByHand,
    Refused,
    /// The chart is left alone.
    Skipped,
    /// The rule is not for such charts.
    NotForIt,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Done => "done",
            Status::ToDo => "to do",
            Status::ByHand => "by hand",
            Status::Refused => "refused",
            Status::Skipped => "skipped",
            Status::NotForIt => "not for it",
        }
    }
}

/// How many lines the diff adds and removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineTotals {
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

impl<'p> Review<'p> {
    /// Groups what is in `plan`.
    ///
    /// # Errors
    /// [`Error::Defect`] where an edit of the plan cannot be made alone.
    pub(crate) fn new(plan: &'p Plan) -> Result<Self, Error> {
        let of_charts =
            plan.charts.iter().flat_map(|chart| chart.files.iter().map(move |file| (Some(chart), file)));
        let of_checkout = plan.checkout.files.iter().map(|file| (None, file));
        let mut by_shape: BTreeMap<&Shape, Vec<Use<'p>>> = BTreeMap::new();
        for (chart, file) in of_charts.chain(of_checkout) {
            for part in &file.parts {
                by_shape.entry(&part.shape).or_default().push(Use { chart, file, part });
            }
        }
        let groups = by_shape.into_iter().filter_map(|(shape, uses)| {
            let Use { file, part, .. } = *uses.first()?;
            let text = file.with_only(part).map_err(|conflict| Error::Defect(conflict.to_string()));
            Some(text.map(|example_text| ShapeUses { shape, uses, example: file, example_text }))
        });
        let mut shapes = groups.collect::<Result<Vec<_>, Error>>()?;
        // What no rule makes, such as a page of documentation, comes last.
        let order = |name: &str| RULES.iter().position(|rule| rule.name == name).unwrap_or(RULES.len());
        shapes.sort_by_key(|group| (order(group.shape.rule), usize::MAX - group.uses.len()));
        let required = RULES.iter().filter(|rule| rule.is_required);
        let expectations = required.map(|rule| Expectation::new(plan, rule)).collect();
        Ok(Review { plan, shapes, expectations, totals: plan.totals(), lines: LineTotals::new(plan) })
    }

    /// What charts are called here: by their names, unless two have the same.
    pub(crate) fn names(&self) -> Names {
        let mut seen = BTreeSet::new();
        let charts = self.plan.charts.iter();
        let twice = charts.filter(|chart| !seen.insert(&chart.name)).map(|chart| chart.name.clone());
        Names { twice: twice.collect() }
    }
}

/// Which names do not say which chart is meant.
pub(crate) struct Names {
    twice: BTreeSet<String>,
}

impl Names {
    /// The chart's name, or its folder where another has the same name.
    pub(crate) fn of(&self, chart: &ChartPlan) -> String {
        if self.twice.contains(&chart.name) {
            shown(&chart.path)
        } else {
            printable(&chart.name).into_owned()
        }
    }

    pub(crate) fn of_use(&self, used: &Use<'_>) -> String {
        used.chart.map_or_else(|| used.part.shape.rule.to_owned(), |chart| self.of(chart))
    }
}

impl<'p> ShapeUses<'p> {
    /// The hunks of the example.
    pub(crate) fn hunks(&self) -> Vec<Hunk<'_>> {
        diff::hunks(self.example.old_text(), &self.example_text)
    }

    /// The charts that get it, each once.
    pub(crate) fn charts(&self) -> Vec<&'p ChartPlan> {
        let mut charts: Vec<&ChartPlan> = self.uses.iter().filter_map(|used| used.chart).collect();
        charts.dedup_by_key(|chart| &chart.path);
        charts
    }

    /// What the placeholders in the shape stand for: a text, in which `CHART` is the chart's name, or
    /// `None` where no such text is right for all uses; then [`Use`] has each.
    pub(crate) fn placeholders(&self) -> BTreeMap<&'static str, Option<String>> {
        let mut possible: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for Use { chart, part, .. } in &self.uses {
            let chart = chart.map_or("", |chart| &chart.name);
            for (name, text) in &part.placeholders {
                let patterns = patterns(text, chart);
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

/// Stands for the chart's name.
const CHART: &str = "CHART";

/// All ways to write `text` with or without [`CHART`] for the chart's name, which may stand in it several
/// times, and by chance: the chart `registry` has the Secret `registry-oci-image-registry-key`.
fn patterns(text: &str, chart: &str) -> BTreeSet<String> {
    if chart.is_empty() {
        return BTreeSet::from([text.to_owned()]);
    }
    let hits = text.match_indices(chart);
    let one = hits.filter_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + chart.len()..)?);
        Some(format!("{before}{CHART}{after}"))
    });
    one.chain([text.to_owned(), text.replace(chart, CHART)]).collect()
}

impl<'p> Expectation<'p> {
    fn new(plan: &'p Plan, rule: &Rule) -> Self {
        let mut expectation = Expectation { rule: rule.name, get: 0, missing: BTreeMap::new() };
        for chart in &plan.charts {
            let missing = match status(chart, rule) {
                Status::ToDo => {
                    expectation.get += 1;
                    continue;
                }
                Status::Done => Missing::HasIt,
                Status::ByHand => Missing::ByHand,
                Status::Refused => Missing::Refused,
                Status::Skipped | Status::NotForIt => continue,
            };
            expectation.missing.entry(missing).or_default().push(chart);
        }
        expectation
    }

    /// How many charts do not get it.
    pub(crate) fn count_missing(&self) -> usize {
        self.missing.values().map(Vec::len).sum()
    }
}

/// What becomes of `chart` by `rule`.
pub(crate) fn status(chart: &ChartPlan, rule: &Rule) -> Status {
    let has_part = |file: &FileChange| file.parts.iter().any(|part| part.shape.rule == rule.name);
    let is_open = |finding: &Finding| {
        finding.rule == Some(rule.name)
            && !finding.is_planned
            && finding.severity != Severity::Refused
            && !finding.id.is_about_the_change()
    };
    match chart.outcome() {
        Outcome::LeftAlone(_) => Status::Skipped,
        _ if chart.role != rule.role => Status::NotForIt,
        Outcome::Refused => Status::Refused,
        Outcome::Changed if chart.files.iter().any(has_part) => Status::ToDo,
        _ if chart.findings.iter().any(is_open) => Status::ByHand,
        _ => Status::Done,
    }
}

impl LineTotals {
    fn new(plan: &Plan) -> Self {
        let mut lines = LineTotals::default();
        for file in plan.files() {
            for line in diff::hunks(file.old_text(), &file.new).into_iter().flat_map(|hunk| hunk.lines) {
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
