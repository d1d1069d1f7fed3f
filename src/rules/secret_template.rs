//! `templates/secret-registry.yaml`: has helm-toolkit make the Secret.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::{Proposals, Rule};
use crate::chart::{Chart, Role};
use crate::error::{Place, Reason, Refusal};
use crate::options::Options;
use crate::template;

/// The template as it goes into charts.
const TEMPLATE: &str = include_str!("../../templates/secret-registry.yaml");

/// Where it goes.
pub(super) const PATH: &str = "templates/secret-registry.yaml";

/// A call of the toolkit's function.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    template::constant_regex(r#"(include|template)\s+"helm-toolkit\.manifests\.secret_registry""#)
});

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
            memchr::memmem::find(text.as_bytes(), b"manifests.secret_registry\"").is_some()
                && CALL.is_match(&template::without_comments(text))
        };
        if chart.templates.iter().any(|source| calls(&source.text)) {
            return Ok(());
        }
        let path = Path::new(PATH);
        match chart.templates.iter().find(|source| source.path == path) {
            None => {
                if let Some(what) = chart.other(path) {
                    let what = format!("{what}, where the Secret template belongs");
                    let advice = "make it a plain file, or move it away";
                    return Err(Refusal::new(Reason::TemplateNotText, Place::file(path), what, advice));
                }
            }
            Some(_) if !options.replace_templates => {
                proposals.warn(
                    Place::file(path),
                    "does not call helm-toolkit.manifests.secret_registry: kept as it is; --replace-templates replaces it",
                );
                return Ok(());
            }
            Some(_) => {}
        }
        proposals.files.insert(path.to_owned(), TEMPLATE.to_owned());
        Ok(())
    }
}
