//! Entries for mappings in flow style.

use super::document::Document;
use super::entry::{self, Entry};
use super::error::{Error, ErrorKind};
use super::node::Node;
use crate::edit::Edit;

impl Document<'_> {
    /// `{a: 1}` becomes `{a: 1, b: 2}`.
    pub(super) fn extend_flow(&self, mapping: Node, entries: &[Entry]) -> Result<Edit, Error> {
        let end = self.last(mapping);
        let leaf = self.last_leaf(mapping, end - 1);
        let is_quoted = self.is_quoted(leaf);
        let from = if is_quoted { self.end_of_quoted(leaf) } else { self.offset(leaf) };
        let tail = self.lines.slice(from, self.offset(Node(end)));
        let content = tail.trim_end();
        if has_comment(tail) {
            return Err(self.error(mapping, ErrorKind::FlowMapping));
        }
        let is_unwritten = self.scalar(leaf) == Some("") && !is_quoted;
        let mut text = String::from(match content.ends_with(',') {
            true => " ",
            // Some parsers take a colon in front of a comma for a part of the key.
            false if is_unwritten => " , ",
            false => ", ",
        });
        entry::flow_text(entries, &mut text);
        Ok(Edit::insert(from + content.len(), text))
    }

    /// `{}` becomes `{a: 1}`.
    pub(super) fn fill_flow(&self, mapping: Node, entries: &[Entry]) -> Edit {
        let mut text = String::new();
        entry::flow_text(entries, &mut text);
        Edit::insert(self.offset(mapping) + 1, text)
    }
}

/// Whether a stretch of flow text may hold a comment.
pub(super) fn has_comment(text: &str) -> bool {
    let is_start = |at| text.get(..at).is_some_and(|before| before.trim_end().len() < before.len());
    text.match_indices('#').any(|(at, _)| at == 0 || is_start(at))
}
