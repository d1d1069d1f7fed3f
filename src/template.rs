//! Helm templates as text. They are no YAML before they are rendered, so that they are read line
//! by line, and only for shapes that cannot mean anything else.

pub(crate) mod actions;
pub(crate) mod lexer;
pub(crate) mod outline;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use regex::Regex;

/// Actions that open or close a block, and the assignment of what OpenStack-Helm calls the root.
static CONTROL: LazyLock<Regex> = LazyLock::new(|| {
    constant_regex(
        r"\{\{-?[ \t\r\n]*(?:(?P<word>if|with|range|define|block|end)(?-u:\b)|(?P<root>\$envAll)[ \t\r\n]*:=)",
    )
});

/// The definition of a named template.
static DEFINITION: LazyLock<Regex> =
    LazyLock::new(|| constant_regex(r#"\{\{-?[ \t\r\n]*define[ \t\r\n]+"([^"]+)""#));

/// The names of the templates that `text` defines.
pub(crate) fn definitions(text: &str) -> impl Iterator<Item = String> {
    DEFINITION.captures_iter(text).filter_map(|definition| Some(definition.get(1)?.as_str().to_owned()))
}

/// A word to be found in thousands of templates: what a search for it needs is made once.
pub(crate) type Word = LazyLock<Finder<'static>>;

/// Compiles a pattern that is part of this program. White space is what it is in Go's templates, written out:
/// that of Unicode takes longer to compile than everything else.
///
/// # Panics
/// Where the pattern is none.
#[must_use]
#[expect(clippy::expect_used, reason = "the patterns are constants, and the tests use each of them")]
pub(crate) fn constant_regex(pattern: &'static str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// `text` with template comments blanked out, so that every byte keeps its place.
#[must_use]
pub(crate) fn without_comments(text: &str) -> Cow<'_, str> {
    let mut comments = memmem::find_iter(text.as_bytes(), b"/*").peekable();
    if comments.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    for start in comments {
        let before = text.get(..start).unwrap_or_default();
        if start < result.len() || !before.ends_with("{{") && !before.ends_with("{{- ") {
            continue;
        }
        let end = text
            .get(start..)
            .and_then(|comment| comment.find("*/"))
            .map_or(text.len(), |end| start + end + 2);
        result.push_str(text.get(result.len()..start).unwrap_or_default());
        let comment = text.as_bytes().get(start..end).unwrap_or_default();
        result.extend(
            comment.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(*byte) } else { ' ' }),
        );
    }
    result.push_str(text.get(result.len()..).unwrap_or_default());
    Cow::Owned(result)
}

/// A line of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'t> {
    /// Byte offset at which it starts.
    pub start: usize,
    /// Byte offset behind its line break.
    pub end: usize,
    /// Its text without the line break, and without comments.
    pub text: &'t str,
    /// Spaces in front of the text.
    pub indent: usize,
}

impl<'t> Line<'t> {
    /// A line that is `whole` with its line break, at byte `start` of its text.
    fn new(start: usize, whole: &'t str) -> Self {
        let text = whole.strip_suffix('\n').unwrap_or(whole);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let indent = text.bytes().take_while(|byte| *byte == b' ').count();
        Line { start, end: start + whole.len(), text, indent }
    }

    /// Whether the line gives nothing to the YAML as it stands: blank, a comment, or template
    /// actions.
    #[must_use]
    pub(crate) fn is_silent(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#') || text.starts_with("{{")
    }

    /// The text behind `key:`, without quotes, where the line is an entry with that key at this
    /// indent.
    #[must_use]
    pub(crate) fn value(&self, indent: usize, key: &str) -> Option<&str> {
        if self.indent != indent {
            return None;
        }
        let value = self.text.get(indent..)?.strip_prefix(key)?.strip_prefix(':')?;
        let is_entry = value.is_empty() || value.starts_with(char::is_whitespace);
        is_entry.then(|| without_quotes(value.split(" #").next().unwrap_or(value).trim()))
    }
}

/// A scalar without the quotes around it. A quote on one side only is part of something else.
fn without_quotes(scalar: &str) -> &str {
    let inside = |quote| scalar.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(scalar)
}

/// The lines of `text`, which must outlive them; see [`without_comments`].
#[must_use]
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::with_capacity(text.len() / 32);
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    for end in ends.chain((!text.ends_with('\n')).then_some(text.len())) {
        lines.push(Line::new(start, text.get(start..end).unwrap_or_default()));
        start = end;
    }
    lines
}

/// Byte offset at which the line starts that byte `at` of `text` is in.
#[must_use]
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(0, |line_break| line_break + 1)
}

/// The lines of `text` that end before byte `end`, the last first.
pub(crate) fn lines_above(text: &str, end: usize) -> impl Iterator<Item = Line<'_>> {
    let mut end = line_start(text, end);
    std::iter::from_fn(move || {
        let start = line_start(text, end.checked_sub(1)?);
        let line = Line::new(start, text.get(start..end)?);
        end = start;
        Some(line)
    })
}

/// Indices of the lines with `word` in them.
pub(crate) fn lines_with<'l>(
    lines: &'l [Line<'_>],
    text: &'l str,
    word: &'l Finder<'_>,
) -> impl Iterator<Item = usize> + 'l {
    let hits = word.find_iter(text.as_bytes());
    hits.map(|at| lines.partition_point(|line| line.end <= at))
}

/// The lines of the YAML document that line `at` is in: those between two `---`.
#[must_use]
pub(crate) fn document(lines: &[Line<'_>], at: usize) -> Range<usize> {
    let is_mark = |line: &Line<'_>| {
        line.text
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
    };
    let start = lines.iter().take(at).rposition(is_mark).map_or(0, |mark| mark + 1);
    let end = lines.iter().skip(at).position(is_mark).map_or(lines.len(), |mark| at + mark);
    start..end
}

/// How many blocks (`if`, `range`, ...) these lines open and do not close.
#[must_use]
pub(crate) fn open_blocks(lines: &[Line<'_>]) -> usize {
    let actions = lines
        .iter()
        .flat_map(|line| CONTROL.captures_iter(line.text))
        .filter_map(|action| action.name("word"));
    actions
        .fold(0, |open: usize, word| if word.as_str() == "end" { open.saturating_sub(1) } else { open + 1 })
}

/// By which name the templates' root can be reached at byte `offset`: `$`, or within a `define`
/// the variable that OpenStack-Helm keeps it in. `None` where there is none.
#[must_use]
pub(crate) fn root_variable(text: &str, offset: usize) -> Option<&'static str> {
    // The blocks that are open, each with whether the variable was assigned in it.
    let mut open: Vec<(bool, bool)> = Vec::new();
    for action in CONTROL.captures_iter(text.get(..offset)?) {
        match action.name("word").map(|word| word.as_str()) {
            Some("end") => {
                open.pop();
            }
            Some(word) => open.push((matches!(word, "define" | "block"), false)),
            None => {
                if let Some((_, assigned)) = open.last_mut() {
                    *assigned = true;
                }
            }
        }
    }
    match open.iter().rposition(|(is_define, _)| *is_define) {
        None => Some("$"),
        Some(define) => open.iter().skip(define).any(|(_, assigned)| *assigned).then_some("$envAll"),
    }
}
