//! What one line of YAML says: its key, its value, and whether that goes on in the lines behind.

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

/// What of the lines to come is no part of the outline.
#[derive(Clone, Copy, Default)]
pub(super) enum Skip {
    #[default]
    Nothing,
    /// A block scalar, below a key or an item at this column.
    Block(usize),
    /// A quoted text, up to this quote.
    Quoted(char),
    /// A flow collection with so many brackets open.
    Flow(usize),
}

/// A value without a tag, an anchor, and comments of the template behind it.
pub(super) fn bare(mut value: &str) -> &str {
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

/// Whether a line starts a document, or ends one.
pub(super) fn is_marker(content: &str) -> bool {
    // Helm cuts a render at each line that starts with three dashes, whatever follows.
    content.starts_with("---") || content == "..." || content.starts_with("... ")
}

/// The column at which `| indent 4` or `| nindent 4` puts what an action prints.
pub(super) fn indent_of(action: &str) -> Option<usize> {
    let (_, behind) = action.rsplit_once("indent ")?;
    let digits = behind.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// What has to be skipped behind the value of an entry at this column.
pub(super) fn skip_behind(value: &str, column: usize) -> Skip {
    let value = bare(value);
    let printed = value.strip_prefix("{{").map(|action| action.trim_start_matches(['-', ' ', '"', '`']));
    if let Some(header) = printed.unwrap_or(value).strip_prefix(['|', '>']) {
        let header = header.trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c)).trim();
        let is_header = header.is_empty() || header.starts_with("{{") || printed.is_some();
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

/// Whether a quoted text ends in `text`.
pub(super) fn closes(text: &str, quote: char) -> bool {
    let mut is_escaped = false;
    text.chars().any(|character| {
        let is_end = character == quote && !is_escaped;
        is_escaped = character == '\\' && quote == '"' && !is_escaped;
        is_end
    })
}

/// How many brackets are open behind `text`, where `open` are in front of it. Those in quotes do not count.
pub(super) fn brackets(text: &str, mut open: usize) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for character in text.chars() {
        match (quote, character) {
            // A quote within a word is an apostrophe.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(character),
            (None, '{' | '[') => open += 1,
            (None, '}' | ']') => open = open.saturating_sub(1),
            (Some(end), _) if end == character && before != '\\' => quote = None,
            _ => {}
        }
        before = character;
    }
    open
}

/// The key that a line starts with, and what is behind its colon.
pub(super) fn key_of(line: &str) -> Option<(Key<'_>, &str)> {
    if let Some(key) = line.strip_prefix("? ") {
        let key = without_comment(key);
        let is_plain = !key.starts_with(['{', '[', '|', '>', '?', '-', '*', '&', '!']) && !key.contains("{{");
        let name = unquoted(key).unwrap_or(key);
        return Some((if is_plain { Key::Name(name) } else { Key::Unclear }, ""));
    }
    if line == "?" {
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
pub(super) fn without_comment(value: &str) -> &str {
    if !value.contains('#') {
        return value.trim_end();
    }
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

pub(super) fn unquoted(value: &str) -> Option<&str> {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\''))
}
