//! Edits: byte ranges of a text and what they become. Everything this program does to a file
//! that exists is a list of these.

use std::ops::Range;

/// One replacement. An empty range inserts, an empty `replacement` removes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edit {
    /// Bytes of the original text.
    pub(crate) range: Range<usize>,
    pub(crate) replacement: String,
}

impl Edit {
    pub(crate) fn insert(at: usize, text: String) -> Self {
        Edit { range: at..at, replacement: text }
    }

    pub(crate) fn remove(range: Range<usize>) -> Self {
        Edit { range, replacement: String::new() }
    }
}

/// Edits that cannot be applied together: two overlap, or one lies outside of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the edit at byte {at} meets another one, or lies outside of the text")]
pub(crate) struct Conflict {
    /// Byte offset of the edit that does not fit.
    pub(crate) at: usize,
}

/// Applies all `edits` to `text`. Insertions at the same place keep the order they are given in.
///
/// # Errors
/// [`Conflict`] where two edits overlap, or one is outside the text or inside a character.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Result<String, Conflict> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let grown: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
    let mut result = String::with_capacity(text.len() + grown);
    let mut done = 0;
    for edit in sorted {
        let kept = text.get(done..edit.range.start).ok_or(Conflict { at: edit.range.start })?;
        result.push_str(kept);
        result.push_str(&edit.replacement);
        done = edit.range.end;
    }
    result.push_str(text.get(done..).ok_or(Conflict { at: done })?);
    Ok(result)
}
