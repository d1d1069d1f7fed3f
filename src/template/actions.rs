//! The actions of a Go template, the blocks that they open and close, and what their variables stand for.

use std::ops::Range;

use super::lexer::{Kind, Piece, pieces};

/// What is between `{{` and `}}`, both included.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) range: Range<usize>,
    /// Whether it prints nothing: a comment, an assignment, or what opens, divides or closes a block.
    pub(crate) is_silent: bool,
    /// The scope in front of it.
    pub(crate) scope: Scope,
    /// The scope behind it: another one where it opens, divides or closes a block.
    pub(crate) behind: Scope,
    pub(crate) opens_define: bool,
    pub(crate) closes_define: bool,
    /// What is in it, white space left out: a part of [`Actions::pieces`].
    pieces: Range<usize>,
}

/// A branch of a block, or the file: an index into [`Actions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope(usize);

impl Scope {
    pub(crate) const FILE: Scope = Scope(0);
}

#[derive(Clone, Debug)]
struct Block {
    /// The scope that the block is in.
    around: Scope,
    /// The action that opens it, as an index; for `else`, that.
    opening: Option<usize>,
    is_define: bool,
}

#[derive(Debug)]
pub(crate) struct Actions<'t> {
    text: &'t str,
    pub(crate) all: Vec<Action>,
    pieces: Vec<Piece<'t>>,
    blocks: Vec<Block>,
    /// Whether each block is closed, and each end closes one.
    pub(crate) is_balanced: bool,
}

impl<'t> Actions<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let file = Block { around: Scope::FILE, opening: None, is_define: false };
        let mut found =
            Actions { text, all: Vec::new(), pieces: Vec::new(), blocks: vec![file], is_balanced: true };
        let mut scope = Scope::FILE;
        let mut is_inside = false;
        let (mut start, mut first) = (0, 0);
        for piece in pieces(text) {
            let end = piece.start + piece.text.len();
            match piece.kind {
                Kind::Text | Kind::Space => {}
                Kind::Open => (is_inside, start, first) = (true, piece.start, found.pieces.len()),
                Kind::Close => {
                    is_inside = false;
                    scope = found.push(start..end, scope, first);
                }
                Kind::Comment => found.all.push(Action {
                    range: piece.start..end,
                    is_silent: true,
                    scope,
                    behind: scope,
                    opens_define: false,
                    closes_define: false,
                    pieces: 0..0,
                }),
                Kind::Unterminated | Kind::Unknown => found.is_balanced = false,
                _ => found.pieces.push(piece),
            }
        }
        found.is_balanced &= scope == Scope::FILE && !is_inside;
        found
    }

    /// What is in an action.
    fn pieces(&self, action: &Action) -> &[Piece<'t>] {
        self.pieces.get(action.pieces.clone()).unwrap_or_default()
    }

    /// Adds an action with the pieces from `first` on, and returns the scope behind it.
    fn push(&mut self, range: Range<usize>, scope: Scope, first: usize) -> Scope {
        let part = first..self.pieces.len();
        let pieces = self.pieces.get(part.clone()).unwrap_or_default();
        let first = pieces.first().map(|piece| (piece.kind, piece.text));
        let keyword = first.and_then(|(kind, text)| (kind == Kind::Keyword).then_some(text));
        let is_assignment = first.is_some_and(|(kind, _)| kind == Kind::Variable)
            && pieces.get(1).is_some_and(|piece| matches!(piece.kind, Kind::Declare | Kind::Assign));
        let is_silent = is_assignment || keyword.is_some_and(|keyword| keyword != "template");
        let opening = self.all.len();
        let around = self.block(scope).map_or(Scope::FILE, |block| block.around);
        let behind = match keyword {
            Some("if" | "range" | "with" | "define" | "block") => {
                let is_define = matches!(keyword, Some("define" | "block"));
                self.open(Block { around: scope, opening: Some(opening), is_define })
            }
            Some("else") => self.open(Block { around, opening: Some(opening), is_define: false }),
            Some("end") => {
                self.is_balanced &= scope != Scope::FILE;
                around
            }
            _ => scope,
        };
        let opens_define = matches!(keyword, Some("define" | "block"));
        let closes_define = keyword == Some("end") && self.block(scope).is_some_and(|block| block.is_define);
        self.all.push(Action { range, is_silent, scope, behind, opens_define, closes_define, pieces: part });
        behind
    }

    fn open(&mut self, block: Block) -> Scope {
        self.blocks.push(block);
        Scope(self.blocks.len() - 1)
    }

    fn block(&self, scope: Scope) -> Option<&Block> {
        self.blocks.get(scope.0)
    }

    pub(crate) fn text_of(&self, action: &Action) -> &'t str {
        self.text.get(action.range.clone()).unwrap_or_default()
    }

    /// The scopes around `scope`, itself first, up to `outer`, which is left out. Up to the file where `outer` is not
    /// around it.
    pub(crate) fn between(&self, scope: Scope, outer: Scope) -> impl Iterator<Item = Scope> {
        let mut next = Some(scope);
        std::iter::from_fn(move || {
            let scope = next.filter(|scope| *scope != outer)?;
            next = self.block(scope).filter(|_| scope != Scope::FILE).map(|block| block.around);
            Some(scope)
        })
    }

    /// Whether all of `inner` is in `outer`.
    pub(crate) fn is_in(&self, inner: Scope, outer: Scope) -> bool {
        inner == outer || outer == Scope::FILE || self.between(inner, Scope::FILE).any(|scope| scope == outer)
    }

    /// The text of the action that opens a scope; empty for the file.
    pub(crate) fn opening(&self, scope: Scope) -> &'t str {
        let action = self.block(scope).and_then(|block| self.all.get(block.opening?));
        action.map_or("", |action| self.text_of(action))
    }

    /// The define that a scope is in.
    pub(crate) fn define(&self, scope: Scope) -> Option<Scope> {
        self.between(scope, Scope::FILE).find(|scope| self.block(*scope).is_some_and(|block| block.is_define))
    }

    /// Whether the text defines a template with this name.
    pub(crate) fn defines(&self, name: &str) -> bool {
        self.defined().any(|defined| defined == name)
    }

    /// The names of the templates that the text calls by `include` or `template`, each with its byte offset.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&'t str, usize)> {
        let calls = |action: &Action| {
            let named = |pair: &[Piece<'t>]| match pair {
                [call, name] if matches!(call.text, "include" | "template") => {
                    Some((text_in_quotes(name)?, name.start + 1))
                }
                _ => None,
            };
            self.pieces(action).windows(2).filter_map(named).collect::<Vec<_>>()
        };
        self.all.iter().flat_map(calls)
    }

    /// The names of the templates that the text defines.
    pub(crate) fn defined(&self) -> impl Iterator<Item = &'t str> {
        let scopes = (0..self.blocks.len()).map(Scope);
        scopes.filter(|scope| self.define(*scope) == Some(*scope)).filter_map(|define| self.name(define))
    }

    /// The name of a define.
    pub(crate) fn name(&self, define: Scope) -> Option<&'t str> {
        let opening = self.all.get(self.block(define)?.opening?)?;
        text_in_quotes(self.pieces(opening).get(1)?)
    }

    /// The variable by which the templates' root can be reached at byte `offset` in `scope`: `$` outside of a
    /// define; in one `$envAll`, where it is set at the top of the define to what the define was called with,
    /// or to a part of that. `None` where there is none, or it may be something else.
    pub(crate) fn root_variable(&self, offset: usize, scope: Scope) -> Option<&'static str> {
        const ROOT: &str = "$envAll";
        let Some(define) = self.define(scope) else { return Some("$") };
        let mut is_set = false;
        for action in self.all.iter().filter(|action| action.range.end <= offset) {
            let [variable, assign, value @ ..] = self.pieces(action) else { continue };
            let is_assignment = variable.text == ROOT && matches!(assign.kind, Kind::Declare | Kind::Assign);
            if !is_assignment || self.define(action.scope) != Some(define) {
                continue;
            }
            let value: Vec<&str> = value.iter().map(|piece| piece.text).collect();
            let is_argument = matches!(value.as_slice(), ["." | "$"] | ["index", "." | "$", _]);
            let is_field = matches!(value.as_slice(), [field] if is_root_field(field));
            if action.scope != define || !is_argument && !is_field {
                return None;
            }
            is_set = true;
        }
        is_set.then_some(ROOT)
    }
}

fn text_in_quotes<'t>(piece: &Piece<'t>) -> Option<&'t str> {
    matches!(piece.kind, Kind::String | Kind::RawString).then(|| piece.text.trim_matches(['"', '`']))
}

/// `.envAll` and the like: a field that is called after the root.
fn is_root_field(field: &str) -> bool {
    matches!(field, ".envAll" | "$.envAll")
}
