//! Helm templates: text with actions, which are no YAML before they are rendered. They are read as what they
//! are: [`lexer`] tells text from actions, [`actions`] which blocks these open and close, [`outline`] which keys
//! stand around them.

pub(crate) mod actions;
pub(crate) mod entry;
pub(crate) mod lexer;
mod line;
pub(crate) mod outline;
mod reader;
pub(crate) mod root;

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A word to be found in thousands of templates: what a search for it needs is made once.
pub(crate) type Word = LazyLock<Finder<'static>>;
