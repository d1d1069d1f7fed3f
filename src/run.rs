//! A call of the program, from its arguments to its exit code.

use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use crate::checkout::{self, Checkouts};
use crate::cli::{Cli, Command, Common};
use crate::diff::Palette;
use crate::error::Error;
use crate::lock::Lock;
use crate::plan::Plan;
use crate::report::summary::{self, Deed, Detail};
use crate::signals::Signals;
use crate::{apply, diff, disk, guard};

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
    let (Command::Plan { common, .. } | Command::Apply { common, .. }) = &cli.command;
    let color = match common.color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let mut talk = AutoStream::new(io::stderr(), color);
    match execute(&cli.command, common, color, &mut talk) {
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
    common: &Common,
    color: ColorChoice,
    talk: &mut dyn Write,
) -> Result<u8, Box<dyn std::error::Error>> {
    // 0 stands for as many as there are cores; this thread is one of them.
    let jobs = common.jobs.map_or(0, NonZeroUsize::get).min(MAX_JOBS);
    rayon::ThreadPoolBuilder::new().num_threads(jobs).use_current_thread().build_global()?;
    let options = common.options();
    let mut checkouts = checkout::find_with(&common.checkouts, &options.folders())?;
    // Before anything is read that another run may be writing; it is held to the end.
    let _lock = match command {
        Command::Plan { .. } => None,
        Command::Apply { .. } => Some(lock_and_clear_up(&mut checkouts, common.detail(), talk)),
    };
    // The program ends with the plan: giving back thousands of texts one by one helps nobody.
    let plan = ManuallyDrop::new(Plan::new(checkouts, &common.selection()?, &options));
    let is_refused = plan.refusals().next().is_some();
    let has_changes = !plan.files().is_empty();
    if let Some(path) = &common.output {
        write_diff_to(path, &plan, color)?;
    }
    let print = || if common.output.is_none() { print_diff(&plan, color) } else { Ok(()) };
    let deed = match command {
        Command::Plan { .. } => {
            print()?;
            Deed::Planned
        }
        Command::Apply { .. } if is_refused && !common.keep_going => Deed::Withheld,
        Command::Apply { allow_dirty, .. } => {
            let uncommitted = if *allow_dirty { Ok(Vec::new()) } else { guard::uncommitted(&plan) };
            match uncommitted {
                Ok(uncommitted) if uncommitted.is_empty() => {
                    write_files(&plan)?;
                    // It is done, whoever can still be told.
                    let _ = summary::write(talk, &plan, &Deed::Applied, common.detail());
                    return Ok(if is_refused { REFUSED } else { DONE });
                }
                Ok(uncommitted) => {
                    print()?;
                    Deed::Guarded(uncommitted)
                }
                Err(error) => {
                    print()?;
                    return Err(error.into());
                }
            }
        }
    };
    unless_closed(summary::write(talk, &plan, &deed, common.detail()))?;
    Ok(match command {
        _ if is_refused || matches!(deed, Deed::Guarded(_)) => REFUSED,
        Command::Plan { exit_code: true, .. } if has_changes => FOUND,
        _ => DONE,
    })
}

/// Waits for other runs to end, and takes away what those that were killed have left.
fn lock_and_clear_up(checkouts: &mut Checkouts, detail: Detail, talk: &mut dyn Write) -> Lock {
    // Where standard error is closed there is nobody to tell.
    let lock = Lock::of(&checkouts.roots, &mut |folder| drop(summary::waiting(talk, folder)));
    checkouts.warnings.extend(lock.warnings.iter().cloned());
    if lock.is_complete() {
        let cleared: usize = checkouts.roots.iter().map(|root| disk::clear_up(root)).sum();
        if detail >= Detail::Normal {
            let _ = summary::cleared_up(talk, cleared);
        }
    }
    lock
}

/// Writes the plan, until it is done or a signal comes.
fn write_files(plan: &Plan) -> Result<(), Box<dyn std::error::Error>> {
    let signals = Signals::catch()?;
    let watch = |_, _: &Path| signals.caught().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)));
    Ok(apply::apply(plan, &watch)?)
}

fn print_diff(plan: &Plan, color: ColorChoice) -> Result<(), Error> {
    let out = io::stdout().lock();
    let is_coloured = match color {
        ColorChoice::Auto => AutoStream::choice(&out) != ColorChoice::Never,
        choice => choice != ColorChoice::Never,
    };
    unless_closed(write_diff(out, plan, is_coloured)).map_err(Error::Print)
}

/// Writes to what lies at `path`: a pipe or a device gets the diff, and stays what it is.
fn write_diff_to(path: &Path, plan: &Plan, color: ColorChoice) -> Result<(), Error> {
    if plan.is_made_from(path) {
        return Err(Error::OutputInChart(path.to_owned()));
    }
    let file = disk::output(path);
    file.and_then(|file| unless_closed(write_diff(file, plan, color == ColorChoice::Always)))
        .map_err(|error| Error::Write(path.to_owned(), error))
}

fn write_diff(out: impl Write, plan: &Plan, is_coloured: bool) -> io::Result<()> {
    let palette = if is_coloured { Palette::COLOURED } else { Palette::PLAIN };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    for change in plan.files() {
        diff::write(&mut out, change, palette)?;
    }
    out.flush()
}

/// A reader that has seen enough is no error.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
