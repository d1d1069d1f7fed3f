//! Gives every chart of an OpenStack-Helm checkout the means to pull its images from a registry
//! that asks for a password.
//!
//! Data flows one way:
//!
//! 1. [`checkout`] finds the charts, and the helm-toolkits that they share.
//! 2. [`chart`] reads one chart: name, values.yaml, templates.
//! 3. [`rules`] look at a chart, each for one kind of change: they say what they [find](finding) missing
//!    or wrong, and propose [`edit`]s of its files, each with its [`shape`], which is what it has in common
//!    with those of other charts. Entries for values.yaml go through the [`yaml`] editor, templates are read
//!    by [`template`].
//! 4. [`plan`] does that for all charts in parallel and proves what comes out. What cannot be
//!    proven is refused, as an [`error`] that says where, why and what to do by hand.
//! 5. [`diff`] prints the plan, [`apply`] writes it, [`verify`] has [`helm`] render it, [`report`] shows
//!    it to people and programs and says what it found. They read the plan and nothing else, so that what
//!    was shown is what is done.
//!
//! Beside the charts there may be more to do: [`release`] tells what a checkout's own CI asks for where a chart
//! changes, [`docs`] what its documentation lacks. Both are part of the plan.
//!
//! In front of [`apply`] stand the [`lock`] against a second run and the [`guard`] of what git does
//! not have; it asks for [`signals`] and writes by way of [`disk`], the only module that does.
//! [`cli`] and [`options`] are what a user can choose, [`manual`] is made from that; [`run`] puts it
//! all together.

pub mod apply;
pub mod chart;
pub mod checkout;
pub mod cli;
pub mod diff;
pub mod disk;
pub mod docs;
pub mod edit;
pub mod error;
pub mod finding;
pub mod guard;
pub mod helm;
mod ids;
pub mod lock;
pub mod manual;
pub mod options;
pub mod plan;
pub mod release;
pub mod report;
pub mod rules;
pub mod run;
pub mod shape;
pub mod signals;
pub mod template;
pub mod verify;
pub mod yaml;
