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
