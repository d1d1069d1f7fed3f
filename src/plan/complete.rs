//! What completes one chart. Nothing here touches a disk: the files have been read, and what
//! becomes of them is text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::{Change, FileChange, Outcome, Part};
use crate::chart::{self, Chart, Files, Functions, Metadata, Role, Source, VALUES};
use crate::edit::{self, Edit};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::release::Release;
use crate::rules::{self, Change as Proposed, Proposal, Proposals, Turn};
use crate::yaml::{self, Addition, Document, Doubt, Kind};

/// Looks at a chart and says what is to become of it. `findings` get what is missing or wrong; all
/// paths are relative to the chart's folder.
///
/// What is offered is proven: values.yaml by two parsers, and all of it by the rules themselves,
/// which find nothing left to do in the result.
///
/// # Errors
/// Why the chart cannot be completed.
pub fn complete(
    metadata: &Metadata,
    files: &Files,
    toolkit: Option<&Functions>,
    options: &Options,
    findings: &mut Vec<Finding>,
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
        if let Some(found) = complete_at_a_glance(metadata, files, &values.text, toolkit, options) {
            report(files, found, findings);
            return Ok(Outcome::Complete);
        }
        let whole = Document::parse(&values.text).map_err(|error| one(chart::unusable_values(&error)))?;
        if !has_images(&whole) {
            return Ok(Outcome::LeftAlone("no images in values.yaml"));
        }
        document = Some(whole);
    }
    let chart = view(metadata, document, &files.templates, files, toolkit);
    let (mut proposals, refusals) = rules::propose(&chart, options);
    report(files, std::mem::take(&mut proposals.findings), findings);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if proposals.changes.is_empty() {
        return Ok(Outcome::Complete);
    }
    let (values, templates) = proven(chart, metadata, files, &proposals, options).map_err(one)?;

    let mut changed = BTreeMap::new();
    for new in templates.into_iter().filter(|new| proposals.of(&new.path).next().is_some()) {
        let old = files.templates.iter().find(|old| old.path == new.path).map(|old| old.text.clone());
        let parts = parts(&proposals, &new.path, old.as_deref());
        changed.insert(new.path.clone(), FileChange::of(new.path, old, new.text, Turn::Third, parts));
    }
    if let (Some(old), Some(new)) = (&files.values, values) {
        let parts = parts(&proposals, &old.path, Some(&old.text));
        let change = FileChange::of(old.path.clone(), Some(old.text.clone()), new, Turn::Third, parts);
        changed.insert(old.path.clone(), change);
    }
    for change in release_files(files.release.as_ref(), &proposals).map_err(one)? {
        changed.insert(change.path.clone(), change);
    }
    Ok(Outcome::Change(Change { files: changed.into_values().collect() }))
}

/// The files that go with the release notes of a chart. Their rule has proven what becomes of them.
fn release_files(release: Option<&Release>, proposals: &Proposals) -> Result<Vec<FileChange>, Refusal> {
    let Some(release) = release else { return Ok(Vec::new()) };
    let old_of = |path: &Path| {
        let note = || release.note.as_ref().ok().cloned().flatten();
        if path == release.chart.path { Some(release.chart.text.clone()) } else { note() }
    };
    let change = |proposal: &Proposal| {
        let old = old_of(&proposal.path);
        let parts = parts(proposals, &proposal.path, old.as_deref());
        let edits: Vec<Edit> = parts.iter().flat_map(|part| &part.edits).cloned().collect();
        let new = edit::apply(old.as_deref().unwrap_or_default(), &edits)
            .map_err(|_| unproven(&proposal.path, "two edits meet in one place"))?;
        Ok(FileChange::of(proposal.path.clone(), old, new, proposal.turn, parts))
    };
    proposals.changes.iter().filter(|proposal| proposal.turn != Turn::Third).map(change).collect()
}

/// What the rules do to the file at `path`, which holds `old`.
fn parts(proposals: &Proposals, path: &Path, old: Option<&str>) -> Vec<Part> {
    let part = |Proposal { change, shape, parameters, .. }: &Proposal| Part {
        shape: shape.clone(),
        parameters: parameters.clone(),
        edits: match change {
            Proposed::Entries(addition) => addition.edits.clone(),
            Proposed::Edit(edit) => vec![edit.clone()],
            Proposed::File(text) => {
                vec![Edit { range: 0..old.unwrap_or_default().len(), replacement: text.clone() }]
            }
        },
    };
    proposals.of(path).map(part).collect()
}

/// What was not read of a chart that the rules are for, and what they found.
fn report(files: &Files, found: Vec<Finding>, findings: &mut Vec<Finding>) {
    for (path, what) in &files.others {
        let what = format!("{what}: not searched for pods and ServiceAccounts");
        findings.push(Finding::warning(FindingId::NotRead, Place::file(path), what, "look into it by hand"));
    }
    findings.extend(found);
}

/// Whether a chart is seen to have everything by a part of its values.yaml; then what the rules
/// found otherwise. Most charts of a checkout are complete, once it is migrated, and the blocks that the
/// rules look at are a small part: parsing just them is what makes a run fast.
fn complete_at_a_glance(
    metadata: &Metadata,
    files: &Files,
    values: &str,
    toolkit: Option<&Functions>,
    options: &Options,
) -> Option<Vec<Finding>> {
    let document = Document::parse_lines(values, &excerpt(values)?).ok().filter(has_images)?;
    let chart = view(metadata, Some(document), &files.templates, files, toolkit);
    let (proposals, refusals) = rules::propose(&chart, options);
    (proposals.changes.is_empty() && refusals.is_empty()).then_some(proposals.findings)
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
    let additions: Vec<&Addition> = proposals.additions().collect();
    let document = match (&chart.values, &values) {
        (Some(old), Some(new)) => Some(
            yaml::prove(old, new, &additions).map_err(|doubt| unproven_values(old, &additions, &doubt))?,
        ),
        _ => chart.values,
    };
    let (left, refusals) =
        rules::propose(&view(metadata, document, &templates, files, chart.toolkit), options);
    if !left.changes.is_empty() || !refusals.is_empty() {
        return Err(unproven(Path::new(""), "a second run would change it again"));
    }
    Ok((values, templates))
}

/// values.yaml with its additions made; `None` where there are none.
fn edited_values(files: &Files, proposals: &Proposals) -> Result<Option<String>, Refusal> {
    let additions: Vec<&Addition> = proposals.additions().collect();
    let Some(values) = files.values.as_ref().filter(|_| !additions.is_empty()) else {
        return Ok(None);
    };
    let edits = yaml::edits(&additions);
    let new = edit::apply(&values.text, &edits);
    new.map(Some).map_err(|_| unproven(&values.path, "two additions meet in one place"))
}

/// All templates as they will be, new ones included.
fn edited_templates(templates: &[Source], proposals: &Proposals) -> Result<Vec<Source>, Refusal> {
    let mut after: BTreeMap<&Path, Cow<'_, str>> = templates
        .iter()
        .map(|Source { path, text }| (path.as_path(), Cow::Borrowed(text.as_str())))
        .collect();
    let mut edits: BTreeMap<&Path, Vec<Edit>> = BTreeMap::new();
    for proposal in proposals.changes.iter().filter(|proposal| proposal.turn == Turn::Third) {
        match &proposal.change {
            Proposed::Entries(_) => {}
            Proposed::File(text) => drop(after.insert(&proposal.path, Cow::Borrowed(text))),
            Proposed::Edit(edit) => edits.entry(&proposal.path).or_default().push(edit.clone()),
        }
    }
    for (path, edits) in edits {
        let old = after.get(path).map(Cow::as_ref).unwrap_or_default();
        let new = edit::apply(old, &edits).map_err(|_| unproven(path, "two insertions meet in one place"))?;
        after.insert(path, Cow::Owned(new));
    }
    let source =
        |(path, text): (&Path, Cow<'_, str>)| Source { path: path.to_owned(), text: text.into_owned() };
    Ok(after.into_iter().map(source).collect())
}

fn unproven(path: &Path, doubt: &str) -> Refusal {
    let what = format!("no edit could be proven right: {doubt}");
    Refusal::new(Reason::Unproven, Place::file(path), what, BY_HAND)
}

/// What is unproven has taken this program unawares.
const BY_HAND: &str = "add the entries by hand, and report this: it is a defect of this program";

/// The refusal of an edit of values.yaml that the proof is against.
fn unproven_values(old: &Document<'_>, additions: &[&Addition], doubt: &Doubt) -> Refusal {
    if let Doubt::Ambiguous(position) = doubt {
        let advice = "write it in another way, or add the entries by hand";
        let place = Place::at(VALUES, *position);
        return Refusal::new(Reason::ParsersDisagree, place, doubt.to_string(), advice);
    }
    let what = format!("no edit could be proven right: {doubt}");
    let position = additions.first().map(|addition| old.position(addition.mapping));
    let place = Place { path: VALUES.into(), position };
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
    toolkit: Option<&'a Functions>,
) -> Chart<'a> {
    Chart {
        name: &metadata.name,
        name_at: &metadata.name_at,
        role: metadata.role(),
        values,
        templates,
        others: &files.others,
        release: files.release.as_ref(),
        toolkit,
    }
}

/// The lines of values.yaml that the rules look at, where they may hold all they look for.
fn excerpt(values: &str) -> Option<Vec<Range<usize>>> {
    // Without these words there is something to do, and the whole has to be read in any case.
    for word in ["oci_image_registry", "secret_registry"] {
        memchr::memmem::find(values.as_bytes(), word.as_bytes())?;
    }
    let blocks: [(&str, &[&str]); 3] = [
        ("secrets", &["oci_image_registry"]),
        ("endpoints", &["cluster_domain_suffix", "oci_image_registry"]),
        ("manifests", &["secret_registry"]),
    ];
    yaml::excerpt(values, &["images"], &blocks)
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
