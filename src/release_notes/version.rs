//! Versions of charts, and how Chart.yaml writes its own.

use std::fmt;

use serde_yaml::Value;

use super::proof::is_right;
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::source::Source;
use crate::yaml::{Document, Step};

/// A version of three numbers, as charts had until November 2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u64; 3]);

impl Version {
    /// `None` for anything else, a pre-release among them: which version comes behind that is not for
    /// a program to say.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number: &u64| number.to_string() == text);
        let numbers: Option<Vec<u64>> = text.split('.').map(number).collect();
        Some(Version(numbers?.try_into().ok()?))
    }

    pub(super) fn next(self) -> Option<Self> {
        let Version([major, minor, patch]) = self;
        Some(Version([major, minor, patch.checked_add(1)?]))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The version in a Chart.yaml.
pub(super) struct WrittenVersion<'s> {
    source: &'s Source,
    pub(super) location: Location,
    /// Byte offset at which it begins, behind a quote.
    at: usize,
    pub(super) version: Version,
}

impl<'s> WrittenVersion<'s> {
    /// Finds the version in `source`, a Chart.yaml.
    ///
    /// # Errors
    /// A refusal where it is not three numbers, or is written in a way that is not known.
    pub(super) fn find(source: &'s Source) -> Result<Self, Finding> {
        let refuse = |location: Location, what: &str| Err(refusal(location, what));
        let document = Document::parse(&source.text);
        let node = document.as_ref().ok().and_then(|document| document.find(&[Step::Key("version")]));
        let (Ok(document), Some(node)) = (&document, node) else {
            return refuse(Location::file(&source.path), "is not to be found");
        };
        let location = Location::at(&source.path, document.position(node));
        let Some(version) = document.scalar(node).and_then(Version::parse) else {
            return refuse(location, "is not three numbers, as 0.1.0 is");
        };
        let text = source.text.get(document.offset(node)..).unwrap_or_default();
        let text = text.strip_prefix(['"', '\'']).unwrap_or(text);
        if !text.starts_with(&version.to_string()) {
            return refuse(location, "is written in a way that is not known");
        }
        Ok(WrittenVersion { source, location, at: source.text.len() - text.len(), version })
    }

    pub(super) fn unclear(&self, what: &str) -> Finding {
        refusal(self.location.clone(), what)
    }

    /// The edit that makes the version `to`, and changes nothing else: as another parser sees it, too.
    pub(super) fn raise(&self, to: Version) -> Result<Edit, Finding> {
        let text = &self.source.text;
        let (old, to) = (self.version.to_string(), to.to_string());
        let edit = Edit { range: self.at..self.at + old.len(), replacement: to.clone() };
        let mut wanted: Value = serde_yaml::from_str(text).unwrap_or_default();
        let seen = wanted.get_mut("version").filter(|version| version.as_str() == Some(&old));
        let is_seen = seen.map(|version| *version = Value::from(to.as_str())).is_some();
        if is_seen && is_right(text, &edit, &[Step::Key("version")], &to, &wanted) {
            return Ok(edit);
        }
        Err(self.unclear("cannot be changed without changing something else"))
    }
}

fn refusal(location: Location, what: &str) -> Finding {
    let fix = "mend it, or raise it by hand and leave out --release-notes";
    Finding::refused(Id::UnclearVersion, location, format!("the chart's version {what}"), fix)
}
