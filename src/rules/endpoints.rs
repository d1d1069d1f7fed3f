//! `endpoints.oci_image_registry`: where the registry is, and the login of the chart.

use super::top_level::{Block, wanted};
use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::Refusal;
use crate::finding::FindingId;
use crate::options::Options;
use crate::yaml::Place;

/// Behind `local_image_registry`, else behind `cluster_domain_suffix`, as in all 65 charts of the
/// hand migration of 2022. A new block goes in front of `manifests`.
pub(super) struct Endpoints;

/// The registry's host is `<name>.<namespace>.svc.<cluster_domain_suffix>` where nothing else is
/// set, so that it cannot do without. It is in every chart of OpenStack-Helm that has endpoints.
const SUFFIX: &str = "cluster_domain_suffix";

impl Rule for Endpoints {
    fn name(&self) -> &'static str {
        "endpoints entry"
    }

    fn role(&self) -> Role {
        Role::Application
    }

    fn propose(
        &self,
        chart: &Chart<'_>,
        options: &Options,
        proposals: &mut Proposals,
    ) -> Result<(), Refusal> {
        let Some(block) = Block::of(chart, "endpoints")? else { return Ok(()) };
        let mut wanted = wanted(chart, options, "endpoints")?;
        let keys = block.keys();
        let key = |name: &str| keys.iter().rev().find(|(_, key)| *key == name).map(|(node, _)| *node);
        let additions = if block.node.is_none() {
            block.create(wanted, &["manifests"])?
        } else if keys.is_empty() || !block.has(SUFFIX) {
            block.complete(&wanted, Place::First)?
        } else {
            wanted.retain(|entry| entry.key() != SUFFIX);
            let neighbour = key("local_image_registry").or_else(|| key(SUFFIX));
            block.complete(&wanted, neighbour.map_or(Place::Last, Place::After))?
        };
        proposals.add(chart, FindingId::MissingEndpointsEntry, additions);
        block.find_wrong_keys(&["oci_image_registry", "auth"], chart.name, &["enabled"], proposals);
        Ok(())
    }
}
