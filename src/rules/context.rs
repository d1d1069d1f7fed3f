//! What has to be known of a whole chart to read one of its templates: what its defines print, and where they
//! are called.

use std::collections::HashSet;

use memchr::memmem::{self, Finder};

use super::pull_secrets::{KEY, LIST_SNIPPET};
use crate::chart::Chart;
use crate::template::actions::{Action, Actions};
use crate::template::entry::Key;
use crate::template::outline::Outline;
use crate::yaml::{Document, Kind, Node};

#[derive(Default)]
pub(super) struct Context {
    /// The name of the chart; `None` for helm-toolkit, which serves all.
    pub(super) chart: Option<String>,
    /// What prints imagePullSecrets: the names of defines, and values, as in `.Values.pod`, for `toYaml` and `tpl`.
    pub(super) lists: HashSet<String>,
    /// The defines that print the containers of a pod.
    pub(super) containers: HashSet<String>,
    /// The defines that go into a text only, such as a file in a ConfigMap.
    pub(super) texts: HashSet<String>,
    /// The defines that are called with something else than the templates' root.
    pub(super) without_root: HashSet<String>,
}

impl Context {
    pub(super) fn of(chart: &Chart<'_>) -> Self {
        let name = chart.values.is_some().then(|| chart.name().to_owned());
        let mut context = Context { chart: name, ..Context::default() };
        let outlines: Vec<&Outline<'_>> = chart.outlines.iter().map(|(_, outline)| outline).collect();
        for outline in &outlines {
            context.add_defines(outline);
        }
        for define in outlines.iter().flat_map(|outline| outline.actions.defined()) {
            context.add_calls(define, &outlines);
        }
        let mut before = 0;
        while before < context.lists.len() {
            before = context.lists.len();
            context.add_callers(&outlines);
        }
        if let Some(document) = &chart.values
            && memmem::find(document.text().as_bytes(), KEY.as_bytes()).is_some()
            && let Some(root) = document.root()
        {
            context.add_values(document, root, ".Values");
        }
        context
    }

    /// Adds the defines that print imagePullSecrets or containers and are no objects.
    fn add_defines(&mut self, outline: &Outline<'_>) {
        let actions = &outline.actions;
        let name_at = |offset: usize| {
            let define = actions.define(actions.scope_at(offset))?;
            let is_in_it = |scope| actions.define(scope) == Some(define);
            let is_object = outline.entries.iter().any(|entry| entry.is("kind") && is_in_it(entry.scope));
            // What the toolkit's snippet prints is its own affair: see toolkit.rs.
            actions.name(define).filter(|name| *name != LIST_SNIPPET && !is_object).map(ToOwned::to_owned)
        };
        self.lists.extend(memmem::find_iter(outline.text.as_bytes(), KEY).filter_map(name_at));
        let containers = outline.entries.iter().filter(|entry| entry.is("containers"));
        self.containers.extend(containers.filter_map(|entry| name_at(entry.start)));
    }

    /// Looks at how a define is called.
    fn add_calls(&mut self, define: &str, outlines: &[&Outline<'_>]) {
        let finder = Finder::new(define);
        let mut calls: Vec<(&Outline<'_>, &Action)> = Vec::new();
        for outline in outlines {
            calls.extend(outline.actions.with_string(&finder).map(|call| (*outline, call)));
        }
        if !calls.is_empty() && calls.iter().all(|(outline, call)| is_in_text(outline, call)) {
            self.texts.insert(define.to_owned());
        }
        if calls.iter().any(|(outline, call)| is_without_root(&outline.actions, call)) {
            self.without_root.insert(define.to_owned());
        }
    }

    /// Adds the defines that call one of those with a list.
    fn add_callers(&mut self, outlines: &[&Outline<'_>]) {
        let mut callers = HashSet::new();
        for name in &self.lists {
            let finder = Finder::new(name.as_str());
            for outline in outlines {
                let actions = &outline.actions;
                let defines = actions.with_string(&finder).filter_map(|call| actions.define(call.scope));
                callers.extend(defines.filter_map(|define| actions.name(define)).map(ToOwned::to_owned));
            }
        }
        self.lists.extend(callers);
    }

    /// Adds the values with imagePullSecrets in them, as a key or in a text.
    fn add_values(&mut self, document: &Document<'_>, node: Node, path: &str) {
        match document.kind(node) {
            Kind::Mapping => {
                if document.get(node, KEY).is_some() {
                    self.lists.insert(path.to_owned());
                }
                for (key, value) in document.entries(node) {
                    let key = document.scalar(key).unwrap_or_default();
                    self.add_values(document, value, &format!("{path}.{key}"));
                }
            }
            _ if document.scalar(node).is_some_and(|text| text.contains(KEY)) => {
                self.lists.insert(path.to_owned());
            }
            _ => {}
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

/// Whether a call of a template by its name gives it something else than the root: `include "name" (dict ...)`.
fn is_without_root(actions: &Actions<'_>, call: &Action) -> bool {
    let pieces = actions.pieces(call);
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text).collect();
    let is_call = |text: &&str| matches!(*text, "include" | "template");
    let Some(place) = texts.iter().position(is_call) else { return false };
    let argument = match texts.get(place + 2..) {
        Some([argument @ .., ")"]) if !argument.is_empty() => argument,
        Some([argument, "|", ..]) => std::slice::from_ref(argument),
        Some(argument) if !argument.is_empty() => argument,
        _ => texts.get(..place.saturating_sub(1)).unwrap_or_default(),
    };
    !matches!(argument, ["." | "$" | "$envAll"])
}
