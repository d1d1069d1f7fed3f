//! New entries for a mapping, with the edits that put them in.

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::document::Document;
use super::entry::{Entry, Scalar};
use super::node::Node;
use crate::edit::Edit;

/// Where in a mapping new entries go. Flow mappings (`{}`) take them first in any case.
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

/// New entries for one mapping, or one new scalar: how the text changes, and what the parser must then see.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    /// One insertion, or one replacement; where the mapping was written as null or `{}`, that is taken out as well.
    pub(crate) edits: Vec<Edit>,
    /// The mapping, as it was in the old document.
    pub(crate) mapping: Node,
    /// The way to it, with placeholders in it.
    pub(crate) path: String,
    /// None where a scalar is replaced.
    pub(crate) entries: Vec<Entry>,
    pub(super) splice: Splice,
}

/// How the events of the document change: at index `at`, `removed` of them become `inserted`.
#[derive(Clone, Debug)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) inserted: Vec<Event>,
}

impl Document<'_> {
    /// Puts the string `text` in the place of `node`, a key or value of `mapping`. `None` where that is no plain scalar,
    /// or is read in another place as well.
    pub(crate) fn replace(&self, mapping: Node, node: Node, text: &str) -> Option<Addition> {
        let Some(Event::Scalar(old, TScalarStyle::Plain, 0, None)) = self.event(node) else { return None };
        let range = self.offset(node)..self.offset(node) + old.len();
        let is_as_written = !old.is_empty() && self.lines.slice(range.start, range.end) == old;
        (is_as_written && !self.is_shared(mapping)).then(|| {
            let scalar = Scalar::string(text);
            let mut replacement = String::new();
            scalar.write(&mut replacement);
            let splice = Splice { at: node.0, removed: 1, inserted: vec![scalar.event()] };
            let path = self.path(mapping);
            Addition { edits: vec![Edit { range, replacement }], mapping, path, entries: Vec::new(), splice }
        })
    }
}

impl Addition {
    /// Whether it puts whole lines in between two lines of `text`, and changes none.
    pub(crate) fn adds_lines_only(&self, text: &str) -> bool {
        self.edits.iter().all(|edit| {
            let before = text.get(..edit.range.start).unwrap_or_default();
            edit.range.is_empty() && before.ends_with('\n') && edit.replacement.ends_with('\n')
        })
    }

    /// Orders additions as they come in the document. Two can be insertions at one and the same place: behind the
    /// last entry of one block, and in front of the next block. Then that goes first which comes first.
    pub(crate) fn order(&self) -> usize {
        self.splice.at
    }
}
