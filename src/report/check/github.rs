//! Workflow commands of GitHub Actions: each becomes a mark beside the line in a pull request.

use std::io::{self, Write};

use super::list::Listed;
use crate::finding::Finding;
use crate::text::shown;

pub(crate) fn write(out: &mut dyn Write, listed: &[Listed<'_>]) -> io::Result<()> {
    for Listed { finding, .. } in listed {
        let Finding { location, id, severity, what, fix, .. } = finding;
        write!(out, "::{} file={}", severity.level(), property(&shown(&location.path)))?;
        if let Some(position) = location.position {
            write!(out, ",line={},col={}", position.line, position.column)?;
        }
        writeln!(out, ",title={}::{}", property(id.as_str()), data(&format!("{what}; {fix}")))?;
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
