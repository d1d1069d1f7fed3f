//! Which lines of the text an entry takes, comments included.
//!
//! Where its own lines end is known from the parser. Of the comments behind it those are part of it that
//! are indented deeper than its key.

use yaml_rust2::parser::Event;

use super::document::Document;
use super::error::{Error, ErrorKind};
use super::node::Node;

impl Document<'_> {
    /// Whether a key is written `? key`, with the value behind a colon on another line.
    pub(super) fn is_explicit(&self, key: Node) -> bool {
        self.lines.before(self.offset(key)).trim_end().ends_with('?')
    }

    /// The key of a value that stands in a block mapping, where lines can be put below it.
    pub(super) fn block_key(&self, value: Node) -> Option<Node> {
        self.key(value).filter(|_| self.parent(value).is_some_and(|parent| !self.is_flow(parent)))
    }

    /// Where the line below the key of `mapping` starts; of the outermost mapping, its first line.
    pub(super) fn start_of_entries(&self, mapping: Node) -> Result<usize, Error> {
        let first = self.offset(mapping);
        let first_line = self.lines.start(self.lines.at(first));
        let start = match self.block_key(mapping) {
            Some(key) if !self.is_explicit(key) => self.lines.end(self.offset(key)),
            _ => first_line,
        };
        if start > first_line || !self.is_first_of_line(first) {
            return Err(self.error(mapping, ErrorKind::NoLineOfItsOwn));
        }
        Ok(start)
    }

    /// Where the lines of the entry with this key start, comments that belong to it included, and
    /// the number of blank lines in front of them.
    ///
    /// All comments between two blocks belong to the second one, but for those that are indented.
    /// In front of the first block, where the licence stands, only those directly above it do.
    pub(super) fn start_of_entry(&self, mapping: Node, key: Node) -> Result<(usize, usize), Error> {
        if !self.is_first_of_line(self.offset(key)) {
            return Err(self.error(mapping, ErrorKind::NoLineOfItsOwn));
        }
        let line = self.lines.at(self.offset(key));
        let before = self.entries(mapping).take_while(|(other, _)| *other != key).last();
        if let Some((_, value)) = before {
            let column = self.lines.column(self.offset(mapping));
            let end = self.lines.at(self.behind_comments(self.end_of_content(value), column + 1));
            let start = (end..line).find(|line| !self.lines.is_blank(*line)).unwrap_or(line);
            return Ok((self.lines.start(start), start.saturating_sub(end)));
        }
        let is_comment = |line: &usize| self.lines.comment_column(*line).is_some();
        let start = (0..line).rev().take_while(is_comment).last();
        // Comments from the very top of the file on are its header.
        let start = start.filter(|start| *start > 0).unwrap_or(line);
        Ok((self.lines.start(start), 1))
    }

    fn is_first_of_line(&self, offset: usize) -> bool {
        self.lines.before(offset).trim_matches(' ').is_empty()
    }

    /// Byte offset behind the last line of `node`'s own text, without the blank lines and
    /// comments that follow, unless they are part of a block scalar.
    pub(crate) fn end_of_content(&self, node: Node) -> usize {
        let last = self.last(node);
        let leaf = self.last_leaf(node);
        if self.is_block_scalar(leaf) {
            return self.end_of_block_scalar(leaf);
        }
        if self.is_quoted(leaf) {
            return self.lines.end(self.end_of_quoted(leaf));
        }
        // What is written as nothing is behind what is in front of it.
        let written = match self.scalar(leaf) {
            Some("") => self.key(leaf).unwrap_or(Node(leaf.0.saturating_sub(1))),
            _ => leaf,
        };
        // A block collection ends where the next thing begins, dashes included.
        let is_block = last > node.0 && !self.is_flow(node);
        let next = if is_block { Node(last) } else { Node(last + 1) };
        self.last_line_with_content(self.offset(written), self.offset(next).min(self.end))
    }

    /// The last event of `node` that stands for text: a scalar, an alias, a closing bracket.
    fn last_leaf(&self, node: Node) -> Node {
        let closes_block = |index: usize| {
            self.events.get(index).is_some_and(|located| {
                matches!(located.event, Event::MappingEnd | Event::SequenceEnd)
                    && !self.is_flow(located.parent)
            })
        };
        Node((node.0 + 1..=self.last(node)).rev().find(|index| !closes_block(*index)).unwrap_or(node.0))
    }

    /// Byte offset behind the closing quote of a quoted scalar.
    pub(super) fn end_of_quoted(&self, node: Node) -> usize {
        let start = self.offset(node);
        let text = self.lines.slice(start, self.end);
        let is_double = text.starts_with('"');
        let mut characters = text.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' if is_double => drop(characters.next()),
                '"' if is_double => return start + at + 1,
                '\'' if !is_double && characters.next_if(|(_, next)| *next == '\'').is_none() => {
                    return start + at + 1;
                }
                _ => {}
            }
        }
        self.end
    }

    /// Byte offset behind the lines of a block scalar. The blank lines at its end are part of it
    /// where its header says to keep them (`|+`).
    fn end_of_block_scalar(&self, node: Node) -> usize {
        let offset = self.offset(node);
        let first = self.lines.at(offset);
        // The parser's mark is where the content starts. Where there is none it is at whatever
        // follows, or at the header itself if nothing does.
        let is_empty = self.scalar(node).is_some_and(|text| text.trim_matches('\n').is_empty());
        let at_header = is_empty && self.lines.slice(offset, self.end).starts_with(['|', '>']);
        let header = if at_header {
            first
        } else {
            (0..first).rev().find(|line| !self.lines.is_blank(*line)).unwrap_or(0)
        };
        let indent = if is_empty { usize::MAX } else { self.lines.column(offset) };
        let mut end = header + 1;
        let mut line = header + 1;
        while self.lines.start(line) < self.end {
            let text = self.lines.line(line);
            let spaces = text.len() - text.trim_start_matches(' ').len();
            let is_blank = self.lines.is_blank(line);
            // White space beyond the indent is content.
            if spaces > indent || spaces == indent && !is_blank {
                end = line + 1;
            } else if !is_blank {
                break;
            }
            line += 1;
        }
        let keeps_blank_lines = self.scalar(node).is_some_and(|text| text.ends_with("\n\n") || text == "\n");
        self.lines.start(if keeps_blank_lines { line } else { end })
    }

    /// Byte offset behind the last line that holds more than white space or a comment, from the
    /// line of `from` on, which counts in any case, to in front of the line of `next`.
    fn last_line_with_content(&self, from: usize, next: usize) -> usize {
        let first = self.lines.at(from) + 1;
        // At the end of a text without a final line break, `next` is in the last line itself.
        let is_unfinished = next == self.text().len() && !self.lines.before(next).is_empty();
        let behind = self.lines.at(next) + usize::from(is_unfinished);
        let is_content =
            |line: &usize| !self.lines.is_blank(*line) && self.lines.comment_column(*line).is_none();
        let end = (first..behind).rev().find(is_content).map_or(first, |line| line + 1);
        self.lines.start(end)
    }

    /// Byte offset behind the comments from `end` on that stand at `column` or further right,
    /// with blank lines between them.
    pub(crate) fn behind_comments(&self, end: usize, column: usize) -> usize {
        let mut behind = end;
        let mut line = self.lines.at(end);
        if self.lines.start(line) != end {
            return end;
        }
        while self.lines.start(line) < self.end {
            match self.lines.comment_column(line) {
                Some(at) if at >= column => behind = self.lines.start(line + 1),
                None if self.lines.is_blank(line) => {}
                _ => break,
            }
            line += 1;
        }
        behind
    }
}
