//! The page for operators, in the documentation that goes with the charts.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Change, ChartPlan, FileChange, Outcome, Part, homes, target};
use crate::chart::Role;
use crate::checkout::Found;
use crate::docs::{Docs, FOLDER, NAME, PAGE};
use crate::edit::{self, Edit};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::rules::Turn;
use crate::shape::{Action, Shape};
use crate::yaml::Parameters;

/// What this is called beside the rules.
const RULE: &str = "documentation";

/// The documentation that goes with `charts`.
pub(super) fn plan<'f>(base: &Path, charts: impl Iterator<Item = &'f Found>) -> Vec<ChartPlan> {
    let has_docs = |folder: &&Path| base.join(folder).join(FOLDER).is_dir();
    let homes: BTreeSet<&Path> = charts.filter_map(|found| homes::around(found).find(has_docs)).collect();
    homes.into_iter().map(|home| plan_docs(base, home)).collect()
}

fn plan_docs(base: &Path, home: &Path) -> ChartPlan {
    let path = home.join(FOLDER);
    let mut findings = Vec::new();
    let outcome = complete(&base.join(home), &mut findings).unwrap_or_else(|refusal| {
        let place = refusal.place.below(home);
        Outcome::Refused(vec![Refusal { place, ..refusal }])
    });
    for finding in &mut findings {
        finding.place = finding.place.clone().below(home);
    }
    let outcome = match outcome {
        Outcome::Change(mut change) => {
            for file in &mut change.files {
                file.path = home.join(&file.path);
            }
            Outcome::Change(change)
        }
        outcome => outcome,
    };
    ChartPlan { path, name: RULE.to_owned(), role: Role::Documentation, outcome, findings, toolkit: None }
}

/// What completes the documentation in the folder around charts `dir`; paths are relative to that. The page is
/// written before the line that lists it: at no time is a page listed that is not there.
fn complete(dir: &Path, findings: &mut Vec<Finding>) -> Result<Outcome, Refusal> {
    let below = |place: Place| place.below(Path::new(FOLDER));
    let docs = Docs::read(&dir.join(FOLDER))
        .map_err(|refusal| Refusal { place: below(refusal.place), ..refusal })?;
    let docs = match docs {
        Ok(docs) => docs,
        Err(finding) => {
            findings.push(Finding { place: below(finding.place), rule: Some(RULE), ..finding });
            return Ok(Outcome::LeftAlone("no list of pages"));
        }
    };
    let mut files = Vec::new();
    let mut add = |id, place, what: &str, path: &Path, old: Option<&str>, edit: Edit, turn, action| {
        let finding = Finding::warning(id, below(place), what, "`apply` adds it");
        findings.push(Finding { is_planned: true, rule: Some(RULE), ..finding });
        let path = Path::new(FOLDER).join(path);
        findings.extend(target::look(dir, &path)?);
        let new = edit::apply(old.unwrap_or_default(), std::slice::from_ref(&edit)).map_err(|_| {
            let advice = "leave out --docs, and report this: it is a defect of this program";
            Refusal::new(Reason::Unproven, Place::file(&path), "no edit could be proven right", advice)
        })?;
        let target = path.to_string_lossy().into_owned();
        let shape = Shape { rule: RULE, action, target, text: edit.replacement.clone() };
        let parts = vec![Part { shape, parameters: Parameters::new(), edits: vec![edit] }];
        files.push(FileChange::of(path, old.map(ToOwned::to_owned), new, turn, parts));
        Ok(())
    };
    if let Some(line) = docs.line.clone() {
        let (what, index) = (format!("the list of pages lacks {NAME}"), &docs.index);
        let old = Some(index.text.as_str());
        let id = FindingId::UnlistedPage;
        add(id, docs.place(), &what, &index.path, old, line, Turn::Second, Action::Insert)?;
    }
    if !docs.has_page {
        let what = "the page that tells operators how to switch registry authentication on is missing";
        let (place, page) = (Place::file(&docs.page), Edit::insert(0, PAGE.to_owned()));
        add(FindingId::MissingPage, place, what, &docs.page, None, page, Turn::First, Action::Create)?;
    }
    Ok(if files.is_empty() { Outcome::Complete } else { Outcome::Change(Change { files }) })
}
