//! What an outline is made of: keys and list items.

use super::actions::Scope;
pub(crate) use super::line::Key;
use super::line::{bare, unquoted};

/// A key or a list item, or lines that an action prints.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) key: Key<'t>,
    /// What stands behind it on its line, without a comment.
    pub(crate) value: &'t str,
    /// Whether its value goes on in lines that are no entries: a block scalar, a text, a flow collection.
    pub(crate) goes_on: bool,
    /// Byte offset at which it stands.
    pub(crate) start: usize,
    /// Byte offset behind the line break of its line.
    pub(crate) line_end: usize,
    pub(crate) column: usize,
    /// Its place among the entries.
    pub(crate) index: usize,
    /// That of the entry that it is in.
    pub(crate) parent: Option<usize>,
    /// The number of the document that it is in.
    pub(crate) document: usize,
    pub(crate) scope: Scope,
}

impl<'t> Entry<'t> {
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == Key::Name(key)
    }

    /// The value without its quotes, where it is text on one line: no action, flow collection, alias or block scalar.
    pub(crate) fn scalar(&self) -> Option<&'t str> {
        let value = self.text();
        let is_plain =
            !self.goes_on && !value.contains("{{") && !value.starts_with(['{', '[', '|', '>', '*']);
        is_plain.then(|| unquoted(value).unwrap_or(value))
    }

    /// The value without a tag, an anchor, and comments of the template behind it.
    pub(crate) fn text(&self) -> &'t str {
        bare(self.value)
    }

    /// Whether nothing stands behind the key.
    pub(crate) fn is_open(&self) -> bool {
        self.text().is_empty()
    }
}
