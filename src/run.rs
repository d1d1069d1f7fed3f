//! A call of the program, from its arguments to its exit code.

use std::cell::LazyCell;
use std::env;
use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use crate::chart::Role;
use crate::checkout::{self, Checkouts};
use crate::cli::{
    Call, Changing, CheckFormat, Cli, Command, Common, Format, PlanFormat, Reports, Verify, VerifyFormat,
};
use crate::diff::Palette;
use crate::error::Error;
use crate::finding::Level;
use crate::lock::Lock;
use crate::plan::{Plan, Selection};
use crate::report;
use crate::report::check::{self, Problem};
use crate::report::review::Review;
use crate::report::summary::{self, Deed, Detail};
use crate::signals::Signals;
use crate::verify::Progress;
use crate::{apply, diff, disk, guard, manual, verify};

/// Nothing is left to be done.
const DONE: u8 = 0;
/// There is something to do, and the call asked for it to show.
const FOUND: u8 = 1;
/// A chart could not be handled, or the call could not.
const REFUSED: u8 = 2;

/// More threads than this help on no machine, and a system may not have them.
const MAX_JOBS: usize = 256;

/// Does what `cli` says and reports on standard output and standard error.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let color = match &cli.call {
        Call::Charts(command) => command.common().color,
        Call::Completions { .. } | Call::Man => clap::ColorChoice::Auto,
    };
    let color = match color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let mut talk = AutoStream::new(io::stderr(), color);
    let done = match &cli.call {
        Call::Charts(command) => execute(command, color, &mut talk),
        Call::Completions { shell } => print_text(manual::completions(*shell).as_bytes()),
        Call::Man => manual::page().map_err(Into::into).and_then(|page| print_text(&page)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(talk, "error: {error}");
            if let Some(signal) = error.downcast_ref().and_then(Error::signal) {
                signal.end_the_program();
            }
            ExitCode::from(REFUSED)
        }
    }
}

fn execute(
    command: &Command,
    color: ColorChoice,
    talk: &mut dyn Write,
) -> Result<u8, Box<dyn std::error::Error>> {
    let common = command.common();
    // 0 stands for as many as there are cores; this thread is one of them.
    let jobs = common.jobs.map_or(0, NonZeroUsize::get).min(MAX_JOBS);
    rayon::ThreadPoolBuilder::new().num_threads(jobs).use_current_thread().build_global()?;
    let options = command.options();
    let checkouts = checkout::find_with(&common.checkouts, &options.folders())?;
    // Before anything is read that another run may be writing; it is held to the end.
    let _lock = match command {
        Command::Apply { .. } => Some(lock_and_clear_up(&checkouts, common.detail(), talk)?),
        Command::Plan { .. } | Command::Check { .. } | Command::Verify(_) => None,
    };
    // The program ends with the plan: giving back thousands of texts one by one helps nobody.
    let selection = Selection { with_toolkits: matches!(command, Command::Verify(_)), ..common.selection()? };
    let plan = ManuallyDrop::new(Plan::new(checkouts, &selection, &options));
    let has_changes = !plan.files().is_empty();
    let changed = |exit_code: &bool| if *exit_code && has_changes { FOUND } else { DONE };
    let (deed, code) = match command {
        Command::Plan { exit_code, changing, .. } => {
            print_plan(&changing.reports, &plan, color)?;
            (Deed::Planned, changed(exit_code))
        }
        Command::Apply { allow_dirty, exit_code, changing, .. } => {
            (apply(&plan, *allow_dirty, changing, color)?, changed(exit_code))
        }
        Command::Check { reports, .. } => {
            let problems = check::problems(&plan, env::current_dir().ok().as_deref());
            print_problems(reports, &plan, &problems, color)?;
            let errors = problems.iter().filter(|problem| problem.level == Level::Error).count();
            let deed = Deed::Checked { errors, warnings: problems.len() - errors };
            (deed, if errors > 0 { FOUND } else { DONE })
        }
        Command::Verify(args) => return verify(args, &plan, color, talk),
    };
    // A hundred checkouts have thousands of warnings.
    let mut out = BufWriter::new(talk);
    let told = summary::write(&mut out, &plan, &deed, common.detail()).and_then(|()| out.flush());
    // Where something was written, it is done, whoever can still be told.
    if deed != Deed::Applied {
        unless_closed(told)?;
    }
    let is_refused = plan.refusals().next().is_some() || matches!(deed, Deed::Guarded(_));
    Ok(if is_refused { REFUSED } else { code })
}

/// Prints what the program says of itself.
fn print_text(text: &[u8]) -> Result<u8, Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    unless_closed(out.write_all(text).and_then(|()| out.flush())).map_err(Error::Print)?;
    Ok(DONE)
}

/// Writes the files of `plan`, unless something is against it.
fn apply(
    plan: &Plan,
    allow_dirty: bool,
    changing: &Changing,
    color: ColorChoice,
) -> Result<Deed, Box<dyn std::error::Error>> {
    if changing.reports.is_asked_for() {
        print_plan(&changing.reports, plan, color)?;
    }
    if plan.refusals().next().is_some() && !changing.keep_going {
        return Ok(Deed::Withheld);
    }
    let uncommitted = if allow_dirty { Ok(Vec::new()) } else { guard::uncommitted(plan) };
    if !matches!(&uncommitted, Ok(uncommitted) if uncommitted.is_empty()) && !changing.reports.is_asked_for()
    {
        print_plan(&changing.reports, plan, color)?;
    }
    let uncommitted = uncommitted?;
    if !uncommitted.is_empty() {
        return Ok(Deed::Guarded(uncommitted));
    }
    write_files(plan)?;
    Ok(Deed::Applied)
}

/// Waits for other runs to end, and takes away what those that were killed have left.
fn lock_and_clear_up(checkouts: &Checkouts, detail: Detail, talk: &mut dyn Write) -> Result<Lock, Error> {
    // Where standard error is closed there is nobody to tell.
    let lock = Lock::of(&checkouts.roots, &mut |folder| drop(summary::waiting(talk, folder)))?;
    let cleared: usize = checkouts.roots.iter().map(|root| disk::clear_up(root)).sum();
    if detail >= Detail::Normal {
        let _ = summary::cleared_up(talk, cleared);
    }
    Ok(lock)
}

/// Writes the plan, until it is done or a signal comes.
fn write_files(plan: &Plan) -> Result<(), Box<dyn std::error::Error>> {
    let signals = Signals::catch()?;
    let watch = |_, _: &Path| signals.caught().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)));
    Ok(apply::apply(plan, &watch)?)
}

/// Prints the plan as the call asks for it.
fn print_plan(reports: &Reports<PlanFormat>, plan: &Plan, color: ColorChoice) -> Result<(), Error> {
    // Grouping takes a look at every line that changes.
    let review = LazyCell::new(|| Review::of(plan));
    print(reports, plan, color, |format, out, is_coloured| match format {
        PlanFormat::Diff => {
            let palette = if is_coloured { Palette::COLOURED } else { Palette::PLAIN };
            diff::write_all(out, &plan.files(), palette)
        }
        PlanFormat::Json => report::json::write(out, &review),
        PlanFormat::Markdown => report::markdown::write(out, &review),
        PlanFormat::Html => report::html::write(out, &review),
    })
}

/// Prints what was found as the call asks for it.
fn print_problems(
    reports: &Reports<CheckFormat>,
    plan: &Plan,
    problems: &[Problem<'_>],
    color: ColorChoice,
) -> Result<(), Error> {
    print(reports, plan, color, |format, out, is_coloured| match format {
        CheckFormat::Text => check::text::write(out, problems, is_coloured),
        CheckFormat::Json => check::json::write(out, problems),
        CheckFormat::Github => check::github::write(out, problems),
        CheckFormat::Sarif => check::sarif::write(out, problems),
    })
}

/// Has Helm render what is planned, and reports what came out.
fn verify(
    args: &Verify,
    plan: &Plan,
    color: ColorChoice,
    talk: &mut dyn Write,
) -> Result<u8, Box<dyn std::error::Error>> {
    let Verify { common, helm, helm_toolkit, reports } = args;
    // What is wrong with the call is said now, and not when Helm has worked for half a minute.
    reports.targets()?;
    let toolkit = helm_toolkit.as_ref().map(|dir| toolkit_plan(dir, common)).transpose()?;
    let charts = plan.charts.iter().filter(|chart| chart.role == Role::Application).count();
    let bar = report::verify::progress(charts, common.detail() >= Detail::Normal);
    let progress = |progress| match progress {
        Progress::ChartDone => bar.inc(1),
        Progress::Interrupted => bar.finish_and_clear(),
    };
    let verified = verify::verify(plan, toolkit.as_ref(), helm.as_deref(), &progress);
    bar.finish_and_clear();
    let verified = verified?;
    print(reports, plan, color, |format, out, is_coloured| match format {
        VerifyFormat::Text => report::verify::write_text(out, &verified, common.detail(), is_coloured),
        VerifyFormat::Json => report::verify::write_json(out, &verified),
    })?;
    unless_closed(report::verify::write_summary(talk, plan, &verified, common.detail()))?;
    let counts = report::verify::Counts::of(&verified);
    let is_refused = plan.refusals().next().is_some();
    Ok(match () {
        () if counts.not_verified > 0 || is_refused || counts.proven + counts.faulty == 0 => REFUSED,
        () if counts.faulty > 0 => FOUND,
        () => DONE,
    })
}

/// The plan for the helm-toolkit in the folder `dir`.
fn toolkit_plan(dir: &Path, common: &Common) -> Result<Plan, Error> {
    let plan = Plan::new(checkout::find(&[dir.to_owned()])?, &Selection::default(), &common.options());
    let is_toolkit = matches!(plan.charts.as_slice(), [chart] if chart.role == Role::Toolkit);
    if is_toolkit { Ok(plan) } else { Err(Error::NoToolkit(dir.to_owned())) }
}

/// Writes each report to where it goes: a pipe or a device gets it, and stays what it is.
fn print<F: Format>(
    reports: &Reports<F>,
    plan: &Plan,
    color: ColorChoice,
    write: impl Fn(F, &mut dyn Write, bool) -> io::Result<()>,
) -> Result<(), Error> {
    let targets = reports.targets()?;
    // None is written where another one cannot be.
    if let Some(path) = targets.iter().filter_map(|(_, path)| *path).find(|path| plan.is_made_from(path)) {
        return Err(Error::OutputInChart(path.to_owned()));
    }
    for (format, path) in targets {
        let write_to = |out: &mut dyn Write, is_coloured| {
            let mut out = BufWriter::with_capacity(1 << 16, out);
            unless_closed(write(format, &mut out, is_coloured).and_then(|()| out.flush()))
        };
        match path {
            None => {
                let mut out = io::stdout().lock();
                let choice = if color == ColorChoice::Auto { AutoStream::choice(&out) } else { color };
                write_to(&mut out, choice != ColorChoice::Never).map_err(Error::Print)?;
            }
            Some(path) => disk::output(path)
                .and_then(|mut file| write_to(&mut file, color == ColorChoice::Always))
                .map_err(|error| Error::Write(path.to_owned(), error))?,
        }
    }
    Ok(())
}

/// A reader that has seen enough is no error.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
