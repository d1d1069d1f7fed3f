//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::holder::{Holder, complete, is_script, is_text, require_balance};
use super::pull_secrets;
use super::rule::Proposals;
use crate::chart::Chart;
use crate::context::{KEY, REGISTRY, SNIPPET};
use crate::finding::{Finding, Id};
use crate::metadata::Role;
use crate::options::Options;
use crate::template::actions::Scope;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;
use crate::text::pattern;

/// The kind of an account in a flow collection, and of what names one.
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"kind["']?\s*:\s*["']?ServiceAccount"#));
static BINDING: LazyLock<Regex> = LazyLock::new(|| pattern("RoleBinding|subjects"));

/// The conditional `imagePullSecrets` of ServiceAccounts; in helm-toolkit, of all but the account of its snippet.
pub(super) fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for outline in chart.outlines.iter().filter(|outline| !is_script(chart, outline)) {
        require_balance(outline)?;
        for account in accounts(outline) {
            let is_snippet = outline.actions.name(account.scope) == Some(SNIPPET);
            if is_snippet && chart.metadata.role() == Role::Toolkit {
                continue;
            }
            let location = || outline.location(account.found.start);
            if is_text(chart, outline, account.scope) {
                let what = "is a text that others take in: an account that is made of it names no Secret to pull with";
                let fix = "add imagePullSecrets to it by hand";
                proposals.report(Finding::warning(Id::UnclearAccount, location(), what, fix));
            } else if let Some(edit) = complete(chart, outline, &account)? {
                let what = "this ServiceAccount names no Secret of the registry to pull with";
                let finding = Finding::error(Id::BareServiceAccount, location(), what, "`apply` adds it");
                proposals.edit(chart, outline.path, edit, finding);
            }
        }
        for kind in outline.named("kind").filter(|kind| may_be_account(outline, kind)) {
            let what = "an object of a kind that is not read: if it is a ServiceAccount, it names no Secret to pull with";
            let fix = "write `kind: ServiceAccount`, or add imagePullSecrets to it by hand";
            let location = outline.location(kind.start);
            proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
        }
        for (start, text) in &outline.unread {
            let is_account = ACCOUNT.is_match(text.as_bytes()) && !BINDING.is_match(text.as_bytes());
            if is_account && !text.contains(REGISTRY) {
                let what = "looks like a ServiceAccount, written in a way that is not read";
                let fix = "write it in lines, or add imagePullSecrets to it by hand";
                let location = outline.location(*start);
                proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
            }
        }
    }
    Ok(())
}

/// The ServiceAccounts. What has this kind and a name, but no metadata, is the subject of a role binding.
pub(super) fn accounts<'o>(outline: &'o Outline<'o>) -> impl Iterator<Item = Holder<'o>> {
    let kinds = outline.named("kind").filter(|kind| kind.scalar() == Some("ServiceAccount"));
    // What an action prints below it is a part of the kind.
    let kinds = kinds.filter(|kind| outline.children(kind).next().is_none());
    kinds.filter_map(|kind| {
        let keys = outline.keys(kind);
        let metadata = keys.iter().find(|entry| entry.is("metadata"));
        let is_subject = || kind.parent.is_some() || keys.iter().any(|entry| entry.is("name"));
        if metadata.is_none() && is_subject() {
            return None;
        }
        let end = metadata.and_then(|metadata| end_of_plain(outline, metadata, kind.scope));
        let (column, scope, at) = (kind.column, kind.scope, end.unwrap_or(kind.line_end));
        Some(Holder { what: "a ServiceAccount", found: kind, keys, column, scope, at })
    })
}

/// Byte offset behind the lines of a mapping, where these are plain: `key: value`, one behind another, with
/// nothing that a line put in behind them could change.
fn end_of_plain(outline: &Outline<'_>, mapping: &Entry<'_>, scope: Scope) -> Option<usize> {
    let mut end = mapping.line_end;
    if !mapping.is_open() || mapping.scope != scope {
        return None;
    }
    let mut behind = outline.entries.get(mapping.index + 1..)?.iter().peekable();
    while let Some(entry) = behind.next_if(|entry| entry.parent >= Some(mapping.index)) {
        let between = outline.text.get(end..entry.start)?;
        let is_next = between.trim().is_empty() && !between.contains('\n');
        if !is_next || entry.scope != scope || entry.goes_on {
            return None;
        }
        end = entry.line_end;
    }
    let actions = &outline.actions.all;
    let first = actions.partition_point(|action| action.range.start < mapping.start);
    let mut inside = actions.iter().skip(first).take_while(|action| action.range.start < end);
    // What an action prints may go on with the mapping, wherever the action stands.
    let next = behind.next().filter(|next| next.document == mapping.document);
    let mut lines = outline.text.get(end..)?.lines();
    let goes_on =
        lines.find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with([' ', '\t']))
            || next.is_some_and(|next| next.key == Key::Printed);
    (end > mapping.line_end && !goes_on && inside.all(|action| action.behind == scope)).then_some(end)
}

/// Whether an object may be an account, since it has nothing but metadata, and its kind is not read.
fn may_be_account(outline: &Outline<'_>, kind: &Entry<'_>) -> bool {
    const KEYS: [&str; 6] =
        ["apiVersion", "kind", "metadata", "imagePullSecrets", "secrets", "automountServiceAccountToken"];
    if kind.scalar().is_some_and(|kind| !kind.is_empty()) {
        return false;
    }
    let keys = outline.keys(kind);
    let has = |key: &str| keys.iter().any(|entry| entry.is(key));
    let is_known = |entry: &&Entry<'_>| match entry.key {
        Key::Name(name) => KEYS.contains(&name),
        _ => true,
    };
    let is_done = |entry: &&Entry<'_>| entry.is(KEY) && pull_secrets::is_for_registry(outline, entry);
    has("apiVersion")
        && has("metadata")
        && !keys.iter().any(is_done)
        && (keys.iter().all(is_known) || kind.value.starts_with('*') && !has("spec"))
}
