//! What the checkout's own CI asks for where a chart changes: until November 2024 a higher version and
//! a line in the chart's note, since 2025 a note of its own.

use std::path::Path;

use serde_yaml::Value;

use super::proposals::{Change, Proposal, Turn};
use super::{Proposals, Rule, position};
use crate::chart::{Chart, Role};
use crate::edit::{self, Edit};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::release::{Era, Release, TEXT, digits};
use crate::shape::{Action, Shape};
use crate::yaml::{Document, Kind, Parameters, Step, is_ambiguous};

/// The note of a chart that has none, until November 2024.
const FIRST_NOTE: &str = include_str!("../../templates/release-note-line.yaml");

/// A note of its own.
const OWN_NOTE: &str = include_str!("../../templates/release-note.yaml");

/// What stands in these for the chart's name.
const CHART: &str = "CHART";
/// What stands in there for the chart's version.
const VERSION: &str = "VERSION";
/// What stands in a file's name for the digits that reno gives it.
const DIGITS: &str = "DIGITS";

/// Behind all other rules: only a chart that they change has something to note.
///
/// A run that is killed must not raise a version twice when it is run again. So what is noted is written
/// first, then the version, and only then all else: as long as something is left to do, the note shows
/// what has been done.
pub(super) struct ReleaseNote(pub(super) Role);

impl Rule for ReleaseNote {
    fn name(&self) -> &'static str {
        match self.0 {
            Role::Toolkit => "toolkit release note",
            _ => "release note",
        }
    }

    fn role(&self) -> Role {
        self.0
    }

    fn is_for_all(&self) -> bool {
        false
    }

    fn is_optional(&self) -> bool {
        true
    }

    fn propose(&self, chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        let Some(release) = chart.release.filter(|_| !proposals.changes.is_empty()) else { return Ok(()) };
        let needs = needs(chart.name, release)?;
        if !self::needs(chart.name, &after(release, &needs)?)?.is_empty() {
            return Err(unproven(&release.path, "a second run would change it again"));
        }
        if let (Era::Reno, Some(config), false) = (release.era, &release.not_listed_in, needs.is_empty()) {
            let name = chart.name;
            let what = format!("there is no section for {name}: reno leaves the chart's notes out");
            let fix = format!("add `- [{name}, {name} Chart]` to the sections");
            proposals.find(Finding::warning(FindingId::UnlistedSection, Place::file(config), what, fix));
        }
        for Need { path, change, turn, action, target, text, parameters, finding } in needs {
            let shape = Shape { rule: self.name(), action, target: target.to_owned(), text };
            proposals.propose(Proposal { path: path.to_owned(), change, turn, shape, parameters }, finding);
        }
        Ok(())
    }
}

/// One file that is to change.
struct Need<'r> {
    path: &'r Path,
    change: Change,
    turn: Turn,
    action: Action,
    target: &'static str,
    text: String,
    parameters: Parameters,
    finding: Finding,
}

/// What is missing, where the chart changes otherwise.
fn needs<'r>(chart: &str, release: &'r Release) -> Result<Vec<Need<'r>>, Refusal> {
    let note = || release.note.as_ref().map(Option::as_deref).map_err(Clone::clone);
    match release.era {
        Era::Before | Era::Calendar => Ok(Vec::new()),
        Era::Counted => line_and_version(chart, release, note()?),
        Era::Reno if note()?.is_some() => Ok(Vec::new()),
        Era::Reno => {
            let parameters = Parameters::from([(CHART, chart.to_owned()), (DIGITS, digits(chart))]);
            let target = "releasenotes/notes/CHART-DIGITS.yaml";
            Ok(vec![new_note(release, target, OWN_NOTE, parameters)])
        }
    }
}

/// `release` as it is after these changes.
fn after(release: &Release, needs: &[Need<'_>]) -> Result<Release, Refusal> {
    let mut after = release.clone();
    for need in needs {
        let is_chart = need.path == release.chart.path;
        let old = release.note.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
        let old = if is_chart { &release.chart.text } else { old };
        let new = match &need.change {
            Change::Edit(edit) => edit::apply(old, std::slice::from_ref(edit))
                .map_err(|_| unproven(need.path, "an edit lies outside of the text"))?,
            Change::File(text) => text.clone(),
            Change::Entries(_) => continue,
        };
        if is_chart {
            after.chart.text = new;
        } else {
            after.note = Ok(Some(new));
        }
    }
    Ok(after)
}

/// The version goes up, and the note gets a line for it: as far as this has not been done by a run that
/// was killed, or by somebody else.
fn line_and_version<'r>(
    chart: &str,
    release: &'r Release,
    note: Option<&'r str>,
) -> Result<Vec<Need<'r>>, Refusal> {
    let written = Written::of(release)?;
    let version = written.version;
    let above = |version: Version| version.next().ok_or_else(|| written.unclear("cannot go up any more"));
    let note = note.map(|text| Note::parse(chart, release, text)).transpose()?;
    let last = note.as_ref().and_then(Note::last_version).unwrap_or(version);
    // People have used these words before us: what they have committed is about an earlier change.
    let is_old = |version: Version| release.committed.has(&line(version));
    let ours = note.iter().flat_map(Note::versions_with_our_words);
    let (to, is_noted) = match ours.filter(|ours| *ours >= version && !is_old(*ours)).max() {
        Some(ours) => (ours, true),
        None if last < version => (version, false),
        None => {
            let next = above(version)?;
            (if is_old(next) { above(last.max(next))? } else { next }, false)
        }
    };
    let mut needs = Vec::new();
    if !is_noted {
        needs.push(if let Some(note) = &note {
            note.add(to)?
        } else {
            let parameters = Parameters::from([(CHART, chart.to_owned()), (VERSION, to.to_string())]);
            new_note(release, NOTE_OF_CHART, FIRST_NOTE, parameters)
        });
    }
    if to != version {
        needs.push(written.raise(to)?);
    }
    Ok(needs)
}

/// Where the notes of a chart are.
const NOTE_OF_CHART: &str = "releasenotes/notes/CHART.yaml";

/// The line of a note, without what makes it an item of a list.
fn line(version: impl std::fmt::Display) -> String {
    format!("{version} {TEXT}")
}

/// A note that comes to be.
fn new_note<'r>(release: &'r Release, target: &'static str, text: &str, parameters: Parameters) -> Need<'r> {
    let mut filled = text.to_owned();
    for (name, value) in &parameters {
        let is_key = *name == CHART && is_ambiguous(value);
        filled = filled.replace(name, &if is_key { format!("\"{value}\"") } else { value.clone() });
    }
    let what = "the change is not noted";
    Need {
        path: &release.path,
        change: Change::File(filled),
        turn: Turn::First,
        action: Action::Create,
        target,
        text: text.to_owned(),
        parameters,
        finding: Finding::warning(
            FindingId::MissingReleaseNote,
            Place::file(&release.path),
            what,
            "`apply` notes it",
        ),
    }
}

/// A version of three numbers, as charts had until November 2024.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version([u64; 3]);

impl Version {
    /// `None` for anything else, a pre-release among them: which version comes behind that is not for
    /// a program to say.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let is_usual = text == "0" || !text.starts_with('0');
            if is_number && is_usual { text.parse().ok() } else { None }
        };
        let mut parts = text.split('.');
        let numbers = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
        parts.next().is_none().then_some(Version(numbers))
    }

    fn next(self) -> Option<Self> {
        let Version([major, minor, patch]) = self;
        Some(Version([major, minor, patch.checked_add(1)?]))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Version([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The version as Chart.yaml has it.
struct Written<'r> {
    release: &'r Release,
    place: Place,
    /// Where it begins, behind a quote.
    at: usize,
    version: Version,
}

impl<'r> Written<'r> {
    fn of(release: &'r Release) -> Result<Self, Refusal> {
        let Release { chart, .. } = release;
        let refuse =
            |place: Place, what: &str| Err(Refusal::new(Reason::UnclearVersion, place, what, BY_HAND));
        let document = Document::parse(&chart.text);
        let node = document.as_ref().ok().and_then(|document| document.find(&[Step::Key("version")]));
        let (Ok(document), Some(node)) = (&document, node) else {
            return refuse(Place::file(&chart.path), "the chart's version is not to be found");
        };
        let place = Place::at(&chart.path, document.position(node));
        let Some(version) = document.scalar(node).and_then(Version::parse) else {
            return refuse(place, "the chart's version is not three numbers, as 0.1.0 is");
        };
        let start = document.offset(node);
        let rest = chart.text.get(start..).unwrap_or_default();
        let quote = usize::from(rest.starts_with(['"', '\'']));
        if !rest.get(quote..).unwrap_or_default().starts_with(&version.to_string()) {
            return refuse(place, "the chart's version is written in a way that is not known");
        }
        Ok(Written { release, place, at: start + quote, version })
    }

    fn unclear(&self, what: &str) -> Refusal {
        Refusal::new(
            Reason::UnclearVersion,
            self.place.clone(),
            format!("the chart's version {what}"),
            BY_HAND,
        )
    }

    /// The version becomes `to`, and nothing else changes: as another parser sees it, too.
    fn raise(&self, to: Version) -> Result<Need<'r>, Refusal> {
        let source = &self.release.chart;
        let old = self.version.to_string();
        let edit = Edit { range: self.at..self.at + old.len(), replacement: to.to_string() };
        let new = edit::apply(&source.text, std::slice::from_ref(&edit)).unwrap_or_default();
        let mut wanted: Value = serde_yaml::from_str(&source.text).unwrap_or_default();
        if let Some(version) = wanted.get_mut("version").filter(|version| version.as_str() == Some(&old)) {
            *version = Value::from(to.to_string());
        }
        let is_seen = |document: &Document<'_>| {
            let node = document.find(&[Step::Key("version")]);
            node.and_then(|node| document.scalar(node)) == Some(&to.to_string())
        };
        if serde_yaml::from_str::<Value>(&new).ok() != Some(wanted)
            || !Document::parse(&new).is_ok_and(|document| is_seen(&document))
        {
            return Err(self.unclear("cannot be changed without changing something else"));
        }
        let what = format!("the version is not raised to {to}");
        Ok(Need {
            path: &source.path,
            change: Change::Edit(edit),
            turn: Turn::Second,
            action: Action::ChangeLine,
            target: "Chart.yaml",
            text: VERSION.to_owned(),
            parameters: Parameters::from([(VERSION, to.to_string())]),
            finding: Finding::warning(
                FindingId::UnraisedVersion,
                self.place.clone(),
                what,
                "`apply` raises it",
            ),
        })
    }
}

const BY_HAND: &str = "mend it, or raise it by hand and leave out --release-notes";

/// A chart's note: its name, and below it a list with a line for each version.
struct Note<'r> {
    release: &'r Release,
    text: &'r str,
    chart: String,
    /// The note as a whole.
    value: Value,
    document: Document<'r>,
}

impl<'r> Note<'r> {
    fn parse(chart: &str, release: &'r Release, text: &'r str) -> Result<Self, Refusal> {
        let document = Document::parse(text)
            .map_err(|error| unclear(Place::at(&release.path, error.position()), &error.to_string()))?;
        let value = serde_yaml::from_str(text).map_err(|error| {
            unclear(Place::file(&release.path), &format!("cannot be understood: {error}"))
        })?;
        let note = Note { release, text, chart: chart.to_owned(), value, document };
        if note.items().is_empty() {
            let list = note.document.find(&[Step::Key(chart)]);
            let position = list.or(note.document.root()).map(|node| note.document.position(node));
            let place = Place { path: release.path.clone(), position };
            return Err(unclear(place, &format!("there is no list of notes below `{chart}`")));
        }
        Ok(note)
    }

    fn items(&self) -> &[Value] {
        self.value.get(&self.chart).and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default()
    }

    /// The versions for which there is this very line.
    fn versions_with_our_words(&self) -> impl Iterator<Item = Version> {
        let version = |item: &Value| {
            let text = item.as_str()?.trim_end();
            version_of(text).filter(|version| text == line(version))
        };
        self.items().iter().filter_map(version)
    }

    /// The highest version that something is noted for.
    fn last_version(&self) -> Option<Version> {
        self.items().iter().filter_map(|item| version_of(item.as_str()?)).max()
    }

    /// A line for `version` behind all others, written as the last of them is.
    fn add(&self, version: Version) -> Result<Need<'r>, Refusal> {
        let last = self.document.find(&[Step::Key(&self.chart), Step::Item(self.items().len() - 1)]);
        let last = last.filter(|node| self.document.kind(*node) != Kind::Alias);
        let start = last.map_or(self.text.len(), |node| self.document.offset(node));
        let (before, rest) = self.text.split_at_checked(start).unwrap_or((self.text, ""));
        let place = Place::at(&self.release.path, position(self.text, start));
        let opening = before.get(before.rfind('\n').map_or(0, |at| at + 1)..).unwrap_or_default();
        let indent = opening.len() - opening.trim_start_matches(' ').len();
        if opening.trim_matches(' ') != "-" {
            return Err(unclear(place, "the last note is no line of a list"));
        }
        let end = start + end_of_item(rest, indent);
        let first_line = rest.split_inclusive('\n').next().unwrap_or_default();
        let line_break = if first_line.ends_with("\r\n") { "\r\n" } else { "\n" };
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first));
        let quote = quote.map(String::from).unwrap_or_default();
        let item = |version: &str| format!("{opening}{quote}{}{quote}", line(version));
        let replacement = if self.text.get(..end).is_some_and(|text| text.ends_with('\n')) {
            format!("{}{line_break}", item(&version.to_string()))
        } else {
            format!("{line_break}{}", item(&version.to_string()))
        };
        let edit = Edit::insert(end, replacement);
        self.prove(&edit, version, &place)?;
        let what = format!("{version} is not noted");
        Ok(Need {
            path: &self.release.path,
            change: Change::Edit(edit),
            turn: Turn::First,
            action: Action::Insert,
            target: NOTE_OF_CHART,
            text: format!("{}\n", item(VERSION)),
            parameters: Parameters::from([(CHART, self.chart.clone()), (VERSION, version.to_string())]),
            finding: Finding::warning(FindingId::MissingReleaseNote, place, what, "`apply` notes it"),
        })
    }

    /// Makes sure that two parsers see the old note with one line more, and nothing else.
    fn prove(&self, edit: &Edit, version: Version, place: &Place) -> Result<(), Refusal> {
        let new = edit::apply(self.text, std::slice::from_ref(edit)).unwrap_or_default();
        let mut wanted = self.value.clone();
        if let Some(items) = wanted.get_mut(&self.chart).and_then(Value::as_sequence_mut) {
            items.push(Value::from(line(version)));
        }
        let is_seen = Document::parse(&new).is_ok_and(|document| {
            let item = |number| document.find(&[Step::Key(&self.chart), Step::Item(number)]);
            let added = item(self.items().len()).and_then(|node| document.scalar(node));
            added == Some(&line(version)) && item(self.items().len() + 1).is_none()
        });
        if is_seen && serde_yaml::from_str::<Value>(&new).ok() == Some(wanted) {
            return Ok(());
        }
        Err(unclear(place.clone(), "a line behind this one would not be read as a note"))
    }
}

/// The version that a note begins with.
fn version_of(note: &str) -> Option<Version> {
    Version::parse(note.split_whitespace().next()?)
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

fn unclear(place: Place, what: &str) -> Refusal {
    let advice = "make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes";
    Refusal::new(Reason::UnclearNote, place, what, advice)
}

fn unproven(path: &Path, doubt: &str) -> Refusal {
    let what = format!("no edit could be proven right: {doubt}");
    Refusal::new(
        Reason::Unproven,
        Place::file(path),
        what,
        "leave out --release-notes, and report this: it is a defect of this program",
    )
}
