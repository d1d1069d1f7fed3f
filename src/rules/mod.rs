//! The kinds of changes that make up the migration.
//!
//! A rule looks at a chart and proposes edits, or says why it cannot. It writes nothing and knows
//! nothing of other rules. To add one, write its file and name it in [`RULES`].

mod accounts;
mod block;
mod custom_resources;
mod garbled;
mod holder;
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
use crate::metadata::Role::{Application, Toolkit};
use crate::options::Options;

/// All rules, in the order in which reports show them.
pub(crate) static RULES: &[Rule] = &[
    Rule { name: "secrets entry", role: Application, is_required: true, run: values::secrets },
    Rule { name: "endpoints entry", role: Application, is_required: true, run: values::endpoints },
    Rule { name: "manifests switch", role: Application, is_required: true, run: values::manifests },
    Rule { name: "Secret template", role: Application, is_required: true, run: secret_template::run },
    Rule { name: "own ServiceAccounts", role: Application, is_required: false, run: service_accounts::run },
    Rule { name: "pods without ServiceAccount", role: Application, is_required: false, run: pods::run },
    Rule { name: "custom resources", role: Application, is_required: false, run: custom_resources::run },
    Rule { name: "surroundings", role: Application, is_required: false, run: surroundings::run },
    Rule { name: "schema", role: Application, is_required: false, run: schema::run },
    Rule { name: "toolkit function", role: Toolkit, is_required: true, run: toolkit::function },
    Rule { name: "toolkit ServiceAccount", role: Toolkit, is_required: true, run: toolkit::service_account },
    Rule { name: "toolkit imagePullSecrets", role: Toolkit, is_required: false, run: toolkit::list },
    Rule {
        name: "toolkit's other ServiceAccounts",
        role: Toolkit,
        is_required: false,
        run: service_accounts::run,
    },
    Rule { name: "toolkit's pods without ServiceAccount", role: Toolkit, is_required: false, run: pods::run },
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
