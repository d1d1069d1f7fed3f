//! Custom resources whose operator runs images: a list of their own in those that are known, a warning for others.

use super::holder::{Holder, complete};
use super::pull_secrets;
use super::rule::Proposals;
use crate::chart::Chart;
use crate::finding::{Finding, Id};
use crate::kinds::{custom_resources, is_custom};
use crate::options::Options;
use crate::template::entry::Entry;
use crate::template::outline::Outline;

pub(super) fn run(chart: &Chart<'_>, _: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for outline in &chart.outlines {
        for version in outline.named("apiVersion") {
            let Some(api_version) = version.scalar().filter(|version| is_custom(version)) else { continue };
            let Some(entry) = outline.siblings(version).into_iter().find(|entry| entry.is("kind")) else {
                continue;
            };
            let kind = entry.scalar().unwrap_or_default();
            let rows = || custom_resources(api_version, kind);
            let parts: Vec<_> =
                rows().filter_map(|row| Some((row, mapping_at(outline, entry, row.path)?))).collect();
            if parts.is_empty() && runs_images(outline, entry, rows().next().is_some()) {
                let what =
                    "names an image, and nobody knows here where its operator looks for Secrets to pull with";
                let fix = "have it name the registry's Secret by hand";
                let location = outline.location(entry.start);
                proposals.report(Finding::warning(Id::BareCustomResource, location, what, fix));
            }
            for (row, object) in parts {
                let Some(edit) = complete(chart, outline, &object)? else { continue };
                let path = row.path.join(".");
                let what = format!("this {kind} has no credentials in `{path}` to pull its images with");
                let location = outline.location(object.found.start);
                let finding = Finding::error(Id::BareCustomResource, location, what, "`apply` adds them");
                proposals.edit(chart, outline.path, edit, finding);
            }
        }
    }
    Ok(())
}

/// The snippet of helm-toolkit that prints `image:`.
const IMAGE_SNIPPET: &str = "\"helm-toolkit.snippets.image\"";

/// Whether the object of this kind, which may be known to, runs images outside of containers, with no list for them.
fn runs_images(outline: &Outline<'_>, kind: &Entry<'_>, is_known: bool) -> bool {
    let is_image = |entry: &&Entry<'_>| entry.is("image") || entry.value.contains(IMAGE_SNIPPET);
    let is_read =
        |entry: &&Entry<'_>| entry.is("containers") || pull_secrets::is_for_registry(outline, entry);
    let inside = outline.object(kind);
    (is_known || inside.iter().any(is_image)) && !inside.iter().any(is_read)
}

/// The mapping at `path` of the object of this kind, where it is there and written in lines.
fn mapping_at<'o>(outline: &'o Outline<'o>, kind: &'o Entry<'o>, path: &[&str]) -> Option<Holder<'o>> {
    let (mut keys, mut found) = (outline.keys(kind), kind);
    for key in path {
        found = keys.into_iter().find(|entry| entry.is(key))?;
        keys = outline.children(found).collect();
    }
    if !found.is_open() || found.goes_on {
        return None;
    }
    let column = keys.first().map_or(found.column + 2, |first| first.column);
    Some(Holder { what: "a custom resource", found, keys, column, scope: found.scope, at: found.line_end })
}
