//! What the three rules for values.yaml share: the entries as `templates/values.yaml` gives them,
//! and the top-level blocks that they go into.

use std::sync::LazyLock;

use super::Proposals;
use crate::chart::{Chart, VALUES};
use crate::error::{Place as At, Reason, Refusal};
use crate::finding::{Finding, FindingId};
use crate::options::Options;
use crate::yaml::complete::{Cause, Hindrance};
use crate::yaml::{Addition, Document, Entry, Kind, Node, Obstacle, ParseError, Place, Value};

/// What is wanted in values.yaml.
const WANTED: &str = include_str!("../../templates/values.yaml");

/// What stands in there for the chart's name.
const CHART: &str = "CHART";
/// What stands in there for the name of the chart's Secret.
const SECRET_NAME: &str = "SECRET_NAME";
/// What stands in there for the registry's port.
const PORT: &str = "PORT";

static WANTED_DOCUMENT: LazyLock<Result<Document<'static>, ParseError>> =
    LazyLock::new(|| Document::parse(WANTED));

/// Advice for whatever stands where entries should go.
const BY_HAND: &str = "write it as a block of `key: value` lines, or add the entries by hand";

/// A top-level block of values.yaml that entries go into.
pub(super) struct Block<'d, 'a> {
    document: &'d Document<'a>,
    name: &'static str,
    root: Node,
    /// The block itself, where there is one.
    pub(super) node: Option<Node>,
}

impl<'d, 'a> Block<'d, 'a> {
    /// The block called `name` of a chart's values. `None` where there are no values to add to.
    ///
    /// # Errors
    /// Where the block stands there twice: Helm takes the last and drops the first, and only
    /// the owner knows which is meant.
    pub(super) fn of(chart: &'d Chart<'a>, name: &'static str) -> Result<Option<Self>, Refusal> {
        let Some(document) = &chart.values else { return Ok(None) };
        let Some(root) = document.root() else { return Ok(None) };
        if let Some((key, first, second)) = document.duplicate_key(root, &[name, "images"]) {
            return Err(Refusal::new(
                Reason::BlockTwice,
                At::at(VALUES, second),
                format!("the block `{key}` stands here a second time; the first is in line {}", first.line),
                "make one of the two: Helm drops the first without a word",
            ));
        }
        let by_hand = |reason, position, what: String, advice: &str| {
            Err(Refusal::new(reason, At::at(VALUES, position), what, advice))
        };
        if let Some(key) = document.opaque_key(root) {
            let what = "a top-level key that is an alias (*) or has a tag (!)".to_owned();
            return by_hand(Reason::OpaqueKey, document.position(key), what, "write the key out");
        }
        let node = document.get(root, name);
        if let Some(node) = node.filter(|_| document.is_hidden_by_merge(root, name)) {
            let what =
                format!("`{name}` is hidden, for Helm, by a mapping that is merged in (`<<`) behind it");
            return by_hand(
                Reason::HiddenByMerge,
                document.position(node),
                what,
                "put the `<<` in front of it",
            );
        }
        if node.is_none()
            && document.merged(root).into_iter().any(|merged| document.get(merged, name).is_some())
        {
            let merge =
                document.entries(root).map(|(key, _)| key).find(|key| document.scalar(*key) == Some("<<"));
            return by_hand(
                Reason::Merged,
                document.position(merge.unwrap_or(root)),
                format!("the block `{name}` is merged in by `<<`"),
                "give the chart a block of its own, which hides the merged one, or add the entries by hand",
            );
        }
        Ok(Some(Block { document, name, root, node }))
    }

    /// Whether `key` is set in this block, directly or merged in.
    pub(super) fn has(&self, key: &str) -> bool {
        let Some(node) = self.node else { return false };
        let merged = self.document.merged(node);
        std::iter::once(node).chain(merged).any(|node| self.document.get(node, key).is_some())
    }

    /// The keys of this block with their texts, in their order.
    pub(super) fn keys(&self) -> Vec<(Node, &'d str)> {
        let Some(node) = self.node else { return Vec::new() };
        self.document.entries(node).filter_map(|(key, _)| Some((key, self.document.scalar(key)?))).collect()
    }

    /// Completes the block by `wanted`, at `place` as far as it is missing.
    pub(super) fn complete(&self, wanted: &[Entry], place: Place) -> Result<Vec<Addition>, Refusal> {
        let node = self.node.unwrap_or(self.root);
        self.document.complete(node, wanted, place).map_err(|hindrance| refusal(&hindrance))
    }

    /// Adds the block with `wanted` in it in front of the first of `before` that there is, or
    /// behind everything.
    pub(super) fn create(&self, wanted: Vec<Entry>, before: &[&str]) -> Result<Vec<Addition>, Refusal> {
        let next = before.iter().find_map(|name| {
            self.document
                .entries(self.root)
                .map(|(key, _)| key)
                .find(|key| self.document.scalar(*key) == Some(name))
        });
        let place = next.map_or(Place::Last, Place::Before);
        self.complete(&[Entry::new(self.name, Value::Mapping(wanted))], place)
    }

    /// Finds keys of the mapping at `path` that are neither `right` nor among `others`: somebody
    /// meant to write the chart's name. Where that is there too, they do no harm.
    pub(super) fn find_wrong_keys(
        &self,
        path: &[&str],
        right: &str,
        others: &[&str],
        proposals: &mut Proposals,
    ) {
        let Some(node) = self.find(path) else { return };
        let path = self.document.path(node);
        let has_right = self.document.get(node, right).is_some();
        for (key, _) in self.document.entries(node) {
            let Some(name) = self.document.scalar(key) else { continue };
            if name != right && name != "<<" && !others.contains(&name) {
                let place = self.place(key);
                let what = format!("`{path}.{name}` is never used: the chart is called {right}");
                proposals.find(if has_right {
                    Finding::warning(FindingId::WrongKey, place, what, "take it out")
                } else {
                    let fix = format!("rename it to {right} (`apply` adds that beside it)");
                    Finding::error(FindingId::WrongKey, place, what, fix)
                });
            }
        }
    }

    /// The value at `path` below this block.
    pub(super) fn find(&self, path: &[&str]) -> Option<Node> {
        path.iter().try_fold(self.node?, |node, key| self.document.get(node, key))
    }

    /// What `node` is.
    pub(super) fn kind(&self, node: Node) -> Kind {
        self.document.kind(node)
    }

    /// Where `node` is.
    pub(super) fn place(&self, node: Node) -> At {
        At::at(VALUES, self.document.position(node))
    }
}

/// What belongs into the block `name` of a chart's values.
///
/// # Errors
/// Where the Secret's name would not be one.
pub(super) fn wanted(chart: &Chart<'_>, options: &Options, name: &str) -> Result<Vec<Entry>, Refusal> {
    let secret_name = options.secret_name.of(chart.name).map_err(|secret_name| {
        Refusal::new(
            Reason::SecretName,
            chart.name_at.clone(),
            format!("a Secret cannot be called {secret_name:?}"),
            "choose another name with --secret-name",
        )
    })?;
    let document = WANTED_DOCUMENT.as_ref().map_err(|error| {
        let place = At::file("templates/values.yaml");
        Refusal::new(Reason::Unproven, place, error.to_string(), "this is a defect of this program")
    })?;
    let fill = Fill { document, chart: chart.name, secret_name, port: options.port.to_string() };
    let block = document.root().and_then(|root| document.get(root, name));
    Ok(block.map(|block| fill.entries(block)).unwrap_or_default())
}

/// Makes entries out of `templates/values.yaml`.
struct Fill<'f> {
    document: &'f Document<'f>,
    chart: &'f str,
    secret_name: String,
    port: String,
}

impl Fill<'_> {
    fn entries(&self, mapping: Node) -> Vec<Entry> {
        let text = |node| self.document.scalar(node).unwrap_or_default();
        let entries = self.document.entries(mapping).map(|(key, value)| {
            let value = match (self.document.kind(value), text(value)) {
                (Kind::Mapping, _) => Value::Mapping(self.entries(value)),
                (_, CHART) => Value::string(self.chart).of(CHART),
                (_, SECRET_NAME) => Value::string(&self.secret_name).of(SECRET_NAME),
                (_, PORT) => Value::literal(&self.port).of(PORT),
                (_, literal) => Value::literal(literal),
            };
            match text(key) {
                CHART => Entry::new(self.chart, value).with_key_of(CHART),
                key => Entry::new(key, value),
            }
        });
        entries.collect()
    }
}

fn refusal(hindrance: &Hindrance) -> Refusal {
    let (reason, advice) = match hindrance.cause {
        Cause::Obstacle(Obstacle::NotAMapping(_)) => (Reason::NotAMapping, BY_HAND),
        Cause::Obstacle(
            Obstacle::Pair | Obstacle::CommentInFlow | Obstacle::NullInFlow | Obstacle::ColonInFlow,
        ) => (Reason::FlowMapping, BY_HAND),
        Cause::Obstacle(Obstacle::UnfinishedBlockScalar) => {
            (Reason::UnfinishedBlockScalar, "put a line break at the end of the file")
        }
        Cause::Obstacle(Obstacle::NoLineOfItsOwn) => {
            (Reason::NoLineOfItsOwn, "put it on a line of its own, or add the entries by hand")
        }
        Cause::Obstacle(Obstacle::NothingBehindExplicitKey) => {
            (Reason::NoLineOfItsOwn, "write the key as `key:`")
        }
        Cause::OpaqueKey => (Reason::OpaqueKey, "write the key out"),
        Cause::AmbiguousKey => (Reason::OpaqueKey, "put the key in quotes"),
        Cause::Hidden => (Reason::HiddenByMerge, "put the `<<` in front of it"),
        Cause::Shared => (Reason::Shared, "write out one of the copies, or add the entries by hand"),
        Cause::Merged => (
            Reason::Merged,
            "write the entries out where they are merged in, or complete the mapping that they come from",
        ),
    };
    let path = if hindrance.path.is_empty() { VALUES.to_owned() } else { format!("`{}`", hindrance.path) };
    let what = format!("{path} is {}", hindrance.cause);
    Refusal::new(reason, At::at(VALUES, hindrance.position), what, advice)
}
