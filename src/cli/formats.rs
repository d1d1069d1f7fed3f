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
