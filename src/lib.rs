//! Gives every chart of an OpenStack-Helm checkout the means to pull its images from a registry
//! that asks for a password.
//!
//! Data flows one way:
//!
//! 1. `discover` finds the charts, and the helm-toolkits that they share (`toolkits`).
//! 2. `metadata` reads a chart's name and what it depends on, `chart` its values.yaml and templates, by way
//!    of `source`.
//!    `survey` looks at what the charts have already, for new entries to agree with it.
//! 3. `rules` look at a chart, each for one kind of change: they say what they [find](Finding) missing
//!    or wrong, and propose `edit`s of its files. Entries for values.yaml go through the [`yaml`] editor,
//!    templates are read by `template`.
//! 4. `complete` applies what is proposed, and proves what comes out: each file is a `change` from an old text
//!    to a proven new one. What cannot be proven is refused. What becomes of a chart is its `chart_plan`; `plan`
//!    has those of all charts, made in parallel.
//! 5. Passes go over the plan: `release_notes` adds what the checkout's own CI asks for, `documentation` a page
//!    for operators.
//! 6. `diff` prints the plan, `write` writes it, `verify` has Helm render it, `report` shows
//!    it to people and programs. They read the plan and nothing else, so that what
//!    was shown is what is done.
//!
//! In front of `write` stand the `lock` against a second run and `git`, which knows what is not committed;
//! it asks for `signals` and writes by way of `disk`, the only module that does. `base` has the checkouts as a git
//! revision has them, for `verify` and `check` to compare with.
//! `overrides` writes what operators pass to Helm when all that is done; `registry` knows which login the kubelet
//! takes for an image.
//! `cli` and `options` are what a user can choose, `manual` is made from that; `run` puts it
//! all together.
//!
//! The items below are for tests, fuzzing and those who want the YAML editor; the program itself is
//! [`main`].

#![warn(unreachable_pub)]

mod added;
mod allowed;
mod base;
mod change;
mod chart;
mod chart_plan;
mod cli;
mod complete;
mod context;
mod diff;
mod discover;
mod disk;
mod documentation;
mod edit;
mod error;
mod finding;
mod git;
mod helmignore;
mod kinds;
mod lock;
mod manual;
mod memory;
mod metadata;
mod options;
mod output;
mod overrides;
mod passes;
mod placeholder;
mod plan;
mod registry;
mod release_notes;
mod report;
mod rules;
mod run;
mod scenarios;
mod signals;
mod source;
mod survey;
mod target;
mod template;
mod text;
mod toctree;
mod toolkits;
mod verify;
mod write;
pub mod yaml;

use std::path::PathBuf;

pub use change::FileChange;
pub use chart_plan::{ChartPlan, Outcome};
pub use disk::{Watch, WriteStep};
pub use error::{Error, Left};
pub use finding::{Finding, Id, Location, Severity};
pub use memory::{Memory, complete};
pub use metadata::Role;
pub use options::{Options, Port, SecretName};
pub use plan::{Plan, Selection};
pub use run::main;
pub use signals::Signal;
pub use write::write;

/// Finds the charts in `paths` (checkouts, folders of charts or charts) and plans what becomes of them.
///
/// # Errors
/// [`Error::Read`] where a path cannot be read, [`Error::NoChart`] where there is no chart in any of them.
pub fn plan(paths: &[PathBuf], selection: &Selection, options: &Options) -> Result<Plan, Error> {
    let checkouts = discover::find(paths, &passes::folders(options))?;
    Ok(passes::plan(checkouts, selection, options))
}
