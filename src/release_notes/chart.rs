//! What one chart needs to have its change noted.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::era::{CONFIG, Era, NOTES, NotesRoot};
use super::list::{NoteList, WORDS, line};
use super::version::{Version, WrittenVersion};
use crate::change::{Action, FileChange, Part, Shape, WriteOrder};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::plan::ChartPlan;
use crate::source::{Source, read_text};
use crate::text::stable_hash;
use crate::yaml::{Placeholders, is_ambiguous};

/// The name in reports, beside those of the rules.
pub(super) const RULE: &str = "release note";

/// The note of a chart that has none, until November 2024.
const FIRST_NOTE: &str = include_str!("../../templates/release-note-line.yaml");

/// A note of its own.
const OWN_NOTE: &str = include_str!("../../templates/release-note.yaml");

const CHART: &str = "CHART";
const VERSION: &str = "VERSION";
/// Stands for the digits that reno gives to a file's name.
const DIGITS: &str = "DIGITS";

/// Chart.yaml and the note of a chart.
#[derive(Clone)]
pub(super) struct Release<'r> {
    chart: &'r str,
    root: &'r NotesRoot,
    metadata: Source,
    pub(super) note_path: PathBuf,
    /// The text of the note, where it is there.
    note: Option<String>,
    /// The note as git has it committed. Git is asked only where that matters.
    committed: OnceCell<Option<String>>,
    base: &'r Path,
}

/// One file that is to change.
pub(super) struct Need {
    pub(super) path: PathBuf,
    pub(super) old: Option<String>,
    pub(super) order: WriteOrder,
    pub(super) part: Part,
    pub(super) finding: Finding,
}

impl<'r> Release<'r> {
    /// # Errors
    /// A refusal where Chart.yaml or the note cannot be read.
    pub(super) fn read(base: &'r Path, chart: &'r ChartPlan, root: &'r NotesRoot) -> Result<Self, Finding> {
        let name = chart.name.as_str();
        let file = match root.era {
            Era::Reno => format!("{name}-{}.yaml", digits(name)),
            _ => format!("{name}.yaml"),
        };
        let note_path = root.path.join(NOTES).join(file);
        let path = chart.path.join("Chart.yaml");
        let missing = || Finding::unreadable(&path, &std::io::ErrorKind::NotFound.into());
        let text = read_text(base, &path)?.ok_or_else(missing)?;
        Ok(Release {
            chart: name,
            root,
            metadata: Source { path, text },
            note: read_text(base, &note_path)?,
            note_path,
            committed: OnceCell::new(),
            base,
        })
    }

    /// The same once `files` are written.
    pub(super) fn after(&self, files: &[FileChange]) -> Self {
        let mut after = self.clone();
        for file in files {
            if file.path == self.metadata.path {
                after.metadata.text.clone_from(&file.new);
            } else {
                after.note = Some(file.new.clone());
            }
        }
        after
    }

    /// What is missing.
    pub(super) fn needs(&self) -> Result<Vec<Need>, Finding> {
        match (self.root.era, &self.note) {
            (Era::Before | Era::Calendar, _) | (Era::Reno, Some(_)) => Ok(Vec::new()),
            (Era::Counted, _) => self.line_and_version(),
            (Era::Reno, None) => {
                let digits = digits(self.chart);
                let placeholders = Placeholders::from([(CHART, self.chart.to_owned()), (DIGITS, digits)]);
                let target = "releasenotes/notes/CHART-DIGITS.yaml";
                Ok(vec![self.new_note(target, OWN_NOTE, placeholders)])
            }
        }
    }

    /// Warns where reno does not list the chart, although it lists others: it leaves the notes out.
    pub(super) fn unlisted_section(&self) -> Option<Finding> {
        let NotesRoot { sections, path, era, .. } = self.root;
        let sections = sections.as_ref().filter(|_| *era == Era::Reno)?;
        let name = self.chart;
        if sections.iter().any(|section| section == name) {
            return None;
        }
        let what = format!("there is no section for {name}: reno leaves the chart's notes out");
        let fix = format!("add `- [{name}, {name} Chart]` to the sections");
        Some(Finding::warning(Id::UnlistedSection, Location::file(path.join(CONFIG)), what, fix))
    }

    /// Raises the version and notes it: as far as this has not been done by a run that was killed, or by
    /// somebody else.
    fn line_and_version(&self) -> Result<Vec<Need>, Finding> {
        let written = WrittenVersion::find(&self.metadata)?;
        let version = written.version;
        let above = |version: Version| version.next().ok_or_else(|| written.unclear("cannot go up any more"));
        let list = self.note.as_deref().map(|text| NoteList::parse(&self.note_path, text, self.chart));
        let list = list.transpose()?;
        let highest = list.as_ref().and_then(NoteList::last_version).unwrap_or(version);
        // People have used these words before us: what they have committed is about an earlier change.
        let is_old = |version: Version| self.is_committed(&line(version));
        let ours = list.iter().flat_map(NoteList::versions_with_our_words);
        let (to, is_noted) = match ours.filter(|ours| *ours >= version && !is_old(*ours)).max() {
            Some(ours) => (ours, true),
            None if highest < version => (version, false),
            None => {
                let next = above(version)?;
                (if is_old(next) { above(highest.max(next))? } else { next }, false)
            }
        };
        let placeholders = Placeholders::from([(CHART, self.chart.to_owned()), (VERSION, to.to_string())]);
        let mut needs = Vec::new();
        if !is_noted {
            needs.push(match &list {
                None => self.new_note("releasenotes/notes/CHART.yaml", FIRST_NOTE, placeholders),
                Some(list) => {
                    let added = list.add(to)?;
                    let what = format!("{to} is not noted");
                    let finding =
                        Finding::warning(Id::MissingReleaseNote, added.location, what, "`apply` notes it");
                    let shape = shape(Action::Insert, "releasenotes/notes/CHART.yaml", added.pattern);
                    let part = Part { shape, placeholders, edits: vec![added.edit] };
                    let old = self.note.clone();
                    Need { path: self.note_path.clone(), old, order: WriteOrder::First, part, finding }
                }
            });
        }
        if to != version {
            let shape = shape(Action::ChangeLine, "Chart.yaml", VERSION.to_owned());
            let placeholders = Placeholders::from([(VERSION, to.to_string())]);
            let part = Part { shape, placeholders, edits: vec![written.raise(to)?] };
            let what = format!("the version is not raised to {to}");
            let finding =
                Finding::warning(Id::UnraisedVersion, written.location.clone(), what, "`apply` raises it");
            let Source { path, text } = self.metadata.clone();
            needs.push(Need { path, old: Some(text), order: WriteOrder::Second, part, finding });
        }
        Ok(needs)
    }

    /// Whether `line` is in the note as git has it committed.
    fn is_committed(&self, line: &str) -> bool {
        let text = self.committed.get_or_init(|| git::committed_text(&self.base.join(&self.note_path)));
        text.as_ref().is_some_and(|text| text.lines().any(|other| other.contains(line)))
    }

    /// A note that is created.
    fn new_note(&self, target: &str, text: &str, placeholders: Placeholders) -> Need {
        let mut filled = text.to_owned();
        for (name, value) in &placeholders {
            let is_key = *name == CHART && is_ambiguous(value);
            filled = filled.replace(name, &if is_key { format!("\"{value}\"") } else { value.clone() });
        }
        let edits = vec![Edit::insert(0, filled)];
        let part = Part { shape: shape(Action::Create, target, text.to_owned()), placeholders, edits };
        let location = Location::file(&self.note_path);
        let finding =
            Finding::warning(Id::MissingReleaseNote, location, "the change is not noted", "`apply` notes it");
        Need { path: self.note_path.clone(), old: None, order: WriteOrder::First, part, finding }
    }
}

fn shape(action: Action, target: &str, text: String) -> Shape {
    Shape { rule: RULE, action, target: target.to_owned(), text }
}

/// The 16 digits that tell the note of this chart from all others. They depend on the chart's name and
/// on what the note says and on nothing else, so that a second run comes to the same file.
fn digits(chart: &str) -> String {
    stable_hash(&[chart, WORDS])
}
