//! What a rule is, and what it can say of a chart.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::change::{Action, Part, Shape};
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
                self.report(Finding::warning(
                    Id::LineChanged,
                    location.clone(),
                    what,
                    "look at it in the diff",
                ));
            }
            let finding = Finding::error(id, location, missing(&mapping, &addition), "`apply` adds it");
            let (text, placeholders) = yaml::pattern(&addition.entries);
            let shape = Shape {
                rule: self.rule,
                action: if is_insertion { Action::Insert } else { Action::ChangeLine },
                target: target(&addition),
                text,
            };
            let part = Part { shape, placeholders, edits: addition.edits.clone() };
            self.propose(Proposal { path: chart.path(VALUES), part, addition: Some(addition) }, finding);
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
        let (target, text) = (target(&replacement), pattern.to_owned());
        let shape = Shape { rule: self.rule, action: Action::ChangeLine, target, text };
        let placeholders = Placeholders::from([(CHART, Filled::chart(chart.name()))]);
        let part = Part { shape, placeholders, edits: replacement.edits.clone() };
        self.propose(Proposal { path: chart.path(VALUES), part, addition: Some(replacement) }, finding);
    }

    /// Edits a template, which mends `finding`. One edit may mend several.
    pub(super) fn edit(&mut self, chart: &Chart<'_>, path: &Path, edit: Edit, finding: Finding) {
        if !self.edited.insert((path.to_owned(), edit.clone())) {
            self.findings.push(Finding { rule: Some(self.rule), is_planned: true, ..finding });
            return;
        }
        let action = if edit.range.is_empty() { Action::Insert } else { Action::ChangeLine };
        let folder = path.parent().and_then(|folder| folder.strip_prefix(chart.dir).ok()).unwrap_or(path);
        let text = edit.replacement.clone();
        let shape = Shape { rule: self.rule, action, target: folder.to_string_lossy().into_owned(), text };
        let part = Part { shape, placeholders: Placeholders::new(), edits: vec![edit] };
        self.propose(Proposal { path: path.to_owned(), part, addition: None }, finding);
    }

    /// Writes the chart's file `file`, there or not, which mends `finding`.
    pub(super) fn write(&mut self, chart: &Chart<'_>, file: &str, text: &str, finding: Finding) {
        let path = chart.path(file);
        let old = chart.template(&path);
        let action = if old.is_some() { Action::Replace } else { Action::Create };
        let shape = Shape { rule: self.rule, action, target: file.to_owned(), text: text.to_owned() };
        let whole = 0..old.map_or(0, |source| source.text.len());
        let edits = vec![Edit { range: whole, replacement: text.to_owned() }];
        let part = Part { shape, placeholders: Placeholders::new(), edits };
        self.propose(Proposal { path, part, addition: None }, finding);
    }

    fn propose(&mut self, proposal: Proposal, finding: Finding) {
        self.findings.push(Finding { rule: Some(self.rule), is_planned: true, ..finding });
        self.changes.push(proposal);
    }
}

/// Where in values.yaml something is added.
fn target(Addition { path, .. }: &Addition) -> String {
    if path.is_empty() { VALUES.to_owned() } else { format!("{VALUES}: {path}") }
}

/// What `addition` says is missing from the mapping at the path `mapping`.
fn missing(mapping: &str, addition: &Addition) -> String {
    let keys: Vec<String> = addition.entries.iter().map(|entry| format!("`{}`", entry.key())).collect();
    let (keys, verb) = (keys.join(", "), if keys.len() == 1 { "is" } else { "are" });
    if mapping.is_empty() { format!("{keys} {verb} missing") } else { format!("`{mapping}` lacks {keys}") }
}
