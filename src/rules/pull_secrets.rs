//! The conditional `imagePullSecrets`: what there is of it in an object, and where it goes.

use crate::edit::Edit;
use crate::template::actions::Scope;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;

/// The list as it goes into templates; `$envAll` stands for the templates' root.
const LIST: &str = include_str!("../../templates/image-pull-secrets.yaml");

pub(super) const KEY: &str = "imagePullSecrets";

/// What an account or a pod has of image pull secrets.
pub(super) enum Existing {
    Nothing,
    /// The registry's Secret is among them.
    Ours,
    /// A list of others, to which an item can be added behind the line that ends at this byte.
    Others {
        end: usize,
        column: usize,
    },
    /// Something that text cannot be added to, and why.
    Unclear(&'static str),
}

/// Looks for image pull secrets among the `keys` of an object that stands in `scope`.
pub(super) fn existing(outline: &Outline<'_>, keys: &[(usize, &Entry<'_>)], scope: Scope) -> Existing {
    let lists: Vec<_> = keys.iter().filter(|(_, entry)| entry.is(KEY)).collect();
    let [(index, list)] = lists.as_slice() else {
        return if lists.is_empty() { Existing::Nothing } else { Existing::Unclear("stand there twice") };
    };
    let items: Vec<_> = outline.children(*index).collect();
    let is_ours = |(index, item): &(usize, &Entry<'_>)| {
        let texts = outline.children(*index).map(|(_, entry)| entry.value).chain([item.value]);
        let openings =
            || outline.actions.between(item.scope, scope).map(|scope| outline.actions.opening(scope));
        let names_it =
            texts.into_iter().any(is_of_registry) || openings().any(|text| text.contains("secrets"));
        names_it && openings().all(is_of_registry)
    };
    if list.is_open() && items.iter().any(is_ours) {
        return Existing::Ours;
    }
    if list.scope != scope {
        return Existing::Unclear("stand under a condition");
    }
    let is_plain = |(index, item): &(usize, &Entry<'_>)| {
        let names: Vec<_> = outline.children(*index).collect();
        item.key == Key::Item
            && item.scope == scope
            && matches!(names.as_slice(), [(_, name)] if name.is("name") && !name.is_open() && name.line_end == item.line_end)
    };
    match items.last() {
        Some((_, item)) if list.is_open() && items.iter().all(is_plain) => {
            Existing::Others { end: item.line_end, column: item.column }
        }
        _ => Existing::Unclear("are no plain list"),
    }
}

/// Whether a condition, or the name of a Secret, is about the registry.
pub(super) fn is_of_registry(text: &str) -> bool {
    !text.contains("/*") && (text.contains("oci_image_registry") || text.contains("secret_registry"))
}

/// The list with its condition, for keys at `column`.
pub(super) fn list(root: &str, column: usize, line_break: &str) -> String {
    lines(LIST.lines(), root, column, line_break)
}

/// One more item with its condition, at `column`.
pub(super) fn item(root: &str, column: usize, line_break: &str) -> String {
    let without_key = LIST.lines().filter(|line| !line.starts_with(KEY)).map(str::trim_start);
    lines(without_key, root, column, line_break)
}

fn lines<'l>(lines: impl Iterator<Item = &'l str>, root: &str, column: usize, line_break: &str) -> String {
    let mut text = String::new();
    for line in lines {
        if !line.starts_with("{{") {
            text.extend(std::iter::repeat_n(' ', column));
        }
        text.push_str(&line.replace("$envAll", root));
        text.push_str(line_break);
    }
    text
}

/// Inserts whole lines behind a line of `text`, which may be its last and lack a line
/// break; the text goes without one afterwards too.
pub(super) fn insertion(text: &str, at: usize, lines: String) -> Edit {
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
pub(super) fn line_break(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}
