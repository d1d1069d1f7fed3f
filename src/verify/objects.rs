//! What Helm prints, as objects.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::helm::NAMESPACE;
use crate::yaml::tree::Tree;

/// What tells objects of a render apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) kind: String,
    /// The name, or what it is generated from.
    pub(crate) name: String,
    /// That of the release where the object has none.
    pub(crate) namespace: String,
    api_version: String,
    /// Which one of those that are called the same.
    occurrence: usize,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) key: Key,
    /// The template that it is from, in the folder of the rendered chart.
    pub(crate) template: PathBuf,
    /// Whether it is from a chart that the rendered one depends on, the toolkit aside.
    pub(crate) is_of_subchart: bool,
    pub(crate) tree: Tree,
}

/// The objects of one render, in the order in which Helm prints them.
pub(crate) type Objects = Vec<Arc<Object>>;

/// Reads what Helm prints. The renders of one chart hardly differ, so that it keeps the documents that it
/// has parsed; what is equal is mostly the same allocation then.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    parsed: HashMap<String, Objects>,
}

impl Reader {
    pub(crate) fn read(&mut self, printed: &str) -> Result<Objects, String> {
        let mut counts: HashMap<Key, usize> = HashMap::new();
        let mut objects = Vec::new();
        for document in printed.strip_prefix("---\n").unwrap_or(printed).split("\n---\n") {
            if !self.parsed.contains_key(document) {
                self.parsed.insert(document.to_owned(), read_document(document)?);
            }
            for object in self.parsed.get(document).into_iter().flatten() {
                let count = counts.entry(object.key.clone()).or_default();
                let mut object = Arc::clone(object);
                if *count > 0 {
                    Arc::make_mut(&mut object).key.occurrence = *count;
                }
                *count += 1;
                objects.push(object);
            }
        }
        Ok(objects)
    }
}

/// The objects in one document: none, one, or those of a List.
fn read_document(document: &str) -> Result<Objects, String> {
    let source = document.lines().find_map(|line| line.strip_prefix("# Source: ")).unwrap_or("");
    let tree = Tree::parse(document).map_err(|error| format!("{source}: {error}"))?;
    let objects = match tree.settled() {
        Tree::Other(text) if text == "null" => Vec::new(),
        list @ Tree::Mapping(_) if list.get("kind").and_then(Tree::text) == Some("List") => {
            list.get("items").map(|items| items.items().to_vec()).unwrap_or_default()
        }
        object @ Tree::Mapping(_) => vec![object],
        _ => return Err(format!("{source}: is no object")),
    };
    Ok(objects.into_iter().map(|tree| Arc::new(read_object(tree, source))).collect())
}

fn read_object(tree: Tree, source: &str) -> Object {
    let text = |keys: &[&str]| {
        let text = tree.at(keys).and_then(Tree::scalar).filter(|text| !text.is_empty());
        text.map(ToOwned::to_owned)
    };
    let name = text(&["metadata", "name"]).or_else(|| text(&["metadata", "generateName"]));
    let key = Key {
        kind: text(&["kind"]).unwrap_or_default(),
        name: name.unwrap_or_default(),
        namespace: text(&["metadata", "namespace"]).unwrap_or_else(|| NAMESPACE.to_owned()),
        api_version: text(&["apiVersion"]).unwrap_or_default(),
        occurrence: 0,
    };
    // Helm puts the chart's name in front.
    let template = source.split_once('/').map_or(source, |(_, template)| template).into();
    let mut subcharts = source.split("/charts/").skip(1);
    let is_of_subchart = subcharts.any(|inside| !inside.starts_with("helm-toolkit/"));
    Object { key, template, is_of_subchart, tree }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn objects_are_told_apart() -> Result<(), String> {
        let printed = "---\n# Source: a/templates/x.yaml\nkind: Pod\nmetadata: {name: p}\n---\n# Source: a/charts/b/templates/x.yaml\nkind: Pod\nmetadata: {name: p}\n---\n# Source: a/templates/empty.yaml\n# nothing\n---\nkind: List\nitems:\n- kind: Secret\n  metadata: {name: s, namespace: other}\n";
        let objects = Reader::default().read(printed)?;
        let shown: Vec<String> = objects
            .iter()
            .map(|object| {
                let key = &object.key;
                let template = object.template.display();
                format!("{key} {} {} {template} {}", key.namespace, key.occurrence, object.is_of_subchart)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Pod/p openstack 0 templates/x.yaml false",
                "Pod/p openstack 1 charts/b/templates/x.yaml true",
                "Secret/s other 0  false"
            ]
        );
        Ok(())
    }
}
