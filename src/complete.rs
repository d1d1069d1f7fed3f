//! Completes one chart. Nothing here touches a disk: the files have been read, and what
//! becomes of them is text.
//!
//! What is offered is proven: values.yaml by two parsers, and all of it by the rules themselves,
//! which find nothing left to do in the result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::allowed::Allowed;
use crate::change::{FileChange, Part, WriteOrder};
use crate::chart::{Chart, Files, Functions, VALUES, outlines};
use crate::chart_plan::{ChartPlan, MadeSecret};
use crate::context::Context;
use crate::finding::{Finding, Id, Location, Severity};
use crate::metadata::{Metadata, Role};
use crate::options::Options;
use crate::rules::{self, Proposal};
use crate::source::Source;
use crate::yaml::{self, Addition, Document};

/// Looks at the chart that `plan` is of, and adds to that what is found and what the chart lacks.
///
/// # Errors
/// A refusal, where values.yaml cannot be read or an edit cannot be proven.
pub(crate) fn complete(
    plan: &mut ChartPlan,
    metadata: &Metadata,
    files: &Files,
    toolkit: Option<&Functions>,
    options: &Options,
) -> Result<(), Finding> {
    plan.skipped = why_not(metadata, files);
    if plan.skipped.is_some() {
        return Ok(());
    }
    let values = files.values.as_ref().map(|source| {
        Document::parse(&source.text).map_err(|error| Finding::from_yaml(&source.path, &error))
    });
    let values = values.transpose()?;
    if values.as_ref().is_some_and(|values| !has_images(values)) {
        plan.skipped = Some("no images in values.yaml");
        return Ok(());
    }
    let seen = files.templates.iter().filter(|source| files.beside.shows(&plan.path, &source.path));
    let outlines = outlines(seen);
    let context = Context::new(&metadata.name, values.as_ref(), &outlines, options);
    let dir = plan.path.clone();
    let chart = Chart {
        dir: &dir,
        metadata,
        values,
        templates: &files.templates,
        outlines,
        context,
        unread: &files.unread,
        beside: &files.beside,
        toolkit,
    };
    let proposals = rules::run(&chart, options);
    let found: Vec<Finding> = files.unread.iter().map(not_read).chain(proposals.findings).collect();
    let count = found.len();
    let allowed = Allowed::new(files.with_comments());
    plan.findings = found.into_iter().filter(|finding| !allowed.has(finding)).collect();
    plan.allowed = count - plan.findings.len();
    plan.secret = secret(&chart, &allowed);
    if !proposals.changes.is_empty() && plan.refusals().next().is_none() {
        plan.files = prove(chart, proposals.changes, options)?;
    }
    Ok(())
}

/// Why a chart is not meant to have any changes, as far as its values need not be read for that.
fn why_not(metadata: &Metadata, files: &Files) -> Option<&'static str> {
    match metadata.role() {
        Role::Toolkit => None,
        Role::Application if files.values.is_none() => Some("no values.yaml"),
        Role::Application if metadata.toolkit().is_some() || includes_toolkit(&files.templates) => None,
        Role::Application => Some("does not use helm-toolkit"),
    }
}

/// The Secret that a chart makes; none where its values say that it makes none.
fn secret(chart: &Chart<'_>, allowed: &Allowed<'_>) -> Option<MadeSecret> {
    let values = chart.values.as_ref()?;
    let switch = values.root().and_then(|root| values.at(root, &["manifests", "secret_registry"]));
    let switch = switch.and_then(|switch| values.resolved(switch));
    let name = chart.context.secret.clone().filter(|_| switch.as_deref() != Some("false"))?;
    let may_be_shared =
        allowed.has(&Finding::warning(Id::SharedSecret, Location::file(chart.path(VALUES)), "", ""));
    Some(MadeSecret { name, may_be_shared })
}

fn not_read((path, why): &(PathBuf, &'static str)) -> Finding {
    let what = format!("{why}: not searched for pods and ServiceAccounts");
    Finding::warning(Id::NotRead, Location::file(path), what, "look into it by hand")
}

fn includes_toolkit(templates: &[Source]) -> bool {
    let include = memchr::memmem::Finder::new("\"helm-toolkit.");
    templates.iter().any(|source| include.find(source.text.as_bytes()).is_some())
}

const IMAGES: &str = "images";

/// Whether values.yaml has `images` at its top level: what upstream's own selection of 2022 comes
/// down to, all 67 charts of it. A merge may bring them.
fn has_images(values: &Document<'_>) -> bool {
    let has = |node| {
        ["image", IMAGES]
            .iter()
            .any(|key| values.get(node, key).or_else(|| values.merge_of(node, key)).is_some())
    };
    values.root().is_some_and(|root| has(root) || values.get(root, "global").is_some_and(has))
}

/// Applies what is proposed, and proves the result.
fn prove(chart: Chart<'_>, proposals: Vec<Proposal>, options: &Options) -> Result<Vec<FileChange>, Finding> {
    let mut parts: BTreeMap<PathBuf, Vec<Part>> = BTreeMap::new();
    let mut additions: Vec<Addition> = Vec::new();
    let mut parts_of_values = Vec::new();
    for Proposal { path, part, addition } in proposals {
        if let Some(addition) = addition {
            parts_of_values.push((addition.order(), part));
            additions.push(addition);
        } else {
            parts.entry(path).or_default().push(part);
        }
    }
    parts_of_values.sort_by_key(|(place, _)| *place);
    let values_path = chart.path(VALUES);
    if !parts_of_values.is_empty() {
        parts.insert(values_path.clone(), parts_of_values.into_iter().map(|(_, part)| part).collect());
    }
    let mut files = Vec::new();
    for (path, mut parts) in parts {
        // A file that is written as a whole takes no other edits.
        if parts.iter().any(|part| part.shape.operation.is_whole_file()) {
            parts.retain(|part| part.shape.operation.is_whole_file());
        }
        let old = match &chart.values {
            Some(values) if path == values_path => Some(values.text()),
            _ => chart.template(&path).map(|source| source.text.as_str()),
        };
        let change = FileChange::new(&path, old.map(ToOwned::to_owned), WriteOrder::Last, parts);
        files.push(change.map_err(|conflict| Finding::unproven(&path, conflict))?);
    }
    let templates = edited(chart.templates, files.iter().filter(|file| file.path != values_path));
    let new_values = files.iter().find(|file| file.path == values_path);
    let values = match (chart.values, new_values) {
        (Some(old), Some(change)) => {
            let additions: Vec<&Addition> = additions.iter().collect();
            let proven = yaml::prove(&old, &change.new, &additions);
            Some(proven.map_err(|error| Finding::from_yaml(&values_path, &error))?)
        }
        (values, _) => values,
    };
    let is_changed = |path: &Path| files.iter().any(|file| file.path == path);
    let mut outlines = outlines(templates.iter().filter(|source| is_changed(&source.path)));
    outlines.extend(chart.outlines.into_iter().filter(|outline| !is_changed(outline.path)));
    outlines.sort_by(|one, other| one.path.cmp(other.path));
    let context = Context::new(&chart.metadata.name, values.as_ref(), &outlines, options);
    let again = rules::run(&Chart { values, templates: &templates, outlines, context, ..chart }, options);
    let left = again.changes.first().map(|proposal| (&proposal.path, proposal.part.shape.rule));
    let refused = again.findings.iter().find(|finding| finding.severity == Severity::Refused);
    let refused = refused.map(|finding| (&finding.location.path, finding.rule.unwrap_or_default()));
    if let Some((path, rule)) = left.or(refused) {
        let why = format!("a second run would change it again (rule `{rule}`)");
        return Err(Finding::unproven(path, why));
    }
    Ok(files)
}

/// All templates as they will be, new ones included.
fn edited<'f>(templates: &[Source], files: impl Iterator<Item = &'f FileChange>) -> Vec<Source> {
    let mut after: BTreeMap<&Path, &str> =
        templates.iter().map(|source| (source.path.as_path(), source.text.as_str())).collect();
    let files: Vec<&FileChange> = files.collect();
    after.extend(files.iter().map(|file| (file.path.as_path(), file.new.as_str())));
    after.into_iter().map(|(path, text)| Source { path: path.to_owned(), text: text.to_owned() }).collect()
}
