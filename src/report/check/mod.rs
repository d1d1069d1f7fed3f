//! What `check` found, one file a format. All of them show the same list.

pub mod github;
pub mod json;
pub mod sarif;
pub mod text;

use std::path::Path;

use crate::error::Place;
use crate::finding::Level;
use crate::plan::{ChartPlan, Outcome, Plan};

/// Something that is missing or wrong in a chart, or keeps it from being handled.
#[derive(Debug)]
pub struct Problem<'p> {
    /// Where it is, as the format's readers look for files: seen from the folder that the program runs
    /// in, where the charts are below that, else from what the call names.
    pub place: Place,
    /// An id that stays the same.
    pub id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub what: &'p str,
    /// What to do about it.
    pub fix: &'p str,
    /// Whether `apply` mends it.
    pub is_planned: bool,
    /// The chart's name.
    pub chart: &'p str,
    /// Whether the chart is refused for it.
    pub is_refusal: bool,
}

/// What there is in `plan`, sorted by place. `folder` is the one that the program runs in.
#[must_use]
pub fn problems<'p>(plan: &'p Plan, folder: Option<&Path>) -> Vec<Problem<'p>> {
    let below = folder.and_then(|folder| plan.base.strip_prefix(folder).ok()).map(Path::to_owned);
    let prefix = below.unwrap_or_default();
    let mut problems: Vec<Problem<'p>> =
        plan.charts.iter().flat_map(|chart| of_chart(chart, &prefix)).collect();
    problems.sort_by(|one, other| (&one.place, one.id).cmp(&(&other.place, other.id)));
    problems
}

fn of_chart<'p>(chart: &'p ChartPlan, prefix: &Path) -> Vec<Problem<'p>> {
    let refusals = match &chart.outcome {
        Outcome::Refused(refusals) => refusals.as_slice(),
        _ => &[],
    };
    let refused = refusals.iter().map(|refusal| Problem {
        place: refusal.place.clone().below(prefix),
        id: refusal.reason.id(),
        level: Level::Error,
        what: &refusal.what,
        fix: &refusal.advice,
        is_planned: false,
        chart: &chart.name,
        is_refusal: true,
    });
    let found = chart.findings.iter().filter(|finding| !finding.id.is_about_the_change());
    let found = found.map(|finding| Problem {
        place: finding.place.clone().below(prefix),
        id: finding.id.id(),
        level: finding.level,
        what: &finding.what,
        fix: &finding.fix,
        // A chart that is refused is not mended, whatever else there is to do.
        is_planned: finding.is_planned && refusals.is_empty(),
        chart: &chart.name,
        is_refusal: false,
    });
    refused.chain(found).collect()
}
