//! helm-toolkit: the function that makes the Secret, and the ServiceAccount of nearly every pod.

use memchr::memmem::Finder;

use super::garbled;
use super::holder::{Holder, complete, require_balance};
use super::pull_secrets;
use super::rule::Proposals;
use super::service_accounts::accounts;
use crate::chart::Chart;
use crate::context::{KEY, LIST_SNIPPET, REGISTRY, SNIPPET};
use crate::finding::{Finding, Id, Location};
use crate::options::Options;
use crate::source::Source;
use crate::template::actions::Actions;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;
use crate::text::position;

/// The function as it goes into the toolkit.
const TEXT: &str = include_str!("../../templates/helm-toolkit/secret-registry.yaml.tpl");

const FILE: &str = "templates/manifests/_secret-registry.yaml.tpl";

/// `helm-toolkit.manifests.secret_registry` in a file of its own, unless some file defines it already.
pub(super) fn function(
    chart: &Chart<'_>,
    options: &Options,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let lookup = "helm-toolkit.endpoints.endpoint_host_lookup";
    if defining(chart, lookup).is_empty() {
        return Err(too_old(chart, lookup, "which the Secret needs"));
    }
    let name = "helm-toolkit.manifests.secret_registry";
    if let [source, others @ ..] = defining(chart, name).as_slice() {
        if !others.is_empty() {
            let what = format!("defines {name}, as another file does: Helm takes this one");
            let fix = "leave one of them";
            proposals.report(Finding::warning(Id::ForeignTemplate, Location::file(&source.path), what, fix));
        }
        let ports = defining(chart, "helm-toolkit.endpoints.endpoint_port_lookup");
        let ports = ports.first().map(|source| source.text.as_str());
        let Some((place, edit)) = garbled::mend(&source.text, name, ports, TEXT) else { return Ok(()) };
        let what = "prints a password without quotes as `%!s(float64=12345)`, and a port from --set as `%!f(int64=5000)`";
        let fix = match (&edit, options.replace_templates) {
            (None, _) => "mend it by hand: it holds more than `--replace-templates` could keep",
            (Some(_), false) => "`--replace-templates` mends it, and keeps its annotations",
            (Some(_), true) => "`apply` mends it, and keeps its annotations",
        };
        let location = Location::at(&source.path, position(&source.text, place));
        let finding = Finding::warning(Id::GarbledNumber, location, what, fix);
        match edit.filter(|_| options.replace_templates) {
            Some(edit) => proposals.edit(chart, &source.path, edit, finding),
            None => proposals.report(finding),
        }
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

/// The templates that define `function`, first the one that Helm takes: the one in the fewest folders, and of several
/// there the first by name.
fn defining<'a>(chart: &Chart<'a>, function: &str) -> Vec<&'a Source> {
    let finder = Finder::new(function);
    let is_defining = |source: &&Source| {
        finder.find(source.text.as_bytes()).is_some()
            && Actions::new(&source.text).defined().any(|name| name == function)
    };
    let mut defining: Vec<&Source> = chart.templates.iter().filter(is_defining).collect();
    defining.sort_by_key(|source| (source.path.components().count(), &source.path));
    defining
}

/// What is read already of the template that defines a snippet.
fn outline_of<'c>(chart: &'c Chart<'_>, snippet: &str) -> Option<&'c Outline<'c>> {
    let source = *defining(chart, snippet).first()?;
    chart.outlines.iter().find(|outline| outline.path == source.path)
}

/// Refuses a toolkit without `function`, which helm-toolkit has since July 2018.
fn too_old(chart: &Chart<'_>, function: &str, use_of_it: &str) -> Finding {
    let what = format!("this helm-toolkit does not define {function}, {use_of_it}");
    let location = Location::file(chart.path("templates"));
    let fix = "define it there; OpenStack-Helm's helm-toolkit has it since July 2018";
    Finding::refused(Id::ToolkitTooOld, location, what, fix)
}

/// The conditional `imagePullSecrets` behind the account's metadata. In all 13 versions of the
/// snippet since 2017 these are name and namespace; a fork may have labels below them.
/// The forms that upstream patched in (two nested conditions in 2022, `dig` in 2026) stay.
pub(super) fn service_account(
    chart: &Chart<'_>,
    _: &Options,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let too_old = || too_old(chart, SNIPPET, "through which pods get their credentials");
    let outline = outline_of(chart, SNIPPET).ok_or_else(too_old)?;
    require_balance(outline)?;
    // Those that other defines make have a rule of their own; what is written otherwise may name the Secret by hand.
    let is_in_snippet = |account: &Holder<'_>| outline.actions.name(account.scope) == Some(SNIPPET);
    let is_anywhere = || chart.outlines.iter().any(|outline| accounts(outline).next().is_some());
    let is_done =
        || outline.actions.all.iter().any(|action| outline.actions.text_of(action).contains(REGISTRY));
    if !accounts(outline).any(|account| is_in_snippet(&account)) && !is_anywhere() && !is_done() {
        let what = "makes no ServiceAccount that can be read";
        let fix = "have it name the registry's Secret by hand, as `index $envAll.Values.secrets.oci_image_registry $envAll.Chart.Name`";
        return Err(Finding::refused(Id::ToolkitAccounts, Location::file(outline.path), what, fix));
    }
    for account in accounts(outline).filter(is_in_snippet) {
        let Some(edit) = complete(chart, outline, &account)? else { continue };
        let location = outline.location(account.found.start);
        let what = "the ServiceAccount of nearly every pod names no Secret of the registry to pull with";
        let finding = Finding::error(Id::BareToolkitServiceAccount, location, what, "`apply` adds it");
        proposals.edit(chart, outline.path, edit, finding);
    }
    Ok(())
}

/// An item for the registry's Secret in the list of [`LIST_SNIPPET`], which hides that of the account.
pub(super) fn list(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let Some(outline) = outline_of(chart, LIST_SNIPPET) else { return Ok(()) };
    require_balance(outline)?;
    let is_in_snippet = |entry: &&Entry<'_>| outline.actions.name(entry.scope) == Some(LIST_SNIPPET);
    let Some(list) = outline.named(KEY).find(is_in_snippet) else { return Ok(()) };
    if outline.children(list).any(|item| pull_secrets::is_for_registry(outline, item)) {
        return Ok(());
    }
    let location = outline.location(list.start);
    let printed = outline.children(list).find(|item| matches!(item.key, Key::Printed | Key::Item));
    let root = outline.root_variable(list.line_end, list.scope);
    let (Some(printed), Some(root), true) = (printed, root, list.is_open()) else {
        let what = "this list is written in a way that takes no item for the registry's Secret";
        let fix = "add the item by hand";
        proposals.report(Finding::warning(Id::BareToolkitList, location, what, fix));
        return Ok(());
    };
    let item = pull_secrets::item(printed.column);
    let edit = pull_secrets::insertion(outline.text, list.line_end, &item, root.variable);
    let what = "this list, which hides that of the ServiceAccount, does not name the registry's Secret";
    let finding = Finding::error(Id::BareToolkitList, location, what, "`apply` adds it");
    proposals.edit(chart, outline.path, edit, finding);
    Ok(())
}
