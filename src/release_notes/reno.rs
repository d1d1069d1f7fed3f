//! Notes since 2025: a file for each chart that changes, or one for all, with a name that reno gives.

use std::path::{Path, PathBuf};

use super::era::{COMMON, CONFIG, NOTES, NotesRoot};
use super::note::{Noted, RULE, filled, new_note};
use super::work::{WORDS, Work};
use crate::finding::{Finding, Id, Location};
use crate::git;
use crate::placeholder::{CHART, Filled, Placeholders};
use crate::plan::CheckoutPlan;
use crate::source::read_text;
use crate::text::stable_hash;

const OF_ONE: &str = include_str!("../../templates/release-note.yaml");
const OF_SEVERAL: &str = include_str!("../../templates/release-note-common.yaml");

/// Between the lines of a note.
const LINE_BREAK: &str = "\n    ";
const NAMES_A_LINE: usize = 4;

/// Stands for the digits that reno gives to a file's name.
const DIGITS: &str = "DIGITS";

/// The notes that are missing.
///
/// # Errors
/// A refusal where a note cannot be read.
pub(super) fn notes(base: &Path, root: &NotesRoot, works: &[Work<'_>]) -> Result<Vec<Noted>, Finding> {
    let common = Note::named(base, root, COMMON)?;
    let mut open = Vec::new();
    for work in works.iter().filter(|work| !common.names(&work.chart.name)) {
        let own = Note::named(base, root, &work.chart.name)?;
        if own.uncommitted.is_empty() {
            open.push((work, own));
        }
    }
    if root.has_common && open.len() > 1 {
        let works: Vec<&Work<'_>> = open.into_iter().map(|(work, _)| work).collect();
        return Ok(vec![(None, of_several(base, root, common, works))]);
    }
    Ok(open.into_iter().map(|(work, note)| (Some(work.index), of_one(base, root, note, work))).collect())
}

/// A note that is not there yet.
struct Note {
    path: PathBuf,
    digits: String,
    /// The texts of notes of this kind that are there, and that git has not committed: they are of this change.
    uncommitted: Vec<String>,
}

impl Note {
    /// The 16 digits of its name depend on `name`, and on how many there are from earlier changes, so that a
    /// run after one that was killed comes to the same file.
    fn named(base: &Path, root: &NotesRoot, name: &str) -> Result<Self, Finding> {
        let mut uncommitted = Vec::new();
        let mut words = format!("Added {WORDS}");
        loop {
            let digits = stable_hash(&[name, &words]);
            let path = root.path.join(NOTES).join(format!("{name}-{digits}.yaml"));
            let Some(text) = read_text(base, &path)? else { return Ok(Note { path, digits, uncommitted }) };
            if git::committed_text(&base.join(&path)).is_none() {
                uncommitted.push(text);
            }
            words.push_str(" again");
        }
    }

    /// Whether `chart` is in one of those that are there.
    fn names(&self, chart: &str) -> bool {
        let is_other = |c: char| !(c.is_alphanumeric() || "-_.".contains(c));
        let mut words = self.uncommitted.iter().flat_map(|text| text.split(is_other));
        words.any(|word| word.trim_end_matches('.') == chart)
    }
}

fn of_one(base: &Path, root: &NotesRoot, note: Note, work: &Work<'_>) -> Result<CheckoutPlan, Finding> {
    let name = &work.chart.name;
    let placeholders =
        Placeholders::from([(CHART, Filled::chart(name)), (DIGITS, Filled::fixed(note.digits))]);
    let text = filled(OF_ONE, &work.words("``", LINE_BREAK), &placeholders);
    let target = "releasenotes/notes/CHART-DIGITS.yaml";
    let mut change = new_note(base, &note.path, target, text, placeholders)?;
    change.findings.extend(unlisted_section(root, name));
    Ok(change)
}

/// New charts are a feature; what was done to the others stands below their names.
fn of_several(
    base: &Path,
    root: &NotesRoot,
    note: Note,
    works: Vec<&Work<'_>>,
) -> Result<CheckoutPlan, Finding> {
    let (whole, others): (Vec<&Work<'_>>, Vec<_>) = works.into_iter().partition(|work| work.is_whole);
    let mut text = String::from("---\n");
    if !whole.is_empty() {
        let names: Vec<&str> = whole.iter().map(|work| work.chart.name.as_str()).collect();
        let lines: Vec<String> = names.chunks(NAMES_A_LINE).map(|names| names.join(", ")).collect();
        text.push_str(&OF_SEVERAL.replace("CHARTS", &lines.join(&format!(",{LINE_BREAK}"))));
    }
    for work in &others {
        let of_one = OF_ONE.trim_start_matches("---\n").trim_end_matches("...\n");
        let placeholders = Placeholders::from([(CHART, Filled::chart(&work.chart.name))]);
        text.push_str(&filled(of_one, &work.words("``", LINE_BREAK), &placeholders).text);
    }
    text.push_str("...\n");
    let placeholders = Placeholders::from([(DIGITS, Filled::fixed(note.digits))]);
    let target = "releasenotes/notes/common-DIGITS.yaml";
    let mut change = new_note(base, &note.path, target, Filled::fixed(text), placeholders)?;
    change.findings.extend(others.iter().filter_map(|work| unlisted_section(root, &work.chart.name)));
    Ok(change)
}

/// Warns where reno does not list the chart, although it lists others: it leaves the notes out.
fn unlisted_section(root: &NotesRoot, name: &str) -> Option<Finding> {
    if root.sections.as_ref()?.iter().any(|section| section == name) {
        return None;
    }
    let what = format!("there is no section for {name}: reno leaves the chart's notes out");
    let fix = format!("add `- [{name}, {name} Chart]` to the sections");
    let location = Location::file(root.path.join(CONFIG));
    Some(Finding { rule: Some(RULE), ..Finding::warning(Id::UnlistedSection, location, what, fix) })
}
