//! Changes in git's own format, so that `git apply` on a fresh checkout gives what `apply` gives.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use rayon::prelude::*;
use similar::{ChangeTag, TextDiff};

use crate::change::FileChange;
use crate::plan::Plan;
use crate::text::visible;

/// Lines around a change, as in git.
const CONTEXT: usize = 3;

/// The colours of a diff's parts. Where there are to be none they are left out, not taken out afterwards: an
/// escape sequence in a chart's own text is part of the diff.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Colours {
    header: Style,
    hunk: Style,
    added: Style,
    removed: Style,
    /// Whether people read it as it is.
    is_terminal: bool,
}

/// The colours that git has.
const OF_GIT: Colours = Colours {
    header: Style::new().bold(),
    hunk: AnsiColor::Cyan.on_default(),
    added: AnsiColor::Green.on_default(),
    removed: AnsiColor::Red.on_default(),
    is_terminal: false,
};

/// How many files are compared at a time. Their diffs wait in memory for their turn.
const AT_A_TIME: usize = 128;

/// Writes the diffs of files in their order; compares them in parallel. On a terminal what is not seen is escaped;
/// anywhere else the diff is git's own, to the byte.
pub(crate) fn write_all(
    out: &mut dyn Write,
    plan: &Plan,
    is_coloured: bool,
    is_terminal: bool,
) -> io::Result<()> {
    let colours = Colours { is_terminal, ..if is_coloured { OF_GIT } else { Colours::default() } };
    for some in plan.files().chunks(AT_A_TIME) {
        let one = |change: &&FileChange| {
            let mut text = Vec::new();
            write(&mut text, plan, change, colours).map(|()| text)
        };
        let texts: Vec<io::Result<Vec<u8>>> = some.par_iter().map(one).collect();
        texts.into_iter().try_for_each(|text| out.write_all(&text?))?;
    }
    Ok(())
}

fn write(out: &mut dyn Write, plan: &Plan, change: &FileChange, colours: Colours) -> io::Result<()> {
    let path = &plan.prefix.join(&change.path);
    let Colours { header, hunk: hunk_style, added, removed, is_terminal } = colours;
    let (old_name, new_name) = (name("a/", path), name("b/", path));
    writeln!(out, "{header}diff --git {old_name} {new_name}{header:#}")?;
    if change.old.is_none() {
        writeln!(out, "{header}new file mode 100644{header:#}")?;
        writeln!(out, "{header}--- /dev/null{header:#}")?;
    } else {
        writeln!(out, "{header}--- {old_name}{}{header:#}", end_of_name(path))?;
    }
    writeln!(out, "{header}+++ {new_name}{}{header:#}", end_of_name(path))?;

    for hunk in hunks(change.old_text(), &change.new) {
        writeln!(out, "{hunk_style}{}{hunk_style:#}", hunk.header)?;
        for DiffLine { sign, text } in hunk.lines {
            let style = match sign {
                Sign::Kept => Style::new(),
                Sign::Added => added,
                Sign::Removed => removed,
            };
            let line = text.strip_suffix('\n').unwrap_or(text);
            let line = if is_terminal { visible(line) } else { line.into() };
            writeln!(out, "{style}{}{line}{style:#}", sign.character())?;
            if !text.ends_with('\n') {
                writeln!(out, "{NO_NEWLINE}")?;
            }
        }
    }
    Ok(())
}

/// The diff of one file, without colours. What is not UTF-8 in its name is lost.
pub(crate) fn text(plan: &Plan, change: &FileChange) -> String {
    let mut text = Vec::new();
    // A Vec takes whatever is written to it.
    let _ = write(&mut text, plan, change, Colours::default());
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What git writes below the last line of a text that has no line break at its end.
const NO_NEWLINE: &str = "\\ No newline at end of file";

#[derive(Clone, Debug)]
pub(crate) struct Hunk<'t> {
    /// `@@ -1,3 +1,4 @@`
    pub(crate) header: String,
    pub(crate) lines: Vec<DiffLine<'t>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct DiffLine<'t> {
    pub(crate) sign: Sign,
    /// The text with its line break, which the last line of a file may lack.
    pub(crate) text: &'t str,
}

impl fmt::Display for DiffLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign.character(), self.text)?;
        if self.text.ends_with('\n') { Ok(()) } else { write!(f, "\n{NO_NEWLINE}\n") }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// In both texts.
    Kept,
    Added,
    Removed,
}

impl Sign {
    fn character(self) -> char {
        match self {
            Sign::Kept => ' ',
            Sign::Added => '+',
            Sign::Removed => '-',
        }
    }
}

/// The hunks that make the text `old` into `new`.
pub(crate) fn hunks<'t>(old: &'t str, new: &'t str) -> Vec<Hunk<'t>> {
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
        DiffLine { sign, text }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{hunks, name};

    fn shown(old: &str, new: &str) -> String {
        let hunks = hunks(old, new);
        let hunks = hunks.iter().map(|hunk| {
            format!("{}\n{}", hunk.header, hunk.lines.iter().map(ToString::to_string).collect::<String>())
        });
        hunks.collect()
    }

    #[test]
    fn hunks_are_those_of_git() {
        assert_eq!(shown("a\n", "a\n"), "");
        assert_eq!(shown("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(shown("a\nb\n", "a\nx\nb\n"), "@@ -1,2 +1,3 @@\n a\n+x\n b\n");
        // The last line has no line break before, or after, or both.
        let none = "\\ No newline at end of file\n";
        assert_eq!(shown("a", "a\nb"), format!("@@ -1 +1,2 @@\n-a\n{none}+a\n+b\n{none}"));
        assert_eq!(shown("a\nb", "x\na\nb"), format!("@@ -1,2 +1,3 @@\n+x\n a\n b\n{none}"));
        // Changes that are further apart than their context are two hunks.
        let far = "a\nb\nc\nd\n".repeat(5);
        let both = format!("x\n{far}y\n");
        assert_eq!(shown(&far, &both).matches("@@ -").count(), 2);
        // A carriage return is part of the line.
        assert_eq!(shown("a\r\n", "a\n"), "@@ -1 +1 @@\n-a\r\n+a\n");
    }

    #[test]
    fn names_are_quoted_as_git_quotes_them() {
        for (path, quoted) in [
            ("nova/values.yaml", "a/nova/values.yaml"),
            ("with space/x", "a/with space/x"),
            ("é", "\"a/\\303\\251\""),
            ("a\"b\\c\n", "\"a/a\\\"b\\\\c\\n\""),
        ] {
            assert_eq!(name("a/", Path::new(path)), quoted);
        }
    }
}
