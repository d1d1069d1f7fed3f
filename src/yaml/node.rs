//! The small types that name parts of a document.

use std::fmt;

/// A node of a [`Document`](super::Document): a mapping, list, scalar or alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(
    /// The index of the event that starts it.
    pub(super) usize,
);

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

/// One step of the way from the root to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'s> {
    /// To the value under this key; the last one, where the key stands twice.
    Key(&'s str),
    /// To the item with this number, from 0, of a list.
    Item(usize),
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
