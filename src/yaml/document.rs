//! A YAML text, parsed into events that know where they stand in it.
//!
//! Only the first document of the text counts, as it does for Helm: whatever follows `...` is
//! carried along untouched. The events are yaml-rust2's own, pulled one by one, so that nesting
//! is bounded before anything that recurses sees the text.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

/// How deep mappings and lists may be nested. Real values.yaml files stay below 20; the second
/// parser gives up at 128, and some parsers are quadratic in the depth of flow mappings.
pub const MAX_DEPTH: usize = 100;

/// How many nodes aliases may stand for altogether, each counted as often as it is referred to.
/// Helm gives up on "excessive aliasing" too; real values.yaml files stay below a hundred.
pub const MAX_ALIASED: usize = 200_000;

/// The byte order mark that some editors put before the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A node of a [`Document`]: the index of the event that starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub(super) usize);

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `key: value` lines, or `{key: value}`.
    Mapping,
    /// `- item` lines, or `[item]`.
    List,
    /// A scalar that reads as null: nothing at all, `~` or `null`.
    Null,
    /// Any other scalar.
    Scalar,
    /// `*name`, which stands for a node elsewhere.
    Alias,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Mapping => "a mapping",
            Kind::List => "a list",
            Kind::Null => "null",
            Kind::Scalar => "a scalar",
            Kind::Alias => "an alias",
        })
    }
}

/// How a mapping or list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By lines and indent; also what scalars and aliases are counted as.
    Block,
    /// In `{}` or `[]`.
    Flow,
    /// The mapping in `[key: value]`, which has no braces of its own.
    Pair,
}

/// A place in a text as editors count it: both numbers start at 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One step of the way from the root to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'s> {
    /// To the value under this key; the last one, where the key stands twice.
    Key(&'s str),
    /// To the item with this number, from 0, of a list.
    Item(usize),
}

/// Why a text cannot be read as the one YAML document that a values.yaml must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The text holds a NUL character, at which YAML parsers stop reading.
    Nul(Position),
    /// The parser's own complaint.
    Syntax(Position, String),
    /// A tab where only spaces may indent.
    Tab(Position),
    /// Mappings and lists nested deeper than [`MAX_DEPTH`].
    Depth(Position),
    /// A second document begins.
    SecondDocument(Position),
    /// A character that is a line break to Helm's parser and none to YAML 1.2, or a byte order mark
    /// inside of the text.
    Character(Position, char),
    /// A control character, which YAML does not allow and Helm does not take, in comments neither.
    Control(Position, char),
    /// Aliases that stand for more than [`MAX_ALIASED`] nodes altogether.
    Aliases(Position),
}

impl ParseError {
    /// Where the trouble is.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            ParseError::Nul(position)
            | ParseError::Syntax(position, _)
            | ParseError::Tab(position)
            | ParseError::Depth(position)
            | ParseError::SecondDocument(position)
            | ParseError::Character(position, _)
            | ParseError::Control(position, _)
            | ParseError::Aliases(position) => *position,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Nul(_) => f.write_str("a NUL character ends the YAML here"),
            ParseError::Syntax(_, complaint) => write!(f, "not valid YAML: {complaint}"),
            ParseError::Tab(_) => f.write_str("a tab is used as indent"),
            ParseError::Depth(_) => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            ParseError::SecondDocument(_) => f.write_str("a second YAML document begins here"),
            ParseError::Character(_, character) => {
                write!(f, "the character U+{:04X}, which YAML parsers disagree on", u32::from(*character))
            }
            ParseError::Control(_, character) => {
                write!(f, "the control character U+{:04X}, which YAML does not allow", u32::from(*character))
            }
            ParseError::Aliases(_) => {
                f.write_str("aliases (*) that stand for too much of the text over and over")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// What is known of one event beside the event itself.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Byte offset in the text. For a block scalar the first line of its content, for something
    /// that is written as nothing the token that follows.
    offset: usize,
    /// Index of the event that ends this node: its own for a scalar or an alias.
    last: usize,
    /// Index of the event that starts the mapping or list around this node.
    parent: usize,
    /// For a value in a mapping, the index of its key.
    key: Option<usize>,
    style: Style,
}

/// A mark of the parser whose byte offset is known. The default one is that of the first line, which
/// a byte order mark may come before: it counts for no line.
#[derive(Debug)]
struct Counted {
    line: usize,
    column: usize,
    offset: usize,
}

impl Default for Counted {
    fn default() -> Self {
        Counted { line: usize::MAX, column: 0, offset: 0 }
    }
}

/// The first document of a YAML text.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    /// Byte offset at which each line starts that the parser has seen; a byte order mark is not part of
    /// the first. Between them others may be left out, see [`Document::parse_lines`].
    lines: Vec<usize>,
    /// How many lines are left out before each of these; empty where none is.
    left_out: Vec<usize>,
    /// The document's events, without those that start and end stream and document.
    events: Vec<Event>,
    places: Vec<Place>,
    /// Anchors that an alias refers to.
    aliased: HashSet<usize>,
    /// The nodes that have an anchor, by the parser's number for it.
    anchored: HashMap<usize, usize>,
    /// Where the document ends: at `...`, or at the end of the text.
    end: usize,
}

impl<'t> Document<'t> {
    /// Parses the first document of `text`.
    ///
    /// # Errors
    /// What [`ParseError`] lists. An unclosed document that is followed by another one is an
    /// error; text after `...` is not, since Helm ignores it.
    pub fn parse(text: &'t str) -> Result<Self, ParseError> {
        let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Document::read(text, line_starts(text, text.len() - body.len()), Vec::new(), body)
    }

    /// Parses no more of `text` than `lines`, each with its line break; only for characters that are refused
    /// all of it is searched. Places are those in `text`. Good enough for a look, and never to edit; see
    /// [`excerpt()`](super::excerpt()).
    ///
    /// # Errors
    /// As [`parse`](Document::parse).
    pub fn parse_lines(text: &'t str, lines: &[Range<usize>]) -> Result<Self, ParseError> {
        let starts = lines.iter().map(|line| line.start).collect();
        let seen: String = lines.iter().filter_map(|line| text.get(line.clone())).collect();
        let (mut end, mut sum) = (0, 0);
        let left_out = lines.iter().map(|line| {
            let between = text.get(end..line.start).unwrap_or_default();
            end = line.end;
            sum += line_breaks(between).count();
            sum
        });
        Document::read(text, starts, left_out.collect(), &seen)
    }

    /// Has the parser read `seen`, which is what stands in the `lines` of `text`.
    fn read(text: &'t str, lines: Vec<usize>, left_out: Vec<usize>, seen: &str) -> Result<Self, ParseError> {
        // OpenStack-Helm's values have an event for every 15 bytes.
        let events = seen.len() / 12;
        let mut document = Document {
            text,
            lines,
            left_out,
            events: Vec::with_capacity(events),
            places: Vec::with_capacity(events),
            aliased: HashSet::new(),
            anchored: HashMap::new(),
            end: text.len(),
        };
        document.refuse_characters()?;
        // Decoding is a good part of the parser's work, and most texts need none.
        if seen.is_ascii() {
            document.read_events(Parser::new(seen.bytes().map(char::from)))?;
        } else {
            document.read_events(Parser::new_from_str(seen))?;
        }
        document.refuse_too_many_aliases()?;
        document.find_styles();
        document.refuse_tabs()?;
        document.refuse_text_behind()?;
        document.refuse_second_document()?;
        Ok(document)
    }

    /// The text that was parsed, whole.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The node that everything else is in. `None` where the document is empty.
    #[must_use]
    pub fn root(&self) -> Option<Node> {
        (!self.events.is_empty()).then_some(Node(0))
    }

    /// What `node` is.
    #[must_use]
    pub fn kind(&self, node: Node) -> Kind {
        match self.events.get(node.0) {
            Some(Event::MappingStart(..)) => Kind::Mapping,
            Some(Event::SequenceStart(..)) => Kind::List,
            Some(Event::Alias(_)) => Kind::Alias,
            Some(Event::Scalar(text, TScalarStyle::Plain, _, None)) if is_null(text) => Kind::Null,
            _ => Kind::Scalar,
        }
    }

    /// The text of a scalar, without its quotes; `None` for anything else.
    #[must_use]
    pub fn scalar(&self, node: Node) -> Option<&str> {
        match self.events.get(node.0) {
            Some(Event::Scalar(text, ..)) => Some(text),
            _ => None,
        }
    }

    /// Whether `node` is a scalar without quotes, on one line or several.
    #[must_use]
    pub fn is_plain(&self, node: Node) -> bool {
        matches!(self.events.get(node.0), Some(Event::Scalar(_, TScalarStyle::Plain, ..)))
    }

    /// The keys and values of a mapping, in the order of the text. Empty for anything else.
    pub fn entries(&self, mapping: Node) -> impl Iterator<Item = (Node, Node)> {
        let is_mapping = self.kind(mapping) == Kind::Mapping;
        let mut children = self.children(mapping).filter(move |_| is_mapping);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The nodes directly in a mapping (keys and values in turn) or a list.
    pub(super) fn children(&self, parent: Node) -> impl Iterator<Item = Node> {
        let last = self.last(parent);
        let mut next = parent.0.saturating_add(1);
        std::iter::from_fn(move || {
            (next < last).then(|| {
                let child = Node(next);
                next = self.last(child) + 1;
                child
            })
        })
    }

    /// The value that Helm sees under `key`: the last one, where the key stands twice.
    #[must_use]
    pub fn get(&self, mapping: Node, key: &str) -> Option<Node> {
        self.entries(mapping)
            .filter(|(name, _)| self.scalar(*name) == Some(key))
            .last()
            .map(|(_, value)| value)
    }

    /// The node that `path` leads to from the root.
    #[must_use]
    pub fn find(&self, path: &[Step<'_>]) -> Option<Node> {
        path.iter().try_fold(self.root()?, |node, step| match step {
            Step::Key(key) => self.get(node, key),
            Step::Item(number) if self.kind(node) == Kind::List => self.children(node).nth(*number),
            Step::Item(_) => None,
        })
    }

    /// The way to `node` as people write it: `conf.nova.DEFAULT`, `hosts[2].name`.
    #[must_use]
    pub fn path(&self, node: Node) -> String {
        let Some(parent) = self.parent(node) else { return String::new() };
        let above = self.path(parent);
        match self.key(node).and_then(|key| self.scalar(key)) {
            Some(key) if above.is_empty() => key.to_owned(),
            Some(key) => format!("{above}.{key}"),
            None => {
                let number = self.children(parent).take_while(|item| *item != node).count();
                format!("{above}[{number}]")
            }
        }
    }

    /// Every mapping of the document, the outer ones first.
    pub fn mappings(&self) -> impl Iterator<Item = Node> {
        (0..self.events.len()).map(Node).filter(|node| self.kind(*node) == Kind::Mapping)
    }

    /// The node that an alias stands for; the node itself for anything else.
    #[must_use]
    pub fn resolve(&self, node: Node) -> Node {
        match self.events.get(node.0) {
            Some(Event::Alias(anchor)) => self.anchored.get(anchor).map_or(node, |target| Node(*target)),
            _ => node,
        }
    }

    /// The mappings that are merged into `mapping` by `<<`, those merged into them included.
    #[must_use]
    pub fn merged(&self, mapping: Node) -> Vec<Node> {
        let mut merged = Vec::new();
        for (key, value) in self.entries(mapping) {
            if self.scalar(key) == Some("<<") {
                self.collect_merged(value, &mut merged);
            }
        }
        merged
    }

    /// The value of a `<<`, aliases followed, and what is merged into it.
    fn collect_merged(&self, value: Node, merged: &mut Vec<Node>) {
        let value = self.resolve(value);
        if self.kind(value) == Kind::List {
            for item in self.children(value) {
                self.collect_merged(item, merged);
            }
        } else if !merged.contains(&value) {
            merged.push(value);
            for (key, value) in self.entries(value) {
                if self.scalar(key) == Some("<<") {
                    self.collect_merged(value, merged);
                }
            }
        }
    }

    /// Whether a `<<` behind `key` holds it too: for Helm it then hides the one that is written
    /// out, other than YAML has it.
    #[must_use]
    pub fn is_hidden_by_merge(&self, mapping: Node, key: &str) -> bool {
        let mut is_written = false;
        self.entries(mapping).any(|(name, value)| {
            is_written |= self.scalar(name) == Some(key);
            let mut merged = Vec::new();
            if is_written && self.scalar(name) == Some("<<") {
                self.collect_merged(value, &mut merged);
            }
            merged.into_iter().any(|node| self.get(node, key).is_some())
        })
    }

    /// The first key of `mapping` whose text does not say what it is: an alias, or one with a tag.
    #[must_use]
    pub fn opaque_key(&self, mapping: Node) -> Option<Node> {
        self.entries(mapping).map(|(key, _)| key).find(|key| {
            matches!(self.events.get(key.0), Some(Event::Alias(_) | Event::Scalar(_, _, _, Some(_))))
        })
    }

    /// Whether `node`, or something that it is in, has an anchor that an alias refers to: what
    /// changes here changes in another place as well.
    #[must_use]
    pub fn is_shared(&self, node: Node) -> bool {
        if self.aliased.is_empty() {
            return false;
        }
        let mut at = node.0;
        loop {
            if self.events.get(at).and_then(anchor_of).is_some_and(|anchor| self.aliased.contains(&anchor)) {
                return true;
            }
            match self.places.get(at) {
                Some(place) if place.parent != at => at = place.parent,
                _ => return false,
            }
        }
    }

    /// Where `node` starts. What is written as nothing has no place, so that it is its key's.
    #[must_use]
    pub fn position(&self, node: Node) -> Position {
        let is_nothing = self.is_plain(node) && self.scalar(node) == Some("");
        let shown = self.key(node).filter(|_| is_nothing).unwrap_or(node);
        self.position_of(self.offset(shown))
    }

    /// The first key of `mapping` that stands in it twice, with the places of both.
    #[must_use]
    pub fn duplicate_key(&self, mapping: Node, keys: &[&str]) -> Option<(&str, Position, Position)> {
        keys.iter().find_map(|wanted| {
            let mut found =
                self.entries(mapping).map(|(key, _)| key).filter(|key| self.scalar(*key) == Some(wanted));
            let (first, second) = (found.next()?, found.next()?);
            Some((self.scalar(first)?, self.position(first), self.position(second)))
        })
    }

    // What the other modules of the editor need.

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Byte offset of the end of the first document.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Byte offset at which `node` starts; the document's end for a node that it does not have.
    #[must_use]
    pub fn offset(&self, node: Node) -> usize {
        self.places.get(node.0).map_or(self.end, |place| place.offset)
    }

    /// Index of the event that ends `node`.
    pub(super) fn last(&self, node: Node) -> usize {
        self.places.get(node.0).map_or(0, |place| place.last)
    }

    /// The block scalar that the document ends in, if it does.
    pub(super) fn ending_block_scalar(&self) -> Option<Node> {
        let last =
            self.events.iter().rposition(|event| !matches!(event, Event::MappingEnd | Event::SequenceEnd))?;
        match self.events.get(last) {
            Some(Event::Scalar(_, TScalarStyle::Literal | TScalarStyle::Folded, ..)) => Some(Node(last)),
            _ => None,
        }
    }

    pub(super) fn style(&self, node: Node) -> Style {
        self.places.get(node.0).map_or(Style::Block, |place| place.style)
    }

    /// The mapping or list that `node` is in; `None` for the root.
    pub(super) fn parent(&self, node: Node) -> Option<Node> {
        self.places.get(node.0).map(|place| Node(place.parent)).filter(|parent| *parent != node)
    }

    /// The key whose value `node` is.
    pub(super) fn key(&self, node: Node) -> Option<Node> {
        self.places.get(node.0)?.key.map(Node)
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Index (from 0) of the line that `offset` is in.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Byte offset at which a line starts; the end of the text for a line behind the last.
    pub(super) fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// Byte offset just behind the line break of the line that `offset` is in.
    pub(super) fn line_end(&self, offset: usize) -> usize {
        self.line_start(self.line_of(offset) + 1)
    }

    /// Column of `offset` in characters, from 0.
    pub(super) fn column(&self, offset: usize) -> usize {
        self.slice(self.line_start(self.line_of(offset)), offset).chars().count()
    }

    fn position_of(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        let left_out = self.left_out.get(line).copied().unwrap_or_default();
        Position { line: line + left_out + 1, column: self.column(offset) + 1 }
    }

    /// Byte offset of one of the parser's marks.
    ///
    /// By line and column, not by the mark's index: that one counts characters, except behind a
    /// long line of a block scalar, where it counts bytes. `counted` is the last mark that this was
    /// asked for, and its offset: on the same line, counting goes on from there.
    fn offset_of(&self, mark: &Marker, counted: &mut Counted) -> usize {
        let line = mark.line().saturating_sub(1);
        if counted.line != line || counted.column > mark.col() {
            *counted = Counted { line, column: 0, offset: self.line_start(line) };
        }
        let behind = self.slice(counted.offset, self.text.len());
        let columns = mark.col() - counted.column;
        counted.offset += match behind.as_bytes().get(..columns) {
            Some(bytes) if bytes.is_ascii() => columns,
            _ => behind.char_indices().nth(columns).map_or(behind.len(), |(at, _)| at),
        };
        counted.column = mark.col();
        counted.offset
    }

    fn read_events(&mut self, mut parser: Parser<impl Iterator<Item = char>>) -> Result<(), ParseError> {
        let mut counted = Counted::default();
        // Starts of the mappings and lists that are open, innermost last.
        let mut open: Vec<usize> = Vec::new();
        // For each of them, the key that waits for its value, if it is a mapping.
        let mut keys: Vec<Option<usize>> = Vec::new();
        loop {
            let (event, mark) = parser.next_token().map_err(|error| self.syntax_error(&error))?;
            let index = self.events.len();
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart => continue,
                Event::StreamEnd => return Ok(()),
                Event::DocumentEnd => {
                    self.end = self.offset_of(&mark, &mut counted).min(self.text.len());
                    return Ok(());
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let (start, _) = (open.pop().unwrap_or_default(), keys.pop());
                    let offset = self.offset_of(&mark, &mut counted);
                    if let Some(place) = self.places.get_mut(start) {
                        place.last = index;
                    }
                    self.places.push(Place {
                        offset,
                        last: index,
                        parent: start,
                        key: None,
                        style: Style::Block,
                    });
                    self.events.push(event);
                    continue;
                }
                Event::Alias(anchor) => {
                    self.aliased.insert(anchor);
                }
                Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {}
            }
            let parent = open.last().copied();
            let mut key = None;
            if let (Some(parent), Some(waiting)) = (parent, keys.last_mut())
                && matches!(self.events.get(parent), Some(Event::MappingStart(..)))
            {
                key = waiting.take();
                if key.is_none() {
                    *waiting = Some(index);
                }
            }
            if let Some(anchor) = anchor_of(&event) {
                self.anchored.insert(anchor, index);
            }
            let offset = self.offset_of(&mark, &mut counted);
            self.places.push(Place {
                offset,
                last: index,
                parent: parent.unwrap_or(index),
                key,
                style: Style::Block,
            });
            if matches!(event, Event::SequenceStart(..) | Event::MappingStart(..)) {
                if open.len() == MAX_DEPTH {
                    return Err(ParseError::Depth(self.position_of(offset)));
                }
                open.push(index);
                keys.push(None);
            }
            self.events.push(event);
        }
    }

    /// Tells flow collections from block ones, and moves the start of a block mapping, which the
    /// parser marks at its first colon, to its first key.
    fn find_styles(&mut self) {
        for index in 0..self.events.len() {
            let node = Node(index);
            let (mapping, bracket) = match self.events.get(index) {
                Some(Event::MappingStart(..)) => (true, b'{'),
                Some(Event::SequenceStart(..)) => (false, b'['),
                _ => continue,
            };
            let offset = self.offset(node);
            let first = self.text.as_bytes().get(offset).copied();
            let in_flow = self.parent(node).is_some_and(|parent| self.style(parent) != Style::Block);
            // A pair whose key is a flow collection starts with that one's bracket.
            let style = if first == Some(bracket) && self.offset(Node(index + 1)) != offset {
                Style::Flow
            } else if in_flow && mapping {
                Style::Pair
            } else {
                Style::Block
            };
            let is_complex_key = first == Some(b'?');
            let start = if mapping && style == Style::Block && !is_complex_key {
                self.start_of_key(Node(index + 1))
            } else {
                offset
            };
            if let Some(place) = self.places.get_mut(index) {
                place.style = style;
                place.offset = start;
            }
        }
    }

    /// Byte offset at which a key starts, its anchor and tag included.
    fn start_of_key(&self, key: Node) -> usize {
        let offset = self.offset(key);
        let bare = match self.events.get(key.0) {
            Some(Event::Scalar(_, _, anchor, tag)) => *anchor == 0 && tag.is_none(),
            _ => true,
        };
        if bare {
            return offset;
        }
        let start = self.line_start(self.line_of(offset));
        let before = self.slice(start, offset);
        before.find(['&', '!']).map_or(offset, |at| start + at)
    }

    /// Counts what a reader that follows aliases gets to see, without following them.
    fn refuse_too_many_aliases(&self) -> Result<(), ParseError> {
        if self.aliased.is_empty() {
            return Ok(());
        }
        // For each event, how many nodes aliases have stood for up to there.
        let mut sums = Vec::with_capacity(self.events.len() + 1);
        let mut sum: usize = 0;
        for (index, event) in self.events.iter().enumerate() {
            sums.push(sum);
            if let Event::Alias(anchor) = event
                && let Some(target) = self.anchored.get(anchor).copied()
            {
                let last = self.last(Node(target));
                if last > index {
                    // It stands for what it is in, and so for itself, without end.
                    return Err(ParseError::Aliases(self.position(Node(index))));
                }
                let aliased = |at: usize| sums.get(at).copied().unwrap_or(sum);
                let inside = aliased(last).saturating_sub(aliased(target));
                sum = sum.saturating_add(last.saturating_sub(target) + 1).saturating_add(inside);
                if sum > MAX_ALIASED {
                    return Err(ParseError::Aliases(self.position(Node(index))));
                }
            }
        }
        Ok(())
    }

    fn syntax_error(&self, error: &ScanError) -> ParseError {
        let offset = self.offset_of(error.marker(), &mut Counted::default());
        // The parser's own limit, for what it looks ahead at.
        if error.info().contains("recursion limit") {
            return ParseError::Depth(self.position_of(offset));
        }
        let line = self.line_of(offset);
        let tab =
            [line, line + 1, line.saturating_sub(1)].into_iter().find_map(|line| self.tab_in_indent(line));
        match tab {
            Some(tab) => ParseError::Tab(self.position_of(tab)),
            None => ParseError::Syntax(self.position_of(offset), error.info().to_owned()),
        }
    }

    /// Byte offset of the first tab in the indent of a line that holds more than white space.
    fn tab_in_indent(&self, line: usize) -> Option<usize> {
        let start = self.line_start(line);
        let text = self.slice(start, self.line_start(line + 1));
        let content = text.trim_start_matches([' ', '\t']);
        let indent = text.get(..text.len() - content.len())?;
        (!content.trim_end().is_empty()).then(|| indent.find('\t').map(|at| start + at)).flatten()
    }

    /// Parsers disagree on tabs before a key or an item, so that none is let through.
    fn refuse_tabs(&self) -> Result<(), ParseError> {
        if memchr::memchr(b'\t', self.text.as_bytes()).is_none() {
            return Ok(());
        }
        for (event, place) in self.events.iter().zip(&self.places) {
            // Inside of flow collections white space is just that.
            let in_flow =
                self.events.get(place.parent).is_some_and(|_| self.style(Node(place.parent)) != Style::Block);
            let written = !in_flow
                && !matches!(event, Event::SequenceEnd | Event::MappingEnd)
                && !matches!(event, Event::Scalar(text, style, ..)
                    if text.is_empty() || matches!(style, TScalarStyle::Literal | TScalarStyle::Folded));
            if written
                && let Some(tab) = self.tab_in_indent(self.line_of(place.offset))
                && tab < place.offset
            {
                return Err(ParseError::Tab(self.position_of(tab)));
            }
        }
        Ok(())
    }

    /// A document ends where the text does, or at `...` or `---`. The parser stops as well in front of
    /// a line that is indented less than the first.
    fn refuse_text_behind(&self) -> Result<(), ParseError> {
        let rest = self.slice(self.end, self.text.len());
        let is_mark = |mark| {
            let behind = rest.strip_prefix(mark);
            behind.is_some_and(|text| text.is_empty() || text.starts_with(char::is_whitespace))
        };
        if rest.is_empty() || is_mark("...") || is_mark("---") {
            return Ok(());
        }
        let complaint = "text behind the end of the document, which no `...` tells from it".to_owned();
        let start = self.line_start(self.line_of(self.end));
        Err(ParseError::Syntax(self.position_of(start), complaint))
    }

    /// All of the text counts, comments and what is not parsed too.
    fn refuse_characters(&self) -> Result<(), ParseError> {
        let text = self.text;
        // A look at each byte, without a way out, is the quickest.
        let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f;
        if text.is_ascii() && !text.bytes().fold(false, |any, byte| any | is_control(byte)) {
            return Ok(());
        }
        for (at, character) in text.char_indices() {
            let error: fn(Position, char) -> ParseError = match character {
                '\0' => |at, _| ParseError::Nul(at),
                '\u{85}' | '\u{2028}' | '\u{2029}' => ParseError::Character,
                BYTE_ORDER_MARK if at > 0 => ParseError::Character,
                '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => continue,
                _ => ParseError::Control,
            };
            return Err(error(self.position_of(at), character));
        }
        Ok(())
    }

    /// Helm reads the first document and drops the rest without a word. After `...` that is old
    /// habit in some repositories; after `---` somebody meant it to count.
    fn refuse_second_document(&self) -> Result<(), ParseError> {
        // Where the first document is empty, it is the second that was read here.
        let first = self.line_of(self.offset(Node(0)));
        for line in 0..first {
            if self.slice(self.line_start(line), self.line_start(line + 1)).starts_with("...") {
                return Err(ParseError::SecondDocument(self.position(Node(0))));
            }
        }
        for line in self.line_of(self.end)..self.lines.len() {
            let start = self.line_start(line);
            let text = self.slice(start, self.line_start(line + 1));
            if start >= self.end
                && let Some(rest) = text.strip_prefix("---")
                && (rest.is_empty() || rest.starts_with(char::is_whitespace))
            {
                return Err(ParseError::SecondDocument(self.position_of(start)));
            }
        }
        Ok(())
    }
}

/// Byte offsets at which the lines of `text` start, the first of them at `first`.
fn line_starts(text: &str, first: usize) -> Vec<usize> {
    let mut starts = Vec::with_capacity(text.len() / 24);
    starts.push(first);
    starts.extend(line_breaks(text));
    starts
}

/// Byte offsets behind the line breaks: `\n`, `\r\n`, and a lone `\r` (which is one in YAML).
fn line_breaks(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let is_first_of_pair = |at: usize| bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n');
    memchr::memchr2_iter(b'\n', b'\r', bytes).filter(move |at| !is_first_of_pair(*at)).map(|at| at + 1)
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// The anchor that `event` defines, by the parser's number.
fn anchor_of(event: &Event) -> Option<usize> {
    match event {
        Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
            if *anchor != 0 =>
        {
            Some(*anchor)
        }
        _ => None,
    }
}
