//! The plan: for every chart what changes, or why nothing does. Whoever prints, writes or checks
//! reads this and nothing else.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use rayon::prelude::*;

use crate::change::FileChange;
use crate::chart::{Files, Functions};
use crate::complete::{Completed, complete};
use crate::discover::{Checkouts, Found};
use crate::finding::{Finding, Id, Location, Severity};
use crate::git;
use crate::metadata::{Metadata, Role};
use crate::options::Options;
use crate::target;
use crate::text::{amount, printable, shown};
use crate::toolkits::Toolkits;

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
    /// Why a chart is left alone, if it is.
    fn leaves(&self, found: &Found, name: &str) -> Option<&'static str> {
        let is_excluded = self.exclude.as_ref().is_some_and(|globs| globs.is_match(name));
        let is_included = self.include.as_ref().is_none_or(|globs| globs.is_match(name));
        match self.with_toolkits && found.role() == Role::Toolkit {
            _ if is_excluded => Some(NOT_SELECTED),
            true => None,
            false if !found.is_named => Some(NOT_NAMED),
            false => (!is_included).then_some(NOT_SELECTED),
        }
    }
}

/// What becomes of all charts.
#[derive(Debug)]
pub struct Plan {
    /// The folder that all paths in here are relative to.
    pub base: PathBuf,
    /// Where that is in its work tree: a diff names files from the top of that, as git does.
    pub(crate) prefix: PathBuf,
    /// Sorted by path.
    pub charts: Vec<ChartPlan>,
    /// Changes of the checkouts themselves, such as a page of their documentation.
    pub(crate) checkout: CheckoutPlan,
    /// What was found out about the checkouts, as sentences for people.
    pub(crate) remarks: Vec<String>,
}

/// What becomes of one chart.
#[derive(Debug)]
pub struct ChartPlan {
    /// Its folder.
    pub path: PathBuf,
    /// Its name; the folder's, where it has none that could be read.
    pub name: String,
    /// Whether it is a chart or a toolkit.
    pub role: Role,
    /// Why it gets no changes, where it is not meant to have any.
    pub skipped: Option<&'static str>,
    /// What is missing or wrong, refusals included.
    pub findings: Vec<Finding>,
    /// How many findings are not among these, since a comment allows them.
    pub(crate) allowed: usize,
    /// The files that change, sorted by path.
    pub files: Vec<FileChange>,
    pub(crate) version: Option<String>,
    /// Whether it is inside of another chart.
    pub(crate) is_vendored: bool,
    /// The helm-toolkit that it depends on, where one was found: an index into [`Plan::charts`].
    pub(crate) toolkit: Option<usize>,
}

/// What becomes of the checkouts beside their charts.
#[derive(Debug, Default)]
pub(crate) struct CheckoutPlan {
    pub(crate) findings: Vec<Finding>,
    pub(crate) files: Vec<FileChange>,
}

/// What becomes of a chart, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not meant to have any changes, with the reason.
    LeftAlone(&'static str),
    /// It has everything.
    Complete,
    /// It has an error that this program does not mend, and nothing changes.
    Incomplete,
    /// It changes.
    Changed,
    /// It cannot be completed.
    Refused,
}

/// How many charts come to what, and how many files change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) changed: usize,
    pub(crate) complete: usize,
    pub(crate) incomplete: usize,
    pub(crate) refused: usize,
    pub(crate) left_alone: usize,
    pub(crate) files: usize,
}

const NOT_SELECTED: &str = "not selected by --include and --exclude";
const NOT_NAMED: &str = "not named in the call";

impl Plan {
    /// Plans for all charts of `checkouts`, in parallel.
    #[must_use]
    pub fn new(checkouts: Checkouts, selection: &Selection, options: &Options) -> Self {
        let Checkouts { base, charts: found, .. } = checkouts;
        let toolkits = Toolkits::new(&base, &found);
        let planned = found.par_iter().with_max_len(1).map(|found| {
            let mut plan = ChartPlan::new(found, toolkits.of_chart(found));
            // Toolkits are planned even where they are not selected: charts depend on what they can.
            let why_not = selection.leaves(found, &plan.name);
            if plan.role == Role::Toolkit || why_not.is_none() {
                plan.make(&base, found, toolkits.functions_for(found), options);
            }
            (plan, why_not)
        });
        let (mut charts, why_not): (Vec<ChartPlan>, Vec<_>) = planned.unzip();
        for index in 0..charts.len() {
            let refusal = charts.get(index).and_then(|plan| {
                charts.get(plan.toolkit?).filter(|_| plan.role == Role::Application)?.refusal_for(plan)
            });
            if let (Some(plan), Some(refusal)) = (charts.get_mut(index), refusal)
                && plan.is_completed()
            {
                plan.refuse(refusal);
            }
        }
        for (plan, why_not) in charts.iter_mut().zip(why_not).filter(|(_, why_not)| why_not.is_some()) {
            plan.skipped = why_not;
            plan.allowed = 0;
            plan.files.clear();
            plan.findings.clear();
        }
        drop(toolkits);
        let prefix = git::work_tree(&base).and_then(|top| base.strip_prefix(top).ok().map(Path::to_owned));
        Plan {
            prefix: prefix.unwrap_or_default(),
            base,
            charts,
            checkout: CheckoutPlan::default(),
            remarks: Vec::new(),
        }
    }

    /// All files that change, with the chart that each is of; none for those of the checkout itself.
    pub(crate) fn files_of_charts(&self) -> impl Iterator<Item = (Option<&ChartPlan>, &FileChange)> {
        let of_charts =
            self.charts.iter().flat_map(|chart| chart.files.iter().map(move |it| (Some(chart), it)));
        of_charts.chain(self.checkout.files.iter().map(|file| (None, file)))
    }

    /// All files that change, sorted by path.
    pub fn files(&self) -> Vec<&FileChange> {
        let mut files: Vec<&FileChange> = self.files_of_charts().map(|(_, file)| file).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    }

    /// All files that change, in the order in which they are to be written.
    pub fn in_write_order(&self) -> Vec<&FileChange> {
        let mut files = self.files();
        files.sort_by_key(|file| file.order);
        files
    }

    /// All findings, in the order of the charts.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.charts.iter().flat_map(|chart| &chart.findings).chain(&self.checkout.findings)
    }

    pub(crate) fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings().filter(|finding| finding.severity == Severity::Refused)
    }

    /// What is missing or wrong and stays so, refusals aside.
    pub(crate) fn remaining(&self) -> impl Iterator<Item = &Finding> {
        self.findings().filter(|finding| !finding.is_planned && finding.severity != Severity::Refused)
    }

    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals { files: self.files().len(), ..Totals::default() };
        for chart in &self.charts {
            *match chart.outcome() {
                Outcome::Changed => &mut totals.changed,
                Outcome::Complete => &mut totals.complete,
                Outcome::Incomplete => &mut totals.incomplete,
                Outcome::Refused => &mut totals.refused,
                Outcome::LeftAlone(_) => &mut totals.left_alone,
            } += 1;
        }
        totals
    }

    /// The charts that are left alone, by reason.
    pub(crate) fn left_alone(&self) -> BTreeMap<&'static str, Vec<&ChartPlan>> {
        let mut reasons: BTreeMap<&'static str, Vec<&ChartPlan>> = BTreeMap::new();
        for chart in &self.charts {
            if let Outcome::LeftAlone(reason) = chart.outcome() {
                reasons.entry(reason).or_default().push(chart);
            }
        }
        reasons
    }

    /// Whether `path` is that of a file which makes a chart what it is, there or not, or of one that
    /// has other names and may be such a file: nothing but the plan may change it.
    pub(crate) fn is_made_from(&self, path: &Path) -> bool {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let beside = || Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?));
        let Some(path) = path.canonicalize().ok().or_else(beside) else { return false };
        if path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.nlink() > 1) {
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

    /// Says that `git apply` in `folder` would look away from files outside of that, and succeed.
    pub(crate) fn note_what_git_leaves_out(&mut self, folder: &Path) {
        let top = git::work_tree(folder).filter(|top| self.base.starts_with(top) && top != folder);
        let is_outside = |file: &&FileChange| !self.base.join(&file.path).starts_with(folder);
        if let (Some(top), true) = (top, self.files().iter().any(is_outside)) {
            let what =
                "some of these files are not below this folder, where `git apply` would leave them out";
            self.remarks.push(format!("{what}: run it in {}", shown(&top)));
        }
    }

    /// Says how many findings comments allow: nothing is left out in silence.
    pub(crate) fn note_what_is_allowed(&mut self) {
        let allowed: usize = self.charts.iter().map(|chart| chart.allowed).sum();
        if allowed > 0 {
            let what = format!("{} allowed by a comment", amount(allowed, "finding"));
            self.remarks.push(format!("{what} (`osh-registry-auth: allow ID`)"));
        }
    }

    /// Whether there are charts to be completed, and no helm-toolkit that they depend on.
    pub(crate) fn lacks_toolkit(&self) -> bool {
        self.charts.iter().any(ChartPlan::is_completed)
            && self.charts.iter().all(|chart| chart.role != Role::Toolkit)
    }
}

impl ChartPlan {
    fn new(found: &Found, toolkit: Option<usize>) -> Self {
        let folder = || found.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (name, version) = match &found.metadata {
            Ok(metadata) => (metadata.name.clone(), metadata.version.clone()),
            Err(_) => (folder().unwrap_or_else(|| ".".to_owned()), None),
        };
        ChartPlan {
            path: found.path.clone(),
            name,
            role: found.role(),
            skipped: None,
            findings: Vec::new(),
            allowed: 0,
            files: Vec::new(),
            version,
            is_vendored: found.vendored_in.is_some(),
            toolkit: toolkit.filter(|_| found.role() == Role::Application),
        }
    }

    fn make(&mut self, base: &Path, found: &Found, toolkit: Option<&Functions>, options: &Options) {
        let metadata = match &found.metadata {
            Ok(metadata) => metadata,
            Err(refusal) => return self.refuse(refusal.clone()),
        };
        match Files::read(base, &found.path, self.role) {
            Ok(files) => {
                let completed = complete(&found.path, metadata, &files, toolkit, options);
                self.skipped = completed.skipped;
                self.findings = completed.findings;
                self.allowed = completed.allowed;
                self.files = completed.files;
            }
            Err(refusal) => return self.refuse(refusal),
        }
        let looked: Result<Vec<_>, _> =
            self.files.iter().map(|file| target::look(base, &file.path)).collect();
        match looked {
            Ok(found) => self.findings.extend(found.into_iter().flatten()),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Its folder, as people call it: a chart that is all that the call names has a name, and not `.`.
    pub(crate) fn shown(&self) -> String {
        if self.path.as_os_str().is_empty() { printable(&self.name).into_owned() } else { shown(&self.path) }
    }

    /// What becomes of the chart, in a word.
    pub fn outcome(&self) -> Outcome {
        let worst = self.findings.iter().map(|finding| finding.severity).min();
        match (self.skipped, worst) {
            (Some(reason), _) => Outcome::LeftAlone(reason),
            (None, Some(Severity::Refused)) => Outcome::Refused,
            _ if !self.files.is_empty() => Outcome::Changed,
            (None, Some(Severity::Error)) => Outcome::Incomplete,
            _ => Outcome::Complete,
        }
    }

    /// Whether it has all that this program adds, or will have.
    pub(crate) fn is_completed(&self) -> bool {
        matches!(self.outcome(), Outcome::Changed | Outcome::Complete | Outcome::Incomplete)
    }

    /// Refuses the chart: none of its files change.
    pub(crate) fn refuse(&mut self, refusal: Finding) {
        self.findings.push(refusal);
        self.files.clear();
    }

    /// The folders around the chart, the nearest first. A copy inside of a chart has none: what
    /// happens to it is noted where it comes from.
    pub(crate) fn folders_around(&self) -> impl Iterator<Item = &Path> {
        self.path.ancestors().skip(1).filter(|_| !self.is_vendored)
    }

    pub(crate) fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Refused)
    }

    /// Where this toolkit is refused: why `chart`, which depends on it, is so too.
    fn refusal_for(&self, chart: &ChartPlan) -> Option<Finding> {
        let Finding { location, what, .. } = self.refusals().next()?;
        let fix = format!("see to that first: {location}: {what}");
        let what = format!("depends on {}, which is refused", shown(&self.path));
        Some(Finding::refused(Id::ToolkitRefused, Location::file(&chart.path), what, fix))
    }
}

impl ChartPlan {
    /// What became of a chart that was read.
    pub(crate) fn completed(path: PathBuf, metadata: &Metadata, completed: Completed) -> Self {
        let Completed { skipped, findings, allowed, files } = completed;
        ChartPlan {
            path,
            name: metadata.name.clone(),
            role: metadata.role(),
            skipped,
            findings,
            allowed,
            files,
            version: metadata.version.clone(),
            is_vendored: false,
            toolkit: None,
        }
    }
}
