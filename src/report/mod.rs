//! What users read about a plan, one file a format.

pub mod check;
pub mod html;
pub mod json;
pub mod markdown;
pub mod review;
pub mod summary;
pub mod verify;
