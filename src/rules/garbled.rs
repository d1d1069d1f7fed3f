//! helm-toolkit's function as upstream wrote it in 2022: `printf "%s"` turns a password that is a number into
//! `%!s(float64=12345)`, and its lookup of ports one that `--set` gave into `%!f(int64=5000)`.

use super::pull_secrets::line_break;
use crate::edit::Edit;
use crate::template::actions::{Action, Actions, text_in_quotes};

/// Where `text` defines `function` in that way: the place of what prints, and the edit that puts the define of
/// `right` there, if nothing of the old one gets lost but that. `ports` is the text that looks ports up.
pub(super) fn mend(
    text: &str,
    function: &str,
    ports: Option<&str>,
    right: &'static str,
) -> Option<(usize, Option<Edit>)> {
    let actions = Actions::new(text);
    let (opening, closing) = define(&actions, function)?;
    let are_ports_garbled = ports.is_some_and(|text| text.contains("\"%1.f\""));
    let is_garbling = |action: &&Action| {
        let pieces = actions.pieces(action);
        let in_quotes = || pieces.iter().filter_map(text_in_quotes);
        pieces.iter().any(|piece| piece.text == ".password") && in_quotes().any(|text| text.contains("%s"))
            || are_ports_garbled && in_quotes().any(|text| text == PORT_LOOKUP)
    };
    let inside = actions.all.iter().filter(|action| actions.define(action.scope) == Some(opening.behind));
    let place = inside.clone().find(is_garbling)?.range.start;
    let old = text.get(opening.range.end..closing.range.start).unwrap_or_default();
    let edit = new_define(old, function, right).map(|define| {
        let range = opening.range.start..closing.range.end;
        Edit { range, replacement: define.replace('\n', line_break(text)) }
    });
    Some((place, edit))
}

const PORT_LOOKUP: &str = "helm-toolkit.endpoints.endpoint_port_lookup";

/// What opens and what closes the define of `function`.
fn define<'a>(actions: &'a Actions<'_>, function: &str) -> Option<(&'a Action, &'a Action)> {
    let is_it = |action: &&Action| action.opens_define && actions.name(action.behind) == Some(function);
    let opening = actions.all.iter().find(is_it)?;
    let closing = actions.all.iter().find(|action| action.closes_define && action.scope == opening.behind)?;
    Some((opening, closing))
}

const NAME: &str = "  name: {{ $secretName }}\n";

/// The define of `right`, with what the Secret in `old` has in its metadata besides the name, such as
/// annotations. `None` where that asks for variables of its own, or the Secret has more than ours.
fn new_define(old: &str, function: &str, right: &str) -> Option<String> {
    let old = old.replace("\r\n", "\n");
    let (_, object) = old.split_once("\nmetadata:\n")?;
    let (metadata, rest) = object.split_once("\ntype: kubernetes.io/dockerconfigjson\n")?;
    let rest: Vec<&str> = rest.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_ours = matches!(rest.as_slice(), ["data:", value] if value.starts_with("  .dockerconfigjson: {{"));
    let (names, kept): (Vec<&str>, Vec<&str>) =
        metadata.lines().filter(|line| !line.trim().is_empty()).partition(|line| line.starts_with("  name:"));
    let is_inside = kept.iter().all(|line| line.starts_with([' ', '{']));
    let kept: String = kept.iter().flat_map(|line| [*line, "\n"]).collect();
    let variables = ["$envAll", "$registryUser", "$secretName"];
    let actions = Actions::new(&kept);
    let is_known =
        actions.pieces.iter().all(|piece| !piece.text.starts_with('$') || variables.contains(&piece.text));
    if !is_ours || !is_inside || names.len() != 1 || !actions.is_balanced || !is_known {
        return None;
    }
    let actions = Actions::new(right);
    let (opening, closing) = define(&actions, function)?;
    let define = right.get(opening.range.start..closing.range.end)?;
    Some(define.replacen(NAME, &format!("{NAME}{kept}"), 1))
}
