//! The top-level blocks of values.yaml, and the entries that `templates/values.yaml` wants in them.

use std::sync::LazyLock;

use super::rule::Proposals;
use crate::chart::{Chart, VALUES};
use crate::context::REGISTRY;
use crate::finding::{Finding, Id, Location};
use crate::options::Options;
use crate::placeholder::CHART;
use crate::source::Source;
use crate::yaml::{self, Addition, Document, Entry, Kind, Node, Place, Renamed, Scalar, Value};

/// A top-level block of a chart's values.yaml.
pub(super) struct ValuesBlock<'c, 'a> {
    chart: &'c Chart<'a>,
    pub(super) document: &'c Document<'a>,
    name: &'static str,
    root: Node,
    /// The block itself, where there is one.
    pub(super) node: Option<Node>,
}

impl<'c, 'a> ValuesBlock<'c, 'a> {
    /// Finds the block called `name`. `None` where there are no values to add to.
    ///
    /// # Errors
    /// A refusal where it cannot be told what Helm takes for the block.
    pub(super) fn find(chart: &'c Chart<'a>, name: &'static str) -> Result<Option<Self>, Finding> {
        let Some(document) = &chart.values else { return Ok(None) };
        let Some(root) = document.root() else { return Ok(None) };
        let refuse = |id, node, what: String, fix: &str| {
            let location = Location::at(chart.path(VALUES), document.position(node));
            Err(Finding::refused(id, location, what, fix))
        };
        for key in [name, "images"] {
            let mut named = document.named(root, key);
            if let (Some((first, _)), Some((second, _))) = (named.next(), named.next()) {
                let first = document.position(first).line;
                let what =
                    format!("the block `{key}` stands here a second time; the first is in line {first}");
                let fix = "make one of the two: Helm silently drops the first";
                return refuse(Id::BlockTwice, second, what, fix);
            }
        }
        if let Some(key) = document.opaque_key(root) {
            let what = "a top-level key that is an alias (*) or has a tag (!)".to_owned();
            return refuse(Id::OpaqueKey, key, what, "write the key out");
        }
        if let Some(merge) = document.merge_of(root, name) {
            let what = format!("the block `{name}` may be merged in by `<<`");
            return refuse(Id::Merged, merge, what, "write the block out, in place of the `<<`");
        }
        let node = document.get(root, name);
        Ok(Some(ValuesBlock { chart, document, name, root, node }))
    }

    /// Whether `key` is set in this block.
    pub(super) fn has(&self, key: &str) -> bool {
        self.at(&[key]).is_some()
    }

    /// The keys of the mapping at `path` below this block with their texts, in their order.
    pub(super) fn keys(&self, path: &[&str]) -> Vec<(Node, &'c str)> {
        let entries = self.at(path).into_iter().flat_map(|node| self.document.entries(node));
        entries.filter_map(|(key, _)| Some((key, self.document.scalar(key)?))).collect()
    }

    /// Adds what the block lacks of `wanted`, at `place`.
    pub(super) fn complete(
        &self,
        wanted: &[Entry],
        place: Place,
        renamed: Option<&Renamed>,
    ) -> Result<Vec<Addition>, Finding> {
        let node = self.node.unwrap_or(self.root);
        let additions = self.document.complete(node, wanted, place, renamed);
        additions.map_err(|error| Finding::from_yaml(&self.chart.path(VALUES), &error))
    }

    /// Adds the block with `wanted` in it in front of the first of `before` that there is, or
    /// behind everything.
    pub(super) fn create(&self, wanted: Vec<Entry>, before: &[&str]) -> Result<Vec<Addition>, Finding> {
        let first = |name: &&str| self.document.named(self.root, name).next();
        let place = before.iter().find_map(first).map_or(Place::Last, |(key, _)| Place::Before(key));
        self.complete(&[Entry::new(self.name, Value::Mapping(wanted))], place, None)
    }

    /// The keys of the mapping at `path`, with their texts, that are neither the chart's name nor among `others`.
    fn wrong_keys(&self, path: &[&str], others: &[&str]) -> Vec<(Node, &'c str)> {
        let mut keys = self.keys(path);
        keys.retain(|(_, name)| *name != self.chart.name() && *name != "<<" && !others.contains(name));
        keys
    }

    /// The wrong key at `path` that can become the right one: the only one, where the right one is not there and no
    /// template asks for it.
    pub(super) fn renamed(&self, path: &[&str], others: &[&str]) -> Option<Renamed> {
        let (wrong, name) = (self.wrong_keys(path, others), self.chart.name().to_owned());
        let [(key, old)] = wrong.as_slice() else { return None };
        let mapping = self.at(path)?;
        let words = [format!(".{old}"), format!("\"{old}\"")];
        let asks_for_it = |source: &Source| {
            [REGISTRY, "secret_registry"].iter().any(|word| source.text.contains(word))
                && words.iter().any(|word| source.text.contains(word))
        };
        let is_possible = self.document.get(mapping, &name).is_none()
            && self.document.replace(mapping, *key, &name).is_some()
            && !self.chart.templates.iter().any(asks_for_it);
        is_possible.then_some(Renamed { key: *key, name })
    }

    /// Reports the wrong keys at `path`. Where the right key is there too, they do no harm. The one that can be renamed is
    /// `renamed` where `is_wanted`.
    pub(super) fn report_wrong_keys(
        &self,
        path: &[&str],
        others: &[&str],
        renamed: Option<&Renamed>,
        is_wanted: bool,
        proposals: &mut Proposals,
    ) {
        let Some(mapping) = self.at(path) else { return };
        let wrong = self.wrong_keys(path, others);
        let (path, right) = (self.document.path(mapping), self.chart.name());
        let has_right = self.document.get(mapping, right).is_some();
        for (key, name) in wrong {
            let what = format!("`{path}.{name}` is never used: the chart is called {right}");
            // That the right key is missing is an error of its own.
            let fix = match renamed {
                Some(_) if is_wanted => "`apply` renames it".to_owned(),
                _ if has_right => "take it out".to_owned(),
                Some(_) => {
                    format!("`--rename-wrong-keys` renames it to {right} (else `apply` adds that beside it)")
                }
                None => format!("rename it to {right} (`apply` adds that beside it)"),
            };
            let finding = Finding::warning(Id::WrongKey, self.location(key), what, fix);
            let renamed = renamed.filter(|_| is_wanted);
            match renamed.and_then(|it| self.document.replace(mapping, it.key, &it.name)) {
                Some(replacement) => proposals.replace_scalar(self.chart, replacement, CHART, finding),
                None => proposals.report(finding),
            }
        }
    }

    /// Reports a switch that is no boolean: a template takes `"false"` for true.
    pub(super) fn report_no_boolean(&self, path: &[&str], proposals: &mut Proposals) {
        let Some(node) = self.at(path) else { return };
        if !matches!(self.document.resolved(node).as_deref(), Some("true" | "false")) {
            let what = format!(
                "`{}` is no boolean: templates take whatever is not empty for true",
                self.document.path(node)
            );
            let fix = "write true or false, without quotes";
            proposals.report(Finding::error(Id::NoBoolean, self.location(node), what, fix));
        }
    }

    /// The value at `path` below this block.
    pub(super) fn at(&self, path: &[&str]) -> Option<Node> {
        self.document.at(self.node?, path)
    }

    pub(super) fn location(&self, node: Node) -> Location {
        Location::at(self.chart.path(VALUES), self.document.position(node))
    }
}

/// The entries, with placeholders for what differs from chart to chart.
const WANTED: &str = include_str!("../../templates/values.yaml");

static WANTED_DOCUMENT: LazyLock<Result<Document<'static>, yaml::Error>> =
    LazyLock::new(|| Document::parse(WANTED));

pub(crate) const SECRET_NAME: &str = "SECRET_NAME";
pub(crate) const PORT: &str = "PORT";

/// What belongs into the block `name` of a chart's values.
///
/// # Errors
/// A refusal where the Secret's name would not be one.
pub(super) fn wanted(chart: &Chart<'_>, options: &Options, name: &str) -> Result<Vec<Entry>, Finding> {
    let secret_name = options.secret_name().of(chart.name()).map_err(|secret_name| {
        let what = format!("a Secret cannot be called {secret_name:?}");
        let fix = "choose another name with --secret-name";
        Finding::refused(Id::SecretName, chart.metadata.name_at.clone(), what, fix)
    })?;
    let document = WANTED_DOCUMENT.as_ref();
    let document = document.map_err(|error| Finding::unproven(&chart.path(VALUES), error))?;
    let block = document.root().and_then(|root| document.get(root, name));
    let block =
        block.ok_or_else(|| Finding::unproven(&chart.path(VALUES), "nothing is wanted in this block"))?;
    let port = options.port.unwrap_or_default().to_string();
    let filled = |text: &str| match text {
        CHART => Some(Scalar::string(chart.name()).placeholder(CHART, CHART)),
        SECRET_NAME => Some(Scalar::string(&secret_name.text).placeholder(SECRET_NAME, &secret_name.pattern)),
        PORT => Some(Scalar::literal(&port).placeholder(PORT, &port)),
        _ => None,
    };
    Ok(entries(document, block, &filled))
}

/// The entries of a mapping; `filled` says what its placeholders stand for.
fn entries(document: &Document<'_>, mapping: Node, filled: &dyn Fn(&str) -> Option<Scalar>) -> Vec<Entry> {
    let text = |node| document.scalar(node).unwrap_or_default();
    let entry = |(key, value)| Entry {
        key: filled(text(key)).unwrap_or_else(|| Scalar::string(text(key))),
        value: match document.kind(value) {
            Kind::Mapping => Value::Mapping(entries(document, value, filled)),
            _ => Value::Scalar(filled(text(value)).unwrap_or_else(|| Scalar::literal(text(value)))),
        },
    };
    document.entries(mapping).map(entry).collect()
}
