//! What has to be known of a whole chart to read one of its templates: what its defines print, and where they
//! are called.

use std::collections::{BTreeSet, HashMap, HashSet};

use memchr::memmem::{self, Finder};

use crate::options::Options;
use crate::source::Source;
use crate::template::actions::{Action, Actions, Scope};
use crate::template::entry::Key;
use crate::template::outline::Outline;
use crate::yaml::{Document, Kind, Node};

pub(crate) const KEY: &str = "imagePullSecrets";

/// The define of helm-toolkit with the ServiceAccount of nearly every pod.
pub(crate) const SNIPPET: &str = "helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount";

/// The define of helm-toolkit with the imagePullSecrets that an operator gives to single pods.
pub(crate) const LIST_SNIPPET: &str = "helm-toolkit.snippets.kubernetes_image_pull_secrets";

/// The key of the registry in `secrets` and `endpoints`.
pub(crate) const REGISTRY: &str = "oci_image_registry";

#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The name of the chart; `None` for helm-toolkit, which serves all.
    pub(crate) chart: Option<String>,
    /// The name of its Secret.
    pub(crate) secret: Option<String>,
    /// What prints imagePullSecrets: the names of defines, and values, as in `.Values.pod`, for `toYaml` and `tpl`.
    pub(crate) lists: HashSet<String>,
    /// The defines that print the containers of a pod.
    pub(crate) containers: HashSet<String>,
    /// Where each define of the chart is called, or its name given to what calls it.
    pub(crate) calls: HashMap<String, Vec<Call>>,
    /// The defines that go into a text only, such as a file in a ConfigMap.
    pub(crate) texts: HashSet<String>,
    /// The defines that are called with something else than the templates' root.
    pub(crate) without_root: HashSet<String>,
    /// The defines that are called with the root and nothing else, so that `$` is the root in them.
    pub(crate) with_root: HashSet<String>,
}

/// Where a define is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The outline that it is in, as an index into those of the chart.
    pub(crate) outline: usize,
    pub(crate) scope: Scope,
}

impl Context {
    /// That of the chart called `name` with these values and templates; a toolkit has no values.
    pub(crate) fn new(
        name: &str,
        values: Option<&Document<'_>>,
        outlines: &[(&Source, Outline<'_>)],
        options: &Options,
    ) -> Self {
        let outlines: Vec<&Outline<'_>> = outlines.iter().map(|(_, outline)| outline).collect();
        let mut context = Context::default();
        for outline in &outlines {
            context.add_defines(outline);
        }
        if let Some(values) = values {
            context.chart = Some(name.to_owned());
            context.secret = secret_name(name, values, options);
            context.add_values(values);
        }
        for define in outlines.iter().flat_map(|outline| outline.actions.defined()) {
            context.add_calls(define, &outlines);
        }
        let mut before = 0;
        while before < context.lists.len() {
            before = context.lists.len();
            context.add_callers(&outlines);
        }
        context
    }

    /// Adds the defines that print imagePullSecrets or containers and are no objects.
    fn add_defines(&mut self, outline: &Outline<'_>) {
        let actions = &outline.actions;
        let kinds = outline.entries.iter().filter(|entry| entry.is("kind"));
        let objects: BTreeSet<Scope> = kinds.filter_map(|kind| actions.define(kind.scope)).collect();
        let name_at = |offset: usize| {
            let define =
                actions.define(actions.scope_at(offset)).filter(|define| !objects.contains(define))?;
            // What the toolkit's snippet prints is its own affair: see toolkit.rs.
            actions.name(define).filter(|name| *name != LIST_SNIPPET).map(ToOwned::to_owned)
        };
        self.lists.extend(memmem::find_iter(outline.text.as_bytes(), KEY).filter_map(name_at));
        let containers = outline.entries.iter().filter(|entry| entry.is("containers"));
        self.containers.extend(containers.filter_map(|entry| name_at(entry.start)));
    }

    /// Looks at where and how a define is called.
    fn add_calls(&mut self, define: &str, outlines: &[&Outline<'_>]) {
        let finder = Finder::new(define);
        let mut calls: Vec<Call> = Vec::new();
        let (mut is_text, mut arguments) = (true, Vec::new());
        for (outline, place) in outlines.iter().zip(0..) {
            for action in outline.actions.with_string(&finder) {
                calls.push(Call { outline: place, scope: action.scope });
                is_text &= is_in_text(outline, action);
                arguments.push(argument(&outline.actions, action));
            }
        }
        if is_text && !calls.is_empty() {
            self.texts.insert(define.to_owned());
        }
        if arguments.contains(&Some(Argument::Other)) {
            self.without_root.insert(define.to_owned());
        }
        // A chart's own defines are called by the chart; those of helm-toolkit by all.
        if self.chart.is_some()
            && !arguments.is_empty()
            && arguments.iter().all(|argument| *argument == Some(Argument::Root))
        {
            self.with_root.insert(define.to_owned());
        }
        self.calls.insert(define.to_owned(), calls);
    }

    /// Adds the defines that call one of those with a list.
    fn add_callers(&mut self, outlines: &[&Outline<'_>]) {
        let calls = self.lists.iter().filter_map(|name| self.calls.get(name)).flatten();
        let caller = |call: &Call| {
            let actions = &outlines.get(call.outline)?.actions;
            actions.name(actions.define(call.scope)?).map(ToOwned::to_owned)
        };
        let callers: Vec<String> = calls.filter_map(caller).collect();
        self.lists.extend(callers);
    }

    /// Adds the values with imagePullSecrets in them, as a key or in a text.
    fn add_values(&mut self, document: &Document<'_>) {
        if memmem::find(document.text().as_bytes(), KEY.as_bytes()).is_none() {
            return;
        }
        let mut open: Vec<(Node, String)> =
            document.root().map(|root| (root, ".Values".to_owned())).into_iter().collect();
        while let Some((node, path)) = open.pop() {
            for (key, value) in document.entries(node) {
                let key = document.scalar(key).unwrap_or_default();
                if key == KEY {
                    self.lists.insert(path.clone());
                }
                open.push((value, format!("{path}.{key}")));
            }
            if document.scalar(node).is_some_and(|text| text.contains(KEY)) {
                self.lists.insert(path);
            }
        }
    }
}

/// The name that the values give to the Secret, or will.
fn secret_name(chart: &str, values: &Document<'_>, options: &Options) -> Option<String> {
    let path = ["secrets", REGISTRY, chart];
    let node = path.iter().try_fold(values.root()?, |node, key| values.get(node, key));
    let name = node.filter(|node| values.kind(*node) == Kind::Scalar);
    let name = name.and_then(|node| values.scalar(node)).map(ToOwned::to_owned);
    name.or_else(|| Some(options.secret_name().of(chart).ok()?.text))
}

/// Whether what an action prints goes into a text: a block scalar or a quoted string.
fn is_in_text(outline: &Outline<'_>, action: &Action) -> bool {
    let quotes = ["quote", "toJson", "b64enc", "sha256sum"];
    match outline.entry_at(action.range.start) {
        _ if action.is_silent => false,
        None => true,
        Some(entry) => entry.key != Key::Printed && quotes.iter().any(|quote| entry.value.contains(quote)),
    }
}

/// What a template is called with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    /// The templates' root, for certain.
    Root,
    /// The root, unless it is called something else there.
    Dot,
    /// Something else.
    Other,
}

/// What a call gives to the template that it names; `None` for an action that only mentions it.
fn argument(actions: &Actions<'_>, call: &Action) -> Option<Argument> {
    let pieces = actions.pieces(call);
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text).collect();
    let place = texts.iter().position(|text| matches!(*text, "include" | "template"))?;
    let given = match texts.get(place + 2..) {
        Some([argument @ .., ")"]) if !argument.is_empty() => argument,
        Some([argument, "|", ..]) => std::slice::from_ref(argument),
        Some(argument) if !argument.is_empty() => argument,
        _ => texts.get(..place.saturating_sub(1))?,
    };
    let is_in_define = actions.define(call.scope).is_some();
    let is_moved = || {
        let mut around = actions.between(call.scope, Scope::FILE).map(|scope| actions.opening(scope));
        around.any(|opening| ["with", "range"].iter().any(|word| opening.contains(word)))
    };
    Some(match given {
        ["$"] if !is_in_define => Argument::Root,
        ["."] if !is_in_define && !is_moved() => Argument::Root,
        ["." | "$" | "$envAll"] => Argument::Dot,
        _ => Argument::Other,
    })
}
