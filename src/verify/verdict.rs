//! What comes out of `verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::compare::Difference;
use super::objects::Object;
use super::render::Render;
use crate::chart::VALUES;
use crate::finding::{Finding, Id, Location};
use crate::plan::ChartPlan;
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

/// What is found out about a chart.
#[derive(Debug)]
pub(crate) struct Verified<'p> {
    pub(crate) chart: &'p ChartPlan,
    pub(crate) faults: Vec<Fault>,
    /// What else a reader should know.
    pub(crate) notes: BTreeSet<String>,
    /// Objects that make pods.
    pub(crate) pods: usize,
    pub(crate) accounts: usize,
    /// The files of values that the checkout carries for it, with which it renders what it did.
    pub(crate) overrides: usize,
    /// With an operator's values: one for each object that makes pods, and has images.
    pub(crate) pulls: Vec<Pull>,
}

impl<'p> Verified<'p> {
    pub(crate) fn new(chart: &'p ChartPlan) -> Self {
        Verified {
            chart,
            faults: Vec::new(),
            notes: BTreeSet::new(),
            pods: 0,
            accounts: 0,
            overrides: 0,
            pulls: Vec::new(),
        }
    }

    /// Whether nothing in it pulls an image, with default values.
    pub(crate) fn is_empty(&self) -> bool {
        self.pods == 0 && self.accounts == 0
    }

    pub(crate) fn fault(&mut self, with: &Render, id: Id, object: Option<&Object>, what: impl Into<String>) {
        self.add(with, id, object, what.into(), None);
    }

    pub(crate) fn differs(&mut self, with: &Render, object: &Object, difference: Difference) {
        self.add(with, Id::RenderDiffers, Some(object), difference.to_string(), Some(difference));
    }

    pub(crate) fn does_not_render(&mut self, with: &Render, error: &str) {
        self.fault(with, Id::DoesNotRender, None, format!("does not render: {error}"));
    }

    /// Adds a fault, unless another render has it too.
    fn add(
        &mut self,
        with: &Render,
        id: Id,
        object: Option<&Object>,
        what: String,
        difference: Option<Difference>,
    ) {
        let file = match object {
            Some(object) => Some(object.template.clone()),
            None if matches!(
                id,
                Id::MissingValue | Id::NoBoolean | Id::PlaceholderLogin | Id::SecretNotMade
            ) =>
            {
                Some(VALUES.into())
            }
            None => template_in(&what),
        };
        let path = file.map_or_else(|| self.chart.path.clone(), |file| self.chart.path.join(file));
        let object = object.map(|object| object.key.to_string());
        if self.faults.iter().any(|fault| (&fault.object, &fault.what) == (&object, &what)) {
            return;
        }
        let place = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        let message = printable(&format!("with {}: {place}{what}", with.name)).into_owned();
        let finding = Finding::error(id, Location::file(path), message, fix(id));
        self.faults.push(Fault { finding, render: with.id, object, what, difference });
    }
}

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

/// Whether the kubelet would pull the images of an object that makes pods.
#[derive(Debug)]
pub(crate) struct Pull {
    /// The images that there is no login for, each behind the reason.
    pub(crate) without: BTreeSet<(String, String)>,
    /// Whether its Secret is not made by the charts, so that what is in it is not known here.
    pub(crate) is_unknown: bool,
}

/// The same of all charts, as it is reported.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Pulls {
    /// Objects that make pods, and have images.
    pub(crate) pods: usize,
    /// Those of them with a login for each image.
    pub(crate) with_login: usize,
    pub(crate) unknown: usize,
    /// Sorted by reason.
    pub(crate) without: Vec<Without>,
    /// How many pods are without a login, by reason.
    #[serde(skip)]
    pub(crate) reasons: BTreeMap<String, usize>,
}

/// An image that there is no login for.
#[derive(Debug, Serialize)]
pub(crate) struct Without {
    pub(crate) image: String,
    pub(crate) reason: String,
    /// How many pods have it, by chart.
    pub(crate) pods: BTreeMap<String, usize>,
}

impl Pulls {
    pub(crate) fn of(charts: &[(Verdict, Verified<'_>)]) -> Self {
        let mut sum = Pulls::default();
        let mut images: BTreeMap<&(String, String), BTreeMap<String, usize>> = BTreeMap::new();
        for (_, found) in charts {
            for Pull { without, is_unknown } in &found.pulls {
                sum.pods += 1;
                match (without.is_empty(), is_unknown) {
                    (true, true) => sum.unknown += 1,
                    (true, false) => sum.with_login += 1,
                    (false, _) => {}
                }
                for reason in without.iter().map(|(reason, _)| reason).collect::<BTreeSet<_>>() {
                    *sum.reasons.entry(reason.clone()).or_default() += 1;
                }
                for image in without {
                    *images.entry(image).or_default().entry(found.chart.name.clone()).or_default() += 1;
                }
            }
        }
        sum.without = images
            .into_iter()
            .map(|(without, pods)| {
                let (reason, image) = without.clone();
                Without { image, reason, pods }
            })
            .collect();
        sum
    }
}

#[derive(Debug)]
pub(crate) enum Verdict {
    /// All is as it should be, also against what there was before, where that is something else.
    Proven { is_changed: bool },
    /// There are faults.
    Faulty,
    /// With the reason.
    NotVerified(String),
    /// With the reason.
    LeftAlone(&'static str),
}

/// What came out for all charts, toolkits aside.
#[derive(Debug)]
pub(crate) struct Report<'p> {
    /// Sorted by path.
    pub(crate) charts: Vec<(Verdict, Verified<'p>)>,
    /// The revision that the charts are compared with, where that is not what the plan starts from.
    pub(crate) base: Option<String>,
    /// The charts that were there, and are no more.
    pub(crate) gone: Vec<PathBuf>,
    /// With an operator's values: whether the kubelet would pull.
    pub(crate) pulls: Option<Pulls>,
    /// How often Helm was called.
    pub(crate) renders: usize,
}

impl Report<'_> {
    /// How many charts do not render, so that nothing is known of their pods.
    pub(crate) fn not_rendered(&self) -> usize {
        let is_without = |(verdict, found): &&(Verdict, Verified<'_>)| {
            matches!(verdict, Verdict::NotVerified(_))
                || found.faults.iter().any(|fault| fault.finding.id == Id::DoesNotRender)
        };
        self.charts.iter().filter(is_without).count()
    }
}
