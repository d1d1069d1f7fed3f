//! The summary of a run, for the terminal: what was done, what was not and why.

use std::io::{self, Write};
use std::path::Path;

use super::style::{Detail, ERROR, NOTE, WARNING};
use crate::chart_plan::{ChartPlan, Outcome};
use crate::finding::{Finding, Severity};
use crate::git::DirtyFile;
use crate::metadata::Role;
use crate::plan::{Plan, Totals};
use crate::rules::RULES;
use crate::text::{amount, printable, shown};

/// What happened to the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Planned,
    /// All was written; with Helm's proof, where the call asks for it.
    Applied {
        is_proven: bool,
    },
    /// Nothing was written, since so many charts have faults, or cannot be verified.
    Unproven {
        faulty: usize,
        not_verified: usize,
    },
    /// Nothing was written, since a chart is refused.
    Withheld,
    /// Nothing was written, since these files are not committed as they are.
    Dirty(Vec<DirtyFile>),
    /// The findings were printed: so many errors, refusals among them, and warnings.
    Checked {
        errors: usize,
        warnings: usize,
    },
}

/// Writes the summary of `plan`, with colours; a stream that is to have none strips them.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan, done: &Done, detail: Detail) -> io::Result<()> {
    if detail >= Detail::Verbose {
        for chart in &plan.charts {
            writeln!(out, "{}", line(chart))?;
        }
    }
    // What `check` found is what it prints.
    if !matches!(done, Done::Checked { .. }) {
        if detail >= Detail::Normal {
            for finding in plan.remaining() {
                let style = if finding.severity < Severity::Warning { ERROR } else { WARNING };
                writeln!(out, "{style}{}[{}]{style:#}: {finding}", finding.severity.level(), finding.id)?;
            }
        }
        write_refusals(out, plan)?;
    }
    if let Done::Dirty(files) = done {
        for DirtyFile { path, why } in files {
            writeln!(out, "{ERROR}refused[uncommitted]{ERROR:#}: {}: {why}", shown(path))?;
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
        match done {
            Done::Checked { errors, warnings } => write_checked(out, plan, *errors, *warnings)?,
            _ => write_totals(out, plan, done)?,
        }
    }
    Ok(())
}

pub(crate) fn write_refusals(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for refusal in plan.refusals() {
        writeln!(out, "{ERROR}refused[{}]{ERROR:#}: {refusal}", refusal.id)?;
    }
    Ok(())
}

/// Writes the charts that are left alone, by reason.
pub(crate) fn write_left_alone(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for (reason, charts) in plan.left_alone() {
        let names: Vec<_> = charts.iter().map(|chart| printable(&chart.name)).collect();
        writeln!(out, "{NOTE}left alone{NOTE:#} ({reason}): {}", names.join(", "))?;
    }
    Ok(())
}

/// Says that this run waits for another one that is at work in `folder`, or around it.
pub(crate) fn write_waiting(out: &mut dyn Write, folder: &Path) -> io::Result<()> {
    writeln!(out, "{NOTE}note{NOTE:#}: waiting for a lock on {}, which another run holds", shown(folder))
}

/// Says how many temporary files of a run that was killed are gone.
pub(crate) fn write_cleared_up(out: &mut dyn Write, files: usize) -> io::Result<()> {
    if files == 0 {
        return Ok(());
    }
    let files = amount(files, "temporary file");
    writeln!(out, "{NOTE}note{NOTE:#}: cleared up {files} of a run that was killed")
}

fn write_checked(out: &mut dyn Write, plan: &Plan, errors: usize, warnings: usize) -> io::Result<()> {
    let is_error =
        |finding: &Finding| finding.severity < Severity::Warning && !finding.id.is_about_the_change();
    let bad = plan.charts.iter().filter(|chart| chart.findings.iter().any(is_error)).count();
    let is_checked = |chart: &&ChartPlan| !matches!(chart.outcome(), Outcome::LeftAlone(_));
    let all = plan.charts.iter().filter(is_checked).count();
    let (errors, warnings) = (amount(errors, "error"), amount(warnings, "warning"));
    writeln!(out, "{errors} in {bad} of {}, {warnings}", amount(all, "chart"))
}

fn write_totals(out: &mut dyn Write, plan: &Plan, done: &Done) -> io::Result<()> {
    let Totals { changed, complete, incomplete, refused, left_alone, files } = plan.totals();
    let incomplete = if incomplete > 0 { format!(" {incomplete} incomplete,") } else { String::new() };
    let verb = match done {
        Done::Planned => "to change",
        Done::Applied { .. } => "changed",
        Done::Unproven { .. } | Done::Withheld | Done::Dirty(_) | Done::Checked { .. } => "not changed",
    };
    writeln!(
        out,
        "{} {verb} ({}), {complete} complete,{incomplete} {refused} refused, {left_alone} left alone",
        amount(changed, "chart"),
        amount(files, "file"),
    )?;
    match done {
        Done::Withheld => {
            writeln!(out, "nothing is written while a chart is refused; --keep-going writes the others")
        }
        Done::Unproven { faulty, not_verified } => {
            let faulty = amount(*faulty, "chart");
            writeln!(
                out,
                "nothing is written: rendered by Helm, {faulty} faulty, {not_verified} not verified"
            )
        }
        Done::Applied { is_proven: false } if files > 0 => {
            writeln!(
                out,
                "not tried with Helm: `osh-registry-auth verify` renders the charts before and after"
            )
        }
        _ => Ok(()),
    }
}

fn line(chart: &ChartPlan) -> String {
    let path = chart.shown();
    let kind = match chart.role {
        Role::Application => "",
        Role::Toolkit => " (helm-toolkit)",
    };
    let what = match chart.outcome() {
        Outcome::LeftAlone(reason) => format!("left alone, {reason}"),
        Outcome::Complete => "complete".to_owned(),
        Outcome::Incomplete => "incomplete".to_owned(),
        Outcome::Changed => changed_by(chart).join(", "),
        Outcome::Refused => "refused".to_owned(),
    };
    format!("{path}{kind}: {what}")
}

/// What changes a chart: the names of the rules in their order, and of what comes behind them.
fn changed_by(chart: &ChartPlan) -> Vec<&'static str> {
    let parts = || chart.files.iter().flat_map(|file| &file.parts).map(|part| part.shape.rule);
    let mut names: Vec<&str> =
        RULES.iter().map(|rule| rule.name).filter(|name| parts().any(|part| part == *name)).collect();
    for name in parts() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
