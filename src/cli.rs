//! The arguments of the command line, and their help.

use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::Error;
use crate::options::{Options, Port, SecretName};
use crate::plan::{ChartPlan, Selection};
use crate::report::style::Detail;

/// Give every OpenStack-Helm chart the means to pull its images from a registry that asks for a
/// password
///
/// Each chart gets entries in values.yaml and a Secret template, and helm-toolkit gets the function
/// and the ServiceAccount that they need. With default values nothing changes in what Helm renders;
/// with endpoints.oci_image_registry.auth.enabled=true every pod gets the credentials.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) call: Call,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Call {
    #[command(flatten)]
    Charts(Box<Command>),
    /// Generate shell completions
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Generate the manual page, for man(1)
    Man,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 check or verify found something, or --exit-code is given and something changes; 2 a chart could not be handled or the call is wrong";

// Clap would break longer lines at the width of a narrow terminal.
const LONG_HELP: &str = "\
Exit codes:
  0  done; nothing (left) to do
  1  `check` or `verify` found something, or `--exit-code`
     is given and something changes, or would
  2  a chart could not be handled, or the call is wrong, or
     no chart was found; or `apply` wrote nothing, or put
     back what it wrote

Examples:
  show what would change in this checkout
    $ osh-registry-auth plan
  change two checkouts that belong together
    $ osh-registry-auth apply osh osh-infra
  show some charts, and what each rule does
    $ osh-registry-auth plan --include 'prometheus-*' -v
  write a review: each edit once
    $ osh-registry-auth plan -o plan.html -o plan.md
  check a pull request
    $ osh-registry-auth check --format github
  prove with Helm what apply would do, or did
    $ osh-registry-auth verify
  change it through git
    $ osh-registry-auth plan | git apply";

/// What other programs call what this one has commands for.
const ELSEWHERE: [(&str, &str); 3] = [
    ("--fix", "`osh-registry-auth apply` makes the changes"),
    ("--dry-run", "`osh-registry-auth plan` prints what `apply` would change"),
    ("--diff", "`osh-registry-auth plan` prints the diff"),
];

impl Cli {
    /// Parses the arguments; ends the program where they are wrong or ask for help.
    pub(crate) fn of_the_call() -> Self {
        Cli::try_parse().unwrap_or_else(|mut error| {
            let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
            let known = ELSEWHERE.iter().find(|(name, _)| argument.as_deref() == Some(*name));
            if let Some((_, tip)) = known {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*tip).into()]));
            }
            error.exit()
        })
    }
}

/// The commands that read charts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the diff of what would change; write nothing
    ///
    /// The diff is git's own and goes to standard output, the summary to standard error.
    Plan {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        changing: Changing,
        /// Exit with 1 if something would change
        #[arg(long)]
        exit_code: bool,
    },
    /// Make the changes
    ///
    /// Writes nothing while a chart is refused, nor over changes that are not committed. Writes all or
    /// nothing: an error, Ctrl-C, SIGTERM or SIGHUP undoes what was written until then. A second run changes
    /// nothing.
    Apply {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        changing: Changing,
        /// Write over files with changes that are not committed
        #[arg(long, help_heading = "Changes")]
        allow_dirty: bool,
        /// Exit with 1 if something changes
        #[arg(long)]
        exit_code: bool,
    },
    /// Say what is missing or wrong; write nothing
    ///
    /// For CI: prints a line for each missing or wrong part, with its place, an id that stays the same, what is
    /// wrong and what to do. Exits with 1 if there is an error: with authentication on, a chart would
    /// not pull all its images. Warnings do not change the exit code.
    Check {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        reports: Reports<CheckFormat>,
    },
    /// Prove the changes with the real Helm; write nothing
    ///
    /// Renders each chart as it is and as planned, in copies in which random functions are pinned. With default
    /// values both must be the same. With authentication on and a host of the operator's, there must be the
    /// Secret that the values say, every ServiceAccount and so every pod must name it, and nothing else
    /// may change. Charts that are migrated already can be verified too.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(flatten)]
    pub(crate) reports: Reports<VerifyFormat>,

    /// The Helm to render with [default: $HELM, else the one on PATH]
    #[arg(long, value_name = "PATH", help_heading = "Helm")]
    pub(crate) helm: Option<PathBuf>,

    /// The helm-toolkit to render with, planned like the others [default: the one in the checkouts]
    #[arg(long, value_name = "DIR", help_heading = "Helm")]
    pub(crate) helm_toolkit: Option<PathBuf>,
}

impl Command {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Command::Plan { common, .. }
            | Command::Apply { common, .. }
            | Command::Check { common, .. }
            | Command::Verify(Verify { common, .. }) => common,
        }
    }

    pub(crate) fn options(&self) -> Options {
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
pub(crate) struct Changing {
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

/// Where reports go, and in which formats.
#[derive(Debug, Args)]
pub(crate) struct Reports<F: Format> {
    /// Format of the report; with several, one for each --output
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', help_heading = "Output", display_order = 0)]
    pub(crate) format: Vec<F>,

    /// Write to a file, a pipe or a device, or - for standard output; its ending says the format if --format
    /// does not (can be repeated)
    #[arg(short, long, value_name = "FILE", help_heading = "Output", display_order = 0)]
    pub(crate) output: Vec<PathBuf>,
}

pub(crate) trait Format: ValueEnum + Copy + Send + Sync + 'static {
    const DEFAULT: Self;

    /// The format of files whose names end like this.
    fn of_ending(ending: &str) -> Option<Self>;
}

impl<F: Format> Reports<F> {
    /// Pairs each format with the file that it goes into; `None` stands for standard output.
    pub(crate) fn targets(&self) -> Result<Vec<(F, Option<&Path>)>, Error> {
        let targets: Vec<_> = match (self.format.as_slice(), self.output.as_slice()) {
            ([], []) => vec![(F::DEFAULT, None)],
            ([], files) => files.iter().map(|path| (by_ending(path), file(path))).collect(),
            (formats, []) => formats.iter().map(|format| (*format, None)).collect(),
            (formats, files) if formats.len() == files.len() => {
                formats.iter().copied().zip(files.iter().map(|path| file(path))).collect()
            }
            (formats, files) => return Err(Error::Formats { formats: formats.len(), files: files.len() }),
        };
        match targets.iter().filter(|(_, file)| file.is_none()).count() {
            0 | 1 => Ok(targets),
            formats => Err(Error::OneOutput { formats }),
        }
    }

    /// Whether the call names any.
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.format.is_empty() || !self.output.is_empty()
    }
}

/// A file that is named; `None` for `-`.
fn file(path: &Path) -> Option<&Path> {
    (path.as_os_str() != "-").then_some(path)
}

fn by_ending<F: Format>(file: &Path) -> F {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.and_then(|ending| F::of_ending(&ending)).unwrap_or(F::DEFAULT)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
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
    const DEFAULT: Self = PlanFormat::Diff;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
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
    const DEFAULT: Self = CheckFormat::Text;

    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "txt" => Some(CheckFormat::Text),
            "json" => Some(CheckFormat::Json),
            "sarif" => Some(CheckFormat::Sarif),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyFormat {
    /// For people: a line for each chart, and its faults below
    Text,
    /// For programs; src/report/verify.schema.json describes it
    Json,
}

impl Format for VerifyFormat {
    const DEFAULT: Self = VerifyFormat::Text;

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

    /// Port of the registry in the default values, or null for none [default: as in nine in ten of the other
    /// charts, else 5000]
    #[arg(long, value_name = "N|null", help_heading = "Changes")]
    pub(crate) port: Option<Port>,

    /// Name of each chart's Secret; {chart} stands for the chart's name [default: as in nine in ten of the other
    /// charts, else {chart}-oci-image-registry-key]
    #[arg(long, value_name = "TEMPLATE", help_heading = "Changes")]
    pub(crate) secret_name: Option<SecretName>,

    /// Replace a templates/secret-registry.yaml that does something else, and a function of helm-toolkit that
    /// garbles numbers
    #[arg(long, help_heading = "Changes")]
    pub(crate) replace_templates: bool,

    /// Rename a key in values.yaml that should be the chart's name, instead of adding the right one beside it
    #[arg(long, help_heading = "Changes")]
    pub(crate) rename_wrong_keys: bool,

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
    /// What the rules of all commands are told.
    pub(crate) fn options(&self) -> Options {
        Options {
            port: self.port,
            secret_name: self.secret_name.clone(),
            replace_templates: self.replace_templates,
            rename_wrong_keys: self.rename_wrong_keys,
            ..Options::default()
        }
    }

    pub(crate) fn selection(&self) -> Result<Selection, globset::Error> {
        Ok(Selection { include: set(&self.include)?, exclude: set(&self.exclude)?, with_toolkits: false })
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
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(glob.clone());
    }
    builder.build().map(Some)
}
