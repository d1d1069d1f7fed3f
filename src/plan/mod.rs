//! The plan: for every chart what changes, or why nothing does. Whoever prints, writes or checks
//! reads this and nothing else.

mod complete;
mod homes;
mod pages;
mod target;
mod toolkits;

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use rayon::prelude::*;

pub use complete::complete;
use homes::Homes;
use toolkits::Toolkits;
pub(crate) use toolkits::normal;

use crate::chart::{Files, Functions, Role};
use crate::checkout::{Checkouts, Found};
use crate::edit::{self, Edit};
use crate::error::{Place, Reason, Refusal, shown};
use crate::finding::Finding;
use crate::options::Options;
use crate::release::Release;
use crate::rules::{RULES, Turn};
use crate::shape::Shape;
use crate::yaml::Parameters;

/// Which charts are to be changed, by name.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these, if given.
    pub include: Option<GlobSet>,
    /// Not these, included or not.
    pub exclude: Option<GlobSet>,
    /// Whether the toolkits are meant too, unless they are excluded: charts are nothing without them.
    pub with_toolkits: bool,
}

impl Selection {
    fn takes(&self, name: &str) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.is_match(name)) && !self.excludes(name)
    }

    fn takes_toolkit(&self, name: &str) -> bool {
        self.takes(name) || self.with_toolkits && !self.excludes(name)
    }

    fn excludes(&self, name: &str) -> bool {
        self.exclude.as_ref().is_some_and(|globs| globs.is_match(name))
    }
}

/// What is to become of all charts.
#[derive(Debug)]
pub struct Plan {
    /// The folder that all paths in here are relative to.
    pub base: PathBuf,
    /// The charts, sorted by path; behind them the documentation that goes with them, where it is asked for.
    pub charts: Vec<ChartPlan>,
    /// What was found out about the checkouts, in words for people.
    pub remarks: Vec<String>,
}

/// How many charts come to what, and how many files that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Charts that change.
    pub changed: usize,
    /// Charts that have everything.
    pub complete: usize,
    /// Charts that are refused.
    pub refused: usize,
    /// Charts that are none of this program's business.
    pub left_alone: usize,
    /// Files that change or come to be.
    pub files: usize,
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
    /// The helm-toolkit that it depends on, where one was found: an index into [`Plan::charts`].
    pub toolkit: Option<usize>,
    /// What is to be done, or why nothing is.
    pub outcome: Outcome,
    /// What is missing or wrong, mended by the outcome or not. Paths are relative to [`Plan::base`].
    pub findings: Vec<Finding>,
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
}

/// A file that changes or comes to be.
#[derive(Debug)]
pub struct FileChange {
    /// Path relative to [`Plan::base`].
    pub path: PathBuf,
    /// What is in it. `None`: there is no such file yet.
    pub old: Option<String>,
    /// What makes it into [`FileChange::new`].
    edits: Vec<Edit>,
    /// When it is written.
    pub turn: Turn,
    /// What is done to it, in the order of the rules.
    pub parts: Vec<Part>,
}

impl FileChange {
    /// The change of `old` into `new`, which `parts` add up to.
    fn of(path: PathBuf, old: Option<String>, new: String, turn: Turn, parts: Vec<Part>) -> Self {
        let text = old.as_deref().unwrap_or_default();
        let edits: Vec<Edit> = parts.iter().flat_map(|part| part.edits.iter().cloned()).collect();
        // Two rules may put lines into one place in another order than their own.
        let edits = if edit::apply(text, &edits).as_ref() == Ok(&new) {
            edits
        } else {
            vec![Edit { range: 0..text.len(), replacement: new }]
        };
        FileChange { path, old, edits, turn, parts }
    }

    /// What will be in it. It is not kept: a plan for a hundred checkouts would hold thousands of
    /// texts twice.
    #[must_use]
    pub fn new_text(&self) -> String {
        let old = self.old.as_deref().unwrap_or_default();
        // These edits were made once already, by `of`.
        edit::apply(old, &self.edits).unwrap_or_else(|_| old.to_owned())
    }
}

/// What one rule does to a file.
#[derive(Debug)]
pub struct Part {
    /// What it has in common with what the rule does to other files.
    pub shape: Shape,
    /// What is its own.
    pub parameters: Parameters,
    /// The edits of the old text.
    pub edits: Vec<Edit>,
}

impl Plan {
    /// Plans for all charts of `checkouts`, in parallel.
    #[must_use]
    pub fn new(checkouts: Checkouts, selection: &Selection, options: &Options) -> Self {
        let Checkouts { base, charts: found, .. } = checkouts;
        let toolkits = Toolkits::of(&base, &found);
        let homes = if options.release_notes { Homes::of(&base, &found) } else { Homes::default() };
        // One chart at a time, so that no core idles while another has several left.
        let planned = found.par_iter().with_max_len(1).map(|found| {
            // Toolkits are planned even where they are not selected: charts depend on what they can.
            if found.role() == Role::Toolkit || selection.takes(&name(found)) {
                plan_chart(&base, found, toolkits.functions_for(found), &homes, options)
            } else {
                ChartPlan::left_alone(found, NOT_SELECTED)
            }
        });
        let mut charts: Vec<ChartPlan> = planned.collect();
        for index in 0..charts.len() {
            let Some(chart) = found.get(index).filter(|chart| chart.role() == Role::Application) else {
                continue;
            };
            let toolkit = toolkits.of_chart(chart);
            let refusal =
                toolkit.and_then(|toolkit| charts.get(toolkit)).and_then(|plan| plan.refusal_for(chart));
            if let Some(plan) = charts.get_mut(index) {
                plan.toolkit = toolkit;
                if let Some(refusal) = refusal {
                    plan.refuse(refusal);
                }
            }
        }
        for (plan, found) in charts.iter_mut().zip(&found) {
            if plan.role == Role::Toolkit && !selection.takes_toolkit(&plan.name) {
                *plan = ChartPlan::left_alone(found, NOT_SELECTED);
            }
        }
        refuse_shared_files(&mut charts);
        let mut remarks = if options.release_notes { homes.remarks() } else { Vec::new() };
        if options.docs {
            let planned = found.iter().zip(&charts).filter(|(_, plan)| plan.is_completed());
            let docs = pages::plan(&base, planned.map(|(found, _)| found));
            if docs.is_empty() {
                remarks
                    .push("documentation: none, since there is no doc/source around these charts".to_owned());
            }
            charts.extend(docs);
        }
        Plan { base, charts, remarks }
    }

    /// All files that change, sorted by path.
    #[must_use]
    pub fn files(&self) -> Vec<&FileChange> {
        let mut files: Vec<&FileChange> = self.charts.iter().flat_map(ChartPlan::files).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    }

    /// How many there are of everything. Documentation is no chart, but its files count.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { files: self.files().len(), ..Counts::default() };
        for chart in self.charts.iter().filter(|chart| chart.role != Role::Documentation) {
            *match chart.outcome {
                Outcome::Change(_) => &mut counts.changed,
                Outcome::Complete => &mut counts.complete,
                Outcome::Refused(_) => &mut counts.refused,
                Outcome::LeftAlone(_) => &mut counts.left_alone,
            } += 1;
        }
        counts
    }

    /// What is missing or wrong and stays so, in the order of the charts.
    pub fn left_to_people(&self) -> impl Iterator<Item = &Finding> {
        let of_charts = self.charts.iter().flat_map(|chart| &chart.findings);
        of_charts.filter(|finding| !finding.is_planned)
    }

    /// The charts that are left alone, by reason.
    #[must_use]
    pub fn left_alone(&self) -> BTreeMap<&'static str, Vec<&ChartPlan>> {
        let mut reasons: BTreeMap<&'static str, Vec<&ChartPlan>> = BTreeMap::new();
        for chart in &self.charts {
            if let Outcome::LeftAlone(reason) = chart.outcome {
                reasons.entry(reason).or_default().push(chart);
            }
        }
        reasons
    }

    /// All refusals, in the order of the charts.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.charts.iter().flat_map(|chart| match &chart.outcome {
            Outcome::Refused(refusals) => refusals.as_slice(),
            _ => &[],
        })
    }

    /// Whether `path` is that of a file which makes a chart what it is, there or not, or of one that
    /// has other names and may be such a file: nothing but the plan may change it.
    #[must_use]
    pub fn is_made_from(&self, path: &Path) -> bool {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let beside = || Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?));
        let Some(path) = path.canonicalize().ok().or_else(beside) else { return false };
        if path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.nlink() > 1) {
            // It may be another name of any file: the output is none that anybody misses.
            return true;
        }
        let parts = ["Chart.yaml", "requirements.yaml", "values.yaml", "templates"];
        let changes = self.files().into_iter().any(|file| self.base.join(&file.path) == path);
        changes
            || self.charts.iter().any(|chart| {
                let inside = path.strip_prefix(self.base.join(&chart.path));
                inside.is_ok_and(|inside| parts.iter().any(|part| inside.starts_with(part)))
            })
    }

    /// Whether there are charts to be completed, and no helm-toolkit that they depend on.
    #[must_use]
    pub fn lacks_toolkit(&self) -> bool {
        self.charts.iter().any(ChartPlan::is_completed)
            && self.charts.iter().all(|chart| chart.role != Role::Toolkit)
    }
}

const NOT_SELECTED: &str = "not selected by --include and --exclude";

impl Change {
    /// The names of the rules that asked for it.
    #[must_use]
    pub fn rules(&self) -> Vec<&'static str> {
        let asked =
            |name: &str| self.files.iter().flat_map(|file| &file.parts).any(|part| part.shape.rule == name);
        RULES.iter().map(|rule| rule.name()).filter(|name| asked(name)).collect()
    }
}

impl ChartPlan {
    fn left_alone(found: &Found, reason: &'static str) -> Self {
        ChartPlan::with_outcome(found, Outcome::LeftAlone(reason))
    }

    fn with_outcome(found: &Found, outcome: Outcome) -> Self {
        let findings = Vec::new();
        let (path, role) = (found.path.clone(), found.role());
        ChartPlan { path, name: name(found), role, toolkit: None, outcome, findings }
    }

    /// The files of this chart that change.
    #[must_use]
    pub fn files(&self) -> &[FileChange] {
        match &self.outcome {
            Outcome::Change(change) => &change.files,
            _ => &[],
        }
    }

    /// Whether it has everything, or will have.
    fn is_completed(&self) -> bool {
        matches!(self.outcome, Outcome::Change(_) | Outcome::Complete)
    }

    /// Where this toolkit is refused: why `chart`, which depends on it, is so too.
    fn refusal_for(&self, chart: &Found) -> Option<Refusal> {
        let Outcome::Refused(reasons) = &self.outcome else { return None };
        let reason = reasons.first().map(|refusal| format!("{}: {}", refusal.place, refusal.what));
        Some(Refusal::new(
            Reason::ToolkitRefused,
            Place::file(&chart.path),
            format!("depends on {}, which is refused", shown(&self.path)),
            format!("see to that first: {}", reason.unwrap_or_default()),
        ))
    }

    /// Refuses what is to be completed; what is left alone stays so.
    fn refuse(&mut self, refusal: Refusal) {
        if self.is_completed() {
            self.outcome = Outcome::Refused(vec![refusal]);
        }
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

/// Refuses charts that would change a file which one before them changes: a release note, where both
/// have one name.
fn refuse_shared_files(charts: &mut [ChartPlan]) {
    let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
    for chart in charts {
        let shared = chart.files().iter().find_map(|file| Some((&file.path, taken.get(&file.path)?)));
        if let Some((file, other)) = shared {
            let what = format!("{} is one file for this chart and for {}", shown(file), shown(other));
            let advice =
                "give one of them another name, or leave it out with --exclude, or leave out --release-notes";
            let refusal = Refusal::new(Reason::SharedFile, Place::file(&chart.path), what, advice);
            chart.refuse(refusal);
        }
        taken.extend(chart.files().iter().map(|file| (file.path.clone(), chart.path.clone())));
    }
}

fn plan_chart(
    base: &Path,
    found: &Found,
    toolkit: Option<&Functions>,
    homes: &Homes,
    options: &Options,
) -> ChartPlan {
    let mut findings = Vec::new();
    // Files outside of the chart's folder are `../` to its rules, and to nobody else.
    let below = |place: &Place| {
        let place = place.clone().below(&found.path);
        let is_outside = place.path.iter().any(|part| part == "..");
        if is_outside { Place { path: normal(&place.path), ..place } } else { place }
    };
    let dir = base.join(&found.path);
    let outcome = read_and_complete(&dir, found, toolkit, homes, options, &mut findings);
    for finding in &mut findings {
        finding.place = below(&finding.place);
    }
    let outcome = match outcome {
        Ok(Outcome::Change(mut change)) => {
            for file in &mut change.files {
                file.path = normal(&found.path.join(&file.path));
            }
            change.files.sort_by(|one, other| one.path.cmp(&other.path));
            Outcome::Change(change)
        }
        Ok(outcome) => outcome,
        Err(refusals) => {
            let below = |refusal: Refusal| Refusal { place: below(&refusal.place), ..refusal };
            Outcome::Refused(refusals.into_iter().map(below).collect())
        }
    };
    ChartPlan { findings, ..ChartPlan::with_outcome(found, outcome) }
}

fn read_and_complete(
    dir: &Path,
    found: &Found,
    toolkit: Option<&Functions>,
    homes: &Homes,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<Outcome, Vec<Refusal>> {
    let metadata = found.metadata.as_ref().map_err(|refusal| vec![refusal.clone()])?;
    let mut files = Files::read(dir, metadata.role()).map_err(|refusal| vec![refusal])?;
    if let Some((way, home)) = homes.of_chart(found) {
        let read = home.and_then(|home| Release::read(dir, &metadata.name, &way, home));
        files.release = Some(read.map_err(|refusal| vec![refusal])?);
    }
    let outcome = complete(metadata, &files, toolkit, options, findings)?;
    if let Outcome::Change(change) = &outcome {
        for file in &change.files {
            findings.extend(target::look(dir, &file.path).map_err(|refusal| vec![refusal])?);
        }
    }
    Ok(outcome)
}
