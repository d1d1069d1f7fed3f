//! A call of the program, from its arguments to its exit code.

use std::env;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use crate::cli::{
    Call, Changing, CheckFormat, Cli, Command, Common, PlanFormat, Reports, Verify, VerifyFormat,
};
use crate::disk;
use crate::error::Error;
use crate::lock::Lock;
use crate::metadata::Role;
use crate::output::{print, print_text, unless_closed};
use crate::plan::{Plan, Selection};
use crate::report::check::{self, list::count_errors};
use crate::report::review::Review;
use crate::report::style::Detail;
use crate::report::summary::{self, Done};
use crate::report::{html, json, markdown, verify as report};
use crate::signals::Signals;
use crate::verify::{self, Progress};
use crate::{diff, discover, git, manual, passes, write};

/// Nothing is left to be done.
const DONE: u8 = 0;
/// There is something to do, and the call asked for it to show.
const FOUND: u8 = 1;
/// A chart could not be handled, or the call could not.
const REFUSED: u8 = 2;

/// More threads than this help on no machine, and a system may not have them.
const MAX_JOBS: usize = 256;

type AnyError = Box<dyn std::error::Error>;

/// Runs the program: parses its arguments, does what they say, and reports on standard output and standard
/// error.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::of_the_call();
    let color = match &cli.call {
        Call::Charts(command) => command.common().color,
        Call::Completions { .. } | Call::Man => clap::ColorChoice::Auto,
    };
    let color = match color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let mut stderr = AutoStream::new(io::stderr(), color);
    let done = match &cli.call {
        Call::Charts(command) => execute(command, color, &mut stderr),
        Call::Completions { shell } => {
            print_text(manual::completions(*shell).as_bytes()).map(|()| DONE).map_err(Into::into)
        }
        Call::Man => {
            manual::page().map_err(Into::into).and_then(|page| Ok(print_text(&page).map(|()| DONE)?))
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(stderr, "error: {error}");
            if let Some(signal) = error.downcast_ref().and_then(Error::signal) {
                signal.end_the_program();
            }
            ExitCode::from(REFUSED)
        }
    }
}

fn execute(command: &Command, color: ColorChoice, stderr: &mut dyn Write) -> Result<u8, AnyError> {
    let common = command.common();
    // This thread is one of them.
    let jobs = common.jobs.min(MAX_JOBS);
    rayon::ThreadPoolBuilder::new().num_threads(jobs).use_current_thread().build_global()?;
    let options = command.options();
    let checkouts = discover::find(&common.checkouts, &passes::folders(&options))?;
    // Before anything is read that another run may be writing; it is held to the end.
    let _lock = match command {
        Command::Apply { .. } => Some(lock_and_clear_up(&checkouts, common.detail(), stderr)?),
        Command::Plan { .. } | Command::Check { .. } | Command::Verify(_) => None,
    };
    let selection = Selection { with_toolkits: matches!(command, Command::Verify(_)), ..common.selection()? };
    let mut plan = passes::plan(checkouts, &selection, &options);
    common.require_included(&plan.charts)?;
    let has_changes = !plan.files().is_empty();
    if let (Command::Plan { .. }, Ok(folder)) = (command, env::current_dir()) {
        plan.note_what_git_leaves_out(&folder);
    }
    let changed = |exit_code: &bool| if *exit_code && has_changes { FOUND } else { DONE };
    let (done, code) = match command {
        Command::Plan { exit_code, changing, .. } => {
            print_plan(&changing.reports, &plan, color)?;
            (Done::Planned, changed(exit_code))
        }
        Command::Apply { allow_dirty, exit_code, changing, .. } => {
            (apply(&plan, *allow_dirty, changing, color)?, changed(exit_code))
        }
        Command::Check { reports, .. } => {
            let (errors, warnings) = print_findings(reports, &plan, color, common.detail())?;
            (Done::Checked { errors, warnings }, if errors > 0 { FOUND } else { DONE })
        }
        Command::Verify(args) => return verify(args, &plan, color, stderr),
    };
    // A hundred checkouts have thousands of warnings.
    let mut out = BufWriter::new(stderr);
    let said = summary::write(&mut out, &plan, &done, common.detail()).and_then(|()| out.flush());
    // Where something was written, it is done, whoever can still be told.
    if done != Done::Applied {
        unless_closed(said)?;
    }
    let is_refused = plan.refusals().next().is_some() || matches!(done, Done::Dirty(_));
    Ok(if is_refused { REFUSED } else { code })
}

/// Writes the files of `plan`, unless a chart is refused or a file is dirty.
fn apply(plan: &Plan, allow_dirty: bool, changing: &Changing, color: ColorChoice) -> Result<Done, AnyError> {
    if changing.reports.is_asked_for() {
        print_plan(&changing.reports, plan, color)?;
    }
    if plan.refusals().next().is_some() && !changing.keep_going {
        return Ok(Done::Withheld);
    }
    let dirty = if allow_dirty { Ok(Vec::new()) } else { git::dirty_files(&plan.base, &plan.files()) };
    let is_clean = matches!(&dirty, Ok(files) if files.is_empty());
    if !is_clean && !changing.reports.is_asked_for() {
        print_plan(&changing.reports, plan, color)?;
    }
    let dirty = dirty?;
    if !dirty.is_empty() {
        return Ok(Done::Dirty(dirty));
    }
    let signals = Signals::catch()?;
    let watch = |_, _: &Path| signals.caught().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)));
    write::write(plan, &watch)?;
    Ok(Done::Applied)
}

/// Waits for other runs to end, and removes what those that were killed have left.
fn lock_and_clear_up(
    checkouts: &discover::Checkouts,
    detail: Detail,
    stderr: &mut dyn Write,
) -> Result<Lock, Error> {
    // Where standard error is closed there is nobody to tell.
    let mut waiting = |folder: &Path| drop(summary::write_waiting(stderr, folder));
    let lock = Lock::take(&checkouts.roots, &mut waiting)?;
    let cleared: usize = checkouts.roots.iter().map(|root| disk::clear_up(root)).sum();
    if detail >= Detail::Normal {
        let _ = summary::write_cleared_up(stderr, cleared);
    }
    Ok(lock)
}

/// Prints the plan in the formats that the call asks for.
fn print_plan(reports: &Reports<PlanFormat>, plan: &Plan, color: ColorChoice) -> Result<(), Error> {
    // Grouping compares every line that changes: not for the diff alone.
    let needs_review = reports.targets()?.iter().any(|(format, _)| *format != PlanFormat::Diff);
    let review = if needs_review { Some(Review::new(plan)?) } else { None };
    print(reports, plan, color, |format, out, is_coloured| match (format, &review) {
        (PlanFormat::Json, Some(review)) => json::write(out, review),
        (PlanFormat::Markdown, Some(review)) => markdown::write(out, review),
        (PlanFormat::Html, Some(review)) => html::write(out, review),
        _ => diff::write_all(out, plan, is_coloured),
    })
}

/// Prints what was found in the formats that the call asks for; returns the numbers of errors and warnings.
fn print_findings(
    reports: &Reports<CheckFormat>,
    plan: &Plan,
    color: ColorChoice,
    detail: Detail,
) -> Result<(usize, usize), Error> {
    let listed = check::list::list(plan, env::current_dir().ok().as_deref());
    print(reports, plan, color, |format, out, is_coloured| match format {
        CheckFormat::Text => check::text::write(out, &listed, is_coloured, detail),
        CheckFormat::Json => check::json::write(out, &listed),
        CheckFormat::Github => check::github::write(out, &listed),
        CheckFormat::Sarif => check::sarif::write(out, &listed),
    })?;
    let errors = count_errors(&listed);
    Ok((errors, listed.len() - errors))
}

/// Has Helm render what is planned, and reports what came out.
fn verify(args: &Verify, plan: &Plan, color: ColorChoice, stderr: &mut dyn Write) -> Result<u8, AnyError> {
    let Verify { common, helm, helm_toolkit, reports } = args;
    // What is wrong with the call is said now, and not when Helm has worked for half a minute.
    reports.targets()?;
    let toolkit = helm_toolkit.as_ref().map(|dir| toolkit_plan(dir, common)).transpose()?;
    let charts = plan.charts.iter().filter(|chart| chart.role == Role::Application).count();
    let bar = report::progress(charts, common.detail() >= Detail::Normal);
    let progress = |progress| match progress {
        Progress::ChartDone => bar.inc(1),
        Progress::Interrupted => bar.finish_and_clear(),
    };
    let verified = verify::verify(plan, toolkit.as_ref(), helm.as_deref(), &progress);
    bar.finish_and_clear();
    let verified = verified?;
    print(reports, plan, color, |format, out, is_coloured| match format {
        VerifyFormat::Text => report::write_text(out, &verified, is_coloured),
        VerifyFormat::Json => report::write_json(out, &verified),
    })?;
    unless_closed(report::write_summary(stderr, plan, &verified, common.detail()))?;
    let counts = report::Counts::of(&verified);
    let is_refused = plan.refusals().next().is_some();
    Ok(if counts.not_verified > 0 || is_refused || counts.proven + counts.faulty == 0 {
        REFUSED
    } else if counts.faulty > 0 {
        FOUND
    } else {
        DONE
    })
}

/// The plan for the helm-toolkit in the folder `dir`.
fn toolkit_plan(dir: &Path, common: &Common) -> Result<Plan, Error> {
    let checkouts = discover::find(&[dir.to_owned()], &[])?;
    let plan = Plan::new(checkouts, &Selection::default(), &common.options());
    let is_toolkit = matches!(plan.charts.as_slice(), [chart] if chart.role == Role::Toolkit);
    if is_toolkit { Ok(plan) } else { Err(Error::NoToolkit(dir.to_owned())) }
}
