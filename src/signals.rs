//! SIGINT, SIGTERM and SIGHUP, which must not end the program in the middle of its writing.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// What `kill` sends.
    pub const TERMINATE: Signal = Signal(SIGTERM);

    /// Ends the program as this signal does when nobody catches it, so that a shell sees why and
    /// ends its script as well. Returns only where that fails.
    pub(crate) fn end_the_program(self) {
        let _ = signal_hook::low_level::emulate_default_handler(self.0);
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(signal_hook::low_level::signal_name(self.0).unwrap_or("a signal"))
    }
}

/// Records SIGINT, SIGTERM and SIGHUP; restores the default on drop.
#[derive(Debug)]
pub(crate) struct Signals {
    caught: Vec<(Signal, Arc<AtomicBool>)>,
    /// Set when signals are to end the program again.
    is_over: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to record. A signal that the program was started to ignore (by nohup, say) stays ignored.
    pub(crate) fn catch() -> io::Result<Self> {
        let mut signals = Signals { caught: Vec::new(), is_over: Arc::default() };
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)) {
            let has_come = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&signals.is_over))?;
            signal_hook::flag::register(signal, Arc::clone(&has_come))?;
            signals.caught.push((Signal(signal), has_come));
        }
        // A limit for the size of files is to be an error like others, not the end.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// The signal that has come, if any.
    pub(crate) fn caught(&self) -> Option<Signal> {
        self.caught.iter().find(|(_, has_come)| has_come.load(Ordering::Relaxed)).map(|(signal, _)| *signal)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Whether this program was started to ignore a signal. Only Linux tells without being asked in unsafe code.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // A bit for each, the lowest for the first.
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
