//! Adds to a mapping whatever of a tree of entries it lacks, leaf by leaf. What is there stays,
//! whatever its value.

use std::fmt;

use super::document::{Document, Kind, Node, Position};
use super::entry::{Entry, Value, is_ambiguous};
use super::insert::{Addition, Obstacle, Place};

/// A spot where a missing entry cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// Where it is.
    pub position: Position,
    /// The way to it from the root: `endpoints.oci_image_registry`.
    pub path: String,
    /// What is in the way.
    pub cause: Cause,
}

/// What is in the way of a missing entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The text cannot take it.
    Obstacle(Obstacle),
    /// The mapping has an anchor that aliases elsewhere refer to: they would change as well.
    Shared,
    /// One of its keys is an alias, or has a tag that may turn it into another text.
    OpaqueKey,
    /// One of its keys is a YAML word or a number without quotes: Helm reads it as another text.
    AmbiguousKey,
    /// A `<<` behind the entry holds it too, and that is the one which counts for Helm.
    Hidden,
    /// Part of it comes from a mapping that is merged in by `<<`, and an entry here hides all of
    /// that.
    Merged,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Obstacle(obstacle) => obstacle.fmt(f),
            Cause::Shared => f.write_str("a mapping that aliases (*) elsewhere stand for too"),
            Cause::OpaqueKey => f.write_str("a mapping with a key that is an alias (*) or has a tag (!)"),
            Cause::AmbiguousKey => {
                f.write_str("a mapping whose key here is no text to Helm, which reads YAML 1.1")
            }
            Cause::Hidden => f.write_str("hidden, for Helm, by a mapping that is merged in (<<) behind it"),
            Cause::Merged => f.write_str("a mapping that is merged in from elsewhere (<<) and lacks entries"),
        }
    }
}

impl Document<'_> {
    /// Adds what `mapping` lacks of `wanted`. Entries that it has are completed in the same way.
    ///
    /// `place` is where `wanted` goes as far as it is missing; below that, entries go behind the
    /// one that precedes them in `wanted`.
    ///
    /// # Errors
    /// The first [`Hindrance`]; nothing is to be added then.
    pub fn complete(
        &self,
        mapping: Node,
        wanted: &[Entry],
        place: Place,
    ) -> Result<Vec<Addition>, Hindrance> {
        let mut additions = Vec::new();
        self.complete_into(mapping, wanted, Some(place), &mut additions)?;
        Ok(additions)
    }

    fn complete_into(
        &self,
        mapping: Node,
        wanted: &[Entry],
        place: Option<Place>,
        additions: &mut Vec<Addition>,
    ) -> Result<(), Hindrance> {
        let hindrance =
            |node, cause| Hindrance { position: self.position(node), path: self.path(node), cause };
        let kind = self.kind(mapping);
        if !matches!(kind, Kind::Mapping | Kind::Null) {
            return Err(hindrance(mapping, Cause::Obstacle(Obstacle::NotAMapping(kind))));
        }
        if let Some(key) = self.opaque_key(mapping) {
            return Err(Hindrance { position: self.position(key), ..hindrance(mapping, Cause::OpaqueKey) });
        }
        let key_of = |name: &str| {
            self.entries(mapping).map(|(key, _)| key).filter(|key| self.scalar(*key) == Some(name)).last()
        };
        // Runs of missing entries, each with the present one that it follows.
        let mut runs: Vec<(Option<Node>, Vec<Entry>)> = vec![(None, Vec::new())];
        for entry in wanted {
            if let Some(value) = self.get(mapping, entry.key()) {
                if let Some(key) = key_of(entry.key()).filter(|key| self.is_plain(*key))
                    && is_ambiguous(entry.key())
                {
                    let position = self.position(key);
                    return Err(Hindrance { position, ..hindrance(mapping, Cause::AmbiguousKey) });
                }
                if self.is_hidden_by_merge(mapping, entry.key()) {
                    return Err(hindrance(value, Cause::Hidden));
                }
                if let Value::Mapping(entries) = entry.value() {
                    self.complete_into(value, entries, None, additions)?;
                }
                runs.push((key_of(entry.key()), Vec::new()));
            } else if let Some(value) =
                self.merged(mapping).into_iter().find_map(|node| self.get(node, entry.key()))
            {
                if !self.holds(value, entry.value()) {
                    return Err(hindrance(mapping, Cause::Merged));
                }
            } else if let Some((_, missing)) = runs.last_mut() {
                missing.push(entry.clone());
            }
        }
        let has_some = runs.len() > 1;
        for (follows, missing) in runs {
            if missing.is_empty() {
                continue;
            }
            if self.is_shared(mapping) {
                return Err(hindrance(mapping, Cause::Shared));
            }
            let by_order = match follows {
                Some(key) => Place::After(key),
                None if has_some => Place::First,
                None => Place::Last,
            };
            let addition = self.add(mapping, place.unwrap_or(by_order), &missing);
            additions.push(addition.map_err(|obstacle| match self.ending_block_scalar() {
                Some(scalar) if obstacle == Obstacle::UnfinishedBlockScalar => {
                    hindrance(scalar, Cause::Obstacle(obstacle))
                }
                _ => hindrance(mapping, Cause::Obstacle(obstacle)),
            })?);
        }
        Ok(())
    }

    /// Whether a value has all keys of `wanted`, directly or merged in.
    fn holds(&self, value: Node, wanted: &Value) -> bool {
        let Value::Mapping(entries) = wanted else { return true };
        let value = self.resolve(value);
        entries.iter().all(|entry| {
            let own = self.get(value, entry.key());
            let found =
                own.or_else(|| self.merged(value).into_iter().find_map(|node| self.get(node, entry.key())));
            found.is_some_and(|found| self.holds(found, entry.value()))
        })
    }
}
