//! The kinds of changes that make up the migration.
//!
//! A rule looks at a chart and proposes edits, or says why it cannot. It writes nothing and knows
//! nothing of other rules. To add one, write its file and name it in [`RULES`].

mod accounts;
mod block;
mod custom_resources;
mod garbled;
mod objects;
mod pods;
mod pull_secrets;
mod rule;
mod schema;
mod secret_template;
mod service_accounts;
mod surroundings;
mod toolkit;
mod values;

pub(crate) use block::{PORT, SECRET_NAME};
pub(crate) use rule::{Proposal, Proposals, Rule};

use crate::chart::Chart;
use crate::finding::Finding;
use crate::options::Options;

/// All rules, in the order in which reports show them.
pub(crate) static RULES: &[Rule] = &[
    values::SECRETS,
    values::ENDPOINTS,
    values::MANIFESTS,
    secret_template::RULE,
    service_accounts::RULE,
    pods::RULE,
    custom_resources::RULE,
    surroundings::RULE,
    schema::RULE,
    toolkit::FUNCTION,
    toolkit::SERVICE_ACCOUNT,
    toolkit::LIST,
    service_accounts::OF_TOOLKIT,
    pods::OF_TOOLKIT,
];

/// Runs all rules for `chart`. A rule that refuses does not keep the others from being heard.
pub(crate) fn run(chart: &Chart<'_>, options: &Options) -> Proposals {
    let mut proposals = Proposals::default();
    for rule in RULES.iter().filter(|rule| rule.role == chart.metadata.role()) {
        proposals.rule = rule.name;
        if let Err(refusal) = (rule.run)(chart, options, &mut proposals) {
            // What several rules refuse for is said once.
            let is_same =
                |other: &Finding| (&other.location, &other.what) == (&refusal.location, &refusal.what);
            if !proposals.findings.iter().any(is_same) {
                proposals.report(refusal);
            }
        }
    }
    proposals
}
