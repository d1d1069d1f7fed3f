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
//! A text goes through these files in this order: `lines` cuts it, `parse` and `refuse` make a `document`
//! of it, `insert` (with `extent`) makes an `addition` of each `entry`, and `prove` checks the
//! result. `complete` adds whatever of a tree of entries is missing.

mod addition;
mod aliases;
mod complete;
mod document;
mod entry;
mod error;
mod extent;
mod insert;
mod lines;
mod node;
mod parse;
mod prove;
mod refuse;
mod scalar;
mod second_opinion;
pub(crate) mod tree;

pub(crate) use addition::Addition;
pub use addition::Place;
pub(crate) use complete::Renamed;
pub use document::Document;
pub(crate) use entry::pattern;
pub use entry::{Entry, Scalar, Value};
pub use error::{Error, ErrorKind};
pub use insert::insert;
pub use node::{Kind, Node, Position, Step};
pub(crate) use prove::prove;
pub use scalar::resolve;
pub(crate) use scalar::{is_ambiguous, quoted, scalar};
