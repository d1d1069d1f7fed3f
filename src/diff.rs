//! Changes in git's own format, so that `git apply` on a fresh checkout gives what `apply` gives.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::plan::FileChange;

/// Lines around a change, as in git.
const CONTEXT: usize = 3;

/// The colours of a diff's parts.
///
/// Colours are left out, not taken out afterwards: an escape sequence in a chart's own text is
/// part of the diff.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    header: Style,
    hunk: Style,
    added: Style,
    removed: Style,
}

impl Palette {
    /// No colours at all.
    pub const PLAIN: Palette =
        Palette { header: Style::new(), hunk: Style::new(), added: Style::new(), removed: Style::new() };

    /// The colours that git has.
    pub const COLOURED: Palette = Palette {
        header: Style::new().bold(),
        hunk: AnsiColor::Cyan.on_default(),
        added: AnsiColor::Green.on_default(),
        removed: AnsiColor::Red.on_default(),
    };
}

/// Writes the diff of one file.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, change: &FileChange, palette: Palette) -> io::Result<()> {
    let Palette { header, hunk: hunk_style, added, removed } = palette;
    let (old_name, new_name) = (name("a/", &change.path), name("b/", &change.path));
    writeln!(out, "{header}diff --git {old_name} {new_name}{header:#}")?;
    let old = change.old.as_deref().unwrap_or_default();
    if change.old.is_none() {
        writeln!(out, "{header}new file mode 100644{header:#}")?;
        writeln!(out, "{header}--- /dev/null{header:#}")?;
    } else {
        writeln!(out, "{header}--- {old_name}{}{header:#}", end_of_name(&change.path))?;
    }
    writeln!(out, "{header}+++ {new_name}{}{header:#}", end_of_name(&change.path))?;

    // git knows one line break only.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = change.new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{hunk_style}{}{hunk_style:#}", hunk.header())?;
        for line in hunk.iter_changes() {
            let (sign, style) = match line.tag() {
                ChangeTag::Equal => (' ', Style::new()),
                ChangeTag::Insert => ('+', added),
                ChangeTag::Delete => ('-', removed),
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
            other if needs_quotes(&other) => quoted.extend(format!("\\{other:03o}").chars()),
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
