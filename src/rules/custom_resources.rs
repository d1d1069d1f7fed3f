//! Custom resources whose operator runs images: a list of their own in those that are known, a warning for others.

use super::objects::{Object, Outcome, Template};
use super::pull_secrets;
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::finding::{Finding, Id};
use crate::kinds::custom_resources;
use crate::metadata::Role;
use crate::options::Options;
use crate::template::entry::Entry;

pub(super) const RULE: Rule =
    Rule { name: "custom resources", role: Role::Application, is_required: false, run };

fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for template in Template::all(chart) {
        for resource in template.resources() {
            let kind = resource.kind.scalar().unwrap_or_default();
            let rows = custom_resources(resource.api_version, kind);
            let objects: Vec<_> =
                rows.filter_map(|row| Some((row, template.resource_at(&resource, row.path)?))).collect();
            if objects.is_empty() && resource.has_image {
                let what =
                    "names an image, and nobody knows here where its operator looks for Secrets to pull with";
                let fix = "have it name the registry's Secret by hand";
                let location = template.location(resource.kind);
                proposals.report(Finding::warning(Id::BareCustomResource, location, what, fix));
            }
            for (row, object) in objects {
                match template.complete(&object) {
                    Outcome::Done => {}
                    Outcome::Edit(edit) => {
                        let path = row.path.join(".");
                        let what =
                            format!("this {kind} has no credentials in `{path}` to pull its images with");
                        let location = template.location(object.found);
                        let fix = "`apply` adds them";
                        let finding = Finding::error(Id::BareCustomResource, location, what, fix);
                        proposals.edit(chart, template.path, edit, finding);
                    }
                    Outcome::Refused(refusal) => return Err(refusal),
                }
            }
        }
    }
    Ok(())
}

/// Whether an API version is none of Kubernetes itself, whose groups have no dot or end in `.k8s.io`.
fn is_custom(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// The snippet of helm-toolkit that prints `image:`.
const IMAGE_SNIPPET: &str = "\"helm-toolkit.snippets.image\"";

/// An object by its kind.
struct Resource<'o> {
    api_version: &'o str,
    kind: &'o Entry<'o>,
    keys: Vec<(usize, &'o Entry<'o>)>,
    /// Whether an image is in it, outside of containers.
    has_image: bool,
}

impl<'o> Template<'o> {
    /// The custom resources: the objects of other API groups than Kubernetes' own.
    fn resources(&self) -> Vec<Resource<'o>> {
        let versions = self.outline.entries.iter().enumerate().filter(|(_, entry)| entry.is("apiVersion"));
        let resource = |(index, version): (usize, &'o Entry<'o>)| {
            let api_version = version.scalar().filter(|version| is_custom(version))?;
            let siblings = self.outline.siblings(index);
            let (index, kind) = siblings.into_iter().find(|(_, entry)| entry.is("kind"))?;
            let inside = self.all_inside(index, kind);
            let is_image =
                |(_, entry): &(usize, &Entry<'_>)| entry.is("image") || entry.value.contains(IMAGE_SNIPPET);
            let is_read = |(_, entry): &(usize, &Entry<'_>)| {
                let opening = self.outline.actions.opening(entry.scope);
                entry.is("containers") || pull_secrets::are_of_registry(&self.outline.actions, &[opening])
            };
            let is_known =
                kind.scalar().is_some_and(|kind| custom_resources(api_version, kind).next().is_some());
            let has_image = (is_known || inside.iter().any(is_image)) && !inside.iter().any(is_read);
            Some(Resource { api_version, kind, keys: self.keys(index, kind), has_image })
        };
        versions.filter_map(resource).collect()
    }

    /// The mapping at `path` of a resource, where it is there and written in lines.
    fn resource_at(&self, resource: &Resource<'o>, path: &[&str]) -> Option<Object<'o>> {
        let mut keys = resource.keys.clone();
        let mut mapping = resource.kind;
        for key in path {
            let (index, entry) = keys.iter().find(|(_, entry)| entry.is(key)).copied()?;
            keys = self.outline.children(index).collect();
            mapping = entry;
        }
        if !mapping.is_open() || mapping.goes_on {
            return None;
        }
        let column = keys.first().map_or(mapping.column + 2, |(_, first)| first.column);
        let (scope, at) = (mapping.scope, mapping.line_end);
        Some(Object { what: "a custom resource", found: mapping, keys, column, scope, at })
    }
}
