//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet.

use memchr::memmem::Finder;

use super::pull_secrets::{self, Existing};
use super::{Proposals, Rule, hits, position};
use crate::chart::{Chart, Role, Source};
use crate::edit::Edit;
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::template::{self, Line, Word};

/// The conditional `imagePullSecrets` behind the account's metadata. Most hits for
/// `kind: ServiceAccount` are subjects of a role binding, which are indented.
pub(super) struct ServiceAccounts;

/// What they are found by.
static ACCOUNT: Word = Word::new(|| Finder::new("ServiceAccount"));

impl Rule for ServiceAccounts {
    fn name(&self) -> &'static str {
        "own ServiceAccounts"
    }

    fn role(&self) -> Role {
        Role::Application
    }

    fn is_for_all(&self) -> bool {
        false
    }

    fn propose(&self, chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        for source in chart.templates {
            for (place, edit) in edits(source)? {
                let what = "this ServiceAccount names no Secret of the registry to pull with";
                let finding = Finding::error(FindingId::BareServiceAccount, place, what, "`apply` adds it");
                proposals.edit(&source.path, edit, finding);
            }
        }
        Ok(())
    }
}

/// What the ServiceAccounts in a template lack, and where they are.
fn edits(source: &Source) -> Result<Vec<(Place, Edit)>, Refusal> {
    let mut edits = Vec::new();
    if hits(source, &ACCOUNT)?.iter().all(|at| !is_in_line_of_kind(&source.text, *at)) {
        return Ok(edits);
    }
    let text = template::without_comments(&source.text);
    let lines = template::lines(&text);
    for at in template::lines_with(&lines, &text, &ACCOUNT) {
        let Some(line) = lines.get(at) else { break };
        // What goes on in the next line is another kind.
        let goes_on = lines.get(at + 1).is_some_and(|next| next.indent > 0 && !next.is_silent());
        if goes_on || line.value(0, "kind") != Some("ServiceAccount") {
            continue;
        }
        let place = || Place::at(&source.path, position(&source.text, line.start));
        let refusal = |reason, what: &str| {
            Refusal::new(
                reason,
                place(),
                format!("a ServiceAccount {what}"),
                "add imagePullSecrets to it by hand",
            )
        };
        let scope = template::document(&lines, at);
        let root = template::root_variable(&text, line.start).ok_or_else(|| {
            refusal(Reason::NoRootVariable, "in a `define` that has no $envAll to find the values by")
        })?;
        let existing = pull_secrets::existing(&source.text, &lines, scope.clone(), 0, root);
        let is_alone = lines.get(scope.clone()).and_then(|document| only(document, "kind")).is_some();
        match existing {
            Existing::Done => {}
            // In two branches of a condition, say: which lines belong to which cannot be told.
            _ if !is_alone => {
                let what = "that shares its document with another object";
                return Err(refusal(Reason::UnclearMetadata, what));
            }
            Existing::Others(edit) => edits.push((place(), edit)),
            Existing::Unclear => {
                return Err(refusal(Reason::UnclearPullSecrets, "whose imagePullSecrets are no plain list"));
            }
            Existing::None => {
                let end = lines.get(scope).and_then(end_of_metadata).ok_or_else(|| {
                    refusal(Reason::UnclearMetadata, "whose metadata could not be made out")
                })?;
                edits.push((place(), pull_secrets::list(&source.text, end, root, 0)));
            }
        }
    }
    Ok(edits)
}

/// Whether the line that byte `at` is in starts with `kind`, which most lines with the word do not: a
/// look at all lines can be spared then. No comment stands before the key where it counts.
fn is_in_line_of_kind(text: &str, at: usize) -> bool {
    text.get(template::line_start(text, at)..).is_some_and(|line| line.starts_with("kind"))
}

/// Byte offset behind the lines of `metadata:` in a document: up to the first line that is not
/// indented. `None` where indented lines follow an action, which might put them there or not, where that
/// first line is no key (the brace that closes the metadata, say), and where there are metadata twice.
pub(super) fn end_of_metadata(document: &[Line<'_>]) -> Option<usize> {
    let start = only(document, "metadata")?;
    let below = document.get(start + 1..)?;
    let is_inside = |line: &Line<'_>| {
        let puts_out_lines = line.text.starts_with("{{") && line.text.contains("indent ");
        puts_out_lines || line.indent > 0 && !line.text.trim().is_empty()
    };
    let is_nothing = |line: &Line<'_>| line.text.trim().is_empty() || line.text.trim_start().starts_with('#');
    let length = below.iter().position(|line| !is_inside(line) && !is_nothing(line)).unwrap_or(below.len());
    let (inside, rest) = below.split_at_checked(length)?;
    let next = rest.iter().find(|line| is_inside(line) || !line.is_silent());
    if next.is_some_and(is_inside) && rest.first().is_some_and(Line::is_silent) {
        return None;
    }
    if next.is_some_and(|line| !is_inside(line) && !is_key(line)) {
        return None;
    }
    inside.iter().rfind(|line| is_inside(line)).map(|line| line.end)
}

/// The only line of a document that has this key, outermost. `None` where none has, or several.
fn only(document: &[Line<'_>], key: &str) -> Option<usize> {
    let mut found = document.iter().enumerate().filter(|(_, line)| line.value(0, key).is_some());
    let (at, _) = found.next()?;
    found.next().is_none().then_some(at)
}

fn is_key(line: &Line<'_>) -> bool {
    let text = line.text;
    text == "..." || text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.contains(':')
}
