//! For programs; `check.schema.json` beside this file describes it. `version` grows where something
//! in here changes its meaning or goes away, not where something is added.

use std::io::{self, Write};

use serde::Serialize;

use super::Problem;
use crate::report::json::{Issue, Program, write_pretty};

/// Of what is written here; see above.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'p> {
    version: u32,
    program: Program,
    findings: Vec<Finding<'p>>,
}

#[derive(Serialize)]
struct Finding<'p> {
    chart: &'p str,
    /// Whether the chart could not be handled for it.
    refused: bool,
    #[serde(flatten)]
    issue: Issue,
}

/// Writes `problems`.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, problems: &[Problem<'_>]) -> io::Result<()> {
    let findings = problems.iter().map(|problem| {
        let Problem { place, id, level, what, fix, is_planned, chart, is_refusal } = problem;
        let issue = Issue::new(id, *level, place, what, fix, *is_planned);
        Finding { chart, refused: *is_refusal, issue }
    });
    write_pretty(out, &Report { version: VERSION, program: Program::THIS, findings: findings.collect() })
}
