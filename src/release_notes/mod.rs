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
mod reno;
mod version;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use counted::{Need, RULE, Release};
use era::{Era, NotesRoot};
use work::Work;

use crate::change::FileChange;
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::plan::{ChartPlan, Plan};
use crate::target;
use crate::text::shown;

/// The files that note a change, and what is found on the way.
type Noted = Result<(Vec<FileChange>, Vec<Finding>), Finding>;

/// Adds what is asked for to each chart that changes, or has changed since git's last commit.
pub(crate) fn add(plan: &mut Plan) {
    let mut roots: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    let mut without = Vec::new();
    for (index, chart) in plan.charts.iter().enumerate() {
        if let Some(root) = chart.folders_around().find(|folder| era::is_root(&plan.base.join(folder))) {
            roots.entry(root.to_owned()).or_default().push(index);
        } else if !chart.files.is_empty() && !chart.is_vendored {
            without.push(chart.shown());
        }
    }
    if roots.is_empty() || !without.is_empty() {
        let of = if roots.is_empty() { String::new() } else { format!(" of {}", without.join(", ")) };
        plan.remarks.push(format!("release notes{of}: none, since there is neither releasenotes/ nor tools/gate/reno-check.sh around these charts"));
    }
    let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
    for (path, charts) in roots {
        for (index, noted) in noted(plan, &path, &charts) {
            add_to(plan, index, noted, &mut taken);
        }
    }
}

/// The notes of `charts`, below the folder `path`, with the chart that each is of; none for that of several.
fn noted(plan: &mut Plan, path: &Path, charts: &[usize]) -> Vec<(Option<usize>, Noted)> {
    let with_index: Vec<(usize, &ChartPlan)> =
        charts.iter().filter_map(|index| Some((*index, plan.charts.get(*index)?))).collect();
    let charts: Vec<&ChartPlan> = with_index.iter().map(|(_, chart)| *chart).collect();
    let root = NotesRoot::read(&plan.base, path, &charts);
    let uncommitted = git::uncommitted(&plan.base.join(path));
    let is_done = |chart: &&ChartPlan| chart.is_completed() && chart.files.is_empty();
    let has_git = uncommitted.is_some();
    let is_unknown = !has_git && charts.iter().any(is_done);
    let uncommitted: Vec<PathBuf> = uncommitted.into_iter().flatten().map(|file| path.join(file)).collect();
    let of_chart = |(index, chart): (usize, &ChartPlan)| Work::of(&plan.base, index, chart, &uncommitted);
    let works: Vec<Work> = with_index.into_iter().filter_map(of_chart).collect();
    let all = |refusal: &Finding| works.iter().map(|work| (Some(work.index), Err(refusal.clone()))).collect();
    let root = match root {
        Ok(root) => root,
        Err(refusal) => return all(&refusal),
    };
    let noted = match root.era {
        Era::Before | Era::Calendar => Vec::new(),
        Era::Counted => {
            works.iter().map(|work| (Some(work.index), counted(&plan.base, &root, work, has_git))).collect()
        }
        Era::Reno => match reno::needs(&plan.base, &root, &works) {
            Ok(needs) => {
                needs.into_iter().map(|(index, need)| (index, files(&plan.base, vec![need]))).collect()
            }
            Err(refusal) => all(&refusal),
        },
    };
    let of = if path.as_os_str().is_empty() { String::new() } else { format!(" of {}", shown(path)) };
    plan.remarks.push(format!("release notes{of}: {}; {}", root.explain(), root.evidence));
    if is_unknown && root.asks_for_notes() {
        let what = "git cannot tell what is not committed here: charts that are complete already get no note";
        plan.remarks.push(format!("release notes{of}: {what}"));
    }
    noted
}

/// Adds to the plan what notes the change of a chart, or of several. `taken` has the files that charts write.
fn add_to(plan: &mut Plan, index: Option<usize>, noted: Noted, taken: &mut HashMap<PathBuf, PathBuf>) {
    let Some(chart) = index.and_then(|index| plan.charts.get_mut(index)) else {
        let (files, findings) = noted.unwrap_or_else(|refusal| (Vec::new(), vec![refusal]));
        plan.checkout.files.extend(files);
        plan.checkout.findings.extend(findings);
        return;
    };
    let other = |file: &FileChange| Some((file.path.clone(), taken.get(&file.path)?.clone()));
    match noted.map(|(files, findings)| (files.iter().find_map(other), files, findings)) {
        Ok((None, files, findings)) => {
            taken.extend(files.iter().map(|file| (file.path.clone(), chart.path.clone())));
            chart.files.extend(files);
            chart.files.sort_by(|one, other| one.path.cmp(&other.path));
            chart.findings.extend(findings);
        }
        Ok((Some((path, other)), ..)) => {
            let what = format!("{} is one file for this chart and for {}", shown(&path), shown(&other));
            let fix =
                "give one of them another name, or leave it out with --exclude, or leave out --release-notes";
            chart.refuse(Finding::refused(Id::SharedFile, Location::file(&chart.path), what, fix));
        }
        Err(refusal) => chart.refuse(refusal),
    }
}

/// The line that notes what was done to a chart, and its version.
fn counted(base: &Path, root: &NotesRoot, work: &Work, has_git: bool) -> Noted {
    let release = Release::read(base, root, work, has_git)?;
    let (needs, doubt) = release.needs()?;
    let (changes, mut findings) = files(base, needs)?;
    if !release.after(&changes).needs()?.0.is_empty() {
        return Err(unproven(&release.note_path, "a second run would change it again"));
    }
    findings.extend(doubt.map(|doubt| Finding { rule: Some(RULE), ..doubt }));
    Ok((changes, findings))
}

fn files(base: &Path, needs: Vec<Need>) -> Noted {
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    for need in needs {
        findings.extend(target::look(base, &need.path)?);
        findings.extend(need.findings.into_iter().map(|finding| Finding { rule: Some(RULE), ..finding }));
        let file = FileChange::new(&need.path, need.old, need.order, vec![need.part]);
        files.push(file.map_err(|conflict| unproven(&need.path, &conflict.to_string()))?);
    }
    Ok((files, findings))
}

fn unproven(path: &Path, why: &str) -> Finding {
    let fix = "leave out --release-notes, and report this: it is a defect of this program";
    Finding { fix: fix.to_owned(), ..Finding::unproven(path, why) }
}
