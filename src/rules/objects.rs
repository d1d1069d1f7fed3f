//! ServiceAccounts and pods in a template: where they are, and the edit that gives one its credentials.

use std::collections::HashSet;
use std::path::Path;

use super::pull_secrets::{self, Existing};
use crate::chart::Chart;
use crate::context::{Context, KEY, LIST_SNIPPET};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::source::{Source, is_partial};
use crate::template::actions::{Actions, Scope};
use crate::template::entry::{Entry, Key};
use crate::template::lexer;
use crate::template::outline::Outline;
use crate::template::root::Root;

/// A template that is looked at.
pub(super) struct Template<'o> {
    pub(super) path: &'o Path,
    pub(super) outline: &'o Outline<'o>,
    pub(super) context: &'o Context,
}

/// An account or a pod: a mapping that may have imagePullSecrets.
pub(super) struct Object<'o> {
    /// `a ServiceAccount`
    pub(super) what: &'static str,
    /// The entry by which it was found.
    pub(super) found: &'o Entry<'o>,
    pub(super) keys: Vec<(usize, &'o Entry<'o>)>,
    /// That of the keys.
    pub(super) column: usize,
    /// The scope that it stands in, as a whole.
    pub(super) scope: Scope,
    /// Byte offset at which a list may be put in, behind a line.
    pub(super) at: usize,
}

/// What becomes of an object.
pub(super) enum Outcome {
    /// It names the Secret.
    Done,
    Edit(Edit),
    Refused(Finding),
}

/// Whether `word` stands in `text` as a whole.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let behind = text.get(at + word.len()..).unwrap_or_default();
        !behind.starts_with(|c: char| c.is_alphanumeric() || "_-.".contains(c))
    })
}

impl<'o> Template<'o> {
    /// The templates of a chart that may hold an account or a pod.
    pub(super) fn all(chart: &'o Chart<'o>) -> Vec<Self> {
        chart.outlines.iter().map(|(source, outline)| Template::new(chart, source, outline)).collect()
    }

    pub(super) fn new(chart: &'o Chart<'_>, source: &'o Source, outline: &'o Outline<'o>) -> Self {
        Template { path: &source.path, outline, context: &chart.context }
    }

    /// The name of the define that a scope is in.
    pub(super) fn define(&self, scope: Scope) -> Option<&'o str> {
        let actions = &self.outline.actions;
        actions.define(scope).and_then(|define| actions.name(define))
    }

    /// Whether what stands here is a text to Helm: a file that others take in, and no define of it, or a define that
    /// goes into a text.
    pub(super) fn is_text(&self, scope: Scope) -> bool {
        match self.define(scope) {
            Some(define) => self.context.texts.contains(define),
            None => is_partial(self.path),
        }
    }

    /// Whether a template of the chart in `dir` becomes a script that runs in a container.
    pub(super) fn is_script(&self, dir: &Path) -> bool {
        let file = self.path.strip_prefix(dir).unwrap_or(self.path);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.components().any(|component| component.as_os_str() == "bin") && is_partial(self.path)
            || [".sh", ".sh.tpl", ".py", ".py.tpl"].iter().any(|ending| name.ends_with(ending))
    }

    pub(super) fn location(&self, entry: &Entry<'_>) -> Location {
        self.location_at(entry.start)
    }

    pub(super) fn location_at(&self, offset: usize) -> Location {
        Location::at(self.path, self.outline.position(offset))
    }

    /// Refuses a template that Helm cannot parse.
    pub(super) fn require_balance(&self) -> Result<(), Finding> {
        // A line break to YAML, and to hardly anything else.
        if self.outline.text.contains('\u{85}') {
            let what = "has a line break in it that most programs take for none (U+0085)";
            let location = Location::file(self.path);
            return Err(Finding::refused(
                Id::TemplateSyntax,
                location,
                what,
                "take it out, or make it another",
            ));
        }
        if self.outline.actions.is_balanced {
            return Ok(());
        }
        let what = "an action or a block in it does not end, or ends nothing";
        let location = Location::file(self.path);
        Err(Finding::refused(Id::TemplateSyntax, location, what, "mend it; `helm lint` says more"))
    }

    /// Gives an object the Secret to pull with.
    pub(super) fn complete(&self, object: &Object<'_>) -> Outcome {
        let text = self.outline.text;
        let Object { what, found, keys, column, scope, at } = object;
        let column = *column;
        let mut existing = pull_secrets::existing(self.outline, keys, *scope, self.context);
        if matches!(existing, Existing::Ours) {
            return Outcome::Done;
        }
        let at = match existing {
            Existing::Others { end, .. } => end,
            _ => *at,
        };
        let define = self.define(*scope);
        let is_root = |root: &Root<'_>| {
            !root.is_whole || define.is_none_or(|define| !self.context.without_root.contains(define))
        };
        let root = self.outline.root_variable(at, *scope).filter(is_root).map(|root| root.variable);
        let is_called_with_it = define.is_some_and(|define| self.context.with_root.contains(define));
        let root = root.or_else(|| is_called_with_it.then_some("$"));
        let refuse = |id, why: &str, (advice, lines): (&str, String)| {
            let variable =
                if root.is_none() { ", and for `$` the variable that is the templates' root" } else { "" };
            let fix = format!("{advice}{variable}:\n{lines}");
            Outcome::Refused(Finding::refused(id, self.location(found), format!("{what} {why}"), fix))
        };
        let variable = root.unwrap_or("$");
        // helm-toolkit's snippet prints a list only where an operator gives it one: that is no list yet.
        let is_snippet = |entry: &Entry<'_>| entry.key == Key::Printed && entry.value.contains(LIST_SNIPPET);
        let is_computed = |entry: &Entry<'_>| {
            ["include (", "include $"]
                .iter()
                .any(|call| entry.key == Key::Printed && entry.value.contains(call))
        };
        if keys.iter().any(|(_, entry)| self.prints_list(entry) || is_snippet(entry) || is_computed(entry)) {
            existing = Existing::Unclear("come from a define or from the values, or may do so");
        }
        if keys.iter().any(|(_, entry)| entry.is("<<")) && text.contains(KEY) {
            existing = Existing::Unclear("may be merged in by `<<`");
        }
        if let Existing::Unclear(why) = existing {
            let item = pull_secrets::item(variable, column + 2, "\n");
            let advice = ("write its list out by hand, in lines, with this in it", item);
            return refuse(Id::UnclearPullSecrets, &format!("whose {KEY} {why}"), advice);
        }
        let lines = |line_break| match existing {
            Existing::Others { column, .. } => pull_secrets::item(variable, column, line_break),
            _ => pull_secrets::list(variable, column, line_break),
        };
        let by_hand = || ("add this by hand", lines("\n"));
        if root.is_none() {
            let why = "where no variable is sure to be the root, which has the values";
            return refuse(Id::NoRootVariable, why, by_hand());
        }
        if self.changes_scope(at, *scope) {
            let why = "in which a condition begins or ends on the same line";
            return refuse(Id::UnclearMetadata, why, by_hand());
        }
        Outcome::Edit(pull_secrets::insertion(text, at, lines(pull_secrets::line_break(text))))
    }

    /// Whether an object has imagePullSecrets of its own, from a define too.
    pub(super) fn has_list(&self, object: &Object<'_>) -> bool {
        object.keys.iter().any(|(_, entry)| entry.is(KEY) || self.prints_list(entry))
    }

    /// Whether a line prints imagePullSecrets by a define of the chart or from its values.
    fn prints_list(&self, entry: &Entry<'_>) -> bool {
        self.prints(entry, &self.context.lists)
    }

    /// Whether a line, or a variable on it, has one of `names` in an action.
    pub(super) fn prints(&self, entry: &Entry<'_>, names: &HashSet<String>) -> bool {
        if names.is_empty() || !entry.value.contains("{{") {
            return false;
        }
        let is_named = |text: &str| names.iter().any(|name| has_word(text, name));
        let actions = &self.outline.actions;
        let line = Actions::new(entry.value);
        let pieces = line.all.iter().flat_map(|action| line.pieces(action));
        let mut variables =
            pieces.filter(|piece| piece.kind == lexer::Kind::Variable && piece.text.len() > 1);
        is_named(entry.value)
            || variables.any(|variable| {
                let texts = actions
                    .values_of(variable.text)
                    .map(|value| value.iter().map(|piece| piece.text).collect::<String>());
                texts.into_iter().any(|text| is_named(&text))
            })
    }

    /// Whether the line that ends at byte `at` leaves `scope`.
    fn changes_scope(&self, at: usize, scope: Scope) -> bool {
        self.outline.actions.scope_at(at) != scope
    }

    /// The ServiceAccounts. What has this kind and a name, but no metadata, is the subject of a role binding.
    pub(super) fn accounts(&self) -> Vec<Object<'o>> {
        let kinds = self.outline.entries.iter().enumerate();
        let kinds = kinds.filter(|(_, entry)| entry.is("kind") && entry.scalar() == Some("ServiceAccount"));
        // What an action prints below it is a part of the kind.
        let kinds = kinds.filter(|(index, _)| self.outline.children(*index).next().is_none());
        let account = |(index, kind): (usize, &'o Entry<'o>)| {
            let keys = self.keys(index, kind);
            let metadata = keys.iter().find(|(_, entry)| entry.is("metadata"));
            let is_subject = kind.parent.is_some() || keys.iter().any(|(_, entry)| entry.is("name"));
            if metadata.is_none() && is_subject {
                return None;
            }
            let end = metadata.and_then(|(metadata, _)| self.end_of_plain(*metadata, kind.scope));
            let at = end.unwrap_or(kind.line_end);
            let column = kind.column;
            Some(Object { what: "a ServiceAccount", found: kind, keys, column, scope: kind.scope, at })
        };
        kinds.filter_map(account).collect()
    }

    /// The keys of the object of this kind. The branches of a condition may hold an object each.
    pub(super) fn keys(&self, index: usize, kind: &Entry<'_>) -> Vec<(usize, &'o Entry<'o>)> {
        if kind.parent.is_some() {
            return self.without_others(self.outline.siblings(index), index, kind);
        }
        let mut keys = self.outline.of_object(kind);
        keys.retain(|(_, entry)| entry.parent.is_none());
        keys
    }

    /// All entries of the object of this kind, whatever they are in, with their indices.
    pub(super) fn all_inside(&self, index: usize, kind: &Entry<'_>) -> Vec<(usize, &'o Entry<'o>)> {
        let outline = self.outline;
        let Some(parent) = kind.parent else { return outline.of_object(kind) };
        let inside = (parent..outline.end(parent)).filter_map(|index| Some((index, outline.entry(index)?)));
        self.without_others(inside.collect(), index, kind)
    }

    /// Leaves out of `entries` those in a branch with an object of another kind.
    fn without_others(
        &self,
        mut entries: Vec<(usize, &'o Entry<'o>)>,
        index: usize,
        kind: &Entry<'_>,
    ) -> Vec<(usize, &'o Entry<'o>)> {
        let actions = &self.outline.actions;
        let siblings = self.outline.siblings(index);
        let others = siblings.iter().filter(|(_, entry)| entry.is("kind")).map(|(_, other)| other.scope);
        let others: Vec<Scope> = others.filter(|other| !actions.is_in(kind.scope, *other)).collect();
        entries.retain(|(_, entry)| !others.iter().any(|other| actions.is_in(entry.scope, *other)));
        entries
    }

    /// Byte offset behind the lines of a mapping, where these are plain: `key: value`, one behind another, with
    /// nothing that a line put in behind them could change.
    fn end_of_plain(&self, mapping: usize, scope: Scope) -> Option<usize> {
        let metadata = self.outline.entry(mapping)?;
        let mut end = metadata.line_end;
        if !metadata.is_open() || metadata.scope != scope {
            return None;
        }
        let mut behind = self.outline.entries.get(mapping + 1..)?.iter().peekable();
        while let Some(entry) = behind.next_if(|entry| entry.parent >= Some(mapping)) {
            let between = self.outline.text.get(end..entry.start)?;
            let is_next = between.trim().is_empty() && !between.contains('\n');
            if !is_next || entry.scope != scope || entry.goes_on {
                return None;
            }
            end = entry.line_end;
        }
        let actions = &self.outline.actions.all;
        let first = actions.partition_point(|action| action.range.start < metadata.start);
        let mut inside = actions.iter().skip(first).take_while(|action| action.range.start < end);
        // What an action prints may go on with the mapping, wherever the action stands.
        let next = behind.next().filter(|next| next.document == metadata.document);
        let mut lines = self.outline.text.get(end..)?.lines();
        let goes_on =
            lines.find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with([' ', '\t']))
                || next.is_some_and(|next| next.key == Key::Printed);
        (end > metadata.line_end && !goes_on && inside.all(|action| action.behind == scope)).then_some(end)
    }

    /// The pods: what has containers below `spec:`.
    pub(super) fn pods(&self) -> Vec<Pod<'o>> {
        let found = self.outline.entries.iter().enumerate().filter(|(_, entry)| entry.is("containers"));
        found.filter_map(|(index, containers)| self.pod(index, containers)).collect()
    }

    fn pod(&self, index: usize, containers: &'o Entry<'o>) -> Option<Pod<'o>> {
        let keys = self.outline.siblings(index);
        let mut path = Vec::new();
        let mut kinds: Vec<Option<&'o str>> = Vec::new();
        let mut above = containers.parent;
        while let Some(parent) = above.filter(|_| kinds.is_empty()) {
            let entry = self.outline.entry(parent)?;
            if let Key::Name(name) = entry.key {
                path.insert(0, name);
            }
            let beside = self.outline.siblings(parent);
            let is_kind = |(_, entry): &&(usize, &Entry<'_>)| entry.is("kind") && !entry.is_open();
            kinds = beside.iter().filter(is_kind).map(|(_, kind)| kind.scalar()).collect();
            above = entry.parent;
        }
        let spec = containers.parent.and_then(|parent| self.outline.entry(parent));
        let spec = spec.filter(|spec| spec.is("spec") && spec.is_open());
        let (at, scope) = spec.map_or((0, containers.scope), |spec| (spec.line_end, spec.scope));
        let column = containers.column;
        let object = Object { what: "a pod", found: containers, keys, column, scope, at };
        let inside = self.outline.entries.get(index + 1..self.outline.end(index)).unwrap_or_default();
        let is_image = |entry: &Entry<'_>| entry.is("image") || entry.key == Key::Printed;
        let has_image = containers.value.contains(['{', '[']) || inside.iter().any(is_image);
        Some(Pod { object, kinds, path, has_spec: spec.is_some(), has_image })
    }
}

/// A pod, or something like one.
pub(super) struct Pod<'o> {
    pub(super) object: Object<'o>,
    /// The kinds of the object that it is in; `None` for one that is not known. Empty where there is none.
    pub(super) kinds: Vec<Option<&'o str>>,
    /// The keys from there to the pod's own.
    pub(super) path: Vec<&'o str>,
    /// Whether it is the value of `spec:`.
    pub(super) has_spec: bool,
    /// Whether there is an image in its containers, or may be.
    pub(super) has_image: bool,
}

impl<'o> Pod<'o> {
    /// The name of the account that it has in any case.
    pub(super) fn account(&self, outline: &Outline<'_>) -> Option<&'o Entry<'o>> {
        let accounts = self.object.keys.iter().map(|(_, entry)| *entry);
        let mut named = accounts.filter(|entry| entry.is("serviceAccountName") || entry.is("serviceAccount"));
        named.find(|entry| {
            let is_empty = matches!(entry.scalar(), Some("" | "default" | "null" | "~"));
            !is_empty && outline.actions.is_in(self.object.found.scope, entry.scope)
        })
    }
}
