//! The conditional `imagePullSecrets`, as ServiceAccounts and pods get it.

use std::ops::Range;

use crate::edit::Edit;
use crate::template::{self, Line};

/// The list as it goes into templates; `$envAll` stands for the templates' root.
const LIST: &str = include_str!("../../templates/image-pull-secrets.yaml");

const KEY: &str = "imagePullSecrets";

/// What a ServiceAccount or a pod has of image pull secrets.
pub(super) enum Existing {
    Nothing,
    /// The registry's Secret is among them.
    Ours,
    /// A list of others; this edit adds an item.
    Others(Edit),
    /// Something that is not a plain list.
    Unclear,
}

/// Puts the list with its condition into `source` at byte `at`, for an object whose keys are
/// indented by `indent`.
pub(super) fn list(source: &str, at: usize, root: &str, indent: usize) -> Edit {
    insertion(source, at, lines(LIST.lines(), root, indent, line_break(source)))
}

fn lines<'l>(lines: impl Iterator<Item = &'l str>, root: &str, indent: usize, line_break: &str) -> String {
    let mut text = String::new();
    for line in lines {
        if !line.starts_with("{{") {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        text.push_str(&line.replace("$envAll", root));
        text.push_str(line_break);
    }
    text
}

/// Inserts whole lines behind a line of `text`, which may be its last and lack a line
/// break; the text goes without one afterwards too.
fn insertion(text: &str, at: usize, lines: String) -> Edit {
    let line_break = line_break(text);
    match text.get(..at) {
        Some(before) if !before.is_empty() && !before.ends_with('\n') => {
            let lines = lines.strip_suffix(line_break).unwrap_or(&lines);
            Edit::insert(at, format!("{line_break}{lines}"))
        }
        _ => Edit::insert(at, lines),
    }
}

/// The line break of the first line.
fn line_break(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Looks for image pull secrets among the `scope` of the `lines` of `source`, where keys are indented by `indent`.
pub(super) fn existing(
    source: &str,
    lines: &[Line<'_>],
    scope: Range<usize>,
    indent: usize,
    root: &str,
) -> Existing {
    let Some(scoped) = lines.get(scope) else { return Existing::Unclear };
    let Some(at) = scoped.iter().position(|line| line.value(indent, KEY).is_some()) else {
        return Existing::Nothing;
    };
    let below = scoped.get(at + 1..).unwrap_or_default();
    // The list goes on to the next key; conditions around its items do not end it.
    let is_next_key = |line: &Line<'_>| {
        !line.is_silent() && line.indent <= indent && !line.text.trim_start().starts_with('-')
    };
    let length = below.iter().position(is_next_key).unwrap_or(below.len());
    let below = below.get(..length).unwrap_or_default();
    // The condition may stand around the list, as it does in ours, or around an item.
    let nearby = scoped.get(at.saturating_sub(2)..=at + length).unwrap_or_default();
    if nearby.iter().any(|line| line.text.contains("oci_image_registry")) {
        return Existing::Ours;
    }
    // A list that is there under a condition only cannot take an item that is there under another.
    let is_conditional = template::open_blocks(scoped.get(..at).unwrap_or_default()) > 0;
    let is_plain =
        !is_conditional && scoped.get(at).and_then(|line| line.value(indent, KEY)).is_some_and(str::is_empty);
    let is_item = |line: &Line<'_>| line.text.trim_start().starts_with("- name:");
    let (items, rest) = below.split_at(below.iter().position(|line| !is_item(line)).unwrap_or(below.len()));
    let Some(last) = items.last().filter(|_| is_plain) else { return Existing::Unclear };
    let goes_on = rest.iter().any(|line| !line.is_silent());
    if goes_on || items.iter().any(|item| item.indent != last.indent) {
        return Existing::Unclear;
    }
    // The items of the list in the template are indented by two.
    let without_key = LIST.lines().filter(|line| !line.starts_with(KEY)).map(str::trim_start);
    let item = self::lines(without_key, root, last.indent, line_break(source));
    Existing::Others(insertion(source, last.end, item))
}
