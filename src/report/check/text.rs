//! For people, a line each: `nova/values.yaml:12:3: error[wrong-key]: what is wrong; what to do`.

use std::io::{self, Write};

use anstyle::Style;

use super::Problem;
use crate::error::printable;
use crate::finding::Level;
use crate::report::summary::{ERROR, WARNING};

/// Writes `problems`.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, problems: &[Problem<'_>], is_coloured: bool) -> io::Result<()> {
    for Problem { place, id, level, what, fix, .. } in problems {
        let style = match level {
            _ if !is_coloured => Style::new(),
            Level::Error => ERROR,
            Level::Warning => WARNING,
        };
        let (what, fix) = (printable(what), printable(fix));
        writeln!(out, "{place}: {style}{}[{id}]{style:#}: {what}; {fix}", level.word())?;
    }
    Ok(())
}
