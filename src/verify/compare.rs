//! Compares the objects of two renders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::objects::{Object, ObjectKey, decoded};
use crate::yaml::tree::Tree;

/// A place in which two renders differ.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The place in the object, empty for the object as a whole.
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(if self.before.is_some() { "is gone" } else { "is new" });
        }
        write!(f, "{}: ", self.path)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = around_difference(before, after);
                write!(f, "{before} -> {after}")
            }
            (Some(before), None) => write!(f, "{} is gone", short(before)),
            (None, after) => write!(f, "{} is new", short(after.as_deref().unwrap_or("null"))),
        }
    }
}

/// How many characters of a text are shown.
const SHOWN: usize = 100;

fn short(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut}{dots}")
}

/// Two texts, from a little before the place where they differ.
fn around_difference(before: &str, after: &str) -> (String, String) {
    let common = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let start = if common > SHOWN / 2 { common - SHOWN / 4 } else { 0 };
    let from = |text: &str| {
        let dots = if start > 0 { "..." } else { "" };
        format!("{dots}{}", short(&text.chars().skip(start).collect::<String>()))
    };
    (from(before), from(after))
}

/// All places in which `after` differs from `before`, each with its object.
pub(crate) fn differences<'o>(before: &'o [Object], after: &'o [Object]) -> Vec<(&'o Object, Difference)> {
    let mut pairs: BTreeMap<&ObjectKey, [Option<&'o Object>; 2]> = BTreeMap::new();
    for object in before {
        pairs.entry(&object.key).or_default()[0] = Some(object);
    }
    for object in after {
        pairs.entry(&object.key).or_default()[1] = Some(object);
    }
    let mut all = Vec::new();
    for (key, [old, new]) in pairs {
        let mut comparison = Comparison { is_secret: key.kind == "Secret", found: Vec::new() };
        if let (Some(old), Some(new)) = (old, new) {
            comparison.compare("", Some(&old.tree), Some(&new.tree));
        } else {
            let [before, after] = [old, new].map(|object| object.map(|object| object.key.to_string()));
            comparison.found.push(Difference { path: String::new(), before, after });
        }
        if let Some(object) = new.or(old) {
            all.extend(comparison.found.into_iter().map(|difference| (object, difference)));
        }
    }
    all
}

/// The comparison of one object before and after.
struct Comparison {
    is_secret: bool,
    found: Vec<Difference>,
}

impl Comparison {
    fn compare(&mut self, path: &str, before: Option<&Tree>, after: Option<&Tree>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Some(Tree::Mapping(old)), Some(Tree::Mapping(new))) => {
                let keys: BTreeSet<&str> =
                    old.iter().chain(new).filter_map(|(key, _)| key.scalar()).collect();
                for key in keys {
                    let [old, new] = [before, after].map(|tree| tree?.get(key));
                    self.compare(&inside(path, key), old, new);
                }
            }
            (Some(Tree::List(old)), Some(Tree::List(new))) => self.compare_items(path, "", old, new),
            (Some(Tree::Text(old)), Some(Tree::Text(new))) => self.compare_texts(path, old, new),
            _ => self.add(path, before, after),
        }
    }

    /// Texts of several lines line by line, also where a Secret holds them.
    fn compare_texts(&mut self, path: &str, before: &str, after: &str) {
        let held = |text: &str| decoded(text).filter(|_| self.is_secret && path.starts_with("data."));
        let (before, after) =
            held(before).zip(held(after)).unwrap_or_else(|| (before.to_owned(), after.to_owned()));
        let lines =
            |text: &str| -> Vec<Tree> { text.split('\n').map(|line| Tree::Text(line.to_owned())).collect() };
        let (old, new) = (lines(&before), lines(&after));
        if old.len().max(new.len()) > 1 {
            self.compare_items(path, "line ", &old, &new);
        } else {
            self.add(path, old.first(), new.first());
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
                if what.is_empty() {
                    self.compare(&place(index), Some(old), Some(new));
                } else if old != new {
                    self.add(&place(index), Some(old), Some(new));
                }
            }
            return;
        }
        old.enumerate().for_each(|(index, old)| self.add(&place(index), Some(old), None));
        new.enumerate().for_each(|(index, new)| self.add(&place(index), None, Some(new)));
    }

    /// Reports are read by many, and what is in Secrets is not for them.
    fn add(&mut self, path: &str, before: Option<&Tree>, after: Option<&Tree>) {
        let shown = |tree: &Tree| match shown(tree) {
            text if self.is_secret => format!("({} characters)", text.chars().count()),
            text => text,
        };
        let (before, after) = (before.map(shown), after.map(shown));
        self.found.push(Difference { path: path.to_owned(), before, after });
    }
}

/// The path of `key` in what is at `path`.
pub(crate) fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A tree on one line.
pub(crate) fn shown(tree: &Tree) -> String {
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
    use super::{Difference, differences};
    use crate::verify::objects::read;

    #[test]
    fn every_place_is_found() -> Result<(), String> {
        let table = include_str!("../../testdata/differences.txt").lines();
        let rows: Vec<&str> = table.filter(|row| row.starts_with('{')).collect();
        assert_eq!(rows.len(), 10);
        for row in rows {
            let mut columns = row.split('\t');
            let [before, after] = [(); 2].map(|()| read(columns.next().unwrap_or_default()));
            let (before, after) = (before?, after?);
            let found = differences(&before, &after).into_iter().map(|(_, difference)| {
                let Difference { path, before, after } = difference;
                let [before, after] = [before, after].map(|text| text.unwrap_or_else(|| "-".to_owned()));
                format!("{path}: {before} -> {after}")
            });
            assert_eq!(found.collect::<Vec<_>>(), columns.collect::<Vec<_>>(), "{row}");
        }
        Ok(())
    }
}
