//! The plan: for every chart what changes, or why nothing does. Whoever prints, writes or checks
//! reads this and nothing else.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use rayon::prelude::*;

use crate::change::FileChange;
use crate::chart::{Files, Functions};
use crate::chart_plan::{ChartPlan, Outcome};
use crate::complete::complete;
use crate::discover::{Checkouts, Found};
use crate::finding::{Finding, Severity};
use crate::git;
use crate::metadata::Role;
use crate::options::Options;
use crate::target;
use crate::text::{amount, shown};
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

/// What becomes of the checkouts beside their charts.
#[derive(Debug, Default)]
pub(crate) struct CheckoutPlan {
    pub(crate) findings: Vec<Finding>,
    pub(crate) files: Vec<FileChange>,
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
            if (plan.role == Role::Toolkit || why_not.is_none())
                && let Err(refusal) = make(&mut plan, &base, found, toolkits.functions_for(found), options)
            {
                plan.refuse(refusal);
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

/// Reads a chart, and completes it.
fn make(
    plan: &mut ChartPlan,
    base: &Path,
    found: &Found,
    toolkit: Option<&Functions>,
    options: &Options,
) -> Result<(), Finding> {
    let metadata = found.metadata.as_ref().map_err(Clone::clone)?;
    complete(plan, metadata, &Files::read(base, &found.path, plan.role)?, toolkit, options)?;
    for file in &plan.files {
        plan.findings.extend(target::look(base, &file.path)?);
    }
    Ok(())
}
