//! What a rule is, and what it can say of a chart.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::change::{Operation, Part, Shape};
use crate::chart::{Chart, VALUES};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::placeholder::{CHART, Filled, Placeholders};
use crate::yaml::{self, Addition};

/// One kind of change.
pub(crate) struct Rule {
    /// What it adds, as reports call it.
    pub(crate) name: &'static str,
    /// The charts that it is for.
    pub(crate) role: Role,
    /// Whether every such chart must have it, and not only those that need it.
    pub(crate) is_required: bool,
    /// Looks at a chart and proposes what is missing. On a chart that has everything it must propose nothing:
    /// that is how a second run finds nothing to do. An error refuses the chart; other rules are heard all the
    /// same.
    pub(crate) run: fn(&Chart<'_>, &Options, &mut Proposals) -> Result<(), Finding>,
}

/// What the rules found in one chart, and what they propose.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    pub(crate) findings: Vec<Finding>,
    /// In the order of the rules.
    pub(crate) changes: Vec<Proposal>,
    /// The edits of templates among them.
    edited: HashSet<(PathBuf, Edit)>,
    /// The rule at work.
    pub(super) rule: &'static str,
}

/// A change of one file.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) path: PathBuf,
    pub(crate) part: Part,
    /// The entries that it adds to values.yaml, for the proof.
    pub(crate) addition: Option<Addition>,
}

impl Proposals {
    /// Reports what stays as it is.
    pub(super) fn report(&mut self, finding: Finding) {
        self.findings.push(Finding { rule: Some(self.rule), ..finding });
    }

    /// Adds entries to values.yaml, and reports each as missing.
    pub(super) fn add_entries(&mut self, chart: &Chart<'_>, id: Id, additions: Vec<Addition>) {
        let Some(document) = &chart.values else { return };
        for addition in additions {
            let mapping = document.path(addition.mapping);
            let location = Location::at(chart.path(VALUES), document.position(addition.mapping));
            let is_insertion = addition.adds_lines_only(document.text());
            if !is_insertion {
                let what = if mapping.is_empty() {
                    "the outermost mapping".to_owned()
                } else {
                    format!("`{mapping}`")
                };
                let what = format!("{what} is written in a way that takes no new lines: its line changes");
                let fix = "look at it in the diff";
                self.report(Finding::warning(Id::LineChanged, location.clone(), what, fix));
            }
            let finding = Finding::error(id, location, missing(&mapping, &addition), "`apply` adds it");
            let (text, placeholders) = yaml::pattern(&addition.entries);
            let operation = if is_insertion { Operation::Insert } else { Operation::ChangeLine };
            self.edit_values(chart, addition, operation, text, placeholders, finding);
        }
    }

    /// Puts another scalar, of this pattern, in the place of a key or value of values.yaml, which mends `finding`.
    pub(super) fn replace_scalar(
        &mut self,
        chart: &Chart<'_>,
        replacement: Addition,
        pattern: &str,
        finding: Finding,
    ) {
        let placeholders = Placeholders::from([(CHART, Filled::chart(chart.name()))]);
        let pattern = pattern.to_owned();
        self.edit_values(chart, replacement, Operation::ChangeLine, pattern, placeholders, finding);
    }

    fn edit_values(
        &mut self,
        chart: &Chart<'_>,
        addition: Addition,
        operation: Operation,
        text: String,
        placeholders: Placeholders,
        finding: Finding,
    ) {
        let place = if addition.path.is_empty() { "" } else { ": " };
        let target = format!("{VALUES}{place}{}", addition.path);
        let shape = Shape { rule: self.rule, operation, target, text };
        let part = Part { shape, placeholders, edits: addition.edits.clone() };
        self.propose(chart.path(VALUES), part, Some(addition), finding);
    }

    /// Edits a template, which mends `finding`. One edit may mend several.
    pub(super) fn edit(&mut self, chart: &Chart<'_>, path: &Path, edit: Edit, finding: Finding) {
        if !self.edited.insert((path.to_owned(), edit.clone())) {
            self.report(Finding { is_planned: true, ..finding });
            return;
        }
        let operation = if edit.range.is_empty() { Operation::Insert } else { Operation::ChangeLine };
        let folder = path.parent().and_then(|folder| folder.strip_prefix(chart.dir).ok()).unwrap_or(path);
        self.edit_file(path.to_owned(), operation, folder.to_string_lossy().into_owned(), edit, finding);
    }

    /// Writes the chart's file `file`, there or not, which mends `finding`.
    pub(super) fn write(&mut self, chart: &Chart<'_>, file: &str, text: &str, finding: Finding) {
        let path = chart.path(file);
        let (operation, length) = match chart.template(&path) {
            Some(old) => (Operation::Replace, old.text.len()),
            None => (Operation::Create, 0),
        };
        let edit = Edit { range: 0..length, replacement: text.to_owned() };
        self.edit_file(path, operation, file.to_owned(), edit, finding);
    }

    fn edit_file(
        &mut self,
        path: PathBuf,
        operation: Operation,
        target: String,
        edit: Edit,
        finding: Finding,
    ) {
        let shape = Shape { rule: self.rule, operation, target, text: edit.replacement.clone() };
        let part = Part { shape, placeholders: Placeholders::new(), edits: vec![edit] };
        self.propose(path, part, None, finding);
    }

    fn propose(&mut self, path: PathBuf, part: Part, addition: Option<Addition>, finding: Finding) {
        self.report(Finding { is_planned: true, ..finding });
        self.changes.push(Proposal { path, part, addition });
    }
}

/// What `addition` says is missing from the mapping at the path `mapping`.
fn missing(mapping: &str, addition: &Addition) -> String {
    let keys: Vec<String> = addition.entries.iter().map(|entry| format!("`{}`", entry.key())).collect();
    let (keys, verb) = (keys.join(", "), if keys.len() == 1 { "is" } else { "are" });
    if mapping.is_empty() { format!("{keys} {verb} missing") } else { format!("`{mapping}` lacks {keys}") }
}
