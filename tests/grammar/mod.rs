//! Grammars of what people write: random charts, most of them valid.

pub mod templates;
pub mod values;
