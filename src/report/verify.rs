//! What came out of `verify`: the report, for people and for programs, the summary, and a progress bar
//! meanwhile.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::json::{self, finding_json, program, write_pretty};
use super::style::{Detail, ERROR, NOTE};
use super::summary::{write_left_alone, write_refusals};
use crate::finding::Finding;
use crate::plan::Plan;
use crate::text::{amount, printable, shown};
use crate::verify::{Fault, Report, Verdict, Verified};

const GOOD: Style = AnsiColor::Green.on_default().bold();

/// The version of the report for programs: it changes where something goes or means something else.
const VERSION: u32 = 2;

/// How many faults of a chart people are told of.
const MOST_FAULTS: usize = 12;

/// How many charts came out in which way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// All is as it should be.
    pub(crate) proven: usize,
    /// Something is not.
    pub(crate) faulty: usize,
    /// Could not be verified.
    pub(crate) not_verified: usize,
    /// Nothing for this program to do.
    pub(crate) left_alone: usize,
}

impl Counts {
    /// Those of a report.
    pub(crate) fn of(report: &Report) -> Self {
        let mut counts = Counts::default();
        for chart in &report.charts {
            *match chart.verdict {
                Verdict::Proven { .. } => &mut counts.proven,
                Verdict::Faulty(_) => &mut counts.faulty,
                Verdict::NotVerified(_) => &mut counts.not_verified,
                Verdict::LeftAlone(_) => &mut counts.left_alone,
            } += 1;
        }
        counts
    }
}

/// A bar that counts `charts` on standard error, if that is a terminal.
pub(crate) fn progress(charts: usize, is_wanted: bool) -> ProgressBar {
    let target = if is_wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(charts as u64), target);
    let style = ProgressStyle::with_template("verifying {bar:40} {pos} of {len} charts, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Writes the report for people.
pub(crate) fn write_text(out: &mut dyn Write, report: &Report, is_coloured: bool) -> io::Result<()> {
    let palette =
        if is_coloured { Palette { good: GOOD, bad: ERROR, note: NOTE } } else { Palette::default() };
    report.charts.iter().try_for_each(|chart| write_chart(out, chart, palette))
}

/// Writes the report for programs; `verify.schema.json` beside this file describes it.
pub(crate) fn write_json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let charts: Vec<_> = report.charts.iter().map(as_json).collect();
    let counts = Counts::of(report);
    let report = json!({
        "version": VERSION,
        "program": program(),
        "charts": charts,
        "counts": {
            "proven": counts.proven,
            "faulty": counts.faulty,
            "not_verified": counts.not_verified,
            "left_alone": counts.left_alone,
        },
        "renders": report.renders,
    });
    write_pretty(out, &report)
}

/// The colours of the report.
#[derive(Clone, Copy, Default)]
struct Palette {
    good: Style,
    bad: Style,
    note: Style,
}

fn write_chart(out: &mut dyn Write, chart: &Verified, palette: Palette) -> io::Result<()> {
    let Palette { good, bad, note } = palette;
    let path = shown(&chart.path);
    match &chart.verdict {
        Verdict::Proven { counts, is_planned } => writeln!(
            out,
            "{path}: {good}proven{good:#} {} ({}, {})",
            if *is_planned { "as planned" } else { "as it is" },
            amount(counts.pods, "pod"),
            amount(counts.accounts, "ServiceAccount")
        )?,
        Verdict::Faulty(faults) => {
            writeln!(out, "{path}: {bad}{}{bad:#}", amount(faults.len(), "fault"))?;
            let findings: Vec<Finding> = faults.iter().map(|fault| fault.finding(&chart.path)).collect();
            for Finding { location, id, what, .. } in findings.iter().take(MOST_FAULTS) {
                writeln!(out, "  {location}: {bad}error[{id}]{bad:#}: {}", printable(what))?;
            }
            if let Some(more) = faults.len().checked_sub(MOST_FAULTS).filter(|more| *more > 0) {
                writeln!(out, "  and {more} more; --format json has them all")?;
            }
            let fixes: BTreeSet<_> = findings.iter().map(|finding| (finding.id, &finding.fix)).collect();
            for (id, fix) in fixes {
                writeln!(out, "  {note}fix[{id}]{note:#}: {fix}")?;
            }
        }
        Verdict::NotVerified(why) => {
            writeln!(out, "{path}: {bad}not verified{bad:#}: {}", printable(why))?;
        }
        // The summary names them together.
        Verdict::LeftAlone(_) => {}
    }
    for text in &chart.notes {
        writeln!(out, "  {note}note{note:#}: {}", printable(text))?;
    }
    Ok(())
}

/// Writes the summary.
pub(crate) fn write_summary(
    out: &mut dyn Write,
    plan: &Plan,
    report: &Report,
    detail: Detail,
) -> io::Result<()> {
    write_refusals(out, plan)?;
    let counts = Counts::of(report);
    if detail >= Detail::Normal {
        write_left_alone(out, plan)?;
        writeln!(
            out,
            "{} proven, {} faulty, {} not verified, {} left alone ({} of Helm)",
            amount(counts.proven, "chart"),
            counts.faulty,
            counts.not_verified,
            counts.left_alone,
            amount(report.renders, "call"),
        )?;
    }
    if counts.proven + counts.faulty + counts.not_verified == 0 {
        writeln!(
            out,
            "{ERROR}error{ERROR:#}: nothing was verified: none of these charts is to be changed; name other ones, and look at --include and --exclude"
        )?;
    }
    Ok(())
}

fn as_json(chart: &Verified) -> Value {
    let (verdict, reason) = match &chart.verdict {
        Verdict::Proven { .. } => ("proven", None),
        Verdict::Faulty(_) => ("faulty", None),
        Verdict::NotVerified(why) => ("not-verified", Some(why.as_str())),
        Verdict::LeftAlone(reason) => ("left-alone", Some(*reason)),
    };
    let (counts, is_planned) = match &chart.verdict {
        Verdict::Proven { counts, is_planned } => (Some(counts), Some(is_planned)),
        _ => (None, None),
    };
    let faults = if let Verdict::Faulty(faults) = &chart.verdict { faults.as_slice() } else { &[] };
    let faults: Vec<_> = faults.iter().map(|fault| fault_as_json(chart, fault)).collect();
    json!({
        "path": json::path(&chart.path),
        "name": chart.name,
        "verdict": verdict,
        "reason": reason,
        "as_planned": is_planned,
        "pods": counts.map(|counts| counts.pods),
        "service_accounts": counts.map(|counts| counts.accounts),
        "faults": faults,
        "notes": chart.notes,
    })
}

fn fault_as_json(chart: &Verified, fault: &Fault) -> Value {
    let mut object = finding_json(&fault.finding(&chart.path));
    object.insert("render".to_owned(), json!(fault.render.id()));
    object.insert("object".to_owned(), json!(fault.object));
    object.insert("place".to_owned(), json!(fault.path));
    object.insert("before".to_owned(), json!(fault.before));
    object.insert("after".to_owned(), json!(fault.after));
    object.insert("what".to_owned(), json!(fault.what));
    Value::Object(object)
}
