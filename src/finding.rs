//! Findings: what is missing or wrong, where, and what to do about it. Everything that a user is told of a
//! chart is one of these, whoever noticed it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::{printable, shown};
use crate::yaml::{self, ErrorKind, Position};

/// Declares [`Id`] and lists all of its values.
macro_rules! ids {
    ($($name:ident = $id:literal,)*) => {
        /// What is found, as a short name that stays the same. docs/findings.md explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "docs/findings.md has them, for users")]
        pub enum Id { $($name,)* }

        impl Id {
            /// All ids, refusals first.
            pub const ALL: &'static [Id] = &[$(Id::$name,)*];

            /// The name: `wrong-key`.
            pub fn as_str(self) -> &'static str {
                match self { $(Id::$name => $id,)* }
            }
        }
    };
}

ids! {
    // Why a chart is refused: how its files are.
    Unreadable = "unreadable",
    NoFile = "no-file",
    TooLarge = "too-large",
    NotUtf8 = "not-utf-8",
    Metadata = "metadata",
    NoName = "no-name",
    BadName = "bad-name",
    SecretName = "secret-name",
    Link = "link",
    NoFolder = "no-folder",
    // How its values.yaml is.
    YamlNul = "yaml-nul",
    YamlSyntax = "yaml-syntax",
    YamlTab = "yaml-tab",
    YamlDepth = "yaml-depth",
    YamlSecondDocument = "yaml-second-document",
    YamlCharacter = "yaml-character",
    YamlKey = "yaml-key",
    YamlAliases = "yaml-aliases",
    BlockTwice = "block-twice",
    OpaqueKey = "opaque-key",
    Merged = "merged",
    Shared = "shared",
    NotAMapping = "not-a-mapping",
    FlowMapping = "flow-mapping",
    UnfinishedBlockScalar = "unfinished-block-scalar",
    NoLineOfItsOwn = "no-line-of-its-own",
    ParsersDisagree = "parsers-disagree",
    Unproven = "unproven",
    // How its templates are.
    SchemaForbids = "schema-forbids",
    TemplateNotText = "template-not-text",
    TemplateSyntax = "template-syntax",
    NoRootVariable = "no-root-variable",
    UnclearPullSecrets = "unclear-pull-secrets",
    UnclearMetadata = "unclear-metadata",
    // How its helm-toolkit is.
    ToolkitTooOld = "toolkit-too-old",
    ToolkitFileTaken = "toolkit-file-taken",
    ToolkitAccounts = "toolkit-accounts",
    ToolkitRefused = "toolkit-refused",
    // How its version and its release note are.
    UnclearVersion = "unclear-version",
    UnclearNote = "unclear-note",
    SharedFile = "shared-file",
    // What is missing or wrong in a chart.
    MissingSecretsEntry = "missing-secrets-entry",
    MissingEndpointsEntry = "missing-endpoints-entry",
    MissingManifestsSwitch = "missing-manifests-switch",
    MissingSecretTemplate = "missing-secret-template",
    BareServiceAccount = "bare-service-account",
    BarePod = "bare-pod",
    BareCustomResource = "bare-custom-resource",
    MissingToolkitFunction = "missing-toolkit-function",
    BareToolkitServiceAccount = "bare-toolkit-service-account",
    BareToolkitList = "bare-toolkit-list",
    WrongKey = "wrong-key",
    NoSecretName = "no-secret-name",
    SharedSecret = "shared-secret",
    NoBoolean = "no-boolean",
    IgnoredTemplate = "ignored-template",
    PackedToolkit = "packed-toolkit",
    ForeignTemplate = "foreign-template",
    UnknownFunction = "unknown-function",
    GarbledNumber = "garbled-number",
    ScriptPod = "script-pod",
    UnclearPod = "unclear-pod",
    UnclearAccount = "unclear-account",
    NotRead = "not-read",
    // What `verify` finds.
    DoesNotRender = "does-not-render",
    RenderDiffers = "render-differs",
    MissingValue = "missing-value",
    WrongSecret = "wrong-secret",
    AccountWithoutCredentials = "account-without-credentials",
    PodWithoutCredentials = "pod-without-credentials",
    ImageWithoutCredentials = "image-without-credentials",
    PlaceholderLogin = "placeholder-login",
    SecretNotMade = "secret-not-made",
    // What a change brings with it.
    LineChanged = "line-changed",
    HardLink = "hard-link",
    IgnoredByGit = "ignored-by-git",
    UnraisedVersion = "unraised-version",
    MissingReleaseNote = "missing-release-note",
    UnlistedSection = "unlisted-section",
    MissingPage = "missing-page",
    UnlistedPage = "unlisted-page",
    NoToctree = "no-toctree",
}

impl Id {
    /// Whether it is about the change that is planned, and not about the chart as it is.
    pub fn is_about_the_change(self) -> bool {
        self >= Id::LineChanged
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a finding means for its chart, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The chart is not changed: somebody has to look at it first.
    Refused,
    /// With authentication on, the chart does not pull all of its images.
    Error,
    /// The chart works, but somebody should look at it.
    Warning,
}

impl Severity {
    /// The level as linters call it: what is refused is an error to them.
    pub(crate) fn level(self) -> &'static str {
        match self {
            Severity::Refused | Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A file or folder, relative to what is shown, and a place in it where one is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Relative to [`Plan::base`](crate::Plan::base).
    pub path: PathBuf,
    /// Line and column.
    pub position: Option<Position>,
}

impl Location {
    pub(crate) fn file(path: impl AsRef<Path>) -> Self {
        Location { path: path.as_ref().to_owned(), position: None }
    }

    pub(crate) fn at(path: impl AsRef<Path>, position: Position) -> Self {
        Location { path: path.as_ref().to_owned(), position: Some(position) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.path))?;
        self.position.map_or(Ok(()), |position| write!(f, ":{position}"))
    }
}

/// One thing that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub location: Location,
    /// What it is called.
    pub id: Id,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What the reader can do, likewise.
    pub fix: String,
    /// Whether the plan mends it.
    pub is_planned: bool,
    /// The rule that found it.
    pub rule: Option<&'static str>,
}

impl Finding {
    pub(crate) fn refused(
        id: Id,
        location: Location,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Finding::new(Severity::Refused, id, location, &what.into(), &fix.into())
    }

    pub(crate) fn error(id: Id, location: Location, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding::new(Severity::Error, id, location, &what.into(), &fix.into())
    }

    pub(crate) fn warning(
        id: Id,
        location: Location,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Finding::new(Severity::Warning, id, location, &what.into(), &fix.into())
    }

    fn new(severity: Severity, id: Id, location: Location, what: &str, fix: &str) -> Self {
        // It may say what stands in a file, and is shown in many ways.
        let what = printable(what).into_owned();
        let fix = fix.lines().map(printable).collect::<Vec<_>>().join("\n");
        Finding { location, id, severity, what, fix, is_planned: false, rule: None }
    }

    /// Refuses a change that did not come out as meant: a defect of this program, which must not turn into a
    /// wrong file.
    pub(crate) fn unproven(path: &Path, why: impl fmt::Display) -> Self {
        let what = format!("no edit could be proven right: {why}");
        let fix = "add the entries by hand, and report this: it is a defect of this program";
        Finding::refused(Id::Unproven, Location::file(path), what, fix)
    }

    /// Refuses a file or folder that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let what = format!("cannot be read: {}", error.kind());
        Finding::refused(Id::Unreadable, Location::file(path), what, "check what it is and who may read it")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.location, self.what, self.advice())
    }
}

impl Finding {
    /// What the reader can do, for a terminal. Lines to copy stand below the sentence.
    pub(crate) fn advice(&self) -> String {
        self.fix.replace('\n', "\n    ")
    }

    /// Refuses what the YAML editor cannot read or edit.
    pub(crate) fn from_yaml(path: &Path, error: &yaml::Error) -> Self {
        const BY_HAND: &str = "write it as a block of `key: value` lines, or add the entries by hand";
        let (id, fix) = match error.kind {
            ErrorKind::Nul => (Id::YamlNul, "take the NUL character out"),
            ErrorKind::Syntax(_) => {
                (Id::YamlSyntax, "mend it (Helm is more lenient in places, other tools are not)")
            }
            ErrorKind::Unread(_) => (Id::YamlSyntax, "write it in another way"),
            ErrorKind::Tab => (Id::YamlTab, "indent with spaces"),
            ErrorKind::Depth(_) => (Id::YamlDepth, "nest less deeply, or add the entries by hand"),
            ErrorKind::SecondDocument => (
                Id::YamlSecondDocument,
                "Helm reads the first document only: move what is to count there and take the rest out",
            ),
            ErrorKind::Character(_) => {
                (Id::YamlCharacter, "take it out, or write it as an escape in double quotes")
            }
            ErrorKind::Key(_) => (Id::YamlKey, "make it a text, in quotes; a template does not work here"),
            ErrorKind::Aliases => (Id::YamlAliases, "write some of them out"),
            ErrorKind::OpaqueKey => (Id::OpaqueKey, "write the key out, in quotes"),
            ErrorKind::Merged => (Id::Merged, "write the entries out, in place of the `<<`"),
            ErrorKind::Shared => (Id::Shared, "write out one of the copies, or add the entries by hand"),
            ErrorKind::NotAMapping(_) => (Id::NotAMapping, BY_HAND),
            ErrorKind::FlowMapping => (Id::FlowMapping, BY_HAND),
            ErrorKind::UnfinishedBlockScalar => {
                (Id::UnfinishedBlockScalar, "put a line break at the end of the file")
            }
            ErrorKind::NoLineOfItsOwn => {
                (Id::NoLineOfItsOwn, "put each key on a line of its own (`key:`), or add the entries by hand")
            }
            ErrorKind::ParsersDisagree => {
                (Id::ParsersDisagree, "write it in another way, or add the entries by hand")
            }
            ErrorKind::Unproven(_) => {
                (Id::Unproven, "add the entries by hand, and report this: it is a defect of this program")
            }
        };
        Finding::refused(id, Location::at(path, error.position), error.to_string(), fix)
    }
}
