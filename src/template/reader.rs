//! Reads a template line by line into the entries of its outline.

use std::collections::HashSet;
use std::ops::Range;

use super::actions::{Action, Scope};
use super::entry::{Entry, Key};
use super::line::{Skip, bare, brackets, closes, indent_of, is_marker, key_of, skip_behind, without_comment};

/// The entries of `text`, in its order, and what is not read.
pub(super) fn read<'t>(text: &'t str, actions: &[Action]) -> (Vec<Entry<'t>>, Vec<(usize, &'t str)>) {
    let mut reader = Reader { text, ..Reader::default() };
    let mut rest = actions;
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while start < text.len() {
        let (end, count) = end_of_line(text, start, rest);
        let (line, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        reader.read_line(start, end, line);
        (start, rest) = (end, behind);
    }
    if let Skip::Flow(_) = reader.skip {
        reader.leave_unread(reader.unread_from, text.len());
    }
    (reader.entries, reader.unread)
}

/// Byte offset behind the line at `start`, over which an action may go on, and how many actions begin in it.
fn end_of_line(text: &str, start: usize, actions: &[Action]) -> (usize, usize) {
    let line_break = |from: usize| {
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(text.len(), |at| from + at + 1)
    };
    let (mut end, mut count) = (line_break(start), 0);
    while let Some(action) = actions.get(count).filter(|action| action.range.start < end) {
        if action.range.end > end {
            end = line_break(action.range.end);
        }
        count += 1;
    }
    (end, count)
}

#[derive(Default)]
struct Reader<'t> {
    text: &'t str,
    /// The entries that those to come may be in, innermost last.
    stack: Vec<usize>,
    /// The same around each define that is open.
    around: Vec<Vec<usize>>,
    document: usize,
    /// What says in it which object it is, and in which branch.
    heads: HashSet<(&'t str, Scope)>,
    scope: Scope,
    skip: Skip,
    entries: Vec<Entry<'t>>,
    unread: Vec<(usize, &'t str)>,
    /// Where the flow collection that is open starts.
    unread_from: usize,
}

impl<'t> Reader<'t> {
    /// Reads the line from byte `start` to `end`, in which `actions` begin.
    fn read_line(&mut self, start: usize, end: usize, actions: &[Action]) {
        let (mut at, mut column, mut printed) = (start, 0, None);
        let mut ahead = actions.iter().peekable();
        loop {
            let behind = self.text.get(at..end).unwrap_or_default();
            let spaces = behind.len() - behind.trim_start_matches(' ').len();
            (at, column) = (at + spaces, column + spaces);
            let Some(action) = ahead.next_if(|action| action.range.start == at) else { break };
            if !action.is_silent && printed.is_none() {
                printed = Some((at, column));
            }
            self.pass(action);
            at = action.range.end;
        }
        let content = self.text.get(at..end).unwrap_or_default().trim_end();
        match printed {
            Some((start, column)) => {
                let printed = self.text.get(start..at).unwrap_or_default();
                self.read_printed(start, column, printed, content, end);
            }
            None if content.is_empty() || content.starts_with('#') => {}
            None if self.is_skipped(at, column, content) => {}
            None => self.read_content(at, column, content, end),
        }
        for action in ahead {
            self.pass(action);
            let printed = self.text.get(action.range.clone()).filter(|_| !action.is_silent);
            // The mark of a document, on a line of its own.
            if printed.is_some_and(|printed| printed.contains("\\n---") || printed.contains("\n---")) {
                self.start_document();
            }
        }
    }

    /// Goes behind an action. What a define holds is a text of its own.
    fn pass(&mut self, action: &Action) {
        self.scope = action.behind;
        if action.opens_define {
            self.around.push(std::mem::take(&mut self.stack));
        } else if let Some(around) = self.around.pop_if(|_| action.closes_define) {
            self.stack = around;
        } else {
            return;
        }
        self.next_document();
        self.skip = Skip::Nothing;
    }

    /// Reads a line that begins with an action that prints, with `content` behind it.
    fn read_printed(&mut self, start: usize, column: usize, printed: &'t str, content: &str, end: usize) {
        let indent = indent_of(printed).unwrap_or(column);
        match self.skip {
            Skip::Block(of) if indent > of => return,
            // What is printed at the margin may go on with the block, or end it: what is deeper is text still.
            Skip::Block(_) if indent_of(printed).is_none() && !content.starts_with(':') => {}
            Skip::Block(_) | Skip::Nothing => self.skip = Skip::Nothing,
            Skip::Quoted(_) | Skip::Flow(_) => return,
        }
        if printed.contains("---") {
            self.skip = Skip::Nothing;
            return self.start_document();
        }
        let is_around = |index: &usize| self.entries.get(*index).is_some_and(|entry| entry.column < indent);
        let parent = self.stack.iter().copied().rfind(is_around);
        let key = if content.starts_with(':') { Key::Unclear } else { Key::Printed };
        self.add(key, start..end, indent, parent);
        if let Some(last) = self.entries.last_mut().filter(|last| last.key == Key::Printed) {
            last.value = printed;
        }
    }

    fn next_document(&mut self) {
        self.document += 1;
        self.heads.clear();
    }

    fn start_document(&mut self) {
        self.next_document();
        self.stack.clear();
    }

    /// Whether a line belongs to something that is skipped; that may end in it.
    fn is_skipped(&mut self, at: usize, column: usize, content: &str) -> bool {
        match self.skip {
            Skip::Nothing => false,
            Skip::Block(of) if column > of && !(of == 0 && is_marker(content)) => true,
            Skip::Block(_) => {
                self.skip = Skip::Nothing;
                false
            }
            Skip::Quoted(quote) => {
                if closes(content, quote) {
                    self.skip = Skip::Nothing;
                }
                true
            }
            Skip::Flow(open) => {
                let open = brackets(content, open);
                self.skip = if open == 0 { Skip::Nothing } else { Skip::Flow(open) };
                if open == 0 {
                    self.leave_unread(self.unread_from, at + content.len());
                }
                true
            }
        }
    }

    fn read_content(&mut self, mut at: usize, mut column: usize, content: &'t str, end: usize) {
        let mut rest = content;
        let mut mark = if column == 0 && is_marker(rest) { 3 } else { 0 };
        if mark > 0 {
            self.start_document();
        }
        loop {
            let behind = rest.get(mark..).unwrap_or_default().trim_start_matches([' ', '\t']);
            let length = rest.len() - behind.len();
            (at, column, rest) = (at + length, column + length, behind);
            if rest != "-" && !rest.starts_with("- ") {
                break;
            }
            self.push(Key::Item, at..end, column);
            mark = 1;
        }
        if rest.is_empty() || rest.starts_with('#') {
            return;
        }
        if let Some(value) = rest.strip_prefix(": ")
            && let Some(key) = self.entries.last_mut().filter(|key| key.column == column && key.is_open())
        {
            // The value of `? key`.
            key.line_end = end;
            return self.set_value(without_comment(value.trim_start()), at, rest);
        }
        let (key, value) = match key_of(rest) {
            Some((key, value)) => (key, without_comment(value)),
            None if rest.starts_with(['{', '[']) && !rest.starts_with("{{") => (Key::Unclear, rest),
            None => {
                let Some(last) = self.entries.last_mut() else { return };
                if last.line_end == end {
                    // The scalar of an item.
                    self.set_value(without_comment(rest), at, rest);
                } else if column > last.column {
                    last.goes_on = true;
                }
                return;
            }
        };
        self.push(key, at..end, column);
        self.set_value(value, at, rest);
        if key == Key::Unclear && rest.starts_with('?') {
            self.leave_unread(at, at + rest.len());
        }
    }

    /// Gives the last entry its value, which may go on in the lines to come. What is in a flow collection is not read:
    /// `content`, at byte `at`.
    fn set_value(&mut self, value: &'t str, at: usize, content: &str) {
        let Some(last) = self.entries.last_mut() else { return };
        last.value = value;
        self.skip = skip_behind(value, last.column);
        last.goes_on = !matches!(self.skip, Skip::Nothing);
        let value = bare(value);
        match self.skip {
            Skip::Flow(_) => self.unread_from = at,
            _ if value.starts_with(['{', '[']) && !value.starts_with("{{") => {
                self.leave_unread(at, at + content.len());
            }
            _ => {}
        }
    }

    fn leave_unread(&mut self, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        self.unread.push((start, text));
    }

    /// Adds an entry to what it is in, by its column.
    fn push(&mut self, key: Key<'t>, line: Range<usize>, column: usize) {
        while let Some(top) = self.stack.last().and_then(|top| self.entries.get(*top)) {
            // A list may stand at the column of its key.
            let holds_list =
                key == Key::Item && top.column == column && top.key != Key::Item && top.is_open();
            if top.column < column || holds_list {
                break;
            }
            self.stack.pop();
        }
        let parent = self.stack.last().copied();
        // No object has a key twice: an action in front of it starts a document.
        if let (None, Key::Name(name @ ("apiVersion" | "kind"))) = (parent, key)
            && !self.heads.insert((name, self.scope))
        {
            self.next_document();
            self.heads.insert((name, self.scope));
        }
        self.stack.push(self.entries.len());
        self.add(key, line, column, parent);
    }

    /// Adds an entry that stands at the start of `line`, which ends behind its line break.
    fn add(&mut self, key: Key<'t>, line: Range<usize>, column: usize, parent: Option<usize>) {
        self.entries.push(Entry {
            key,
            value: "",
            goes_on: false,
            start: line.start,
            line_end: line.end,
            column,
            index: self.entries.len(),
            parent,
            document: self.document,
            scope: self.scope,
        });
    }
}
