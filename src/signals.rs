//! SIGINT and SIGTERM, which must not end the program in the middle of its writing.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// What a terminal sends for Ctrl-C.
    pub const INTERRUPT: Signal = Signal(SIGINT);
    /// What `kill` sends.
    pub const TERMINATE: Signal = Signal(SIGTERM);

    /// Ends the program as this signal does when nobody catches it, so that a shell sees why and
    /// ends its script as well. Comes back only where that fails.
    pub fn end_the_program(self) {
        let _ = signal_hook::low_level::emulate_default_handler(self.0);
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(signal_hook::low_level::signal_name(self.0).unwrap_or("a signal"))
    }
}

/// Takes note of signals from now on, instead of ending.
#[derive(Debug)]
pub struct Signals(Vec<(Signal, Arc<AtomicBool>)>);

impl Signals {
    /// Starts to take note.
    ///
    /// # Errors
    /// What the system says.
    pub fn catch() -> io::Result<Self> {
        let catch = |signal: Signal| {
            let has_come = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal.0, Arc::clone(&has_come))?;
            Ok((signal, has_come))
        };
        [Signal::INTERRUPT, Signal::TERMINATE].into_iter().map(catch).collect::<io::Result<_>>().map(Signals)
    }

    /// The signal that has come, if any.
    #[must_use]
    pub fn caught(&self) -> Option<Signal> {
        self.0.iter().find(|(_, has_come)| has_come.load(Ordering::Relaxed)).map(|(signal, _)| *signal)
    }
}
