//! An outline of the YAML around the actions of a template: keys and list items, where they stand, what they
//! are in, and under which condition.
//!
//! It takes the text for what it looks like: an action that prints something stands for a value or for lines
//! that are not known. What is in block scalars, comments and quotes over several lines is no key.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::actions::{Actions, Scope};
use super::entry::{Entry, Key};
use super::reader;
use super::root::{Root, Variables};
use crate::finding::Location;
use crate::yaml::Position;

/// How many objects or pods one mapping may hold, in branches that exclude each other: templates have a few, and each is
/// compared with the others.
const MOST_ALIKE: usize = 200;

#[derive(Debug)]
pub(crate) struct Outline<'t> {
    pub(crate) path: &'t Path,
    pub(crate) text: &'t str,
    pub(crate) actions: Actions<'t>,
    /// In the order of the text, what is in another one behind that.
    pub(crate) entries: Vec<Entry<'t>>,
    /// What may hold keys that are no entries, each with its byte offset: flow collections, JSON and `? key`.
    pub(crate) unread: Vec<(usize, &'t str)>,
    /// Whether one mapping holds more objects or pods, in branches, than anybody can read.
    pub(crate) is_crowded: bool,
    /// Those of the entries that are in no other one, as indices.
    tops: Vec<usize>,
    /// The kinds, as indices, by their document and what they are in.
    kinds: HashMap<(usize, Option<usize>), Vec<usize>>,
    /// What is known of the variables of each define, once somebody asks.
    variables: OnceLock<HashMap<Scope, Variables>>,
    /// Where the lines behind the first one start, once somebody asks.
    lines: OnceLock<Vec<usize>>,
}

impl<'t> Outline<'t> {
    pub(crate) fn new(path: &'t Path, text: &'t str) -> Self {
        let actions = Actions::new(text);
        let (entries, unread) = reader::read(text, &actions.all);
        let tops = entries.iter().filter(|entry| entry.parent.is_none()).map(|entry| entry.index).collect();
        let by_mapping = |key: &str| {
            let mut found: HashMap<(usize, Option<usize>), Vec<usize>> = HashMap::new();
            for Entry { index, document, parent, .. } in entries.iter().filter(|entry| entry.is(key)) {
                found.entry((*document, *parent)).or_default().push(*index);
            }
            found
        };
        let (kinds, pods) = (by_mapping("kind"), by_mapping("containers"));
        let is_crowded = kinds.values().chain(pods.values()).any(|alike| alike.len() > MOST_ALIKE);
        let (variables, lines) = (OnceLock::new(), OnceLock::new());
        Outline { path, text, actions, entries, unread, is_crowded, tops, kinds, variables, lines }
    }

    /// The variable by which the templates' root can be reached at byte `offset` in `scope`: `$` outside of a
    /// define; in one `$envAll`, or another whose `.Values` the define asks for, where it is set at the top of the
    /// define to what the define was called with, or to a part of that. `None` where there is none, or it may be
    /// something else.
    pub(crate) fn root_variable(&self, offset: usize, scope: Scope) -> Option<Root<'_>> {
        match self.actions.define(scope) {
            Some(define) => {
                let variables = self.variables.get_or_init(|| Variables::of_defines(&self.actions));
                variables.get(&define)?.root(offset)
            }
            None if self.actions.values_of("$").next().is_some() => None,
            None => Some(Root { variable: "$", is_whole: false }),
        }
    }

    /// The place of a byte offset.
    pub(crate) fn location(&self, offset: usize) -> Location {
        let starts = || memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1).collect();
        let lines = self.lines.get_or_init(starts);
        let line = lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|before| lines.get(before)).copied().unwrap_or(0);
        let column = 1 + self.text.get(start..offset).unwrap_or_default().chars().count();
        Location::at(self.path, Position { line: line + 1, column })
    }

    /// The innermost entry on whose line byte `offset` is.
    pub(crate) fn entry_at(&self, offset: usize) -> Option<&Entry<'t>> {
        let behind = self.entries.partition_point(|entry| entry.start <= offset);
        let entry = self.entries.get(behind.checked_sub(1)?)?;
        (offset < entry.line_end).then_some(entry)
    }

    /// The entries with this key.
    pub(crate) fn named(&self, key: &str) -> impl Iterator<Item = &Entry<'t>> {
        self.entries.iter().filter(move |entry| entry.is(key))
    }

    /// The kinds in what an entry is in.
    pub(crate) fn kinds_beside(&self, entry: &Entry<'_>) -> impl Iterator<Item = &Entry<'t>> {
        let kinds = self.kinds.get(&(entry.document, entry.parent)).into_iter().flatten();
        kinds.filter_map(|index| self.entries.get(*index))
    }

    /// The entry that another one is in.
    pub(crate) fn parent(&self, entry: &Entry<'_>) -> Option<&Entry<'t>> {
        self.entries.get(entry.parent?)
    }

    /// An entry and all that is in it.
    pub(crate) fn inside(&self, entry: &Entry<'_>) -> &[Entry<'t>] {
        let from = self.entries.get(entry.index..).unwrap_or_default();
        let is_inside = |other: &&Entry<'_>| {
            other.parent >= Some(entry.index) || other.key == Key::Printed && other.document == entry.document
        };
        let count = from.iter().skip(1).take_while(is_inside).count();
        from.get(..=count).unwrap_or_default()
    }

    /// The entries directly in another one.
    pub(crate) fn children(&self, parent: &Entry<'_>) -> impl Iterator<Item = &Entry<'t>> {
        let index = parent.index;
        self.inside(parent).iter().filter(move |entry| entry.parent == Some(index))
    }

    /// The entries in what another one is in, that one included.
    pub(crate) fn siblings(&self, entry: &Entry<'_>) -> Vec<&Entry<'t>> {
        if let Some(parent) = self.parent(entry) {
            return self.children(parent).collect();
        }
        let start = self.tops.partition_point(|top| *top < self.start_of(entry.document));
        let tops = self.tops.iter().skip(start).filter_map(|top| self.entries.get(*top));
        tops.take_while(|top| top.document == entry.document).collect()
    }

    /// The entries of the object of this kind, whatever they are in. The branches of a condition may hold an object
    /// each: what is in a branch with another kind is none of it.
    pub(crate) fn object(&self, kind: &Entry<'_>) -> Vec<&Entry<'t>> {
        let is_in = |inner: Scope, outer: Scope| self.actions.is_in(inner, outer);
        let others =
            self.kinds_beside(kind).map(|other| other.scope).filter(|other| !is_in(kind.scope, *other));
        let mut others: Vec<Scope> = others.collect();
        // The outermost, in the order of the text, in which each is one piece.
        others.sort_unstable();
        others.dedup_by(|inner, outer| is_in(*inner, *outer));
        let mut others = others.into_iter().peekable();
        let mut rest =
            self.parent(kind).map_or_else(|| self.document(kind.document), |parent| self.inside(parent));
        let mut own = Vec::new();
        while let Some((entry, behind)) = rest.split_first() {
            rest = behind;
            if let Some(other) = others.next_if(|other| is_in(entry.scope, *other)) {
                // Most branches are short, and some are long.
                let is_inside = |entry: &Entry<'_>| is_in(entry.scope, other);
                let mut reach = 1;
                while behind.get(reach).is_some_and(is_inside) {
                    reach *= 2;
                }
                let length = behind.get(..reach).unwrap_or(behind).partition_point(is_inside);
                rest = behind.get(length..).unwrap_or_default();
            } else {
                own.push(entry);
            }
        }
        own
    }

    /// The keys of the object of this kind.
    pub(crate) fn keys(&self, kind: &Entry<'_>) -> Vec<&Entry<'t>> {
        self.object(kind).into_iter().filter(|entry| entry.parent == kind.parent).collect()
    }

    /// The entries of a document.
    pub(crate) fn document(&self, number: usize) -> &[Entry<'t>] {
        self.entries.get(self.start_of(number)..self.start_of(number + 1)).unwrap_or_default()
    }

    fn start_of(&self, document: usize) -> usize {
        self.entries.partition_point(|entry| entry.document < document)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Key, Outline};

    /// The entries as their paths, `-` for an item, `!` for what is not read and `=` for what is printed; documents
    /// apart by `|`.
    fn shown(text: &str) -> String {
        let outline = Outline::new(Path::new(""), text);
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
            let mut above = outline.parent(entry);
            while let Some(parent) = above {
                path.push(name(parent.key));
                above = outline.parent(parent);
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
