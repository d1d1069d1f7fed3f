//! An outline of the YAML around the actions of a template: keys and list items, where they stand, what they
//! are in, and under which condition.
//!
//! It takes the text for what it looks like: an action that prints something stands for a value or for lines
//! that are not known. What is in block scalars, comments and quotes over several lines is no key.

use super::actions::{Action, Actions, Scope};

/// A key or a list item, or lines that an action prints.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) key: Key<'t>,
    /// What stands behind it on its line, without a comment.
    pub(crate) value: &'t str,
    /// Byte offset at which it stands.
    pub(crate) start: usize,
    /// Byte offset behind the line break of its line.
    pub(crate) line_end: usize,
    pub(crate) column: usize,
    /// The entry that it is in, as an index.
    pub(crate) parent: Option<usize>,
    /// The number of the document that it is in.
    pub(crate) document: usize,
    pub(crate) scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'t> {
    /// `key:`, without its quotes.
    Name(&'t str),
    /// `- `
    Item,
    /// A key that an action prints or that is written as `? key`; a flow collection without a key.
    Unclear,
    /// A line with nothing but actions, some of which print.
    Printed,
}

#[derive(Debug)]
pub(crate) struct Outline<'t> {
    pub(crate) text: &'t str,
    pub(crate) actions: Actions<'t>,
    /// In the order of the text, what is in another one behind that.
    pub(crate) entries: Vec<Entry<'t>>,
    /// What may hold keys that are no entries: flow collections, JSON and `? key`.
    pub(crate) unread: Vec<Unread<'t>>,
}

/// A part of the text that is not read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread<'t> {
    pub(crate) start: usize,
    pub(crate) text: &'t str,
}

impl<'t> Outline<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut reader = Reader {
            text,
            stacks: vec![Vec::new()],
            document: 0,
            scope: Scope::FILE,
            skip: Skip::Nothing,
            entries: Vec::new(),
            unread: Vec::new(),
            unread_from: 0,
        };
        let actions = Actions::new(text);
        let mut rest = actions.all.as_slice();
        let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        while start < text.len() {
            let (end, count) = end_of_line(text, start, rest);
            let (line, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            reader.read_line(start, end, line);
            (start, rest) = (end, behind);
        }
        Outline { text, entries: reader.entries, unread: reader.unread, actions }
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&Entry<'t>> {
        self.entries.get(index)
    }

    /// The entries directly in `parent`, with their indices.
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Entry<'t>)> {
        let behind = self.entries.iter().enumerate().skip(parent + 1);
        let inside =
            behind.take_while(move |(_, entry)| entry.key == Key::Printed || entry.parent >= Some(parent));
        inside.filter(move |(_, entry)| entry.parent == Some(parent))
    }

    /// The entries in what the entry `index` is in, itself included.
    pub(crate) fn siblings(&self, index: usize) -> Vec<(usize, &Entry<'t>)> {
        let Some(entry) = self.entry(index) else { return Vec::new() };
        if let Some(parent) = entry.parent {
            return self.children(parent).collect();
        }
        let start = self.entries.partition_point(|other| other.document < entry.document);
        let document = self.entries.iter().enumerate().skip(start);
        let document = document.take_while(|(_, other)| other.document == entry.document);
        document.filter(|(_, other)| other.parent.is_none()).collect()
    }
}

impl<'t> Entry<'t> {
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == Key::Name(key)
    }

    /// The value without its quotes, where it is text alone: no action, flow collection, alias or block scalar.
    pub(crate) fn scalar(&self) -> Option<&'t str> {
        let value = self.text();
        let is_plain = !value.contains("{{") && !value.starts_with(['{', '[', '|', '>', '*']);
        is_plain.then(|| unquoted(value).unwrap_or(value))
    }

    /// The value without a tag, an anchor, and comments of the template behind it.
    pub(crate) fn text(&self) -> &'t str {
        let mut value = self.value;
        while let Some(behind) = value.strip_prefix(['!', '&']) {
            value = behind.find(' ').and_then(|at| behind.get(at..)).unwrap_or_default().trim_start();
        }
        while value.ends_with("}}")
            && let Some((before, last)) = value.rsplit_once("{{")
            && last.trim_start_matches('-').trim_start().starts_with("/*")
        {
            value = before.trim_end();
        }
        value
    }

    /// Whether its value goes on in lines that are no entries: a block scalar, a quoted text, a flow collection.
    pub(crate) fn goes_on(&self) -> bool {
        !matches!(skip_behind(self.value, self.column), Skip::Nothing)
    }

    /// Whether nothing stands behind the key.
    pub(crate) fn is_open(&self) -> bool {
        self.text().is_empty()
    }
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

/// What of the lines to come is no part of the outline.
#[derive(Clone, Copy)]
enum Skip {
    Nothing,
    /// A block scalar, below a key or an item at this column.
    Block(usize),
    /// A quoted text, up to this quote.
    Quoted(char),
    /// A flow collection with so many brackets open.
    Flow(usize),
}

struct Reader<'t> {
    text: &'t str,
    /// The entries that those to come may be in, innermost last; a list for each define that is open.
    stacks: Vec<Vec<usize>>,
    document: usize,
    scope: Scope,
    skip: Skip,
    entries: Vec<Entry<'t>>,
    unread: Vec<Unread<'t>>,
    /// Where the flow collection that is open starts.
    unread_from: usize,
}

impl<'t> Reader<'t> {
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
        ahead.for_each(|action| self.pass(action));
    }

    /// Goes behind an action. What a define holds is a text of its own.
    fn pass(&mut self, action: &Action) {
        self.scope = action.behind;
        if action.opens_define {
            self.stacks.push(Vec::new());
        } else if action.closes_define && self.stacks.len() > 1 {
            self.stacks.pop();
        } else {
            return;
        }
        self.document += 1;
        self.skip = Skip::Nothing;
    }

    /// Reads a line that begins with an action that prints, with `content` behind it.
    fn read_printed(&mut self, start: usize, column: usize, printed: &'t str, content: &str, end: usize) {
        let indent = indent_of(printed).unwrap_or(column);
        match self.skip {
            Skip::Block(of) if indent > of || indent_of(printed).is_none() && !content.starts_with(':') => {
                return;
            }
            Skip::Block(_) | Skip::Nothing => self.skip = Skip::Nothing,
            Skip::Quoted(_) | Skip::Flow(_) => return,
        }
        if printed.contains("---") {
            return self.start_document();
        }
        let is_key = content.starts_with(':');
        let stack = self.stacks.last().into_iter().flatten().rev();
        let parent =
            stack.copied().find(|index| self.entries.get(*index).is_some_and(|entry| entry.column < indent));
        let (key, value) = if is_key { (Key::Unclear, "") } else { (Key::Printed, printed) };
        let (document, scope) = (self.document, self.scope);
        self.entries.push(Entry {
            key,
            value,
            start,
            line_end: end,
            column: indent,
            parent,
            document,
            scope,
        });
    }

    fn start_document(&mut self) {
        self.document += 1;
        if let Some(stack) = self.stacks.last_mut() {
            stack.clear();
        }
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
            self.push(Key::Item, "", at, column, end);
            mark = 1;
        }
        if rest.is_empty() || rest.starts_with('#') {
            return;
        }
        let (key, value) = match key_of(rest) {
            Some((key, value)) => (key, without_comment(value)),
            None if rest.starts_with(['{', '[']) && !rest.starts_with("{{") => (Key::Unclear, rest),
            None => {
                // The scalar of an item.
                if let Some(item) = self.entries.last_mut().filter(|item| item.line_end == end) {
                    item.value = without_comment(rest);
                    self.skip = skip_behind(item.value, item.column);
                }
                return;
            }
        };
        self.push(key, value, at, column, end);
        self.skip = skip_behind(value, column);
        let is_flow = value.starts_with(['{', '[']) && !value.starts_with("{{");
        match self.skip {
            Skip::Flow(_) => self.unread_from = at,
            _ if is_flow || rest.starts_with('?') => self.leave_unread(at, at + rest.len()),
            _ => {}
        }
    }

    fn leave_unread(&mut self, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        self.unread.push(Unread { start, text });
    }

    fn push(&mut self, key: Key<'t>, value: &'t str, start: usize, column: usize, line_end: usize) {
        let index = self.entries.len();
        let Some(stack) = self.stacks.last_mut() else { return };
        while let Some(top) = stack.last().and_then(|top| self.entries.get(*top)) {
            // A list may stand at the column of its key.
            let holds_list =
                key == Key::Item && top.column == column && top.key != Key::Item && top.is_open();
            if top.column < column || holds_list {
                break;
            }
            stack.pop();
        }
        let parent = stack.last().copied();
        stack.push(index);
        let (document, scope) = (self.document, self.scope);
        self.entries.push(Entry { key, value, start, line_end, column, parent, document, scope });
    }
}

/// Whether a line starts a document, or ends one.
fn is_marker(content: &str) -> bool {
    let behind = content.strip_prefix("---").or_else(|| content.strip_prefix("..."));
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\t', '{']))
}

/// The column at which `| indent 4` or `| nindent 4` puts what an action prints.
fn indent_of(action: &str) -> Option<usize> {
    let (_, behind) = action.rsplit_once("indent ")?;
    let digits = behind.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// What has to be skipped behind the value of an entry at this column.
fn skip_behind(value: &str, column: usize) -> Skip {
    let entry = Entry { value, ..EMPTY };
    let value = entry.text();
    if let Some(header) = value.strip_prefix(['|', '>']) {
        let is_header =
            header.trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c)).trim().is_empty();
        return if is_header { Skip::Block(column) } else { Skip::Nothing };
    }
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) if !closes(value.get(1..).unwrap_or_default(), quote) => {
            Skip::Quoted(quote)
        }
        Some('{' | '[') if !value.starts_with("{{") => match brackets(value, 0) {
            0 => Skip::Nothing,
            open => Skip::Flow(open),
        },
        _ => Skip::Nothing,
    }
}

const EMPTY: Entry<'static> = Entry {
    key: Key::Item,
    value: "",
    start: 0,
    line_end: 0,
    column: 0,
    parent: None,
    document: 0,
    scope: Scope::FILE,
};

/// Whether a quoted text ends in `text`.
fn closes(text: &str, quote: char) -> bool {
    let mut is_escaped = false;
    text.chars().any(|character| {
        let is_end = character == quote && !is_escaped;
        is_escaped = character == '\\' && quote == '"' && !is_escaped;
        is_end
    })
}

/// How many brackets are open behind `text`, where `open` are in front of it. Those of actions do not count.
fn brackets(text: &str, open: usize) -> usize {
    text.chars().fold(open, |open, character| match character {
        '{' | '[' => open + 1,
        '}' | ']' => open.saturating_sub(1),
        _ => open,
    })
}

/// The key that a line starts with, and what is behind its colon.
fn key_of(line: &str) -> Option<(Key<'_>, &str)> {
    if line == "?" || line.starts_with("? ") {
        return Some((Key::Unclear, ""));
    }
    let mut rest = line;
    while let Some(behind) = rest.strip_prefix(['&', '!']) {
        rest = behind.split_once(' ')?.1.trim_start();
    }
    if let Some(quote) = rest.chars().next().filter(|first| ['"', '\''].contains(first)) {
        let (key, behind) = rest.get(1..)?.split_once(quote)?;
        let value = behind.trim_start().strip_prefix(':')?;
        return (value.is_empty() || value.starts_with([' ', '\t', '{']))
            .then_some((Key::Name(key), value.trim_start()));
    }
    let is_colon = |at: &usize| {
        let behind = rest.get(at + 1..).unwrap_or_default();
        behind.is_empty() || behind.starts_with([' ', '\t']) || behind.starts_with("{{")
    };
    let at = rest.match_indices(':').map(|(at, _)| at).find(is_colon)?;
    let (key, value) = (rest.get(..at)?.trim_end(), rest.get(at + 1..)?.trim_start());
    if key.contains("{{") {
        return Some((Key::Unclear, value));
    }
    (!key.contains(" #") && !key.starts_with(['|', '>', '{', '[', '%', '@']))
        .then_some((Key::Name(key), value))
}

/// A value without the comment behind it.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in value.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() => return value.get(..at).unwrap_or_default().trim_end(),
            (None, '"' | '\'' | '`') if at == 0 || value.contains("{{") => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
        before = character;
    }
    value.trim_end()
}

fn unquoted(value: &str) -> Option<&str> {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\''))
}
