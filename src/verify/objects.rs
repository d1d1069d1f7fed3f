//! What Helm prints, as objects.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::helm::NAMESPACE;
use crate::metadata::TOOLKIT;
use crate::yaml::tree::Tree;

/// What tells objects of a render apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey {
    pub(crate) kind: String,
    /// The name, or what it is generated from.
    pub(crate) name: String,
    /// That of the release where the object has none.
    pub(crate) namespace: String,
    pub(crate) api_version: String,
    /// Which one of those that are called the same.
    occurrence: usize,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) key: ObjectKey,
    /// The template that it is from, in the folder of the rendered chart.
    pub(crate) template: PathBuf,
    /// The chart in `charts/` that it is from, the toolkit aside.
    pub(crate) subchart: Option<String>,
    pub(crate) tree: Tree,
}

/// The objects of one render, in the order in which Helm prints them.
pub(crate) fn read(printed: &str) -> Result<Vec<Object>, String> {
    let mut objects = Vec::new();
    for document in printed.strip_prefix("---\n").unwrap_or(printed).split("\n---\n") {
        let source = document.lines().find_map(|line| line.strip_prefix("# Source: ")).unwrap_or("");
        // Helm splits what templates print, and prints files of `crds/` as they are.
        let trees = Tree::parse_all(document).map_err(|error| format!("{source}: {error}"))?;
        trees.into_iter().try_for_each(|tree| add(&mut objects, tree.settled(), source, ("", "")))?;
    }
    let mut counts: HashMap<ObjectKey, usize> = HashMap::new();
    for object in &mut objects {
        let count = counts.entry(object.key.clone()).or_default();
        object.key.occurrence = *count;
        *count += 1;
    }
    Ok(objects)
}

/// Adds what is in a document: no object, one, or those of a List. For items that do not say it, `listed` and `version`
/// are what the list says of them.
fn add(
    objects: &mut Vec<Object>,
    tree: Tree,
    source: &str,
    (listed, version): (&str, &str),
) -> Result<(), String> {
    if tree == Tree::null() {
        return Ok(());
    }
    if !matches!(tree, Tree::Mapping(_)) {
        return Err(format!("{source}: is no object"));
    }
    let text = |keys: &[&str]| {
        let text = tree.at(keys).and_then(Tree::scalar).filter(|text| !text.is_empty());
        text.map(ToOwned::to_owned)
    };
    let kind = text(&["kind"]).unwrap_or_else(|| listed.to_owned());
    let api_version = text(&["apiVersion"]).unwrap_or_else(|| version.to_owned());
    if let (Some(listed), Some(Tree::List(items))) = (kind.strip_suffix("List"), tree.get("items")) {
        let listed = (listed, api_version.as_str());
        return items.iter().try_for_each(|item| add(objects, item.clone(), source, listed));
    }
    let name = text(&["metadata", "name"]).or_else(|| text(&["metadata", "generateName"]));
    let key = ObjectKey {
        kind,
        name: name.unwrap_or_default(),
        namespace: text(&["metadata", "namespace"]).unwrap_or_else(|| NAMESPACE.to_owned()),
        api_version,
        occurrence: 0,
    };
    // Helm puts the chart's name in front.
    let template = source.split_once('/').map_or(source, |(_, template)| template).into();
    let mut subcharts = source.split("/charts/").skip(1).filter_map(|inside| inside.split('/').next());
    let subchart = subcharts.find(|name| *name != TOOLKIT).map(ToOwned::to_owned);
    objects.push(Object { key, template, subchart, tree });
    Ok(())
}

/// The text in base64 that a Secret holds.
pub(crate) fn decoded(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}
