//! From checkouts to the whole plan: the charts, and the passes behind them.

use crate::discover::Checkouts;
use crate::documentation;
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::options::Options;
use crate::plan::{Plan, Selection};
use crate::release_notes;
use crate::survey::Survey;

/// The folders beside charts that a run may write into.
pub(crate) fn folders(options: &Options) -> Vec<&'static str> {
    let folders = [(options.release_notes, "releasenotes"), (options.docs, documentation::FOLDER)];
    folders.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, folder)| folder).collect()
}

/// Warns of new files that git would not take into a commit.
fn warn_of_ignored(plan: &mut Plan) {
    let files = plan.files().into_iter().filter(|file| file.old.is_none());
    let ignored = git::ignored(&plan.base, files.map(|file| file.path.as_path()));
    for chart in plan.charts.iter_mut().filter(|_| !ignored.is_empty()) {
        for file in chart.files.iter().filter(|file| ignored.contains(&file.path)) {
            let what = "git ignores this file, which would not be committed";
            let fix = "`git add --force` it, or change .gitignore";
            let location = Location::file(&file.path);
            chart.findings.push(Finding::warning(Id::IgnoredByGit, location, what, fix));
        }
    }
}

/// Plans all that `options` ask for.
pub(crate) fn plan(checkouts: Checkouts, selection: &Selection, options: &Options) -> Plan {
    let survey = Survey::new(&checkouts, options);
    let mut plan = Plan::new(checkouts, selection, &survey.complete(options));
    survey.explain(&mut plan);
    plan.note_what_is_allowed();
    warn_of_ignored(&mut plan);
    if options.release_notes {
        release_notes::add(&mut plan);
    }
    if options.docs {
        documentation::add(&mut plan);
    }
    plan
}
