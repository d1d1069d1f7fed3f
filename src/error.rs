//! What users read when something cannot be done, or should be looked at.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::yaml::Position;

/// A file, and a place in it where one is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file or folder.
    pub path: PathBuf,
    /// Line and column.
    pub position: Option<Position>,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        Place { path: path.as_ref().to_owned(), position: None }
    }

    /// A place in a file.
    #[must_use]
    pub fn at(path: impl AsRef<Path>, position: Position) -> Self {
        Place { path: path.as_ref().to_owned(), position: Some(position) }
    }

    /// The same place, its path seen from the folder that `prefix` is in.
    #[must_use]
    pub fn below(self, prefix: &Path) -> Self {
        Place { path: prefix.join(self.path), position: self.position }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.position.map_or(Ok(()), |position| write!(f, ":{position}"))
    }
}

/// Why a chart is not changed although it should be: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Where it is. Rules give paths relative to their chart, the plan makes them relative to
    /// what is shown.
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What the reader can do about it, likewise.
    pub advice: String,
}

impl Refusal {
    /// A refusal; see the fields.
    #[must_use]
    pub fn new(place: Place, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Refusal { place, what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.advice)
    }
}

impl std::error::Error for Refusal {}

/// Something that a maintainer should look at; it keeps nothing from being done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where it is.
    pub place: Place,
    /// What it is about.
    pub what: String,
}

impl Warning {
    /// A warning; see the fields.
    #[must_use]
    pub fn new(place: Place, what: impl Into<String>) -> Self {
        Warning { place, what: what.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Why a run ends before it could do what it was called for.
#[derive(Debug)]
pub enum Error {
    /// A file or folder could not be read or written.
    Io(PathBuf, std::io::Error),
    /// What the call names does not lead to any chart.
    NoChart(Vec<PathBuf>),
    /// A file was changed by somebody else between plan and write.
    Changed(PathBuf),
    /// Writing failed in the middle; what was written before was put back, or could not be.
    Undone(Box<Error>, Vec<PathBuf>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Error::NoChart(paths) => {
                let shown: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                write!(
                    f,
                    "no chart found in {}; name a checkout, a folder of charts or a chart (a folder with a Chart.yaml)",
                    shown.join(", ")
                )
            }
            Error::Changed(path) => {
                write!(f, "{}: changed while this program was at work; run it again", path.display())
            }
            Error::Undone(error, left) if left.is_empty() => {
                write!(f, "{error}\nnothing is changed: what was written before that was put back")
            }
            Error::Undone(error, left) => {
                write!(f, "{error}\nwhat was written before that could not all be put back; look at:")?;
                left.iter().try_for_each(|path| write!(f, "\n  {}", path.display()))
            }
        }
    }
}

impl std::error::Error for Error {}
