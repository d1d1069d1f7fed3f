//! One chart in memory, for tests and fuzzing: what the plan makes of it, without a disk.

use std::path::PathBuf;

use crate::chart::Files;
use crate::chart_plan::ChartPlan;
use crate::discover::Found;
use crate::finding::Location;
use crate::metadata::{Dependency, Metadata, TOOLKIT};
use crate::options::Options;
use crate::source::Source;

/// A chart's files. Paths are relative to the chart's folder.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    /// `name` in Chart.yaml; `helm-toolkit` is the toolkit.
    pub name: &'a str,
    /// The text of values.yaml.
    pub values: Option<&'a str>,
    /// Path and text of each template.
    pub templates: &'a [(&'a str, &'a str)],
}

/// Completes a chart that depends on helm-toolkit, as [`plan`](crate::plan) does for those that it finds.
pub fn complete(chart: Memory<'_>, options: &Options) -> ChartPlan {
    let source = |path: &str, text: &str| Source { path: PathBuf::from(path), text: text.to_owned() };
    let toolkit = Dependency { name: TOOLKIT.to_owned(), alias: None, repository: None };
    let metadata = Metadata {
        name: chart.name.to_owned(),
        name_at: Location::file("Chart.yaml"),
        version: None,
        dependencies: vec![toolkit],
    };
    let mut templates: Vec<Source> = chart.templates.iter().map(|(path, text)| source(path, text)).collect();
    templates.sort_by(|one, other| one.path.cmp(&other.path));
    let files =
        Files { values: chart.values.map(|text| source("values.yaml", text)), templates, ..Files::default() };
    let found =
        Found { path: PathBuf::new(), is_named: true, metadata: Ok(metadata.clone()), vendored_in: None };
    let mut plan = ChartPlan::new(&found, None);
    if let Err(refusal) = crate::complete::complete(&mut plan, &metadata, &files, None, options) {
        plan.refuse(refusal);
    }
    plan
}
