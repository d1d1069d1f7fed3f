//! From checkouts to the whole plan: the charts, and the passes behind them.

use crate::discover::Checkouts;
use crate::documentation;
use crate::options::Options;
use crate::plan::{Plan, Selection};
use crate::release_notes;

/// The folders beside charts that a run may write into.
pub(crate) fn folders(options: &Options) -> Vec<&'static str> {
    let folders = [(options.release_notes, "releasenotes"), (options.docs, documentation::FOLDER)];
    folders.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, folder)| folder).collect()
}

/// Plans all that `options` ask for.
pub(crate) fn plan(checkouts: Checkouts, selection: &Selection, options: &Options) -> Plan {
    let mut plan = Plan::new(checkouts, selection, options);
    if options.release_notes {
        release_notes::add(&mut plan);
    }
    if options.docs {
        documentation::add(&mut plan);
    }
    plan
}
