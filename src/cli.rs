//! The arguments of the command line, and their help.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::Error;
use crate::options::{Options, Port, SecretName};
use crate::plan::Selection;
use crate::report::summary::Detail;

/// Give every OpenStack-Helm chart the means to pull its images from a registry that asks for a
/// password
///
/// Each chart gets entries in values.yaml and a Secret template, and helm-toolkit gets the function
/// and the ServiceAccount that they need. With default values nothing changes in what Helm renders;
/// with endpoints.oci_image_registry.auth.enabled=true every pod gets the credentials.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, after_long_help = LONG_HELP, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub call: Call,
}

/// What the program can be called for.
#[derive(Debug, Subcommand)]
pub enum Call {
    /// Something about charts.
    #[command(flatten)]
    Charts(Box<Command>),
    /// Print what completes the arguments in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, for man(1)
    Man,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 check or verify found something, or --exit-code is given and something changes, 2 a chart could not be handled or the call is wrong";

const LONG_HELP: &str = "\
Exit codes:
  0  done; nothing (left) to do
  1  `check` or `verify` found something, or `--exit-code` is given and something changes, or would
  2  a chart could not be handled, or the call is wrong, or no chart was found; or `apply` wrote
     nothing, or put back what it wrote

Examples:
  osh-registry-auth plan                                   what would change in this checkout
  osh-registry-auth apply openstack-helm openstack-helm-infra
                                                           change two checkouts that belong together
  osh-registry-auth plan --include 'prometheus-*' -v       some charts, and what each rule does
  osh-registry-auth plan -o plan.html -o plan.md           for a review: each edit once
  osh-registry-auth check --format github                  what CI should run
  osh-registry-auth verify                                 have Helm prove what apply would do, or did
  osh-registry-auth plan | git apply                       the same as apply, through git";

/// The commands that look at charts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the diff of what would change; write nothing
    ///
    /// The diff is git's own, on standard output; the summary is on standard error.
    Plan {
        /// Exit with 1 where something would change
        #[arg(long)]
        exit_code: bool,
        /// What plan and apply take.
        #[command(flatten)]
        changing: Changing,
        /// What all commands take.
        #[command(flatten)]
        common: Common,
    },
    /// Make the changes
    ///
    /// Nothing is written while a chart is refused, nor over changes that git does not have. All is
    /// written or nothing: an error, Ctrl-C, SIGTERM or SIGHUP takes back what was written until then. A
    /// second run changes nothing.
    Apply {
        /// Write over files with changes that are not committed
        #[arg(long, help_heading = "Changes")]
        allow_dirty: bool,
        /// Exit with 1 where something changes
        #[arg(long)]
        exit_code: bool,
        /// What plan and apply take.
        #[command(flatten)]
        changing: Changing,
        /// What all commands take.
        #[command(flatten)]
        common: Common,
    },
    /// Say what is missing or wrong; write nothing
    ///
    /// For CI: a line for each missing or wrong part, with its place, an id that stays the same, what is
    /// wrong and what to do. Exits with 1 where there is an error: with authentication on, a chart would
    /// not pull all its images. What should be looked at and does no harm is a warning.
    Check {
        /// What is printed.
        #[command(flatten)]
        reports: Reports<CheckFormat>,
        /// What all commands take.
        #[command(flatten)]
        common: Common,
    },
    /// Prove the changes with the real Helm; write nothing
    ///
    /// Each chart is rendered as it is and as planned, in a folder of its own. With default values both
    /// must be the same. With authentication on, and with a host of the operator's, there must be the
    /// Secret that the values say, every ServiceAccount and so every pod must name it, and nothing else
    /// may change. What is different in each render of the chart as it is (random names and passwords,
    /// lists in no order) is told from that. Charts that are migrated already can be verified too.
    Verify(Verify),
}

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct Verify {
    /// The Helm to render with [default: $HELM, else the one on PATH]
    #[arg(long, value_name = "PATH", help_heading = "Helm")]
    pub helm: Option<PathBuf>,

    /// The helm-toolkit to render with, planned like the others [default: the one in the checkouts]
    #[arg(long, value_name = "DIR", help_heading = "Helm")]
    pub helm_toolkit: Option<PathBuf>,

    /// What is printed.
    #[command(flatten)]
    pub reports: Reports<VerifyFormat>,

    /// What all commands take.
    #[command(flatten)]
    pub common: Common,
}

impl Command {
    /// What all commands take.
    #[must_use]
    pub fn common(&self) -> &Common {
        match self {
            Command::Plan { common, .. }
            | Command::Apply { common, .. }
            | Command::Check { common, .. }
            | Command::Verify(Verify { common, .. }) => common,
        }
    }

    /// What the rules are to know.
    #[must_use]
    pub fn options(&self) -> Options {
        let options = self.common().options();
        match self {
            Command::Plan { changing, .. } | Command::Apply { changing, .. } => {
                Options { release_notes: changing.release_notes, docs: changing.docs, ..options }
            }
            Command::Check { .. } | Command::Verify(_) => options,
        }
    }
}

/// What plan and apply take.
#[derive(Debug, Args)]
pub struct Changing {
    /// Write the charts that can be changed although others are refused (plan shows them anyway)
    #[arg(long, help_heading = "Charts")]
    pub keep_going: bool,

    /// Add what the repository's own CI asks for: release notes and, until November 2024, chart versions
    #[arg(long, help_heading = "Changes")]
    pub release_notes: bool,

    /// Add a page for operators to doc/source, where the checkout has that
    #[arg(long, help_heading = "Changes")]
    pub docs: bool,

    /// How the plan is shown.
    #[command(flatten)]
    pub reports: Reports<PlanFormat>,
}

/// Where reports go, and in which formats.
#[derive(Debug, Args)]
pub struct Reports<F: Format> {
    /// What to print; with several, one for each --output
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', help_heading = "Output")]
    pub format: Vec<F>,

    /// Write into a file, a pipe or a device instead; several are possible, and their endings say the
    /// format where --format does not
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Vec<PathBuf>,
}

/// A format that a report can have.
pub trait Format: ValueEnum + Copy + Send + Sync + 'static {
    /// What it is where nothing is said.
    const USUAL: Self;

    /// The one of files whose names end like this.
    fn of_ending(ending: &str) -> Option<Self>;
}

impl<F: Format> Reports<F> {
    /// Each report with the file that it goes into; `None` stands for standard output.
    ///
    /// # Errors
    /// Where it is not clear which format is for which file.
    pub fn targets(&self) -> Result<Vec<(F, Option<&Path>)>, Error> {
        match (self.format.as_slice(), self.output.as_slice()) {
            ([], []) => Ok(vec![(F::USUAL, None)]),
            ([format], []) => Ok(vec![(*format, None)]),
            ([], files) => Ok(files.iter().map(|file| (by_ending(file), Some(file.as_path()))).collect()),
            (formats, files) if formats.len() == files.len() => {
                Ok(formats.iter().copied().zip(files.iter().map(|file| Some(file.as_path()))).collect())
            }
            (formats, files) => Err(Error::Formats { formats: formats.len(), files: files.len() }),
        }
    }

    /// Whether the call names any.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        !self.format.is_empty() || !self.output.is_empty()
    }
}

fn by_ending<F: Format>(file: &Path) -> F {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.and_then(|ending| F::of_ending(&ending)).unwrap_or(F::USUAL)
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Git's own diff
    Diff,
    /// For programs; src/report/plan.schema.json describes it
    Json,
    /// For a comment in a review: each edit once, then what is missing and the exceptions
    Markdown,
    /// The same as a page for a browser, with an overview
    Html,
}

impl Format for PlanFormat {
    const USUAL: Self = PlanFormat::Diff;

    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "diff" | "patch" => Some(PlanFormat::Diff),
            "json" => Some(PlanFormat::Json),
            "md" | "markdown" => Some(PlanFormat::Markdown),
            "html" | "htm" => Some(PlanFormat::Html),
            _ => None,
        }
    }
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people, a line each
    Text,
    /// For programs; src/report/check/check.schema.json describes it
    Json,
    /// Marks in a pull request, by GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Format for CheckFormat {
    const USUAL: Self = CheckFormat::Text;

    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "txt" => Some(CheckFormat::Text),
            "json" => Some(CheckFormat::Json),
            "sarif" => Some(CheckFormat::Sarif),
            _ => None,
        }
    }
}

/// How it is shown what Helm proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people: a line for each chart, and its faults below
    Text,
    /// For programs; src/report/verify.schema.json describes it
    Json,
}

impl Format for VerifyFormat {
    const USUAL: Self = VerifyFormat::Text;

    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "txt" => Some(VerifyFormat::Text),
            "json" => Some(VerifyFormat::Json),
            _ => None,
        }
    }
}

/// What all commands take.
#[derive(Debug, Args)]
pub struct Common {
    /// Checkouts, folders of charts or charts
    #[arg(value_name = "CHECKOUT", default_value = ".")]
    pub checkouts: Vec<PathBuf>,

    /// Port of the registry in the default values, or null for none
    #[arg(long, value_name = "N|null", default_value = "5000", help_heading = "Changes")]
    pub port: Port,

    /// Name of each chart's Secret; {chart} stands for the chart's name
    #[arg(
        long,
        value_name = "TEMPLATE",
        default_value = "{chart}-oci-image-registry-key",
        help_heading = "Changes"
    )]
    pub secret_name: SecretName,

    /// Replace a templates/secret-registry.yaml that does something else
    #[arg(long, help_heading = "Changes")]
    pub replace_templates: bool,

    /// Only charts with such a name (a glob; several are possible)
    #[arg(long, value_name = "GLOB", help_heading = "Charts")]
    pub include: Vec<Glob>,

    /// No charts with such a name
    #[arg(long, value_name = "GLOB", help_heading = "Charts")]
    pub exclude: Vec<Glob>,

    /// How many charts are looked at at the same time [default: as many as there are cores]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Colours: auto asks NO_COLOR, CLICOLOR_FORCE and the terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: ColorChoice,

    /// Say nothing but what is refused
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,

    /// Say what happens to each chart
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
}

impl Common {
    /// What the rules of all commands are to know.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            port: self.port,
            secret_name: self.secret_name.clone(),
            replace_templates: self.replace_templates,
            release_notes: false,
            docs: false,
        }
    }

    /// Which charts are meant.
    ///
    /// # Errors
    /// Where the globs together are too much.
    pub fn selection(&self) -> Result<Selection, globset::Error> {
        Ok(Selection { include: set(&self.include)?, exclude: set(&self.exclude)?, with_toolkits: false })
    }

    /// How much is to be said.
    #[must_use]
    pub fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }
}

fn set(globs: &[Glob]) -> Result<Option<GlobSet>, globset::Error> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(glob.clone());
    }
    builder.build().map(Some)
}
