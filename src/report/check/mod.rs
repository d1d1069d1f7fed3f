//! What `check` found, one file a format. All of them show the same list.

pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod sarif;
pub(crate) mod text;
