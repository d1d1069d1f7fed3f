//! What becomes of one chart.

use std::path::{Path, PathBuf};

use crate::change::FileChange;
use crate::discover::Found;
use crate::finding::{Finding, Id, Location, Severity};
use crate::metadata::Role;
use crate::text::{printable, shown};

/// What becomes of one chart.
#[derive(Debug)]
pub struct ChartPlan {
    /// Its folder.
    pub path: PathBuf,
    /// Its name; the folder's, where it has none that could be read.
    pub name: String,
    /// Whether it is a chart or a toolkit.
    pub role: Role,
    /// Why it gets no changes, where it is not meant to have any.
    pub skipped: Option<&'static str>,
    /// What is missing or wrong, refusals included.
    pub findings: Vec<Finding>,
    /// How many findings are not among these, since a comment allows them.
    pub(crate) allowed: usize,
    /// The files that change, sorted by path.
    pub files: Vec<FileChange>,
    pub(crate) version: Option<String>,
    pub(crate) secret: Option<MadeSecret>,
    /// Whether it is inside of another chart.
    pub(crate) is_vendored: bool,
    /// The helm-toolkit that it depends on, where one was found: an index into [`Plan::charts`].
    pub(crate) toolkit: Option<usize>,
}

/// The Secret that a chart makes where authentication is on.
#[derive(Debug)]
pub(crate) struct MadeSecret {
    pub(crate) name: String,
    /// Whether a comment allows that another chart's has the same name.
    pub(crate) may_be_shared: bool,
}

/// What becomes of a chart, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not meant to have any changes, with the reason.
    LeftAlone(&'static str),
    /// It has everything.
    Complete,
    /// It has an error that this program does not mend, and nothing changes.
    Incomplete,
    /// It changes.
    Changed,
    /// It cannot be completed.
    Refused,
}

impl ChartPlan {
    /// Nothing is known yet but what its metadata say.
    pub(crate) fn new(found: &Found, toolkit: Option<usize>) -> Self {
        let folder = || found.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (name, version) = match &found.metadata {
            Ok(metadata) => (metadata.name.clone(), metadata.version.clone()),
            Err(_) => (folder().unwrap_or_else(|| ".".to_owned()), None),
        };
        ChartPlan {
            path: found.path.clone(),
            name,
            role: found.role(),
            skipped: None,
            findings: Vec::new(),
            allowed: 0,
            files: Vec::new(),
            version,
            secret: None,
            is_vendored: found.vendored_in.is_some(),
            toolkit: toolkit.filter(|_| found.role() == Role::Application),
        }
    }

    /// Its folder, as people call it: a chart that is all that the call names has a name, and not `.`.
    pub(crate) fn shown(&self) -> String {
        if self.path.as_os_str().is_empty() { printable(&self.name).into_owned() } else { shown(&self.path) }
    }

    /// What becomes of the chart, in a word.
    pub fn outcome(&self) -> Outcome {
        let worst = self.findings.iter().map(|finding| finding.severity).min();
        match (self.skipped, worst) {
            (Some(reason), _) => Outcome::LeftAlone(reason),
            (None, Some(Severity::Refused)) => Outcome::Refused,
            _ if !self.files.is_empty() => Outcome::Changed,
            (None, Some(Severity::Error)) => Outcome::Incomplete,
            _ => Outcome::Complete,
        }
    }

    /// Whether it has all that this program adds, or will have.
    pub(crate) fn is_completed(&self) -> bool {
        matches!(self.outcome(), Outcome::Changed | Outcome::Complete | Outcome::Incomplete)
    }

    /// Refuses the chart: none of its files change.
    pub(crate) fn refuse(&mut self, refusal: Finding) {
        self.findings.push(refusal);
        self.files.clear();
    }

    /// The folders around the chart, the nearest first. A copy inside of a chart has none: what
    /// happens to it is noted where it comes from.
    pub(crate) fn folders_around(&self) -> impl Iterator<Item = &Path> {
        self.path.ancestors().skip(1).filter(|_| !self.is_vendored)
    }

    pub(crate) fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Refused)
    }

    /// Where this toolkit is refused: why `chart`, which depends on it, is so too.
    pub(crate) fn refusal_for(&self, chart: &ChartPlan) -> Option<Finding> {
        let Finding { location, what, .. } = self.refusals().next()?;
        let fix = format!("see to that first: {location}: {what}");
        let what = format!("depends on {}, which is refused", shown(&self.path));
        Some(Finding::refused(Id::ToolkitRefused, Location::file(&chart.path), what, fix))
    }
}
