//! The plan: for every chart what changes, or why nothing does. Whoever prints, writes or checks
//! reads this and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use globset::GlobSet;
use rayon::prelude::*;

use crate::chart::{self, Chart, Files, Metadata, Role, Source};
use crate::checkout::{Checkouts, Found};
use crate::edit;
use crate::error::{Place, Refusal, Warning};
use crate::options::Options;
use crate::rules::{self, Proposals};
use crate::yaml::{self, Addition, Document, Doubt, Kind};

/// Which charts are to be changed, by name.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these, if given.
    pub include: Option<GlobSet>,
    /// Not these, included or not.
    pub exclude: Option<GlobSet>,
}

impl Selection {
    fn takes(&self, name: &str) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(name))
            && !self.exclude.as_ref().is_some_and(|globs| globs.is_match(name))
    }
}

/// What is to become of all charts.
#[derive(Debug)]
pub struct Plan {
    /// The folder that all paths in here are relative to.
    pub base: PathBuf,
    /// The charts, sorted by path.
    pub charts: Vec<ChartPlan>,
    /// Warnings that belong to no chart.
    pub warnings: Vec<Warning>,
}

/// What is to become of one chart.
#[derive(Debug)]
pub struct ChartPlan {
    /// Its folder, relative to [`Plan::base`].
    pub path: PathBuf,
    /// Its name; the folder's, where it has none that could be read.
    pub name: String,
    /// What it is to this program.
    pub role: Role,
    /// What is to be done, or why nothing is.
    pub outcome: Outcome,
    /// What a maintainer should look at. Paths are relative to [`Plan::base`].
    pub warnings: Vec<Warning>,
}

/// What is to be done to a chart.
#[derive(Debug)]
pub enum Outcome {
    /// It is none of this program's business, for this reason.
    LeftAlone(&'static str),
    /// It has everything.
    Complete,
    /// These changes complete it.
    Change(Change),
    /// It cannot be completed; paths are relative to [`Plan::base`].
    Refused(Vec<Refusal>),
}

/// All changes of one chart.
#[derive(Debug)]
pub struct Change {
    /// The files, sorted by path.
    pub files: Vec<FileChange>,
    /// The rules that asked for them.
    pub rules: Vec<&'static str>,
}

/// A file that changes or comes to be.
#[derive(Debug)]
pub struct FileChange {
    /// Path relative to [`Plan::base`].
    pub path: PathBuf,
    /// What is in it. `None`: there is no such file yet.
    pub old: Option<String>,
    /// What will be in it.
    pub new: String,
}

impl Plan {
    /// Plans for all charts of `checkouts`, in parallel.
    #[must_use]
    pub fn new(checkouts: Checkouts, selection: &Selection, options: &Options) -> Self {
        let Checkouts { base, charts: found, warnings } = checkouts;
        // One chart at a time, so that no core idles while another has several left.
        let planned = found.par_iter().with_max_len(1).map(|found| {
            // Toolkits are planned even where they are not selected: charts depend on what they can.
            if found.role() == Role::Toolkit || selection.takes(&name(found)) {
                plan_chart(&base, found, options)
            } else {
                ChartPlan::left_alone(found, NOT_SELECTED)
            }
        });
        let mut charts: Vec<ChartPlan> = planned.collect();
        let toolkits = Toolkits::of(&found);
        for index in 0..charts.len() {
            let Some(chart) = found.get(index).filter(|chart| chart.role() == Role::Application) else {
                continue;
            };
            let toolkit = toolkits.of_chart(chart).and_then(|toolkit| charts.get(toolkit));
            let refusal = toolkit.and_then(|toolkit| toolkit.refusal_for(chart));
            if let (Some(refusal), Some(plan)) = (refusal, charts.get_mut(index)) {
                plan.refuse(refusal);
            }
        }
        for (plan, found) in charts.iter_mut().zip(&found) {
            if plan.role == Role::Toolkit && !selection.takes(&plan.name) {
                *plan = ChartPlan::left_alone(found, NOT_SELECTED);
            }
        }
        Plan { base, charts, warnings }
    }

    /// All files that change, sorted by path.
    #[must_use]
    pub fn files(&self) -> Vec<&FileChange> {
        let mut files: Vec<&FileChange> = self.charts.iter().flat_map(ChartPlan::files).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    }

    /// All refusals, in the order of the charts.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.charts.iter().flat_map(|chart| match &chart.outcome {
            Outcome::Refused(refusals) => refusals.as_slice(),
            _ => &[],
        })
    }

    /// Whether there are charts to be completed, and no helm-toolkit that they depend on.
    #[must_use]
    pub fn lacks_toolkit(&self) -> bool {
        let is_completed =
            |chart: &ChartPlan| matches!(chart.outcome, Outcome::Change(_) | Outcome::Complete);
        self.charts.iter().any(is_completed)
            && self.charts.iter().all(|chart| chart.role == Role::Application)
    }
}

const NOT_SELECTED: &str = "not selected by --include and --exclude";

impl ChartPlan {
    fn left_alone(found: &Found, reason: &'static str) -> Self {
        ChartPlan::with_outcome(found, Outcome::LeftAlone(reason))
    }

    fn with_outcome(found: &Found, outcome: Outcome) -> Self {
        let warnings = Vec::new();
        ChartPlan { path: found.path.clone(), name: name(found), role: found.role(), outcome, warnings }
    }

    /// The files of this chart that change.
    #[must_use]
    pub fn files(&self) -> &[FileChange] {
        match &self.outcome {
            Outcome::Change(change) => &change.files,
            _ => &[],
        }
    }

    /// Where this toolkit is refused: why `chart`, which depends on it, is so too.
    fn refusal_for(&self, chart: &Found) -> Option<Refusal> {
        let Outcome::Refused(reasons) = &self.outcome else { return None };
        let reason = reasons.first().map(|refusal| format!("{}: {}", refusal.place, refusal.what));
        Some(Refusal::new(
            Place::file(&chart.path),
            format!("depends on {}, which is refused", self.path.display()),
            format!("see to that first: {}", reason.unwrap_or_default()),
        ))
    }

    /// Refuses what is to be completed; what is left alone stays so.
    fn refuse(&mut self, refusal: Refusal) {
        if matches!(self.outcome, Outcome::Change(_) | Outcome::Complete) {
            self.outcome = Outcome::Refused(vec![refusal]);
        }
    }
}

/// The helm-toolkits among the charts that were found, by their indices.
struct Toolkits<'f> {
    /// Copies inside of a chart, by that chart's folder.
    vendored: HashMap<&'f Path, usize>,
    /// The others, by their own folder.
    free: BTreeMap<&'f Path, usize>,
}

impl<'f> Toolkits<'f> {
    fn of(found: &'f [Found]) -> Self {
        let (mut vendored, mut free) = (HashMap::new(), BTreeMap::new());
        for (index, toolkit) in found.iter().enumerate().filter(|(_, found)| found.role() == Role::Toolkit) {
            match &toolkit.vendored_in {
                Some(chart) => vendored.insert(chart.as_path(), index),
                None => free.insert(toolkit.path.as_path(), index),
            };
        }
        Toolkits { vendored, free }
    }

    /// The toolkit that `chart` depends on: the copy inside of it; else the one that its dependency
    /// names by path; else the one beside it or beside a folder that it is in; else any.
    fn of_chart(&self, chart: &Found) -> Option<usize> {
        let inside = self.vendored.get(chart.path.as_path());
        let named = || {
            let dependency = chart.metadata.as_ref().ok()?.toolkit.as_ref()?;
            let path = chart.path.join(dependency.repository.as_ref()?.strip_prefix("file://")?);
            self.free.get(normal(&path).as_path())
        };
        let beside = || {
            chart
                .path
                .ancestors()
                .skip(1)
                .find_map(|folder| self.free.get(folder.join(chart::TOOLKIT).as_path()))
        };
        inside.or_else(named).or_else(beside).or_else(|| self.free.values().next()).copied()
    }
}

/// A chart's name; the folder's, where it has none that could be read.
fn name(found: &Found) -> String {
    let folder = || found.path.file_name().map(|name| name.to_string_lossy().into_owned());
    match &found.metadata {
        Ok(metadata) => metadata.name.clone(),
        Err(_) => folder().unwrap_or_else(|| ".".to_owned()),
    }
}

/// `a/b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn plan_chart(base: &Path, found: &Found, options: &Options) -> ChartPlan {
    let mut warnings = Vec::new();
    let outcome = outcome(&base.join(&found.path), found, options, &mut warnings);
    for warning in &mut warnings {
        warning.place = warning.place.clone().below(&found.path);
    }
    let outcome = match outcome {
        Ok(Outcome::Change(mut change)) => {
            for file in &mut change.files {
                file.path = found.path.join(&file.path);
            }
            Outcome::Change(change)
        }
        Ok(outcome) => outcome,
        Err(refusals) => {
            let below = |refusal: Refusal| Refusal { place: refusal.place.below(&found.path), ..refusal };
            Outcome::Refused(refusals.into_iter().map(below).collect())
        }
    };
    ChartPlan { warnings, ..ChartPlan::with_outcome(found, outcome) }
}

fn outcome(
    dir: &Path,
    found: &Found,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<Outcome, Vec<Refusal>> {
    let metadata = found.metadata.as_ref().map_err(|refusal| vec![refusal.clone()])?;
    let one = |refusal| vec![refusal];
    let role = metadata.role();
    let mut files = Files::default();
    if role == Role::Application {
        files.values = Files::read_values(dir).map_err(one)?;
        if files.values.is_none() {
            return Ok(Outcome::LeftAlone("no values.yaml"));
        }
    }
    files.templates = Files::read_templates(dir, warnings).map_err(one)?;
    if role == Role::Application && metadata.toolkit.is_none() && !includes_toolkit(&files.templates) {
        warnings.clear();
        return Ok(Outcome::LeftAlone("does not use helm-toolkit"));
    }

    let mut document = None;
    if let Some(values) = &files.values {
        if let Some(excerpt) = excerpt(&values.text)
            && let Ok(document) = Document::parse(&excerpt)
            && has_images(&document)
        {
            let (mut proposals, refusals) =
                rules::propose(&view(metadata, dir, Some(document), &files.templates), options);
            if proposals.is_empty() && refusals.is_empty() {
                warnings.append(&mut proposals.warnings);
                return Ok(Outcome::Complete);
            }
        }
        let whole = Document::parse(&values.text).map_err(|error| vec![chart::unusable_values(&error)])?;
        if !has_images(&whole) {
            warnings.clear();
            return Ok(Outcome::LeftAlone("no images in values.yaml"));
        }
        document = Some(whole);
    }
    let chart_before = view(metadata, dir, document, &files.templates);
    let (mut proposals, refusals) = rules::propose(&chart_before, options);
    warnings.append(&mut proposals.warnings);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if proposals.is_empty() {
        return Ok(Outcome::Complete);
    }

    // What is offered is proven first: values.yaml by two parsers, and all of it by the rules
    // themselves, which must find nothing to do any more.
    let old = chart_before.values;
    let values = edited_values(&files, &proposals).map_err(one)?;
    let proven = match (&old, &values) {
        (Some(old), Some(new)) => Some(
            yaml::prove(old, new, &proposals.additions)
                .map_err(|doubt| one(unproven_values(old, &proposals.additions, &doubt)))?,
        ),
        _ => None,
    };
    let templates = edited_templates(&files.templates, &proposals).map_err(one)?;
    let (left, refusals) = rules::propose(&view(metadata, dir, proven.or(old), &templates), options);
    if !left.is_empty() || !refusals.is_empty() {
        return Err(one(unproven(Path::new(""), "a second run would change it again")));
    }

    let mut changed = BTreeMap::new();
    for new in templates.into_iter().filter(|new| proposals.touches(&new.path)) {
        let old = files.templates.iter().find(|old| old.path == new.path).map(|old| old.text.clone());
        changed.insert(new.path.clone(), FileChange { path: new.path, old, new: new.text });
    }
    if let (Some(old), Some(new)) = (files.values, values) {
        changed.insert(old.path.clone(), FileChange { path: old.path, old: Some(old.text), new });
    }
    let files: Vec<FileChange> = changed.into_values().collect();
    for file in &files {
        let is_link = dir.join(&file.path).symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        if is_link {
            return Err(one(Refusal::new(
                Place::file(&file.path),
                "is a link, and what it leads to may belong to others",
                "make it a plain file, or change what it leads to by hand",
            )));
        }
    }
    Ok(Outcome::Change(Change { files, rules: proposals.changed_by }))
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
    Refusal::new(
        Place::file(path),
        format!("no edit could be proven right: {doubt}"),
        "add the entries by hand",
    )
}

/// The refusal of an edit of values.yaml that the proof is against.
fn unproven_values(old: &Document<'_>, additions: &[Addition], doubt: &Doubt) -> Refusal {
    let what = format!("no edit could be proven right: {doubt}");
    let position = additions.first().map(|addition| old.position(addition.mapping));
    let place = Place { path: "values.yaml".into(), position };
    Refusal::new(place, what, "add the entries by hand")
}

fn includes_toolkit(templates: &[Source]) -> bool {
    let include = memchr::memmem::Finder::new("\"helm-toolkit.");
    templates.iter().any(|source| include.find(source.text.as_bytes()).is_some())
}

/// A chart as the rules see it.
fn view<'a>(
    metadata: &'a Metadata,
    dir: &'a Path,
    values: Option<Document<'a>>,
    templates: &'a [Source],
) -> Chart<'a> {
    Chart { name: &metadata.name, dir, role: metadata.role(), values, templates }
}

/// Most charts of a checkout are complete, once it is migrated, and the blocks that the rules look
/// at are a small part of values.yaml: parsing just them is what makes a run fast.
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
