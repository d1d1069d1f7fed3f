//! A plan for programs. `plan.schema.json` beside this file describes it; `version` grows where
//! something in here changes its meaning or goes away, not where something is added.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::review::{self, Expectation, Names, Review, ShapeUses};
use crate::change::FileChange;
use crate::chart_plan::{ChartPlan, Outcome};
use crate::diff;
use crate::finding::{Finding, Severity};
use crate::metadata::Role;
use crate::plan::{Plan, Totals};
use crate::rules::RULES;
use crate::text::is_hidden;

const VERSION: u32 = 2;

pub(crate) fn write(out: &mut dyn Write, review: &Review<'_>) -> io::Result<()> {
    let names = review.names();
    let Totals { changed, complete, incomplete, refused, left_alone, files } = review.totals;
    let plan = review.plan;
    let shapes: Vec<Value> = review.shapes.iter().map(|group| shape_json(group, &names)).collect();
    let expectations = review.expectations.iter().map(|expectation| expectation_json(expectation, &names));
    let charts: Vec<Value> = plan.charts.iter().map(|chart| chart_json(plan, chart)).collect();
    write_pretty(
        out,
        &json!({
            "version": VERSION,
            "program": program(),
            "summary": {
                "changed": changed,
                "complete": complete,
                "incomplete": incomplete,
                "refused": refused,
                "left_alone": left_alone,
                "files": files,
                "lines_added": review.added,
                "lines_removed": review.removed,
            },
            "shapes": shapes,
            "expectations": expectations.collect::<Vec<_>>(),
            "charts": charts,
            "checkout": files_and_findings(plan, &plan.checkout.files, &plan.checkout.findings),
        }),
    )
}

/// Which program wrote a report.
pub(crate) fn program() -> Value {
    json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")})
}

/// Writes `value` as JSON that people can read, too. What is not seen is escaped, so that programs get it back.
pub(crate) fn write_pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    // Between texts, which have it escaped, a line break is layout.
    let is_text = |c: char| c != '\n' && is_hidden(c);
    for part in serde_json::to_string_pretty(value)?.split_inclusive(is_text) {
        let seen = part.trim_end_matches(is_text);
        out.write_all(seen.as_bytes())?;
        for unit in part.get(seen.len()..).unwrap_or_default().encode_utf16() {
            write!(out, "\\u{unit:04x}")?;
        }
    }
    writeln!(out)
}

fn shape_json(group: &ShapeUses<'_>, names: &Names) -> Value {
    let uses = group.uses.iter().map(|used| {
        let placeholders = &used.part.placeholders;
        let parameters: BTreeMap<_, _> = placeholders.iter().map(|(name, it)| (name, &it.text)).collect();
        json!({
            "chart": names.of_use(used),
            "file": path(&used.file.path),
            "parameters": parameters,
        })
    });
    json!({
        "id": group.shape.id(),
        "rule": group.shape.rule,
        "action": group.shape.operation.name(),
        "target": group.shape.target,
        "text": group.shape.text,
        "parameters": group.placeholders(),
        "uses": uses.collect::<Vec<_>>(),
    })
}

fn expectation_json(expectation: &Expectation<'_>, names: &Names) -> Value {
    let missing = expectation.missing.iter().flat_map(|(missing, charts)| {
        charts.iter().map(move |chart| json!({"chart": names.of(chart), "because": missing.because(true)}))
    });
    json!({
        "rule": expectation.rule,
        "get": expectation.get,
        "missing": missing.collect::<Vec<_>>(),
    })
}

fn chart_json(plan: &Plan, chart: &ChartPlan) -> Value {
    let (outcome, reason) = match chart.outcome() {
        Outcome::LeftAlone(reason) => ("left-alone", Some(reason)),
        Outcome::Complete => ("complete", None),
        Outcome::Incomplete => ("incomplete", None),
        Outcome::Changed => ("change", None),
        Outcome::Refused => ("refused", None),
    };
    let role = match chart.role {
        Role::Application => "application",
        Role::Toolkit => "toolkit",
    };
    let rules = RULES.iter().filter(|rule| rule.role == chart.role);
    let rules: Map<String, Value> =
        rules.map(|rule| (rule.name.to_owned(), json!(review::status(chart, rule).word()))).collect();
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(chart.name));
    object.insert("path".to_owned(), json!(path(&chart.path)));
    object.insert("role".to_owned(), json!(role));
    object.insert("outcome".to_owned(), json!(outcome));
    object.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
    object.insert("rules".to_owned(), Value::Object(rules));
    object.extend(files_and_findings(plan, &chart.files, &chart.findings));
    Value::Object(object)
}

fn files_and_findings(plan: &Plan, files: &[FileChange], findings: &[Finding]) -> Map<String, Value> {
    let (refusals, findings): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.severity == Severity::Refused);
    let list = |findings: Vec<&Finding>| findings.into_iter().map(finding_json).collect::<Vec<_>>();
    let files: Vec<Value> = files.iter().map(|file| file_json(plan, file)).collect();
    Map::from_iter([
        ("files".to_owned(), json!(files)),
        ("refusals".to_owned(), json!(list(refusals))),
        ("findings".to_owned(), json!(list(findings))),
    ])
}

fn file_json(plan: &Plan, file: &FileChange) -> Value {
    let shapes: Vec<String> = file.parts.iter().map(|part| part.shape.id()).collect();
    json!({
        "path": path(&file.path),
        "action": if file.old.is_none() { "create" } else { "edit" },
        "shapes": shapes,
        "diff": diff::text(plan, file),
    })
}

pub(crate) fn finding_json(finding: &Finding) -> Map<String, Value> {
    let Finding { location, id, severity, what, fix, is_planned, .. } = finding;
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(id.as_str()));
    object.insert("level".to_owned(), json!(severity.level()));
    object.insert("path".to_owned(), json!(path(&location.path)));
    if let Some(position) = location.position {
        object.insert("line".to_owned(), json!(position.line));
        object.insert("column".to_owned(), json!(position.column));
    }
    object.insert("message".to_owned(), json!(what));
    object.insert("fix".to_owned(), json!(fix));
    object.insert("planned".to_owned(), json!(is_planned));
    object
}

/// A path as programs take it; `.` for the folder that all are relative to. What is not UTF-8 in it is
/// lost, since JSON has no way to say it.
pub(crate) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() { ".".to_owned() } else { text.into_owned() }
}
