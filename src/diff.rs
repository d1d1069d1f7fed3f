//! Changes in git's own format, so that `git apply` on a fresh checkout gives what `apply` gives.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use rayon::prelude::*;
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

/// How many files are compared at a time. Their diffs wait in memory for their turn.
const AT_A_TIME: usize = 128;

/// Writes the diffs of files, which are compared in parallel, in their order.
///
/// # Errors
/// What `out` reports.
pub fn write_all(out: &mut dyn Write, changes: &[&FileChange], palette: Palette) -> io::Result<()> {
    for some in changes.chunks(AT_A_TIME) {
        let one = |change: &&FileChange| {
            let mut text = Vec::new();
            write(&mut text, change, palette).map(|()| text)
        };
        let texts: Vec<io::Result<Vec<u8>>> = some.par_iter().map(one).collect();
        texts.into_iter().try_for_each(|text| out.write_all(&text?))?;
    }
    Ok(())
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

    for hunk in hunks_of(old, &change.new_text()) {
        writeln!(out, "{hunk_style}{}{hunk_style:#}", hunk.header)?;
        for Line { sign, text } in hunk.lines {
            let style = match sign {
                Sign::Kept => Style::new(),
                Sign::Added => added,
                Sign::Removed => removed,
            };
            writeln!(out, "{style}{}{}{style:#}", sign.character(), text.strip_suffix('\n').unwrap_or(text))?;
            if !text.ends_with('\n') {
                writeln!(out, "{NO_NEWLINE}")?;
            }
        }
    }
    Ok(())
}

/// The diff of one file as text, without colours. What is not UTF-8 in its name is lost.
#[must_use]
pub fn text(change: &FileChange) -> String {
    let mut text = Vec::new();
    // A Vec takes whatever is written to it.
    let _ = write(&mut text, change, Palette::PLAIN);
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What git writes below the last line of a text that has no line break at its end.
const NO_NEWLINE: &str = "\\ No newline at end of file";

/// Lines of a diff that belong together.
#[derive(Clone, Debug)]
pub struct Hunk<'t> {
    /// `@@ -1,3 +1,4 @@`
    pub header: String,
    /// Its lines.
    pub lines: Vec<Line<'t>>,
}

/// A line of a diff.
#[derive(Clone, Copy, Debug)]
pub struct Line<'t> {
    /// Where it stands.
    pub sign: Sign,
    /// Its text with the line break, which the last line of a file may lack.
    pub text: &'t str,
}

impl fmt::Display for Line<'_> {
    /// The line as it stands in a diff, line breaks included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign.character(), self.text)?;
        if self.text.ends_with('\n') { Ok(()) } else { write!(f, "\n{NO_NEWLINE}\n") }
    }
}

/// In which of the two texts a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// In both.
    Kept,
    /// In the new one.
    Added,
    /// In the old one.
    Removed,
}

impl Sign {
    /// What a diff marks such lines with.
    #[must_use]
    pub fn character(self) -> char {
        match self {
            Sign::Kept => ' ',
            Sign::Added => '+',
            Sign::Removed => '-',
        }
    }
}

/// What makes the text `old` into `new`.
#[must_use]
pub fn hunks_of<'t>(old: &'t str, new: &'t str) -> Vec<Hunk<'t>> {
    // git knows one line break only.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    let line = |tag, old_index: Option<usize>, new_index: Option<usize>| {
        let of_new = || new_index.and_then(|index| new.get(index));
        let text = old_index.and_then(|index| old.get(index)).or_else(of_new).copied().unwrap_or_default();
        let sign = match tag {
            ChangeTag::Equal => Sign::Kept,
            ChangeTag::Insert => Sign::Added,
            ChangeTag::Delete => Sign::Removed,
        };
        Line { sign, text }
    };
    let mut hunks = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let changes = hunk.iter_changes();
        let lines =
            changes.map(|change| line(change.tag(), change.old_index(), change.new_index())).collect();
        hunks.push(Hunk { header: hunk.header().to_string(), lines });
    }
    hunks
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
