//! What Helm prints, as data: objects, each a tree of maps, lists and scalars.
//!
//! The tree takes keys that stand twice, as Kubernetes' parser does: the last one wins. Documents are
//! parsed once for each text, since the renders of one chart hardly differ.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// A YAML value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A number, a boolean or null, as it is written.
    Bare(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// Parses one document.
    ///
    /// # Errors
    /// What the parser complains of.
    pub fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    /// The value under `key`, where this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The value at the end of a way of keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The same, for changing it.
    pub fn at_mut(&mut self, keys: &[&str]) -> Option<&mut Node> {
        keys.iter().try_fold(self, |node, key| match node {
            Node::Map(map) => map.get_mut(*key),
            _ => None,
        })
    }

    /// The string that this is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of the list that this is; none where it is none.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match self {
            Node::List(items) => items,
            _ => &[],
        }
    }

    /// Whether Helm's `if` takes it for true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Node::Bare(text) => !matches!(text.as_str(), "null" | "false" | "0" | "0.0" | "-0.0"),
            Node::Text(text) => !text.is_empty(),
            Node::List(items) => !items.is_empty(),
            Node::Map(map) => !map.is_empty(),
        }
    }

    /// A scalar as Helm's `printf "%v"` has it; `None` for what is none, and for null.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Node::Bare(text) if text == "null" => None,
            Node::Bare(text) | Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How many scalars, empty lists and empty maps there are in it.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Node::Bare(_) | Node::Text(_) => 1,
            Node::List(items) => items.iter().map(Node::size).sum::<usize>().max(1),
            Node::Map(map) => map.values().map(Node::size).sum::<usize>().max(1),
        }
    }

    /// Merges what `<<` names, here and further down; keys of the map itself win.
    fn merged(map: BTreeMap<String, Node>) -> Node {
        let mut map = map;
        let is_merge = |node: &Node| {
            matches!(node, Node::Map(_)) || node.items().iter().any(|item| matches!(item, Node::Map(_)))
        };
        if !map.get("<<").is_some_and(is_merge) {
            return Node::Map(map);
        }
        let merge = map.remove("<<");
        let sources = match merge {
            Some(Node::List(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for source in sources {
            if let Node::Map(source) = source {
                for (key, value) in source {
                    map.entry(key).or_insert(value);
                }
            }
        }
        Node::Map(map)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Bare("null".to_owned()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Bare("null".to_owned()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<Node, Node>()? {
            let key = match key {
                Node::Bare(key) | Node::Text(key) => key,
                other => format!("{other:?}"),
            };
            map.insert(key, value);
        }
        Ok(Node::merged(map))
    }

    /// A node with a tag of its own, which says nothing to Kubernetes.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (_, content) = tagged.variant::<IgnoredAny>()?;
        content.newtype_variant()
    }
}

/// What an object is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `Secret` and the like.
    pub kind: String,
    /// The name, or what it is generated from.
    pub name: String,
    /// The namespace; that of the release where none is given.
    pub namespace: String,
    /// The version of its kind.
    pub api_version: String,
    /// Which one of those that are called the same.
    pub occurrence: usize,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// One object that Helm printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is called.
    pub key: Key,
    /// The template that it is from, as Helm calls it: `nova/templates/secret-db.yaml`.
    pub source: String,
    /// Whether it is from a chart that the rendered one depends on, the toolkit aside.
    pub is_of_subchart: bool,
    /// All of it.
    pub node: Node,
}

/// The objects of one render.
pub type Objects = Vec<Arc<Object>>;

/// Reads what Helm prints. Texts that it has seen it does not parse again.
#[derive(Debug, Default)]
pub struct Reader {
    seen: HashMap<String, Objects>,
}

impl Reader {
    /// The objects in `printed`, for a release in `namespace`. Texts that are the same give the same
    /// allocation, so that most objects are seen to be equal at a glance.
    ///
    /// # Errors
    /// Which document does not parse, and what the parser complains of.
    pub fn read(&mut self, printed: &str, namespace: &str) -> Result<Objects, String> {
        let mut counts: HashMap<Key, usize> = HashMap::new();
        let mut objects = Vec::new();
        for document in documents(printed) {
            if !self.seen.contains_key(document) {
                let read = read_document(document, namespace)?.into_iter().map(Arc::new).collect();
                self.seen.insert(document.to_owned(), read);
            }
            for object in self.seen.get(document).into_iter().flatten() {
                let count = counts.entry(object.key.clone()).or_default();
                if *count == 0 {
                    objects.push(Arc::clone(object));
                } else {
                    let mut other = Object::clone(object);
                    other.key.occurrence = *count;
                    objects.push(Arc::new(other));
                }
                *count += 1;
            }
        }
        Ok(objects)
    }
}

/// The texts between the lines `---`.
fn documents(printed: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(printed.strip_prefix("---\n").unwrap_or(printed));
    std::iter::from_fn(move || {
        let text = rest?;
        if let Some((document, behind)) = text.split_once("\n---\n") {
            rest = Some(behind);
            Some(document)
        } else {
            rest = None;
            Some(text)
        }
    })
}

/// The objects in one document: none, one, or those of a List.
fn read_document(document: &str, namespace: &str) -> Result<Vec<Object>, String> {
    let source = document.lines().find_map(|line| line.strip_prefix("# Source: ")).unwrap_or_default();
    let node = Node::parse(document).map_err(|error| format!("{source}: {error}"))?;
    let mut subcharts = source.split("/charts/").skip(1);
    let is_of_subchart = subcharts.any(|inside| !inside.starts_with("helm-toolkit/"));
    let object = |node: Node| {
        let text = |keys: &[&str]| node.at(keys).and_then(Node::scalar).unwrap_or_default().to_owned();
        let name = Some(text(&["metadata", "name"])).filter(|name| !name.is_empty());
        let own = Some(text(&["metadata", "namespace"])).filter(|namespace| !namespace.is_empty());
        let key = Key {
            kind: text(&["kind"]),
            name: name.unwrap_or_else(|| text(&["metadata", "generateName"])),
            namespace: own.unwrap_or_else(|| namespace.to_owned()),
            api_version: text(&["apiVersion"]),
            occurrence: 0,
        };
        Object { key, source: source.to_owned(), is_of_subchart, node }
    };
    match node {
        Node::Map(mut map) => {
            let is_list = map.get("kind").and_then(Node::text) == Some("List");
            match map.remove("items") {
                Some(Node::List(items)) if is_list => Ok(items.into_iter().map(object).collect()),
                items => {
                    map.extend(items.map(|items| ("items".to_owned(), items)));
                    Ok(vec![object(Node::Map(map))])
                }
            }
        }
        Node::Bare(text) if text == "null" => Ok(Vec::new()),
        _ => Err(format!("{source}: is no object")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Reader};

    #[test]
    fn the_last_of_two_keys_wins_and_merges_are_made() -> Result<(), Box<dyn std::error::Error>> {
        let node = Node::parse("a: 1\na: 2\nx: &x {p: 1, q: 2}\ny: {<<: *x, q: 3}\n")?;
        assert_eq!(node.get("a"), Some(&Node::Bare("2".to_owned())));
        assert_eq!(node.at(&["y", "p"]).and_then(Node::scalar), Some("1"));
        assert_eq!(node.at(&["y", "q"]).and_then(Node::scalar), Some("3"));
        assert_ne!(Node::parse("1")?, Node::parse("'1'")?);
        Ok(())
    }

    #[test]
    fn objects_are_told_apart() -> Result<(), String> {
        let printed = "---\n# Source: a/templates/x.yaml\nkind: Pod\nmetadata: {name: p}\n---\n# Source: a/charts/b/templates/x.yaml\nkind: Pod\nmetadata: {name: p}\n---\n# Source: a/templates/empty.yaml\n# nothing\n---\nkind: List\nitems:\n- kind: Secret\n  metadata: {name: s, namespace: other}\n";
        let objects = Reader::default().read(printed, "space")?;
        let shown: Vec<String> = objects
            .iter()
            .map(|object| {
                let key = &object.key;
                format!("{key} {} {} {}", key.namespace, key.occurrence, object.is_of_subchart)
            })
            .collect();
        assert_eq!(shown, ["Pod/p space 0 false", "Pod/p space 1 true", "Secret/s other 0 false"]);
        Ok(())
    }
}
