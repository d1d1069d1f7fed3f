//! The actions of a Go template, the blocks that they open and close, and what their variables stand for.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem::Finder;

use super::lexer::{Piece, PieceKind, pieces};

/// What is between `{{` and `}}`, both included.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) range: Range<usize>,
    /// Which of the pieces are its own, as indices.
    pieces: Range<usize>,
    /// Whether it prints nothing: a comment, an assignment, or what opens, divides or closes a block.
    pub(crate) is_silent: bool,
    /// The scope in front of it.
    pub(crate) scope: Scope,
    /// The scope behind it: another one where it opens, divides or closes a block.
    pub(crate) behind: Scope,
    pub(crate) opens_define: bool,
    pub(crate) closes_define: bool,
}

/// A branch of a block, or the file: an index into [`Actions`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// The define that it is in, or is.
    define: Option<Scope>,
    /// The scopes in it are those from its own up to this one.
    end: usize,
}

#[derive(Debug)]
pub(crate) struct Actions<'t> {
    text: &'t str,
    /// What is in the actions, one behind another, white space and comments left out.
    pub(crate) pieces: Vec<Piece<'t>>,
    pub(crate) all: Vec<Action>,
    blocks: Vec<Block>,
    /// The actions that set a variable, as indices.
    assignments: HashMap<&'t str, Vec<usize>>,
    /// Whether each block is closed, and each end closes one.
    pub(crate) is_balanced: bool,
}

impl<'t> Actions<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let file = Block { around: Scope::FILE, opening: None, define: None, end: usize::MAX };
        let mut found = Actions {
            text,
            pieces: Vec::new(),
            all: Vec::new(),
            blocks: vec![file],
            assignments: HashMap::new(),
            is_balanced: true,
        };
        let mut scope = Scope::FILE;
        let mut start = None;
        for piece in pieces(text).filter(|piece| piece.kind != PieceKind::Text) {
            let from = *start.get_or_insert(piece.start);
            match piece.kind {
                PieceKind::Close | PieceKind::Comment => {
                    let range = from..piece.start + piece.text.len();
                    scope = found.push(range, piece.kind == PieceKind::Comment, scope);
                    start = None;
                }
                PieceKind::Unterminated => found.is_balanced = false,
                PieceKind::Open | PieceKind::Space => {}
                _ => found.pieces.push(piece),
            }
        }
        if let Some(start) = start {
            found.push(start..text.len(), false, scope);
        }
        found.is_balanced &= start.is_none() && scope == Scope::FILE;
        found
    }

    /// What is in an action, white space left out.
    pub(crate) fn pieces(&self, action: &Action) -> &[Piece<'t>] {
        self.pieces.get(action.pieces.clone()).unwrap_or_default()
    }

    /// Adds an action that stands in `scope`, of which the pieces are there, and returns the scope behind it.
    fn push(&mut self, range: Range<usize>, is_comment: bool, scope: Scope) -> Scope {
        let pieces = self.all.last().map_or(0, |last| last.pieces.end)..self.pieces.len();
        let mut inside = self.pieces.get(pieces.clone()).unwrap_or_default().iter();
        let (first, second) = (inside.next().copied(), inside.next());
        let keyword = first.and_then(|first| (first.kind == PieceKind::Keyword).then_some(first.text));
        let variable = first.filter(|first| first.kind == PieceKind::Variable).map(|first| first.text);
        let assigned = variable.filter(|_| second.is_some_and(Piece::is_assignment));
        let is_silent =
            is_comment || assigned.is_some() || keyword.is_some_and(|keyword| keyword != "template");
        let index = self.all.len();
        let around = self.block(scope).map_or(Scope::FILE, |block| block.around);
        let opens_define = matches!(keyword, Some("define" | "block"));
        let behind = match keyword {
            Some("if" | "range" | "with" | "define" | "block") => self.open(scope, index, opens_define),
            Some("else") => {
                self.close(scope);
                self.open(around, index, false)
            }
            Some("end") => {
                self.is_balanced &= scope != Scope::FILE;
                self.close(scope);
                around
            }
            _ => scope,
        };
        let closes_define = keyword == Some("end") && self.define(scope) == Some(scope);
        if let Some(variable) = assigned {
            self.assignments.entry(variable).or_default().push(index);
        }
        self.all.push(Action { range, pieces, is_silent, scope, behind, opens_define, closes_define });
        behind
    }

    fn open(&mut self, around: Scope, opening: usize, is_define: bool) -> Scope {
        let scope = Scope(self.blocks.len());
        let define = if is_define { Some(scope) } else { self.define(around) };
        self.blocks.push(Block { around, opening: Some(opening), define, end: usize::MAX });
        scope
    }

    fn close(&mut self, scope: Scope) {
        let end = self.blocks.len();
        if let Some(block) = self.blocks.get_mut(scope.0).filter(|_| scope != Scope::FILE) {
            block.end = end;
        }
    }

    fn block(&self, scope: Scope) -> Option<&Block> {
        self.blocks.get(scope.0)
    }

    /// The scope at byte `offset`.
    pub(crate) fn scope_at(&self, offset: usize) -> Scope {
        let before = self.all.partition_point(|action| action.range.end <= offset);
        before
            .checked_sub(1)
            .and_then(|index| self.all.get(index))
            .map_or(Scope::FILE, |action| action.behind)
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
        self.block(outer).is_some_and(|block| (outer.0..block.end).contains(&inner.0))
    }

    /// The text of the action that opens a scope; empty for the file.
    pub(crate) fn opening(&self, scope: Scope) -> &'t str {
        let action = self.block(scope).and_then(|block| self.all.get(block.opening?));
        action.map_or("", |action| self.text_of(action))
    }

    /// The define that a scope is in.
    pub(crate) fn define(&self, scope: Scope) -> Option<Scope> {
        self.block(scope)?.define
    }

    /// What a variable is set to, wherever that is.
    pub(crate) fn values_of(&self, variable: &str) -> impl Iterator<Item = &[Piece<'t>]> {
        let indices = self.assignments.get(variable).into_iter().flatten();
        let actions = indices.filter_map(|index| self.all.get(*index));
        actions.filter_map(|action| self.pieces(action).get(2..))
    }

    /// The variables that are set anywhere.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'t str> {
        self.assignments.keys().copied()
    }

    /// The actions in which a string is exactly what `finder` looks for: the name of a define, given to what calls it.
    pub(crate) fn with_string(&self, finder: &Finder<'_>) -> impl Iterator<Item = &Action> {
        let places = finder.find_iter(self.text.as_bytes());
        let mut indices: Vec<usize> =
            places.map(|place| self.all.partition_point(|action| action.range.end <= place)).collect();
        indices.dedup();
        let is_it =
            |piece: &Piece<'_>| text_in_quotes(piece).is_some_and(|text| text.as_bytes() == finder.needle());
        let actions = indices.into_iter().filter_map(|index| self.all.get(index));
        actions.filter(move |action| !action.opens_define && self.pieces(action).iter().any(is_it))
    }

    /// The names of the templates that the text defines.
    pub(crate) fn defined(&self) -> impl Iterator<Item = &'t str> {
        let scopes = (0..self.blocks.len()).map(Scope);
        scopes.filter(|scope| self.define(*scope) == Some(*scope)).filter_map(|define| self.name(define))
    }

    /// The name of the define that a scope is in.
    pub(crate) fn name(&self, scope: Scope) -> Option<&'t str> {
        let opening = self.all.get(self.block(self.define(scope)?)?.opening?)?;
        text_in_quotes(self.pieces(opening).get(1)?)
    }
}

/// What a string holds.
pub(crate) fn text_in_quotes<'t>(piece: &Piece<'t>) -> Option<&'t str> {
    matches!(piece.kind, PieceKind::String | PieceKind::RawString)
        .then(|| piece.text.trim_matches(['"', '`']))
}
