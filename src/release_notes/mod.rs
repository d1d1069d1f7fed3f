//! Release notes: what the CI of a checkout asks for where a chart changes. A pass over the plan, which adds
//! notes and versions to the charts that it changes.
//!
//! What CI asks for changed twice, and the checkout shows which of its eras it is from ([`era`]): until
//! November 2024 a higher version and a line in the chart's note ([`counted`]), since 2025 a note of its own, or
//! one for all charts of a change ([`reno`]). What is noted ([`work`]) is what the plan does, and what an earlier
//! run did that git has not committed.
//!
//! A run that is killed must not raise a version twice when it is run again. So what is noted is written
//! first, then the version, and only then all else: as long as something is left to do, the note shows
//! what has been done.

mod counted;
mod era;
mod list;
mod note;
mod proof;
mod reno;
mod version;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use era::{Era, NotesRoot};
use note::Noted;
use work::Work;

use crate::chart_plan::ChartPlan;
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::plan::Plan;
use crate::text::shown;

/// Adds what is asked for to each chart that changes, or has changed since git's last commit.
pub(crate) fn add(plan: &mut Plan) {
    let mut roots: BTreeMap<&Path, Vec<(usize, &ChartPlan)>> = BTreeMap::new();
    let mut without = Vec::new();
    for (index, chart) in plan.charts.iter().enumerate() {
        if let Some(root) = chart.folders_around().find(|folder| era::is_root(&plan.base.join(folder))) {
            roots.entry(root).or_default().push((index, chart));
        } else if !chart.files.is_empty() && !chart.is_vendored {
            without.push(chart.shown());
        }
    }
    let mut remarks = Vec::new();
    if roots.is_empty() || !without.is_empty() {
        let of = if roots.is_empty() { String::new() } else { format!(" of {}", without.join(", ")) };
        remarks.push(format!("release notes{of}: none, since there is neither releasenotes/ nor tools/gate/reno-check.sh around these charts"));
    }
    let noted = roots.into_iter().flat_map(|(path, charts)| noted(&plan.base, path, &charts, &mut remarks));
    let noted: Vec<Noted> = noted.collect();
    plan.remarks.extend(remarks);
    let mut taken = HashMap::new();
    for noted in noted {
        add_to(plan, noted, &mut taken);
    }
}

/// The notes of `charts`, which are below the folder `path`.
fn noted(base: &Path, path: &Path, charts: &[(usize, &ChartPlan)], remarks: &mut Vec<String>) -> Vec<Noted> {
    let uncommitted = git::uncommitted(&base.join(path));
    let has_git = uncommitted.is_some();
    let uncommitted: Vec<PathBuf> = uncommitted.into_iter().flatten().map(|file| path.join(file)).collect();
    let works = charts.iter().filter_map(|(index, chart)| Work::of(base, *index, chart, &uncommitted));
    let works: Vec<Work<'_>> = works.collect();
    let noted = NotesRoot::read(base, path, charts).and_then(|root| {
        let of = if path.as_os_str().is_empty() { String::new() } else { format!(" of {}", shown(path)) };
        remarks.push(format!("release notes{of}: {}; {}", root.explain(), root.evidence));
        let asks_for_notes = matches!(root.era, Era::Counted | Era::Reno);
        let is_done = |(_, chart): &(_, &ChartPlan)| chart.is_completed() && chart.files.is_empty();
        if asks_for_notes && !has_git && charts.iter().any(is_done) {
            let what =
                "git cannot tell what is not committed here: charts that are complete already get no note";
            remarks.push(format!("release notes{of}: {what}"));
        }
        match root.era {
            Era::Before | Era::Calendar => Ok(Vec::new()),
            Era::Counted => {
                let note = |work: &Work<'_>| (Some(work.index), counted::note(base, &root, work, has_git));
                Ok(works.iter().map(note).collect())
            }
            Era::Reno => reno::notes(base, &root, &works),
        }
    });
    noted
        .unwrap_or_else(|refusal| works.iter().map(|work| (Some(work.index), Err(refusal.clone()))).collect())
}

/// Adds to the plan what notes the change of a chart, or of several. `taken` has the files that charts write.
fn add_to(plan: &mut Plan, (index, added): Noted, taken: &mut HashMap<PathBuf, PathBuf>) {
    let Some(chart) = index.and_then(|index| plan.charts.get_mut(index)) else {
        return plan.checkout.take(added);
    };
    let added = match added {
        Ok(added) => added,
        Err(refusal) => return chart.refuse(refusal),
    };
    let clash = added.files.iter().find_map(|file| Some((&file.path, taken.get(&file.path)?)));
    if let Some((path, other)) = clash {
        let what = format!("{} is one file for this chart and for {}", shown(path), shown(other));
        let fix =
            "give one of them another name, or leave it out with --exclude, or leave out --release-notes";
        return chart.refuse(Finding::refused(Id::SharedFile, Location::file(&chart.path), what, fix));
    }
    taken.extend(added.files.iter().map(|file| (file.path.clone(), chart.path.clone())));
    chart.files.extend(added.files);
    chart.files.sort_by(|one, other| one.path.cmp(&other.path));
    chart.findings.extend(added.findings);
}
