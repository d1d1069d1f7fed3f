//! What the charts of the checkouts have already, so that new entries agree with it: one override of the
//! registry must not mean two keys in one checkout.

use std::collections::BTreeMap;

use memchr::memmem;
use rayon::prelude::*;

use crate::chart::VALUES;
use crate::context::REGISTRY;
use crate::discover::Checkouts;
use crate::options::{Options, Port, SecretName};
use crate::plan::Plan;
use crate::rules::{PORT, SECRET_NAME};
use crate::source::read_text;
use crate::text::amount;
use crate::yaml::tree::Tree;

/// What is taken where a call leaves the choice open, and why.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    port: Option<Port>,
    secret_name: Option<SecretName>,
    /// By the placeholder of what they are about.
    remarks: BTreeMap<&'static str, String>,
}

impl Survey {
    /// Looks at the values of all charts, whichever are to be changed, so that every selection gives the same.
    pub(crate) fn new(checkouts: &Checkouts, options: &Options) -> Self {
        let mut survey = Survey::default();
        if options.port.is_some() && options.secret_name.is_some() {
            return survey;
        }
        let charts: Vec<(Option<String>, Option<String>)> = checkouts
            .charts
            .par_iter()
            .chain(&checkouts.beside)
            .filter_map(|found| {
                let values = read_text(&checkouts.base, &found.path.join(VALUES)).ok()??;
                Some((port(&values), secret_name(&values, &found.metadata.as_ref().ok()?.name)))
            })
            .collect();
        let ports: Vec<&str> = charts.iter().filter_map(|(port, _)| port.as_deref()).collect();
        let names: Vec<&str> = charts.iter().filter_map(|(_, name)| name.as_deref()).collect();
        if options.port.is_none() {
            survey.add_port(&ports);
        }
        if options.secret_name.is_none() {
            survey.add_name(&names);
        }
        survey
    }

    fn add_port(&mut self, ports: &[&str]) {
        let default = Port::default();
        let prevailing = prevailing(ports).and_then(|(text, share)| Some((text.parse().ok()?, share)));
        let remark = match prevailing {
            Some((port, _)) if port == default => return,
            Some((port, share)) => {
                self.port = Some(port);
                format!("the registry's port is {port} in new entries, as in {share}")
            }
            None if ports.is_empty() => return,
            None => format!("the registry's port is {default} in new entries: the charts disagree on it"),
        };
        self.remarks.insert(PORT, format!("{remark}; --port sets another one"));
    }

    fn add_name(&mut self, names: &[&str]) {
        // One or two charts are no custom of a checkout.
        let Some((text, share)) = prevailing(names).filter(|_| names.len() >= 3) else { return };
        // Charts that share a Secret's name cannot be installed side by side.
        let name = Some(text).filter(|text| text.contains(SecretName::CHART) && *text != SecretName::DEFAULT);
        self.secret_name = name.and_then(|text| text.parse().ok());
        if self.secret_name.is_some() {
            let remark = format!("new Secrets are called {text}, as in {share}");
            self.remarks.insert(SECRET_NAME, format!("{remark}; --secret-name sets another one"));
        }
    }

    /// `options`, with what the call leaves open.
    pub(crate) fn complete(&self, options: &Options) -> Options {
        Options {
            port: options.port.or(self.port),
            secret_name: options.secret_name.clone().or_else(|| self.secret_name.clone()),
            ..options.clone()
        }
    }

    /// Says what was taken, and why, where it comes into `plan`.
    pub(crate) fn explain(self, plan: &mut Plan) {
        let files = plan.files();
        let parts: Vec<_> = files.iter().flat_map(|file| &file.parts).collect();
        let is_used = |name: &str| parts.iter().any(|part| part.placeholders.contains_key(name));
        let used = self.remarks.into_iter().filter_map(|(name, remark)| is_used(name).then_some(remark));
        let remarks: Vec<String> = used.collect();
        plan.remarks.extend(remarks);
    }
}

/// What nine in ten charts have, and how many these are, for people. More charts like them change nothing.
fn prevailing<'t>(texts: &[&'t str]) -> Option<(&'t str, String)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let (text, count) = counts.into_iter().find(|(_, count)| count * 10 >= texts.len() * 9)?;
    Some((text, format!("{count} of the {} that have the entry", amount(texts.len(), "chart"))))
}

/// `endpoints.oci_image_registry.port.registry.default`.
fn port(values: &str) -> Option<String> {
    let port = registry(values, "endpoints")?.at(&["port", "registry", "default"])?.clone();
    Some(port.scalar().unwrap_or("null").to_owned())
}

/// The name of the chart's Secret, with a placeholder for the chart's own.
fn secret_name(values: &str, chart: &str) -> Option<String> {
    let name = registry(values, "secrets")?.get(chart)?.scalar()?.replacen(chart, SecretName::CHART, 1);
    Some(name)
}

/// The registry's entry in a top-level block. Only its own lines are parsed: the rules read the rest.
fn registry(values: &str, block: &str) -> Option<Tree> {
    let entry = entry(entry(values, block, |indent| indent == 0)?, REGISTRY, |indent| indent > 0)?;
    Tree::parse(entry).ok()?.get(REGISTRY).cloned()
}

/// The lines of an entry of a block mapping: from that of its key to the next one that is not further in. What is
/// written otherwise has no vote.
fn entry<'t>(text: &'t str, key: &str, is_indent: fn(usize) -> bool) -> Option<&'t str> {
    let line_of_key = |at: usize| {
        let start = memchr::memrchr(b'\n', text.as_bytes().get(..at)?).map_or(0, |end| end + 1);
        let is_key = is_indent(at - start)
            && text.get(start..at)?.bytes().all(|byte| byte == b' ')
            && text.get(at + key.len()..)?.starts_with(':');
        is_key.then_some((start, at - start))
    };
    let (start, column) = memmem::find_iter(text.as_bytes(), key).find_map(line_of_key)?;
    let is_inside = |line: &&str| {
        let content = line.trim_start_matches(' ');
        line.len() - content.len() > column || content.trim().is_empty() || content.starts_with('#')
    };
    let lines = text.get(start..)?;
    let mut inside = lines.split_inclusive('\n');
    let end = inside.next()?.len() + inside.take_while(is_inside).map(str::len).sum::<usize>();
    lines.get(..end)
}
