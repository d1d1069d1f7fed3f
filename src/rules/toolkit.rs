//! helm-toolkit: the function that makes the Secret, and the ServiceAccount of nearly every pod.

use super::pull_secrets::{self, Existing};
use super::rule::{Proposals, Rule};
use super::workloads::end_of_metadata;
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template;
use crate::text::position;

/// `helm-toolkit.manifests.secret_registry` in a file of its own, unless some file defines it already.
pub(super) const FUNCTION: Rule =
    Rule { name: "toolkit function", role: Role::Toolkit, is_required: true, run: function };

/// The conditional `imagePullSecrets` behind the account's metadata. In all 13 versions of the
/// snippet since 2017 these are name and namespace; a fork may have labels below them.
/// The forms that upstream patched in (two nested conditions in 2022, `dig` in 2026) stay.
pub(super) const SERVICE_ACCOUNT: Rule =
    Rule { name: "toolkit ServiceAccount", role: Role::Toolkit, is_required: true, run: service_account };

/// The function as it goes into the toolkit.
const TEXT: &str = include_str!("../../templates/helm-toolkit/secret-registry.yaml.tpl");

const FILE: &str = "templates/manifests/_secret-registry.yaml.tpl";

fn function(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    require(chart, "helm-toolkit.endpoints.endpoint_host_lookup", "which the Secret needs")?;
    if defining(chart, "helm-toolkit.manifests.secret_registry").is_some() {
        return Ok(());
    }
    let path = chart.path(FILE);
    if chart.template(&path).is_some() || chart.unread(&path).is_some() {
        let what = "is there, but does not define helm-toolkit.manifests.secret_registry";
        let fix = "move it away, or add the function by hand";
        return Err(Finding::refused(Id::ToolkitFileTaken, Location::file(path), what, fix));
    }
    let what = "the function that makes the Secret is missing: helm-toolkit.manifests.secret_registry";
    let finding = Finding::error(Id::MissingToolkitFunction, Location::file(path), what, "`apply` adds it");
    proposals.write(chart, FILE, TEXT, finding);
    Ok(())
}

/// The template that defines `function`.
fn defining<'a>(chart: &Chart<'a>, function: &str) -> Option<&'a Source> {
    let definition = format!("define \"{function}\"");
    let defines =
        |source: &&Source| memchr::memmem::find(source.text.as_bytes(), definition.as_bytes()).is_some();
    chart.templates.iter().find(defines)
}

/// The template that defines `function`, which helm-toolkit has since July 2018.
fn require<'a>(chart: &Chart<'a>, function: &str, use_of_it: &str) -> Result<&'a Source, Finding> {
    defining(chart, function).ok_or_else(|| {
        let what = format!("this helm-toolkit does not define {function}, {use_of_it}");
        let location = Location::file(chart.path("templates"));
        Finding::refused(Id::ToolkitTooOld, location, what, "take a helm-toolkit of July 2018 or later")
    })
}

fn service_account(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    const BY_HAND: &str = "add imagePullSecrets to it by hand";
    const SNIPPET: &str = "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount";
    let source = require(chart, SNIPPET, "through which pods get their credentials")?;
    let text = template::without_comments(&source.text);
    let lines = template::lines(&text);
    let mut accounts =
        lines.iter().enumerate().filter(|(_, line)| line.value(0, "kind") == Some("ServiceAccount"));
    let (Some((at, line)), None) = (accounts.next(), accounts.next()) else {
        let what = "does not hold exactly one ServiceAccount";
        return Err(Finding::refused(Id::ToolkitAccounts, Location::file(&source.path), what, BY_HAND));
    };
    let location = Location::at(&source.path, position(&source.text, line.start));
    let refuse = |id, what: &str| Finding::refused(id, location.clone(), what, BY_HAND);
    let root = template::root_variable(&text, line.start).ok_or_else(|| {
        refuse(Id::NoRootVariable, "the ServiceAccount has no $envAll to find the values by")
    })?;
    let scope = template::document(&lines, at);
    let edit = match pull_secrets::existing(&source.text, &lines, scope.clone(), 0, root) {
        Existing::Ours => return Ok(()),
        Existing::Others(edit) => edit,
        Existing::Unclear => {
            let what = "the ServiceAccount's imagePullSecrets are no plain list";
            return Err(refuse(Id::UnclearPullSecrets, what));
        }
        Existing::Nothing => {
            let [metadata, name, namespace] = lines.get(at + 1..at + 4).unwrap_or_default() else {
                return Err(refuse(Id::UnclearMetadata, "the ServiceAccount ends before its metadata"));
            };
            let is_usual = metadata.value(0, "metadata") == Some("")
                && name.value(2, "name").is_some()
                && namespace.value(2, "namespace").is_some();
            if !is_usual {
                let what = "the ServiceAccount is not followed by metadata, name and namespace";
                return Err(refuse(Id::UnclearMetadata, what));
            }
            let end = lines.get(scope).and_then(end_of_metadata).ok_or_else(|| {
                refuse(Id::UnclearMetadata, "the ServiceAccount's metadata could not be made out")
            })?;
            pull_secrets::list(&source.text, end, root, 0)
        }
    };
    let what = "the ServiceAccount of nearly every pod names no Secret of the registry to pull with";
    let finding = Finding::error(Id::BareToolkitServiceAccount, location.clone(), what, "`apply` adds it");
    proposals.edit(chart, &source.path, edit, finding);
    Ok(())
}
