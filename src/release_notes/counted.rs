//! Notes until November 2024: a higher version of the chart, and a line for it in the chart's note.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::era::{NOTES, NotesRoot};
use super::list::NoteList;
use super::version::{Version, WrittenVersion};
use super::work::{Work, are_ours};
use crate::change::{Action, FileChange, Part, Shape, WriteOrder};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::placeholder::{CHART, Filled, Placeholders, fill};
use crate::source::{Source, read_text};
use crate::yaml::is_ambiguous;

/// The name in reports, beside those of the rules.
pub(super) const RULE: &str = "release note";

/// The note of a chart that has none.
const FIRST_NOTE: &str = include_str!("../../templates/release-note-line.yaml");

const VERSION: &str = "VERSION";

/// Chart.yaml and the note of a chart.
#[derive(Clone)]
pub(super) struct Release<'r> {
    chart: &'r str,
    words: String,
    metadata: Source,
    pub(super) note_path: PathBuf,
    /// The text of the note, where it is there.
    note: Option<String>,
    /// The note as git has it committed. Git is asked only where that matters.
    committed: OnceCell<Option<String>>,
    /// The version in the Chart.yaml that git has committed.
    committed_version: Option<Version>,
    /// Whether git can tell that.
    has_git: bool,
    base: &'r Path,
}

/// One file that is to change.
pub(super) struct Need {
    pub(super) path: PathBuf,
    pub(super) old: Option<String>,
    pub(super) order: WriteOrder,
    pub(super) part: Part,
    /// What is missing, and what else there is to say.
    pub(super) findings: Vec<Finding>,
}

impl Need {
    /// `finding` says what is missing.
    fn new(path: PathBuf, old: Option<String>, order: WriteOrder, part: Part, finding: Finding) -> Self {
        Need { path, old, order, part, findings: vec![Finding { is_planned: true, ..finding }] }
    }
}

impl<'r> Release<'r> {
    /// # Errors
    /// A refusal where Chart.yaml or the note cannot be read.
    pub(super) fn read(
        base: &'r Path,
        root: &NotesRoot,
        work: &'r Work,
        has_git: bool,
    ) -> Result<Self, Finding> {
        let name = work.name.as_str();
        let note_path = root.path.join(NOTES).join(format!("{name}.yaml"));
        let path = work.path.join("Chart.yaml");
        let missing = || Finding::unreadable(&path, &std::io::ErrorKind::NotFound.into());
        let text = read_text(base, &path)?.ok_or_else(missing)?;
        let committed =
            git::committed_text(&base.join(&path)).map(|text| Source { path: path.clone(), text });
        let committed = committed.and_then(|source| Some(WrittenVersion::find(&source).ok()?.version));
        Ok(Release {
            chart: name,
            words: work.words("", " "),
            metadata: Source { path, text },
            note: read_text(base, &note_path)?,
            note_path,
            committed: OnceCell::new(),
            committed_version: committed,
            has_git,
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

    /// Raises the version and notes it: as far as this has not been done by a run that was killed, or by
    /// somebody else. Where nobody can tell whether the version was raised, a warning says so.
    pub(super) fn needs(&self) -> Result<(Vec<Need>, Option<Finding>), Finding> {
        let written = WrittenVersion::find(&self.metadata)?;
        let version = written.version;
        let may_be_raised = self.committed_version.is_none_or(|committed| committed < version);
        let list = self.note.as_deref().map(|text| NoteList::parse(&self.note_path, text, self.chart));
        let list = list.transpose()?;
        let highest = list.as_ref().and_then(NoteList::last_version);
        // People have used these words before us: what they have committed is about an earlier change.
        let ours = list.iter().flat_map(NoteList::versions_with_our_words);
        let ours = ours.filter(|ours| *ours > version || *ours == version && may_be_raised);
        let (to, is_noted) = match ours.filter(|ours| !self.is_committed(*ours)).max() {
            Some(ours) => (ours, true),
            None if may_be_raised && highest.is_some_and(|highest| highest < version) => (version, false),
            None => {
                let latest = version.max(highest.max(self.committed_version).unwrap_or(version));
                let next = latest.next();
                (next.ok_or_else(|| written.unclear(&format!("cannot go above {latest}")))?, false)
            }
        };
        let placeholders = Placeholders::from([
            (CHART, Filled::chart(self.chart)),
            (VERSION, Filled::fixed(to.to_string())),
        ]);
        let mut needs = Vec::new();
        if !is_noted {
            needs.push(match &list {
                None => {
                    let note = filled(FIRST_NOTE, &self.words, &placeholders);
                    new_note(self.note_path.clone(), NOTE, note, placeholders)
                }
                Some(list) => {
                    let added = list.add(to, &self.words)?;
                    let what = format!("{to} is not noted");
                    let finding =
                        Finding::warning(Id::MissingReleaseNote, added.location, what, "`apply` notes it");
                    let shape = shape(Action::Insert, NOTE, added.pattern);
                    let part = Part { shape, placeholders, edits: vec![added.edit] };
                    Need::new(self.note_path.clone(), self.note.clone(), WriteOrder::First, part, finding)
                }
            });
        }
        if to != version {
            let shape = shape(Action::ChangeLine, "Chart.yaml", VERSION.to_owned());
            let placeholders = Placeholders::from([(VERSION, Filled::fixed(to.to_string()))]);
            let part = Part { shape, placeholders, edits: vec![written.raise(to)?] };
            let what = format!("the version is not raised to {to}");
            let finding =
                Finding::warning(Id::UnraisedVersion, written.location.clone(), what, "`apply` raises it");
            let Source { path, text } = self.metadata.clone();
            needs.push(Need::new(path, Some(text), WriteOrder::Second, part, finding));
        }
        let is_unknown = to == version && self.committed_version.is_none() && !self.has_git;
        let doubt = is_unknown.then(|| {
            let what =
                format!("the version stays {to}: git cannot tell whether it was raised for this change");
            let fix = "raise it by hand, unless it was, and note that";
            Finding::warning(Id::UnraisedVersion, written.location.clone(), what, fix)
        });
        Ok((needs, doubt))
    }

    /// Whether the note as git has it committed has a line of ours for `version`.
    fn is_committed(&self, version: Version) -> bool {
        let text = self.committed.get_or_init(|| git::committed_text(&self.base.join(&self.note_path)));
        let start = format!("{version} ");
        let is_it = |line: &str| line.split_once(&start).is_some_and(|(_, words)| are_ours(words));
        text.as_ref().is_some_and(|text| text.lines().any(is_it))
    }
}

/// The file of the note, in reports.
const NOTE: &str = "releasenotes/notes/CHART.yaml";

/// A note that is created. `target` has names of placeholders in it.
pub(super) fn new_note(path: PathBuf, target: &str, note: Filled, placeholders: Placeholders) -> Need {
    let edits = vec![Edit::insert(0, note.text)];
    let part = Part { shape: shape(Action::Create, target, note.pattern), placeholders, edits };
    let finding = Finding::warning(
        Id::MissingReleaseNote,
        Location::file(&path),
        "the change is not noted",
        "`apply` notes it",
    );
    Need::new(path, None, WriteOrder::First, part, finding)
}

/// `template` with words and placeholders filled in. A name that is something else to YAML is put into quotes.
pub(super) fn filled(template: &str, words: &str, placeholders: &Placeholders) -> Filled {
    let mut texts = vec![("WORDS", words.to_owned())];
    let pattern = fill(template, &texts);
    texts.extend(placeholders.iter().map(|(name, Filled { text, .. })| {
        let is_key = *name == CHART && is_ambiguous(text);
        (*name, if is_key { format!("\"{text}\"") } else { text.clone() })
    }));
    Filled { text: fill(template, &texts), pattern }
}

fn shape(action: Action, target: &str, text: String) -> Shape {
    Shape { rule: RULE, action, target: target.to_owned(), text }
}
