//! From checkouts to the whole plan: the charts, and the passes behind them.

use std::collections::{BTreeSet, HashMap};

use crate::chart::VALUES;
use crate::chart_plan::MadeSecret;
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

/// Warns of charts whose Secrets have one name: in one namespace Helm installs the first of them only.
fn warn_of_shared_secrets(plan: &mut Plan) {
    let mut makers: HashMap<String, BTreeSet<String>> = HashMap::new();
    let completed = plan.charts.iter().filter(|chart| chart.is_completed());
    for (secret, chart) in completed.filter_map(|chart| Some((chart.secret.as_ref()?, chart))) {
        makers.entry(secret.name.clone()).or_default().insert(chart.name.clone());
    }
    for chart in plan.charts.iter_mut().filter(|chart| chart.is_completed()) {
        let Some(MadeSecret { name, may_be_shared }) = &chart.secret else { continue };
        let mut others = makers.get(name).into_iter().flatten().filter(|other| **other != chart.name);
        match (others.next(), others.count()) {
            (None, _) => {}
            (Some(_), _) if *may_be_shared => chart.allowed += 1,
            (Some(other), more) => {
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let what = format!(
                    "the Secret {name} is made by {other}{more} too: Helm installs only one of them in a namespace"
                );
                let fix =
                    "give each a name of its own, or set manifests.secret_registry to false in the others";
                let location = Location::file(chart.path.join(VALUES));
                chart.findings.push(Finding::warning(Id::SharedSecret, location, what, fix));
            }
        }
    }
}

/// Plans all that `options` ask for.
pub(crate) fn plan(checkouts: Checkouts, selection: &Selection, options: &Options) -> Plan {
    let survey = Survey::new(&checkouts, options);
    let mut plan = Plan::new(checkouts, selection, &survey.complete(options));
    survey.explain(&mut plan);
    warn_of_shared_secrets(&mut plan);
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
