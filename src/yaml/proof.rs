//! The proof that a text was edited as intended: parsed again, it is the old document plus
//! exactly the intended entries, in two parsers' eyes.

use std::borrow::Borrow;
use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::document::{Document, Kind, Node, ParseError, Position};
use super::insert::Addition;

/// Why an edited text is not what it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It does not parse any more.
    Broken(ParseError),
    /// The parser sees something else than the old document and the new entries.
    Different,
    /// The two parsers read different things out of the old text already, first of all here.
    Ambiguous(Position),
    /// The second parser accepted the old text, and now reports an error.
    SecondParser(String),
    /// The second parser sees other data than the old data and the new entries.
    SecondOpinion,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::Broken(error) => write!(f, "the edited text would not parse: {error}"),
            Doubt::Different => f.write_str("the edited text would mean something else than intended"),
            Doubt::Ambiguous(_) => {
                f.write_str("two YAML parsers read different things out of the text as it is")
            }
            Doubt::SecondParser(error) => {
                write!(f, "a second YAML parser would reject the edited text: {error}")
            }
            Doubt::SecondOpinion => f.write_str("a second YAML parser would read other data than intended"),
        }
    }
}

impl std::error::Error for Doubt {}

/// Proves that `new` is `old` with `additions` made, and gives back the parsed new document.
///
/// Compared are streams of events, so that duplicate keys, anchors, tags and the styles of
/// scalars count. Then libyaml, which Helm's parser descends from, must read the same out of the
/// new text as the first. Where it does not take the old text it has no say.
///
/// # Errors
/// [`Doubt`], and then the edit must not be made.
pub fn prove<'n, A: Borrow<Addition>>(
    old: &Document<'_>,
    new: &'n str,
    additions: &[A],
) -> Result<Document<'n>, Doubt> {
    let document = Document::parse(new).map_err(Doubt::Broken)?;
    if !events_agree(old, &document, additions) {
        return Err(Doubt::Different);
    }
    second_opinion(old, &document, additions)?;
    Ok(document)
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

/// Walks both event streams, replacing on the way what each addition says.
fn events_agree<A: Borrow<Addition>>(old: &Document<'_>, new: &Document<'_>, additions: &[A]) -> bool {
    let mut splices: Vec<_> = additions.iter().map(|addition| &addition.borrow().splice).collect();
    splices.sort_by_key(|splice| splice.at);
    let mut seen = new.events().iter();
    let mut done = 0;
    for splice in splices {
        let Some(kept) = old.events().get(done..splice.at) else { return false };
        let mut expected = kept.iter().chain(&splice.inserted);
        if !expected.all(|event| seen.next().is_some_and(|other| is_same(event, other))) {
            return false;
        }
        done = splice.at + splice.removed;
    }
    old.events().get(done..).is_some_and(|rest| rest.iter().eq(seen))
}

/// The first node of a document that is to the second parser something else than to the first.
/// `Err` with its complaint, where it does not take it at all.
fn disagreement(document: &Document<'_>) -> Result<Option<Node>, String> {
    let text = document.slice(0, document.end());
    // The second parser takes the mark for a character of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let seen: Seen = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    Ok(document.root().and_then(|root| seen.difference(document, root)))
}

/// The second parser must agree on the new text, unless it does not take the old one at all.
///
/// Where the additions are whole lines, all that was there is still there for it to agree on.
/// Where they are not, they may have settled what was ambiguous, so that the old text counts too.
fn second_opinion<A: Borrow<Addition>>(
    old: &Document<'_>,
    new: &Document<'_>,
    additions: &[A],
) -> Result<(), Doubt> {
    let doubt = match disagreement(new) {
        Ok(None) if additions.iter().all(|addition| addition.borrow().adds_lines_only(old.text())) => {
            return Ok(());
        }
        Ok(None) => None,
        Ok(Some(_)) => Some(Doubt::SecondOpinion),
        Err(complaint) => Some(Doubt::SecondParser(complaint)),
    };
    match disagreement(old) {
        Err(_) => Ok(()),
        Ok(Some(node)) => Err(Doubt::Ambiguous(old.position(node))),
        Ok(None) => doubt.map_or(Ok(()), Err),
    }
}

fn without_breaks(text: &str) -> &str {
    text.trim_end_matches('\n')
}

/// A document as the second parser reads it. Unlike its own type for that, this one takes keys
/// that stand twice, as Helm does, and keeps no more than is compared.
enum Seen {
    Mapping(Vec<(Seen, Seen)>),
    List(Vec<Seen>),
    String(String),
    /// A number, a boolean or null.
    Other,
}

impl Seen {
    /// The first node at or inside of `node` that holds something else than this. Which plain
    /// scalars are numbers, booleans or null is for the second parser alone to say.
    fn difference(&self, document: &Document<'_>, node: Node) -> Option<Node> {
        let target = document.resolve(node);
        let is_same = match self {
            Seen::Mapping(seen) if document.kind(target) == Kind::Mapping => {
                let mut pairs = document.entries(target).zip(seen);
                let inside = pairs.find_map(|(own, (key, value))| {
                    key.difference(document, own.0).or_else(|| value.difference(document, own.1))
                });
                if inside.is_some() {
                    return inside;
                }
                document.entries(target).count() == seen.len()
            }
            Seen::List(seen) if document.kind(target) == Kind::List => {
                let mut pairs = document.children(target).zip(seen);
                let inside = pairs.find_map(|(child, item)| item.difference(document, child));
                if inside.is_some() {
                    return inside;
                }
                document.children(target).count() == seen.len()
            }
            Seen::Mapping(_) | Seen::List(_) => false,
            // Parsers disagree on a block scalar that ends with the text.
            Seen::String(text) if document.ending_block_scalar() == Some(target) => {
                document.scalar(target).map(without_breaks) == Some(without_breaks(text))
            }
            Seen::String(text) => document.scalar(target) == Some(text),
            Seen::Other => document.is_plain(target),
        };
        (!is_same).then_some(node)
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeenVisitor)
    }
}

struct SeenVisitor;

impl<'de> Visitor<'de> for SeenVisitor {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_none<E>(self) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Seen, E> {
        Ok(Seen::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Seen, E> {
        Ok(Seen::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Seen::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Seen, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Seen::Mapping(mapping))
    }

    /// A node with a tag of its own; the events have settled that the tag is still there.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Seen, A::Error> {
        let (_, content) = tagged.variant::<IgnoredAny>()?;
        content.newtype_variant()
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, prove};
    use crate::yaml::{Document, Entry, Place, Value};

    /// The editor never offers a text that is not proven, so that only here can the proof be
    /// shown to notice anything.
    #[test]
    fn a_text_that_is_not_the_intended_one_is_noticed() -> Result<(), Box<dyn std::error::Error>> {
        let old = Document::parse("a: 1\nb: {c: 2}\n")?;
        let root = old.root().ok_or("no root")?;
        let added = [old.add(root, Place::Last, &[Entry::new("d", Value::literal("3"))])?];
        assert!(prove(&old, "a: 1\nb: {c: 2}\nd: 3\n", &added).is_ok());
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
            assert_eq!(prove(&old, text, &added).err(), Some(Doubt::Different), "{text:?}");
        }
        assert!(matches!(prove(&old, "a: 1\nb: {c: 2\nd: 3\n", &added), Err(Doubt::Broken(_))));
        Ok(())
    }
}
