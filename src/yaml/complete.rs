//! Adds to a mapping whatever of a tree of entries it lacks, leaf by leaf. What is there stays,
//! whatever its value.

use super::addition::{Addition, Place};
use super::document::Document;
use super::entry::{Entry, Value};
use super::error::{Error, ErrorKind};
use super::node::{Kind, Node};
use super::scalar::is_ambiguous;

/// A key that gets another name, under which it counts as there.
pub(crate) struct Renamed {
    pub(crate) key: Node,
    pub(crate) name: String,
}

impl Document<'_> {
    /// Adds what `mapping` lacks of `wanted`. Entries that it has are completed in the same way.
    ///
    /// `place` is where `wanted` goes as far as it is missing; below that, entries go behind the
    /// one that precedes them in `wanted`.
    pub(crate) fn complete(
        &self,
        mapping: Node,
        wanted: &[Entry],
        place: Place,
        renamed: Option<&Renamed>,
    ) -> Result<Vec<Addition>, Error> {
        let mut additions = Vec::new();
        self.complete_into(mapping, &self.path(mapping), wanted, Some(place), renamed, &mut additions)?;
        Ok(additions)
    }

    fn complete_into(
        &self,
        mapping: Node,
        path: &str,
        wanted: &[Entry],
        place: Option<Place>,
        renamed: Option<&Renamed>,
        additions: &mut Vec<Addition>,
    ) -> Result<(), Error> {
        let kind = self.kind(mapping);
        if !matches!(kind, Kind::Mapping | Kind::Null) {
            return Err(self.error(mapping, ErrorKind::NotAMapping(kind)));
        }
        if let Some(key) = self.opaque_key(mapping) {
            return Err(self.error_at_key(mapping, key, ErrorKind::OpaqueKey));
        }
        // Runs of missing entries, each with the present one that it follows.
        let mut runs: Vec<(Option<Node>, Vec<Entry>)> = vec![(None, Vec::new())];
        for entry in wanted {
            if let Some(merge) = self.merge_of(mapping, entry.key()) {
                return Err(self.error_at_key(mapping, merge, ErrorKind::Merged));
            }
            let is_renamed = |key: Node| renamed.is_some_and(|it| (it.key, &*it.name) == (key, entry.key()));
            let renamed_here = || self.entries(mapping).find(|(key, _)| is_renamed(*key));
            if let Some((key, value)) = self.named(mapping, entry.key()).last().or_else(renamed_here) {
                if self.is_plain(key) && self.scalar(key).is_some_and(is_ambiguous) {
                    return Err(self.error_at_key(mapping, key, ErrorKind::OpaqueKey));
                }
                if let Value::Mapping(entries) = &entry.value {
                    let path = format!("{path}.{}", entry.key.name());
                    let path = path.trim_start_matches('.');
                    self.complete_into(value, path, entries, None, renamed, additions)?;
                }
                runs.push((Some(key), Vec::new()));
            } else if let Some((_, missing)) = runs.last_mut() {
                missing.push(entry.clone());
            }
        }
        let has_some = runs.len() > 1;
        for (follows, missing) in runs.into_iter().filter(|(_, missing)| !missing.is_empty()) {
            if self.is_shared(mapping) {
                return Err(self.error(mapping, ErrorKind::Shared));
            }
            let by_order = match follows {
                Some(key) => Place::After(key),
                None if has_some => Place::First,
                None => Place::Last,
            };
            let addition = self.add(mapping, place.unwrap_or(by_order), &missing)?;
            additions.push(Addition { path: path.to_owned(), ..addition });
        }
        Ok(())
    }

    fn error_at_key(&self, mapping: Node, key: Node, kind: ErrorKind) -> Error {
        Error { position: self.position(key), ..self.error(mapping, kind) }
    }
}
