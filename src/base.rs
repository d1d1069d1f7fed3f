//! What checkouts were before a change: as a git revision has them, in a scratch folder.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::chart_plan::ChartPlan;
use crate::discover::{self, Checkouts};
use crate::disk::Scratch;
use crate::error::Error;
use crate::finding::{Finding, Id};
use crate::git;
use crate::metadata::Role;
use crate::plan::Plan;

/// The charts before a change. Their paths are those of the checkouts.
#[derive(Debug)]
pub(crate) struct Base {
    /// The revision, as people are told of it.
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

/// Whether something in one of these folders is not committed in git. `None` where git cannot tell of one of them.
pub(crate) fn has_changes(roots: &BTreeSet<PathBuf>) -> Option<bool> {
    let uncommitted: Option<Vec<Vec<PathBuf>>> = roots.iter().map(|root| git::uncommitted(root)).collect();
    Some(uncommitted?.iter().any(|files| !files.is_empty()))
}

impl Base {
    /// Writes the charts of the folders `roots`, of which `plan` is made, into `scratch` as git has them, and has `look`
    /// look at them. `revisions` are one for all folders, or one for each of `asked`, the folders that the call names.
    ///
    /// # Errors
    /// [`Error::Revision`] where there is no such revision.
    pub(crate) fn read(
        scratch: &Scratch,
        plan: &Plan,
        roots: &BTreeSet<PathBuf>,
        (revisions, asked): (&[String], &[PathBuf]),
        look: impl FnOnce(Checkouts) -> Plan,
    ) -> Result<Self, Error> {
        // A root may be beside the folders that are asked for.
        let revision = |root: &Path| {
            let is_it = |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| folder == root);
            let index = asked.iter().position(is_it).unwrap_or(0);
            revisions.get(index).or(revisions.first()).map_or("HEAD", String::as_str)
        };
        // helm-toolkits that charts name by path are found there again.
        let mut folders = roots.clone();
        folders.extend(plan.charts.iter().map(|chart| chart.path.clone()).filter(|path| path.has_root()));
        let around = discover::common_parent(&folders);
        let copy_of = |folder: &Path| Path::new("base").join(folder.strip_prefix(&around).unwrap_or(folder));
        for folder in &folders {
            let copy = copy_of(folder);
            scratch.make_folder(&copy)?;
            for git::File { path, is_link, text } in git::files_at(folder, revision(folder))? {
                let at = copy.join(path);
                scratch.make_folder(at.parent().unwrap_or(&copy))?;
                if is_link { scratch.link_anywhere(&text, &at)? } else { scratch.write(&at, &text)? }
            }
        }
        let copies: Vec<PathBuf> = roots.iter().map(|root| scratch.path().join(copy_of(root))).collect();
        let checkouts = match discover::find(&copies, &[]) {
            Err(Error::NoChart(_)) => Checkouts::default(),
            found => found?,
        };
        let names: BTreeSet<&str> = roots.iter().map(|root| revision(root)).collect();
        Ok(Base { name: Vec::from_iter(names).join(" and "), plan: look(checkouts) })
    }

    /// What `chart` was: the chart in the same folder, else the one of its name.
    pub(crate) fn chart(&self, chart: &ChartPlan) -> Option<&ChartPlan> {
        let charts = &self.plan.charts;
        let place = charts.binary_search_by(|old| old.path.cmp(&chart.path)).ok();
        let in_its_folder = place.and_then(|place| charts.get(place)).filter(|old| old.role == chart.role);
        in_its_folder.or_else(|| charts.iter().find(|old| (old.role, &old.name) == (chart.role, &chart.name)))
    }

    /// Takes out of `plan` what was found before as well, wherever in its file it stood.
    pub(crate) fn drop_known(&self, plan: &mut Plan) {
        for chart in &mut plan.charts {
            let Some(old) = self.chart(chart) else { continue };
            let mut known: Vec<_> = old.findings.iter().map(|finding| key(&old.path, finding)).collect();
            let path = &chart.path;
            chart.findings.retain(|finding| {
                let place = known.iter().position(|known| *known == key(path, finding));
                place.map(|place| known.swap_remove(place)).is_none()
            });
        }
    }

    /// The folders of the charts that `plan` has no more.
    pub(crate) fn gone(&self, plan: &Plan) -> Vec<PathBuf> {
        let there: HashSet<&Path> =
            plan.charts.iter().filter_map(|chart| self.chart(chart)).map(|old| old.path.as_path()).collect();
        let charts = self.plan.charts.iter().filter(|old| old.role == Role::Application);
        charts.map(|old| old.path.clone()).filter(|path| !there.contains(path.as_path())).collect()
    }
}

/// What a finding is about, in the chart in the folder `chart`.
fn key<'f>(chart: &Path, finding: &'f Finding) -> (Id, PathBuf, &'f str) {
    let path = finding.location.path.strip_prefix(chart).unwrap_or(&finding.location.path);
    (finding.id, path.to_owned(), &finding.what)
}
