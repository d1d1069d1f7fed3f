//! Helm templates as text. They are no YAML before they are rendered, so that they are read line
//! by line, and only for shapes that cannot mean anything else.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Actions that open or close a block, and the assignment of what OpenStack-Helm calls the root.
static CONTROL: LazyLock<Regex> = LazyLock::new(|| {
    constant_regex(r"\{\{-?\s*(?:(?P<word>if|with|range|define|block|end)\b|(?P<root>\$envAll)\s*:=)")
});

/// Compiles a pattern that is part of this program.
#[expect(clippy::expect_used, reason = "the patterns are constants, and the tests use each of them")]
pub fn constant_regex(pattern: &'static str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// `text` with the inside of template comments blanked out, so that every byte keeps its place.
#[must_use]
pub fn without_comments(text: &str) -> Cow<'_, str> {
    const OPEN: [&str; 2] = ["{{/*", "{{- /*"];
    if !OPEN.iter().any(|open| text.contains(open)) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = OPEN.iter().filter_map(|open| rest.find(open)).min() {
        let (before, comment) = rest.split_at(start);
        let end = comment.find("*/").map_or(comment.len(), |end| end + 2);
        let (comment, after) = comment.split_at(end);
        result.push_str(before);
        result.extend(comment.chars().flat_map(|character| {
            let blank = if matches!(character, '\n' | '\r') { character } else { ' ' };
            std::iter::repeat_n(blank, character.len_utf8())
        }));
        rest = after;
    }
    result.push_str(rest);
    Cow::Owned(result)
}

/// A line of a template.
#[derive(Clone, Copy, Debug)]
pub struct Line<'t> {
    /// Byte offset at which it starts.
    pub start: usize,
    /// Byte offset behind its line break.
    pub end: usize,
    /// Its text without the line break, and without comments.
    pub text: &'t str,
}

impl Line<'_> {
    /// Spaces in front of the text.
    #[must_use]
    pub fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Whether the line gives nothing to the YAML as it stands: blank, a comment, or template
    /// actions.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#') || text.starts_with("{{")
    }

    /// The text behind `key:` where the line is an entry with that key at this indent.
    #[must_use]
    pub fn value(&self, indent: usize, key: &str) -> Option<&str> {
        if self.indent() != indent {
            return None;
        }
        let value = self.text.trim_start_matches(' ').strip_prefix(key)?.strip_prefix(':')?;
        let is_entry = value.is_empty() || value.starts_with(char::is_whitespace);
        is_entry.then(|| value.split(" #").next().unwrap_or(value).trim())
    }
}

/// The lines of `text`, which must outlive them; see [`without_comments`].
#[must_use]
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|whole| {
            let line = Line { start, end: start + whole.len(), text: whole.trim_end_matches(['\n', '\r']) };
            start = line.end;
            line
        })
        .collect()
}

/// The lines of the YAML document that line `at` is in: those between two `---`.
#[must_use]
pub fn document(lines: &[Line<'_>], at: usize) -> Range<usize> {
    let is_mark = |line: &Line<'_>| line.text == "---" || line.text.starts_with("--- ");
    let start = lines.iter().take(at).rposition(is_mark).map_or(0, |mark| mark + 1);
    let end = lines.iter().skip(at).position(is_mark).map_or(lines.len(), |mark| at + mark);
    start..end
}

/// By which name the templates' root can be reached at byte `offset`: `$`, or within a `define`
/// the variable that OpenStack-Helm keeps it in. `None` where there is none.
#[must_use]
pub fn root_variable(text: &str, offset: usize) -> Option<&'static str> {
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
