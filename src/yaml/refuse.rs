//! Texts that parse and are refused all the same: YAML parsers disagree on them, or Helm drops part of them.

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::document::Document;
use super::error::{Error, ErrorKind};
use super::lines::{BYTE_ORDER_MARK, Lines};
use super::node::{Kind, Node};

/// How many nodes aliases may stand for altogether, each counted as often as it is referred to.
/// Helm gives up on "excessive aliasing" too; real values.yaml files stay below a hundred.
const MAX_ALIASED: usize = 200_000;

/// All of the text counts, comments and what is not parsed too.
pub(super) fn characters(lines: &Lines<'_>) -> Result<(), Error> {
    let text = lines.text;
    // A look at each byte, without a way out, is the quickest.
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f;
    if text.is_ascii() && !text.bytes().fold(false, |any, byte| any | is_control(byte)) {
        return Ok(());
    }
    let refused = text.char_indices().find_map(|(at, character)| match character {
        '\0' => Some((at, ErrorKind::Nul)),
        // Line breaks to Helm's parser, and none to YAML 1.2.
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some((at, ErrorKind::Character(character))),
        BYTE_ORDER_MARK if at > 0 => Some((at, ErrorKind::Character(character))),
        '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => None,
        _ => Some((at, ErrorKind::Character(character))),
    });
    refused.map_or(Ok(()), |(at, kind)| Err(Error::at(lines.position(at), kind)))
}

/// Counts what a reader that follows aliases gets to see, without following them.
pub(super) fn aliases(document: &Document<'_>) -> Result<(), Error> {
    if document.anchors.is_empty() {
        return Ok(());
    }
    // For each event, how many nodes aliases have stood for up to there.
    let mut sums = Vec::with_capacity(document.events.len());
    let mut sum: usize = 0;
    for alias in (0..document.events.len()).map(Node) {
        sums.push(sum);
        let target = document.resolve(alias);
        if target == alias {
            continue;
        }
        let last = document.last(target);
        // One inside of its own target stands for itself, without end.
        let stands_for_itself = last > alias.0;
        let sum_at = |at: usize| sums.get(at).copied().unwrap_or(sum);
        let aliased_inside = sum_at(last).saturating_sub(sum_at(target.0));
        sum = sum.saturating_add(last - target.0 + 1).saturating_add(aliased_inside);
        if stands_for_itself || sum > MAX_ALIASED {
            return Err(Error::at(document.position(alias), ErrorKind::Aliases));
        }
    }
    Ok(())
}

/// A document ends where the text does, or at `...` or `---`. The parser stops as well in front of
/// a line that is indented less than the first.
pub(super) fn text_behind(document: &Document<'_>) -> Result<(), Error> {
    let Document { lines, end, .. } = document;
    let rest = lines.slice(*end, lines.text.len());
    if rest.is_empty() || is_marker(rest, "...") || is_marker(rest, "---") {
        return Ok(());
    }
    let complaint = "text behind the end of the document, which no `...` tells from it";
    Err(document.invalid(lines.position(lines.start(lines.at(*end))), complaint))
}

/// Helm reads the first document and drops the rest without a word. Notes behind `...` are an old habit in some
/// repositories; what is YAML there, or stands behind `---`, somebody meant to count. Markers alone say nothing.
pub(super) fn other_documents(document: &Document<'_>) -> Result<(), Error> {
    let Document { lines, end, .. } = document;
    let refused = |line| Err(Error::at(lines.position(lines.start(line)), ErrorKind::SecondDocument));
    // Where the first document is empty, it is the second that was parsed.
    let first = document.offset(Node(0));
    if (0..lines.at(first)).any(|line| lines.line(line).starts_with("...")) {
        return Err(Error::at(document.position(Node(0)), ErrorKind::SecondDocument));
    }
    let holds_something = |line: &usize| {
        let text = lines.line(*line);
        let is_marked = is_marker(text, "---") || is_marker(text, "...");
        let text = if is_marked { text.get(3..).unwrap_or_default() } else { text }.trim_start();
        !text.is_empty() && !text.starts_with('#')
    };
    let mut behind = lines.at(*end)..lines.count();
    if *end == lines.text.len() || !behind.clone().any(|line| holds_something(&line)) {
        return Ok(());
    }
    let begins = |line: &usize| is_marker(lines.line(*line), "---");
    if let Some(line) = behind.clone().find(begins) {
        return refused(line);
    }
    let notes = lines.slice(lines.end(*end), lines.text.len());
    let is_data = |notes: &Document<'_>| {
        notes.root().is_some_and(|root| matches!(notes.kind(root), Kind::Mapping | Kind::List))
    };
    match behind.find(holds_something) {
        Some(line) if Document::parse_first(notes).is_ok_and(|notes| is_data(&notes)) => refused(line),
        _ => Ok(()),
    }
}

/// Helm makes JSON of its values, where keys are texts, and merges mappings only.
pub(super) fn keys(document: &Document<'_>) -> Result<(), Error> {
    let is_mapping = |node| document.kind(document.resolve(node)) == Kind::Mapping;
    for node in (0..document.events.len()).map(Node) {
        let Some(key) = document.key(node) else { continue };
        let kind = document.kind(document.resolve(key));
        if matches!(kind, Kind::List | Kind::Mapping | Kind::Null) {
            return Err(Error::at(document.position(key), ErrorKind::Key(kind)));
        }
        let is_merge = document.is_plain(key) && document.scalar(key) == Some("<<");
        let merges_list = || document.kind(node) == Kind::List && document.children(node).all(is_mapping);
        if is_merge && !is_mapping(node) && !merges_list() {
            let what = "a merge (<<) of what is no mapping";
            return Err(Error::at(document.position(node), ErrorKind::Unread(what)));
        }
    }
    Ok(())
}

/// What JSON, which Helm makes of its values, does not have; and an escape of JSON's that YAML 1.1 does not have.
pub(super) fn scalars(document: &Document<'_>) -> Result<(), Error> {
    for node in (0..document.events.len()).map(Node) {
        let is_key = document.key(node).is_none()
            && document.parent(node).is_some_and(|parent| document.kind(parent) == Kind::Mapping);
        let what = match document.event(node) {
            Some(Event::Scalar(text, TScalarStyle::Plain, _, None)) if !is_key && is_no_json_number(text) => {
                "a number that JSON, which it makes of values, does not have"
            }
            Some(Event::Scalar(text, TScalarStyle::DoubleQuoted, ..))
                if text.contains('/') && has_escaped_slash(document, node) =>
            {
                "the escape \\/, which YAML 1.1 does not have"
            }
            _ => continue,
        };
        return Err(Error::at(document.position(node), ErrorKind::Unread(what)));
    }
    Ok(())
}

fn is_no_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

fn has_escaped_slash(document: &Document<'_>, quoted: Node) -> bool {
    let text = document.lines.slice(document.offset(quoted), document.end_of_quoted(quoted));
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next() == Some('/') {
            return true;
        }
    }
    false
}

/// Directives in front of the document. Helm reads YAML 1.1, and nothing that says to be another.
pub(super) fn directives(document: &Document<'_>) -> Result<(), Error> {
    let lines = &document.lines;
    for line in 0..lines.at(document.offset(Node(0))) {
        let mut words = lines.line(line).split_ascii_whitespace();
        let is_known = match words.next() {
            Some("%YAML") => words.next() == Some("1.1"),
            Some(word) => word == "%TAG" || !word.starts_with('%'),
            None => true,
        };
        if !is_known {
            let what = "a text with a directive other than %TAG and %YAML 1.1";
            return Err(Error::at(lines.position(lines.start(line)), ErrorKind::Unread(what)));
        }
    }
    Ok(())
}

/// Whether `text` starts with `---` or `...` on its own.
fn is_marker(text: &str, marker: &str) -> bool {
    let behind = text.strip_prefix(marker);
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace))
}
