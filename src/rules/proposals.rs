//! What the rules propose for one chart.

use std::path::{Path, PathBuf};

use crate::chart::{Chart, VALUES};
use crate::edit::Edit;
use crate::error::Place;
use crate::finding::{Finding, FindingId};
use crate::shape::{Action, Shape};
use crate::yaml::{Addition, Entry, Parameters};

/// One change of one file, which is relative to the chart's folder and may lie outside of it.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The file.
    pub path: PathBuf,
    /// What becomes of it.
    pub change: Change,
    /// When it is written.
    pub turn: Turn,
    /// What this has in common with the proposals for other charts.
    pub shape: Shape,
    /// What is its own.
    pub parameters: Parameters,
}

/// When a file is written: all files of one turn come before those of the next, whatever chart they are
/// for. So what has been written when a run is killed tells the next run what is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Before everything else.
    First,
    /// Behind what it refers to.
    Second,
    /// With most files, which make up the change itself.
    #[default]
    Third,
}

/// What becomes of a file.
#[derive(Clone, Debug)]
pub enum Change {
    /// Entries come into values.yaml.
    Entries(Addition),
    /// An edit of a template that is there.
    Edit(Edit),
    /// The file is created, or replaced as a whole.
    File(String),
}

impl Proposal {
    /// A change of the chart's own files that is the same for all charts.
    fn new(path: &Path, change: Change, shape: Shape) -> Self {
        Proposal { path: path.to_owned(), change, turn: Turn::Third, shape, parameters: Parameters::new() }
    }
}

/// What the rules propose for one chart, and what they found.
#[derive(Debug, Default)]
pub struct Proposals {
    /// The changes, in the order of the rules.
    pub changes: Vec<Proposal>,
    /// What is missing or wrong.
    pub findings: Vec<Finding>,
    /// The rule at work.
    pub(super) rule: &'static str,
}

impl Proposals {
    /// The entries for values.yaml.
    pub fn additions(&self) -> impl Iterator<Item = &Addition> {
        self.changes.iter().filter_map(|proposal| match &proposal.change {
            Change::Entries(addition) => Some(addition),
            _ => None,
        })
    }

    /// The changes of the file at `path`.
    pub fn of(&self, path: &Path) -> impl Iterator<Item = &Proposal> {
        self.changes.iter().filter(move |proposal| proposal.path == path)
    }

    /// What was found and is left as it is.
    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(Finding { rule: Some(self.rule), ..finding });
    }

    /// Entries for values.yaml, each a finding called `id` that is mended.
    pub(super) fn add(&mut self, chart: &Chart<'_>, id: FindingId, additions: Vec<Addition>) {
        let Some(document) = &chart.values else { return };
        for addition in additions {
            let mapping = document.path(addition.mapping);
            let position = document.position(addition.mapping);
            let place = Place::at(VALUES, position);
            let is_insertion = addition.adds_lines_only(document.text());
            self.mend(Finding::error(id, place.clone(), missing(&mapping, &addition), "`apply` adds it"));
            if !is_insertion {
                let what = if mapping.is_empty() {
                    "the outermost mapping".to_owned()
                } else {
                    format!("`{mapping}`")
                };
                let what = format!("{what} is written in a way that takes no new lines: its line changes");
                self.find(Finding::warning(FindingId::LineChanged, place, what, "look at it in the diff"));
            }
            let mut parameters = Parameters::new();
            let text = Entry::pattern(&addition.entries, &mut parameters);
            let shape = Shape {
                rule: self.rule,
                action: if is_insertion { Action::Insert } else { Action::ChangeLine },
                target: target(chart, &mapping),
                text,
            };
            let (path, change, turn) = (VALUES.into(), Change::Entries(addition), Turn::Third);
            self.changes.push(Proposal { path, change, turn, shape, parameters });
        }
    }

    /// An edit of the template at `path`, which mends `finding`. One edit may mend several.
    pub(super) fn edit(&mut self, path: &Path, edit: Edit, finding: Finding) {
        if self.of(path).any(|proposal| matches!(&proposal.change, Change::Edit(other) if *other == edit)) {
            self.mend(finding);
            return;
        }
        let action = if edit.range.is_empty() { Action::Insert } else { Action::ChangeLine };
        let target = path.parent().unwrap_or(path).to_string_lossy().into_owned();
        let shape = Shape { rule: self.rule, action, target, text: edit.replacement.clone() };
        self.propose(Proposal::new(path, Change::Edit(edit), shape), finding);
    }

    /// A file of the chart with this text, there or not; that mends `finding`.
    pub(super) fn write(&mut self, path: &Path, text: &str, action: Action, finding: Finding) {
        let target = path.to_string_lossy().into_owned();
        let shape = Shape { rule: self.rule, action, target, text: text.to_owned() };
        self.propose(Proposal::new(path, Change::File(text.to_owned()), shape), finding);
    }

    /// Any change, which mends `finding`.
    pub(crate) fn propose(&mut self, proposal: Proposal, finding: Finding) {
        self.mend(finding);
        self.changes.push(proposal);
    }

    fn mend(&mut self, finding: Finding) {
        self.find(Finding { is_planned: true, ..finding });
    }
}

/// Where in values.yaml the mapping at `path` is, with nothing in it that is the chart's own.
fn target(chart: &Chart<'_>, path: &str) -> String {
    match path.strip_suffix(chart.name).and_then(|path| path.strip_suffix('.')) {
        _ if path.is_empty() => VALUES.to_owned(),
        Some(above) => format!("{VALUES}: {above}.CHART"),
        None => format!("{VALUES}: {path}"),
    }
}

/// What `addition` says is missing, from the mapping at the path `mapping`.
fn missing(mapping: &str, addition: &Addition) -> String {
    let keys: Vec<String> = addition.entries.iter().map(|entry| format!("`{}`", entry.key())).collect();
    let (keys, verb) = (keys.join(", "), if keys.len() == 1 { "is" } else { "are" });
    if mapping.is_empty() { format!("{keys} {verb} missing") } else { format!("`{mapping}` lacks {keys}") }
}
