//! From a text to a [`Document`]: the events of yaml-rust2, and where each of them stands.
//!
//! They are pulled one by one, so that nesting is bounded before anything that recurses sees the text.

use std::collections::HashMap;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, ScanError};

use super::aliases::anchor_of;
use super::document::{Document, Located};
use super::error::{Error, ErrorKind};
use super::lines::{BYTE_ORDER_MARK, Lines, spaces_behind_colons};
use super::node::{Node, Position};
use super::{refuse, second_opinion};

/// How deep mappings and lists may be nested. Real values.yaml files stay below 20; the second
/// parser gives up at 128, and some parsers are quadratic in the depth of flow mappings.
const MAX_DEPTH: usize = 100;

impl<'t> Document<'t> {
    /// Parses the first document of `text`.
    ///
    /// Text behind `...` is ignored, as it is by Helm.
    ///
    /// # Errors
    /// The first group of [`ErrorKind`]: the text is not the one YAML document that a values.yaml
    /// must be, Helm would not take it, or parsers would not agree on what it is.
    pub fn parse(text: &'t str) -> Result<Self, Error> {
        let document = Self::parse_first(text)?;
        refuse::text_behind(&document)?;
        refuse::other_documents(&document)?;
        refuse::directives(&document)?;
        refuse::keys(&document)?;
        refuse::scalars(&document)?;
        second_opinion::if_unusual(&document)?;
        Ok(document)
    }

    /// Parses the first document of `text`, whatever stands behind it.
    pub(super) fn parse_first(text: &'t str) -> Result<Self, Error> {
        let lines = Lines::new(text);
        refuse::characters(&lines)?;
        // OpenStack-Helm's values have no event for less than 10 bytes.
        let events = Vec::with_capacity(text.len() / 10);
        let mut document = Document { lines, events, anchors: HashMap::new(), end: text.len() };
        let body = spaces_behind_colons(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text));
        // Decoding is a good part of the parser's work, and most texts need none.
        if body.is_ascii() {
            document.read_events(Parser::new(body.bytes().map(char::from)))?;
        } else {
            document.read_events(Parser::new_from_str(&body))?;
        }
        refuse::aliases(&document)?;
        document.find_styles();
        Ok(document)
    }

    fn read_events(&mut self, mut parser: Parser<impl Iterator<Item = char>>) -> Result<(), Error> {
        let mut cursor = Cursor::default();
        // The mappings and lists that are open, innermost last.
        let mut open: Vec<Open> = Vec::new();
        loop {
            let (event, mark) = parser.next_token().map_err(|error| self.syntax_error(&error))?;
            let node = Node(self.events.len());
            let offset = cursor.offset_of(&self.lines, mark);
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart => continue,
                Event::StreamEnd => return Ok(()),
                Event::DocumentEnd => {
                    self.end = offset.min(self.text().len());
                    return Ok(());
                }
                _ => {}
            }
            let is_start = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
            let is_end = matches!(event, Event::SequenceEnd | Event::MappingEnd);
            let parent = open.last().map_or(node, |open| open.start);
            let mut key = None;
            if is_end {
                open.pop();
                if let Some(start) = self.events.get_mut(parent.0) {
                    start.last = node.0;
                }
            } else if let Some(around) = open.last_mut().filter(|open| open.is_mapping) {
                key = around.key.take();
                around.key = Some(node).filter(|_| key.is_none());
            }
            if is_start {
                if open.len() == MAX_DEPTH {
                    return Err(Error::at(self.lines.position(offset), ErrorKind::Depth(MAX_DEPTH)));
                }
                open.push(Open {
                    start: node,
                    is_mapping: matches!(event, Event::MappingStart(..)),
                    key: None,
                });
            }
            if let Some(anchor) = anchor_of(&event) {
                self.anchors.insert(anchor, node);
            }
            self.events.push(Located { event, offset, last: node.0, parent, key, is_flow: false });
        }
    }

    /// Tells flow collections from block ones, and moves the start of a block mapping, which the
    /// parser marks at its first colon, to its first key.
    fn find_styles(&mut self) {
        for node in (0..self.events.len()).map(Node) {
            let bracket = match self.event(node) {
                Some(Event::MappingStart(..)) => '{',
                Some(Event::SequenceStart(..)) => '[',
                _ => continue,
            };
            let first = Node(node.0 + 1);
            let is_inside_flow = self.parent(node).is_some_and(|parent| self.is_flow(parent));
            let is_at = |text| self.lines.slice(self.offset(node), self.text().len()).starts_with(text);
            // The parser marks a list that is not indented at its first item, and the bracket may be that one's.
            let is_flow = is_inside_flow || is_at(bracket) && self.offset(first) != self.offset(node);
            let is_block_mapping = bracket == '{' && !is_flow;
            let first = if is_block_mapping && !is_at('?') { self.offset(first) } else { self.offset(node) };
            if let Some(located) = self.events.get_mut(node.0) {
                located.is_flow = is_flow;
                located.offset = first;
            }
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Error {
        let offset = Cursor::default().offset_of(&self.lines, *error.marker());
        let position = self.lines.position(offset);
        // The parser's own limit, for what it looks ahead at.
        if error.info().contains("recursion limit") {
            return Error::at(position, ErrorKind::Depth(MAX_DEPTH));
        }
        self.invalid(position, error.info())
    }

    /// The error of a text that does not parse at `position`. A tab that is near is what is wrong there.
    pub(super) fn invalid(&self, position: Position, what: &str) -> Error {
        let line = position.line.saturating_sub(1);
        let near = [line, line + 1, line.saturating_sub(1)];
        match near.into_iter().find_map(|line| self.lines.tab_in_indent(line)) {
            Some(tab) => Error::at(self.lines.position(tab), ErrorKind::Tab),
            None => Error::at(position, ErrorKind::Syntax(what.to_owned())),
        }
    }
}

/// A mapping or list whose end has not come yet.
struct Open {
    start: Node,
    is_mapping: bool,
    /// The key that waits for its value, in a mapping.
    key: Option<Node>,
}

/// The last mark that was turned into a byte offset: on the same line, counting goes on from there.
struct Cursor {
    line: usize,
    column: usize,
    offset: usize,
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor { line: usize::MAX, column: 0, offset: 0 }
    }
}

impl Cursor {
    /// Byte offset of one of the parser's marks.
    ///
    /// By line and column, not by the mark's index: that one counts characters, except behind a
    /// long line of a block scalar, where it counts bytes.
    fn offset_of(&mut self, lines: &Lines<'_>, mark: Marker) -> usize {
        let line = mark.line().saturating_sub(1);
        if self.line != line || self.column > mark.col() {
            *self = Cursor { line, column: 0, offset: lines.start(line) };
        }
        let behind = lines.slice(self.offset, lines.text.len());
        let columns = mark.col() - self.column;
        self.offset += match behind.as_bytes().get(..columns) {
            Some(bytes) if bytes.is_ascii() => columns,
            _ => behind.char_indices().nth(columns).map_or(behind.len(), |(at, _)| at),
        };
        self.column = mark.col();
        self.offset
    }
}
