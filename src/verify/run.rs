//! Verifies all charts of a plan, in parallel. A signal ends the program at once.

use std::error::Error;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::helm::{Calls, Helm};
use super::prove::Prover;
use super::render::Operator;
use super::stage::{Stage, State};
use super::verdict::{Pulls, Report, Verdict, Verified};
use crate::base::Base;
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

/// What a plan is verified with.
pub(crate) struct Setup<'w> {
    /// The plan for the helm-toolkit that the user names.
    pub(crate) toolkit: Option<&'w Plan>,
    /// What there was before; else that is what the plan starts from.
    pub(crate) base: Option<&'w Base>,
    pub(crate) helm: Calls<'w>,
    pub(crate) scratch: &'w Scratch,
    /// Whether the checkouts' own files of values are tried too.
    pub(crate) all_overrides: bool,
    /// An operator's values, in place of the default ones.
    pub(crate) operator: Option<&'w Operator>,
}

/// Verifies a plan.
pub(crate) fn verify<'p>(
    plan: &'p Plan,
    setup: &Setup<'_>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report<'p>, Box<dyn Error>> {
    let &Setup { toolkit, base, helm, scratch, all_overrides, operator } = setup;
    let signals = Signals::catch()?;
    let helm = Helm::find(helm, scratch.path().join("helm"))?;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let helm = &helm;
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
        let before = Stage::new(scratch, base.map_or(plan, |base| &base.plan), State::AsItIs, toolkit);
        let after = Stage::new(scratch, plan, State::Planned, toolkit);
        let prover = Prover { before, after, base, scratch, helm, all_overrides, operator };
        let charts: Vec<(usize, &ChartPlan)> =
            plan.charts.iter().enumerate().filter(|(_, chart)| chart.role == Role::Application).collect();
        let verified = charts.into_par_iter().with_max_len(1).map(|(index, chart)| {
            let verified = verify_chart(&prover, index, chart);
            progress(Progress::ChartDone);
            verified
        });
        let charts: Vec<(Verdict, Verified<'p>)> = verified.collect();
        drop(done);
        let gone =
            base.into_iter().flat_map(|base| base.gone(plan)).map(|chart| chart.path.clone()).collect();
        let base = base.map(|base| base.name.clone());
        let pulls = operator.map(|_| Pulls::sum(charts.iter().map(|(_, found)| &found.pulls)));
        Ok(Report { charts, base, gone, pulls, renders: helm.calls() })
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
