//! What comes out of `verify`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::compare::Difference;
use super::objects::Object;
use crate::finding::{Finding, Id, Location};
use crate::text::printable;

/// What a chart is rendered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Render {
    Default,
    /// Authentication on, and the operator names the registry's host.
    AuthOn,
}

impl Render {
    /// As in "with default values".
    pub(crate) fn name(self) -> &'static str {
        match self {
            Render::Default => "default values",
            Render::AuthOn => "authentication on",
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Render::Default => "default",
            Render::AuthOn => "auth-on",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) id: Id,
    pub(crate) render: Render,
    /// `Kind/name`
    pub(crate) object: Option<String>,
    /// The template that it comes from, or values.yaml, in the chart's folder.
    pub(crate) file: Option<PathBuf>,
    /// The place in the object where something differs, empty for the object as a whole.
    pub(crate) path: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(id: Id, render: Render, object: Option<&Object>, what: impl Into<String>) -> Self {
        Fault {
            id,
            render,
            object: object.map(|object| object.key.to_string()),
            file: object.map(|object| object.template.clone()),
            path: None,
            before: None,
            after: None,
            what: what.into(),
        }
    }

    pub(crate) fn differs(render: Render, difference: Difference) -> Self {
        let what = difference.to_string();
        let fault = Fault::new(Id::RenderDiffers, render, Some(&difference.object), what);
        let Difference { path, before, after, .. } = difference;
        Fault { path: Some(path), before, after, ..fault }
    }

    /// The finding in the chart in the folder `chart`.
    pub(crate) fn finding(&self, chart: &Path) -> Finding {
        let path = self.file.as_ref().map_or_else(|| chart.to_owned(), |file| chart.join(file));
        let fix = match self.id {
            Id::DoesNotRender => {
                "correct what Helm complains of; where it is a Secret template of another kind, --replace-templates replaces it"
            }
            Id::MissingValue => "set it in values.yaml",
            Id::WrongSecret => {
                "have the chart's template of the Secret call helm-toolkit.manifests.secret_registry as other charts do"
            }
            Id::AccountWithoutCredentials => {
                "have the template of the ServiceAccount name the Secret once in imagePullSecrets"
            }
            Id::PodWithoutCredentials => {
                "give the pod a ServiceAccount that the chart makes, or the Secret in imagePullSecrets"
            }
            _ => "have the template depend on authentication for the Secret and imagePullSecrets only",
        };
        Finding::error(self.id, Location::file(path), self.to_string(), fix)
    }

    /// Helm says in which template it fails, as in `nova/templates/job.yaml:9:24`.
    pub(crate) fn does_not_render(render: Render, what: &str) -> Self {
        let words = what.split([' ', '(', ')', ':']);
        let mut templates = words.filter_map(|word| word.split_once('/').map(|(_, template)| template));
        let file = templates.find(|path| path.contains("templates/")).map(PathBuf::from);
        Fault { file, ..Fault::new(Id::DoesNotRender, render, None, what) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {}: ", self.render.name())?;
        if let Some(object) = &self.object {
            write!(f, "{}: ", printable(object))?;
        }
        f.write_str(&printable(&self.what))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_whole = self.path.is_empty();
        if !is_whole {
            write!(f, "{}: ", self.path)?;
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = around_difference(before, after);
                write!(f, "{before} -> {after}")
            }
            (Some(_), None) if is_whole => f.write_str("is gone"),
            (None, _) if is_whole => f.write_str("is new"),
            (Some(before), None) => write!(f, "{} is gone", short(before)),
            (None, after) => write!(f, "{} is new", short(after.as_deref().unwrap_or("null"))),
        }
    }
}

/// How many characters of a text are shown.
const SHOWN: usize = 100;

fn short(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut}{dots}")
}

/// Two texts, from a little before the place where they differ.
fn around_difference(before: &str, after: &str) -> (String, String) {
    let common = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let start = if common > SHOWN / 2 { common - SHOWN / 4 } else { 0 };
    let from = |text: &str| {
        let dots = if start > 0 { "..." } else { "" };
        format!("{dots}{}", short(&text.chars().skip(start).collect::<String>()))
    };
    (from(before), from(after))
}

/// How much of a chart was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Objects that make pods.
    pub(crate) pods: usize,
    pub(crate) accounts: usize,
}

#[derive(Debug)]
pub(crate) enum Verdict {
    /// All is as it should be, with the edits of the plan where there are some.
    Proven {
        counts: Counts,
        is_planned: bool,
    },
    Faulty(Vec<Fault>),
    /// With the reason.
    NotVerified(String),
    /// With the reason.
    LeftAlone(&'static str),
}

/// A chart and what came out for it.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Its folder, relative to the base of the plan.
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// What else a reader should know.
    pub(crate) notes: BTreeSet<String>,
}

/// What came out for all charts, toolkits aside.
#[derive(Debug)]
pub(crate) struct Report {
    /// Sorted by path.
    pub(crate) charts: Vec<Verified>,
    /// How often Helm was called.
    pub(crate) renders: usize,
}
