//! The variables of a define, as far as they tell how the templates' root is reached in it.

use std::collections::{HashMap, HashSet};

use super::actions::{Actions, Scope};
use super::lexer::{Kind, Piece};

/// How the templates' root is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root<'t> {
    pub(crate) variable: &'t str,
    /// Whether it is all that a define was called with, and not a part of it.
    pub(crate) is_whole: bool,
}

/// The variables of a define. They are read once: a define may be long, and hold many objects.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Those that may be the root, each once, the usual one first.
    names: Vec<String>,
    /// Where each is set, up to the first place where it is set to something else than the root.
    set: HashMap<String, Vec<Place>>,
}

/// Where a variable is set.
#[derive(Debug)]
struct Place {
    /// Byte offset behind it.
    end: usize,
    /// Whether it is set to the whole root; `None` where that is something else, or not in any case.
    is_whole: Option<bool>,
}

impl Variables {
    /// Those of each define.
    pub(super) fn of_defines(actions: &Actions<'_>) -> HashMap<Scope, Self> {
        let mut all: HashMap<Scope, Self> = HashMap::new();
        let mut asked: HashSet<(Scope, &str)> = HashSet::new();
        for action in &actions.all {
            let Some(define) = actions.define(action.scope) else { continue };
            let pieces = actions.pieces(action);
            let variables = all.entry(define).or_default();
            for pair in pieces.windows(2) {
                let [variable, next] = pair else { continue };
                if variable.kind != Kind::Variable {
                    continue;
                }
                if next.text == ".Values" && variable.text != "$" && asked.insert((define, variable.text)) {
                    variables.names.push(variable.text.to_owned());
                }
                if next.is_assignment() || next.kind == Kind::Comma {
                    let places = variables.set.entry(variable.text.to_owned()).or_default();
                    if places.last().is_none_or(|last| last.is_whole.is_some()) {
                        let is_whole =
                            is_whole(&pieces).filter(|_| (action.scope, action.behind) == (define, define));
                        places.push(Place { end: action.range.end, is_whole });
                    }
                }
            }
        }
        for Variables { names, set } in all.values_mut() {
            names.retain(|name| *name != USUAL && set.contains_key(name));
            names.insert(0, USUAL.to_owned());
        }
        all
    }

    /// The root at byte `offset` of the define.
    pub(super) fn root(&self, offset: usize) -> Option<Root<'_>> {
        self.names.iter().find_map(|variable| {
            let places = self.set.get(variable)?;
            let before = places.partition_point(|place| place.end <= offset);
            let last = places.get(before.checked_sub(1)?)?;
            Some(Root { variable, is_whole: last.is_whole? })
        })
    }
}

/// What helm-toolkit calls it.
const USUAL: &str = "$envAll";

/// Whether what an action sets a variable to is the root as a whole; `None` where it is not the root.
fn is_whole(pieces: &[Piece<'_>]) -> Option<bool> {
    let value = pieces.iter().skip(2).map(|piece| piece.text).filter(|text| !matches!(*text, "(" | ")"));
    match value.collect::<Vec<_>>().as_slice() {
        ["." | "$"] => Some(true),
        ["index", "." | "$", key] if is_key_of_root(key) => Some(false),
        [".envAll"] | ["$", ".envAll"] => Some(false),
        _ => None,
    }
}

/// Whether an argument of `index` finds the root: a place in a list, or a key that is called after it.
fn is_key_of_root(key: &str) -> bool {
    key == "\"envAll\"" || key.bytes().all(|byte| byte.is_ascii_digit())
}
