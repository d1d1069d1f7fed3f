//! The ServiceAccounts that a chart makes: under which names, and under which conditions.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem::Finder;

use super::service_accounts::accounts;
use crate::chart::Chart;
use crate::context::SNIPPET;
use crate::template::actions::{Actions, Scope, text_in_quotes};
use crate::template::entry::Entry;
use crate::template::lexer::{Piece, PieceKind};
use crate::template::outline::Outline;

/// Whether a pod's ServiceAccount is there wherever the pod is.
pub(super) enum Presence {
    Sure,
    /// No template makes it.
    Missing,
    /// Nobody can tell from the templates, and why.
    Unclear(String),
}

/// The accounts that a chart makes. They are looked up by name: a template may make thousands, for as many pods.
pub(super) struct Accounts<'o> {
    chart: &'o Chart<'o>,
    /// By a name as it is written, in [`spelling`].
    by_spelling: HashMap<String, Vec<Branch<'o>>>,
    /// By each name that one can have.
    by_name: HashMap<String, Vec<Branch<'o>>>,
    /// Whether there is one whose name nobody can tell.
    has_computed: bool,
}

/// A block of a template.
#[derive(Clone, Copy)]
struct Branch<'o> {
    outline: &'o Outline<'o>,
    scope: Scope,
}

impl<'o> Accounts<'o> {
    /// The accounts of a chart: its own, and those of helm-toolkit's snippet, whose third argument is the name.
    pub(super) fn of(chart: &'o Chart<'o>) -> Self {
        let snippet = Finder::new(SNIPPET);
        let (by_spelling, by_name) = (HashMap::new(), HashMap::new());
        let mut all = Accounts { chart, by_spelling, by_name, has_computed: false };
        for outline in &chart.outlines {
            let mut add = |scope: Scope, name: &str| {
                let place = Branch { outline, scope };
                all.by_spelling.entry(spelling(name)).or_default().push(place);
                for name in names(name, &outline.actions) {
                    all.has_computed |= name.contains("{{");
                    all.by_name.entry(name).or_default().push(place);
                }
            };
            for call in outline.actions.with_string(&snippet) {
                let name = third_argument(outline.actions.pieces(call));
                if let Some(name) = name.and_then(|range| outline.text.get(range)) {
                    add(call.scope, &format!("{{{{ {name} }}}}"));
                }
            }
            for account in accounts(outline) {
                let name = account.keys.iter().find(|entry| entry.is("metadata")).and_then(|metadata| {
                    let name = outline.children(metadata).find(|entry| entry.is("name"));
                    name.map(Entry::text).or_else(|| name_in_flow(metadata.text()))
                });
                add(account.scope, name.unwrap_or("{{ }}").trim_matches(['"', '\'']));
            }
        }
        all
    }

    /// Whether the account that `entry` of a pod names is there. A name that is computed is the same where the
    /// same computes it.
    pub(super) fn presence(&self, outline: &'o Outline<'o>, entry: &Entry<'_>) -> Presence {
        let pod = Branch { outline, scope: entry.scope };
        let name = entry.scalar().unwrap_or(entry.text());
        let names = names(name, &outline.actions);
        // What a define is called with has the same name there, nearly always.
        let is_beside = |made: &&Branch<'o>| {
            let is_at = |place: &Branch<'o>| made.outline.path == place.outline.path;
            is_at(&pod) || self.rendered(pod).iter().any(is_at)
        };
        let spelled_so = self.by_spelling.get(&spelling(name)).into_iter().flatten().filter(is_beside);
        let mut called_so = names.iter().filter_map(|name| self.by_name.get(name)).flatten();
        if spelled_so.chain(called_so.clone()).any(|made| self.covers(*made, pod)) {
            return Presence::Sure;
        }
        if let Some(first) = called_so.next() {
            let condition = first.conditions().first().cloned().unwrap_or_default();
            return Presence::Unclear(format!("it is made under a condition only, `{condition}`"));
        }
        if self.has_computed || names.iter().any(|name| name.contains("{{")) {
            Presence::Unclear("no template makes one whose name is sure to be the same".to_owned())
        } else {
            Presence::Missing
        }
    }

    /// Whether an account is made wherever a pod is: in the same block, or under the same conditions elsewhere.
    fn covers(&self, made: Branch<'o>, pod: Branch<'o>) -> bool {
        if made.is_around(pod) {
            return true;
        }
        let pods = self.rendered(pod);
        let is_there = |made: &Branch<'_>| pods.iter().all(|pod| made.is_around(*pod) || made.implies(*pod));
        self.rendered(made).iter().any(is_there)
    }

    /// Where something is rendered: what stands in a define where that is called, or its name given to what calls it.
    fn rendered(&self, place: Branch<'o>) -> Vec<Branch<'o>> {
        let Some(name) = place.outline.actions.name(place.scope) else { return vec![place] };
        let calls = self.chart.context.defines.get(name).into_iter().flat_map(|define| &define.calls);
        let place = |(outline, scope): &_| {
            Some(Branch { outline: self.chart.outlines.get(*outline)?, scope: *scope })
        };
        calls.filter_map(place).collect()
    }
}

impl Branch<'_> {
    fn is_around(self, other: Branch<'_>) -> bool {
        self.outline.path == other.outline.path && self.outline.actions.is_in(other.scope, self.scope)
    }

    /// Whether all conditions that hold here hold at `other`, too.
    fn implies(self, other: Branch<'_>) -> bool {
        let conditions = other.conditions();
        self.conditions().iter().all(|condition| condition != "else" && conditions.contains(condition))
    }

    /// The blocks that it is in, innermost first, without trim marks.
    fn conditions(self) -> Vec<String> {
        let actions = &self.outline.actions;
        let define = actions.define(self.scope).unwrap_or(Scope::FILE);
        let openings = actions.between(self.scope, define).map(|scope| actions.opening(scope));
        let text = |opening: &str| opening.trim_matches(['{', '}', '-', ' ', '\t', '\n']).to_owned();
        openings.map(text).filter(|text| !text.is_empty()).collect()
    }
}

/// `{name: this}`
fn name_in_flow(metadata: &str) -> Option<&str> {
    let (_, behind) = metadata.split_once("name:")?;
    behind.split([',', '}']).next().map(str::trim)
}

/// Where the third argument of `tuple` stands.
fn third_argument(pieces: &[Piece<'_>]) -> Option<Range<usize>> {
    let start = pieces.iter().position(|piece| piece.text == "tuple")? + 1;
    let (mut depth, mut argument, mut first) = (0, 0, pieces.get(start)?.start);
    for (index, piece) in pieces.iter().enumerate().skip(start) {
        match piece.kind {
            PieceKind::LeftParen => depth += 1,
            PieceKind::RightParen | PieceKind::Pipe if depth == 0 => return None,
            PieceKind::RightParen => depth -= 1,
            _ => {}
        }
        // `$envAll.Values` are two pieces and one argument.
        let (end, next) = (piece.start + piece.text.len(), pieces.get(index + 1));
        if depth == 0 && !next.is_some_and(|next| next.kind == PieceKind::Field && next.start == end) {
            argument += 1;
            if argument == 3 {
                return Some(first..end);
            }
            first = next?.start;
        }
    }
    None
}

/// A name as it is written, but for quotes and blanks.
fn spelling(name: &str) -> String {
    name.replace("| quote", "").split_whitespace().collect()
}

/// What a name can be, with what its variables are set to: a name without braces is one that nothing computes.
fn names(name: &str, actions: &Actions<'_>) -> Vec<String> {
    let written = Actions::new(name);
    let mut names = vec![String::new()];
    let mut end = 0;
    for action in &written.all {
        let before = name.get(end..action.range.start).unwrap_or_default();
        let values = expanded(actions, written.pieces(action), 0);
        let with =
            |name: &String| values.iter().map(|value| format!("{name}{before}{value}")).collect::<Vec<_>>();
        names = names.iter().flat_map(with).take(MOST).collect();
        end = action.range.end;
    }
    let behind = name.get(end..).unwrap_or_default();
    names.into_iter().map(|name| name + behind).collect()
}

/// How deep variables are followed that are set to others.
const DEPTH: usize = 4;

/// Most values that a name is tried with.
const MOST: usize = 8;

/// What an expression can print, with the variables of `actions` in it replaced by what they are set to.
fn expanded(actions: &Actions<'_>, pieces: &[Piece<'_>], depth: usize) -> Vec<String> {
    let pieces = match pieces {
        [pieces @ .., pipe, quote] if pipe.kind == PieceKind::Pipe && quote.text == "quote" => pieces,
        _ => pieces,
    };
    let is_root = |piece: &Piece<'_>| matches!(piece.text, "$" | "$envAll");
    let is_followed =
        |piece: &Piece<'_>| piece.kind == PieceKind::Variable && !is_root(piece) && depth < DEPTH;
    if let [only] = pieces {
        if let Some(text) = text_in_quotes(only) {
            return vec![text.to_owned()];
        }
        let values = actions.values_of(only.text).filter(|_| is_followed(only));
        let values = values.flat_map(|value| expanded(actions, value, depth + 1));
        let values: Vec<String> = values.take(MOST).collect();
        if !values.is_empty() {
            return values;
        }
    }
    let mut words = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let has_field = || pieces.get(index + 1).is_some_and(|next| next.kind == PieceKind::Field);
        if is_root(piece) {
            // The root is the same, whatever it is called.
            words.extend((!has_field()).then(|| ".".to_owned()));
        } else if is_followed(piece) && pieces.len() > 1 {
            words.extend(expanded(actions, std::slice::from_ref(piece), depth + 1).into_iter().take(1));
        } else {
            words.push(piece.text.to_owned());
        }
    }
    vec![format!("{{{{ {} }}}}", words.join(" "))]
}
