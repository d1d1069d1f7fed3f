//! What has to be known of a whole chart to read one of its templates: what its defines print, and where they
//! are called.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use memchr::memmem;

use crate::options::Options;
use crate::template::actions::{Action, Actions, Scope, text_in_quotes};
use crate::template::entry::{Entry, Key};
use crate::template::lexer::Piece;
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
    /// What prints imagePullSecrets.
    pub(crate) lists: Printers,
    /// What prints the containers of a pod.
    pub(crate) containers: Printers,
    /// The defines of the chart, by name.
    pub(crate) defines: HashMap<String, Define>,
}

/// How a define is called.
#[derive(Debug)]
pub(crate) struct Define {
    /// Where that is, or its name is given to what calls it: the outline, as an index into those of the chart, and the
    /// scope there.
    pub(crate) calls: Vec<(usize, Scope)>,
    /// Whether it goes into a text only, such as a file in a ConfigMap.
    pub(crate) is_text: bool,
    /// Whether it is called with something else than the templates' root.
    pub(crate) is_called_with_another: bool,
    /// Whether it is called with the root and nothing else, so that `$` is the root in it.
    pub(crate) is_called_with_root: bool,
}

/// What prints something into a template.
#[derive(Debug, Default)]
pub(crate) struct Printers {
    /// The names of defines, and values, as in `.Values.pod`, for `toYaml` and `tpl`.
    names: HashSet<String>,
    /// The variables of each template that are set to one of these. They are looked up for each line: a template may
    /// set one a hundred thousand times.
    variables: HashMap<PathBuf, HashSet<String>>,
}

impl Printers {
    /// Whether a line, or a variable on it, has one of them in an action.
    pub(crate) fn are_on(&self, outline: &Outline<'_>, entry: &Entry<'_>) -> bool {
        if self.names.is_empty() || !entry.value.contains("{{") {
            return false;
        }
        let variables = self.variables.get(outline.path);
        let is_one = |piece: &Piece<'_>| variables.is_some_and(|variables| variables.contains(piece.text));
        self.are_in(entry.value) || Actions::new(entry.value).pieces.iter().any(is_one)
    }

    /// Whether a text has one of the names in it, as a whole.
    fn are_in(&self, text: &str) -> bool {
        let is_whole = |(at, name): (usize, &str)| {
            let behind = text.get(at + name.len()..).unwrap_or_default();
            !behind.starts_with(|c: char| c.is_alphanumeric() || "_-.".contains(c))
        };
        self.names.iter().any(|name| text.match_indices(name).any(is_whole))
    }

    fn find_variables(&mut self, outlines: &[Outline<'_>]) {
        for Outline { path, actions, .. } in outlines.iter().filter(|_| !self.names.is_empty()) {
            let is_set_to_one = |variable: &&str| {
                let mut values = actions.values_of(variable);
                values.any(|value| self.are_in(&value.iter().map(|piece| piece.text).collect::<String>()))
            };
            let variables = actions.variables().filter(|variable| *variable != "$").filter(is_set_to_one);
            let variables = variables.map(ToOwned::to_owned).collect();
            self.variables.insert((*path).to_owned(), variables);
        }
    }
}

impl Context {
    /// That of the chart called `name` with these values and templates; a toolkit has no values.
    pub(crate) fn new(
        name: &str,
        values: Option<&Document<'_>>,
        outlines: &[Outline<'_>],
        options: &Options,
    ) -> Self {
        let mut context = Context::default();
        for outline in outlines {
            context.add_defines(outline);
        }
        // A chart's own defines are called by the chart; those of helm-toolkit by all.
        let define = |(name, calls): (&str, Vec<_>)| (name.to_owned(), Define::new(&calls, values.is_some()));
        context.defines = calls(outlines).into_iter().map(define).collect();
        if let Some(values) = values {
            context.chart = Some(name.to_owned());
            context.secret = secret_name(name, values, options);
            context.add_values(values);
        }
        context.add_callers(outlines);
        context.lists.find_variables(outlines);
        context.containers.find_variables(outlines);
        context
    }

    /// Adds the defines that print imagePullSecrets or containers and are no objects.
    fn add_defines(&mut self, outline: &Outline<'_>) {
        let actions = &outline.actions;
        let kinds = outline.named("kind");
        let objects: BTreeSet<Scope> = kinds.filter_map(|kind| actions.define(kind.scope)).collect();
        let name_in = |scope: Scope| {
            actions.define(scope).filter(|define| !objects.contains(define))?;
            // What the toolkit's snippet prints is its own affair: see toolkit.rs.
            actions.name(scope).filter(|name| *name != LIST_SNIPPET).map(ToOwned::to_owned)
        };
        let lists = memmem::find_iter(outline.text.as_bytes(), KEY);
        self.lists.names.extend(lists.filter_map(|offset| name_in(actions.scope_at(offset))));
        self.containers.names.extend(outline.named("containers").filter_map(|entry| name_in(entry.scope)));
    }

    /// Adds the defines that call one of those with a list, and those that call these.
    fn add_callers(&mut self, outlines: &[Outline<'_>]) {
        let caller = |(outline, scope): &(usize, Scope)| outlines.get(*outline)?.actions.name(*scope);
        let mut open: Vec<String> = self.lists.names.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let calls = self.defines.get(&name).into_iter().flat_map(|define| &define.calls);
            for caller in calls.filter_map(caller) {
                if self.lists.names.insert(caller.to_owned()) {
                    open.push(caller.to_owned());
                }
            }
        }
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
                    self.lists.names.insert(path.clone());
                }
                open.push((value, format!("{path}.{key}")));
            }
            if document.scalar(node).is_some_and(|text| text.contains(KEY)) {
                self.lists.names.insert(path);
            }
        }
    }
}

/// The name that the values give to the Secret, or will.
fn secret_name(chart: &str, values: &Document<'_>, options: &Options) -> Option<String> {
    let node = values.at(values.root()?, &["secrets", REGISTRY, chart]);
    let name = node.filter(|node| values.kind(*node) == Kind::Scalar);
    let name = name.and_then(|node| values.scalar(node)).map(ToOwned::to_owned);
    name.or_else(|| Some(options.secret_name().of(chart).ok()?.text))
}

/// An action that calls a define, or gives its name to what calls it; the outline that it is in, and the index of that.
type DefineCall<'o> = (usize, &'o Outline<'o>, &'o Action);

/// The calls of each define, by its name.
fn calls<'o>(outlines: &'o [Outline<'o>]) -> HashMap<&'o str, Vec<DefineCall<'o>>> {
    let defined = outlines.iter().flat_map(|outline| outline.actions.defined());
    let mut calls: HashMap<&str, Vec<DefineCall<'o>>> = defined.map(|name| (name, Vec::new())).collect();
    if calls.is_empty() {
        return calls;
    }
    for (index, outline) in outlines.iter().enumerate() {
        for action in outline.actions.all.iter().filter(|action| !action.opens_define) {
            for name in outline.actions.pieces(action).iter().filter_map(text_in_quotes) {
                let Some(calls) = calls.get_mut(name) else { continue };
                // One action may say a name twice.
                if !calls.last().is_some_and(|(.., last)| std::ptr::eq(*last, action)) {
                    calls.push((index, outline, action));
                }
            }
        }
    }
    calls
}

impl Define {
    fn new(calls: &[DefineCall<'_>], is_called_here_only: bool) -> Self {
        let arguments = || calls.iter().map(|(_, outline, action)| argument(&outline.actions, action));
        Define {
            calls: calls.iter().map(|(index, _, action)| (*index, action.scope)).collect(),
            is_text: !calls.is_empty()
                && calls.iter().all(|(_, outline, action)| is_in_text(outline, action)),
            is_called_with_another: arguments().any(|argument| argument == Argument::Other),
            is_called_with_root: is_called_here_only
                && !calls.is_empty()
                && arguments().all(|argument| argument == Argument::Root),
        }
    }
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
    /// Something else.
    Other,
    /// The root, unless it is called something else there; or nothing, where the name is only mentioned.
    Unclear,
}

/// What a call gives to the template that it names.
fn argument(actions: &Actions<'_>, call: &Action) -> Argument {
    let texts: Vec<&str> = actions.pieces(call).iter().map(|piece| piece.text).collect();
    let place = texts.iter().position(|text| matches!(*text, "include" | "template"));
    let Some(place) = place else { return Argument::Unclear };
    let given = match texts.get(place + 2..) {
        Some([argument @ .., ")"]) if !argument.is_empty() => argument,
        Some([argument, "|", ..]) => std::slice::from_ref(argument),
        Some(argument) if !argument.is_empty() => argument,
        _ => texts.get(..place.saturating_sub(1)).unwrap_or_default(),
    };
    let is_in_define = actions.define(call.scope).is_some();
    let is_moved = || {
        let mut around = actions.between(call.scope, Scope::FILE).map(|scope| actions.opening(scope));
        around.any(|opening| ["with", "range"].iter().any(|word| opening.contains(word)))
    };
    match given {
        ["$"] if !is_in_define => Argument::Root,
        ["."] if !is_in_define && !is_moved() => Argument::Root,
        ["." | "$" | "$envAll"] => Argument::Unclear,
        _ => Argument::Other,
    }
}
