//! What completes one chart. Nothing here touches a disk: the files have been read, and what
//! becomes of them is text.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Change, FileChange, Outcome};
use crate::chart::{self, Chart, Files, Metadata, Role, Source};
use crate::edit;
use crate::error::{Place, Reason, Refusal, Warning};
use crate::options::Options;
use crate::rules::{self, Proposals};
use crate::yaml::{self, Addition, Document, Doubt, Kind};

/// Looks at a chart and says what is to become of it. `warnings` get what a maintainer should look
/// at; all paths are relative to the chart's folder.
///
/// What is offered is proven: values.yaml by two parsers, and all of it by the rules themselves,
/// which find nothing left to do in the result.
///
/// # Errors
/// Why the chart cannot be completed.
pub fn complete(
    metadata: &Metadata,
    files: &Files,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<Outcome, Vec<Refusal>> {
    let one = |refusal| vec![refusal];
    let is_application = metadata.role() == Role::Application;
    if is_application && files.values.is_none() {
        return Ok(Outcome::LeftAlone("no values.yaml"));
    }
    if is_application && metadata.toolkit.is_none() && !includes_toolkit(&files.templates) {
        return Ok(Outcome::LeftAlone("does not use helm-toolkit"));
    }
    let mut document = None;
    if let Some(values) = &files.values {
        if let Some(found) = complete_at_a_glance(metadata, files, &values.text, options) {
            warn(files, found, warnings);
            return Ok(Outcome::Complete);
        }
        let whole = Document::parse(&values.text).map_err(|error| one(chart::unusable_values(&error)))?;
        if !has_images(&whole) {
            return Ok(Outcome::LeftAlone("no images in values.yaml"));
        }
        document = Some(whole);
    }
    let chart = view(metadata, document, &files.templates, files);
    let (mut proposals, refusals) = rules::propose(&chart, options);
    warn(files, std::mem::take(&mut proposals.warnings), warnings);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if proposals.is_empty() {
        return Ok(Outcome::Complete);
    }
    let (values, templates) = proven(chart, metadata, files, &proposals, options).map_err(one)?;

    let mut changed = BTreeMap::new();
    for new in templates.into_iter().filter(|new| proposals.touches(&new.path)) {
        let old = files.templates.iter().find(|old| old.path == new.path).map(|old| old.text.clone());
        changed.insert(new.path.clone(), FileChange { path: new.path, old, new: new.text });
    }
    if let (Some(old), Some(new)) = (&files.values, values) {
        let change = FileChange { path: old.path.clone(), old: Some(old.text.clone()), new };
        changed.insert(old.path.clone(), change);
    }
    Ok(Outcome::Change(Change { files: changed.into_values().collect(), rules: proposals.changed_by }))
}

/// What was not read of a chart that the rules are for, and what they warn of.
fn warn(files: &Files, found: Vec<Warning>, warnings: &mut Vec<Warning>) {
    for (path, what) in &files.others {
        let what = format!("{what}: not searched for pods and ServiceAccounts");
        warnings.push(Warning::new(Place::file(path), what));
    }
    warnings.extend(found);
}

/// Whether a chart is seen to have everything by a part of its values.yaml; then what the rules
/// warn of. Most charts of a checkout are complete, once it is migrated, and the blocks that the
/// rules look at are a small part: parsing just them is what makes a run fast.
fn complete_at_a_glance(
    metadata: &Metadata,
    files: &Files,
    values: &str,
    options: &Options,
) -> Option<Vec<Warning>> {
    let excerpt = excerpt(values)?;
    let document = Document::parse(&excerpt).ok().filter(has_images)?;
    let chart = view(metadata, Some(document), &files.templates, files);
    let (proposals, refusals) = rules::propose(&chart, options);
    (proposals.is_empty() && refusals.is_empty()).then_some(proposals.warnings)
}

/// The texts that `proposals` come to, values.yaml (where it changes) and all templates: proven.
fn proven(
    chart: Chart<'_>,
    metadata: &Metadata,
    files: &Files,
    proposals: &Proposals,
    options: &Options,
) -> Result<(Option<String>, Vec<Source>), Refusal> {
    let values = edited_values(files, proposals)?;
    let templates = edited_templates(&files.templates, proposals)?;
    let document = match (&chart.values, &values) {
        (Some(old), Some(new)) => Some(
            yaml::prove(old, new, &proposals.additions)
                .map_err(|doubt| unproven_values(old, &proposals.additions, &doubt))?,
        ),
        _ => chart.values,
    };
    let (left, refusals) = rules::propose(&view(metadata, document, &templates, files), options);
    if !left.is_empty() || !refusals.is_empty() {
        return Err(unproven(Path::new(""), "a second run would change it again"));
    }
    Ok((values, templates))
}

/// values.yaml with its additions made; `None` where there are none.
fn edited_values(files: &Files, proposals: &Proposals) -> Result<Option<String>, Refusal> {
    let Some(values) = files.values.as_ref().filter(|_| !proposals.additions.is_empty()) else {
        return Ok(None);
    };
    let edits = yaml::edits(&proposals.additions);
    let new = edit::apply(&values.text, &edits);
    new.map(Some).map_err(|_| unproven(&values.path, "two additions meet in one place"))
}

/// All templates as they will be, new ones included.
fn edited_templates(templates: &[Source], proposals: &Proposals) -> Result<Vec<Source>, Refusal> {
    let mut after = Vec::with_capacity(templates.len() + proposals.files.len());
    for Source { path, text } in templates.iter().filter(|old| !proposals.files.contains_key(&old.path)) {
        let text = match proposals.edits.get(path) {
            Some(edits) => {
                edit::apply(text, edits).map_err(|_| unproven(path, "two insertions meet in one place"))?
            }
            None => text.clone(),
        };
        after.push(Source { path: path.clone(), text });
    }
    after
        .extend(proposals.files.iter().map(|(path, text)| Source { path: path.clone(), text: text.clone() }));
    after.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(after)
}

fn unproven(path: &Path, doubt: &str) -> Refusal {
    let what = format!("no edit could be proven right: {doubt}");
    Refusal::new(Reason::Unproven, Place::file(path), what, BY_HAND)
}

/// What is unproven has taken this program unawares.
const BY_HAND: &str = "add the entries by hand, and report this: it is a defect of this program";

/// The refusal of an edit of values.yaml that the proof is against.
fn unproven_values(old: &Document<'_>, additions: &[Addition], doubt: &Doubt) -> Refusal {
    if let Doubt::Ambiguous(position) = doubt {
        let advice = "write it in another way, or add the entries by hand";
        let place = Place::at("values.yaml", *position);
        return Refusal::new(Reason::ParsersDisagree, place, doubt.to_string(), advice);
    }
    let what = format!("no edit could be proven right: {doubt}");
    let position = additions.first().map(|addition| old.position(addition.mapping));
    let place = Place { path: "values.yaml".into(), position };
    Refusal::new(Reason::Unproven, place, what, BY_HAND)
}

fn includes_toolkit(templates: &[Source]) -> bool {
    let include = memchr::memmem::Finder::new("\"helm-toolkit.");
    templates.iter().any(|source| include.find(source.text.as_bytes()).is_some())
}

/// A chart as the rules see it, with the values and templates that it has or will have.
fn view<'a>(
    metadata: &'a Metadata,
    values: Option<Document<'a>>,
    templates: &'a [Source],
    files: &'a Files,
) -> Chart<'a> {
    Chart {
        name: &metadata.name,
        name_at: &metadata.name_at,
        role: metadata.role(),
        values,
        templates,
        others: &files.others,
    }
}

/// The part of values.yaml that the rules look at, where it may hold all they look for.
fn excerpt(values: &str) -> Option<String> {
    // Without these words there is something to do, and the whole has to be read in any case.
    for word in ["oci_image_registry", "secret_registry"] {
        memchr::memmem::find(values.as_bytes(), word.as_bytes())?;
    }
    yaml::excerpt(values, &["images"], &["secrets", "endpoints", "manifests"])
}

/// Whether values.yaml has `images` at its top level: what upstream's own selection of 2022 comes
/// down to, all 67 charts of it.
fn has_images(document: &Document<'_>) -> bool {
    document.root().is_some_and(|root| {
        let merged = document.merged(root);
        document.kind(root) == Kind::Mapping
            && std::iter::once(root).chain(merged).any(|node| document.get(node, "images").is_some())
    })
}
