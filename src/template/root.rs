//! The variables of defines, as far as they tell how the templates' root is reached in them.

use std::collections::{HashMap, HashSet};

use super::actions::{Actions, Scope};
use super::lexer::{Piece, PieceKind};

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
    /// Those that may be the root besides the usual one, each once.
    names: Vec<String>,
    /// Where each is set, up to the first place where it is set to something else than the root: behind which byte,
    /// and whether to the whole root; `None` where that is something else, or not in any case.
    set: HashMap<String, Vec<(usize, Option<bool>)>>,
}

impl Variables {
    /// Those of each define.
    pub(super) fn of_defines(actions: &Actions<'_>) -> HashMap<Scope, Self> {
        let mut all: HashMap<Scope, Self> = HashMap::new();
        let mut asked: HashSet<(Scope, &str)> = HashSet::new();
        for action in &actions.all {
            let Some(define) = actions.define(action.scope) else { continue };
            let pieces = actions.pieces(action);
            let Variables { names, set } = all.entry(define).or_default();
            for (variable, next) in pieces.iter().zip(pieces.iter().skip(1)) {
                if variable.kind != PieceKind::Variable {
                    continue;
                }
                if next.text == ".Values" && variable.text != "$" && asked.insert((define, variable.text)) {
                    names.push(variable.text.to_owned());
                }
                if next.is_assignment() || next.kind == PieceKind::Comma {
                    let places = set.entry(variable.text.to_owned()).or_default();
                    if places.last().is_none_or(|(_, is_whole)| is_whole.is_some()) {
                        let is_at_top = (action.scope, action.behind) == (define, define);
                        places.push((action.range.end, is_whole(pieces).filter(|_| is_at_top)));
                    }
                }
            }
        }
        all
    }

    /// The root at byte `offset` of the define.
    pub(super) fn root(&self, offset: usize) -> Option<Root<'_>> {
        let names = self.names.iter().map(String::as_str);
        std::iter::once(USUAL).chain(names).find_map(|variable| {
            let places = self.set.get(variable)?;
            let before = places.partition_point(|(end, _)| *end <= offset);
            let (_, is_whole) = places.get(before.checked_sub(1)?)?;
            Some(Root { variable, is_whole: (*is_whole)? })
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
