//! A note that is not there yet.

use std::path::Path;

use crate::change::{Operation, Part, Shape, WriteOrder};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::placeholder::{CHART, Filled, Placeholders, fill};
use crate::plan::CheckoutPlan;
use crate::yaml::is_ambiguous;

/// The name in reports, beside those of the rules.
pub(super) const RULE: &str = "release note";

/// What notes a change, with the place of its chart in the plan; none for a note of several charts.
pub(super) type Noted = (Option<usize>, Result<CheckoutPlan, Finding>);

/// The note `text`. `target` is its path in reports, with names of placeholders in it.
pub(super) fn new_note(
    base: &Path,
    path: &Path,
    target: &str,
    text: Filled,
    placeholders: Placeholders,
) -> Result<CheckoutPlan, Finding> {
    let part = part(Operation::Create, target, text.pattern, placeholders, Edit::insert(0, text.text));
    let (what, fix) = ("the change is not noted", "`apply` notes it");
    let finding = Finding::warning(Id::MissingReleaseNote, Location::file(path), what, fix);
    let mut change = CheckoutPlan::default();
    change.add(base, None, WriteOrder::First, part, finding)?;
    Ok(change)
}

/// `template` with words and placeholders filled in. A name that is something else to YAML is put into quotes.
pub(super) fn filled(template: &str, words: &str, placeholders: &Placeholders) -> Filled {
    let mut texts = vec![("WORDS", words.to_owned())];
    let pattern = fill(template, &texts);
    texts.extend(placeholders.iter().map(|(name, Filled { text, .. })| {
        let is_key = *name == CHART && is_ambiguous(text);
        (*name, if is_key { format!("\"{text}\"") } else { text.clone() })
    }));
    Filled { text: fill(template, &texts), pattern }
}

/// What `edit` does to the file `target`, as `text` in reports.
pub(super) fn part(
    operation: Operation,
    target: &str,
    text: String,
    placeholders: Placeholders,
    edit: Edit,
) -> Part {
    let shape = Shape { rule: RULE, operation, target: target.to_owned(), text };
    Part { shape, placeholders, edits: vec![edit] }
}
