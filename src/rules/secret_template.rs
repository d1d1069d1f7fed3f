//! `templates/secret-registry.yaml`: has helm-toolkit make the Secret.

use std::path::Path;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::{Proposals, Rule, position};
use crate::chart::{Chart, Role, Source};
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::shape::Action;
use crate::template::{self, Word};

/// The template as it goes into charts.
const TEMPLATE: &str = include_str!("../../templates/secret-registry.yaml");

/// Where it goes.
pub(super) const PATH: &str = "templates/secret-registry.yaml";

/// What every call of the toolkit's function has in it.
static CALLED: Word = Word::new(|| Finder::new("manifests.secret_registry\""));

/// A call of the toolkit's function.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    template::constant_regex(r#"(include|template)[ \t\r\n]+"helm-toolkit\.manifests\.secret_registry""#)
});

/// A call of any function of the toolkit.
static ANY_CALL: LazyLock<Regex> =
    LazyLock::new(|| template::constant_regex(r#"(?:include|template)[ \t\r\n]+"(helm-toolkit\.[^"]*)""#));

/// The drop-in, unless a template of the chart calls the function already: two of them would
/// make one Secret twice.
pub(super) struct SecretTemplate;

impl Rule for SecretTemplate {
    fn name(&self) -> &'static str {
        "Secret template"
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
        let calls = |text: &str| {
            CALLED.find(text.as_bytes()).is_some() && CALL.is_match(&template::without_comments(text))
        };
        let path = Path::new(PATH);
        let usual = chart.templates.iter().find(|source| source.path.as_os_str() == PATH);
        // Nearly always it is that one, and the others need no look.
        if usual.into_iter().chain(chart.templates).any(|source| calls(&source.text)) {
            return Ok(());
        }
        match usual {
            None => {
                if let Some(what) = chart.other(path) {
                    let what = format!("{what}, where the Secret template belongs");
                    let advice = "make it a plain file, or move it away";
                    return Err(Refusal::new(Reason::TemplateNotText, Place::file(path), what, advice));
                }
            }
            Some(source) => {
                let finding = foreign(chart, source);
                if options.replace_templates {
                    proposals.write(path, TEMPLATE, Action::Replace, finding);
                } else {
                    proposals.find(finding);
                }
                return Ok(());
            }
        }
        let what = "the template that makes the Secret is missing";
        let finding =
            Finding::error(FindingId::MissingSecretTemplate, Place::file(path), what, "`apply` adds it");
        proposals.write(path, TEMPLATE, Action::Create, finding);
        Ok(())
    }
}

/// What is wrong with a template in the Secret's place that does not call the function.
fn foreign(chart: &Chart<'_>, source: &Source) -> Finding {
    const FIX: &str = "`--replace-templates` replaces it";
    let text = template::without_comments(&source.text);
    let mut calls = ANY_CALL.captures_iter(&text).filter_map(|call| call.get(1));
    let unknown = chart.toolkit.and_then(|toolkit| calls.find(|call| !toolkit.defines(call.as_str())));
    if let Some(call) = unknown {
        let what = format!("calls {}, which helm-toolkit does not define: it does not render", call.as_str());
        let place = Place::at(&source.path, position(&source.text, call.start()));
        return Finding::error(FindingId::UnknownFunction, place, what, FIX);
    }
    let what = "does not call helm-toolkit.manifests.secret_registry: kept as it is";
    Finding::error(FindingId::ForeignTemplate, Place::file(&source.path), what, FIX)
}
