//! Pods and custom resources that run images without the credentials of a ServiceAccount.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::accounts::{Accounts, Presence};
use super::objects::{Outcome, Pod, Template};
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::context::{KEY, REGISTRY};
use crate::finding::{Finding, Id, Location};
use crate::kinds::WORKLOADS;
use crate::metadata::Role;
use crate::options::Options;
use crate::template::entry::{Entry, Key, Unread};
use crate::text::pattern;

/// The conditional `imagePullSecrets` of pods that have no ServiceAccount, or a list of their own, which hides that
/// of their account. Pods that a script makes at run time are out of reach and warned about.
pub(super) const RULE: Rule =
    Rule { name: "pods without ServiceAccount", role: Role::Application, is_required: false, run };

/// The same in helm-toolkit.
pub(super) const OF_TOOLKIT: Rule =
    Rule { name: "toolkit's pods without ServiceAccount", role: Role::Toolkit, is_required: false, run };

fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let templates = Template::all(chart);
    let accounts = Accounts::new(&templates);
    for template in &templates {
        if template.is_script(chart.dir) {
            report_script(template, proposals);
            continue;
        }
        template.require_balance()?;
        for pod in template.pods() {
            if template.is_text(pod.object.scope) {
                if !pod.has_image {
                    continue;
                }
                let what = "is a text to Helm: nothing is put into it for the pod that is made of it";
                let fix = "see to the credentials of that pod by hand; a static pod can use no Secret at all";
                let location = template.location(pod.object.found);
                proposals.report(Finding::warning(Id::UnclearPod, location, what, fix));
            } else {
                look_at(chart, template, &accounts, &pod, proposals)?;
            }
        }
        let is_unread = |unread: &&Unread<'_>| {
            let is_pod = template.outline.entry_at(unread.start).is_some_and(|entry| entry.is("containers"));
            !is_pod && CONTAINERS.is_match(unread.text.as_bytes()) && !unread.text.contains(REGISTRY)
        };
        for unread in template.outline.unread.iter().filter(is_unread) {
            unclear(template.location_at(unread.start), proposals);
        }
        for printed in template.printed_objects() {
            let what = "prints objects that stand elsewhere: pods and ServiceAccounts among them get no credentials from here";
            let fix = "see to their credentials where they stand";
            proposals.report(Finding::warning(Id::UnclearPod, template.location(printed), what, fix));
        }
        for kind in template.kinds_without_containers() {
            unclear(template.location(kind), proposals);
        }
    }
    Ok(())
}

/// A key of a pod, in a flow collection.
static CONTAINERS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\bcontainers["']?\s*:"#));

fn unclear(location: Location, proposals: &mut Proposals) {
    let what = "looks like a pod without a ServiceAccount, written in a way that is not read";
    proposals.report(Finding::warning(Id::UnclearPod, location, what, "see to its credentials by hand"));
}

fn look_at<'o>(
    chart: &Chart<'_>,
    template: &'o Template<'o>,
    accounts: &Accounts<'o>,
    pod: &Pod<'_>,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let object = &pod.object;
    let is_of = |kind: &str| pod.kinds.contains(&Some(kind));
    if is_of("CustomResourceDefinition") {
        return Ok(());
    }
    let account = pod.account(template.outline);
    let presence = account.map(|account| accounts.presence(template, account));
    // A list of the pod's own hides that of its account.
    let is_hidden = template.has_list(object);
    match (&presence, account) {
        (Some(Presence::Sure), _) if !is_hidden => return Ok(()),
        (Some(Presence::Unclear(why)), Some(account)) if !is_hidden => {
            let what =
                format!("this ServiceAccount may not be there, or not name the registry's Secret: {why}");
            let fix = "make it in the chart, or give the pod imagePullSecrets by hand";
            proposals.report(Finding::warning(Id::UnclearAccount, template.location(account), what, fix));
            return Ok(());
        }
        _ => {}
    }
    let outcome = template.complete(object);
    if matches!(outcome, Outcome::Done) {
        return Ok(());
    }
    let is_workload =
        WORKLOADS.iter().any(|kind| is_of(kind)) || pod.path.ends_with(&["spec", "template", "spec"]);
    if !is_workload || !pod.has_spec {
        if is_workload || pod.has_image {
            unclear(template.location(object.found), proposals);
        }
        return Ok(());
    }
    match outcome {
        Outcome::Done => {}
        Outcome::Edit(edit) => {
            let what = match presence {
                Some(Presence::Missing) => {
                    "this pod's ServiceAccount is none that the chart makes: it has no credentials to pull with"
                }
                Some(_) => {
                    "this pod's imagePullSecrets, which hide those of its ServiceAccount, do not name the registry's Secret"
                }
                None => "this pod has no ServiceAccount and no credentials to pull with",
            };
            let location = template.location(object.found);
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

impl<'o> Template<'o> {
    /// The kinds of workloads whose containers are nowhere to be seen: they come from the values or from elsewhere.
    fn kinds_without_containers(&self) -> Vec<&'o Entry<'o>> {
        let kinds = self.outline.entries.iter().enumerate().filter(|(_, entry)| entry.is("kind"));
        let is_bare = |(index, kind): &(usize, &'o Entry<'o>)| {
            let is_workload = kind.scalar().map(|kind| WORKLOADS.contains(&kind));
            if is_workload == Some(false) {
                return false;
            }
            let siblings = self.outline.siblings(*index);
            if !siblings.iter().any(|(_, entry)| entry.is("apiVersion")) {
                return false;
            }
            let inside = self.all_inside(*index, kind);
            let has = |key: &str| inside.iter().any(|(_, entry)| entry.is(key));
            // What has neither is a reference to an object, as that of an autoscaler is.
            let is_object = has("template") || is_workload.is_some() && has("spec");
            let is_read = || {
                has("containers")
                    || has(KEY)
                    || inside.iter().any(|(_, entry)| self.prints(entry, &self.context.containers))
            };
            is_object && !is_read()
        };
        kinds.filter(is_bare).map(|(_, kind)| kind).collect()
    }

    /// The lines that print whole objects from the values or from a file.
    fn printed_objects(&self) -> Vec<&'o Entry<'o>> {
        const PRINTERS: [&str; 5] = ["toYaml", "toJson", "tpl ", "fromYaml", ".Files.Get"];
        let is_printed = |entry: &&'o Entry<'o>| {
            let is_top = entry.key == Key::Printed && entry.parent.is_none();
            let is_printer = || PRINTERS.iter().any(|printer| entry.value.contains(printer));
            let is_rendered = || self.define(entry.scope).is_none() && !self.is_text(entry.scope);
            let is_alone = || {
                let mut document = self.outline.document(entry.document).iter();
                !document.any(|other| matches!(other.key, Key::Name(_)))
            };
            is_top && is_printer() && is_rendered() && is_alone()
        };
        self.outline.entries.iter().filter(is_printed).collect()
    }
}
