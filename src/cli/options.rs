//! The options that several commands take.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ColorChoice};
use globset::{Glob, GlobSet};

use super::formats::{PlanFormat, Reports};
use crate::chart_plan::ChartPlan;
use crate::error::Error;
use crate::options::Options;
use crate::plan::Selection;
use crate::report::style::Detail;

/// What all commands take.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Checkouts, folders of charts or charts
    #[arg(value_name = "CHECKOUT", default_value = ".")]
    pub(crate) checkouts: Vec<PathBuf>,

    /// Only charts whose names match (a glob; can be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "Charts")]
    pub(crate) include: Vec<Glob>,

    /// No charts whose names match (a glob; can be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "Charts")]
    pub(crate) exclude: Vec<Glob>,

    /// How many charts to read at the same time; 0 stands for the number of cores
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    pub(crate) jobs: usize,

    /// When to use colours; auto asks NO_COLOR, CLICOLOR_FORCE and the terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub(crate) color: ColorChoice,

    /// Print what is refused and nothing else; of what `check` found, the errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Print what happens to each chart
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

impl Common {
    pub(crate) fn selection(&self, with_toolkits: bool) -> Result<Selection, globset::Error> {
        Ok(Selection { include: set(&self.include)?, exclude: set(&self.exclude)?, with_toolkits })
    }

    /// Takes no glob of --include that is the name of none of these charts: a slip of the pen in CI would stay
    /// green for ever.
    pub(crate) fn require_included(&self, charts: &[ChartPlan]) -> Result<(), Error> {
        let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
        let is_none = |glob: &&Glob| {
            let matcher = glob.compile_matcher();
            !names.iter().any(|name| matcher.is_match(name))
        };
        let Some(glob) = self.include.iter().find(is_none).map(Glob::glob) else { return Ok(()) };
        let near = similar::get_close_matches(glob, &names, 1, 0.6).first().map(ToString::to_string);
        Err(Error::NotIncluded { glob: glob.to_owned(), near })
    }

    pub(crate) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }
}

fn set(globs: &[Glob]) -> Result<Option<GlobSet>, globset::Error> {
    if globs.is_empty() { Ok(None) } else { GlobSet::new(globs).map(Some) }
}

/// What plan and apply take.
#[derive(Debug, Args)]
pub(crate) struct Changing {
    #[command(flatten)]
    pub(crate) options: Options,

    /// Write the charts that can be changed even if others are refused (plan shows them anyway)
    #[arg(long, help_heading = "Charts")]
    pub(crate) keep_going: bool,

    /// Add what the repository's own CI asks for: release notes and, until November 2024, chart versions
    #[arg(long, help_heading = "Changes")]
    pub(crate) release_notes: bool,

    /// Add a page for operators to doc/source, where the checkout has that
    #[arg(long, help_heading = "Changes")]
    pub(crate) docs: bool,

    #[command(flatten)]
    pub(crate) reports: Reports<PlanFormat>,
}

/// How Helm is called.
#[derive(Debug, Args)]
pub(crate) struct Proof {
    /// The Helm to render with [default: $HELM, else the one on PATH]
    #[arg(long, value_name = "PATH", help_heading = "Helm")]
    pub(crate) helm: Option<PathBuf>,

    /// The helm-toolkit to render with, planned like the others [default: the one in the checkouts]
    #[arg(long, value_name = "DIR", help_heading = "Helm")]
    pub(crate) helm_toolkit: Option<PathBuf>,

    /// How long one call of Helm may take; then it is ended, and the chart is not verified
    #[arg(long, value_name = "SECONDS", default_value = "120", help_heading = "Helm")]
    pub(crate) helm_timeout: NonZeroU32,

    /// How much one call of Helm may print
    #[arg(long, value_name = "MIB", default_value = "4", help_heading = "Helm")]
    pub(crate) helm_output: NonZeroU32,
}
