//! The files with values for one scenario or another that a checkout carries for a chart.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::OVERRIDES;
use crate::chart_plan::ChartPlan;
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
    /// beside it or a folder around it, below the chart's name. Sorted by name. There may be links among them.
    pub(crate) fn all(base: &Path, chart: &ChartPlan) -> Vec<Override> {
        let dir = base.join(&chart.path);
        // The folder around a chart that the call names alone is outside of the base.
        let depth = if chart.is_vendored { 0 } else { chart.path.components().count().max(1) };
        let beside = dir.ancestors().skip(1).take(depth);
        let folders = beside.map(|around| (around, Path::new(OVERRIDES).join(&chart.name)));
        let mut all = Vec::new();
        for (around, folder) in [(dir.as_path(), OVERRIDES.into())].into_iter().chain(folders) {
            let files = fs::read_dir(around.join(folder)).into_iter().flatten().flatten().map(|it| it.path());
            let is_yaml =
                |file: &PathBuf| file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            all.extend(files.filter(is_yaml).map(|file| {
                let name = file.strip_prefix(around).unwrap_or(&file).display().to_string();
                Override { name, file }
            }));
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Whether it is a file: a link may lead anywhere.
    pub(crate) fn is_plain(&self) -> bool {
        self.file.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
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
