//! The proof of an edit of Chart.yaml or a note, by two parsers.

use serde_yaml::Value;

use crate::edit::{self, Edit};
use crate::yaml::{Document, Step};

/// Whether `edit` puts the scalar `text` at the place `path` of the YAML text `old`, and to another parser makes
/// `wanted` of the whole.
pub(super) fn is_right(old: &str, edit: &Edit, path: &[Step<'_>], text: &str, wanted: &Value) -> bool {
    let Ok(new) = edit::apply(old, std::slice::from_ref(edit)) else { return false };
    let is_there =
        |document: Document<'_>| document.find(path).is_some_and(|node| document.scalar(node) == Some(text));
    Document::parse(&new).is_ok_and(is_there)
        && serde_yaml::from_str::<Value>(&new).is_ok_and(|seen| seen == *wanted)
}
