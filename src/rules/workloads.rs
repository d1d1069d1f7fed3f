//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet, and pods without a
//! ServiceAccount of their own, which would pull with no credentials.

use std::path::Path;

use memchr::memmem::Finder;

use super::objects::{Outcome, Pod, Template};
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template::Word;
use crate::template::outline::Outline;
use crate::text::position;

/// The conditional `imagePullSecrets` of ServiceAccounts.
pub(super) const SERVICE_ACCOUNTS: Rule =
    Rule { name: "own ServiceAccounts", role: Role::Application, is_required: false, run: service_accounts };

/// The conditional `imagePullSecrets` of pods that have no ServiceAccount, or a list of their own, which hides that
/// of their account. Pods that a script makes at run time are out of reach and warned about.
pub(super) const PODS: Rule =
    Rule { name: "pods without ServiceAccount", role: Role::Application, is_required: false, run: pods };

static ACCOUNT: Word = Word::new(|| Finder::new("ServiceAccount"));
static CONTAINERS: Word = Word::new(|| Finder::new("containers"));

/// The templates that Helm renders and in which `word` stands, with their outlines.
fn templates<'c>(
    chart: &'c Chart<'_>,
    word: &'static Word,
) -> impl Iterator<Item = (&'c Source, Outline<'c>)> {
    let has_word = |source: &&Source| word.find(source.text.as_bytes()).is_some();
    let is_text = |source: &&Source| source.path.file_name().is_some_and(|name| name == "NOTES.txt");
    let templates = chart.templates.iter().filter(has_word).filter(move |source| !is_text(source));
    templates.map(|source| (source, Outline::new(&source.text)))
}

fn service_accounts(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for (source, outline) in templates(chart, &ACCOUNT) {
        let template = Template { path: &source.path, outline: &outline };
        for account in template.accounts() {
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
    for (source, outline) in templates(chart, &CONTAINERS) {
        if is_script(source.path.strip_prefix(chart.dir).unwrap_or(&source.path)) {
            report_script(source, proposals);
            continue;
        }
        let template = Template { path: &source.path, outline: &outline };
        for pod in template.pods() {
            look_at(chart, &template, &pod, proposals)?;
        }
    }
    Ok(())
}

fn look_at(
    chart: &Chart<'_>,
    template: &Template<'_>,
    pod: &Pod<'_>,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let object = &pod.object;
    let location = template.location(object.found);
    let has_list = object.keys.iter().any(|(_, entry)| entry.is(super::pull_secrets::KEY));
    if pod.account(template.outline).is_some() && !has_list {
        return Ok(());
    }
    let is_of = |kind: &str| pod.kinds.contains(&Some(kind));
    if is_of("CustomResourceDefinition") {
        return Ok(());
    }
    let is_workload =
        WORKLOADS.iter().any(|kind| is_of(kind)) || pod.path.ends_with(&["spec", "template", "spec"]);
    if !is_workload || !pod.has_spec {
        let what = "looks like a pod without a ServiceAccount, of no kind that could be told";
        let fix = "see to its credentials by hand";
        proposals.report(Finding::warning(Id::UnclearPod, location, what, fix));
        return Ok(());
    }
    match template.complete(object) {
        Outcome::Done => {}
        Outcome::Edit(edit) => {
            let what = "this pod has no ServiceAccount and no credentials to pull with";
            let finding = Finding::error(Id::BarePod, location, what, "`apply` adds them");
            proposals.edit(chart, template.path, edit, finding);
        }
        Outcome::Refused(refusal) => return Err(refusal),
    }
    Ok(())
}

/// Warns of pods that a script makes: their YAML is a text to it.
fn report_script(source: &Source, proposals: &mut Proposals) {
    if source.text.contains("serviceAccount") {
        return;
    }
    for (at, _) in source.text.match_indices("containers:") {
        let line = source.text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        if line.trim().is_empty() {
            let location = Location::at(&source.path, position(&source.text, at));
            let what = "a script makes this pod at run time: it gets no credentials from here";
            let fix = "give it imagePullSecrets in the script";
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
