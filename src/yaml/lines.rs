//! A text as lines, counted from 0.

use std::borrow::Cow;

use super::node::Position;

/// The byte order mark that some editors put in front of the text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text and where its lines start. A byte order mark is not part of the first.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Lines end in `\n`, `\r\n` or a lone `\r`, which is a line break in YAML.
    pub(super) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let is_first_of_two = |at: usize| bytes.get(at..at + 2) == Some(b"\r\n");
        let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|at| !is_first_of_two(*at));
        let mut starts = Vec::with_capacity(text.len() / 24);
        starts.push(if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 });
        starts.extend(breaks.map(|at| at + 1));
        Lines { text, starts }
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The text between two byte offsets; nothing where they are not in order.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The line that `offset` is in.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Byte offset at which a line starts; the end of the text for a line behind the last.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The text of a line, with its line break.
    pub(super) fn line(&self, line: usize) -> &'t str {
        self.slice(self.start(line), self.start(line + 1))
    }

    /// The text in front of `offset` in its line.
    pub(super) fn before(&self, offset: usize) -> &'t str {
        self.slice(self.start(self.at(offset)), offset)
    }

    /// Byte offset behind the line break of the line that `offset` is in.
    pub(super) fn end(&self, offset: usize) -> usize {
        self.start(self.at(offset) + 1)
    }

    /// Byte offset of the line break of the line that `offset` is in.
    pub(super) fn content_end(&self, offset: usize) -> usize {
        let line = self.at(offset);
        self.start(line) + self.line(line).trim_end_matches(['\r', '\n']).len()
    }

    /// Column of `offset` in characters, from 0.
    pub(super) fn column(&self, offset: usize) -> usize {
        self.before(offset).chars().count()
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        Position { line: self.at(offset) + 1, column: self.column(offset) + 1 }
    }

    /// The line break of the line in front of `offset`; that of the first line, where it has none.
    pub(super) fn break_at(&self, offset: usize) -> &'static str {
        let before = self.slice(0, offset);
        let line = if before.ends_with(['\n', '\r']) { before } else { self.slice(0, self.start(1)) };
        match line.as_bytes() {
            [.., b'\r', b'\n'] => "\r\n",
            [.., b'\r'] => "\r",
            _ => "\n",
        }
    }

    pub(super) fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim_matches([' ', '\t', '\r', '\n']).is_empty()
    }

    /// Column of the comment that is all there is in a line.
    pub(super) fn comment_column(&self, line: usize) -> Option<usize> {
        let text = self.line(line);
        let content = text.trim_start_matches([' ', '\t']);
        content.starts_with('#').then(|| text.len() - content.len())
    }

    /// Byte offset of the first tab in the indent of a line that is not blank.
    pub(super) fn tab_in_indent(&self, line: usize) -> Option<usize> {
        let text = self.line(line);
        let indent = text.find(|character| character != ' ' && character != '\t')?;
        let tab = text.get(..indent)?.find('\t')?;
        (!self.is_blank(line)).then(|| self.start(line) + tab)
    }
}

/// Puts a space in place of a tab behind a colon, which Helm takes and the parser does not. So it does in texts
/// that have such a tab in them; comparing them, the proof does the same.
pub(super) fn spaces_behind_colons(text: &str) -> Cow<'_, str> {
    if text.contains(":\t") { text.replace(":\t", ": ").into() } else { text.into() }
}
