//! Where reports go, and in which formats.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::error::Error;

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

/// What a report can be written in, the default first. Its names and aliases are the endings of such files.
pub(crate) trait Format: ValueEnum + Copy + Default + Send + Sync + 'static {}

impl<F: ValueEnum + Copy + Default + Send + Sync + 'static> Format for F {}

impl<F: Format> Reports<F> {
    /// Pairs each format with the file that it goes into; `None` stands for standard output.
    pub(crate) fn targets(&self) -> Result<Vec<(F, Option<&Path>)>, Error> {
        let targets: Vec<_> = match (self.format.as_slice(), self.output.as_slice()) {
            ([], []) => vec![(F::default(), None)],
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
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    F::from_str(&ending, true).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Git's own diff
    #[default]
    #[value(alias = "patch")]
    Diff,
    /// For programs; src/report/plan.schema.json describes it
    Json,
    /// For a comment in a review: each edit once, then what is missing and the exceptions
    #[value(alias = "md")]
    Markdown,
    /// The same as a page for a browser, with an overview
    #[value(alias = "htm")]
    Html,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people, a line each
    #[default]
    Text,
    /// For programs; src/report/check/check.schema.json describes it
    Json,
    /// Marks in a pull request, by GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyFormat {
    /// For people: a line for each chart, and its faults below
    #[default]
    Text,
    /// For programs; src/report/verify.schema.json describes it
    Json,
}
