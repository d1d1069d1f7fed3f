//! `helm-toolkit.manifests.secret_registry`: the function that makes the Secret.

use std::path::Path;

use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::shape::Action;

/// The function as it goes into the toolkit.
const FUNCTION: &str = include_str!("../../templates/helm-toolkit/secret-registry.yaml.tpl");

/// Where it goes.
const PATH: &str = "templates/manifests/_secret-registry.yaml.tpl";

/// The function in a file of its own, unless some file defines it already.
pub(super) struct ToolkitFunction;

impl Rule for ToolkitFunction {
    fn name(&self) -> &'static str {
        "toolkit function"
    }

    fn role(&self) -> Role {
        Role::Toolkit
    }

    fn propose(&self, chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        if !defines(chart, "helm-toolkit.endpoints.endpoint_host_lookup") {
            return Err(Refusal::new(
                Reason::ToolkitTooOld,
                Place::file("templates"),
                "this helm-toolkit does not define helm-toolkit.endpoints.endpoint_host_lookup, which the Secret needs",
                "take a helm-toolkit of July 2018 or later",
            ));
        }
        if defines(chart, "helm-toolkit.manifests.secret_registry") {
            return Ok(());
        }
        let path = Path::new(PATH);
        if chart.templates.iter().any(|source| source.path == path) || chart.other(path).is_some() {
            return Err(Refusal::new(
                Reason::ToolkitFileTaken,
                Place::file(path),
                "is there, but does not define helm-toolkit.manifests.secret_registry",
                "move it away, or add the function by hand",
            ));
        }
        let what = "the function that makes the Secret is missing: helm-toolkit.manifests.secret_registry";
        let finding =
            Finding::error(FindingId::MissingToolkitFunction, Place::file(path), what, "`apply` adds it");
        proposals.write(path, FUNCTION, Action::Create, finding);
        Ok(())
    }
}

/// Whether a template of the chart defines `function`.
pub(super) fn defines(chart: &Chart<'_>, function: &str) -> bool {
    let definition = format!("define \"{function}\"");
    chart
        .templates
        .iter()
        .any(|source| memchr::memmem::find(source.text.as_bytes(), definition.as_bytes()).is_some())
}
