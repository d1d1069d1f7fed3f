//! The ServiceAccounts that a chart makes: under which names, and under which conditions.

use std::collections::HashMap;

use memchr::memmem::Finder;

use super::objects::Template;
use crate::context::{Call, SNIPPET};
use crate::template::Word;
use crate::template::actions::{Actions, Scope};
use crate::template::entry::Entry;
use crate::template::lexer::{Kind, Piece};

/// Whether a pod's ServiceAccount is there wherever the pod is.
pub(super) enum Presence {
    Sure,
    /// No template makes it.
    Missing,
    /// Nobody can tell from the templates, and why.
    Unclear(String),
}

static ACCOUNT: Word = Word::new(|| Finder::new(SNIPPET));

pub(super) struct Accounts<'o> {
    templates: &'o [Template<'o>],
    made: Vec<Made<'o>>,
    /// Those of a name, by [`spelling`] of it.
    by_name: HashMap<String, Vec<usize>>,
}

/// An account that a template makes.
struct Made<'o> {
    place: Place<'o>,
    /// Its name, as it is written there.
    name: String,
}

/// A block of a template.
#[derive(Clone, Copy)]
struct Place<'o> {
    template: &'o Template<'o>,
    scope: Scope,
}

impl<'o> Accounts<'o> {
    pub(super) fn new(templates: &'o [Template<'o>]) -> Self {
        let made: Vec<Made<'o>> = templates.iter().flat_map(made).collect();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (made, index) in made.iter().zip(0..) {
            by_name.entry(spelling(&made.name)).or_default().push(index);
        }
        Accounts { templates, made, by_name }
    }

    /// Whether the account that `entry` of a pod names is there. A name that is computed is the same where the
    /// same computes it.
    pub(super) fn presence(&self, template: &'o Template<'o>, entry: &Entry<'_>) -> Presence {
        let pod = Place { template, scope: entry.scope };
        let name = entry.scalar().unwrap_or(entry.text());
        // What a define is called with has the same name there, nearly always.
        let is_beside = |made: &Made<'o>| {
            let is_at = |place: &Place<'o>| made.place.is_beside(*place);
            is_at(&pod) || self.rendered(pod).iter().any(is_at)
        };
        let called_so = self.by_name.get(&spelling(name)).into_iter().flatten();
        let mut called_so = called_so.filter_map(|index| self.made.get(*index));
        if called_so.any(|made| is_beside(made) && self.covers(made, pod)) {
            return Presence::Sure;
        }
        let names = names(name, template);
        let has_name = |made: &&Made<'_>| names_of(made).iter().any(|name| names.contains(name));
        let same: Vec<&Made<'_>> = self.made.iter().filter(has_name).collect();
        if same.iter().any(|made| self.covers(made, pod)) {
            return Presence::Sure;
        }
        if let [first, ..] = same.as_slice() {
            let condition = first.place.conditions().first().cloned().unwrap_or_default();
            return Presence::Unclear(format!("it is made under a condition only, `{condition}`"));
        }
        let mut all = self.made.iter().flat_map(names_of).chain(names);
        if all.any(|name| name.contains("{{")) {
            Presence::Unclear("no template makes one whose name is sure to be the same".to_owned())
        } else {
            Presence::Missing
        }
    }

    /// Whether an account is made wherever a pod is: in the same block, or under the same conditions elsewhere.
    fn covers(&self, made: &Made<'o>, pod: Place<'o>) -> bool {
        if made.place.is_around(pod) {
            return true;
        }
        let pods = self.rendered(pod);
        let is_there = |made: &Place<'_>| pods.iter().all(|pod| made.is_around(*pod) || made.implies(*pod));
        self.rendered(made.place).iter().any(is_there)
    }

    /// Where something is rendered: what stands in a define where that is called, or its name given to what calls it.
    fn rendered(&self, place: Place<'o>) -> Vec<Place<'o>> {
        let Some(define) = place.template.define(place.scope) else { return vec![place] };
        let calls = place.template.context.calls.get(define).into_iter().flatten();
        let place =
            |call: &Call| Some(Place { template: self.templates.get(call.outline)?, scope: call.scope });
        calls.filter_map(place).collect()
    }
}

impl Place<'_> {
    fn is_beside(self, other: Place<'_>) -> bool {
        self.template.path == other.template.path
    }

    fn is_around(self, other: Place<'_>) -> bool {
        self.is_beside(other) && self.template.outline.actions.is_in(other.scope, self.scope)
    }

    /// Whether all conditions that hold here hold at `other`, too.
    fn implies(self, other: Place<'_>) -> bool {
        let conditions = other.conditions();
        self.conditions().iter().all(|condition| condition != "else" && conditions.contains(condition))
    }

    /// The blocks that it is in, innermost first, without trim marks.
    fn conditions(self) -> Vec<String> {
        let actions = &self.template.outline.actions;
        let define = actions.define(self.scope).unwrap_or(Scope::FILE);
        let openings = actions.between(self.scope, define).map(|scope| actions.opening(scope));
        let text = |opening: &str| opening.trim_matches(['{', '}', '-', ' ', '\t', '\n']).to_owned();
        openings.map(text).filter(|text| !text.is_empty()).collect()
    }
}

/// The accounts in a template: its own, and those of helm-toolkit's snippet, whose third argument is the name.
fn made<'o>(template: &'o Template<'o>) -> Vec<Made<'o>> {
    let actions = &template.outline.actions;
    let snippets = actions.with_string(&ACCOUNT).filter_map(|action| {
        let name = third_argument(&actions.pieces(action)).map(text_of)?;
        Some(Made { place: Place { template, scope: action.scope }, name })
    });
    let own = template.accounts().into_iter().map(|account| {
        let metadata = account.keys.iter().find(|(_, entry)| entry.is("metadata"));
        let inside = metadata.and_then(|(index, metadata)| {
            let mut children = template.outline.children(*index).map(|(_, entry)| entry);
            children.find(|entry| entry.is("name")).map(Entry::text).or_else(|| name_in_flow(metadata.text()))
        });
        let name = inside.unwrap_or("{{ }}").trim_matches(['"', '\'']).to_owned();
        Made { place: Place { template, scope: account.scope }, name }
    });
    snippets.chain(own).collect()
}

/// `{name: this}`
fn name_in_flow(metadata: &str) -> Option<&str> {
    let (_, behind) = metadata.split_once("name:")?;
    behind.split([',', '}']).next().map(str::trim)
}

/// The third argument of `tuple`.
fn third_argument<'p, 't>(pieces: &'p [Piece<'t>]) -> Option<&'p [Piece<'t>]> {
    let start = pieces.iter().position(|piece| piece.text == "tuple")? + 1;
    let (mut depth, mut argument, mut first) = (0, 0, start);
    for (index, piece) in pieces.iter().enumerate().skip(start) {
        match piece.kind {
            Kind::LeftParen => depth += 1,
            Kind::RightParen | Kind::Pipe if depth == 0 => return None,
            Kind::RightParen => depth -= 1,
            _ => {}
        }
        // `$envAll.Values` are two pieces and one argument.
        let next = pieces.get(index + 1);
        let goes_on =
            next.is_some_and(|next| next.kind == Kind::Field && next.start == piece.start + piece.text.len());
        if depth == 0 && !goes_on {
            argument += 1;
            if argument == 3 {
                return pieces.get(first..=index);
            }
            first = index + 1;
        }
    }
    None
}

/// A name as it is written, but for quotes and blanks.
fn spelling(name: &str) -> String {
    name.replace("| quote", "").split_whitespace().collect()
}

/// The text that stands for what an expression prints.
fn text_of(pieces: &[Piece<'_>]) -> String {
    match pieces {
        [literal] if matches!(literal.kind, Kind::String | Kind::RawString) => {
            literal.text.trim_matches(['"', '`']).to_owned()
        }
        _ => {
            let words: Vec<&str> = pieces.iter().map(|piece| piece.text).collect();
            format!("{{{{ {} }}}}", words.join(" "))
        }
    }
}

fn names_of(made: &Made<'_>) -> Vec<String> {
    names(&made.name, made.place.template)
}

/// What a name can be, with what its variables are set to: a name without braces is one that nothing computes.
fn names(name: &str, template: &Template<'_>) -> Vec<String> {
    let written = Actions::new(name);
    let mut names = vec![String::new()];
    let mut end = 0;
    for action in &written.all {
        let before = name.get(end..action.range.start).unwrap_or_default();
        let values = expanded(&template.outline.actions, &written.pieces(action), 0);
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
        [pieces @ .., pipe, quote] if pipe.kind == Kind::Pipe && quote.text == "quote" => pieces,
        _ => pieces,
    };
    let is_root = |piece: &Piece<'_>| matches!(piece.text, "$" | "." | "$envAll");
    if let [variable] = pieces
        && variable.kind == Kind::Variable
        && !is_root(variable)
        && depth < DEPTH
    {
        let values = actions.values_of(variable.text);
        let values: Vec<String> =
            values.flat_map(|value| expanded(actions, &value, depth + 1)).take(MOST).collect();
        if !values.is_empty() {
            return values;
        }
    }
    // The root is the same, whatever it is called.
    let is_followed = |index: usize| pieces.get(index + 1).is_some_and(|next| next.kind == Kind::Field);
    let mut words = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if is_root(piece) && piece.kind == Kind::Variable {
            if !is_followed(index) {
                words.push(".".to_owned());
            }
        } else if piece.kind == Kind::Variable && depth < DEPTH && pieces.len() > 1 {
            words.extend(expanded(actions, std::slice::from_ref(piece), depth + 1).into_iter().take(1));
        } else {
            words.push(piece.text.to_owned());
        }
    }
    match pieces {
        [literal] if matches!(literal.kind, Kind::String | Kind::RawString) => vec![text_of(pieces)],
        _ => vec![format!("{{{{ {} }}}}", words.join(" "))],
    }
}
