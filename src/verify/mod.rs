//! `verify`: proves a plan by the real Helm.
//!
//! Each chart is copied into a scratch folder as it was and as planned ([`stage`]). In the copies everything
//! that depends on chance is pinned ([`pin`]), so that a render is a function of the chart. [`helm`] renders
//! the copies, [`objects`] reads what it prints, and [`prove`] compares ([`compare`]): with default values
//! nothing may change; with authentication on, and an operator's values ([`trial`]), the [`credentials`] must be what
//! the values say ([`endpoint`]) and nothing else may change. Only where something is wrong are both sides
//! rendered again: a chart that differs from itself is not verified, whatever was found. [`run`] does that
//! for all charts, [`verdict`] is what comes out.

mod compare;
mod credentials;
mod endpoint;
mod helm;
mod objects;
mod pin;
mod pods;
mod prove;
mod pulls;
mod render;
mod run;
mod stage;
mod trial;
mod verdict;

pub(crate) use helm::Helm;
pub(crate) use render::{Operator, Setup};
pub(crate) use run::verify;
pub(crate) use verdict::{Fault, Report, Verdict, Verified};
