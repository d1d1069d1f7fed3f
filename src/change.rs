//! What becomes of one file, and which parts of that are the same in other charts: 67 charts get the
//! same few edits, and a reviewer should read each of them once.

use std::path::{Path, PathBuf};

use crate::edit::{self, Conflict, Edit};
use crate::placeholder::Placeholders;
use crate::text::stable_hash;

/// A file that changes or is created.
#[derive(Debug)]
pub struct FileChange {
    /// Relative to [`Plan::base`](crate::Plan::base).
    pub path: PathBuf,
    /// The text that is there; `None` where there is no such file yet.
    pub old: Option<String>,
    /// The text that was proven: what is shown, written and rendered.
    pub new: String,
    pub(crate) order: WriteOrder,
    /// What is done to the file, in the order of the rules.
    pub(crate) parts: Vec<Part>,
}

/// When a file is written: all files of one step come before those of the next, whatever chart they are
/// for. So what has been written when a run is killed tells the next run what is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WriteOrder {
    /// What others refer to: a release note, a page.
    First,
    /// What refers to that: a version, a list of pages.
    Second,
    /// The change itself.
    Last,
}

/// What one rule does to a file.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) shape: Shape,
    /// The texts of the placeholders in the shape.
    pub(crate) placeholders: Placeholders,
    /// Edits of the old text.
    pub(crate) edits: Vec<Edit>,
}

/// What the edits of several charts have in common: the rule, and what it writes, with the names of
/// placeholders where that differs from chart to chart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape {
    pub(crate) rule: &'static str,
    pub(crate) operation: Operation,
    /// `values.yaml: endpoints`, or a file or folder of the chart.
    pub(crate) target: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    /// Puts lines in.
    Insert,
    /// Changes a line that is there.
    ChangeLine,
    /// Creates a file.
    Create,
    /// Replaces a file as a whole.
    Replace,
}

impl Operation {
    /// The name in reports for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Insert => "insert",
            Operation::ChangeLine => "change-line",
            Operation::Create => "create",
            Operation::Replace => "replace",
        }
    }

    pub(crate) fn is_whole_file(self) -> bool {
        matches!(self, Operation::Create | Operation::Replace)
    }
}

impl Shape {
    /// Whether one use says nothing of another: whether lines in a template are right depends on what is
    /// around them.
    pub(crate) fn is_for_itself(&self) -> bool {
        !self.operation.is_whole_file() && self.target.starts_with("templates")
    }

    /// An id that stays the same as long as the shape does.
    pub(crate) fn id(&self) -> String {
        stable_hash(&[self.rule, self.operation.name(), &self.target, &self.text])
    }
}

impl FileChange {
    /// Applies the edits of `parts` to `old`.
    ///
    /// # Errors
    /// [`Conflict`] where two of them meet.
    pub(crate) fn new(
        path: &Path,
        old: Option<String>,
        order: WriteOrder,
        parts: Vec<Part>,
    ) -> Result<Self, Conflict> {
        let edits: Vec<Edit> = parts.iter().flat_map(|part| &part.edits).cloned().collect();
        let new = edit::apply(old.as_deref().unwrap_or_default(), &edits)?;
        Ok(FileChange { path: path.to_owned(), old, new, order, parts })
    }

    /// The old text; empty for a file that is created.
    pub(crate) fn old_text(&self) -> &str {
        self.old.as_deref().unwrap_or_default()
    }

    /// The text with one of its parts alone.
    ///
    /// # Errors
    /// [`Conflict`] where `part` is of another file.
    pub(crate) fn with_only(&self, part: &Part) -> Result<String, Conflict> {
        edit::apply(self.old_text(), &part.edits)
    }
}
