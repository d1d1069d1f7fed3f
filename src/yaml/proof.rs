//! The proof that a text was edited as intended: parsed again, it is the old document plus
//! exactly the intended entries, in two parsers' eyes.

use std::fmt;

use serde_yaml::Value as Data;

use super::document::{Document, Kind, Node, ParseError};
use super::insert::Addition;

/// Why an edited text is not what it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It does not parse any more.
    Broken(ParseError),
    /// The parser sees something else than the old document and the new entries.
    Different,
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
/// new text. Where it does not agree on the old text either (duplicate keys) it has no say.
///
/// # Errors
/// [`Doubt`], and then the edit must not be made.
pub fn prove<'n>(old: &Document<'_>, new: &'n str, additions: &[Addition]) -> Result<Document<'n>, Doubt> {
    let document = Document::parse(new).map_err(Doubt::Broken)?;
    if !events_agree(old, &document, additions) {
        return Err(Doubt::Different);
    }
    second_opinion(old, &document)?;
    Ok(document)
}

/// Walks both event streams, replacing on the way what each addition says.
fn events_agree(old: &Document<'_>, new: &Document<'_>, additions: &[Addition]) -> bool {
    let mut splices: Vec<_> = additions.iter().map(|addition| &addition.splice).collect();
    splices.sort_by_key(|splice| splice.at);
    let mut seen = new.events().iter();
    let mut done = 0;
    for splice in splices {
        let Some(kept) = old.events().get(done..splice.at) else { return false };
        let mut expected = kept.iter().chain(&splice.inserted);
        if !expected.all(|event| seen.next() == Some(event)) {
            return false;
        }
        done = splice.at + splice.removed;
    }
    old.events().get(done..).is_some_and(|rest| rest.iter().eq(seen))
}

/// Whether a document is to the second parser what it is to the first. `Err` with its complaint,
/// where it does not take it at all.
fn is_agreed(document: &Document<'_>) -> Result<bool, String> {
    let data: Data =
        serde_yaml::from_str(document.slice(0, document.end())).map_err(|error| error.to_string())?;
    Ok(document.root().is_none_or(|root| reads_as(document, root, &data)))
}

/// The second parser must agree on the new text, unless it had another opinion of the old one
/// already: it rejects duplicate keys, for instance.
fn second_opinion(old: &Document<'_>, new: &Document<'_>) -> Result<(), Doubt> {
    let doubt = match is_agreed(new) {
        Ok(true) => return Ok(()),
        Ok(false) => Doubt::SecondOpinion,
        Err(complaint) => Doubt::SecondParser(complaint),
    };
    if is_agreed(old) == Ok(true) { Err(doubt) } else { Ok(()) }
}

/// Whether `data` is what `node` holds. Which plain scalars are numbers, booleans or null is for
/// the second parser alone to say.
fn reads_as(document: &Document<'_>, node: Node, data: &Data) -> bool {
    let node = document.resolve(node);
    match data {
        Data::Tagged(tagged) => reads_as(document, node, &tagged.value),
        Data::Mapping(mapping) => {
            let mut entries = document.entries(node);
            document.kind(node) == Kind::Mapping
                && mapping.iter().all(|(key, value)| {
                    entries.next().is_some_and(|(key_node, value_node)| {
                        reads_as(document, key_node, key) && reads_as(document, value_node, value)
                    })
                })
                && entries.next().is_none()
        }
        Data::Sequence(items) => {
            let mut children = document.children(node);
            document.kind(node) == Kind::List
                && items
                    .iter()
                    .all(|item| children.next().is_some_and(|child| reads_as(document, child, item)))
                && children.next().is_none()
        }
        Data::String(text) => document.scalar(node) == Some(text),
        Data::Null | Data::Bool(_) | Data::Number(_) => document.is_plain(node),
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
