//! values.schema.json: whether it allows the new entries. Helm refuses values that it forbids.

use serde_json::Value as Json;

use super::block::wanted;
use super::rule::Proposals;
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::options::Options;
use crate::yaml::{Document, Entry, Node, Value};

pub(super) fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let (Some(source), Some(values)) = (&chart.beside.schema, &chart.values) else { return Ok(()) };
    let Ok(schema) = serde_json::from_str::<Json>(&source.text) else { return Ok(()) };
    let mut entries = Vec::new();
    for block in ["secrets", "endpoints", "manifests"] {
        entries.push(Entry::new(block, Value::Mapping(wanted(chart, options, block)?)));
    }
    if let Some(path) = forbidden(&schema, Some(&schema), values, values.root(), &entries) {
        let what = format!("does not plainly allow `{path}` in the values: Helm could refuse the chart");
        let fix = "name it in the `properties` there, without keywords that take it back; or add the entries to the values by hand";
        proposals.report(Finding::refused(Id::SchemaForbids, Location::file(&source.path), what, fix));
    }
    Ok(())
}

/// Keywords that can forbid what `properties` allow, and are not evaluated here.
const OTHERS: [&str; 13] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "dependencies",
    "dependentSchemas",
    "enum",
    "const",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];

/// The path of the first of `entries`, of those that `node` of the values lacks, that `schema`, a part of `whole`, does
/// not plainly allow; `None` is a schema that is not understood, and allows nothing.
fn forbidden(
    whole: &Json,
    schema: Option<&Json>,
    values: &Document<'_>,
    node: Option<Node>,
    entries: &[Entry],
) -> Option<String> {
    let is_known = |schema: &&Json| OTHERS.iter().all(|keyword| schema.get(keyword).is_none());
    let schema = schema.and_then(|schema| resolved(whole, schema)).filter(is_known);
    let others = schema.and_then(|schema| schema.get("additionalProperties"));
    let allows_others = schema.is_some() && others.is_none_or(|others| *others == Json::Bool(true));
    entries.iter().find_map(|entry| {
        let key = entry.key();
        let value = node.and_then(|node| values.get(node, key));
        let property = schema.and_then(|schema| schema.get("properties")?.get(key));
        if property.is_none() && (allows_others || value.is_none()) {
            return (!allows_others).then(|| key.to_owned());
        }
        let Value::Mapping(inside) = &entry.value else { return None };
        let is_mapping = |schema: &&Json| schema.get("type").is_none_or(|kind| *kind == *"object");
        let path = forbidden(whole, property.filter(is_mapping), values, value, inside)?;
        Some(format!("{key}.{path}"))
    })
}

/// A schema, or what it refers to in the same file; `None` where that is not there.
fn resolved<'j>(whole: &'j Json, mut schema: &'j Json) -> Option<&'j Json> {
    for _ in 0..8 {
        let Some(reference) = schema.get("$ref") else { return Some(schema) };
        schema = whole.pointer(reference.as_str()?.strip_prefix('#')?)?;
    }
    None
}
