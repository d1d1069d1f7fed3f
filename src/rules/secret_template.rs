//! `templates/secret-registry.yaml`: has helm-toolkit make the Secret.

use memchr::memmem::{self, Finder};

use super::pull_secrets;
use super::rule::Proposals;
use crate::chart::Chart;
use crate::context::REGISTRY;
use crate::finding::{Finding, Id, Location};
use crate::options::Options;
use crate::source::{Source, is_partial};
use crate::template::actions::{Actions, Scope, text_in_quotes};
use crate::template::entry::Entry;
use crate::template::outline::Outline;
use crate::text::position;

/// The template as it goes into charts.
const TEMPLATE: &str = include_str!("../../templates/secret-registry.yaml");

pub(super) const FILE: &str = "templates/secret-registry.yaml";

const FUNCTION: &str = "helm-toolkit.manifests.secret_registry";

/// The drop-in, unless a template of the chart calls the function already: two of them would
/// make one Secret twice.
pub(super) fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let path = chart.path(FILE);
    let usual = chart.template(&path);
    let seen = chart.templates.iter().filter(|source| chart.beside.shows(chart.dir, &source.path));
    // Nearly always it is that one, and the others need no look.
    if let Some(call) = usual.into_iter().chain(seen).find_map(call) {
        if let Err((location, what)) = call {
            let fix = "take it out, so that `apply` adds the template of helm-toolkit";
            proposals.report(Finding::error(Id::ForeignTemplate, location, what, fix));
        }
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
    let name = chart.context.secret.clone().unwrap_or_default();
    if let Some(location) = chart.templates.iter().find_map(|source| own_secret(source, chart.name(), &name))
    {
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
    let pieces = actions.pieces.iter();
    let calls = pieces.clone().zip(pieces.skip(1)).filter_map(|(call, name)| {
        matches!(call.text, "include" | "template").then_some((text_in_quotes(name)?, name.start + 1))
    });
    let mut calls = calls.filter(|(name, _)| name.starts_with("helm-toolkit."));
    let unknown = chart.toolkit.and_then(|toolkit| calls.find(|(name, _)| !toolkit.defines(name)));
    if let Some((name, start)) = unknown {
        let what = format!("calls {name}, which helm-toolkit does not define: it does not render");
        let location = Location::at(&source.path, position(&source.text, start));
        return Finding::error(Id::UnknownFunction, location, what, FIX);
    }
    let what = "does not call helm-toolkit.manifests.secret_registry: kept as it is";
    Finding::error(Id::ForeignTemplate, Location::file(&source.path), what, FIX)
}

/// Where a template calls the function, or why that makes no Secret.
fn call(source: &Source) -> Option<Result<(), (Location, &'static str)>> {
    // What every call of the function has in it.
    memmem::find(source.text.as_bytes(), b"manifests.secret_registry")?;
    let actions = Actions::new(&source.text);
    let finder = Finder::new(FUNCTION);
    let wrong = |offset, what| Some(Err((Location::at(&source.path, position(&source.text, offset)), what)));
    if actions.defined().any(|name| name == FUNCTION) {
        let at = finder.find(source.text.as_bytes()).unwrap_or_default();
        return wrong(at, "defines a function of helm-toolkit, which Helm takes instead of that");
    }
    let call = actions.with_string(&finder).next()?;
    let conditions = actions.between(call.scope, Scope::FILE).map(|scope| actions.opening(scope));
    let conditions: Vec<&str> = conditions.collect();
    let asks = |condition: &&str| pull_secrets::written_out(&actions, condition).contains("secret_registry");
    if !conditions.is_empty() && !conditions.iter().any(asks) {
        let what = "calls helm-toolkit.manifests.secret_registry and does not ask for .Values.manifests.secret_registry";
        return wrong(call.range.start, what);
    }
    let is_rendered = !is_partial(&source.path)
        && actions.define(call.scope).is_none()
        && pull_secrets::are_of_registry(&actions, &conditions);
    let what = "calls helm-toolkit.manifests.secret_registry where Helm does not render it, or under another condition than that of the registry";
    if is_rendered { Some(Ok(())) } else { wrong(call.range.start, what) }
}

/// Where a template of `chart` makes a Secret for a registry that is called `secret`, or as the values say.
fn own_secret(source: &Source, chart: &str, secret: &str) -> Option<Location> {
    memmem::find(source.text.as_bytes(), b"kubernetes.io/dockerconfigjson")?;
    let outline = Outline::new(&source.path, &source.text);
    let ending = secret.strip_prefix(chart).filter(|ending| !ending.is_empty());
    let is_it = |name: &str| name.trim_matches(['"', '\'', ' ']) == secret;
    let is_computed =
        |value: &str| value.contains("{{") && ending.is_some_and(|ending| value.contains(ending));
    let mut names = outline.named("name");
    let name = names.find(|Entry { value, .. }| {
        let name = pull_secrets::written_out(&outline.actions, value);
        is_it(value) || is_it(&name) || name.contains(REGISTRY) || is_computed(value)
    })?;
    Some(outline.location(name.start))
}
