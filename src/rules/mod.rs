//! The kinds of changes that make up the migration, one file each.
//!
//! A rule looks at a chart and proposes edits, or says why it cannot. It writes nothing and knows
//! nothing of other rules. To add one, write its file and name it in [`RULES`].

mod endpoints;
mod manifests;
mod pods;
mod proposals;
mod pull_secrets;
mod release_note;
mod secret_template;
mod secrets;
mod service_accounts;
mod toolkit_function;
mod toolkit_service_account;
mod top_level;

pub use proposals::{Change, Proposal, Proposals, Turn};

use memchr::memmem::Finder;

use crate::chart::{Chart, Role, Source};
use crate::error::{Place, Reason, Refusal};
use crate::options::Options;
use crate::yaml::Position;

/// All rules, in the order in which their insertions at one and the same place come out.
pub const RULES: &[&dyn Rule] = &[
    &secrets::Secrets,
    &endpoints::Endpoints,
    &manifests::Manifests,
    &secret_template::SecretTemplate,
    &service_accounts::ServiceAccounts,
    &pods::Pods,
    &release_note::ReleaseNote(Role::Application),
    &toolkit_function::ToolkitFunction,
    &toolkit_service_account::ToolkitServiceAccount,
    &release_note::ReleaseNote(Role::Toolkit),
];

/// One kind of change.
pub trait Rule: Sync {
    /// What it adds, as the summary calls it.
    fn name(&self) -> &'static str;

    /// Which charts it is for.
    fn role(&self) -> Role;

    /// Whether every such chart must have it, and not only those that need it.
    fn is_for_all(&self) -> bool {
        true
    }

    /// Whether it is at work only where the call asks for it.
    fn is_optional(&self) -> bool {
        false
    }

    /// Looks at `chart` and proposes what is missing. A chart that has everything gets nothing
    /// proposed: that is how a second run finds nothing to do.
    ///
    /// # Errors
    /// A [`Refusal`], where the chart must be looked at by a person first.
    fn propose(&self, chart: &Chart<'_>, options: &Options, proposals: &mut Proposals)
    -> Result<(), Refusal>;
}

/// Runs all rules for `chart`. A rule that refuses does not keep the others from being heard;
/// what several rules refuse for is said once.
#[must_use]
pub fn propose(chart: &Chart<'_>, options: &Options) -> (Proposals, Vec<Refusal>) {
    let mut proposals = Proposals::default();
    let mut refusals = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.role() == chart.role) {
        proposals.rule = rule.name();
        if let Err(refusal) = rule.propose(chart, options, &mut proposals)
            && !refusals.contains(&refusal)
        {
            refusals.push(refusal);
        }
    }
    (proposals, refusals)
}

/// How often a word that rules look for may stand in a template: each time it does, much of the
/// template is looked at. In OpenStack-Helm it is five times at most.
const MAX_HITS: usize = 200;

/// Byte offsets of `word` in a template.
///
/// # Errors
/// Where there are more than [`MAX_HITS`].
fn hits(source: &Source, word: &Finder<'_>) -> Result<Vec<usize>, Refusal> {
    let hits: Vec<usize> = word.find_iter(source.text.as_bytes()).take(MAX_HITS + 1).collect();
    match hits.get(MAX_HITS) {
        None => Ok(hits),
        Some(hit) => {
            let word = word.needle().trim_ascii().escape_ascii();
            Err(Refusal::new(
                Reason::TooMany,
                Place::at(&source.path, position(&source.text, *hit)),
                format!("`{word}` stands here more often than {MAX_HITS} times"),
                "split the template",
            ))
        }
    }
}

/// Where byte `offset` of `text` is.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
    let column = 1 + before.chars().rev().take_while(|character| *character != '\n').count();
    Position { line, column }
}
