//! A parsed YAML text, to look around in. Only the first document of the text counts, as it does for
//! Helm: whatever follows `...` is carried along untouched.

use std::collections::HashMap;

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::error::{Error, ErrorKind};
use super::lines::Lines;
use super::node::{Kind, Node, Position, Step};
use super::scalar::resolve;

/// The first document of a YAML text.
///
/// ```
/// use osh_registry_auth::yaml::{Document, Kind, Step};
///
/// let document = Document::parse("conf:\n  hosts: [a, b]\n")?;
/// let hosts = document.find(&[Step::Key("conf"), Step::Key("hosts")]).unwrap();
/// assert_eq!(document.kind(hosts), Kind::List);
/// assert_eq!(document.path(hosts), "conf.hosts");
/// assert_eq!(document.position(hosts).to_string(), "2:10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Document<'t> {
    pub(super) lines: Lines<'t>,
    /// All events but those that start and end stream and document.
    pub(super) events: Vec<Located>,
    /// The nodes that have an anchor, by the parser's number for it.
    pub(super) anchors: HashMap<usize, Node>,
    /// Byte offset at which the document ends: at `...`, or at the end of the text.
    pub(super) end: usize,
}

/// An event and where it stands.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) event: Event,
    /// Byte offset in the text. For a block scalar the first line of its content, for something
    /// that is written as nothing the token that follows.
    pub(super) offset: usize,
    /// Index of the event that ends this node: its own for a scalar or an alias.
    pub(super) last: usize,
    /// The mapping or list around this node, or that this event ends; itself for the root.
    pub(super) parent: Node,
    /// For a value in a mapping, its key.
    pub(super) key: Option<Node>,
    /// Whether it is a mapping or list in flow style, and not written by lines and indent.
    pub(super) is_flow: bool,
}

impl<'t> Document<'t> {
    /// The text that was parsed, whole.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.lines.text
    }

    /// The node that everything else is in. `None` where the document is empty.
    #[must_use]
    pub fn root(&self) -> Option<Node> {
        (!self.events.is_empty()).then_some(Node(0))
    }

    /// What `node` is.
    #[must_use]
    pub fn kind(&self, node: Node) -> Kind {
        match self.event(node) {
            Some(Event::MappingStart(..)) => Kind::Mapping,
            Some(Event::SequenceStart(..)) => Kind::List,
            Some(Event::Alias(_)) => Kind::Alias,
            Some(Event::Scalar(text, TScalarStyle::Plain, _, None))
                if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") =>
            {
                Kind::Null
            }
            _ => Kind::Scalar,
        }
    }

    /// The text of a scalar, without its quotes; `None` for anything else.
    #[must_use]
    pub fn scalar(&self, node: Node) -> Option<&str> {
        match self.event(node) {
            Some(Event::Scalar(text, ..)) => Some(text),
            _ => None,
        }
    }

    /// Whether `node` is a scalar without quotes, on one line or several.
    #[must_use]
    pub fn is_plain(&self, node: Node) -> bool {
        matches!(self.event(node), Some(Event::Scalar(_, TScalarStyle::Plain, ..)))
    }

    /// What Helm takes a scalar for that is no text to it, as JSON: a number, a boolean or null.
    pub(crate) fn resolved(&self, node: Node) -> Option<String> {
        match self.event(node) {
            Some(Event::Scalar(text, TScalarStyle::Plain, _, None)) => resolve(text),
            _ => None,
        }
    }

    /// The keys and values of a mapping, in the order of the text. Empty for anything else.
    pub fn entries(&self, mapping: Node) -> impl Iterator<Item = (Node, Node)> {
        let is_mapping = self.kind(mapping) == Kind::Mapping;
        let mut children = self.children(mapping).filter(move |_| is_mapping);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The value that Helm sees under `key`: the last one, where the key stands twice.
    #[must_use]
    pub fn get(&self, mapping: Node, key: &str) -> Option<Node> {
        self.named(mapping, key).last().map(|(_, value)| value)
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

    /// The node at the end of these keys, from `node` on.
    pub(crate) fn at(&self, node: Node, keys: &[&str]) -> Option<Node> {
        keys.iter().try_fold(node, |node, key| self.get(node, key))
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

    /// Where `node` starts. What is written as nothing has no place, so that it is its key's.
    #[must_use]
    pub fn position(&self, node: Node) -> Position {
        let is_nothing = self.is_plain(node) && self.scalar(node) == Some("");
        let shown = self.key(node).filter(|_| is_nothing).unwrap_or(node);
        self.lines.position(self.offset(shown))
    }

    /// Every entry of `mapping` with this key.
    pub(crate) fn named(&self, mapping: Node, key: &str) -> impl Iterator<Item = (Node, Node)> {
        self.entries(mapping).filter(move |(name, _)| self.scalar(*name) == Some(key))
    }

    /// Byte offset at which `node` starts; the document's end for a node that it does not have.
    pub(crate) fn offset(&self, node: Node) -> usize {
        self.events.get(node.0).map_or(self.end, |located| located.offset)
    }

    // What only the editor itself needs.

    pub(super) fn event(&self, node: Node) -> Option<&Event> {
        self.events.get(node.0).map(|located| &located.event)
    }

    /// The nodes directly in a mapping (keys and values in turn) or a list.
    pub(crate) fn children(&self, parent: Node) -> impl Iterator<Item = Node> {
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

    /// Index of the event that ends `node`.
    pub(super) fn last(&self, node: Node) -> usize {
        self.events.get(node.0).map_or(0, |located| located.last)
    }

    pub(super) fn is_flow(&self, node: Node) -> bool {
        self.events.get(node.0).is_some_and(|located| located.is_flow)
    }

    /// The mapping or list that `node` is in; `None` for the root.
    pub(super) fn parent(&self, node: Node) -> Option<Node> {
        self.events.get(node.0).map(|located| located.parent).filter(|parent| *parent != node)
    }

    /// The key whose value `node` is.
    pub(super) fn key(&self, node: Node) -> Option<Node> {
        self.events.get(node.0)?.key
    }

    /// The block scalar that the document ends in, if it does.
    pub(super) fn ending_block_scalar(&self) -> Option<Node> {
        // A key without a value, behind which nothing is written, has one for the parser.
        let is_nothing = |located: &Located| {
            matches!(located.event, Event::Scalar(_, TScalarStyle::Plain, ..))
                && self.lines.slice(located.offset, self.end).trim().is_empty()
        };
        let is_end = |located: &Located| {
            matches!(located.event, Event::MappingEnd | Event::SequenceEnd) || is_nothing(located)
        };
        let last = Node(self.events.iter().rposition(|located| !is_end(located))?);
        self.is_block_scalar(last).then_some(last)
    }

    pub(super) fn is_block_scalar(&self, node: Node) -> bool {
        matches!(self.event(node), Some(Event::Scalar(_, TScalarStyle::Literal | TScalarStyle::Folded, ..)))
    }

    pub(super) fn is_quoted(&self, node: Node) -> bool {
        matches!(
            self.event(node),
            Some(Event::Scalar(_, TScalarStyle::SingleQuoted | TScalarStyle::DoubleQuoted, ..))
        )
    }

    /// What is wrong with `node`.
    pub(super) fn error(&self, node: Node, kind: ErrorKind) -> Error {
        Error { position: self.position(node), path: self.path(node), kind }
    }
}
