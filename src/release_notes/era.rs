//! Which era a checkout is from, as the versions of its charts and the names of its release notes show.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::chart_plan::ChartPlan;
use crate::finding::Finding;
use crate::source::{names_in, read_text};
use crate::yaml::{Document, Step};

/// Where release notes are, in the folder around the charts.
pub(super) const NOTES: &str = "releasenotes/notes";

/// What reno knows of the notes.
pub(super) const CONFIG: &str = "releasenotes/config.yaml";

/// What the note is called that is about several charts: `reno new common`.
pub(super) const COMMON: &str = "common";

/// The script that asks for a line in a note.
const RENO_CHECK: &str = "tools/gate/reno-check.sh";

/// What a checkout asks for where a chart changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
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

/// The folder around charts that their release notes are in.
#[derive(Debug)]
pub(super) struct NotesRoot {
    /// Relative to the plan's base.
    pub(super) path: PathBuf,
    pub(super) era: Era,
    /// Whether one note is for all charts that a change is about.
    pub(super) has_common: bool,
    /// What shows it, for people.
    pub(super) evidence: String,
    /// The keys that reno takes in a note, where its configuration lists them.
    pub(super) sections: Option<Vec<String>>,
}

/// Whether release notes of charts in `folder`, or deeper, are kept in it, or are asked for.
pub(super) fn is_root(folder: &Path) -> bool {
    folder.join("releasenotes").is_dir() || folder.join(RENO_CHECK).is_file()
}

impl NotesRoot {
    /// What is done about it, for people.
    pub(super) fn explain(&self) -> &'static str {
        match self.era {
            Era::Before => "none, since nothing here asks for them",
            Era::Counted => {
                "the version of each changed chart goes up, and its note gets a line, as until November 2024"
            }
            Era::Calendar => "none, and versions stay, as since December 2024",
            Era::Reno if self.has_common => {
                "a chart that changes alone gets a note, several have one in common, as since 2025"
            }
            Era::Reno => "each changed chart gets a note of its own, as since 2025",
        }
    }

    /// Looks at the folder `base`/`path`, which is around `charts`.
    ///
    /// # Errors
    /// A refusal where the folder of the notes or reno's configuration cannot be read.
    pub(super) fn read(base: &Path, path: &Path, charts: &[(usize, &ChartPlan)]) -> Result<Self, Finding> {
        let notes = names_in(&base.join(path).join(NOTES))
            .map_err(|error| Finding::unreadable(&path.join(NOTES), &error))?;
        let versions: Vec<&str> = charts.iter().filter_map(|(_, chart)| chart.version.as_deref()).collect();
        let (calendar, counted): (Vec<&str>, Vec<&str>) =
            versions.iter().partition(|version| is_calendar(version));
        let ours: HashSet<&str> = charts.iter().map(|(_, chart)| chart.name.as_str()).collect();
        let own: Vec<&str> = notes.iter().filter_map(|note| chart_of_own_note(note)).collect();
        let named = ours.iter().filter(|name| notes.contains(&format!("{name}.yaml"))).count();
        let count = charts.len();
        let config = read_text(base, &path.join(CONFIG))?.unwrap_or_default();
        let has_common = config.contains("reno new common") || own.contains(&COMMON);
        let own = own.into_iter().filter(|chart| ours.contains(chart)).count();
        let (era, alike, what) = if calendar.len() > counted.len() {
            let is_are = if own == 1 { "is" } else { "are" };
            let what = format!("{own} of the notes {is_are} of one chart and one change");
            (if own > 0 || has_common { Era::Reno } else { Era::Calendar }, calendar, what)
        } else {
            let mut what = format!("{named} of {count} charts have a note called after them");
            let has_check = base.join(path).join(RENO_CHECK).is_file();
            if has_check {
                what = format!("{what}, and there is {RENO_CHECK}");
            }
            (if has_check || named > 0 { Era::Counted } else { Era::Before }, counted, what)
        };
        let alike =
            alike.first().map(|version| format!("{} of {count} versions are like {version}, ", alike.len()));
        let evidence = format!("{}{what}", alike.unwrap_or_default());
        Ok(NotesRoot { path: path.to_owned(), era, has_common, evidence, sections: sections(&config) })
    }
}

/// The sections in the configuration of reno: `- [nova, nova Chart]`.
fn sections(config: &str) -> Option<Vec<String>> {
    let config = Document::parse(config).ok()?;
    let list = config.find(&[Step::Key("sections")])?;
    let name = |section| Some(config.scalar(config.children(section).next()?)?.to_owned());
    Some(config.children(list).filter_map(name).collect())
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
