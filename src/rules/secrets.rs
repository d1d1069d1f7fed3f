//! `secrets.oci_image_registry.<chart>`: what the chart's Secret is called.

use super::top_level::{Block, wanted};
use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::Refusal;
use crate::options::Options;
use crate::yaml::{Kind, Place};

/// Last in the block `secrets`; a new block goes in front of `endpoints`, else of `manifests`,
/// where the hand migration of 2022 put 20 of 21.
pub(super) struct Secrets;

impl Rule for Secrets {
    fn name(&self) -> &'static str {
        "secrets entry"
    }

    fn role(&self) -> Role {
        Role::Application
    }

    fn propose(&self, chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Refusal> {
        let Some(block) = Block::of(chart, "secrets")? else { return Ok(()) };
        let wanted = wanted(chart, options, "secrets")?;
        let additions = match block.node {
            Some(_) => block.complete(&wanted, Place::Last)?,
            None => block.create(wanted, &["endpoints", "manifests"])?,
        };
        proposals.additions.extend(additions);
        for (place, what) in block.wrong_keys(block.get("oci_image_registry"), chart.name, &[]) {
            proposals.warn(place, what);
        }
        if let Some(name) = block.find(&["oci_image_registry", chart.name])
            && let (kind @ (Kind::Null | Kind::Mapping | Kind::List), place) = block.describe(name)
        {
            proposals.warn(place, format!("the Secret's name is {kind}: give it one, or the chart cannot pull"));
        }
        Ok(())
    }
}
