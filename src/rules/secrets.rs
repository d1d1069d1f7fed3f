//! `secrets.oci_image_registry.<chart>`: what the chart's Secret is called.

use super::top_level::{Block, wanted};
use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::Refusal;
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::yaml::{Kind, Node, Place};

/// Where the hand migration of 2022 put 44 of 46: last in the block `secrets` of an OpenStack
/// service, which lists its accounts by hand, and elsewhere in sorted place. A new block goes in
/// front of `endpoints`, else of `manifests`, as did 20 of 21.
pub(super) struct Secrets;

const ENTRY: &str = "oci_image_registry";

impl Rule for Secrets {
    fn name(&self) -> &'static str {
        "secrets entry"
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
        let Some(block) = Block::of(chart, "secrets")? else { return Ok(()) };
        let wanted = wanted(chart, options, "secrets")?;
        let additions = match block.node {
            Some(_) => block.complete(&wanted, place(&block.keys()))?,
            None => block.create(wanted, &["endpoints", "manifests"])?,
        };
        proposals.add(chart, FindingId::MissingSecretsEntry, additions);
        block.find_wrong_keys(&[ENTRY], chart.name, &[], proposals);
        if let Some(name) = block.find(&[ENTRY, chart.name])
            && let kind @ (Kind::Null | Kind::Mapping | Kind::List) = block.kind(name)
        {
            let place = block.place(name);
            let what = format!("the Secret's name is {kind}: the chart cannot pull");
            proposals.find(Finding::error(FindingId::NoSecretName, place, what, "give it one"));
        }
        Ok(())
    }
}

/// Where the entry goes among `keys`.
fn place(keys: &[(Node, &str)]) -> Place {
    let has = |name| keys.iter().any(|(_, key)| *key == name);
    if has("identity") && has("oslo_db") {
        return Place::Last;
    }
    let before = keys.iter().rev().find(|(_, key)| *key < ENTRY);
    before.map_or(Place::First, |(key, _)| Place::After(*key))
}
