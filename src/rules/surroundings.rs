//! What is around the templates and can undo what is added: `.helmignore`, a helm-toolkit that is packed or called
//! otherwise. It is reported, and not changed.

use super::rule::Proposals;
use super::secret_template;
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::helmignore::hiding;
use crate::metadata::TOOLKIT;
use crate::options::Options;

pub(super) fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let is_renamed = |name: &&str| *name != TOOLKIT && name.starts_with(TOOLKIT);
    let dependencies = chart.metadata.dependencies.iter().map(|dependency| dependency.name.as_str());
    if let Some(name) = dependencies.into_iter().find(is_renamed) {
        let what = format!("depends on {name}, a helm-toolkit by another name, which is not migrated");
        let fix = "call that chart helm-toolkit, or depend on helm-toolkit itself";
        let location = chart.metadata.name_at.clone();
        return Err(Finding::refused(Id::ToolkitRefused, location, what, fix));
    }
    if let Some(ignore) = &chart.beside.helmignore
        && let Some(line) = hiding(&ignore.text, secret_template::FILE)
    {
        let what = format!("`{line}` hides {} from Helm", secret_template::FILE);
        let location = Location::file(&ignore.path);
        proposals.report(Finding::error(Id::IgnoredTemplate, location, what, "take the line out"));
    }
    if let Some(packed) = &chart.beside.packed_toolkit {
        let what = "is a helm-toolkit that Helm takes as it is, and not the one that is migrated";
        let fix = "take it out, or pack it again: `helm dependency update`";
        proposals.report(Finding::warning(Id::PackedToolkit, Location::file(packed), what, fix));
    }
    Ok(())
}
