//! Custom resources whose operator runs images: a list of their own in those that are known, a warning for others.

use super::objects::{Outcome, Template};
use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::finding::{Finding, Id};
use crate::kinds::custom_resources;
use crate::metadata::Role;
use crate::options::Options;

pub(super) const RULE: Rule =
    Rule { name: "custom resources", role: Role::Application, is_required: false, run };

fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    for template in Template::all(chart, options) {
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
