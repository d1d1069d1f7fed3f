//! The files with values for one scenario or another that a checkout carries for a chart.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::OVERRIDES;
use crate::plan::ChartPlan;
use crate::yaml::tree::Tree;

/// A file of values for a chart.
#[derive(Debug)]
pub(crate) struct Override {
    /// Its path from the folder that `values_overrides` is in.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

impl Override {
    /// Those that the checkout at `base` carries for `chart`: in the chart itself (OpenStack-Helm until 2024), or
    /// beside it or a folder around it, below the chart's name. Sorted by name.
    pub(crate) fn all(base: &Path, chart: &ChartPlan) -> Vec<Override> {
        let own = (base.join(&chart.path), Path::new(OVERRIDES).to_owned());
        let shared =
            chart.folders_around().map(|folder| (base.join(folder), Path::new(OVERRIDES).join(&chart.name)));
        let mut all = Vec::new();
        for (around, folder) in [own].into_iter().chain(shared) {
            let entries = fs::read_dir(around.join(&folder)).into_iter().flatten().flatten();
            all.extend(entries.map(|entry| entry.path()).filter(|file| is_values(file)).map(|file| {
                let name = file.strip_prefix(&around).unwrap_or(&file).display().to_string();
                Override { name, file }
            }));
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Why Helm would take it for no values, before it is asked.
    pub(crate) fn why_not(&self) -> Option<String> {
        match fs::read_to_string(&self.file).map(|text| Tree::parse_first(&text)) {
            Ok(Ok(Tree::Mapping(_))) => None,
            Ok(Ok(tree)) if tree == Tree::null() => None,
            Ok(Ok(_)) => Some("it is no mapping of values".to_owned()),
            Ok(Err(error)) => Some(format!("it is no YAML: {error}")),
            Err(error) => Some(format!("it cannot be read: {error}")),
        }
    }

    pub(crate) fn is_same(&self, other: &Override) -> bool {
        matches!((fs::read(&self.file), fs::read(&other.file)), (Ok(one), Ok(other)) if one == other)
    }
}

/// Plain files only: a link may lead anywhere.
fn is_values(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
        && file.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}
