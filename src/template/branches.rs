//! Which entries of a document belong to which of its objects: the branches of a condition may hold an object each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::actions::{Actions, Scope};
use super::entry::Entry;

/// The entries of each document, as indices, by the innermost branch with a `kind:` at its top that they are in;
/// by that of the file, where they are in none.
#[derive(Debug)]
pub(super) struct Branches(HashMap<usize, BTreeMap<Scope, Vec<usize>>>);

impl Branches {
    pub(super) fn of(entries: &[Entry<'_>], actions: &Actions<'_>) -> Self {
        let kinds = entries.iter().filter(|entry| entry.parent.is_none() && entry.is("kind"));
        let kinds: HashSet<(usize, Scope)> = kinds.map(|kind| (kind.document, kind.scope)).collect();
        let mut known: HashMap<(usize, Scope), Scope> = HashMap::new();
        let mut branches: HashMap<usize, BTreeMap<Scope, Vec<usize>>> = HashMap::new();
        for (index, Entry { document, scope, .. }) in entries.iter().enumerate() {
            let mut found = Scope::FILE;
            let mut passed = Vec::new();
            for around in actions.between(*scope, Scope::FILE) {
                if let Some(branch) = known.get(&(*document, around)) {
                    found = *branch;
                    break;
                }
                passed.push(around);
                if kinds.contains(&(*document, around)) {
                    found = around;
                    break;
                }
            }
            known.extend(passed.into_iter().map(|around| ((*document, around), found)));
            branches.entry(*document).or_default().entry(found).or_default().push(index);
        }
        Branches(branches)
    }

    /// The entries of the object whose kind stands in `scope` of a document: those that are in no branch with
    /// another kind.
    pub(super) fn of_object(&self, document: usize, scope: Scope, actions: &Actions<'_>) -> Vec<usize> {
        let branches = self.0.get(&document).into_iter().flatten();
        let own = branches.filter(|(branch, _)| actions.is_in(scope, **branch));
        let mut entries: Vec<usize> = own.flat_map(|(_, entries)| entries).copied().collect();
        entries.sort_unstable();
        entries
    }
}
