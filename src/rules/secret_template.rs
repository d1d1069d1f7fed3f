//! `templates/secret-registry.yaml`: has helm-toolkit make the Secret.

use memchr::memmem::Finder;

use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template::Word;
use crate::template::actions::Actions;
use crate::template::entry::Entry;
use crate::template::outline::Outline;
use crate::text::position;

/// The drop-in, unless a template of the chart calls the function already: two of them would
/// make one Secret twice.
pub(super) const RULE: Rule =
    Rule { name: "Secret template", role: Role::Application, is_required: true, run };

/// The template as it goes into charts.
const TEMPLATE: &str = include_str!("../../templates/secret-registry.yaml");

pub(super) const FILE: &str = "templates/secret-registry.yaml";

const FUNCTION: &str = "helm-toolkit.manifests.secret_registry";

/// What every call of the function has in it.
static CALLED: Word = Word::new(|| Finder::new("manifests.secret_registry"));

/// The type of the Secret.
static TYPE: Word = Word::new(|| Finder::new("kubernetes.io/dockerconfigjson"));

fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let calls = |source: &Source| {
        CALLED.find(source.text.as_bytes()).is_some()
            && Actions::new(&source.text).calls().any(|(name, _)| name == FUNCTION)
    };
    let path = chart.path(FILE);
    let usual = chart.template(&path);
    // Nearly always it is that one, and the others need no look.
    if usual.into_iter().chain(chart.templates).any(calls) {
        return Ok(());
    }
    if let Some(source) = usual {
        let finding = foreign(chart, source);
        if options.replace_templates {
            proposals.write(chart, FILE, TEMPLATE, finding);
        } else {
            proposals.report(finding);
        }
        return Ok(());
    }
    if let Some(location) = chart.templates.iter().find_map(own_secret) {
        let what = "makes a Secret of the registry's name, and not by helm-toolkit.manifests.secret_registry";
        let fix = "take it out, so that `apply` adds the template of helm-toolkit; or make sure that it is the Secret that the values say";
        proposals.report(Finding::error(Id::ForeignTemplate, location, what, fix));
        return Ok(());
    }
    if let Some(why) = chart.unread(&path) {
        let what = format!("{why}, where the Secret template belongs");
        let fix = "make it a plain file, or move it away";
        return Err(Finding::refused(Id::TemplateNotText, Location::file(path), what, fix));
    }
    let what = "the template that makes the Secret is missing";
    let finding = Finding::error(Id::MissingSecretTemplate, Location::file(path), what, "`apply` adds it");
    proposals.write(chart, FILE, TEMPLATE, finding);
    Ok(())
}

/// Reports a template in the Secret's place that does not call the function.
fn foreign(chart: &Chart<'_>, source: &Source) -> Finding {
    const FIX: &str = "`--replace-templates` replaces it";
    let actions = Actions::new(&source.text);
    let mut calls = actions.calls().filter(|(name, _)| name.starts_with("helm-toolkit."));
    let unknown = chart.toolkit.and_then(|toolkit| calls.find(|(name, _)| !toolkit.defines(name)));
    if let Some((name, start)) = unknown {
        let what = format!("calls {name}, which helm-toolkit does not define: it does not render");
        let location = Location::at(&source.path, position(&source.text, start));
        return Finding::error(Id::UnknownFunction, location, what, FIX);
    }
    let what = "does not call helm-toolkit.manifests.secret_registry: kept as it is";
    Finding::error(Id::ForeignTemplate, Location::file(&source.path), what, FIX)
}

/// Where a template makes a Secret for a registry whose name is that of the values.
fn own_secret(source: &Source) -> Option<Location> {
    TYPE.find(source.text.as_bytes())?;
    let outline = Outline::new(&source.text);
    let is_registry = |entry: &&Entry<'_>| entry.is("name") && entry.value.contains("oci_image_registry");
    let name = outline.entries.iter().find(is_registry)?;
    Some(Location::at(&source.path, position(&source.text, name.start)))
}
