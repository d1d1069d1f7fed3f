//! A plan for programs. `plan.schema.json` beside this file describes it; `version` grows where
//! something in here changes its meaning or goes away, not where something is added.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::review::{self, Lines, Names, Review, ShapeUses, Use};
use crate::chart::Role;
use crate::diff;
use crate::error::{Place, Refusal};
use crate::finding::{Finding, Level};
use crate::plan::{ChartPlan, Counts, FileChange, Outcome};
use crate::rules::Rule;

/// Of what is written here; see above.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'p> {
    version: u32,
    program: Program,
    summary: Summary,
    shapes: Vec<Shape<'p>>,
    expectations: Vec<Expectation>,
    charts: Vec<Chart<'p>>,
}

/// Who wrote a report.
#[derive(Serialize)]
pub(super) struct Program {
    name: &'static str,
    version: &'static str,
}

impl Program {
    /// This program.
    pub(super) const THIS: Program =
        Program { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

#[derive(Serialize)]
struct Summary {
    changed: usize,
    complete: usize,
    refused: usize,
    left_alone: usize,
    files: usize,
    lines_added: usize,
    lines_removed: usize,
}

#[derive(Serialize)]
struct Shape<'p> {
    id: String,
    rule: &'p str,
    action: &'p str,
    target: &'p str,
    text: &'p str,
    parameters: BTreeMap<&'p str, Option<String>>,
    uses: Vec<ShapeUse<'p>>,
}

#[derive(Serialize)]
struct ShapeUse<'p> {
    chart: String,
    file: String,
    parameters: &'p BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Expectation {
    rule: &'static str,
    get: usize,
    missing: Vec<Missing>,
}

#[derive(Serialize)]
struct Missing {
    chart: String,
    because: &'static str,
}

#[derive(Serialize)]
struct Chart<'p> {
    name: &'p str,
    path: String,
    role: &'static str,
    outcome: &'static str,
    /// Why it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    rules: BTreeMap<&'static str, &'static str>,
    files: Vec<File>,
    refusals: Vec<Issue>,
    findings: Vec<Issue>,
}

#[derive(Serialize)]
struct File {
    path: String,
    action: &'static str,
    shapes: Vec<String>,
    diff: String,
}

/// A refusal or a finding.
#[derive(Serialize)]
pub(super) struct Issue {
    id: &'static str,
    level: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: String,
    fix: String,
    /// Whether `apply` mends it.
    planned: bool,
}

/// Writes the plan that is in `review`.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, review: &Review<'_>) -> io::Result<()> {
    let names = review.names();
    let Counts { changed, complete, refused, left_alone, files } = review.counts;
    let Lines { added, removed } = review.lines;
    let report = Report {
        version: VERSION,
        program: Program::THIS,
        summary: Summary {
            changed,
            complete,
            refused,
            left_alone,
            files,
            lines_added: added,
            lines_removed: removed,
        },
        shapes: review.shapes.iter().map(|group| shape(group, &names)).collect(),
        expectations: review.expectations.iter().map(|expectation| expected(expectation, &names)).collect(),
        charts: review.plan.charts.iter().map(|plan| chart(plan, &review.rules)).collect(),
    };
    write_pretty(out, &report)
}

/// Writes `value` as JSON that people can read, too.
pub(super) fn write_pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn shape<'p>(group: &ShapeUses<'p>, names: &Names) -> Shape<'p> {
    let one = |usage: &Use<'p>| ShapeUse {
        chart: names.of(usage.chart),
        file: path(&usage.file.path),
        parameters: &usage.part.parameters,
    };
    Shape {
        id: group.shape.id(),
        rule: group.shape.rule,
        action: group.shape.action.name(),
        target: &group.shape.target,
        text: &group.shape.text,
        parameters: group.parameters(),
        uses: group.uses.iter().map(one).collect(),
    }
}

fn expected(expectation: &review::Expectation<'_>, names: &Names) -> Expectation {
    let one =
        |missing: review::Missing, chart| Missing { chart: names.of(chart), because: missing.because(true) };
    let missing = expectation
        .missing
        .iter()
        .flat_map(|(missing, charts)| charts.iter().map(move |chart| one(*missing, chart)));
    Expectation { rule: expectation.rule, get: expectation.get, missing: missing.collect() }
}

fn chart<'p>(plan: &'p ChartPlan, rules: &[&dyn Rule]) -> Chart<'p> {
    let (outcome, reason, refusals) = match &plan.outcome {
        Outcome::LeftAlone(reason) => ("left-alone", Some(*reason), &[][..]),
        Outcome::Complete => ("complete", None, &[][..]),
        Outcome::Change(_) => ("change", None, &[][..]),
        Outcome::Refused(refusals) => ("refused", None, refusals.as_slice()),
    };
    let rules = rules.iter().filter(|rule| rule.role() == plan.role);
    Chart {
        name: &plan.name,
        path: path(&plan.path),
        role: match plan.role {
            Role::Application => "application",
            Role::Toolkit => "toolkit",
            Role::Documentation => "documentation",
        },
        outcome,
        reason,
        rules: rules.map(|rule| (rule.name(), review::state(plan, *rule).word())).collect(),
        files: plan.files().iter().map(file).collect(),
        refusals: refusals.iter().map(Issue::of_refusal).collect(),
        findings: plan.findings.iter().map(Issue::of_finding).collect(),
    }
}

fn file(change: &FileChange) -> File {
    File {
        path: path(&change.path),
        action: if change.old.is_none() { "create" } else { "edit" },
        shapes: change.parts.iter().map(|part| part.shape.id()).collect(),
        diff: diff::text(change),
    }
}

impl Issue {
    fn of_finding(finding: &Finding) -> Self {
        let Finding { id, level, place, what, fix, is_planned, .. } = finding;
        Issue::new(id.id(), *level, place, what, fix, *is_planned)
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        Issue::new(refusal.reason.id(), Level::Error, &refusal.place, &refusal.what, &refusal.advice, false)
    }

    /// Something that is wrong; see the fields.
    pub(super) fn new(
        id: &'static str,
        level: Level,
        place: &Place,
        what: &str,
        fix: &str,
        planned: bool,
    ) -> Self {
        let (line, column) = place.position.map(|position| (position.line, position.column)).unzip();
        Issue {
            id,
            level: level.word(),
            path: path(&place.path),
            line,
            column,
            message: what.to_owned(),
            fix: fix.to_owned(),
            planned,
        }
    }
}

/// A path as programs take it; `.` for the folder that all are relative to. What is not UTF-8 in it is
/// lost, since JSON has no way to say it.
pub(super) fn path(path: &std::path::Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() { ".".to_owned() } else { text.into_owned() }
}
