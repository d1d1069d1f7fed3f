//! A chart's note until November 2024: its name, and below it a list with a line for each version.

use std::path::Path;

use serde_yaml::Value;

use super::version::Version;
use super::work::are_ours;
use crate::edit::{self, Edit};
use crate::finding::{Finding, Id, Location};
use crate::text::position;
use crate::yaml::{Document, Kind, Step};

pub(super) struct NoteList<'n> {
    path: &'n Path,
    text: &'n str,
    chart: &'n str,
    value: Value,
    document: Document<'n>,
}

/// A line to be put in behind all others.
pub(super) struct NewLine {
    pub(super) edit: Edit,
    pub(super) location: Location,
    /// The line for any version: `VERSION` stands for it.
    pub(super) pattern: String,
}

impl<'n> NoteList<'n> {
    pub(super) fn parse(path: &'n Path, text: &'n str, chart: &'n str) -> Result<Self, Finding> {
        let document = Document::parse(text)
            .map_err(|error| unclear(Location::at(path, error.position), &error.to_string()))?;
        let value = serde_yaml::from_str(text)
            .map_err(|error| unclear(Location::file(path), &format!("cannot be understood: {error}")))?;
        let note = NoteList { path, text, chart, value, document };
        if note.items().is_empty() {
            let list = note.document.find(&[Step::Key(chart)]).or(note.document.root());
            let position = list.map(|node| note.document.position(node));
            let location = Location { path: path.to_owned(), position };
            return Err(unclear(location, &format!("there is no list of notes below `{chart}`")));
        }
        Ok(note)
    }

    fn items(&self) -> &[Value] {
        self.value.get(self.chart).and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default()
    }

    /// The versions for which there is a line of ours.
    pub(super) fn versions_with_our_words(&self) -> impl Iterator<Item = Version> {
        let version = |item: &Value| {
            let (version, words) = item.as_str()?.split_once(' ')?;
            Version::parse(version).filter(|_| are_ours(words))
        };
        self.items().iter().filter_map(version)
    }

    /// The highest version that something is noted for.
    pub(super) fn last_version(&self) -> Option<Version> {
        self.items().iter().filter_map(|item| Version::of_note(item.as_str()?)).max()
    }

    /// A line for `version` behind all others, written as the last of them is.
    pub(super) fn add(&self, version: Version, words: &str) -> Result<NewLine, Finding> {
        let last = self.document.find(&[Step::Key(self.chart), Step::Item(self.items().len() - 1)]);
        let last = last.filter(|node| self.document.kind(*node) != Kind::Alias);
        let start = last.map_or(self.text.len(), |node| self.document.offset(node));
        let (before, rest) = self.text.split_at_checked(start).unwrap_or((self.text, ""));
        let location = Location::at(self.path, position(self.text, start));
        let opening = before.get(before.rfind('\n').map_or(0, |at| at + 1)..).unwrap_or_default();
        let indent = opening.len() - opening.trim_start_matches(' ').len();
        if opening.trim_matches(' ') != "-" {
            return Err(unclear(location, "the last note is no line of a list"));
        }
        let end = start + end_of_item(rest, indent);
        let first_line = rest.split_inclusive('\n').next().unwrap_or_default();
        let line_break = if first_line.ends_with("\r\n") { "\r\n" } else { "\n" };
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first));
        let quote = quote.map(String::from).unwrap_or_default();
        let item = |version: &str| format!("{opening}{quote}{version} {words}{quote}");
        let replacement = if self.text.get(..end).is_some_and(|text| text.ends_with('\n')) {
            format!("{}{line_break}", item(&version.to_string()))
        } else {
            format!("{line_break}{}", item(&version.to_string()))
        };
        let edit = Edit::insert(end, replacement);
        if self.is_read_back(&edit, &format!("{version} {words}")) != Some(true) {
            return Err(unclear(location, "a line behind this one would not be read as a note"));
        }
        Ok(NewLine { edit, location, pattern: format!("{}\n", item("VERSION")) })
    }

    /// Whether two parsers see the old note with one line more, and nothing else.
    fn is_read_back(&self, edit: &Edit, line: &str) -> Option<bool> {
        let new = edit::apply(self.text, std::slice::from_ref(edit)).ok()?;
        let mut wanted = self.value.clone();
        wanted.get_mut(self.chart)?.as_sequence_mut()?.push(Value::from(line));
        let document = Document::parse(&new).ok()?;
        let item = |number| document.find(&[Step::Key(self.chart), Step::Item(number)]);
        let added = document.scalar(item(self.items().len())?)?;
        let is_last = item(self.items().len() + 1).is_none();
        Some(added == line && is_last && serde_yaml::from_str::<Value>(&new).ok()? == wanted)
    }
}

/// How much of `rest`, the text from where the last item of a list begins, is that item: its line and
/// those below that are indented deeper than its dash, which is behind `indent` spaces.
fn end_of_item(rest: &str, indent: usize) -> usize {
    let (mut at, mut end) = (0, 0);
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        let text = line.trim_end();
        let is_deeper = text.len() - text.trim_start_matches(' ').len() > indent;
        if number > 0 && !text.is_empty() && !is_deeper {
            break;
        }
        at += line.len();
        if !text.is_empty() {
            end = at;
        }
    }
    end
}

fn unclear(location: Location, what: &str) -> Finding {
    let fix = "make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes";
    Finding::refused(Id::UnclearNote, location, what, fix)
}
