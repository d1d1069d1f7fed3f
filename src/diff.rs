//! Changes in git's own format, so that `git apply` on a fresh checkout gives what `apply` gives.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::plan::FileChange;

/// Lines around a change, as in git.
const CONTEXT: usize = 3;

const HEADER: Style = Style::new().bold();
const HUNK: Style = AnsiColor::Cyan.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// Writes the diff of one file, with colours; a stream that is to have none takes them out.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, change: &FileChange) -> io::Result<()> {
    out.write_all(text(change).as_bytes())
}

/// The diff of one file, with colours.
#[must_use]
pub fn text(change: &FileChange) -> String {
    let mut out = String::with_capacity(change.new.len() / 4 + 1024);
    // A String takes whatever is written to it.
    let _ = compose(&mut out, change);
    out
}

fn compose(out: &mut String, change: &FileChange) -> std::fmt::Result {
    let (old_name, new_name) = (name("a/", &change.path), name("b/", &change.path));
    writeln!(out, "{HEADER}diff --git {old_name} {new_name}{HEADER:#}")?;
    let old = change.old.as_deref().unwrap_or_default();
    if change.old.is_none() {
        writeln!(out, "{HEADER}new file mode 100644{HEADER:#}")?;
        writeln!(out, "{HEADER}--- /dev/null{HEADER:#}")?;
    } else {
        writeln!(out, "{HEADER}--- {old_name}{}{HEADER:#}", end_of_name(&change.path))?;
    }
    writeln!(out, "{HEADER}+++ {new_name}{}{HEADER:#}", end_of_name(&change.path))?;

    // git knows one line break only.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = change.new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{HUNK}{}{HUNK:#}", hunk.header())?;
        for line in hunk.iter_changes() {
            let (sign, style) = match line.tag() {
                ChangeTag::Equal => (' ', Style::new()),
                ChangeTag::Insert => ('+', ADDED),
                ChangeTag::Delete => ('-', REMOVED),
            };
            let text = line.value();
            writeln!(out, "{style}{sign}{}{style:#}", text.strip_suffix('\n').unwrap_or(text))?;
            if !text.ends_with('\n') {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

/// A path as git writes it: with slashes, and in quotes where a character asks for it.
fn name(prefix: &str, path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(OsStr::as_encoded_bytes).collect();
    let bytes = [prefix.as_bytes(), &parts.join(&b'/')].concat();
    let needs_quotes = |byte: &u8| !(b' '..0x7f).contains(byte) || b"\"\\".contains(byte);
    if !bytes.iter().any(needs_quotes) {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut quoted = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            other if needs_quotes(&other) => drop(write!(quoted, "\\{other:03o}")),
            other => quoted.push(char::from(other)),
        }
    }
    quoted.push('"');
    quoted
}

/// Behind a name with a space git puts a tab, so that readers know where it ends.
fn end_of_name(path: &Path) -> &'static str {
    let has_space = path.as_os_str().as_encoded_bytes().contains(&b' ');
    if has_space { "\t" } else { "" }
}
