//! Verifies all charts of a plan, in parallel. A signal ends the program at once.

use std::error::Error;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::prove::prove;
use super::render::Setup;
use super::stage::Stage;
use super::verdict::{Report, Verdict, Verified};
use crate::chart_plan::{ChartPlan, Outcome};
use crate::metadata::Role;
use crate::plan::Plan;
use crate::signals::Signals;

/// How soon a signal ends the program.
const SOON: Duration = Duration::from_millis(20);

/// Verifies a plan. `bar` counts the charts.
pub(crate) fn verify<'p>(
    plan: &'p Plan,
    setup: &Setup<'_>,
    bar: &ProgressBar,
) -> Result<Report<'p>, Box<dyn Error>> {
    let signals = Signals::catch()?;
    setup.helm.check()?;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                if let Some(signal) = signals.caught() {
                    setup.helm.stop();
                    setup.scratch.clear();
                    bar.finish_and_clear();
                    signal.end_the_program();
                    return;
                }
            }
        });
        let &Setup { scratch, base, toolkit, .. } = setup;
        let old = base.map_or(plan, |base| &base.plan);
        let before = Stage::new(scratch, old, toolkit, "before", |change| change.old.as_deref());
        let after = Stage::new(scratch, plan, toolkit, "after", |change| Some(&change.new));
        let charts: Vec<(usize, &ChartPlan)> =
            plan.charts.iter().enumerate().filter(|(_, chart)| chart.role == Role::Application).collect();
        let verified = charts.into_par_iter().with_max_len(1).map(|(index, chart)| {
            let verified = verify_chart(setup, [&before, &after], index, chart);
            bar.inc(1);
            (chart, verified)
        });
        let charts = verified.collect();
        drop(done);
        let gone = base.map(|base| base.gone(plan)).unwrap_or_default();
        let base = base.map(|base| base.name.clone());
        let is_operators = setup.operator.is_some();
        Ok(Report { charts, base, gone, is_operators, renders: setup.helm.calls() })
    })
}

fn verify_chart(setup: &Setup<'_>, stages: [&Stage<'_>; 2], index: usize, chart: &ChartPlan) -> Verified {
    let mut found = Verified::default();
    found.stopped = match chart.outcome() {
        Outcome::LeftAlone(reason) => Some((Verdict::LeftAlone, reason.to_owned())),
        Outcome::Refused => {
            let all = chart.refusals().map(|refusal| format!("{}: {}", refusal.location, refusal.what));
            Some((Verdict::NotVerified, format!("refused: {}", all.collect::<Vec<_>>().join("; "))))
        }
        _ => {
            let proven = prove(setup, stages, index, chart, &mut found);
            proven.err().map(|why| (Verdict::NotVerified, why.to_string()))
        }
    };
    if found.stopped.is_some() {
        found.faults.clear();
    }
    found
}
