//! The arguments of the command line, and their help.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::Error;
use crate::options::{Options, Port, SecretName};
use crate::overrides::args as overrides;
use crate::plan::Selection;
use crate::report::style::Detail;
use crate::verify::Operator;

/// Give every OpenStack-Helm chart the means to pull its images from a registry that asks for a
/// password
///
/// Each chart gets entries in values.yaml and a Secret template, and helm-toolkit gets the function
/// and the ServiceAccount that they need. With default values nothing changes in what Helm renders;
/// with endpoints.oci_image_registry.auth.enabled=true every pod gets the credentials.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, after_long_help = LONG_HELP, disable_help_subcommand = true)]
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

const LONG_HELP: &str = "\
Exit codes:
  0  done; nothing (left) to do
  1  `check` or `verify` found something, or `--exit-code` is given and something changes, or would
  2  a chart could not be handled, or the call is wrong, or no chart was found; or `apply` wrote
     nothing, or put back what it wrote

Examples:
  osh-registry-auth plan                                 show what would change in this checkout
  osh-registry-auth apply openstack-helm openstack-helm-infra
                                                         change two checkouts that belong together
  osh-registry-auth plan --include 'prometheus-*' -v     show some charts, and what each rule does
  osh-registry-auth plan -o plan.html -o plan.md         write a review: each edit once
  osh-registry-auth check --format github                check a pull request
  osh-registry-auth verify                               prove with Helm what apply would do, or did
  osh-registry-auth plan | git apply                     change it through git
  osh-registry-auth overrides --registry registry.example.com -o login.yaml
                                                         switch it on: values for `helm upgrade -f`";

/// The commands that read charts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the diff of what would change; write nothing
    ///
    /// The diff is git's own and goes to standard output, the summary to standard error.
    Plan {
        /// Exit with 1 if something would change
        #[arg(long)]
        exit_code: bool,
        #[command(flatten)]
        changing: Changing,
        #[command(flatten)]
        common: Common,
    },
    /// Make the changes
    ///
    /// Writes nothing while a chart is refused, nor over changes that are not committed. Writes all or
    /// nothing: an error, Ctrl-C, SIGTERM or SIGHUP undoes what was written until then. A second run changes
    /// nothing.
    #[command(mut_arg("helm", |arg| arg.requires("verify")))]
    #[command(mut_arg("helm_toolkit", |arg| arg.requires("verify")))]
    Apply(Apply),
    /// Say what is missing or wrong; write nothing
    ///
    /// For CI: prints a line for each missing or wrong part, with its place, an id that stays the same, what is
    /// wrong and what to do. Exits with 1 if there is an error: with authentication on, a chart would
    /// not pull all its images. Warnings do not change the exit code.
    Check {
        /// Say only what this git revision of the checkouts does not have (can be given once for each)
        #[arg(long, value_name = "REV", help_heading = "Charts")]
        base: Vec<String>,
        #[command(flatten)]
        reports: Reports<CheckFormat>,
        #[command(flatten)]
        entries: Entries,
        #[command(flatten)]
        common: Common,
    },
    /// Prove the changes with the real Helm; write nothing
    ///
    /// Renders each chart as it is and as planned, in copies in which random functions are pinned. With default
    /// values both must be the same. With authentication on and a host of the operator's, there must be the
    /// Secret that the values say, every ServiceAccount and so every pod must name it, and nothing else
    /// may change. Charts that are migrated already can be verified too.
    Verify(Verify),
    /// Write the values with which an operator switches it on
    ///
    /// Prints one file of values that serves every chart of the checkouts, for `helm upgrade -f`: authentication
    /// on, the registry, and one login under the key of each chart. Charts that are not migrated are left out
    /// and named. Whatever they pull must be in that registry: --images points images.tags there.
    #[command(after_long_help = overrides::HELP)]
    Overrides {
        #[command(flatten)]
        args: Box<overrides::Args>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Prove the changes with Helm first, as `verify` does, and write nothing unless all charts are proven
    #[arg(long, help_heading = "Helm")]
    pub(crate) verify: bool,

    #[command(flatten)]
    pub(crate) proof: Proof,

    /// Write over files with changes that are not committed
    #[arg(long, help_heading = "Changes")]
    pub(crate) allow_dirty: bool,

    /// Exit with 1 if something changes
    #[arg(long)]
    pub(crate) exit_code: bool,

    #[command(flatten)]
    pub(crate) changing: Changing,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// What an operator would pass to Helm.
#[derive(Debug, Args)]
pub(crate) struct OperatorArgs {
    /// Render with these values instead, and say for each image whether the kubelet would find a login (can be
    /// repeated)
    #[arg(long, value_name = "FILE", help_heading = "Values")]
    values: Vec<PathBuf>,

    /// The same, with the files DIR/CHART/*.yaml for each chart
    #[arg(long, value_name = "DIR", help_heading = "Values")]
    values_dir: Option<PathBuf>,

    /// The same, with this value behind those of the files (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Values")]
    set: Vec<String>,
}

impl OperatorArgs {
    /// `None` where none are given.
    ///
    /// # Errors
    /// [`Error::Read`] where there is no such file or folder.
    pub(crate) fn read(&self) -> Result<Option<Operator>, Error> {
        let OperatorArgs { values: files, values_dir: folder, set: sets } = self;
        for file in files {
            File::open(file).map_err(Error::read(file))?;
        }
        if let Some(folder) = folder {
            folder.read_dir().map_err(Error::read(folder))?;
        }
        let is_given = !files.is_empty() || folder.is_some() || !sets.is_empty();
        let operator = || Operator { files: files.clone(), sets: sets.clone(), folder: folder.clone() };
        Ok(is_given.then(operator))
    }
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
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Compare with this git revision of the checkouts (can be given once for each) [default: HEAD where
    /// something is not committed, else the files as they are]
    #[arg(long, value_name = "REV", help_heading = "Charts")]
    pub(crate) base: Vec<String>,

    /// Render with each file of values that the checkouts carry too, before and after: those in
    /// CHART/values_overrides and in values_overrides/CHART
    #[arg(long, help_heading = "Helm")]
    pub(crate) all_overrides: bool,

    #[command(flatten)]
    pub(crate) operator: OperatorArgs,

    #[command(flatten)]
    pub(crate) proof: Proof,

    #[command(flatten)]
    pub(crate) reports: Reports<VerifyFormat>,

    #[command(flatten)]
    pub(crate) entries: Entries,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Command {
    pub(crate) fn common(&self) -> &Common {
        match self {
            Command::Plan { common, .. }
            | Command::Apply(Apply { common, .. })
            | Command::Check { common, .. }
            | Command::Verify(Verify { common, .. })
            | Command::Overrides { common, .. } => common,
        }
    }

    pub(crate) fn options(&self) -> Options {
        match self {
            Command::Plan { changing, .. } | Command::Apply(Apply { changing, .. }) => Options {
                release_notes: changing.release_notes,
                docs: changing.docs,
                ..changing.entries.options()
            },
            Command::Check { entries, .. } | Command::Verify(Verify { entries, .. }) => entries.options(),
            Command::Overrides { .. } => Options::default(),
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
    pub(crate) entries: Entries,

    #[command(flatten)]
    pub(crate) reports: Reports<PlanFormat>,
}

/// Where reports go, and in which formats.
#[derive(Debug, Args)]
pub(crate) struct Reports<F: Format> {
    /// Format of the report; with several, one for each --output
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', help_heading = "Output")]
    pub(crate) format: Vec<F>,

    /// Write to a file, a pipe or a device instead of standard output; its ending says the format if --format
    /// does not (can be repeated)
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
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
        match (self.format.as_slice(), self.output.as_slice()) {
            ([], []) => Ok(vec![(F::DEFAULT, None)]),
            ([format], []) => Ok(vec![(*format, None)]),
            ([], files) => Ok(files.iter().map(|file| (by_ending(file), Some(file.as_path()))).collect()),
            (formats, files) if formats.len() == files.len() => {
                Ok(formats.iter().copied().zip(files.iter().map(|file| Some(file.as_path()))).collect())
            }
            (formats, []) => Err(Error::OneOutput { formats: formats.len() }),
            (formats, files) => Err(Error::Formats { formats: formats.len(), files: files.len() }),
        }
    }

    /// Whether the call names any.
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.format.is_empty() || !self.output.is_empty()
    }
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

/// What charts are to get, and so what is missing in them.
#[derive(Debug, Args)]
pub(crate) struct Entries {
    /// Port of the registry in the default values, or null for none
    #[arg(long, value_name = "N|null", default_value = "5000", help_heading = "Changes")]
    pub(crate) port: Port,

    /// Name of each chart's Secret; {chart} stands for the chart's name
    #[arg(
        long,
        value_name = "TEMPLATE",
        default_value = SecretName::DEFAULT,
        help_heading = "Changes"
    )]
    pub(crate) secret_name: SecretName,

    /// Replace a templates/secret-registry.yaml that does something else
    #[arg(long, help_heading = "Changes")]
    pub(crate) replace_templates: bool,
}

impl Entries {
    pub(crate) fn options(&self) -> Options {
        Options {
            port: self.port,
            secret_name: self.secret_name.clone(),
            replace_templates: self.replace_templates,
            release_notes: false,
            docs: false,
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

    /// How many charts to read at the same time [default: number of cores]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// When to use colours; auto asks NO_COLOR, CLICOLOR_FORCE and the terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub(crate) color: ColorChoice,

    /// Print refusals only
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Print what happens to each chart
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

impl Common {
    pub(crate) fn selection(&self) -> Result<Selection, globset::Error> {
        Ok(Selection { include: set(&self.include)?, exclude: set(&self.exclude)?, with_toolkits: false })
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
