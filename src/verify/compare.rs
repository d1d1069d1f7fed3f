//! Compares the objects of two renders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::objects::{Key, Object};
use crate::yaml::tree::Tree;

/// A place in which two renders differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) object: Arc<Object>,
    /// Empty for the object as a whole.
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// All places in which `after` differs from `before`.
pub(crate) fn differences(before: &[Arc<Object>], after: &[Arc<Object>]) -> Vec<Difference> {
    let by_key = |objects: &[Arc<Object>]| -> BTreeMap<Key, Arc<Object>> {
        objects.iter().map(|object| (object.key.clone(), Arc::clone(object))).collect()
    };
    let (before, after) = (by_key(before), by_key(after));
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let (before, after) = (before.get(key), after.get(key));
        let Some(object) = after.or(before) else { continue };
        if before.zip(after).is_some_and(|(before, after)| Arc::ptr_eq(before, after)) {
            continue;
        }
        let mut comparison = Comparison { object, found: &mut found };
        let whole = |object: &Arc<Object>| readable(object);
        comparison.compare("", before.map(whole).as_ref(), after.map(whole).as_ref());
    }
    found
}

/// The object with what is in a Secret as text, where it is one.
fn readable(object: &Object) -> Tree {
    let mut tree = object.tree.clone();
    if object.key.kind == "Secret"
        && let Some(Tree::Mapping(data)) = tree.get_mut("data")
    {
        for (_, value) in data {
            let bytes = value.text().and_then(|text| STANDARD.decode(text).ok());
            if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                *value = Tree::Text(text);
            }
        }
    }
    tree
}

struct Comparison<'c> {
    object: &'c Arc<Object>,
    found: &'c mut Vec<Difference>,
}

impl Comparison<'_> {
    fn compare(&mut self, path: &str, before: Option<&Tree>, after: Option<&Tree>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Some(Tree::Mapping(old)), Some(Tree::Mapping(new))) => {
                let keys: BTreeSet<&str> =
                    old.iter().chain(new).filter_map(|(key, _)| key.scalar()).collect();
                for key in keys {
                    let value = |tree: Option<&Tree>| tree.and_then(|tree| tree.get(key)).cloned();
                    self.compare(&inside(path, key), value(before).as_ref(), value(after).as_ref());
                }
            }
            (Some(Tree::List(old)), Some(Tree::List(new))) => self.compare_items(path, "", old, new),
            (Some(Tree::Text(old)), Some(Tree::Text(new))) if old.contains('\n') || new.contains('\n') => {
                let lines = |text: &str| -> Vec<Tree> {
                    text.split('\n').map(|line| Tree::Text(line.to_owned())).collect()
                };
                self.compare_items(path, "line ", &lines(old), &lines(new));
            }
            _ => self.add(path, before, after),
        }
    }

    /// Items between what is equal at the beginning and at the end: one by one where there are as many
    /// before as after, else those that are gone and those that are new.
    fn compare_items(&mut self, path: &str, what: &str, before: &[Tree], after: &[Tree]) {
        let equal = |(one, other): &(&Tree, &Tree)| one == other;
        let head = before.iter().zip(after).take_while(equal).count();
        let (old, new) = (before.iter().skip(head), after.iter().skip(head));
        let tail = old.clone().rev().zip(new.clone().rev()).take_while(equal).count();
        let (old, new) = (old.take(before.len() - head - tail), new.take(after.len() - head - tail));
        // People count lines from one.
        let first = if what.is_empty() { head } else { head + 1 };
        let place = |index: usize| inside(path, &format!("{what}{}", first + index));
        if before.len() == after.len() {
            for (index, (old, new)) in old.zip(new).enumerate() {
                self.compare(&place(index), Some(old), Some(new));
            }
            return;
        }
        old.enumerate().for_each(|(index, old)| self.add(&place(index), Some(old), None));
        new.enumerate().for_each(|(index, new)| self.add(&place(index), None, Some(new)));
    }

    fn add(&mut self, path: &str, before: Option<&Tree>, after: Option<&Tree>) {
        let key = &self.object.key;
        let shown = |tree: &Tree| match shown(tree) {
            _ if path.is_empty() => key.to_string(),
            // Reports are read by many, and Secrets are not for them.
            text if key.kind == "Secret" => format!("({} characters)", text.chars().count()),
            text => text,
        };
        let (before, after) = (before.map(shown), after.map(shown));
        self.found.push(Difference { object: Arc::clone(self.object), path: path.to_owned(), before, after });
    }
}

fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A tree on one line.
fn shown(tree: &Tree) -> String {
    match tree {
        Tree::Other(text) => text.clone(),
        Tree::Text(text) => format!("{text:?}"),
        Tree::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Tree::Mapping(entries) => {
            let entry =
                |(key, value): &(Tree, Tree)| format!("{}: {}", key.scalar().unwrap_or("null"), shown(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::verify::objects::Reader;

    fn found(before: &str, after: &str) -> Result<Vec<String>, String> {
        let read = |text: &str| Reader::default().read(&format!("kind: {text}"));
        let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let found = differences(&read(before)?, &read(after)?);
        let line = |found: super::Difference| {
            format!("{}: {} -> {}", found.path, shown(found.before), shown(found.after))
        };
        Ok(found.into_iter().map(line).collect())
    }

    #[test]
    fn every_place_is_found() -> Result<(), String> {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("A\na: 1\nb: {c: 2}", "A\nb: {c: 2}\na: 1", &[]),
            ("A\na: 1\nb: {c: 2}", "A\na: '1'\nb: {d: 2}", &["a: 1 -> \"1\"", "b.c: 2 -> -", "b.d: - -> 2"]),
            ("A\na: [1, 2, 3]", "A\na: [1, 4, 3]", &["a.1: 2 -> 4"]),
            ("A\na: [1, 2, 3]", "A\na: [1, 3]", &["a.1: 2 -> -"]),
            ("A\na: [1, 1]", "A\na: [1, 1, 1]", &["a.2: - -> 1"]),
            ("A\na: [1, 2]", "A\na: [2, 1]", &["a.0: 1 -> 2", "a.1: 2 -> 1"]),
            ("A\na: \"x\\ny\\nz\"", "A\na: \"x\\nz\"", &["a.line 2: \"y\" -> -"]),
            (
                "Secret\ndata: {a: eApiCg==}",
                "Secret\ndata: {a: eApjZAo=}",
                &["data.a.line 2: (3 characters) -> (4 characters)"],
            ),
            ("A\na: 1", "B\na: 1", &[": A/ -> -", ": - -> B/"]),
        ];
        for (before, after, expected) in cases {
            assert_eq!(found(before, after)?, expected, "{before} -> {after}");
        }
        Ok(())
    }
}
