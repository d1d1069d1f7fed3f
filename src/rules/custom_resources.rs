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
            let rows = custom_resources(resource.api_version, resource.kind.scalar().unwrap_or_default());
            let mut is_known = false;
            for row in rows {
                is_known = true;
                let Some(object) = template.resource_at(&resource, row.path) else { continue };
                match template.complete(&object) {
                    Outcome::Done => {}
                    Outcome::Edit(edit) => {
                        let what = format!(
                            "this custom resource has no credentials in {} to pull its images with",
                            row.path.join(".")
                        );
                        let location = template.location(object.found);
                        let fix = "`apply` adds them";
                        let finding = Finding::error(Id::BareCustomResource, location, what, fix);
                        proposals.edit(chart, template.path, edit, finding);
                    }
                    Outcome::Refused(refusal) => return Err(refusal),
                }
            }
            if !is_known && resource.has_image {
                let what = "names an image, and is of no kind that is known to run one: what it makes gets no credentials from here";
                let fix = "have it name the registry's Secret where its operator looks for it";
                let location = template.location(resource.kind);
                proposals.report(Finding::warning(Id::BareCustomResource, location, what, fix));
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
            let is_image = |entry: &&Entry<'_>| entry.is("image") || entry.value.contains(IMAGE_SNIPPET);
            let is_read = |entry: &&Entry<'_>| {
                let opening = self.outline.actions.opening(entry.scope);
                entry.is("containers") || pull_secrets::are_of_registry(&self.outline.actions, &[opening])
            };
            let has_image = inside.iter().any(is_image) && !inside.iter().any(is_read);
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
        let column = keys.first().map_or(mapping.column + 2, |(_, first)| first.column);
        let (scope, at) = (mapping.scope, mapping.line_end);
        Some(Object { what: "a custom resource", found: mapping, keys, column, scope, at })
    }
}
