//! The proof that a text was edited as intended: parsed again, it is the old document plus
//! exactly the intended entries, in two parsers' eyes.

use std::fmt;

use serde_yaml::Value as Data;

use super::document::{Document, Node, ParseError};
use super::entry::{Entry, Value};
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
/// scalars count, and then the data that libyaml, which Helm's parser descends from, reads out
/// of both texts. Where libyaml does not take the old text (duplicate keys) it has no say.
///
/// # Errors
/// [`Doubt`], and then the edit must not be made.
pub fn prove<'n>(old: &Document<'_>, new: &'n str, additions: &[Addition]) -> Result<Document<'n>, Doubt> {
    let document = Document::parse(new).map_err(Doubt::Broken)?;
    if !events_agree(old, &document, additions) {
        return Err(Doubt::Different);
    }
    second_opinion(old, &document, additions)?;
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

fn second_opinion(old: &Document<'_>, new: &Document<'_>, additions: &[Addition]) -> Result<(), Doubt> {
    // The data of an alias is a copy: a change behind a shared anchor shows in places that no
    // path leads to. The events have settled that case.
    if additions.iter().any(|addition| old.is_shared(addition.mapping)) {
        return Ok(());
    }
    let Ok(mut expected) = serde_yaml::from_str::<Data>(first_document(old)) else {
        return Ok(());
    };
    for addition in additions {
        let data =
            steps(old, addition.mapping).iter().try_fold(&mut expected, |data, step| child(data, *step));
        let data = data.ok_or(Doubt::SecondOpinion)?;
        if data.is_null() {
            *data = Data::Mapping(serde_yaml::Mapping::new());
        }
        let mapping = untagged(data).as_mapping_mut().ok_or(Doubt::SecondOpinion)?;
        for entry in &addition.entries {
            mapping.insert(Data::from(entry.key()), data_of(entry.value()));
        }
    }
    let seen: Data =
        serde_yaml::from_str(first_document(new)).map_err(|error| Doubt::SecondParser(error.to_string()))?;
    if seen == expected { Ok(()) } else { Err(Doubt::SecondOpinion) }
}

fn first_document<'t>(document: &Document<'t>) -> &'t str {
    document.slice(0, document.end())
}

/// The way from the root to `node`: at each step, the how-manieth entry or item it leads through.
fn steps(document: &Document<'_>, node: Node) -> Vec<usize> {
    let mut steps = Vec::new();
    let mut at = node;
    while let Some(parent) = document.parent(at) {
        let own = document.key(at).unwrap_or(at);
        let before = document.children(parent).take_while(|child| *child != own).count();
        steps.push(if document.key(at).is_some() { before / 2 } else { before });
        at = parent;
    }
    steps.reverse();
    steps
}

fn child(data: &mut Data, step: usize) -> Option<&mut Data> {
    match untagged(data) {
        Data::Mapping(mapping) => mapping.values_mut().nth(step),
        Data::Sequence(items) => items.get_mut(step),
        _ => None,
    }
}

fn untagged(data: &mut Data) -> &mut Data {
    match data {
        Data::Tagged(tagged) => untagged(&mut tagged.value),
        other => other,
    }
}

fn data_of(value: &Value) -> Data {
    match value {
        Value::Scalar(scalar) if scalar.is_quoted() => Data::from(scalar.text()),
        Value::Scalar(scalar) => {
            serde_yaml::from_str(scalar.text()).unwrap_or_else(|_| Data::from(scalar.text()))
        }
        Value::Mapping(entries) => Data::Mapping(entries.iter().map(pair).collect()),
    }
}

fn pair(entry: &Entry) -> (Data, Data) {
    (Data::from(entry.key()), data_of(entry.value()))
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
