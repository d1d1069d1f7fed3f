//! Release notes: what the CI of a checkout asks for where a chart changes. A pass over the plan, which adds
//! notes and versions to the charts that it changes.
//!
//! What CI asks for changed twice, and the checkout shows which of its eras it is from ([`era`]): until
//! November 2024 a higher version and a line in the chart's note, since 2025 a note of its own.
//!
//! A run that is killed must not raise a version twice when it is run again. So what is noted is written
//! first, then the version, and only then all else: as long as something is left to do, the note shows
//! what has been done.

mod chart;
mod era;
mod list;
mod version;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chart::{Need, RULE, Release};
use era::NotesRoot;

use crate::change::FileChange;
use crate::finding::{Finding, Id, Location};
use crate::plan::{ChartPlan, Plan};
use crate::target;
use crate::text::shown;

/// Adds what is asked for to each chart that changes.
pub(crate) fn add(plan: &mut Plan) {
    let roots = roots(plan);
    plan.remarks.extend(remarks(&roots));
    let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
    for chart in plan.charts.iter_mut().filter(|chart| !chart.files.is_empty()) {
        let Some(root) = chart.folders_around().find_map(|folder| roots.get(folder)) else { continue };
        match root.as_ref().map_err(Clone::clone).and_then(|root| note(&plan.base, chart, root, &taken)) {
            Ok((files, findings)) => {
                chart.files.extend(files);
                chart.files.sort_by(|one, other| one.path.cmp(&other.path));
                chart.findings.extend(findings);
            }
            Err(refusal) => chart.refuse(refusal),
        }
        taken.extend(chart.files.iter().map(|file| (file.path.clone(), chart.path.clone())));
    }
}

/// The folders around charts that hold their release notes, or from which these are asked for.
fn roots(plan: &Plan) -> BTreeMap<PathBuf, Result<NotesRoot, Finding>> {
    let mut charts: BTreeMap<&Path, Vec<&ChartPlan>> = BTreeMap::new();
    for chart in &plan.charts {
        if let Some(root) = chart.folders_around().find(|folder| era::is_root(&plan.base.join(folder))) {
            charts.entry(root).or_default().push(chart);
        }
    }
    let read = |(path, charts): (&Path, Vec<&ChartPlan>)| {
        (path.to_owned(), NotesRoot::read(&plan.base, path, &charts))
    };
    charts.into_iter().map(read).collect()
}

fn remarks(roots: &BTreeMap<PathBuf, Result<NotesRoot, Finding>>) -> Vec<String> {
    if roots.is_empty() {
        let none = "release notes: none, since there is neither releasenotes/ nor tools/gate/reno-check.sh around these charts";
        return vec![none.to_owned()];
    }
    let remark = |root: &NotesRoot| {
        let is_base = root.path.as_os_str().is_empty();
        let of = if is_base { String::new() } else { format!(" of {}", shown(&root.path)) };
        format!("release notes{of}: {}; {}", root.era.explain(), root.evidence)
    };
    roots.values().flatten().map(remark).collect()
}

/// The files that note the change of `chart`. `taken` has those that other charts write.
fn note(
    base: &Path,
    chart: &ChartPlan,
    root: &NotesRoot,
    taken: &HashMap<PathBuf, PathBuf>,
) -> Result<(Vec<FileChange>, Vec<Finding>), Finding> {
    let release = Release::read(base, chart, root)?;
    let needs = release.needs()?;
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    for Need { path, old, order, part, finding } in needs {
        if let Some(other) = taken.get(&path) {
            let what = format!("{} is one file for this chart and for {}", shown(&path), shown(other));
            let fix =
                "give one of them another name, or leave it out with --exclude, or leave out --release-notes";
            return Err(Finding::refused(Id::SharedFile, Location::file(&chart.path), what, fix));
        }
        findings.extend(target::look(base, &path)?);
        findings.push(Finding { is_planned: true, rule: Some(RULE), ..finding });
        let file = FileChange::new(&path, old, order, vec![part]);
        files.push(file.map_err(|conflict| unproven(&path, &conflict.to_string()))?);
    }
    if !release.after(&files).needs()?.is_empty() {
        return Err(unproven(&release.note_path, "a second run would change it again"));
    }
    if !files.is_empty() {
        findings.extend(release.unlisted_section());
    }
    Ok((files, findings))
}

fn unproven(path: &Path, why: &str) -> Finding {
    let fix = "leave out --release-notes, and report this: it is a defect of this program";
    Finding { fix: fix.to_owned(), ..Finding::unproven(path, why) }
}
