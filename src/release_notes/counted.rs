//! Notes until November 2024: a higher version of the chart, and a line for it in the chart's note.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::era::{NOTES, NotesRoot};
use super::list::NoteList;
use super::note::{RULE, filled, new_note, part};
use super::version::{Version, WrittenVersion};
use super::work::{Work, are_ours};
use crate::change::{Operation, WriteOrder};
use crate::finding::{Finding, Id};
use crate::git;
use crate::placeholder::{CHART, Filled, Placeholders};
use crate::plan::CheckoutPlan;
use crate::source::{Source, read_text};

/// The note of a chart that has none.
const FIRST_NOTE: &str = include_str!("../../templates/release-note-line.yaml");

/// The file of the note, in reports.
const NOTE: &str = "releasenotes/notes/CHART.yaml";

const VERSION: &str = "VERSION";

/// A chart whose version is to be raised.
struct Release<'r> {
    base: &'r Path,
    work: &'r Work<'r>,
    note_path: PathBuf,
    /// The version in the Chart.yaml that git has committed.
    committed: Option<Version>,
    /// Whether git can tell that.
    has_git: bool,
    /// The note that git has committed, asked for where the note has words of ours.
    committed_note: OnceCell<Option<String>>,
}

/// Raises the version of a chart, and notes that.
///
/// # Errors
/// A refusal where Chart.yaml or the note cannot be read.
pub(super) fn note(
    base: &Path,
    root: &NotesRoot,
    work: &Work<'_>,
    has_git: bool,
) -> Result<CheckoutPlan, Finding> {
    let path = work.chart.path.join("Chart.yaml");
    let missing = || Finding::unreadable(&path, &std::io::ErrorKind::NotFound.into());
    let text = read_text(base, &path)?.ok_or_else(missing)?;
    let committed = git::committed_text(&base.join(&path)).map(|text| Source { path: path.clone(), text });
    let committed = committed.and_then(|source| Some(WrittenVersion::find(&source).ok()?.version));
    let note_path = root.path.join(NOTES).join(format!("{}.yaml", work.chart.name));
    let note = read_text(base, &note_path)?.map(|text| Source { path: note_path.clone(), text });
    let release = Release { base, work, note_path, committed, has_git, committed_note: OnceCell::new() };
    let metadata = Source { path, text };
    let change = release.change(&metadata, note.as_ref())?;
    let new = |path: &Path| {
        let file = change.files.iter().find(|file| file.path == path)?;
        Some(Source { path: path.to_owned(), text: file.new.clone() })
    };
    let metadata = new(&metadata.path).unwrap_or(metadata);
    if !release.change(&metadata, new(&release.note_path).or(note).as_ref())?.files.is_empty() {
        let fix = "leave out --release-notes, and report this: it is a defect of this program";
        let unproven = Finding::unproven(&release.note_path, "a second run would change it again");
        return Err(Finding { fix: fix.to_owned(), ..unproven });
    }
    Ok(change)
}

impl Release<'_> {
    /// Raises the version in `metadata`, the Chart.yaml, and notes it: as far as this has not been done by a run that
    /// was killed, or by somebody else. Where nobody can tell whether the version was raised, a warning says so.
    fn change(&self, metadata: &Source, note: Option<&Source>) -> Result<CheckoutPlan, Finding> {
        let (base, chart, words) = (self.base, &self.work.chart.name, self.work.words("", " "));
        let written = WrittenVersion::find(metadata)?;
        let version = written.version;
        let may_be_raised = self.committed.is_none_or(|committed| committed < version);
        let list = note.map(|note| NoteList::parse(note, chart)).transpose()?;
        let highest = list.as_ref().and_then(NoteList::last_version);
        // People have used these words before us: what they have committed is about an earlier change.
        let ours = list.iter().flat_map(NoteList::versions_with_our_words);
        let ours = ours.filter(|ours| *ours > version || *ours == version && may_be_raised);
        let (to, is_noted) = match ours.filter(|ours| !self.is_committed(*ours)).max() {
            Some(ours) => (ours, true),
            None if may_be_raised && highest.is_some_and(|highest| highest < version) => (version, false),
            None => {
                let latest = version.max(highest.max(self.committed).unwrap_or(version));
                let next = latest.next();
                (next.ok_or_else(|| written.unclear(&format!("cannot go above {latest}")))?, false)
            }
        };
        let number = (VERSION, Filled::fixed(to.to_string()));
        let placeholders = Placeholders::from([(CHART, Filled::chart(chart)), number.clone()]);
        let mut change = CheckoutPlan::default();
        match (note, &list) {
            _ if is_noted => {}
            (Some(Source { text, .. }), Some(list)) => {
                let (edit, location, pattern) = list.add(to, &words)?;
                let part = part(Operation::Insert, NOTE, pattern, placeholders, edit);
                let what = format!("{to} is not noted");
                let finding = Finding::warning(Id::MissingReleaseNote, location, what, "`apply` notes it");
                change.add(base, Some(text.clone()), WriteOrder::First, part, finding)?;
            }
            _ => {
                let text = filled(FIRST_NOTE, &words, &placeholders);
                change = new_note(base, &self.note_path, NOTE, text, placeholders)?;
            }
        }
        let warning = |what, fix| Finding::warning(Id::UnraisedVersion, written.location.clone(), what, fix);
        if to != version {
            let (number, edit) = (Placeholders::from([number]), written.raise(to)?);
            let part = part(Operation::ChangeLine, "Chart.yaml", VERSION.to_owned(), number, edit);
            let finding = warning(format!("the version is not raised to {to}"), "`apply` raises it");
            change.add(base, Some(metadata.text.clone()), WriteOrder::Second, part, finding)?;
        } else if self.committed.is_none() && !self.has_git {
            let what =
                format!("the version stays {to}: git cannot tell whether it was raised for this change");
            let doubt = warning(what, "raise it by hand, unless it was, and note that");
            change.findings.push(Finding { rule: Some(RULE), ..doubt });
        }
        Ok(change)
    }

    /// Whether the note as git has it committed has a line of ours for `version`.
    fn is_committed(&self, version: Version) -> bool {
        let text = self.committed_note.get_or_init(|| git::committed_text(&self.base.join(&self.note_path)));
        let start = format!("{version} ");
        let is_it = |line: &str| line.split_once(&start).is_some_and(|(_, words)| are_ours(words));
        text.as_ref().is_some_and(|text| text.lines().any(is_it))
    }
}
