//! Pods without a ServiceAccount of their own, which would pull with no credentials.

use std::ops::Range;
use std::path::Path;

use memchr::memmem::Finder;

use super::pull_secrets::{self, Existing};
use super::{Proposals, Rule, hits, position};
use crate::chart::{Chart, Role, Source};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::template::{self, Line, Word};

/// The conditional `imagePullSecrets` in front of `containers:`. Pods that a script makes at run
/// time are out of reach and warned about.
pub(super) struct Pods;

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

impl Rule for Pods {
    fn name(&self) -> &'static str {
        "pods without ServiceAccount"
    }

    fn role(&self) -> Role {
        Role::Application
    }

    fn is_for_all(&self) -> bool {
        false
    }

    fn propose(&self, chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        for source in chart.templates {
            let pods = hits(source, &CONTAINERS)?;
            if pods.iter().any(|at| !has_account_above(&source.text, *at)) {
                look_into(source, proposals)?;
            }
        }
        Ok(())
    }
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

fn look_into(source: &Source, proposals: &mut Proposals) -> Result<(), Refusal> {
    let text = template::without_comments(&source.text);
    let lines = template::lines(&text);
    for at in template::lines_with(&lines, &text, &CONTAINERS) {
        let Some(line) = lines.get(at) else { break };
        let indent = line.indent;
        if indent == 0 || line.value(indent, "containers") != Some("") {
            continue;
        }
        let Some(pod) = pod_spec(&lines, at) else { continue };
        let has_account =
            lines.get(pod.clone()).unwrap_or_default().iter().any(|line| names_account(line, indent));
        let document = template::document(&lines, at);
        let kind = lines.get(document).unwrap_or_default().iter().find_map(|line| line.value(0, "kind"));
        let place = || Place::at(&source.path, position(&source.text, line.start + indent));
        match kind {
            _ if has_account => continue,
            Some(kind) if !WORKLOADS.contains(&kind) => continue,
            _ if is_script(&source.path) => {
                let what = "a script makes this pod at run time: it gets no credentials from here";
                let fix = "give it imagePullSecrets in the script";
                proposals.find(Finding::warning(FindingId::ScriptPod, place(), what, fix));
                continue;
            }
            None => {
                let what = "looks like a pod without a ServiceAccount, of no kind that could be told";
                let fix = "see to its credentials by hand";
                proposals.find(Finding::warning(FindingId::UnclearPod, place(), what, fix));
                continue;
            }
            Some(_) => {}
        }
        let refusal = |reason, what: &str| {
            Refusal::new(reason, place(), format!("a pod {what}"), "add imagePullSecrets to it by hand")
        };
        let root = template::root_variable(&text, line.start).ok_or_else(|| {
            refusal(Reason::NoRootVariable, "in a `define` that has no $envAll to find the values by")
        })?;
        let edit = match pull_secrets::existing(&source.text, &lines, pod, indent, root) {
            Existing::Done => continue,
            Existing::Others(edit) => edit,
            Existing::Unclear => {
                return Err(refusal(Reason::UnclearPullSecrets, "whose imagePullSecrets are no plain list"));
            }
            Existing::None => pull_secrets::list(&source.text, line.start, root, indent),
        };
        let what = "this pod has no ServiceAccount and no credentials to pull with";
        let finding = Finding::error(FindingId::BarePod, place(), what, "`apply` adds them");
        proposals.edit(&source.path, edit, finding);
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

/// Whether a template becomes a script that runs in a container.
fn is_script(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.components().any(|component| component.as_os_str() == "bin")
        || [".sh", ".sh.tpl", ".py", ".py.tpl"].iter().any(|ending| name.ends_with(ending))
}
