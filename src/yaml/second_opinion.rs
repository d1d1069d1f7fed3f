//! What libyaml, which Helm's parser descends from, makes of a text that the first parser has read.

use yaml_rust2::parser::Event;

use super::document::Document;
use super::error::{Error, ErrorKind};
use super::lines::{BYTE_ORDER_MARK, spaces_behind_colons};
use super::node::{Kind, Node, Position};
use super::tree::Tree;

/// Asks the second parser right away where a text has in it what Helm's parser takes less of than the first:
/// tabs, anchors and flow mappings. Reading all of each text twice would take too long.
pub(super) fn if_unusual(document: &Document<'_>) -> Result<(), Error> {
    let is_unusual = |node: Node| document.is_flow(node) && document.last(node) > node.0 + 1;
    let is_unusual = !document.anchors.is_empty()
        || memchr::memchr(b'\t', document.text().as_bytes()).is_some()
        || document.mappings().any(is_unusual);
    if is_unusual { second_opinion(document) } else { Ok(()) }
}

/// Whether the second parser reads the same.
pub(super) fn second_opinion(document: &Document<'_>) -> Result<(), Error> {
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
        (Tree::Other(_), _) => document.is_plain(target) || has_tag(document, target),
    };
    (!is_same).then_some(node)
}

fn has_tag(document: &Document<'_>, node: Node) -> bool {
    matches!(document.event(node), Some(Event::Scalar(_, _, _, Some(_))))
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
