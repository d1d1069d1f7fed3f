//! An outline of the YAML around the actions of a template: keys and list items, where they stand, what they
//! are in, and under which condition.
//!
//! It takes the text for what it looks like: an action that prints something stands for a value or for lines
//! that are not known. What is in block scalars, comments and quotes over several lines is no key.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use super::actions::Actions;
use super::entry::{Entry, Key, Unread};
use super::reader;

#[derive(Debug)]
pub(crate) struct Outline<'t> {
    pub(crate) text: &'t str,
    pub(crate) actions: Actions<'t>,
    /// In the order of the text, what is in another one behind that.
    pub(crate) entries: Vec<Entry<'t>>,
    /// What may hold keys that are no entries: flow collections, JSON and `? key`.
    pub(crate) unread: Vec<Unread<'t>>,
}

impl<'t> Outline<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let actions = Actions::new(text);
        let (entries, unread) = reader::read(text, &actions.all);
        Outline { text, actions, entries, unread }
    }

    /// The names of the defines in which there is a pod or an account, or what is in one.
    pub(crate) fn defines_of_objects(&self) -> impl Iterator<Item = Finder<'t>> {
        let is_part = |entry: &&Entry<'_>| ["kind", "containers"].iter().any(|key| entry.is(key));
        let defines =
            self.entries.iter().filter(is_part).filter_map(|entry| self.actions.define(entry.scope));
        let defines: BTreeSet<_> = defines.filter_map(|define| self.actions.name(define)).collect();
        defines.into_iter().map(Finder::new)
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&Entry<'t>> {
        self.entries.get(index)
    }

    /// The innermost entry on whose line byte `offset` is.
    pub(crate) fn entry_at(&self, offset: usize) -> Option<&Entry<'t>> {
        let behind = self.entries.partition_point(|entry| entry.start <= offset);
        let entry = self.entries.get(behind.checked_sub(1)?)?;
        (offset < entry.line_end).then_some(entry)
    }

    /// The entries directly in `parent`, with their indices.
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Entry<'t>)> {
        let behind = self.entries.iter().enumerate().skip(parent + 1);
        let inside =
            behind.take_while(move |(_, entry)| entry.key == Key::Printed || entry.parent >= Some(parent));
        inside.filter(move |(_, entry)| entry.parent == Some(parent))
    }

    /// The index behind the entry `index` and all that is in it.
    pub(crate) fn end(&self, index: usize) -> usize {
        let document = self.entry(index).map(|entry| entry.document);
        let behind = self.entries.get(index + 1..).unwrap_or_default().iter();
        let is_inside = |entry: &&Entry<'_>| entry.key == Key::Printed || entry.parent >= Some(index);
        let inside = behind.take_while(|entry| Some(entry.document) == document && is_inside(entry));
        index + 1 + inside.count()
    }

    /// The entries in what the entry `index` is in, itself included.
    pub(crate) fn siblings(&self, index: usize) -> Vec<(usize, &Entry<'t>)> {
        let Some(entry) = self.entry(index) else { return Vec::new() };
        if let Some(parent) = entry.parent {
            return self.children(parent).collect();
        }
        let start = self.start_of(entry.document);
        let document = self.document(entry.document).iter().enumerate();
        let document = document.map(|(index, other)| (start + index, other));
        document.filter(|(_, other)| other.parent.is_none()).collect()
    }

    fn start_of(&self, document: usize) -> usize {
        self.entries.partition_point(|entry| entry.document < document)
    }

    /// The entries of a document.
    pub(crate) fn document(&self, number: usize) -> &[Entry<'t>] {
        self.entries.get(self.start_of(number)..self.start_of(number + 1)).unwrap_or_default()
    }
}
