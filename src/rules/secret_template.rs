//! `templates/secret-registry.yaml`: has helm-toolkit make the Secret.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::rule::{Proposals, Rule};
use crate::chart::Chart;
use crate::finding::{Finding, Id, Location};
use crate::metadata::Role;
use crate::options::Options;
use crate::source::Source;
use crate::template::{self, Word};
use crate::text::position;

/// The drop-in, unless a template of the chart calls the function already: two of them would
/// make one Secret twice.
pub(super) const RULE: Rule =
    Rule { name: "Secret template", role: Role::Application, is_required: true, run };

/// The template as it goes into charts.
const TEMPLATE: &str = include_str!("../../templates/secret-registry.yaml");

const FILE: &str = "templates/secret-registry.yaml";

/// What every call of the toolkit's function has in it.
static CALLED: Word = Word::new(|| Finder::new("manifests.secret_registry\""));

/// A call of the toolkit's function.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    template::constant_regex(r#"(include|template)[ \t\r\n]+"helm-toolkit\.manifests\.secret_registry""#)
});

/// A call of any function of the toolkit.
static ANY_CALL: LazyLock<Regex> =
    LazyLock::new(|| template::constant_regex(r#"(?:include|template)[ \t\r\n]+"(helm-toolkit\.[^"]*)""#));

fn run(chart: &Chart<'_>, options: &Options, proposals: &mut Proposals) -> Result<(), Finding> {
    let calls = |source: &Source| {
        CALLED.find(source.text.as_bytes()).is_some()
            && CALL.is_match(&template::without_comments(&source.text))
    };
    let path = chart.path(FILE);
    let usual = chart.template(&path);
    // Nearly always it is that one, and the others need no look.
    if usual.into_iter().chain(chart.templates).any(calls) {
        return Ok(());
    }
    if let Some(source) = usual {
        let finding = foreign(chart, source);
        if options.replace_templates {
            proposals.write(chart, FILE, TEMPLATE, finding);
        } else {
            proposals.report(finding);
        }
        return Ok(());
    }
    if let Some(why) = chart.unread(&path) {
        let what = format!("{why}, where the Secret template belongs");
        let fix = "make it a plain file, or move it away";
        return Err(Finding::refused(Id::TemplateNotText, Location::file(path), what, fix));
    }
    let what = "the template that makes the Secret is missing";
    let finding = Finding::error(Id::MissingSecretTemplate, Location::file(path), what, "`apply` adds it");
    proposals.write(chart, FILE, TEMPLATE, finding);
    Ok(())
}

/// Reports a template in the Secret's place that does not call the function.
fn foreign(chart: &Chart<'_>, source: &Source) -> Finding {
    const FIX: &str = "`--replace-templates` replaces it";
    let text = template::without_comments(&source.text);
    let mut calls = ANY_CALL.captures_iter(&text).filter_map(|call| call.get(1));
    let unknown = chart.toolkit.and_then(|toolkit| calls.find(|call| !toolkit.defines(call.as_str())));
    if let Some(call) = unknown {
        let what = format!("calls {}, which helm-toolkit does not define: it does not render", call.as_str());
        let location = Location::at(&source.path, position(&source.text, call.start()));
        return Finding::error(Id::UnknownFunction, location, what, FIX);
    }
    let what = "does not call helm-toolkit.manifests.secret_registry: kept as it is";
    Finding::error(Id::ForeignTemplate, Location::file(&source.path), what, FIX)
}
