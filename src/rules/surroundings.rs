//! Files around the templates that can undo what is added: a schema, `.helmignore`, a packed helm-toolkit. They
//! are reported, and not changed.

use globset::GlobBuilder;
use serde_json::Value as Json;

use super::block::wanted;
use super::rule::{Proposals, Rule};
use super::secret_template;
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::yaml::{Entry, Value};

pub(super) const RULE: Rule = Rule { name: "surroundings", role: Role::Application, is_required: false, run };

fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    if let Some(schema) = &chart.beside.schema
        && let Ok(json) = serde_json::from_str::<Json>(&schema.text)
    {
        for block in ["secrets", "endpoints", "manifests"] {
            let entry = Entry::new(block, Value::Mapping(wanted(chart, options, block)?));
            if let Some(path) = forbidden(&json, std::slice::from_ref(&entry)) {
                let what = format!("allows no `{path}` in the values: Helm refuses the chart");
                let fix = "add it to the `properties` there";
                let location = Location::file(&schema.path);
                proposals.report(Finding::refused(Id::SchemaForbids, location, what, fix));
            }
        }
    }
    if let Some(ignore) = &chart.beside.helmignore
        && let Some(line) = ignore.text.lines().find(|line| ignores(line.trim(), secret_template::FILE))
    {
        let what = format!("`{}` hides {} from Helm", line.trim(), secret_template::FILE);
        let location = Location::file(&ignore.path);
        proposals.report(Finding::error(Id::IgnoredTemplate, location, what, "take the line out"));
    }
    if let Some(packed) = &chart.beside.packed_toolkit {
        let what = "is a helm-toolkit that Helm takes as it is, and not the one that is migrated";
        let fix = "take it out, or pack it again: `helm dependency update`";
        proposals.report(Finding::warning(Id::PackedToolkit, Location::file(packed), what, fix));
    }
    Ok(())
}

/// The first of `entries`, by its path, that a schema does not allow.
fn forbidden(schema: &Json, entries: &[Entry]) -> Option<String> {
    let properties = schema.get("properties");
    let is_closed = schema.get("additionalProperties") == Some(&Json::Bool(false))
        && schema.get("patternProperties").is_none();
    entries.iter().find_map(|entry| {
        let property = properties.and_then(|properties| properties.get(entry.key()));
        match (property, &entry.value) {
            (None, _) => is_closed.then(|| entry.key().to_owned()),
            (Some(schema), Value::Mapping(inside)) => {
                forbidden(schema, inside).map(|path| format!("{}.{path}", entry.key()))
            }
            (Some(_), Value::Scalar(_)) => None,
        }
    })
}

/// Whether a line of `.helmignore` takes in `file`: as Helm has it, a pattern without a slash is for names, one
/// with a slash for whole paths.
fn ignores(line: &str, file: &str) -> bool {
    if line.is_empty() || line.starts_with(['#', '!']) {
        return false;
    }
    let pattern = line.trim_start_matches('/').trim_end_matches('/');
    // Most patterns end in what none of the names ends in: to compile them takes long.
    let ends_like = |name: &str| name.chars().last() == pattern.chars().last();
    if !pattern.ends_with(['*', '?', ']', '}']) && !file.split('/').any(ends_like) {
        return false;
    }
    let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else { return false };
    let glob = glob.compile_matcher();
    let is_for_names = !line.trim_end_matches('/').contains('/');
    let folder = file.split_once('/').map_or(file, |(folder, _)| folder);
    glob.is_match(file)
        || glob.is_match(folder)
        || is_for_names && file.split('/').any(|part| glob.is_match(part))
}
