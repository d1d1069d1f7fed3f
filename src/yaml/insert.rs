//! Where new entries go in the text of a mapping. Entries of a block mapping are whole lines, put in
//! between two lines of the text.

use std::ops::Range;

use yaml_rust2::parser::Event;

use super::addition::{Addition, Place, Splice};
use super::aliases::anchor_of;
use super::document::Document;
use super::entry::{self, Entry};
use super::error::{Error, ErrorKind};
use super::lines::BYTE_ORDER_MARK;
use super::node::{Kind, Node};
use super::prove::{prove, unproven};
use crate::edit::{self, Edit};

/// Indent of a level where the text shows no habit of its own.
const DEFAULT_STEP: usize = 2;

/// Adds `entries` to one mapping of `document`, proves the result and gives it back.
///
/// `mapping` is any mapping of the document (see [`Document::mappings`], [`Document::find`] and
/// [`Document::get`]), or a null that is the value of a key. Whether it has such entries already is not
/// looked at.
///
/// # Errors
/// Where the text takes no entries there, or the result cannot be proven to be the old document plus
/// the entries. The text is then to be edited by hand.
///
/// ```
/// use osh_registry_auth::yaml::{Document, Entry, Place, Value, insert};
///
/// let document = Document::parse("a: {}\nb: [1]\n")?;
/// let root = document.root().unwrap();
/// let entries = [Entry::new("c", Value::string("on"))];
/// let a = document.get(root, "a").unwrap();
/// assert_eq!(insert(&document, a, Place::Last, &entries)?, "a:\n  c: \"on\"\nb: [1]\n");
/// let b = document.get(root, "b").unwrap();
/// let error = insert(&document, b, Place::Last, &entries).unwrap_err();
/// assert_eq!(error.to_string(), "`b` is a list, where a mapping belongs");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn insert(
    document: &Document<'_>,
    mapping: Node,
    place: Place,
    entries: &[Entry],
) -> Result<String, Error> {
    let addition = document.add(mapping, place, entries)?;
    let new = edit::apply(document.text(), &addition.edits)
        .map_err(|_| unproven(document, &[&addition], "two edits meet in one place"))?;
    prove(document, &new, &[&addition])?;
    Ok(new)
}

impl Document<'_> {
    /// Adds `entries` to `mapping`. A null that is the value of a key counts as an empty mapping.
    ///
    /// The result says what to change; [`prove`] says afterwards whether it came out right.
    pub(crate) fn add(&self, mapping: Node, place: Place, entries: &[Entry]) -> Result<Addition, Error> {
        let mut inserted = Vec::new();
        entry::events(entries, &mut inserted);
        let (edits, at, removed) = match self.kind(mapping) {
            Kind::Null => {
                let anchor = self.event(mapping).and_then(anchor_of).unwrap_or(0);
                inserted.insert(0, Event::MappingStart(anchor, None));
                inserted.push(Event::MappingEnd);
                (self.fill_null(mapping, entries)?, mapping.0, 1)
            }
            Kind::Mapping if self.is_flow(mapping) => (self.extend_flow(mapping, entries)?, mapping.0 + 1, 0),
            Kind::Mapping => {
                let (edit, at) = self.extend_block(mapping, place, entries)?;
                (vec![edit], at, 0)
            }
            kind => return Err(self.error(mapping, ErrorKind::NotAMapping(kind))),
        };
        let splice = Splice { at, removed, inserted };
        Ok(Addition { edits, mapping, path: self.path(mapping), entries: entries.to_vec(), splice })
    }

    /// The insertion, and the index of the event in front of which its events come.
    fn extend_block(&self, mapping: Node, place: Place, entries: &[Entry]) -> Result<(Edit, usize), Error> {
        let first = self.offset(mapping);
        // An anchor or a tag of the first key: the keys start further left.
        if self.lines.before(first).contains(['&', '!']) {
            return Err(self.error(mapping, ErrorKind::NoLineOfItsOwn));
        }
        let column = self.lines.column(first);
        let is_root = self.parent(mapping).is_none();
        let (mut blank_before, mut blank_after) = (0, 0);
        let (at, event) = match place {
            Place::First => (self.start_of_entries(mapping)?, mapping.0 + 1),
            Place::Before(key) => {
                let (at, gap) = self.start_of_entry(mapping, key)?;
                blank_after = if is_root { gap } else { 0 };
                (at, key.0)
            }
            Place::After(key) if self.entries(mapping).last().is_some_and(|(last, _)| last != key) => {
                let value = Node(self.last(key) + 1);
                (self.behind_comments(self.end_of_content(value), column + 1), self.last(value) + 1)
            }
            Place::Last | Place::After(_) => {
                // Comments indented less than the keys can be commented-out keys of this mapping
                // just the same, as long as they are inside of what it belongs to.
                let inside = self.owner_column(mapping).map_or(0, |column| column + 1);
                // A blank line behind a block scalar may become part of it.
                if is_root && self.ending_block_scalar().is_none() {
                    blank_before = self.usual_gap(mapping);
                }
                (self.behind_comments(self.end_of_content(mapping), inside), self.last(mapping))
            }
        };
        let line_break = self.lines.break_at(at);
        let mut lines = line_break.repeat(blank_before);
        entry::block_lines(entries, column, self.step(mapping), line_break, &mut lines);
        lines.push_str(&line_break.repeat(blank_after));
        Ok((self.insert_lines(at, lines)?, event))
    }

    /// `{a: 1}` becomes `{b: 2, a: 1}`, and `key: {}` becomes `key:` with lines below it; inside of a flow
    /// collection or a list, where there is no key to put lines below, `{}` becomes `{a: 1}`.
    fn extend_flow(&self, mapping: Node, entries: &[Entry]) -> Result<Vec<Edit>, Error> {
        let (open, first) = (self.offset(mapping), self.offset(Node(mapping.0 + 1)));
        let is_empty = self.last(mapping) == mapping.0 + 1;
        let text = self.lines.slice(open, self.end);
        // The mapping in `[key: value]` has no braces of its own.
        if !text.starts_with('{') || is_empty && self.lines.slice(open, first).contains('#') {
            return Err(self.error(mapping, ErrorKind::FlowMapping));
        }
        if let Some(key) = self.block_key(mapping).filter(|_| is_empty) {
            return self.replace_by_lines(key, open..first + 1, entries);
        }
        let mut inside = String::new();
        entry::flow_text(entries, &mut inside);
        if !is_empty {
            let is_separate = text.get(1..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
            inside.push_str(if is_separate { "," } else { ", " });
        }
        Ok(vec![Edit::insert(open + 1, inside)])
    }

    /// `key:`, `key: ~` and `key: null` become `key:` with lines below it.
    fn fill_null(&self, null: Node, entries: &[Entry]) -> Result<Vec<Edit>, Error> {
        let Some(key) = self.block_key(null) else {
            let kind = match self.key(null) {
                Some(_) => ErrorKind::FlowMapping,
                None => ErrorKind::NotAMapping(Kind::Null),
            };
            return Err(self.error(null, kind));
        };
        let written = self.scalar(null).map_or(0, str::len);
        // Behind a key that is written `? key`, the value has a line of its own, or none.
        if written == 0 && self.is_explicit(key) {
            return Err(self.error(null, ErrorKind::NoLineOfItsOwn));
        }
        let start = if written == 0 { self.lines.content_end(self.offset(key)) } else { self.offset(null) };
        self.replace_by_lines(key, start..start + written, entries)
    }

    /// Takes out `old`, the value of `key`, and puts `entries` on lines of their own below it.
    fn replace_by_lines(&self, key: Node, old: Range<usize>, entries: &[Entry]) -> Result<Vec<Edit>, Error> {
        let owner = self.parent(key).unwrap_or(key);
        let column = self.lines.column(self.offset(owner));
        let step = self.step(owner);
        let at = self.behind_comments(self.lines.end(old.end), column + 1);
        let mut lines = String::new();
        entry::block_lines(entries, column + step, step, self.lines.break_at(at), &mut lines);
        let insertion = self.insert_lines(at, lines)?;
        if old.is_empty() {
            return Ok(vec![insertion]);
        }
        let before = self.lines.before(old.start);
        let blanks = before.len() - before.trim_end_matches([' ', '\t']).len();
        Ok(vec![Edit::remove(old.start - blanks..old.end), insertion])
    }

    /// An insertion of whole lines at the start of a line, or at the end of a text whose last
    /// line has no line break, and then the text goes without one afterwards too.
    fn insert_lines(&self, at: usize, lines: String) -> Result<Edit, Error> {
        let before = self.lines.slice(0, at);
        if before.is_empty() || before.ends_with(['\n', '\r', BYTE_ORDER_MARK]) {
            return Ok(Edit::insert(at, lines));
        }
        if let Some(scalar) = self.ending_block_scalar() {
            return Err(self.error(scalar, ErrorKind::UnfinishedBlockScalar));
        }
        let line_break = self.lines.break_at(at);
        let unfinished = lines.strip_suffix(line_break).unwrap_or(&lines);
        Ok(Edit::insert(at, format!("{line_break}{unfinished}")))
    }

    /// Indent of one level: as in the first block mapping inside of `mapping`, else as between
    /// `mapping` and what it is in.
    fn step(&self, mapping: Node) -> usize {
        let column = self.lines.column(self.offset(mapping));
        let is_block = |value: &Node| self.kind(*value) == Kind::Mapping && !self.is_flow(*value);
        let inside = self.entries(mapping).map(|(_, value)| value).find(is_block);
        let inside = inside.and_then(|child| self.lines.column(self.offset(child)).checked_sub(column));
        let outside = self.owner_column(mapping).and_then(|owner| column.checked_sub(owner));
        [inside, outside].into_iter().flatten().find(|step| *step > 0).unwrap_or(DEFAULT_STEP)
    }

    /// Column of the mapping or list that `mapping` is in.
    fn owner_column(&self, mapping: Node) -> Option<usize> {
        Some(self.lines.column(self.offset(self.parent(mapping)?)))
    }

    /// Blank lines between the last two entries of the outermost mapping.
    fn usual_gap(&self, mapping: Node) -> usize {
        let keys: Vec<Node> = self.entries(mapping).map(|(key, _)| key).collect();
        match keys.as_slice() {
            [.., _, last] => self.start_of_entry(mapping, *last).map_or(1, |(_, gap)| gap),
            _ => 1,
        }
    }
}
