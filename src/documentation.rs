//! The page that tells operators how to switch registry authentication on: a change of the checkout, which a
//! pass adds to the plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::change::{Operation, Part, Shape, WriteOrder};
use crate::chart_plan::ChartPlan;
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::placeholder::Placeholders;
use crate::plan::{CheckoutPlan, Plan};
use crate::source::read_text;
use crate::text::position;
use crate::toctree::{Listing, NAME, listing};

/// Where documentation is, in the folder around charts.
pub(crate) const FOLDER: &str = "doc/source";

/// The name in reports, beside those of the rules.
const RULE: &str = "documentation";

const PAGE: &str = include_str!("../templates/registry-authentication.rst");

/// The folders in [`FOLDER`] whose index may list the page, the best first.
const INDEX_FOLDERS: [&str; 2] = ["install", ""];

/// Adds the page and its line in the index to each documentation that goes with charts of `plan`.
pub(crate) fn add(plan: &mut Plan) {
    let has_docs = |folder: &&Path| plan.base.join(folder).join(FOLDER).is_dir();
    let completed = plan.charts.iter().filter(|chart| chart.is_completed());
    let found: BTreeSet<PathBuf> = completed
        .filter_map(|chart: &ChartPlan| Some(chart.folders_around().find(has_docs)?.join(FOLDER)))
        .collect();
    if found.is_empty() {
        plan.remarks.push("documentation: none, since there is no doc/source around these charts".to_owned());
    }
    for folder in found {
        let added = complete(&plan.base, &folder);
        plan.checkout.take(added.map_err(|refusal| Finding { rule: Some(RULE), ..refusal }));
    }
}

/// Completes the documentation in `folder`. The page is written before the line that lists it: at no time is a
/// page listed that is not there.
fn complete(base: &Path, folder: &Path) -> Result<CheckoutPlan, Finding> {
    let mut added = CheckoutPlan::default();
    for inner in INDEX_FOLDERS {
        let index = folder.join(inner).join("index.rst");
        let Some(text) = read_text(base, &index)? else { continue };
        let Some(listing) = listing(&text, inner) else { continue };
        if let Listing::Missing(edit) = listing {
            // The line that it goes behind.
            let place = position(&text, edit.range.start.saturating_sub(1));
            let location = Location {
                position: Some(crate::yaml::Position { column: 1, ..place }),
                path: index.clone(),
            };
            let what = format!("the list of pages lacks {NAME}");
            let finding = Finding::warning(Id::UnlistedPage, location, what, "`apply` adds it");
            let part = part(Operation::Insert, &index, edit);
            added.add(base, Some(text), WriteOrder::Second, part, finding)?;
        }
        let page = folder.join(inner).join(format!("{NAME}.rst"));
        if base.join(&page).symlink_metadata().is_err() {
            let what = "the page that tells operators how to switch registry authentication on is missing";
            let finding = Finding::warning(Id::MissingPage, Location::file(&page), what, "`apply` adds it");
            let part = part(Operation::Create, &page, Edit::insert(0, PAGE.to_owned()));
            added.add(base, None, WriteOrder::First, part, finding)?;
        }
        return Ok(added);
    }
    let what = "neither this nor install/index.rst has a list of pages (toctree) at its margin";
    let fix = format!("write a page by hand, after the one that {NAME}.rst is in other checkouts");
    let location = Location::file(folder.join("index.rst"));
    let finding = Finding::warning(Id::NoToctree, location, what, fix);
    added.findings.push(Finding { rule: Some(RULE), ..finding });
    Ok(added)
}

fn part(operation: Operation, path: &Path, edit: Edit) -> Part {
    let target = path.to_string_lossy().into_owned();
    let shape = Shape { rule: RULE, operation, target, text: edit.replacement.clone() };
    Part { shape, placeholders: Placeholders::new(), edits: vec![edit] }
}
