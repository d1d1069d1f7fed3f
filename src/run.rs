//! A call of the program, from its arguments to its exit code.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use crate::cli::{Cli, Command, Common};
use crate::diff::Palette;
use crate::error::Error;
use crate::plan::Plan;
use crate::report::summary::{self, Deed};
use crate::{apply, checkout, diff};

/// Nothing is left to be done.
const DONE: u8 = 0;
/// There is something to do, and the call asked for it to show.
const FOUND: u8 = 1;
/// A chart could not be handled, or the call could not.
const REFUSED: u8 = 2;

/// Does what `cli` says and reports on standard output and standard error.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let (Command::Plan { common, .. } | Command::Apply { common }) = &cli.command;
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
    let jobs = common.jobs.map_or(0, NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new().num_threads(jobs).use_current_thread().build_global()?;
    let checkouts = checkout::find(&common.checkouts)?;
    // The program ends with the plan: giving back thousands of texts one by one helps nobody.
    let plan = ManuallyDrop::new(Plan::new(checkouts, &common.selection()?, &common.options()));
    let is_refused = plan.refusals().next().is_some();
    let has_changes = plan.charts.iter().any(|chart| !chart.files().is_empty());
    if let Some(path) = &common.output {
        write_diff_to(path, &plan, color).map_err(|error| Error::Io(path.clone(), error))?;
    } else if matches!(command, Command::Plan { .. }) {
        let out = io::stdout().lock();
        let is_coloured = match color {
            ColorChoice::Auto => AutoStream::choice(&out) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        };
        unless_closed(write_diff(out, &plan, is_coloured))?;
    }
    let deed = match command {
        Command::Plan { .. } => Deed::Planned,
        Command::Apply { .. } if is_refused && !common.keep_going => Deed::Withheld,
        Command::Apply { .. } => {
            apply::apply(&plan)?;
            Deed::Applied
        }
    };
    unless_closed(summary::write(talk, &plan, deed, common.detail()))?;
    Ok(match command {
        _ if is_refused => REFUSED,
        Command::Plan { exit_code: true, .. } if has_changes => FOUND,
        _ => DONE,
    })
}

/// Writes to what lies at `path`: a pipe or a device gets the diff, and stays what it is.
#[expect(clippy::disallowed_methods, reason = "the file that the user names for the output")]
fn write_diff_to(path: &Path, plan: &Plan, color: ColorChoice) -> io::Result<()> {
    let file = File::create(path)?;
    unless_closed(write_diff(file, plan, color == ColorChoice::Always))
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
