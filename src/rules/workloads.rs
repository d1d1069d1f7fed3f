//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet, and pods without a
//! ServiceAccount of their own, which would pull with no credentials.

use std::collections::HashSet;
use std::path::Path;

use super::objects::{Outcome, Pod, Template};
use super::pull_secrets::KEY;
use super::rule::{Proposals, Rule};
use super::toolkit::{LIST_SNIPPET, SNIPPET};
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template::actions::Scope;
use crate::template::outline::Outline;

/// The conditional `imagePullSecrets` of ServiceAccounts.
pub(super) const SERVICE_ACCOUNTS: Rule =
    Rule { name: "own ServiceAccounts", role: Role::Application, is_required: false, run: service_accounts };

/// The same in helm-toolkit, but for the account of its snippet.
pub(super) const TOOLKIT_SERVICE_ACCOUNTS: Rule = Rule {
    name: "toolkit's other ServiceAccounts",
    role: Role::Toolkit,
    is_required: false,
    run: service_accounts,
};

/// The conditional `imagePullSecrets` of pods that have no ServiceAccount, or a list of their own, which hides that
/// of their account. Pods that a script makes at run time are out of reach and warned about.
pub(super) const PODS: Rule =
    Rule { name: "pods without ServiceAccount", role: Role::Application, is_required: false, run: pods };

/// The same in helm-toolkit.
pub(super) const TOOLKIT_PODS: Rule = Rule {
    name: "toolkit's pods without ServiceAccount",
    role: Role::Toolkit,
    is_required: false,
    run: pods,
};

/// The defines that print imagePullSecrets without a condition of the registry.
fn defines_with_list(chart: &Chart<'_>) -> HashSet<String> {
    let mut names = HashSet::new();
    for (_, outline) in &chart.outlines {
        for list in outline.entries.iter().filter(|entry| entry.is(KEY) && entry.parent.is_none()) {
            let define = outline.actions.define(list.scope);
            let is_object =
                outline.entries.iter().any(|other| other.is("kind") && other.document == list.document);
            let name = define.and_then(|define| outline.actions.name(define));
            // What that one prints is the toolkit's own affair: see toolkit.rs.
            if let Some(name) = name.filter(|name| !is_object && *name != LIST_SNIPPET) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// Whether Helm does not render what stands here: a file that others take in as a text, and no define.
fn is_text(source: &Source, outline: &Outline<'_>, scope: Scope) -> bool {
    let name = source.path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b"_") && outline.actions.define(scope).is_none()
}

fn service_accounts(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let lists = defines_with_list(chart);
    for (source, outline) in &chart.outlines {
        let template = Template { path: &source.path, outline, lists: &lists };
        template.require_balance()?;
        for account in template.accounts() {
            let define = outline.actions.define(account.scope);
            let is_snippet = define.and_then(|define| outline.actions.name(define)) == Some(SNIPPET);
            if is_snippet && chart.metadata.role() == Role::Toolkit || is_text(source, outline, account.scope)
            {
                continue;
            }
            match template.complete(&account) {
                Outcome::Done => {}
                Outcome::Edit(edit) => {
                    let what = "this ServiceAccount names no Secret of the registry to pull with";
                    let location = template.location(account.found);
                    let finding = Finding::error(Id::BareServiceAccount, location, what, "`apply` adds it");
                    proposals.edit(chart, &source.path, edit, finding);
                }
                Outcome::Refused(refusal) => return Err(refusal),
            }
        }
        for unread in &outline.unread {
            if ["ServiceAccount", "metadata"].iter().all(|word| unread.text.contains(word)) {
                let what = "looks like a ServiceAccount, written in a way that is not read";
                let fix = "write it in lines, or add imagePullSecrets to it by hand";
                let location = template.location_at(unread.start);
                proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
            }
        }
    }
    Ok(())
}

/// Kinds that hold a pod or the template of one. Others may do so too: see [`look_at`].
const WORKLOADS: [&str; 11] = [
    "Pod",
    "PodTemplate",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Rollout",
    "DaemonJob",
];

fn pods(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let lists = defines_with_list(chart);
    for (source, outline) in &chart.outlines {
        let template = Template { path: &source.path, outline, lists: &lists };
        if is_script(source.path.strip_prefix(chart.dir).unwrap_or(&source.path)) {
            report_script(&template, proposals);
            continue;
        }
        template.require_balance()?;
        for pod in template.pods() {
            if is_text(source, outline, pod.object.scope) {
                let what =
                    "is a text that others take in: a pod that is made of it gets no credentials from here";
                let fix = "see to its credentials by hand; a static pod can use no Secret at all";
                let location = template.location(pod.object.found);
                proposals.report(Finding::warning(Id::UnclearPod, location, what, fix));
            } else {
                look_at(chart, &template, &pod, proposals)?;
            }
        }
        for unread in outline.unread.iter().filter(|unread| unread.text.contains("containers")) {
            unclear(template.location_at(unread.start), proposals);
        }
    }
    Ok(())
}

fn unclear(location: Location, proposals: &mut Proposals) {
    let what = "looks like a pod without a ServiceAccount, written in a way that is not read";
    proposals.report(Finding::warning(Id::UnclearPod, location, what, "see to its credentials by hand"));
}

fn look_at(
    chart: &Chart<'_>,
    template: &Template<'_>,
    pod: &Pod<'_>,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let object = &pod.object;
    let location = template.location(object.found);
    let account = pod.account(template.outline);
    let is_of = |kind: &str| pod.kinds.contains(&Some(kind));
    if is_of("CustomResourceDefinition") {
        return Ok(());
    }
    let is_workload =
        WORKLOADS.iter().any(|kind| is_of(kind)) || pod.path.ends_with(&["spec", "template", "spec"]);
    let outcome = template.complete(object);
    if account.is_some() && !template.has_list(object) || matches!(outcome, Outcome::Done) {
        return Ok(());
    }
    if !is_workload || !pod.has_spec {
        unclear(location, proposals);
        return Ok(());
    }
    match outcome {
        Outcome::Done => {}
        Outcome::Edit(edit) => {
            let what = match account {
                Some(_) => {
                    "this pod's imagePullSecrets, which hide those of its ServiceAccount, do not name the registry's Secret"
                }
                None => "this pod has no ServiceAccount and no credentials to pull with",
            };
            let finding = Finding::error(Id::BarePod, location, what, "`apply` adds them");
            proposals.edit(chart, template.path, edit, finding);
        }
        Outcome::Refused(refusal) => return Err(refusal),
    }
    Ok(())
}

/// Warns of pods that a script makes: their YAML is a text to it.
fn report_script(template: &Template<'_>, proposals: &mut Proposals) {
    for pod in template.pods() {
        if pod.account(template.outline).is_none() && !template.has_list(&pod.object) {
            let what = "a script makes this pod at run time: it gets no credentials from here";
            let fix = "give it imagePullSecrets in the script";
            let location = template.location(pod.object.found);
            proposals.report(Finding::warning(Id::ScriptPod, location, what, fix));
        }
    }
}

/// Whether a template of the chart becomes a script that runs in a container.
fn is_script(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.components().any(|component| component.as_os_str() == "bin")
        || [".sh", ".sh.tpl", ".py", ".py.tpl"].iter().any(|ending| name.ends_with(ending))
}
