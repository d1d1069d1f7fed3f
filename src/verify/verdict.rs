//! What comes out of `verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::compare::Difference;
use super::objects::Object;
use super::render::Render;
use crate::chart::VALUES;
use crate::chart_plan::ChartPlan;
use crate::finding::{Finding, Id, Location};
use crate::text::printable;

/// Something that is not as it should be.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) finding: Finding,
    /// The id of the render that shows it.
    pub(crate) render: &'static str,
    /// `Kind/name`
    pub(crate) object: Option<String>,
    /// What is wrong; the finding says where, too.
    pub(crate) what: String,
    pub(crate) difference: Option<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// All is as it should be, also against what there was before, where that is something else.
    Proven,
    /// There are faults.
    Faulty,
    NotVerified,
    LeftAlone,
}

/// What is found out about a chart.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// That it is left alone or cannot be verified, and why.
    pub(crate) stopped: Option<(Verdict, String)>,
    /// Whether there was something else before.
    pub(crate) is_changed: bool,
    pub(crate) faults: Vec<Fault>,
    /// What else a reader should know.
    pub(crate) notes: BTreeSet<String>,
    /// Objects that make pods.
    pub(crate) pods: usize,
    pub(crate) accounts: usize,
    /// The files of values that the checkout carries for it, with which it renders what it did.
    pub(crate) overrides: usize,
    /// With an operator's values: objects that make pods, and have images.
    pub(crate) pulling: usize,
    /// Those of them whose Secret the charts do not make, so that what is in it is not known here.
    pub(crate) unknown: usize,
    /// Those of them that have images without a login: these images, by reason.
    pub(crate) without: Vec<BTreeMap<String, BTreeSet<String>>>,
}

impl Verified {
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.stopped {
            Some((verdict, _)) => *verdict,
            None if self.faults.is_empty() => Verdict::Proven,
            None => Verdict::Faulty,
        }
    }

    /// Whether nothing in it pulls an image, with default values.
    pub(crate) fn is_empty(&self) -> bool {
        self.pods == 0 && self.accounts == 0
    }

    pub(crate) fn fault(&mut self, on: &Render<'_>, id: Id, object: Option<&Object>, what: &str) {
        self.add(on, id, object, what.to_owned(), None);
    }

    pub(crate) fn differs(&mut self, on: &Render<'_>, object: &Object, difference: Difference) {
        self.add(on, Id::RenderDiffers, Some(object), difference.to_string(), Some(difference));
    }

    pub(crate) fn does_not_render(&mut self, on: &Render<'_>, error: &str) {
        self.fault(on, Id::DoesNotRender, None, &format!("does not render: {error}"));
    }

    /// Adds a fault, unless another render has it too.
    fn add(
        &mut self,
        on: &Render<'_>,
        id: Id,
        object: Option<&Object>,
        what: String,
        difference: Option<Difference>,
    ) {
        let file = match object {
            Some(object) => Some(object.template.clone()),
            None if OF_VALUES.contains(&id) => Some(VALUES.into()),
            None => template_in(&what),
        };
        let path = file.map_or_else(|| on.copies.chart.path.clone(), |file| on.copies.chart.path.join(file));
        let object = object.map(|object| object.key.to_string());
        if self.faults.iter().any(|fault| (&fault.object, &fault.what) == (&object, &what)) {
            return;
        }
        let place = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        let message = printable(&format!("with {}: {place}{what}", on.name)).into_owned();
        let finding = Finding::error(id, Location::file(path), message, fix(id));
        self.faults.push(Fault { finding, render: on.id, object, what, difference });
    }
}

/// What is wrong in values.yaml, and in no object.
const OF_VALUES: [Id; 4] = [Id::MissingValue, Id::NoBoolean, Id::PlaceholderLogin, Id::SecretNotMade];

/// Helm says in which template it fails, as in `nova/templates/job.yaml:9:24`.
fn template_in(what: &str) -> Option<PathBuf> {
    let words = what.split([' ', '(', ')', ':']);
    let mut templates = words.filter_map(|word| word.split_once('/').map(|(_, template)| template));
    templates.find(|path| path.contains("templates/")).map(PathBuf::from)
}

fn fix(id: Id) -> &'static str {
    match id {
        Id::DoesNotRender => {
            "correct what Helm complains of; where it is a Secret template of another kind, --replace-templates replaces it"
        }
        Id::MissingValue => "set it in values.yaml",
        Id::NoBoolean => "write true or false, without quotes",
        Id::WrongSecret => {
            "have the chart's template of the Secret call helm-toolkit.manifests.secret_registry as other charts do"
        }
        Id::AccountWithoutCredentials => {
            "have the template of the ServiceAccount name the Secret once in imagePullSecrets"
        }
        Id::PodWithoutCredentials => {
            "give the pod a ServiceAccount that the chart makes, or the Secret in imagePullSecrets"
        }
        Id::ImageWithoutCredentials => {
            "spell host and port of the registry in the values exactly as the image does, or take the image from there"
        }
        Id::PlaceholderLogin => {
            "set the login: `osh-registry-auth overrides --username NAME --password-file FILE`"
        }
        Id::SecretNotMade => {
            "set endpoints.oci_image_registry.auth.enabled to true in these values; `osh-registry-auth overrides` writes them"
        }
        _ => "have the template depend on authentication for the Secret and imagePullSecrets only",
    }
}

/// What came out for all charts, toolkits aside.
#[derive(Debug)]
pub(crate) struct Report<'p> {
    /// Sorted by path.
    pub(crate) charts: Vec<(&'p ChartPlan, Verified)>,
    /// The revision that the charts are compared with, where that is not what the plan starts from.
    pub(crate) base: Option<String>,
    /// The charts that were there, and are no more.
    pub(crate) gone: Vec<PathBuf>,
    /// Whether they are rendered with an operator's values.
    pub(crate) is_operators: bool,
    /// How often Helm was called.
    pub(crate) renders: usize,
}
