//! Any YAML as libyaml reads it, which Helm's parser descends from.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::scalar::resolve;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// In order, with keys that stand twice.
    Mapping(Vec<(Tree, Tree)>),
    List(Vec<Tree>),
    Text(String),
    /// A number, a boolean or null.
    Other(String),
}

impl Tree {
    /// The only document of `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        TreeReader { text }.deserialize(serde_yaml::Deserializer::from_str(text))
    }

    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, serde_yaml::Error> {
        serde_yaml::Deserializer::from_str(text)
            .map(|document| TreeReader { text }.deserialize(document))
            .collect()
    }

    /// The first document of `text`, which is the one that Helm takes; null where there is none.
    pub(crate) fn parse_first(text: &str) -> Result<Self, serde_yaml::Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = serde_yaml::Deserializer::from_str(text).next();
        first.map_or_else(|| Ok(Tree::null()), |first| TreeReader { text }.deserialize(first))
    }

    /// The tree as Kubernetes and Helm take it: of keys that stand twice the last one, `<<` merged, keys as
    /// texts, and sorted.
    pub(crate) fn settled(self) -> Self {
        match self {
            Tree::List(items) => Tree::List(items.into_iter().map(Tree::settled).collect()),
            Tree::Mapping(entries) => {
                let settled = entries.into_iter().map(|(key, value)| {
                    let key = key.scalar().map_or_else(|| format!("{key:?}"), ToOwned::to_owned);
                    (key, value.settled())
                });
                let entries = merged(settled.collect());
                Tree::Mapping(entries.into_iter().map(|(key, value)| (Tree::Text(key), value)).collect())
            }
            scalar => scalar,
        }
    }

    /// The tree with `other` put over it, as Helm puts values over values.
    pub(crate) fn with(self, other: Tree) -> Self {
        match (self, other) {
            (Tree::Mapping(entries), Tree::Mapping(others)) => {
                let mut all: BTreeMap<Tree, Tree> = entries.into_iter().collect();
                for (key, value) in others {
                    let old = all.remove(&key).unwrap_or_else(Tree::null);
                    all.insert(key, old.with(value));
                }
                Tree::Mapping(all.into_iter().collect())
            }
            (_, other) => other,
        }
    }

    pub(crate) fn null() -> Self {
        Tree::Other("null".to_owned())
    }

    /// The value under `key`; the last one, as Kubernetes has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Tree> {
        let found = self.entries().iter().rev().find(|(name, _)| name.scalar() == Some(key));
        found.map(|(_, value)| value)
    }

    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Tree> {
        keys.iter().try_fold(self, |tree, key| tree.get(key))
    }

    /// The entries of the mapping that this is; none where it is none.
    pub(crate) fn entries(&self) -> &[(Tree, Tree)] {
        if let Tree::Mapping(entries) = self { entries } else { &[] }
    }

    /// The items of the list that this is; none where it is none.
    pub(crate) fn items(&self) -> &[Tree] {
        if let Tree::List(items) = self { items } else { &[] }
    }

    /// Whether this text is in it as a value.
    pub(crate) fn has_text(&self, text: &str) -> bool {
        self.text() == Some(text)
            || self
                .items()
                .iter()
                .chain(self.entries().iter().map(|(_, value)| value))
                .any(|inside| inside.has_text(text))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    /// A scalar as `printf "%v"` of a template has it; `None` for null.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Tree::Other(text) if text == "null" => None,
            Tree::Other(text) | Tree::Text(text) => Some(text),
            Tree::Mapping(_) | Tree::List(_) => None,
        }
    }

    pub(crate) fn is_boolean(&self) -> bool {
        matches!(self, Tree::Other(word) if word == "true" || word == "false")
    }

    /// Whether `if` of a template takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Tree::Other(text) => !matches!(text.as_str(), "null" | "false" | "0" | "0.0" | "-0.0"),
            Tree::Text(text) => !text.is_empty(),
            Tree::List(items) => !items.is_empty(),
            Tree::Mapping(entries) => !entries.is_empty(),
        }
    }
}

/// Keys of the mapping itself win over those that `<<` brings.
fn merged(mut entries: BTreeMap<String, Tree>) -> BTreeMap<String, Tree> {
    let sources = match entries.get("<<") {
        Some(Tree::List(items)) => items.clone(),
        Some(one) => vec![one.clone()],
        None => return entries,
    };
    if !sources.iter().any(|source| matches!(source, Tree::Mapping(_))) {
        return entries;
    }
    entries.remove("<<");
    for (key, value) in sources.iter().flat_map(Tree::entries) {
        if let Tree::Text(key) = key {
            entries.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    entries
}

/// Reads a tree out of `text`, of which libyaml gives away parts.
#[derive(Clone, Copy)]
struct TreeReader<'t> {
    text: &'t str,
}

impl<'t> TreeReader<'t> {
    /// What stands in front of a part of the text.
    fn before(self, part: &str) -> &'t str {
        let offset = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        offset.and_then(|offset| self.text.get(..offset)).unwrap_or("")
    }

    /// A scalar as YAML 1.1 has it. libyaml is asked through an interface that knows YAML 1.2, and
    /// tells neither quotes nor tags: these stand in front of it.
    fn scalar(self, part: &str) -> Tree {
        let before = self.before(part);
        let unquoted = before.strip_suffix(['"', '\'']).unwrap_or(before);
        let tag = unquoted.trim_end().rsplit(|c: char| c.is_whitespace() || "[{,".contains(c)).next();
        match tag.unwrap_or_default() {
            "!!binary" => Tree::Other(format!("!!binary {part}")),
            tag if tag.starts_with('!') || unquoted.len() < before.len() => Tree::Text(part.to_owned()),
            _ => resolve(part).map_or_else(|| Tree::Text(part.to_owned()), Tree::Other),
        }
    }
}

impl<'de> DeserializeSeed<'de> for TreeReader<'de> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeReader<'de> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Other(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::null())
    }

    /// A text without any document.
    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::null())
    }

    /// Without escapes and on one line: the only ones that may be something else than a text.
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree, E> {
        Ok(self.scalar(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry_seed(self, self)? {
            mapping.push(entry);
        }
        Ok(Tree::Mapping(mapping))
    }

    /// A value with a tag of its own, which says nothing to Kubernetes.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Tree, A::Error> {
        let (_, content) = tagged.variant::<IgnoredAny>()?;
        content.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn the_last_of_two_keys_wins_and_merges_are_made() -> Result<(), Box<dyn std::error::Error>> {
        let tree = Tree::parse("a: 1\na: 2\nx: &x {p: 1, q: 2}\nz: {<<: *x, q: 3}\n1: one\n")?;
        let expected = Tree::parse("'1': one\na: 2\nx: {p: 1, q: 2}\nz: {p: 1, q: 3}\n")?;
        assert_eq!(tree.settled(), expected);
        assert_ne!(Tree::parse("1")?, Tree::parse("'1'")?);
        Ok(())
    }
}
