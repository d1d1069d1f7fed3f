//! The conditional `imagePullSecrets`: what there is of it in an object, and where it goes.

use crate::context::{Context, KEY, REGISTRY};
use crate::edit::Edit;
use crate::template::actions::Actions;
use crate::template::entry::Entry;
use crate::template::lexer::PieceKind;
use crate::template::outline::Outline;

/// The list as it goes into templates; `$envAll` stands for the templates' root.
const LIST: &str = include_str!("../../templates/image-pull-secrets.yaml");

/// Whether an entry stands under a condition that is about the registry alone.
pub(super) fn is_for_registry(outline: &Outline<'_>, entry: &Entry<'_>) -> bool {
    are_of_registry(&outline.actions, &[outline.actions.opening(entry.scope)])
}

/// Whether conditions are about the registry alone, so that they hold where authentication is on.
pub(super) fn are_of_registry(actions: &Actions<'_>, conditions: &[&str]) -> bool {
    // `if .auth.enabled` within `with .Values.endpoints.oci_image_registry`
    let is_part = |word: &str| matches!(word, "" | "if" | "with" | "auth" | "enabled");
    let is_within = |condition: &str| condition.split(|c: char| !c.is_alphanumeric()).all(is_part);
    let is_one = |condition: &&str| is_of_registry(&written_out(actions, condition));
    conditions.iter().all(|condition| is_one(condition) || is_within(condition))
        && (conditions.is_empty() || conditions.iter().any(is_one))
}

/// Whether a condition asks for the registry's values and nothing else, and not for the contrary.
fn is_of_registry(condition: &str) -> bool {
    let mut words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_contrary = words.any(|word| matches!(word, "not" | "or" | "ne" | "eq" | "empty" | "else"));
    let asked = condition.matches(".Values").count();
    let of_registry = OF_REGISTRY.iter().map(|word| condition.matches(word).count()).sum::<usize>();
    !is_contrary && asked > 0 && asked == of_registry
}

/// The parts of the values that are the registry's.
const OF_REGISTRY: [&str; 2] = [REGISTRY, "secret_registry"];

/// Whether a text has the name of the chart's Secret in it, as the values say it.
pub(super) fn names_secret(outline: &Outline<'_>, text: &str, context: &Context) -> bool {
    if context.secret.as_deref() == Some(text.trim_matches(['"', '\''])) {
        return true;
    }
    let text = written_out(&outline.actions, text);
    let Some((before, behind)) = text.split_once(REGISTRY) else { return false };
    let key = behind.trim_start_matches([')', ' ', '"']);
    let key = key.strip_prefix('.').filter(|key| !key.starts_with("Chart.")).unwrap_or(key);
    let key = key.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).next().unwrap_or_default();
    // Any other word stands for something that is looked up.
    let is_other = behind.trim_start_matches(')').starts_with([' ', '.']) && !behind.contains(".Chart.Name");
    let is_other_key = is_other
        && context.chart.as_ref().is_some_and(|chart| !key.is_empty() && key != chart && key != "default");
    before.contains("secrets") && !is_other_key
}

/// A text of the template without comments, with variables replaced by what they are set to.
pub(super) fn written_out(actions: &Actions<'_>, text: &str) -> String {
    let mut written = String::new();
    for piece in Actions::new(text).pieces {
        written.push(' ');
        let values = || actions.values_of(piece.text).next();
        match piece.kind {
            PieceKind::Variable if !matches!(piece.text, "$" | "$envAll") => match values() {
                Some(value) => written.extend(value.iter().map(|piece| piece.text)),
                None => written.push_str(piece.text),
            },
            PieceKind::Field | PieceKind::RightParen => {
                written.pop();
                written.push_str(piece.text);
            }
            _ => written.push_str(piece.text),
        }
    }
    written
}

/// The list with its condition, for keys at `column`.
pub(super) fn list(column: usize) -> String {
    indented(LIST.lines(), column)
}

/// One more item with its condition, at `column`.
pub(super) fn item(column: usize) -> String {
    indented(LIST.lines().filter(|line| !line.starts_with(KEY)).map(str::trim_start), column)
}

/// Lines as they stand at `column`; actions stay at the margin.
fn indented<'l>(lines: impl Iterator<Item = &'l str>, column: usize) -> String {
    let indent = " ".repeat(column);
    lines.flat_map(|line| [if line.starts_with("{{") { "" } else { &indent }, line, "\n"]).collect()
}

/// [`LIST`], or a part of it, with the variable that is the templates' root.
pub(super) fn with_root(lines: &str, root: &str) -> String {
    lines.replace("$envAll", root)
}

/// Inserts lines behind a line of `text`, which may be its last and lack a line
/// break; the text goes without one afterwards too.
pub(super) fn insertion(text: &str, at: usize, lines: &str, root: &str) -> Edit {
    let line_break = line_break(text);
    let lines = with_root(lines, root).replace('\n', line_break);
    match text.get(..at) {
        Some(before) if !before.is_empty() && !before.ends_with('\n') => {
            let lines = lines.strip_suffix(line_break).unwrap_or(&lines);
            Edit::insert(at, format!("{line_break}{lines}"))
        }
        _ => Edit::insert(at, lines),
    }
}

/// The line break of the first line.
pub(super) fn line_break(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}
