//! A plan as a reviewer reads it: each edit once, with the charts that get it; what all charts
//! should get, and which do not and why; and what is out of the ordinary. The formats for people
//! and programs all show this.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{FileChange, Part, Shape};
use crate::chart_plan::{ChartPlan, Outcome};
use crate::diff::{self, Hunk, Sign};
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::plan::{Plan, Totals};
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
    /// How many lines the diff adds and removes.
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

/// A shape, and where it is used.
pub(crate) struct ShapeUses<'p> {
    pub(crate) shape: &'p Shape,
    /// Sorted by path; at least one. A chart can get a shape several times.
    pub(crate) uses: Vec<Use<'p>>,
    /// The uses that are shown in full: one, or all where what is around the edit matters.
    pub(crate) examples: Vec<Example<'p>>,
}

/// A file with one edit and no other.
pub(crate) struct Example<'p> {
    pub(crate) used: Use<'p>,
    text: String,
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
    /// The charts that do not, and how it stands with them.
    pub(crate) missing: BTreeMap<Status, Vec<&'p ChartPlan>>,
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

    /// Why a chart does not get what a rule gives, as it stands behind the charts' names.
    pub(crate) fn because(self, is_one: bool) -> &'static str {
        match (self, is_one) {
            (Status::ByHand, true) => "has something else in its place",
            (Status::ByHand, false) => "have something else in its place",
            (Status::Refused, true) => "is refused",
            (Status::Refused, false) => "are refused",
            (_, true) => "has it already",
            (_, false) => "have it already",
        }
    }
}

impl<'p> Review<'p> {
    /// Groups what is in `plan`.
    ///
    /// # Errors
    /// [`Error::Defect`] where an edit of the plan cannot be made alone.
    pub(crate) fn new(plan: &'p Plan) -> Result<Self, Error> {
        let mut by_shape: BTreeMap<&Shape, Vec<Use<'p>>> = BTreeMap::new();
        for (chart, file) in plan.files_of_charts() {
            for part in &file.parts {
                by_shape.entry(&part.shape).or_default().push(Use { chart, file, part });
            }
        }
        let groups = by_shape.into_iter().map(|(shape, uses)| {
            let shown =
                if shape.is_for_itself() { uses.as_slice() } else { uses.get(..1).unwrap_or_default() };
            let example = |used: &Use<'p>| {
                let text = used.file.with_only(used.part);
                let text = text.map_err(|conflict| Error::Defect(conflict.to_string()))?;
                Ok(Example { used: *used, text })
            };
            let examples = shown.iter().map(example).collect::<Result<_, Error>>()?;
            Ok(ShapeUses { shape, uses, examples })
        });
        let mut shapes = groups.collect::<Result<Vec<_>, Error>>()?;
        // What no rule makes, such as a page of documentation, comes last.
        let order = |name: &str| RULES.iter().position(|rule| rule.name == name).unwrap_or(RULES.len());
        shapes.sort_by_key(|group| (order(group.shape.rule), usize::MAX - group.uses.len()));
        let required = RULES.iter().filter(|rule| rule.is_required);
        let expectations = required.map(|rule| Expectation::new(plan, rule)).collect();
        let (mut added, mut removed) = (0, 0);
        for file in plan.files() {
            for line in diff::hunks(file.old_text(), &file.new).into_iter().flat_map(|hunk| hunk.lines) {
                added += usize::from(line.sign == Sign::Added);
                removed += usize::from(line.sign == Sign::Removed);
            }
        }
        Ok(Review { plan, shapes, expectations, totals: plan.totals(), added, removed })
    }

    /// What a reader should see first: how many findings the plan leaves to be done by hand, and how many are
    /// warnings.
    pub(crate) fn left(&self) -> (usize, usize) {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.plan.remaining().partition(|finding| finding.severity == Severity::Error);
        (errors.len(), warnings.len())
    }

    /// Whether all that happens to `file` is among the examples.
    pub(crate) fn shows(&self, file: &FileChange) -> bool {
        let examples = || self.shapes.iter().flat_map(|group| &group.examples);
        file.parts.iter().all(|part| examples().any(|example| std::ptr::eq(example.used.part, part)))
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

impl Example<'_> {
    pub(crate) fn hunks(&self) -> Vec<Hunk<'_>> {
        diff::hunks(self.used.file.old_text(), &self.text)
    }
}

impl<'p> ShapeUses<'p> {
    /// The charts that get it, each once.
    pub(crate) fn charts(&self) -> Vec<&'p ChartPlan> {
        let mut charts: Vec<&ChartPlan> = self.uses.iter().filter_map(|used| used.chart).collect();
        charts.dedup_by_key(|chart| &chart.path);
        charts
    }

    /// The pattern that the placeholders in the shape stand for, or `None` where it is not the same for all uses; then
    /// [`Use`] has each.
    pub(crate) fn placeholders(&self) -> BTreeMap<&'static str, Option<&'p str>> {
        let mut patterns = BTreeMap::new();
        for (name, filled) in self.uses.iter().flat_map(|used| &used.part.placeholders) {
            let pattern = patterns.entry(*name).or_insert(Some(filled.pattern.as_str()));
            *pattern = pattern.filter(|pattern| *pattern == filled.pattern);
        }
        patterns
    }
}

impl<'p> Expectation<'p> {
    fn new(plan: &'p Plan, rule: &Rule) -> Self {
        let mut expectation = Expectation { rule: rule.name, get: 0, missing: BTreeMap::new() };
        for chart in &plan.charts {
            match status(chart, rule) {
                Status::ToDo => expectation.get += 1,
                Status::Skipped | Status::NotForIt => {}
                missing => expectation.missing.entry(missing).or_default().push(chart),
            }
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

/// What a reader is to do about a finding.
pub(crate) fn call_to(severity: Severity) -> &'static str {
    match severity {
        Severity::Refused => "refused",
        Severity::Error => "by hand",
        Severity::Warning => "look at",
    }
}
