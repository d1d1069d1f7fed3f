//! What is missing or wrong in a chart. A plan shows those findings that it does not mend, as
//! warnings; `check` lists them all.

use std::fmt;

use crate::error::{Place, printable};
use crate::ids::ids;

ids! {
    /// Everything that can be found.
    FindingId {
        /// values.yaml lacks the name of the chart's Secret, under the chart's name.
        MissingSecretsEntry = "missing-secrets-entry",
        /// values.yaml lacks the registry, or the chart's login for it.
        MissingEndpointsEntry = "missing-endpoints-entry",
        /// values.yaml lacks the switch for the Secret.
        MissingManifestsSwitch = "missing-manifests-switch",
        /// No template of the chart makes the Secret.
        MissingSecretTemplate = "missing-secret-template",
        /// A ServiceAccount that the chart writes itself names no Secret to pull with.
        BareServiceAccount = "bare-service-account",
        /// A pod has neither a ServiceAccount nor a Secret to pull with.
        BarePod = "bare-pod",
        /// helm-toolkit lacks the function that makes the Secret.
        MissingToolkitFunction = "missing-toolkit-function",
        /// helm-toolkit's ServiceAccount names no Secret to pull with.
        BareToolkitServiceAccount = "bare-toolkit-service-account",
        /// An entry stands under a key that is not the chart's name, where nothing looks for it.
        WrongKey = "wrong-key",
        /// The name of the chart's Secret is null, or no name at all.
        NoSecretName = "no-secret-name",
        /// The template in the Secret's place does something else.
        ForeignTemplate = "foreign-template",
        /// The template in the Secret's place calls a function that helm-toolkit does not define.
        UnknownFunction = "unknown-function",
        /// A script makes a pod at run time.
        ScriptPod = "script-pod",
        /// Something looks like a pod without credentials.
        UnclearPod = "unclear-pod",
        /// A file in templates/ that cannot be read as text.
        NotRead = "not-read",
        /// A line of the owner's changes.
        LineChanged = "line-changed",
        /// A file that changes has other names.
        HardLink = "hard-link",
        /// The chart's version does not go up, although it changes.
        UnraisedVersion = "unraised-version",
        /// No release note says that the chart changes.
        MissingReleaseNote = "missing-release-note",
        /// Reno does not know the chart, so that its notes stay out of what it reports.
        UnlistedSection = "unlisted-section",
        /// The documentation does not tell operators how to switch authentication on.
        MissingPage = "missing-page",
        /// The page that tells them is in no list of pages.
        UnlistedPage = "unlisted-page",
        /// The documentation has no list of pages that the page could go into.
        NoToctree = "no-toctree",
    }
}

impl FindingId {
    /// Whether it is about the change that is planned, and not about the chart as it is.
    #[must_use]
    pub fn is_about_the_change(self) -> bool {
        matches!(
            self,
            FindingId::LineChanged
                | FindingId::HardLink
                | FindingId::UnraisedVersion
                | FindingId::MissingReleaseNote
                | FindingId::UnlistedSection
                | FindingId::MissingPage
                | FindingId::UnlistedPage
                | FindingId::NoToctree
        )
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// With authentication switched on, the chart does not pull its images, or not all of them.
    Error,
    /// Somebody should look at it; the chart works.
    Warning,
}

impl Level {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

/// One thing that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it is. Rules give paths relative to their chart, the plan makes them relative to
    /// what is shown.
    pub place: Place,
    /// What it is.
    pub id: FindingId,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What the reader can do about it, likewise.
    pub fix: String,
    /// Whether the plan mends it.
    pub is_planned: bool,
    /// The rule that found it.
    pub rule: Option<&'static str>,
}

impl Finding {
    /// What keeps the chart from pulling its images.
    #[must_use]
    pub fn error(id: FindingId, place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding::new(id, Level::Error, place, what.into(), fix.into())
    }

    /// What somebody should look at.
    #[must_use]
    pub fn warning(id: FindingId, place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding::new(id, Level::Warning, place, what.into(), fix.into())
    }

    fn new(id: FindingId, level: Level, place: Place, what: String, fix: String) -> Self {
        Finding { place, id, level, what, fix, is_planned: false, rule: None }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, printable(&self.what), printable(&self.fix))
    }
}
