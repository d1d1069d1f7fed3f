//! What users read about a plan, one file a format.

pub(crate) mod check;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod overrides;
pub(crate) mod review;
pub(crate) mod style;
pub(crate) mod summary;
pub(crate) mod verify;
