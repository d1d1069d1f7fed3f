//! Where reports go: standard output, or files, pipes and devices that the user names.

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};

use crate::cli::{Format, Reports};
use crate::disk;
use crate::error::Error;
use crate::plan::Plan;

/// Writes each report to where it goes. `write` gets the format, and whether colours are wanted.
pub(crate) fn print<F: Format>(
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
            Some(path) => disk::open_report(path)
                .and_then(|mut file| write_to(&mut file, color == ColorChoice::Always))
                .map_err(Error::write(path))?,
        }
    }
    Ok(())
}

/// Prints what the program says of itself.
pub(crate) fn print_text(text: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    unless_closed(out.write_all(text).and_then(|()| out.flush())).map_err(Error::Print)
}

/// A reader that has seen enough is no error.
pub(crate) fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
