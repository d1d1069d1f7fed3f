//! Verifies all charts of a plan, in parallel. A signal ends the program at once.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::helm::Helm;
use super::prove::Prover;
use super::stage::Stage;
use super::verdict::{Report, Verdict, Verified};
use crate::disk::Scratch;
use crate::metadata::Role;
use crate::plan::{ChartPlan, Outcome, Plan};
use crate::signals::Signals;

/// How soon a signal ends the program.
const SOON: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    /// One more chart is done.
    ChartDone,
    /// A signal has come, and the program is about to end.
    Interrupted,
}

/// Verifies a plan with the Helm that the user names, or finds one. `toolkit` is the plan for the
/// helm-toolkit that the user names.
pub(crate) fn verify<'p>(
    plan: &'p Plan,
    toolkit: Option<&Plan>,
    helm: Option<&Path>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report<'p>, Box<dyn Error>> {
    let signals = Signals::catch()?;
    let scratch = Scratch::new()?;
    let helm = Helm::find(helm, scratch.path().join("helm"))?;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (scratch, helm) = (&scratch, &helm);
        scope.spawn(move || {
            while is_done.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                if let Some(signal) = signals.caught() {
                    helm.stop();
                    scratch.clear();
                    progress(Progress::Interrupted);
                    signal.end_the_program();
                    return;
                }
            }
        });
        let prover = Prover { stage: Stage::new(scratch, plan, toolkit), helm };
        let charts: Vec<(usize, &ChartPlan)> =
            plan.charts.iter().enumerate().filter(|(_, chart)| chart.role == Role::Application).collect();
        let verified = charts.into_par_iter().with_max_len(1).map(|(index, chart)| {
            let verified = verify_chart(&prover, index, chart);
            progress(Progress::ChartDone);
            verified
        });
        let charts = verified.collect();
        drop(done);
        Ok(Report { charts, renders: helm.calls() })
    })
}

fn verify_chart<'p>(prover: &Prover<'_>, index: usize, chart: &'p ChartPlan) -> (Verdict, Verified<'p>) {
    let mut found = Verified::new(chart);
    let verdict = match chart.outcome() {
        Outcome::LeftAlone(reason) => Verdict::LeftAlone(reason),
        Outcome::Refused => {
            let all = chart.refusals().map(|refusal| format!("{}: {}", refusal.location, refusal.what));
            Verdict::NotVerified(format!("refused: {}", all.collect::<Vec<_>>().join("; ")))
        }
        _ => prover.prove(index, &mut found).unwrap_or_else(|error| {
            found.faults.clear();
            Verdict::NotVerified(error.to_string())
        }),
    };
    (verdict, found)
}
