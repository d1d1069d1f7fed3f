//! What users read about a plan, one file a format.

pub mod summary;
pub mod verify;
