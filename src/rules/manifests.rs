//! `manifests.secret_registry`: whether the chart makes the Secret itself.

use super::top_level::{Block, wanted};
use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::Refusal;
use crate::finding::FindingId;
use crate::options::Options;
use crate::yaml::Place;

/// Behind the last `secret_*` that sorts before it, else in sorted place, which is where the hand
/// migration of 2022 put 60 of 66. A new block goes behind everything.
pub(super) struct Manifests;

const SWITCH: &str = "secret_registry";

impl Rule for Manifests {
    fn name(&self) -> &'static str {
        "manifests switch"
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
        let Some(block) = Block::of(chart, "manifests")? else { return Ok(()) };
        let wanted = wanted(chart, options, "manifests")?;
        if block.node.is_none() {
            proposals.add(chart, FindingId::MissingManifestsSwitch, block.create(wanted, &[])?);
            return Ok(());
        }
        let keys = block.keys();
        let relative = keys.iter().rev().find(|(_, key)| key.starts_with("secret_") && *key < SWITCH);
        let greater = keys.iter().find(|(_, key)| *key > SWITCH);
        let place = match (relative, greater) {
            (Some((key, _)), _) => Place::After(*key),
            (None, Some((key, _))) => Place::Before(*key),
            (None, None) => Place::Last,
        };
        proposals.add(chart, FindingId::MissingManifestsSwitch, block.complete(&wanted, place)?);
        Ok(())
    }
}
