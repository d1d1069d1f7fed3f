//! What the CI of a checkout asks for where a chart changes. It changed twice, and the checkout shows
//! which of its eras it is from: by the versions of the charts, and by the names of the release notes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::chart::{self, Source};
use crate::error::{Place, Reason, Refusal};
use crate::guard;

/// Where release notes are, seen from the folder around the charts.
pub const NOTES: &str = "releasenotes/notes";

/// What reno knows of the notes, seen from there too.
const CONFIG: &str = "releasenotes/config.yaml";

/// The script that asks for a line in a note, seen from the folder around the charts.
const RENO_CHECK: &str = "tools/gate/reno-check.sh";

/// What a release note says.
pub const TEXT: &str = "Added OCI registry authentication";

/// What a checkout asks for where a chart changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Until 2020: nothing.
    Before,
    /// Until November 2024: the last number of the chart's version goes up, and the note that is
    /// called after the chart has a line for that version.
    Counted,
    /// Since December 2024: versions are those of OpenStack, and stay. No chart has notes of its own yet.
    Calendar,
    /// Since 2025: a note of its own for each change, in a file that reno has given a name to.
    Reno,
}

impl Era {
    /// What is done about it, in words for people.
    #[must_use]
    pub fn deed(self) -> &'static str {
        match self {
            Era::Before => "none, since nothing here asks for them",
            Era::Counted => {
                "the version of each changed chart goes up, and its note gets a line, as until November 2024"
            }
            Era::Calendar => "none, and versions stay, as since December 2024",
            Era::Reno => "each changed chart gets a note of its own, as since 2025",
        }
    }
}

/// The folder around the charts that their release notes are in.
#[derive(Clone, Debug)]
pub struct Home {
    /// Relative to the folder that the charts' paths are relative to.
    pub path: PathBuf,
    /// What is asked for here.
    pub era: Era,
    /// What shows it, in words for people.
    pub why: String,
    /// The keys that reno takes in a note, where its configuration lists them.
    pub sections: Option<Vec<String>>,
}

/// Whether release notes of charts in `folder`, or deeper, are kept in it, or are asked for.
#[must_use]
pub fn is_home(folder: &Path) -> bool {
    folder.join("releasenotes").is_dir() || folder.join(RENO_CHECK).is_file()
}

impl Home {
    /// Looks at the folder `base`/`path`, whose charts have these names and versions.
    ///
    /// # Errors
    /// Where the folder of the notes cannot be read; its place is seen from here.
    pub fn read(base: &Path, path: &Path, charts: &[(&str, Option<&str>)]) -> Result<Self, Refusal> {
        let folder = base.join(path);
        let notes =
            names(&folder.join(NOTES)).map_err(|error| chart::unreadable(Path::new(NOTES), &error))?;
        let versions: Vec<&str> = charts.iter().filter_map(|(_, version)| *version).collect();
        let calendar: Vec<&str> = versions.iter().copied().filter(|version| is_calendar(version)).collect();
        let ours: HashSet<&str> = charts.iter().map(|(name, _)| *name).collect();
        let own = notes.iter().filter_map(|note| chart_of_own_note(note));
        let own = own.filter(|chart| ours.contains(chart)).count();
        let named = ours.iter().filter(|name| notes.contains(&format!("{name}.yaml"))).count();
        let has_check = folder.join(RENO_CHECK).is_file();
        let (charts, is_are) = (charts.len(), |count| if count == 1 { "is" } else { "are" });
        let (era, like, what) = if 2 * calendar.len() > versions.len() {
            let what = format!("{own} of the notes {} of one chart and one change", is_are(own));
            (if own > 0 { Era::Reno } else { Era::Calendar }, calendar, what)
        } else {
            let what = format!("{named} of {charts} charts have a note called after them");
            let what = if has_check { format!("{what}, and there is {RENO_CHECK}") } else { what };
            let is_asked = has_check || named > 0;
            let counted = versions.iter().copied().filter(|version| !is_calendar(version)).collect();
            (if is_asked { Era::Counted } else { Era::Before }, counted, what)
        };
        let like: &[&str] = &like;
        let version =
            like.first().map(|version| format!("{} of {charts} versions are like {version}, ", like.len()));
        let why = format!("{}{what}", version.unwrap_or_default());
        let sections = sections(&folder);
        Ok(Home { path: path.to_owned(), era, why, sections })
    }
}

/// The sections in the configuration of reno for the notes in `folder`: `- [nova, nova Chart]`.
fn sections(folder: &Path) -> Option<Vec<String>> {
    let text = chart::read_text(folder, CONFIG).ok()??;
    let config: serde_yaml::Value = serde_yaml::from_str(&text).ok()?;
    let name = |section: &serde_yaml::Value| Some(section.as_sequence()?.first()?.as_str()?.to_owned());
    Some(config.get("sections")?.as_sequence()?.iter().filter_map(name).collect())
}

/// The names in a folder; none, where there is no such folder.
fn names(folder: &Path) -> io::Result<HashSet<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Whether a chart's version is a year's, as `2024.2.0`.
fn is_calendar(version: &str) -> bool {
    let year = version.split('.').next().unwrap_or_default();
    year.len() == 4 && year.starts_with("20") && year.bytes().all(|byte| byte.is_ascii_digit())
}

/// The chart that `note` is of, as far as the name of the file tells: `reno new <chart>` makes such ones.
fn chart_of_own_note(note: &str) -> Option<&str> {
    let (chart, digits) = note.strip_suffix(".yaml")?.rsplit_once('-')?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == 16 && digits.bytes().all(is_digit)).then_some(chart)
}

/// What one chart has to do with release notes: its Chart.yaml, and its note.
#[derive(Clone, Debug)]
pub struct Release {
    /// What is asked for.
    pub era: Era,
    /// Chart.yaml.
    pub chart: Source,
    /// Where the chart's note belongs, seen from the chart's folder.
    pub path: PathBuf,
    /// The configuration that does not list the chart, although it lists others. Seen from the chart's folder.
    pub not_listed_in: Option<PathBuf>,
    /// What is in it, where it is there; or why it cannot be read.
    pub note: Result<Option<String>, Refusal>,
    /// The same, as git has it committed.
    pub committed: Committed,
}

impl Release {
    /// Reads what the chart called `name` in the folder `dir` has. `way` is what leads from there to
    /// the folder around the charts.
    ///
    /// # Errors
    /// Where Chart.yaml cannot be read.
    pub fn read(dir: &Path, name: &str, way: &Path, home: &Home) -> Result<Self, Refusal> {
        let file = match home.era {
            Era::Reno => format!("{name}-{}.yaml", digits(name)),
            _ => format!("{name}.yaml"),
        };
        let path = way.join(NOTES).join(file);
        let is_listed = home.sections.iter().all(|sections| sections.iter().any(|section| section == name));
        let not_listed_in = (!is_listed).then(|| way.join(CONFIG));
        let text = chart::read_text(dir, "Chart.yaml")?.unwrap_or_default();
        let chart = Source { path: PathBuf::from("Chart.yaml"), text };
        let note = path.to_str().map_or_else(
            || Err(Refusal::new(Reason::NotUtf8, Place::file(&path), "its name is not UTF-8", "rename it")),
            |path| chart::read_text(dir, path),
        );
        let committed = Committed { file: dir.join(&path), text: OnceLock::new() };
        Ok(Release { era: home.era, chart, path, not_listed_in, note, committed })
    }
}

/// A note as git has it committed. Git is asked only where that matters.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    file: PathBuf,
    text: OnceLock<Option<String>>,
}

impl Committed {
    /// Whether `line` is in it. What git does not have, or cannot tell, is not.
    #[must_use]
    pub fn has(&self, line: &str) -> bool {
        let text = self.text.get_or_init(|| guard::committed(&self.file));
        text.as_ref().is_some_and(|text| text.lines().any(|other| other.contains(line)))
    }
}

/// The 16 digits that tell the note of this chart from all others. They depend on the chart's name and
/// on what the note says and on nothing else, so that a second run comes to the same file. (FNV-1a.)
#[must_use]
pub fn digits(chart: &str) -> String {
    let bytes = chart.bytes().chain([0]).chain(TEXT.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
