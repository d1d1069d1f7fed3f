//! The proof that a text was edited as intended: parsed again, it is the old document plus
//! exactly the intended entries, in two parsers' eyes.

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::addition::Addition;
use super::document::{Document, Located};
use super::error::{Error, ErrorKind};
use super::lines::BYTE_ORDER_MARK;
use super::node::{Kind, Node, Position};
use super::parse::spaces_behind_colons;
use super::tree::Tree;

/// Proves that `new` is `old` with `additions` made, and gives back the parsed new document.
///
/// Compared are streams of events, so that duplicate keys, anchors, tags and the styles of
/// scalars count. Then libyaml, which Helm's parser descends from, must read the same out of the
/// new text as the first.
pub(crate) fn prove<'n>(
    old: &Document<'_>,
    new: &'n str,
    additions: &[&Addition],
) -> Result<Document<'n>, Error> {
    let parsed = Document::parse(new)
        .map_err(|error| unproven(old, additions, format!("the edited text would not parse: {error}")))?;
    if !events_agree(old, &parsed, additions) {
        return Err(unproven(old, additions, "the edited text would mean something else than intended"));
    }
    if let Err(error) = second_opinion(&parsed) {
        // What it finds fault with may have been there before.
        second_opinion(old)?;
        return Err(unproven(old, additions, format!("edited, it would be wrong: {error}")));
    }
    Ok(parsed)
}

/// The error of an edit that did not come out right, placed where the first addition goes.
pub(super) fn unproven(old: &Document<'_>, additions: &[&Addition], reason: impl Into<String>) -> Error {
    let position = additions.first().map(|addition| old.position(addition.mapping));
    let position = position.unwrap_or(Position { line: 1, column: 1 });
    Error::at(position, ErrorKind::Unproven(reason.into()))
}

/// Walks both event streams, replacing on the way what each addition says.
fn events_agree(old: &Document<'_>, new: &Document<'_>, additions: &[&Addition]) -> bool {
    let mut splices: Vec<_> = additions.iter().map(|addition| &addition.splice).collect();
    splices.sort_by_key(|splice| splice.at);
    let mut seen = events(&new.events);
    let mut done = 0;
    for splice in splices {
        let Some(kept) = old.events.get(done..splice.at) else { return false };
        let mut expected = events(kept).chain(&splice.inserted);
        if !expected.all(|event| seen.next().is_some_and(|other| is_same(event, other))) {
            return false;
        }
        done = splice.at + splice.removed;
    }
    old.events.get(done..).is_some_and(|rest| events(rest).eq(seen))
}

fn events(located: &[Located]) -> impl Iterator<Item = &Event> {
    located.iter().map(|located| &located.event)
}

/// An empty block scalar at the end of the text holds a line break for the parser, and none once
/// something follows it.
fn is_same(old: &Event, new: &Event) -> bool {
    let is_empty_block = |event: &Event, read: &str| match event {
        Event::Scalar(text, TScalarStyle::Literal | TScalarStyle::Folded, ..) => text == read,
        _ => false,
    };
    old == new || is_empty_block(old, "\n") && is_empty_block(new, "")
}

/// Asks the second parser right away where a text has in it what Helm's parser takes less of than the first:
/// tabs, anchors and flow mappings. Reading all of each text twice would take too long.
pub(super) fn second_opinion_if_unusual(document: &Document<'_>) -> Result<(), Error> {
    let is_unusual = |node: Node| document.is_flow(node) && document.last(node) > node.0 + 1;
    let is_unusual = !document.anchors.is_empty()
        || memchr::memchr(b'\t', document.text().as_bytes()).is_some()
        || document.mappings().any(is_unusual);
    if is_unusual { second_opinion(document) } else { Ok(()) }
}

/// Whether the second parser reads the same.
fn second_opinion(document: &Document<'_>) -> Result<(), Error> {
    let complaint = match disagreement(document) {
        Ok(None) => return Ok(()),
        Ok(Some(node)) => return Err(Error::at(document.position(node), ErrorKind::ParsersDisagree)),
        Err(complaint) => complaint,
    };
    let (line, column) = complaint.location().map_or((1, 1), |at| (at.line(), at.column()));
    let complaint = complaint.to_string();
    let what = complaint.split(" at line ").next().unwrap_or(&complaint);
    Err(document.invalid(Position { line, column }, what))
}

/// The first node of a document that is to the second parser something else than to the first.
/// `Err` with its complaint, where it does not take it at all.
fn disagreement(document: &Document<'_>) -> Result<Option<Node>, serde_yaml::Error> {
    let text = document.lines.slice(0, document.end);
    // The second parser takes the mark for a character of the text.
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let seen = Tree::parse(text)?;
    Ok(document.root().and_then(|root| difference(&seen, document, root)))
}

/// The first node at or inside of `node` that is something else than `seen`. Which plain scalars are
/// numbers, booleans or null is for the second parser alone to say.
fn difference(seen: &Tree, document: &Document<'_>, node: Node) -> Option<Node> {
    let target = document.resolve(node);
    let is_same = match (seen, document.kind(target)) {
        (Tree::Mapping(seen), Kind::Mapping) => {
            let seen = seen.iter().flat_map(|(key, value)| [key, value]);
            return difference_inside(seen, document, target);
        }
        (Tree::List(seen), Kind::List) => return difference_inside(seen.iter(), document, target),
        (Tree::Mapping(_) | Tree::List(_), _) => false,
        // Parsers disagree on a block scalar that ends with the text.
        (Tree::Text(text), _) if document.ending_block_scalar() == Some(target) => {
            let own = document.scalar(target).unwrap_or_default();
            is_same_text(own.trim_end_matches('\n'), text.trim_end_matches('\n'))
        }
        (Tree::Text(text), _) => document.scalar(target).is_some_and(|own| is_same_text(own, text)),
        (Tree::Other(_), _) => document.is_plain(target),
    };
    (!is_same).then_some(node)
}

fn difference_inside<'s>(
    mut seen: impl Iterator<Item = &'s Tree>,
    document: &Document<'_>,
    parent: Node,
) -> Option<Node> {
    let mut children = document.children(parent);
    loop {
        match (seen.next(), children.next()) {
            (None, None) => return None,
            (Some(seen), Some(child)) => match difference(seen, document, child) {
                None => {}
                found => return found,
            },
            _ => return Some(parent),
        }
    }
}

fn is_same_text(own: &str, other: &str) -> bool {
    own == other || spaces_behind_colons(own) == spaces_behind_colons(other)
}

#[cfg(test)]
mod tests {
    use super::prove;
    use crate::yaml::{Document, Entry, ErrorKind, Place, Value};

    /// The editor never offers a text that is not proven, so that only here can the proof be
    /// shown to notice anything.
    #[test]
    fn a_text_that_is_not_the_intended_one_is_noticed() -> Result<(), Box<dyn std::error::Error>> {
        let old = Document::parse("a: 1\nb: {c: 2}\n")?;
        let root = old.root().ok_or("no root")?;
        let addition = old.add(root, Place::Last, &[Entry::new("d", Value::literal("3"))])?;
        let reason = |new| match prove(&old, new, &[&addition]) {
            Err(error) => match error.kind {
                ErrorKind::Unproven(reason) => Some(reason),
                _ => None,
            },
            Ok(_) => None,
        };
        assert!(prove(&old, "a: 1\nb: {c: 2}\nd: 3\n", &[&addition]).is_ok());
        let wrong = [
            "a: 1\nb: {c: 2}\n",          // nothing added
            "a: 1\nb: {c: 2}\nd: 4\n",    // another value
            "a: 1\nb: {c: 2}\nd: '3'\n",  // a string instead of a number
            "a: 1\nb: {c: 2, d: 3}\n",    // in another mapping
            "d: 3\na: 1\nb: {c: 2}\n",    // in another place
            "a: '1'\nb: {c: 2}\nd: 3\n",  // something else changed too
            "a: &x 1\nb: {c: 2}\nd: 3\n", // an anchor more
            "a: 1\nb: {c: 2}\nd: 3\ne: 4\n",
        ];
        for text in wrong {
            let expected = "the edited text would mean something else than intended";
            assert_eq!(reason(text).as_deref(), Some(expected), "{text:?}");
        }
        let broken = reason("a: 1\nb: {c: 2\nd: 3\n").unwrap_or_default();
        assert!(broken.starts_with("the edited text would not parse: not valid YAML"), "{broken}");
        Ok(())
    }
}
