//! ServiceAccounts that a chart writes itself, instead of through helm-toolkit's snippet, and pods without a
//! ServiceAccount of their own, which would pull with no credentials.

use std::ops::Range;
use std::path::Path;

use memchr::memmem::Finder;

use super::pull_secrets::{self, Existing};
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template::{self, Line, Word};
use crate::text::position;

/// The conditional `imagePullSecrets` behind the account's metadata. Most hits for
/// `kind: ServiceAccount` are subjects of a role binding, which are indented.
pub(super) const SERVICE_ACCOUNTS: Rule =
    Rule { name: "own ServiceAccounts", role: Role::Application, is_required: false, run: service_accounts };

/// The conditional `imagePullSecrets` in front of `containers:`. Pods that a script makes at run
/// time are out of reach and warned about.
pub(super) const PODS: Rule =
    Rule { name: "pods without ServiceAccount", role: Role::Application, is_required: false, run: pods };

/// How often a word that rules look for may stand in a template: each time it does, much of the
/// template is looked at. In OpenStack-Helm it is five times at most.
const MAX_HITS: usize = 200;

/// Byte offsets of `word` in a template.
///
/// # Errors
/// A refusal where there are more than [`MAX_HITS`].
fn hits(source: &Source, word: &Finder<'_>) -> Result<Vec<usize>, Finding> {
    let hits: Vec<usize> = word.find_iter(source.text.as_bytes()).take(MAX_HITS + 1).collect();
    let Some(hit) = hits.get(MAX_HITS) else { return Ok(hits) };
    let word = word.needle().trim_ascii().escape_ascii();
    let location = Location::at(&source.path, position(&source.text, *hit));
    let what = format!("`{word}` stands here more often than {MAX_HITS} times");
    Err(Finding::refused(Id::TooMany, location, what, "split the template"))
}

const BY_HAND: &str = "add imagePullSecrets to it by hand";

/// What ServiceAccounts are found by.
static ACCOUNT: Word = Word::new(|| Finder::new("ServiceAccount"));

fn service_accounts(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for source in chart.templates {
        for (location, edit) in account_edits(source)? {
            let what = "this ServiceAccount names no Secret of the registry to pull with";
            let finding = Finding::error(Id::BareServiceAccount, location, what, "`apply` adds it");
            proposals.edit(chart, &source.path, edit, finding);
        }
    }
    Ok(())
}

/// What the ServiceAccounts in a template lack, and where they are.
fn account_edits(source: &Source) -> Result<Vec<(Location, Edit)>, Finding> {
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
        let location = Location::at(&source.path, position(&source.text, line.start));
        let refuse = |id, what: &str| {
            Finding::refused(id, location.clone(), format!("a ServiceAccount {what}"), BY_HAND)
        };
        let scope = template::document(&lines, at);
        let root = template::root_variable(&text, line.start).ok_or_else(|| {
            refuse(Id::NoRootVariable, "in a `define` that has no $envAll to find the values by")
        })?;
        let existing = pull_secrets::existing(&source.text, &lines, scope.clone(), 0, root);
        let is_alone = lines.get(scope.clone()).and_then(|document| only(document, "kind")).is_some();
        match existing {
            Existing::Ours => {}
            // In two branches of a condition, say: which lines belong to which cannot be told.
            _ if !is_alone => {
                return Err(refuse(Id::UnclearMetadata, "that shares its document with another object"));
            }
            Existing::Others(edit) => edits.push((location.clone(), edit)),
            Existing::Unclear => {
                return Err(refuse(Id::UnclearPullSecrets, "whose imagePullSecrets are no plain list"));
            }
            Existing::Nothing => {
                let end = lines.get(scope).and_then(end_of_metadata);
                let end =
                    end.ok_or_else(|| refuse(Id::UnclearMetadata, "whose metadata could not be made out"))?;
                edits.push((location.clone(), pull_secrets::list(&source.text, end, root, 0)));
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

/// What a pod is found by; `initContainers:` is no such word.
static CONTAINERS: Word = Word::new(|| Finder::new(" containers:"));

/// Kinds that hold a pod or the template of one.
const WORKLOADS: [&str; 8] = [
    "Pod",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
];

fn pods(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for source in chart.templates {
        let pods = hits(source, &CONTAINERS)?;
        if pods.iter().any(|at| !has_account_above(&source.text, *at)) {
            pods_in(chart, source, proposals)?;
        }
    }
    Ok(())
}

/// Whether a ServiceAccount is named in the lines above the `containers:` behind byte `at`, as it
/// is in nearly every pod: then there is no need to look closer.
fn has_account_above(text: &str, at: usize) -> bool {
    let indent = at + 1 - template::line_start(text, at);
    template::lines_above(text, at)
        .filter(|line| line.indent >= indent || !line.is_silent())
        .take_while(|line| line.indent >= indent)
        .any(|line| names_account(&line, indent))
}

fn names_account(line: &Line<'_>, indent: usize) -> bool {
    ["serviceAccountName", "serviceAccount"].iter().any(|key| line.value(indent, key).is_some())
}

fn pods_in(chart: &Chart<'_>, source: &Source, proposals: &mut Proposals) -> Result<(), Finding> {
    let text = template::without_comments(&source.text);
    let lines = template::lines(&text);
    for at in template::lines_with(&lines, &text, &CONTAINERS) {
        let Some(line) = lines.get(at) else { break };
        let indent = line.indent;
        if indent == 0 || line.value(indent, "containers") != Some("") {
            continue;
        }
        let Some(pod) = pod_spec(&lines, at) else { continue };
        let document = template::document(&lines, at);
        let kind = lines.get(document).unwrap_or_default().iter().find_map(|line| line.value(0, "kind"));
        let has_account =
            lines.get(pod.clone()).unwrap_or_default().iter().any(|line| names_account(line, indent));
        if has_account || kind.is_some_and(|kind| !WORKLOADS.contains(&kind)) {
            continue;
        }
        let location = Location::at(&source.path, position(&source.text, line.start + indent));
        if is_script(source.path.strip_prefix(chart.dir).unwrap_or(&source.path)) {
            let what = "a script makes this pod at run time: it gets no credentials from here";
            let fix = "give it imagePullSecrets in the script";
            proposals.report(Finding::warning(Id::ScriptPod, location, what, fix));
            continue;
        }
        if kind.is_none() {
            let what = "looks like a pod without a ServiceAccount, of no kind that could be told";
            let fix = "see to its credentials by hand";
            proposals.report(Finding::warning(Id::UnclearPod, location, what, fix));
            continue;
        }
        let refuse =
            |id, what: &str| Finding::refused(id, location.clone(), format!("a pod {what}"), BY_HAND);
        let root = template::root_variable(&text, line.start).ok_or_else(|| {
            refuse(Id::NoRootVariable, "in a `define` that has no $envAll to find the values by")
        })?;
        let edit = match pull_secrets::existing(&source.text, &lines, pod, indent, root) {
            Existing::Ours => continue,
            Existing::Others(edit) => edit,
            Existing::Unclear => {
                return Err(refuse(Id::UnclearPullSecrets, "whose imagePullSecrets are no plain list"));
            }
            Existing::Nothing => pull_secrets::list(&source.text, line.start, root, indent),
        };
        let what = "this pod has no ServiceAccount and no credentials to pull with";
        proposals.edit(
            chart,
            &source.path,
            edit,
            Finding::error(Id::BarePod, location, what, "`apply` adds them"),
        );
    }
    Ok(())
}

/// The lines of the pod's spec that the `containers:` of line `at` is in. `None` where it is in
/// something else.
fn pod_spec(lines: &[Line<'_>], at: usize) -> Option<Range<usize>> {
    let indent = lines.get(at)?.indent;
    let is_outside = |line: &Line<'_>| !line.is_silent() && line.indent < indent;
    let above = lines.iter().take(at).rposition(is_outside)?;
    let owner = lines.get(above)?;
    owner.value(owner.indent, "spec")?;
    let below = lines.iter().skip(at).position(is_outside).map_or(lines.len(), |below| at + below);
    Some(above + 1..below)
}

/// Whether a template of the chart becomes a script that runs in a container.
fn is_script(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.components().any(|component| component.as_os_str() == "bin")
        || [".sh", ".sh.tpl", ".py", ".py.tpl"].iter().any(|ending| name.ends_with(ending))
}
