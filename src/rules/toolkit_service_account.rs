//! The ServiceAccount that helm-toolkit makes for nearly every pod.

use super::pull_secrets::{self, Existing};
use super::service_accounts::end_of_metadata;
use super::{Proposals, Rule, position};
use crate::chart::{Chart, Role};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::template;

/// The conditional `imagePullSecrets` behind the account's metadata. In all 13 versions of the
/// snippet since 2017 these are name and namespace; a fork may have labels below them.
/// The forms that upstream patched in (two nested conditions in 2022, `dig` in 2026) stay.
pub(super) struct ToolkitServiceAccount;

const SNIPPET: &str = "define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\"";

impl Rule for ToolkitServiceAccount {
    fn name(&self) -> &'static str {
        "toolkit ServiceAccount"
    }

    fn role(&self) -> Role {
        Role::Toolkit
    }

    fn propose(&self, chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        const BY_HAND: &str = "add imagePullSecrets to it by hand";
        let is_snippet = |text: &str| memchr::memmem::find(text.as_bytes(), SNIPPET.as_bytes()).is_some();
        let Some(source) = chart.templates.iter().find(|source| is_snippet(&source.text)) else {
            return Err(Refusal::new(
                Reason::ToolkitTooOld,
                Place::file("templates"),
                "this helm-toolkit does not define helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount, through which pods get their credentials",
                "take a helm-toolkit of July 2018 or later",
            ));
        };
        let text = template::without_comments(&source.text);
        let lines = template::lines(&text);
        let mut accounts =
            lines.iter().enumerate().filter(|(_, line)| line.value(0, "kind") == Some("ServiceAccount"));
        let (Some((at, line)), None) = (accounts.next(), accounts.next()) else {
            return Err(Refusal::new(
                Reason::ToolkitAccounts,
                Place::file(&source.path),
                "does not hold exactly one ServiceAccount",
                BY_HAND,
            ));
        };
        let refusal = |reason, what: &str| {
            Refusal::new(reason, Place::at(&source.path, position(&source.text, line.start)), what, BY_HAND)
        };
        let root = template::root_variable(&text, line.start).ok_or_else(|| {
            refusal(Reason::NoRootVariable, "the ServiceAccount has no $envAll to find the values by")
        })?;
        let scope = template::document(&lines, at);
        let edit = match pull_secrets::existing(&source.text, &lines, scope.clone(), 0, root) {
            Existing::Done => return Ok(()),
            Existing::Others(edit) => edit,
            Existing::Unclear => {
                return Err(refusal(
                    Reason::UnclearPullSecrets,
                    "the ServiceAccount's imagePullSecrets are no plain list",
                ));
            }
            Existing::None => {
                let below = lines.get(at + 1..at + 4).unwrap_or_default();
                let [metadata, name, namespace] = below else {
                    return Err(refusal(
                        Reason::UnclearMetadata,
                        "the ServiceAccount ends before its metadata",
                    ));
                };
                let is_usual = metadata.value(0, "metadata") == Some("")
                    && name.value(2, "name").is_some()
                    && namespace.value(2, "namespace").is_some();
                if !is_usual {
                    return Err(refusal(
                        Reason::UnclearMetadata,
                        "the ServiceAccount is not followed by metadata, name and namespace",
                    ));
                }
                let end = lines.get(scope).and_then(end_of_metadata).ok_or_else(|| {
                    refusal(Reason::UnclearMetadata, "the ServiceAccount's metadata could not be made out")
                })?;
                pull_secrets::list(&source.text, end, root, 0)
            }
        };
        let place = Place::at(&source.path, position(&source.text, line.start));
        let what = "the ServiceAccount of nearly every pod names no Secret of the registry to pull with";
        let finding = Finding::error(FindingId::BareToolkitServiceAccount, place, what, "`apply` adds it");
        proposals.edit(&source.path, edit, finding);
        Ok(())
    }
}
