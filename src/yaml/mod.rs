//! An editor for YAML files that people wrote: it adds entries to mappings by putting text in,
//! and proves that nothing else changed.
//!
//! ```
//! use osh_registry_auth::yaml::{self, Entry, Place, Value};
//!
//! let old = "conf:\n  a: 1  # first\n\n# the rest\nz: 9\n";
//! let document = yaml::Document::parse(old)?;
//! let conf = document.get(document.root().unwrap(), "conf").unwrap();
//! let new = yaml::insert(&document, conf, Place::Last, &[Entry::new("b", Value::literal("2"))])?;
//! assert_eq!(new, "conf:\n  a: 1  # first\n  b: 2\n\n# the rest\nz: 9\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`document`] finds places, [`entry`] is what can be added, [`insert`](mod@insert) decides where
//! the text goes, [`proof`] checks the result, [`complete`] adds whatever of a tree is missing. [`excerpt`](mod@excerpt) is for a quick look.

pub mod complete;
pub mod document;
pub mod entry;
pub mod excerpt;
pub mod insert;
pub mod proof;

use std::fmt;

pub use document::{Document, Kind, MAX_DEPTH, Node, ParseError, Position, Step};
pub use entry::{Entry, Parameters, Value, is_ambiguous};
pub use excerpt::excerpt;
pub use insert::{Addition, Obstacle, Place, edits};
pub use proof::{Doubt, prove};

use crate::edit;

/// Why [`insert`](fn@insert) gave back no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The entries cannot be put in.
    Obstacle(Obstacle),
    /// They were put in, and the result is not what it should be.
    Doubt(Doubt),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Obstacle(obstacle) => obstacle.fmt(f),
            Failure::Doubt(doubt) => doubt.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// Adds `entries` to one mapping of `document`, proves the result and gives it back.
///
/// `mapping` is any mapping of the document (see [`Document::mappings`], [`Document::find`] and
/// [`Document::get`]), or a null that is the value of a key.
///
/// # Errors
/// [`Failure`]: the text is then to be edited by hand.
pub fn insert(
    document: &Document<'_>,
    mapping: Node,
    place: Place,
    entries: &[Entry],
) -> Result<String, Failure> {
    let addition = document.add(mapping, place, entries).map_err(Failure::Obstacle)?;
    let new = edit::apply(document.text(), &addition.edits).map_err(|_| Failure::Doubt(Doubt::Different))?;
    prove(document, &new, &[addition]).map_err(Failure::Doubt)?;
    Ok(new)
}
