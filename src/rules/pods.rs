//! Pods and custom resources that run images without the credentials of a ServiceAccount.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::accounts::{Accounts, Presence};
use super::holder::{Holder, complete, has_list, is_script, is_text, require_balance};
use super::rule::Proposals;
use crate::chart::Chart;
use crate::context::{KEY, REGISTRY};
use crate::finding::{Finding, Id, Location};
use crate::kinds::WORKLOADS;
use crate::options::Options;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;
use crate::text::pattern;

/// The conditional `imagePullSecrets` of pods that have no ServiceAccount, or a list of their own, which hides that
/// of their account. Pods that a script makes at run time are out of reach and warned about.
pub(super) fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let accounts = Accounts::of(chart);
    for outline in &chart.outlines {
        if is_script(chart, outline) {
            report_script(chart, outline, proposals);
            continue;
        }
        require_balance(outline)?;
        for containers in outline.named("containers") {
            look_at(chart, outline, &accounts, containers, proposals)?;
        }
        for (start, text) in &outline.unread {
            let is_read = || outline.entry_at(*start).is_some_and(|entry| entry.is("containers"));
            if CONTAINERS.is_match(text.as_bytes()) && !is_read() && !text.contains(REGISTRY) {
                unclear(outline.location(*start), proposals);
            }
        }
        let keys = outline.entries.iter().filter(|entry| matches!(entry.key, Key::Name(_)));
        let with_keys: HashSet<usize> = keys.map(|entry| entry.document).collect();
        let is_alone = |entry: &&Entry<'_>| !with_keys.contains(&entry.document);
        let printed = outline.entries.iter().filter(is_alone);
        for printed in printed.filter(|entry| prints_objects(chart, outline, entry)) {
            let what = "prints objects that stand elsewhere: pods and ServiceAccounts among them get no credentials from here";
            let fix = "see to their credentials where they stand";
            let location = outline.location(printed.start);
            proposals.report(Finding::warning(Id::UnclearPod, location, what, fix));
        }
        for kind in outline.named("kind").filter(|kind| lacks_containers(chart, outline, kind)) {
            unclear(outline.location(kind.start), proposals);
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

/// Looks at the pod with these containers.
fn look_at<'o>(
    chart: &'o Chart<'o>,
    outline: &'o Outline<'o>,
    accounts: &Accounts<'o>,
    containers: &'o Entry<'o>,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let spec = outline.parent(containers).filter(|spec| spec.is("spec") && spec.is_open());
    let pod = pod(outline, containers, spec);
    let location = || outline.location(containers.start);
    if is_text(chart, outline, pod.scope) {
        if has_image(outline, containers) {
            let what = "is a text to Helm: nothing is put into it for the pod that is made of it";
            let fix = "see to the credentials of that pod by hand; a static pod can use no Secret at all";
            proposals.report(Finding::warning(Id::UnclearPod, location(), what, fix));
        }
        return Ok(());
    }
    let (kinds, path) = owner(outline, containers);
    let is_of = |kind: &str| kinds.contains(&Some(kind));
    if is_of("CustomResourceDefinition") {
        return Ok(());
    }
    let account = account(outline, &pod);
    let presence = account.map(|account| accounts.presence(outline, account));
    // A list of the pod's own hides that of its account.
    let is_hidden = has_list(chart, outline, &pod);
    match (&presence, account) {
        (Some(Presence::Sure), _) if !is_hidden => return Ok(()),
        (Some(Presence::Unclear(why)), Some(account)) if !is_hidden => {
            let what =
                format!("this ServiceAccount may not be there, or not name the registry's Secret: {why}");
            let fix = "make it in the chart, or give the pod imagePullSecrets by hand";
            let location = outline.location(account.start);
            proposals.report(Finding::warning(Id::UnclearAccount, location, what, fix));
            return Ok(());
        }
        _ => {}
    }
    let edit = complete(chart, outline, &pod);
    let is_workload =
        WORKLOADS.iter().any(|kind| is_of(kind)) || path.ends_with(&["spec", "template", "spec"]);
    if !matches!(edit, Ok(None)) && (!is_workload || spec.is_none()) {
        if is_workload || has_image(outline, containers) {
            unclear(location(), proposals);
        }
        return Ok(());
    }
    let Some(edit) = edit? else { return Ok(()) };
    let what = match presence {
        Some(Presence::Missing) => {
            "this pod's ServiceAccount is none that the chart makes: it has no credentials to pull with"
        }
        Some(_) => {
            "this pod's imagePullSecrets, which hide those of its ServiceAccount, do not name the registry's Secret"
        }
        None => "this pod has no ServiceAccount and no credentials to pull with",
    };
    let finding = Finding::error(Id::BarePod, location(), what, "`apply` adds them");
    proposals.edit(chart, outline.path, edit, finding);
    Ok(())
}

/// A pod, or something like one, by its containers and what they are in, where that is a pod's `spec:`.
fn pod<'o>(outline: &'o Outline<'o>, containers: &'o Entry<'o>, spec: Option<&Entry<'_>>) -> Holder<'o> {
    let (at, scope) = spec.map_or((0, containers.scope), |spec| (spec.line_end, spec.scope));
    let keys = outline.siblings(containers);
    Holder { what: "a pod", found: containers, keys, column: containers.column, scope, at }
}

/// The name of the account that a pod has in any case.
fn account<'o>(outline: &Outline<'_>, pod: &Holder<'o>) -> Option<&'o Entry<'o>> {
    pod.keys.iter().copied().find(|entry| {
        (entry.is("serviceAccountName") || entry.is("serviceAccount"))
            && !matches!(entry.scalar(), Some("" | "default" | "null" | "~"))
            && outline.actions.is_in(pod.found.scope, entry.scope)
    })
}

/// Whether there is an image in containers, or may be.
fn has_image(outline: &Outline<'_>, containers: &Entry<'_>) -> bool {
    let is_image = |entry: &Entry<'_>| entry.is("image") || entry.key == Key::Printed;
    containers.value.contains(['{', '[']) || outline.inside(containers).iter().any(is_image)
}

/// The kinds of the object that a pod is in, `None` for one that is not known; and the keys from there to its own.
fn owner<'o>(outline: &'o Outline<'o>, containers: &Entry<'_>) -> (Vec<Option<&'o str>>, Vec<&'o str>) {
    let (mut kinds, mut path) = (Vec::new(), Vec::new());
    let mut above = outline.parent(containers);
    while let Some(entry) = above.filter(|_| kinds.is_empty()) {
        if let Key::Name(name) = entry.key {
            path.insert(0, name);
        }
        kinds = outline.kinds_beside(entry).filter(|kind| !kind.is_open()).map(Entry::scalar).collect();
        above = outline.parent(entry);
    }
    (kinds, path)
}

/// Warns of pods that a script makes: their YAML is a text to it.
fn report_script(chart: &Chart<'_>, outline: &Outline<'_>, proposals: &mut Proposals) {
    for containers in outline.named("containers") {
        let pod = pod(outline, containers, None);
        if account(outline, &pod).is_none() && !has_list(chart, outline, &pod) {
            let what = "a script makes this pod at run time: it gets no credentials from here";
            let fix = "give it imagePullSecrets in the script";
            let location = outline.location(containers.start);
            proposals.report(Finding::warning(Id::ScriptPod, location, what, fix));
        }
    }
}

/// Whether an object of this kind is a workload whose containers are nowhere to be seen: they come from the values or
/// from elsewhere.
fn lacks_containers(chart: &Chart<'_>, outline: &Outline<'_>, kind: &Entry<'_>) -> bool {
    let is_workload = kind.scalar().map(|kind| WORKLOADS.contains(&kind));
    if is_workload == Some(false) || !outline.siblings(kind).iter().any(|entry| entry.is("apiVersion")) {
        return false;
    }
    let inside = outline.object(kind);
    let has = |key: &str| inside.iter().any(|entry| entry.is(key));
    // What has neither is a reference to an object, as that of an autoscaler is.
    let is_object = has("template") || is_workload.is_some() && has("spec");
    let is_read = || {
        has("containers")
            || has(KEY)
            || inside.iter().any(|entry| chart.context.containers.are_on(outline, entry))
    };
    is_object && !is_read()
}

/// Whether a line, in a document of its own, prints whole objects from the values or from a file.
fn prints_objects(chart: &Chart<'_>, outline: &Outline<'_>, entry: &Entry<'_>) -> bool {
    const PRINTERS: [&str; 5] = ["toYaml", "toJson", "tpl ", "fromYaml", ".Files.Get"];
    entry.key == Key::Printed
        && entry.parent.is_none()
        && PRINTERS.iter().any(|printer| entry.value.contains(printer))
        && outline.actions.name(entry.scope).is_none()
        && !is_text(chart, outline, entry.scope)
}
