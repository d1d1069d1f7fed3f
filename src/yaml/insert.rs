//! Where new entries go in the text of a mapping, and how they are written there.
//!
//! Entries of a block mapping are whole lines, put in between two lines of the text. Where the
//! lines of an entry end is known from the parser, and so is which of the comments behind it are
//! part of it: those that are indented deeper than its key.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Range;

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::document::{Document, Kind, Node, Style};
use super::entry::{self, Entry};
use crate::edit::Edit;

/// Indent of a level where the text shows no habit of its own.
const DEFAULT_STEP: usize = 2;

/// Where in a mapping new entries go. Flow mappings (`{}`) take them at their end in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In front of all entries, directly below the key that the mapping belongs to.
    First,
    /// Behind all entries, and behind comments that are indented like them.
    Last,
    /// Behind the entry with this key.
    After(Node),
    /// In front of the entry with this key and of the comments that belong to it.
    Before(Node),
}

/// New entries for one mapping: how the text changes, and what the parser must then see.
#[derive(Clone, Debug)]
pub struct Addition {
    /// What changes in the text. One insertion; where the mapping was written as null or `{}`,
    /// that goes as well.
    pub edits: Vec<Edit>,
    /// The mapping, as it was in the old document.
    pub mapping: Node,
    /// What is added to it.
    pub entries: Vec<Entry>,
    pub(super) splice: Splice,
}

impl Addition {
    /// Whether it puts whole lines in between two lines of `text`, and changes none.
    #[must_use]
    pub fn adds_lines_only(&self, text: &str) -> bool {
        self.edits.iter().all(|edit| {
            let before = text.get(..edit.range.start).unwrap_or_default();
            edit.range.is_empty() && before.ends_with('\n') && edit.replacement.ends_with('\n')
        })
    }
}

/// The edits of several additions to one document, in the order in which they are to be made.
///
/// Two can be insertions at one and the same place: behind the last entry of one block, and in
/// front of the next block. Then that goes first which comes first in the document.
#[must_use]
pub fn edits<A: Borrow<Addition>>(additions: &[A]) -> Vec<Edit> {
    let mut sorted: Vec<&Addition> = additions.iter().map(Borrow::borrow).collect();
    sorted.sort_by_key(|addition| addition.splice.at);
    sorted.into_iter().flat_map(|addition| addition.edits.iter().cloned()).collect()
}

/// How the events of the document change: at index `at`, `removed` of them become `inserted`.
#[derive(Clone, Debug)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) inserted: Vec<Event>,
}

/// Why nothing can be added to a node by inserting text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is a list, a scalar or an alias.
    NotAMapping(Kind),
    /// It is the mapping in `[key: value]`, which would need braces first.
    Pair,
    /// There is a comment inside the flow mapping, which might swallow what is added.
    CommentInFlow,
    /// The flow mapping ends in a colon, which some parsers take for a part of the key.
    ColonInFlow,
    /// It is null inside a flow collection.
    NullInFlow,
    /// It is nothing, behind a key that is written `? key`.
    NothingBehindExplicitKey,
    /// The text ends in a block scalar without a line break, and one would become part of it.
    UnfinishedBlockScalar,
    /// The place asked for is not one between two lines of the text.
    NoLineOfItsOwn,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::NotAMapping(kind) => write!(f, "{kind}, where a mapping belongs"),
            Obstacle::Pair => f.write_str("a mapping inside [] without braces of its own"),
            Obstacle::CommentInFlow => f.write_str("a flow mapping ({...}) with a comment in it"),
            Obstacle::ColonInFlow => f.write_str("a flow mapping ({...}) that ends in a colon"),
            Obstacle::NullInFlow => f.write_str("null inside a flow mapping ({...})"),
            Obstacle::NothingBehindExplicitKey => {
                f.write_str("null, behind a key that is written with a `?`")
            }
            Obstacle::UnfinishedBlockScalar => {
                f.write_str("a block scalar (|, >) that ends the text without a line break")
            }
            Obstacle::NoLineOfItsOwn => f.write_str("a mapping that starts on the line of something else"),
        }
    }
}

impl std::error::Error for Obstacle {}

impl Document<'_> {
    /// Adds `entries` to `mapping`. A null that is the value of a key counts as an empty mapping.
    ///
    /// Nothing is changed here: the answer says what to change, and
    /// [`prove`](super::proof::prove) says afterwards whether it came out right.
    ///
    /// # Errors
    /// [`Obstacle`], where that cannot be done by putting text in.
    pub fn add(&self, mapping: Node, place: Place, entries: &[Entry]) -> Result<Addition, Obstacle> {
        let is_empty = self.last(mapping) == mapping.0 + 1;
        let (edits, splice) = match (self.kind(mapping), self.style(mapping)) {
            (Kind::Null, _) => self.fill_null(mapping, entries)?,
            (Kind::Mapping, Style::Pair) => return Err(Obstacle::Pair),
            (Kind::Mapping, Style::Flow) if is_empty => self.fill_braces(mapping, entries)?,
            (Kind::Mapping, Style::Flow) => self.extend_flow(mapping, entries)?,
            (Kind::Mapping, Style::Block) => self.extend_block(mapping, place, entries)?,
            (kind, _) => return Err(Obstacle::NotAMapping(kind)),
        };
        Ok(Addition { edits, mapping, entries: entries.to_vec(), splice })
    }

    fn extend_block(
        &self,
        mapping: Node,
        place: Place,
        entries: &[Entry],
    ) -> Result<(Vec<Edit>, Splice), Obstacle> {
        let first = self.offset(mapping);
        // An anchor or a tag of a first key that is a list or mapping: the keys start further left.
        if self.slice(self.line_start(self.line_of(first)), first).contains(['&', '!']) {
            return Err(Obstacle::NoLineOfItsOwn);
        }
        let column = self.column(first);
        let is_root = self.parent(mapping).is_none();
        let last_key = self.entries(mapping).last().map(|(key, _)| key);
        let mut blank_before = 0;
        let mut blank_after = 0;
        let (at, event) = match place {
            Place::First => (self.start_of_entries(mapping)?, mapping.0 + 1),
            Place::After(key) if Some(key) != last_key => {
                let value = self.value_of(key);
                (self.absorb_comments(self.end_of_content(value), column + 1), self.last(value) + 1)
            }
            Place::Last | Place::After(_) => {
                // Comments indented less than the keys can be commented-out keys of this mapping
                // just the same, as long as they are inside of what it belongs to.
                let inside = self.owner_column(mapping).map_or(0, |column| column + 1);
                // A blank line behind a block scalar may become part of it.
                if is_root && self.ending_block_scalar().is_none() {
                    blank_before = self.usual_gap(mapping);
                }
                (self.absorb_comments(self.end_of_content(mapping), inside), self.last(mapping))
            }
            Place::Before(key) => {
                let (at, gap) = self.start_of_entry(mapping, key)?;
                if is_root {
                    blank_after = gap;
                }
                (at, key.0)
            }
        };
        let mut lines = String::new();
        let line_break = self.line_break_at(at);
        lines.extend(std::iter::repeat_n(line_break, blank_before));
        entry::block_lines(entries, column, self.step(mapping), line_break, &mut lines);
        lines.extend(std::iter::repeat_n(line_break, blank_after));
        let mut inserted = Vec::new();
        entry::entries_events(entries, &mut inserted);
        Ok((vec![self.insert_lines(at, lines)?], Splice { at: event, removed: 0, inserted }))
    }

    /// `{a: 1}` becomes `{a: 1, b: 2}`.
    fn extend_flow(&self, mapping: Node, entries: &[Entry]) -> Result<(Vec<Edit>, Splice), Obstacle> {
        let end = self.last(mapping);
        let brace = self.offset(Node(end));
        let leaf = self.last_leaf(mapping, end);
        let from = if self.is_quoted(leaf) { self.end_of_quoted(leaf) } else { self.offset(leaf) };
        let tail = self.slice(from, brace);
        if has_comment(tail) {
            return Err(Obstacle::CommentInFlow);
        }
        let content = tail.trim_end();
        if content.len() == tail.len() && content.ends_with(':') {
            return Err(Obstacle::ColonInFlow);
        }
        let is_unwritten = self.scalar(leaf) == Some("") && !self.is_quoted(leaf);
        let mut text = String::from(match content.ends_with(',') {
            true => " ",
            // A colon that a comma follows is part of the key to some parsers.
            false if is_unwritten => " , ",
            false => ", ",
        });
        entry::flow_text(entries, &mut text);
        let mut inserted = Vec::new();
        entry::entries_events(entries, &mut inserted);
        Ok((vec![Edit::insert(from + content.len(), text)], Splice { at: end, removed: 0, inserted }))
    }

    /// `key: {}` becomes `key:` with lines below it; inside a flow collection or a list, where
    /// there is no key to put lines below, `{}` becomes `{a: 1}`.
    fn fill_braces(&self, mapping: Node, entries: &[Entry]) -> Result<(Vec<Edit>, Splice), Obstacle> {
        let (open, close) = (self.offset(mapping), self.offset(Node(mapping.0 + 1)));
        if has_comment(self.slice(open, close)) {
            return Err(Obstacle::CommentInFlow);
        }
        let mut inserted = Vec::new();
        entry::entries_events(entries, &mut inserted);
        let splice = Splice { at: mapping.0 + 1, removed: 0, inserted };
        if let Some(key) = self.block_key(mapping) {
            return Ok((self.replace_by_lines(key, open..close + 1, entries)?, splice));
        }
        let mut text = String::new();
        entry::flow_text(entries, &mut text);
        Ok((vec![Edit::insert(open + 1, text)], splice))
    }

    /// `key:`, `key: ~` and `key: null` become `key:` with lines below it.
    fn fill_null(&self, null: Node, entries: &[Entry]) -> Result<(Vec<Edit>, Splice), Obstacle> {
        let key = self.block_key(null).ok_or(match self.parent(null).map(|parent| self.kind(parent)) {
            Some(Kind::Mapping) => Obstacle::NullInFlow,
            _ => Obstacle::NotAMapping(Kind::Null),
        })?;
        let written = self.scalar(null).unwrap_or_default().len();
        // Behind a key that is written `? key`, the value has a line of its own, or none.
        if written == 0 && self.is_explicit(key) {
            return Err(Obstacle::NothingBehindExplicitKey);
        }
        let start = if written == 0 { self.line_content_end(self.offset(key)) } else { self.offset(null) };
        let anchor = match self.events().get(null.0) {
            Some(Event::Scalar(_, _, anchor, _)) => *anchor,
            _ => 0,
        };
        let mut inserted = vec![Event::MappingStart(anchor, None)];
        entry::entries_events(entries, &mut inserted);
        inserted.push(Event::MappingEnd);
        let splice = Splice { at: null.0, removed: 1, inserted };
        Ok((self.replace_by_lines(key, start..start + written, entries)?, splice))
    }

    /// Takes out `old`, the value of `key`, and puts `entries` on lines of their own below it.
    fn replace_by_lines(
        &self,
        key: Node,
        old: Range<usize>,
        entries: &[Entry],
    ) -> Result<Vec<Edit>, Obstacle> {
        let owner = self.parent(key).unwrap_or(key);
        let column = self.column(self.offset(owner));
        let step = self.step(owner);
        let at = self.absorb_comments(self.line_end(old.end), column + 1);
        let mut lines = String::new();
        entry::block_lines(entries, column + step, step, self.line_break_at(at), &mut lines);
        let insertion = self.insert_lines(at, lines)?;
        if old.is_empty() {
            return Ok(vec![insertion]);
        }
        let before = self.slice(self.line_start(self.line_of(old.start)), old.start);
        let start = old.start - (before.len() - before.trim_end_matches(' ').len());
        Ok(vec![Edit::remove(start..old.end), insertion])
    }

    /// Whether a key is written `? key`, with the value behind a colon on another line.
    fn is_explicit(&self, key: Node) -> bool {
        let offset = self.offset(key);
        self.slice(self.line_start(self.line_of(offset)), offset).trim_end().ends_with('?')
    }

    /// The key of a value that stands in a block mapping, where lines can be put below it.
    fn block_key(&self, value: Node) -> Option<Node> {
        let key = self.key(value)?;
        let parent = self.parent(value)?;
        (self.style(parent) == Style::Block).then_some(key)
    }

    /// An insertion of whole lines at the start of a line, or at the end of a text whose last
    /// line has no line break, and then the text goes without one afterwards too.
    fn insert_lines(&self, at: usize, lines: String) -> Result<Edit, Obstacle> {
        let before = self.slice(0, at);
        let line_break = self.line_break_at(at);
        if before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}']) {
            return Ok(Edit::insert(at, lines));
        }
        if self.ending_block_scalar().is_some() {
            return Err(Obstacle::UnfinishedBlockScalar);
        }
        let unfinished = lines.strip_suffix(line_break).unwrap_or(&lines);
        Ok(Edit::insert(at, format!("{line_break}{unfinished}")))
    }

    /// The line break of the line in front of `at`; of the first line, where that has none.
    fn line_break_at(&self, at: usize) -> &'static str {
        let before = self.slice(0, at);
        let line = if before.ends_with(['\n', '\r']) { before } else { self.slice(0, self.line_start(1)) };
        match line.as_bytes() {
            [.., b'\r', b'\n'] => "\r\n",
            [.., b'\r'] => "\r",
            _ => "\n",
        }
    }

    /// Indent of one level: as in the first block mapping inside of `mapping`, else as between
    /// `mapping` and what it is in.
    fn step(&self, mapping: Node) -> usize {
        let column = self.column(self.offset(mapping));
        let is_block =
            |value: &Node| self.kind(*value) == Kind::Mapping && self.style(*value) == Style::Block;
        let inside = self.entries(mapping).map(|(_, value)| value).find(is_block);
        let inside = inside.and_then(|child| self.column(self.offset(child)).checked_sub(column));
        let outside = self.owner_column(mapping).and_then(|owner| column.checked_sub(owner));
        [inside, outside].into_iter().flatten().find(|step| *step > 0).unwrap_or(DEFAULT_STEP)
    }

    /// Column of the block mapping whose key `mapping` is the value of.
    fn owner_column(&self, mapping: Node) -> Option<usize> {
        let parent = self.parent(mapping)?;
        Some(self.column(self.offset(parent)))
    }

    fn value_of(&self, key: Node) -> Node {
        Node(self.last(key) + 1)
    }

    /// Where the line below the key of `mapping` starts; of the outermost mapping, its first line.
    fn start_of_entries(&self, mapping: Node) -> Result<usize, Obstacle> {
        let first_line = self.line_start(self.line_of(self.offset(mapping)));
        let start = match self.block_key(mapping) {
            Some(key) if !self.is_explicit(key) => self.line_end(self.offset(key)),
            _ => first_line,
        };
        let is_alone = self.slice(first_line, self.offset(mapping)).trim_matches(' ').is_empty();
        if is_alone && start <= first_line { Ok(start) } else { Err(Obstacle::NoLineOfItsOwn) }
    }

    /// Where the lines of the entry with this key start, comments that belong to it included, and
    /// the number of blank lines in front of them.
    ///
    /// All comments between two blocks belong to the second one, but for those that are indented.
    /// In front of the first block, where the licence stands, only those directly above it do.
    fn start_of_entry(&self, mapping: Node, key: Node) -> Result<(usize, usize), Obstacle> {
        let line = self.line_of(self.offset(key));
        let column = self.column(self.offset(mapping));
        let line_start = self.line_start(line);
        if !self.slice(line_start, self.offset(key)).trim_matches(' ').is_empty() {
            return Err(Obstacle::NoLineOfItsOwn);
        }
        let before = self.entries(mapping).take_while(|(other, _)| *other != key).last();
        if let Some((_, value)) = before {
            let end = self.absorb_comments(self.end_of_content(value), column + 1);
            let mut start = self.line_of(end);
            while start < line && self.is_blank(start) {
                start += 1;
            }
            return Ok((self.line_start(start), start - self.line_of(end)));
        }
        let mut start = line;
        while start > 0 && self.comment_column(start - 1).is_some() {
            start -= 1;
        }
        // Comments from the very top of the file on are its header.
        let start = if start == 0 { line } else { start };
        Ok((self.line_start(start), 1))
    }

    /// Blank lines between the last two entries of the outermost mapping.
    fn usual_gap(&self, mapping: Node) -> usize {
        let keys: Vec<Node> = self.entries(mapping).map(|(key, _)| key).collect();
        match keys.as_slice() {
            [.., _, last] => self.start_of_entry(mapping, *last).map_or(1, |(_, gap)| gap),
            _ => 1,
        }
    }

    /// Byte offset behind the last line of `node`'s own text, without the blank lines and
    /// comments that follow, unless they are part of a block scalar.
    fn end_of_content(&self, node: Node) -> usize {
        let last = self.last(node);
        let leaf = self.last_leaf(node, last + 1);
        // A block collection ends where the next thing begins, dashes included.
        let is_block = last > node.0 && self.style(node) == Style::Block;
        let next = self.offset(Node(if is_block { last } else { last + 1 })).min(self.end());
        let offset = self.offset(leaf);
        match self.events().get(leaf.0) {
            Some(Event::Scalar(text, TScalarStyle::Literal | TScalarStyle::Folded, ..)) => {
                self.end_of_block_scalar(leaf, text)
            }
            Some(Event::Scalar(_, TScalarStyle::SingleQuoted | TScalarStyle::DoubleQuoted, ..)) => {
                self.line_end(self.end_of_quoted(leaf))
            }
            // Nothing is written for it: what is in front of it is the last that is.
            Some(Event::Scalar(text, ..)) if text.is_empty() => {
                let written = self.key(leaf).unwrap_or(Node(leaf.0.saturating_sub(1)));
                self.last_line_with_content(self.offset(written), next)
            }
            _ => self.last_line_with_content(offset, next),
        }
    }

    /// The last event before `end` that stands for text: a scalar, an alias, a closing bracket.
    fn last_leaf(&self, node: Node, end: usize) -> Node {
        let mut index = end.saturating_sub(1);
        while index > node.0 {
            let closes_block =
                matches!(self.events().get(index), Some(Event::MappingEnd | Event::SequenceEnd))
                    && self.parent(Node(index)).is_some_and(|start| self.style(start) != Style::Flow);
            if !closes_block {
                break;
            }
            index -= 1;
        }
        Node(index)
    }

    fn is_quoted(&self, node: Node) -> bool {
        matches!(
            self.events().get(node.0),
            Some(Event::Scalar(_, TScalarStyle::SingleQuoted | TScalarStyle::DoubleQuoted, ..))
        )
    }

    /// Byte offset behind the closing quote of a quoted scalar.
    fn end_of_quoted(&self, node: Node) -> usize {
        let start = self.offset(node);
        let bytes = self.slice(start, self.end()).as_bytes();
        let Some(quote) = bytes.first() else { return start };
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            if *byte == b'\\' && *quote == b'"' {
                at += 1;
            } else if byte == quote {
                if *quote == b'\'' && bytes.get(at + 1) == Some(quote) {
                    at += 1;
                } else {
                    return start + at + 1;
                }
            }
            at += 1;
        }
        start + bytes.len()
    }

    /// Byte offset behind the lines of a block scalar. The blank lines at its end are part of it
    /// where its header says to keep them (`|+`).
    fn end_of_block_scalar(&self, node: Node, text: &str) -> usize {
        let offset = self.offset(node);
        let first = self.line_of(offset);
        // The parser's mark is where the content starts. Where there is none it is at whatever
        // follows, or at the header itself if nothing does.
        let is_empty = text.trim_matches('\n').is_empty();
        let at_header = is_empty && self.slice(offset, self.end()).starts_with(['|', '>']);
        let mut header = first;
        if !at_header {
            header = header.saturating_sub(1);
            while header > 0 && self.is_blank(header) {
                header -= 1;
            }
        }
        let indent = if is_empty { usize::MAX } else { self.column(offset) };
        let mut end = header + 1;
        let mut line = header + 1;
        while self.line_start(line) < self.end() {
            let text = self.line(line);
            let spaces = text.len() - text.trim_start_matches(' ').len();
            if self.is_blank(line) {
                // White space beyond the indent is content.
                if spaces > indent {
                    end = line + 1;
                }
            } else if spaces >= indent {
                end = line + 1;
            } else {
                break;
            }
            line += 1;
        }
        self.line_start(if self.keeps_blank_lines(header) { line } else { end })
    }

    /// Whether the block scalar header in this line says to keep blank lines at the end.
    fn keeps_blank_lines(&self, line: usize) -> bool {
        let text = self.line(line);
        text.match_indices(['|', '>']).any(|(at, _)| {
            let header = text.get(at + 1..).unwrap_or_default();
            let rest = header.trim_start_matches(|character: char| {
                character == '+' || character == '-' || character.is_ascii_digit()
            });
            let indicators = header.get(..header.len() - rest.len()).unwrap_or_default();
            let ends_here =
                rest.trim().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
            ends_here && indicators.contains('+')
        })
    }

    /// Byte offset behind the last line that holds more than white space or a comment, from the
    /// line of `from` on, which counts in any case, to in front of the line of `next`.
    fn last_line_with_content(&self, from: usize, next: usize) -> usize {
        let first = self.line_of(from) + 1;
        // At the end of a text without a final line break, `next` is in the last line itself.
        let unfinished = next == self.text().len() && self.line_start(self.line_of(next)) < next;
        let behind = self.line_of(next) + usize::from(unfinished);
        let is_content = |line: &usize| !self.is_blank(*line) && self.comment_column(*line).is_none();
        let end = (first..behind).rev().find(is_content).map_or(first, |line| line + 1);
        self.line_start(end)
    }

    /// Byte offset behind the comments from `end` on that stand at `column` or further right,
    /// with blank lines between them.
    fn absorb_comments(&self, end: usize, column: usize) -> usize {
        let mut absorbed = end;
        let mut line = self.line_of(end);
        if self.line_start(line) != end {
            return end;
        }
        while self.line_start(line) < self.end() {
            match self.comment_column(line) {
                Some(at) if at >= column => absorbed = self.line_start(line + 1),
                None if self.is_blank(line) => {}
                _ => break,
            }
            line += 1;
        }
        absorbed
    }

    /// The text of a line, with its line break.
    fn line(&self, line: usize) -> &str {
        self.slice(self.line_start(line), self.line_start(line + 1))
    }

    /// Byte offset of the line break of the line that `offset` is in.
    fn line_content_end(&self, offset: usize) -> usize {
        let start = self.line_start(self.line_of(offset));
        start + self.line(self.line_of(offset)).trim_end_matches(['\r', '\n']).len()
    }

    fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim_matches([' ', '\t', '\r', '\n']).is_empty()
    }

    /// Column of the comment that is all there is in a line.
    fn comment_column(&self, line: usize) -> Option<usize> {
        let text = self.line(line);
        let content = text.trim_start_matches([' ', '\t']);
        content.starts_with('#').then(|| text.len() - content.len())
    }
}

/// Whether a stretch of flow text may hold a comment.
fn has_comment(text: &str) -> bool {
    text.match_indices('#').any(|(at, _)| {
        text.get(..at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    })
}
