//! What charts are rendered with, and what comes out.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::compare::differences;
use super::helm::Helm;
use super::objects::{self, Object};
use super::pin::unpinned;
use super::stage::Verifying;
use crate::base::Base;
use crate::chart::VALUES;
use crate::chart_plan::ChartPlan;
use crate::disk::Scratch;
use crate::plan::Plan;
use crate::source::names_in;
use crate::text::shown;
use crate::yaml::tree::Tree;

/// How often both sides of a comparison are rendered again to see whether the chart differs from itself.
const AGAIN: usize = 3;

/// What an operator passes to Helm.
#[derive(Debug)]
pub(crate) struct Operator {
    /// For every chart.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) sets: Vec<String>,
    /// With a folder for each chart, and files of values in it.
    pub(crate) folder: Option<PathBuf>,
}

impl Operator {
    /// The files for all charts come first, then those of the chart, sorted by name, then what is set. That the
    /// folder has none for the chart is said in `notes`.
    pub(crate) fn arguments(&self, chart: &str, notes: &mut BTreeSet<String>) -> io::Result<Vec<OsString>> {
        let mut files = self.files.clone();
        if let Some(folder) = &self.folder {
            let folder = folder.join(chart);
            let names = names_in(&folder)?;
            let mut own: BTreeSet<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
            own.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
            if own.is_empty() {
                notes.insert(format!("{}: no values (*.yaml) for this chart", shown(&folder)));
            }
            files.extend(own);
        }
        let files = files.into_iter().flat_map(|file| ["--values".into(), file.into_os_string()]);
        let sets = self.sets.iter().flat_map(|set| ["--set".into(), set.into()]);
        Ok(files.chain(sets).collect())
    }
}

/// What a plan is verified with.
pub(crate) struct Setup<'w> {
    /// The plan for the helm-toolkit that the user names.
    pub(crate) toolkit: Option<&'w Plan>,
    /// What there was before, where that is not the plan's own old state.
    pub(crate) base: Option<&'w Base>,
    pub(crate) helm: Helm,
    pub(crate) scratch: &'w Scratch,
    /// Whether the checkouts' own files of values are tried too.
    pub(crate) all_overrides: bool,
    /// The values of an operator, in place of the default ones.
    pub(crate) operator: Option<&'w Operator>,
}

/// A chart in the scratch folder.
pub(crate) struct Copies<'p> {
    pub(crate) setup: &'p Setup<'p>,
    pub(crate) chart: &'p ChartPlan,
    /// Where its files go.
    pub(crate) place: PathBuf,
    /// The folder with what it was; `None` where that is what it is.
    pub(crate) before: Option<PathBuf>,
    pub(crate) after: PathBuf,
    /// The default values.
    pub(crate) values: Tree,
    /// The charts that it depends on, which are verified on their own.
    pub(crate) others: BTreeSet<String>,
}

/// A chart in the scratch folder, rendered.
pub(crate) struct Render<'r> {
    pub(crate) copies: &'r Copies<'r>,
    pub(crate) folder: &'r Path,
    /// What it is rendered with, as programs read it.
    pub(crate) id: &'static str,
    /// As in "with default values".
    pub(crate) name: &'r str,
    arguments: &'r [OsString],
    /// What it renders, or why it does not.
    pub(crate) result: Result<Vec<Object>, String>,
}

impl<'r> Render<'r> {
    pub(crate) fn new(
        copies: &'r Copies<'r>,
        folder: &'r Path,
        (id, name): (&'static str, &'r str),
        arguments: &'r [OsString],
    ) -> Verifying<Self> {
        let printed = copies.setup.helm.template(&copies.chart.name, folder, arguments);
        let printed = printed.map_err(|error| format!("Helm cannot be run: {error}"))?;
        let read = |text: String| objects::read(&text).map_err(|error| format!("it prints no YAML: {error}"));
        Ok(Render { copies, folder, id, name, arguments, result: printed.and_then(read) })
    }

    /// None where it does not render.
    pub(crate) fn objects(&self) -> &[Object] {
        self.result.as_deref().unwrap_or_default()
    }

    /// Those that are not of the charts that it depends on.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Object> {
        let others = &self.copies.others;
        let is_own = |object: &&Object| object.subchart.as_ref().is_none_or(|chart| !others.contains(chart));
        self.objects().iter().filter(is_own)
    }

    /// Renders it again, and fails where something else comes out.
    pub(crate) fn check_again(&self) -> Verifying<()> {
        for _ in 0..AGAIN {
            let again = Render::new(self.copies, self.folder, (self.id, self.name), self.arguments)?;
            let place = match (&self.result, &again.result) {
                (Ok(one), Ok(other)) => match differences(one, other).first() {
                    Some((object, difference)) => format!("{}: {difference}", object.key),
                    None => continue,
                },
                (Ok(_), Err(error)) | (Err(error), Ok(_)) => format!("it does not always render: {error}"),
                // It does not render, whatever it says of that.
                (Err(_), Err(_)) => continue,
            };
            let functions: Vec<&str> = unpinned_functions(self.folder).into_iter().collect();
            let calls = if functions.is_empty() {
                String::new()
            } else {
                format!("; its templates call {}, which may be why", functions.join(" and "))
            };
            return Err(format!("renders differently each time: {place}{calls}").into());
        }
        Ok(())
    }
}

/// Functions of the chart's own that may make it differ from itself.
fn unpinned_functions(folder: &Path) -> BTreeSet<&'static str> {
    let templates = WalkDir::new(folder.join("templates")).into_iter().filter_map(Result::ok);
    let files = templates.map(walkdir::DirEntry::into_path).chain([folder.join(VALUES)]);
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| unpinned(&text).collect::<Vec<_>>()).collect()
}
