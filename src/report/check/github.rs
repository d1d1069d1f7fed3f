//! Workflow commands of GitHub Actions: each becomes a mark beside the line in a pull request.

use std::io::{self, Write};

use super::Problem;
use crate::report::json::path;

/// Writes `problems`.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, problems: &[Problem<'_>]) -> io::Result<()> {
    for Problem { place, id, level, what, fix, .. } in problems {
        write!(out, "::{} file={}", level.word(), property(&path(&place.path)))?;
        if let Some(position) = place.position {
            write!(out, ",line={},col={}", position.line, position.column)?;
        }
        writeln!(out, ",title={}::{}", property(id), data(&format!("{what}; {fix}")))?;
    }
    Ok(())
}

/// The text of a command, in which a line break would start another one.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
