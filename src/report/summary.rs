//! The summary of a run, for the terminal: what was done, what was not and why.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};

use crate::chart::Role;
use crate::error::{printable, shown};
use crate::finding::{Finding, Level};
use crate::guard::Uncommitted;
use crate::plan::{ChartPlan, Counts, Outcome, Plan};

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Refusals only.
    Quiet,
    /// What a maintainer needs to know.
    Normal,
    /// What happens to each chart, too.
    Verbose,
}

/// What became of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was printed.
    Planned,
    /// It was written.
    Applied,
    /// It was not written, since a chart is refused.
    Withheld,
    /// It was not written, since git does not have these files as they are.
    Guarded(Vec<Uncommitted>),
    /// It says what is missing or wrong, which was printed.
    Checked {
        /// How many errors there are, refusals among them.
        errors: usize,
        /// How many warnings.
        warnings: usize,
    },
}

/// Writes the summary of `plan`, with colours; a stream that is to have none takes them out.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, plan: &Plan, deed: &Deed, detail: Detail) -> io::Result<()> {
    if detail >= Detail::Verbose {
        for chart in &plan.charts {
            writeln!(out, "{}", line(chart))?;
        }
    }
    // What `check` found is what it prints.
    if !matches!(deed, Deed::Checked { .. }) {
        if detail >= Detail::Normal {
            for finding in plan.left_to_people() {
                writeln!(out, "{WARNING}warning[{}]{WARNING:#}: {finding}", finding.id.id())?;
            }
        }
        for refusal in plan.refusals() {
            writeln!(out, "{ERROR}refused[{}]{ERROR:#}: {refusal}", refusal.reason.id())?;
        }
    }
    if let Deed::Guarded(uncommitted) = deed {
        for Uncommitted { path, what } in uncommitted {
            writeln!(out, "{ERROR}refused[uncommitted]{ERROR:#}: {}: {what}", shown(path))?;
        }
        writeln!(
            out,
            "nothing is written over what git does not have: commit or stash it, or say --allow-dirty; the diff shows what would change"
        )?;
    }
    if detail >= Detail::Normal {
        for remark in &plan.remarks {
            writeln!(out, "{NOTE}note{NOTE:#}: {}", printable(remark))?;
        }
        if detail < Detail::Verbose {
            write_left_alone(out, plan)?;
        }
        if plan.lacks_toolkit() {
            writeln!(
                out,
                "{NOTE}note{NOTE:#}: no helm-toolkit is among these charts: the one that they are built with must be migrated too (in OpenStack-Helm of 2018 to 2024 it is in openstack-helm-infra)"
            )?;
        }
        match deed {
            Deed::Checked { errors, warnings } => write_findings_count(out, plan, *errors, *warnings)?,
            _ => write_count(out, plan, deed)?,
        }
    }
    Ok(())
}

fn write_findings_count(out: &mut dyn Write, plan: &Plan, errors: usize, warnings: usize) -> io::Result<()> {
    let has_one = |chart: &&ChartPlan| {
        let is_error = |finding: &Finding| finding.level == Level::Error && !finding.id.is_about_the_change();
        matches!(chart.outcome, Outcome::Refused(_)) || chart.findings.iter().any(is_error)
    };
    let bad = plan.charts.iter().filter(has_one).count();
    let is_checked = |chart: &&ChartPlan| !matches!(chart.outcome, Outcome::LeftAlone(_));
    let all = plan.charts.iter().filter(is_checked).count();
    let (errors, warnings) = (amount(errors, "error"), amount(warnings, "warning"));
    writeln!(out, "{errors} in {bad} of {}, {warnings}", amount(all, "chart"))
}

/// Says that this run waits for another one that is at work in `folder`, or around it.
///
/// # Errors
/// What `out` reports.
pub fn waiting(out: &mut dyn Write, folder: &Path) -> io::Result<()> {
    writeln!(out, "{NOTE}note{NOTE:#}: waiting for a lock on {}, which another run holds", shown(folder))
}

/// Says how many temporary files of a run that was killed are gone.
///
/// # Errors
/// What `out` reports.
pub fn cleared_up(out: &mut dyn Write, files: usize) -> io::Result<()> {
    if files == 0 {
        return Ok(());
    }
    let files = amount(files, "temporary file");
    writeln!(out, "{NOTE}note{NOTE:#}: cleared up {files} of a run that was killed")
}

/// The charts that are left alone, by reason.
pub(super) fn write_left_alone(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for (reason, charts) in plan.left_alone() {
        let names: Vec<_> = charts.iter().map(|chart| printable(&chart.name)).collect();
        writeln!(out, "{NOTE}left alone{NOTE:#} ({reason}): {}", names.join(", "))?;
    }
    Ok(())
}

fn write_count(out: &mut dyn Write, plan: &Plan, deed: &Deed) -> io::Result<()> {
    let Counts { changed, complete, refused, left_alone, files } = plan.counts();
    let verb = match deed {
        Deed::Planned => "to change",
        Deed::Applied => "changed",
        Deed::Withheld | Deed::Guarded(_) | Deed::Checked { .. } => "not changed",
    };
    writeln!(
        out,
        "{} {verb} ({}), {complete} complete, {refused} refused, {left_alone} left alone",
        amount(changed, "chart"),
        amount(files, "file"),
    )?;
    if *deed == Deed::Withheld {
        writeln!(out, "nothing is written while a chart is refused; --keep-going writes the others")?;
    }
    Ok(())
}

/// So many of something: `1 chart`, `2 charts`.
pub(super) fn amount(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn line(chart: &ChartPlan) -> String {
    let path = shown(&chart.path);
    let kind = match chart.role {
        Role::Application => "",
        Role::Toolkit => " (helm-toolkit)",
        Role::Documentation => " (documentation)",
    };
    let what = match &chart.outcome {
        Outcome::LeftAlone(reason) => format!("left alone, {reason}"),
        Outcome::Complete => "complete".to_owned(),
        Outcome::Change(_) if chart.role == Role::Documentation => "a page for operators".to_owned(),
        Outcome::Change(change) => change.rules().join(", "),
        Outcome::Refused(_) => "refused".to_owned(),
    };
    format!("{path}{kind}: {what}")
}
