//! Texts that parse and are refused all the same: YAML parsers disagree on them, or Helm drops part of them.

use yaml_rust2::parser::Event;

use super::document::{Document, Style};
use super::error::{Error, ErrorKind};
use super::lines::{BYTE_ORDER_MARK, Lines};
use super::node::Node;

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

/// Refuses tabs in front of a key or an item, on which parsers disagree.
pub(super) fn tabs(document: &Document<'_>) -> Result<(), Error> {
    if memchr::memchr(b'\t', document.text().as_bytes()).is_none() {
        return Ok(());
    }
    for (index, located) in document.events.iter().enumerate() {
        let is_written = match &located.event {
            Event::SequenceEnd | Event::MappingEnd => false,
            Event::Scalar(text, ..) => !text.is_empty() && !document.is_block_scalar(Node(index)),
            _ => true,
        };
        // Inside of flow collections white space is just that.
        let in_flow = document.style(located.parent) != Style::Block;
        if is_written
            && !in_flow
            && let Some(tab) = document.lines.tab_in_indent(document.lines.at(located.offset))
            && tab < located.offset
        {
            return Err(Error::at(document.lines.position(tab), ErrorKind::Tab));
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
    let complaint = "text behind the end of the document, which no `...` tells from it".to_owned();
    let start = lines.start(lines.at(*end));
    Err(Error::at(lines.position(start), ErrorKind::Syntax(complaint)))
}

/// Helm reads the first document and drops the rest without a word. After `...` that is old
/// habit in some repositories; after `---` somebody meant it to count.
pub(super) fn second_document(document: &Document<'_>) -> Result<(), Error> {
    let Document { lines, end, .. } = document;
    // Where the first document is empty, it is the second that was parsed.
    let first = document.offset(Node(0));
    if (0..lines.at(first)).any(|line| lines.line(line).starts_with("...")) {
        return Err(Error::at(document.position(Node(0)), ErrorKind::SecondDocument));
    }
    let begins = |line: &usize| lines.start(*line) >= *end && is_marker(lines.line(*line), "---");
    match (lines.at(*end)..lines.count()).find(begins) {
        Some(line) => Err(Error::at(lines.position(lines.start(line)), ErrorKind::SecondDocument)),
        None => Ok(()),
    }
}

/// Whether `text` starts with `---` or `...` on its own.
fn is_marker(text: &str, marker: &str) -> bool {
    let behind = text.strip_prefix(marker);
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace))
}
