//! An outline of the YAML around the actions of a template: keys and list items, where they stand, what they
//! are in, and under which condition.
//!
//! It takes the text for what it looks like: an action that prints something stands for a value or for lines
//! that are not known. What is in block scalars, comments and quotes over several lines is no key.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use memchr::memmem::Finder;

use super::actions::{Actions, Scope};
use super::branches::Branches;
use super::entry::{Entry, Key, Unread};
use super::reader;
use super::root::{Root, Variables};
use crate::yaml::Position;

#[derive(Debug)]
pub(crate) struct Outline<'t> {
    pub(crate) text: &'t str,
    pub(crate) actions: Actions<'t>,
    /// In the order of the text, what is in another one behind that.
    pub(crate) entries: Vec<Entry<'t>>,
    /// What may hold keys that are no entries: flow collections, JSON and `? key`.
    pub(crate) unread: Vec<Unread<'t>>,
    /// The entries that are in no other one, as indices.
    tops: Vec<usize>,
    /// Which belong to which object, once somebody asks.
    branches: OnceLock<Branches>,
    /// What is known of the variables of each define, once somebody asks.
    variables: OnceLock<HashMap<Scope, Variables>>,
    /// Where the lines behind the first one start, once somebody asks.
    lines: OnceLock<Vec<usize>>,
}

impl<'t> Outline<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let actions = Actions::new(text);
        let (entries, unread) = reader::read(text, &actions.all);
        let tops = entries.iter().zip(0..).filter(|(entry, _)| entry.parent.is_none());
        let tops = tops.map(|(_, index)| index).collect();
        Outline {
            text,
            actions,
            entries,
            unread,
            tops,
            branches: OnceLock::new(),
            variables: OnceLock::new(),
            lines: OnceLock::new(),
        }
    }

    /// The variable by which the templates' root can be reached at byte `offset` in `scope`: `$` outside of a
    /// define; in one `$envAll`, or another whose `.Values` the define asks for, where it is set at the top of the
    /// define to what the define was called with, or to a part of that. `None` where there is none, or it may be
    /// something else.
    pub(crate) fn root_variable(&self, offset: usize, scope: Scope) -> Option<Root<'_>> {
        let Some(define) = self.actions.define(scope) else {
            return (!self.actions.sets("$")).then_some(Root { variable: "$", is_whole: false });
        };
        self.variables.get_or_init(|| Variables::of_defines(&self.actions)).get(&define)?.root(offset)
    }

    /// Line and column of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let lines = self
            .lines
            .get_or_init(|| memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1).collect());
        let line = lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|before| lines.get(before)).copied().unwrap_or(0);
        let column = 1 + self.text.get(start..offset).unwrap_or_default().chars().count();
        Position { line: line + 1, column }
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
        let start = self.tops.partition_point(|top| *top < start);
        let tops = self.tops.iter().skip(start).filter_map(|top| Some((*top, self.entry(*top)?)));
        tops.take_while(|(_, other)| other.document == entry.document).collect()
    }

    /// The entries of the object of this kind, which is in no other entry, with their indices.
    pub(crate) fn of_object(&self, kind: &Entry<'_>) -> Vec<(usize, &Entry<'t>)> {
        let branches = self.branches.get_or_init(|| Branches::of(&self.entries, &self.actions));
        let entries = branches.of_object(kind.document, kind.scope, &self.actions);
        entries.into_iter().filter_map(|index| Some((index, self.entry(index)?))).collect()
    }

    fn start_of(&self, document: usize) -> usize {
        self.entries.partition_point(|entry| entry.document < document)
    }

    /// The entries of a document.
    pub(crate) fn document(&self, number: usize) -> &[Entry<'t>] {
        self.entries.get(self.start_of(number)..self.start_of(number + 1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Outline};

    /// The entries as their paths, `-` for an item, `!` for what is not read and `=` for what is printed; documents
    /// apart by `|`.
    fn shown(text: &str) -> String {
        let outline = Outline::new(text);
        let name = |key| match key {
            Key::Name(name) => name,
            Key::Item => "-",
            Key::Unclear => "!",
            Key::Printed => "=",
        };
        let mut shown = String::new();
        let mut document = 0;
        for entry in &outline.entries {
            shown.push_str(if shown.is_empty() {
                ""
            } else if entry.document == document {
                " "
            } else {
                " | "
            });
            document = entry.document;
            let mut path = vec![name(entry.key)];
            let mut above = entry.parent;
            while let Some(parent) = above.and_then(|parent| outline.entry(parent)) {
                path.push(name(parent.key));
                above = parent.parent;
            }
            path.reverse();
            shown.push_str(&path.join("."));
        }
        shown
    }

    #[test]
    fn entries_are_those_of_the_yaml() {
        let cases = [
            ("a:\n  b: 1\nc: 2\n", "a a.b c"),
            // Lists may stand at the column of their key.
            ("a:\n- b: 1\n  c: 2\n- d\ne:\n", "a a.- a.-.b a.-.c a.- e"),
            ("\u{feff}a: 1\r\n\"b\" : 2\r\n'c': 3\r\n", "a b c"),
            ("&x a: !t 1 # b: 2\n# c: 3\n? d\n: e\n? [f]\n", "a d !"),
            ("a: |\n  b: 1\n\n  c: 2\nd: >-\n  e: 3\nf: 4\n", "a d f"),
            ("a: \"x\n  b: 1\"\nc: 'd: 2'\n", "a c"),
            ("a: {b: 1}\nc: [\n  d: 2, \"]\",\n]\ne: 3\n{f: 4}\n", "a c e !"),
            ("a: 1\n--- # x\nb: 2\n---c: 3\n...\nd: 4\n", "a | b | c | d"),
            ("a: 1\n{{ \"---\" }}\nb: 2{{ \"\\n---\" }}\nc: 3\n", "a | b | c"),
            ("kind: a\n{{ $mark }}\nkind: b\n", "kind = | kind"),
            ("{{ if .a }}kind: a{{ else }}\nkind: b\n{{ end }}c: 1\n", "kind kind c"),
            ("a:\n{{ b | indent 2 }}\n  c: {{ d }}\n  {{ e }}: 1\n{{/* f: 2 */}}\n", "a a.= a.c a.!"),
            ("{{ define \"a\" }}\nb: 1\n{{ end }}\nc: 2\n", "b | c"),
            ("a: |{{ b }}\n  c: 1\nd: {{ \"|\" }}\n  e: 2\nf:\n", "a d f"),
            ("a: |\n  b: 1\n{{ c }}\n  d: 2\ne: 3\n", "a = e"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
