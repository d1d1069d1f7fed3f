//! The commands of the program, and their help.

mod formats;
mod options;

use std::fs::File;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::formats::{CheckFormat, Format, PlanFormat, Reports, VerifyFormat};
pub(crate) use self::options::{Changing, Common, Proof};
use crate::disk::Scratch;
use crate::error::Error;
use crate::options::Options;
use crate::overrides::args as overrides;
use crate::source::read_input;
use crate::verify::Operator;

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
    $ osh-registry-auth plan | git apply
  switch it on: values for `helm upgrade -f`
    $ osh-registry-auth overrides --registry registry.example.com
  say whether the kubelet would pull with them
    $ osh-registry-auth verify --values login.yaml";

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
    #[command(mut_arg("helm", |arg| arg.requires("verify")))]
    #[command(mut_arg("helm_toolkit", |arg| arg.requires("verify")))]
    #[command(mut_arg("helm_timeout", |arg| arg.requires("verify")))]
    #[command(mut_arg("helm_output", |arg| arg.requires("verify")))]
    Apply(Apply),
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
        #[command(flatten)]
        options: Options,
        /// Say only what this git revision of the checkouts does not have (can be given once for each)
        #[arg(long, value_name = "REV", help_heading = "Charts")]
        base: Vec<String>,
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
        common: Common,
        #[command(flatten)]
        args: Box<overrides::Args>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(flatten)]
    pub(crate) changing: Changing,

    /// Write over files with changes that are not committed
    #[arg(long, help_heading = "Changes")]
    pub(crate) allow_dirty: bool,

    /// Prove the changes with Helm first, as `verify` does, and write nothing unless all charts are proven
    #[arg(long, help_heading = "Helm")]
    pub(crate) verify: bool,

    #[command(flatten)]
    pub(crate) proof: Proof,

    /// Exit with 1 if something changes
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(flatten)]
    pub(crate) reports: Reports<VerifyFormat>,

    #[command(flatten)]
    pub(crate) options: Options,

    /// Compare with this git revision of the checkouts (can be given once for each) [default: HEAD where
    /// something is not committed, else the files as they are]
    #[arg(long, value_name = "REV", help_heading = "Charts")]
    pub(crate) base: Vec<String>,

    #[command(flatten)]
    pub(crate) proof: Proof,

    /// Render with each file of values that the checkouts carry too, before and after: those in
    /// CHART/values_overrides and in values_overrides/CHART
    #[arg(long, help_heading = "Helm")]
    pub(crate) all_overrides: bool,

    /// Render with these values instead, and say for each image whether the kubelet would find a login; - is
    /// standard input (can be repeated)
    #[arg(long, value_name = "FILE", help_heading = "Values")]
    values: Vec<PathBuf>,

    /// The same, with the files DIR/CHART/*.yaml for each chart
    #[arg(long, value_name = "DIR", help_heading = "Values")]
    values_dir: Option<PathBuf>,

    /// The same, with this value behind those of the files (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Values")]
    set: Vec<String>,
}

impl Verify {
    /// What an operator would pass to Helm; `None` where nothing is given. What comes out of a pipe is there once, and
    /// Helm reads it for each chart: it is kept in `scratch`.
    ///
    /// # Errors
    /// [`Error::Read`] where there is no such file or folder.
    pub(crate) fn operator(&self, scratch: &Scratch) -> Result<Option<Operator>, Error> {
        let Verify { values: files, values_dir: folder, set: sets, .. } = self;
        let mut files = files.clone();
        for (index, file) in files.iter_mut().enumerate() {
            if file.is_file() {
                File::open(&*file).map_err(Error::read(&*file))?;
            } else {
                let copy = PathBuf::from(format!("values-{index}.yaml"));
                scratch.write(&copy, &read_input(file).map_err(Error::read(&*file))?)?;
                *file = scratch.path().join(copy);
            }
        }
        if let Some(folder) = folder {
            folder.read_dir().map_err(Error::read(folder))?;
        }
        let is_given = !files.is_empty() || folder.is_some() || !sets.is_empty();
        Ok(is_given.then(|| Operator { files, sets: sets.clone(), folder: folder.clone() }))
    }
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
                ..changing.options.clone()
            },
            Command::Check { options, .. } | Command::Verify(Verify { options, .. }) => options.clone(),
            Command::Overrides { .. } => Options::default(),
        }
    }
}
