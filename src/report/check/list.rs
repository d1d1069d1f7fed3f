//! The findings of a plan, as linters list them.

use std::path::Path;

use crate::finding::{Finding, Location, Severity};
use crate::plan::Plan;

/// A finding and its chart. Its location is where the format's readers look for files: relative to the folder
/// that the program runs in, where the charts are below that, else to what the call names.
#[derive(Debug)]
pub(crate) struct Listed<'p> {
    pub(crate) chart: &'p str,
    pub(crate) finding: Finding,
}

/// Lists what is missing or wrong in `plan`, sorted by location. `folder` is the one that the program runs in.
pub(crate) fn list<'p>(plan: &'p Plan, folder: Option<&Path>) -> Vec<Listed<'p>> {
    let prefix = folder.and_then(|folder| plan.base.strip_prefix(folder).ok()).unwrap_or(Path::new(""));
    let mut listed = Vec::new();
    for chart in &plan.charts {
        let is_refused = chart.refusals().next().is_some();
        for finding in chart.findings.iter().filter(|finding| !finding.id.is_about_the_change()) {
            let path = prefix.join(&finding.location.path);
            let finding = Finding {
                location: Location { path, ..finding.location },
                // A chart that is refused is not mended, whatever else there is to do.
                is_planned: finding.is_planned && !is_refused,
                ..finding.clone()
            };
            listed.push(Listed { chart: &chart.name, finding });
        }
    }
    listed.sort_by(|one, other| {
        let key = |listed: &Listed<'_>| (listed.finding.id.as_str(), listed.finding.severity);
        one.finding.location.cmp(&other.finding.location).then_with(|| key(one).cmp(&key(other)))
    });
    listed
}

/// How many errors there are, refusals among them.
pub(crate) fn count_errors(listed: &[Listed<'_>]) -> usize {
    listed.iter().filter(|listed| listed.finding.severity < Severity::Warning).count()
}
