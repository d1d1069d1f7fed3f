//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::objects::{Outcome, Template};
use super::pull_secrets;
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::context::{REGISTRY, SNIPPET};
use crate::finding::{Finding, Id};
use crate::metadata::Role;
use crate::options::Options;
use crate::template::entry::{Entry, Key};
use crate::text::pattern;

/// The conditional `imagePullSecrets` of ServiceAccounts.
pub(super) const RULE: Rule =
    Rule { name: "own ServiceAccounts", role: Role::Application, is_required: false, run };

/// The same in helm-toolkit, but for the account of its snippet.
pub(super) const OF_TOOLKIT: Rule =
    Rule { name: "toolkit's other ServiceAccounts", role: Role::Toolkit, is_required: false, run };

/// The kind of an account in a flow collection, and of what names one.
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"kind["']?\s*:\s*["']?ServiceAccount"#));
static BINDING: LazyLock<Regex> = LazyLock::new(|| pattern("RoleBinding|subjects"));

fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let templates = Template::all(chart);
    for template in templates.iter().filter(|template| !template.is_script(chart.dir)) {
        template.require_balance()?;
        for account in template.accounts() {
            let is_snippet = template.define(account.scope) == Some(SNIPPET);
            if is_snippet && chart.metadata.role() == Role::Toolkit {
                continue;
            }
            if template.is_text(account.scope) {
                let what = "is a text that others take in: an account that is made of it names no Secret to pull with";
                let fix = "add imagePullSecrets to it by hand";
                let location = template.location(account.found);
                proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
                continue;
            }
            match template.complete(&account) {
                Outcome::Done => {}
                Outcome::Edit(edit) => {
                    let what = "this ServiceAccount names no Secret of the registry to pull with";
                    let location = template.location(account.found);
                    let finding = Finding::error(Id::BareServiceAccount, location, what, "`apply` adds it");
                    proposals.edit(chart, template.path, edit, finding);
                }
                Outcome::Refused(refusal) => return Err(refusal),
            }
        }
        for kind in template.unclear_accounts() {
            let what = "an object of a kind that is not read: if it is a ServiceAccount, it names no Secret to pull with";
            let fix = "write `kind: ServiceAccount`, or add imagePullSecrets to it by hand";
            proposals.report(Finding::warning(Id::UnclearAccount, template.location(kind), what, fix));
        }
        for unread in &template.outline.unread {
            let text = unread.text.as_bytes();
            let is_done = || unread.text.contains(REGISTRY);
            if ACCOUNT.is_match(text) && !BINDING.is_match(text) && !is_done() {
                let what = "looks like a ServiceAccount, written in a way that is not read";
                let fix = "write it in lines, or add imagePullSecrets to it by hand";
                let location = template.location_at(unread.start);
                proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
            }
        }
    }
    Ok(())
}

impl<'o> Template<'o> {
    /// The kinds of objects that may be accounts, since they have nothing but metadata, and whose kind is not read.
    fn unclear_accounts(&self) -> Vec<&'o Entry<'o>> {
        const KEYS: [&str; 6] =
            ["apiVersion", "kind", "metadata", "imagePullSecrets", "secrets", "automountServiceAccountToken"];
        let kinds = self.outline.entries.iter().enumerate().filter(|(_, entry)| entry.is("kind"));
        let is_unclear = |(index, kind): &(usize, &'o Entry<'o>)| {
            if kind.scalar().is_some_and(|kind| !kind.is_empty()) {
                return false;
            }
            let keys = self.keys(*index, kind);
            let has = |key: &str| keys.iter().any(|(_, entry)| entry.is(key));
            let is_known = |entry: &Entry<'_>| match entry.key {
                Key::Name(name) => KEYS.contains(&name),
                _ => true,
            };
            has("apiVersion")
                && has("metadata")
                && !keys.iter().any(|(_, entry)| pull_secrets::is_done(self.outline, entry))
                && (keys.iter().all(|(_, entry)| is_known(entry))
                    || kind.value.starts_with('*') && !has("spec"))
        };
        kinds.filter(is_unclear).map(|(_, kind)| kind).collect()
    }
}
