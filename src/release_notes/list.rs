//! A chart's note until November 2024: its name, and below it a list with a line for each version.

use serde_yaml::Value;

use super::proof::is_right;
use super::version::Version;
use super::work::are_ours;
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::source::Source;
use crate::text::position;
use crate::yaml::{Document, Kind, Step};

pub(super) struct NoteList<'n> {
    note: &'n Source,
    chart: &'n str,
    value: Value,
    document: Document<'n>,
}

impl<'n> NoteList<'n> {
    pub(super) fn parse(note: &'n Source, chart: &'n str) -> Result<Self, Finding> {
        let Source { path, text } = note;
        let document = Document::parse(text)
            .map_err(|error| unclear(Location::at(path, error.position), &error.to_string()))?;
        let value = serde_yaml::from_str(text)
            .map_err(|error| unclear(Location::file(path), &format!("cannot be understood: {error}")))?;
        let list = NoteList { note, chart, value, document };
        if list.items().is_empty() {
            let below = list.document.find(&[Step::Key(chart)]).or(list.document.root());
            let position = below.map(|node| list.document.position(node));
            let location = Location { path: path.to_owned(), position };
            return Err(unclear(location, &format!("there is no list of notes below `{chart}`")));
        }
        Ok(list)
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
        self.items().iter().filter_map(|item| Version::parse(item.as_str()?.split_whitespace().next()?)).max()
    }

    /// A line for `version` behind all others, written as the last of them is: where it goes, and the line for any
    /// version, for which `VERSION` stands.
    pub(super) fn add(&self, version: Version, words: &str) -> Result<(Edit, Location, String), Finding> {
        let Source { path, text } = self.note;
        let count = self.items().len();
        let last = self.document.find(&[Step::Key(self.chart), Step::Item(count - 1)]);
        let last = last.filter(|node| self.document.kind(*node) != Kind::Alias);
        let start = last.map_or(text.len(), |node| self.document.offset(node));
        let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
        let location = Location::at(path, position(text, start));
        let opening = before.rsplit('\n').next().unwrap_or_default();
        let indent = opening.len() - opening.trim_start_matches(' ').len();
        let Some(last) = last.filter(|_| opening.trim_matches(' ') == "-") else {
            return Err(unclear(location, "the last note is no line of a list"));
        };
        let end = self.document.behind_comments(self.document.end_of_content(last), indent + 1);
        let first_line = rest.split_inclusive('\n').next().unwrap_or_default();
        let line_break = if first_line.ends_with("\r\n") { "\r\n" } else { "\n" };
        let quote = rest.get(..1).filter(|first| ["\"", "'"].contains(first)).unwrap_or_default();
        let item = |version: &str| format!("{opening}{quote}{version} {words}{quote}");
        let line = item(&version.to_string());
        let is_behind_a_line = text.get(..end).is_some_and(|text| text.ends_with('\n'));
        let line = if is_behind_a_line { line + line_break } else { format!("{line_break}{line}") };
        let edit = Edit::insert(end, line);
        let added = format!("{version} {words}");
        let mut wanted = self.value.clone();
        if let Some(list) = wanted.get_mut(self.chart).and_then(Value::as_sequence_mut) {
            list.push(Value::from(added.as_str()));
        }
        let place = [Step::Key(self.chart), Step::Item(count)];
        if !is_right(text, &edit, &place, &added, &wanted) {
            return Err(unclear(location, "a line behind this one would not be read as a note"));
        }
        Ok((edit, location, format!("{}\n", item("VERSION"))))
    }
}

fn unclear(location: Location, what: &str) -> Finding {
    let fix = "make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes";
    Finding::refused(Id::UnclearNote, location, what, fix)
}
