//! The proof that a text was edited as intended: parsed again, it is the old document plus
//! exactly the intended entries, in two parsers' eyes.

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::addition::Addition;
use super::document::{Document, Located};
use super::error::{Error, ErrorKind};
use super::node::Position;
use super::second_opinion::second_opinion;

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
    splices.sort_by_key(|splice| (splice.at, splice.removed));
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
        let key = old.entries(root).next().ok_or("no entry")?.0;
        let renamed = old.replace(root, key, "x").ok_or("a plain key")?;
        assert!(prove(&old, "x: 1\nb: {c: 2}\n", &[&renamed]).is_ok());
        for text in ["a: 1\nb: {c: 2}\n", "y: 1\nb: {c: 2}\n", "x: 2\nb: {c: 2}\n", "'x': 1\nb: {c: 2}\n"] {
            assert!(prove(&old, text, &[&renamed]).is_err(), "{text:?}");
        }
        let broken = reason("a: 1\nb: {c: 2\nd: 3\n").unwrap_or_default();
        assert!(broken.starts_with("the edited text would not parse: not valid YAML"), "{broken}");
        Ok(())
    }
}
