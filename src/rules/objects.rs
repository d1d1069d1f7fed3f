//! ServiceAccounts and pods in a template: where they are, and the edit that gives one its credentials.

use std::collections::HashSet;
use std::path::Path;

use super::pull_secrets::{self, Existing, KEY};
use crate::edit::Edit;
use crate::finding::{Finding, Id, Location};
use crate::template::actions::Scope;
use crate::template::entry::{Entry, Key};
use crate::template::outline::Outline;
use crate::text::position;

/// A template that is looked at.
pub(super) struct Template<'o> {
    pub(super) path: &'o Path,
    pub(super) outline: &'o Outline<'o>,
    /// The defines of the chart that print imagePullSecrets.
    pub(super) lists: &'o HashSet<String>,
}

/// An account or a pod: a mapping that may have imagePullSecrets.
pub(super) struct Object<'o> {
    /// `a ServiceAccount`
    pub(super) what: &'static str,
    /// The entry by which it was found.
    pub(super) found: &'o Entry<'o>,
    pub(super) keys: Vec<(usize, &'o Entry<'o>)>,
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

impl<'o> Template<'o> {
    pub(super) fn location(&self, entry: &Entry<'_>) -> Location {
        self.location_at(entry.start)
    }

    pub(super) fn location_at(&self, offset: usize) -> Location {
        Location::at(self.path, position(self.outline.text, offset))
    }

    /// Refuses a template that Helm cannot parse.
    pub(super) fn require_balance(&self) -> Result<(), Finding> {
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
        let Object { what, found, keys, scope, at } = object;
        let mut existing = pull_secrets::existing(self.outline, keys, *scope);
        if matches!(existing, Existing::Ours) {
            return Outcome::Done;
        }
        let root = self.outline.actions.root_variable(found.start, *scope);
        let column = found.column;
        let line_break = pull_secrets::line_break(text);
        let refuse = |id, why: &str, (advice, lines): (&str, String)| {
            let variable =
                if root.is_none() { ", and for `$` the variable that is the templates' root" } else { "" };
            let fix = format!("{advice}{variable}:\n{lines}");
            Outcome::Refused(Finding::refused(id, self.location(found), format!("{what} {why}"), fix))
        };
        let variable = root.unwrap_or("$");
        let by_hand = || ("add this by hand", pull_secrets::list(variable, column, "\n"));
        if keys.iter().any(|(_, entry)| self.prints_list(entry)) {
            existing = Existing::Unclear("come from a define");
        }
        if let Existing::Unclear(why) = existing {
            let item = pull_secrets::item(variable, column + 2, "\n");
            let advice = ("write its list out by hand, in lines, with this in it", item);
            return refuse(Id::UnclearPullSecrets, &format!("whose {KEY} {why}"), advice);
        }
        let Some(root) = root else {
            let why = "in a `define` that has no $envAll to find the values by";
            return refuse(Id::NoRootVariable, why, by_hand());
        };
        let (at, lines) = match existing {
            Existing::Others { end, column } => (end, pull_secrets::item(root, column, line_break)),
            _ => (*at, pull_secrets::list(root, column, line_break)),
        };
        if self.changes_scope(at, *scope) {
            let why = "in which a condition begins or ends on the same line";
            return refuse(Id::UnclearMetadata, why, by_hand());
        }
        Outcome::Edit(pull_secrets::insertion(text, at, lines))
    }

    /// Whether an object has imagePullSecrets of its own, from a define too.
    pub(super) fn has_list(&self, object: &Object<'_>) -> bool {
        object.keys.iter().any(|(_, entry)| entry.is(KEY) || self.prints_list(entry))
    }

    /// Whether a line prints imagePullSecrets by a define of the chart.
    fn prints_list(&self, entry: &Entry<'_>) -> bool {
        let mut defines = self.lists.iter();
        entry.key == Key::Printed && defines.any(|name| entry.value.contains(&format!("\"{name}\"")))
    }

    /// Whether the line that ends at byte `at` leaves `scope`.
    fn changes_scope(&self, at: usize, scope: Scope) -> bool {
        let actions = self.outline.actions.all.iter();
        let before = actions.rev().find(|action| action.range.end <= at);
        before.map_or(Scope::FILE, |action| action.behind) != scope
    }

    /// The ServiceAccounts. What has this kind and a name, but no metadata, is the subject of a role binding.
    pub(super) fn accounts(&self) -> Vec<Object<'o>> {
        let kinds = self.outline.entries.iter().enumerate();
        let kinds = kinds.filter(|(_, entry)| entry.is("kind") && entry.scalar() == Some("ServiceAccount"));
        let account = |(index, kind): (usize, &'o Entry<'o>)| {
            let keys = self.keys(index, kind);
            let metadata = keys.iter().find(|(_, entry)| entry.is("metadata"));
            let is_subject = kind.parent.is_some() || keys.iter().any(|(_, entry)| entry.is("name"));
            if metadata.is_none() && is_subject {
                return None;
            }
            let end = metadata.and_then(|(metadata, _)| self.end_of_plain(*metadata, kind.scope));
            let at = end.unwrap_or(kind.line_end);
            Some(Object { what: "a ServiceAccount", found: kind, keys, scope: kind.scope, at })
        };
        kinds.filter_map(account).collect()
    }

    /// The keys of the object of this kind. The branches of a condition may hold an object each.
    fn keys(&self, index: usize, kind: &Entry<'_>) -> Vec<(usize, &'o Entry<'o>)> {
        let mut keys = self.outline.siblings(index);
        let actions = &self.outline.actions;
        let others = keys.iter().filter(|(_, entry)| entry.is("kind")).map(|(_, other)| other.scope);
        let others: Vec<Scope> = others.filter(|other| !actions.is_in(kind.scope, *other)).collect();
        keys.retain(|(_, entry)| !others.iter().any(|other| actions.is_in(entry.scope, *other)));
        keys
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
            if !is_next || entry.scope != scope || entry.goes_on() {
                return None;
            }
            end = entry.line_end;
        }
        let actions = self.outline.actions.all.iter();
        let mut inside =
            actions.filter(|action| action.range.start >= metadata.start && action.range.start < end);
        // What an action prints may go on with the mapping, wherever the action stands.
        let next = behind.next().filter(|next| next.document == metadata.document);
        let goes_on = self.outline.text.get(end..)?.starts_with(' ')
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
        let object = Object { what: "a pod", found: containers, keys, scope, at };
        Some(Pod { object, kinds, path, has_spec: spec.is_some() })
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
