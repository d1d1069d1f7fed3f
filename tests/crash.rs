//! What is left when `apply` is killed, asked to end, or fails, at every step of its writing and at
//! times of no choosing. Whatever happens: every file is wholly the old one or wholly the new
//! one, and a second run completes the job and leaves nothing else lying about.
//!
//! This is a program of its own. Started with [`DIE_AT`] in its environment it applies the plan for
//! the checkout it is in, as the real one does, and kills itself at that step.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    ALL_SIGNALS, after, assert_same_tree, changed_files, command_with_signals, copy, expected_diff, files,
    nightly, put_tree, run, tree,
};
use libtest_mimic::{Arguments, Trial};
use osh_registry_auth::{Error, Options, Plan, Selection, WriteStep};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::ExitStatusExt as _;

/// How many steps each file is written in, at least.
const STEPS: usize = 4;

/// Names the step, from 0, at which this program is to kill itself.
const DIE_AT: &str = "OSH_REGISTRY_AUTH_TEST_DIE_AT";

fn main() {
    if let Ok(step) = std::env::var(DIE_AT) {
        return die_at(step.parse().unwrap());
    }
    let many = Arc::new(LazyLock::new(Many::new as fn() -> Many));
    let trial = |name: &str, test: fn(&Many)| {
        let many = Arc::clone(&many);
        Trial::test(name, move || {
            test(&many);
            Ok(())
        })
    };
    let trials = vec![
        trial("killed_at_every_step_it_leaves_whole_files", |_| killed_at_every_step()),
        trial("a_failure_at_any_step_is_undone", |_| a_failure_at_any_step_is_undone()),
        trial("killed_at_any_time_it_leaves_whole_files", |many| strike(many, 12, Blow::Kill)),
        trial("interrupted_at_any_time_it_puts_everything_back", |many| strike(many, 6, Blow::Interrupt)),
        trial("terminated_at_any_time_it_puts_everything_back", |many| strike(many, 6, Blow::Terminate)),
        trial("hung_up_at_any_time_it_puts_everything_back", |many| strike(many, 6, Blow::HangUp)),
        trial("signals_that_are_to_be_ignored_are", signals_that_are_to_be_ignored_are),
        trial("killed_while_it_puts_back_it_leaves_whole_files", |many| {
            strike(many, 6, Blow::InterruptAndKill);
        }),
    ];
    // The blows are timed: what runs beside them would disturb them.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, trials);
    // What exits drops nothing, and this is a folder.
    drop(many);
    conclusion.exit();
}

fn plan_for(checkout: &Path) -> Plan {
    let options = Options { replace_templates: true, ..Options::default() };
    osh_registry_auth::plan(&[checkout.to_owned()], &Selection::default(), &options).unwrap()
}

/// Counts steps, and calls `act` at the one with number `at`.
fn at_step(
    at: usize,
    act: impl Fn() -> Result<(), Error> + Sync,
) -> impl Fn(WriteStep, &Path) -> Result<(), Error> + Sync {
    let count = AtomicUsize::new(0);
    move |_, _| if count.fetch_add(1, Ordering::Relaxed) == at { act() } else { Ok(()) }
}

fn die_at(step: usize) {
    // One thread, so that the steps come in the same order each time.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let watch = at_step(step, || {
        kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    osh_registry_auth::write(&plan_for(Path::new(".")), &watch).unwrap();
}

/// What became of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// As it was before.
    Untouched,
    /// Temporary files or new folders are there; every file is the old one.
    Staged,
    /// Some files are the old ones and some the new ones.
    Mixed,
    /// Nothing is left to do.
    Done,
}

/// What the checkout in `dir` is between `before` and `after`. Panics where a file is neither.
fn state(dir: &Path, before: &Path, after: &Path) -> State {
    let (old, new) = (files(before), files(after));
    let mut now = files(dir);
    let is_temporary =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(".osh-registry-auth-");
    let temporary = now.keys().filter(|path| is_temporary(path)).count();
    now.retain(|path, _| !is_temporary(path));
    for (path, text) in &now {
        let is_whole = old.get(path) == Some(text) || new.get(path) == Some(text);
        assert!(is_whole, "{} is neither the old nor the new file", path.display());
    }
    for path in old.keys() {
        assert!(now.contains_key(path), "{} is gone", path.display());
    }
    let is_folder_new = || folders(dir) != folders(before);
    match () {
        () if now == new && temporary == 0 => State::Done,
        () if now != old => State::Mixed,
        () if temporary > 0 || is_folder_new() => State::Staged,
        () => State::Untouched,
    }
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().is_dir());
    folders.map(|entry| entry.path().strip_prefix(dir).unwrap().to_owned()).collect()
}

/// A second run completes what a dead one has left, whatever that is.
fn assert_second_run_completes(dir: &Path, after: &Path, what: &str) {
    let again = run(dir, &["apply", "--replace-templates"]);
    assert_eq!(again.code, 0, "{what}: {}", again.stderr);
    assert_same_tree(after, dir, what);
    assert_eq!(folders(after), folders(dir), "{what}");
}

fn killed_at_every_step() {
    let (before, after) = (tree("openstack-helm"), after("openstack-helm"));
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for step in 0.. {
        let work = tree("openstack-helm");
        let mut child = Command::new(std::env::current_exe().unwrap());
        let end = child.current_dir(work.path()).env(DIE_AT, step.to_string()).status().unwrap();
        let left = state(work.path(), before.path(), after.path());
        if end.success() {
            assert_eq!(left, State::Done);
            break;
        }
        assert_eq!(end.signal(), Some(9), "{end}");
        *states.entry(left).or_default() += 1;
        assert_second_run_completes(work.path(), after.path(), &format!("killed at step {step}"));
    }
    println!("killed at each of {} steps: {states:?}", states.values().sum::<usize>());
    // Each file is staged in three steps, and replaced in one.
    let files = changed_files(&expected_diff("openstack-helm"));
    assert!(states[&State::Staged] >= 2 * files && states[&State::Mixed] >= files / 2, "{states:?}");
    assert!(states.values().sum::<usize>() > STEPS * files, "{states:?}");
}

fn a_failure_at_any_step_is_undone() {
    let (before, after) = (tree("openstack-helm"), after("openstack-helm"));
    let mut failures = 0;
    for step in 0.. {
        let work = tree("openstack-helm");
        let full = || Err(Error::Write("a file".into(), io::Error::from(io::ErrorKind::StorageFull)));
        let plan = plan_for(work.path());
        let Err(error) = osh_registry_auth::write(&plan, &at_step(step, full)) else {
            assert_same_tree(after.path(), work.path(), "no step left to fail at");
            break;
        };
        failures += 1;
        let said = error.to_string();
        assert!(said.contains("no storage space") && said.contains("nothing is changed"), "{said}");
        assert_eq!(
            state(work.path(), before.path(), after.path()),
            State::Untouched,
            "failed at step {step}"
        );
    }
    println!("failed at each of {failures} steps, and was undone each time");
    assert!(failures > STEPS * changed_files(&expected_diff("openstack-helm")), "{failures}");
}

/// What ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    Interrupt,
    Terminate,
    HangUp,
    InterruptAndKill,
}

impl Blow {
    fn strike(self, child: &mut Child) {
        let pid = Pid::from_child(child);
        // It may have ended before.
        let send = |signal| {
            let _ = kill_process(pid, signal);
        };
        match self {
            Blow::Kill => send(Signal::KILL),
            Blow::Interrupt => send(Signal::INT),
            Blow::Terminate => send(Signal::TERM),
            Blow::HangUp => send(Signal::HUP),
            Blow::InterruptAndKill => {
                send(Signal::INT);
                thread::sleep(random(Duration::from_millis(4)));
                send(Signal::KILL);
            }
        }
    }

    /// Whether all must be as it was before, where it is not done.
    fn is_undone(self) -> bool {
        matches!(self, Blow::Interrupt | Blow::Terminate | Blow::HangUp)
    }
}

/// A time from nothing to `limit`.
fn random(limit: Duration) -> Duration {
    let nanos = u64::try_from(limit.as_nanos()).unwrap();
    Duration::from_nanos(RandomState::new().hash_one(0) % (nanos + 1))
}

/// A checkout with many small charts, before and after.
struct Many {
    _folder: tempfile::TempDir,
    before: PathBuf,
    after: PathBuf,
    /// How long `apply` takes: from its start and its first write to its end, and from its first
    /// replacement to about its last.
    lengths: [Duration; 3],
}

/// The first thing that `apply` makes in [`Many`], and the first file that it gives its name.
const FIRST_WRITE: &str = "chart-00/templates";
const FIRST_REPLACEMENT: &str = "chart-00/templates/secret-registry.yaml";

impl Many {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        put_tree("one-chart", &before);
        for number in 0..24 {
            let chart = before.join(format!("chart-{number:02}"));
            copy(&before.join("glance"), &chart);
            let metadata = fs::read_to_string(chart.join("Chart.yaml")).unwrap();
            fs::write(chart.join("Chart.yaml"), metadata.replace("glance", &format!("chart-{number:02}")))
                .unwrap();
        }
        copy(&before, &after);
        let started = Instant::now();
        let mut child = start(&after);
        wait_for(&after.join(FIRST_WRITE), &mut child);
        let first_write = Instant::now();
        wait_for(&after.join(FIRST_REPLACEMENT), &mut child);
        let first_replacement = Instant::now();
        assert!(child.wait().unwrap().success());
        assert_ne!(files(&before), files(&after));
        // Behind the last replacement the folders are flushed, which is most of the rest.
        let lengths = [started.elapsed(), first_write.elapsed(), first_replacement.elapsed() / 4];
        Many { _folder: folder, before, after, lengths }
    }
}

/// Starts `apply` with all signals as they are by default: what runs the tests may have some ignored.
fn start(dir: &Path) -> Child {
    start_by(dir, ALL_SIGNALS)
}

fn start_by(dir: &Path, signals: &str) -> Child {
    let mut command = command_with_signals(dir, signals, &["apply", "."]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until there is something at `path`, or the program has ended.
fn wait_for(path: &Path, child: &mut Child) {
    while !path.exists() && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_micros(10));
    }
}

/// Strikes `runs` runs of the real program: a third of them anywhere in the run, a third after its first write,
/// a third after its first replacement. Some must be struck while they write. In the nightly run there are
/// twenty times as many, and each is struck at a time of no choosing.
fn strike(many: &Many, runs: usize, blow: Blow) {
    let runs = if nightly() { runs * 20 } else { runs };
    let minimum = runs / 6;
    let (next, states) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<State, usize>::new()));
    let while_writing = AtomicUsize::new(0);
    let work = || {
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && number < runs
        {
            let (state, had_begun) = strike_once(many, number, blow);
            *states.lock().unwrap().entry(state).or_default() += 1;
            while_writing.fetch_add(usize::from(had_begun), Ordering::Relaxed);
        }
    };
    let mut struck = true;
    thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(work));
        struck = workers.into_iter().all(|worker| worker.join().is_ok());
    });
    let while_writing = while_writing.into_inner();
    println!("{blow:?}: {runs} runs, {while_writing} struck while writing: {:?}", states.lock().unwrap());
    assert!(struck, "see above");
    assert!(while_writing >= minimum, "only {while_writing} of {runs} were struck while writing");
}

/// One run: what it left, and whether it was struck while it wrote.
fn strike_once(many: &Many, number: usize, blow: Blow) -> (State, bool) {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    copy(&many.before, dir);
    let mut child = start(dir);
    match number % 3 {
        0 => {}
        1 => wait_for(&dir.join(FIRST_WRITE), &mut child),
        _ => wait_for(&dir.join(FIRST_REPLACEMENT), &mut child),
    }
    // A handful of runs must meet it at work; where there are many of them, chance finds all else.
    if nightly() || number.is_multiple_of(3) {
        thread::sleep(random(many.lengths[number % 3]));
    }
    let had_begun = dir.join(FIRST_WRITE).exists();
    blow.strike(&mut child);
    let output = child.wait_with_output().unwrap();
    let left = state(dir, &many.before, &many.after);
    let what = format!("run {number}, {blow:?}");
    let is_struck = !output.status.success();
    if is_struck {
        assert_ended_by(blow, output.status, &what);
    } else {
        assert_eq!(left, State::Done, "{what}");
    }
    // When all is written, signals end the program as ever: the summary is no work to be undone.
    if is_struck && blow.is_undone() && left != State::Done {
        assert_eq!(left, State::Untouched, "{what}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!had_begun || said.contains("put back"), "{what}: {said}");
    }
    assert_second_run_completes(dir, &many.after, &what);
    (left, is_struck && had_begun)
}

/// As nohup has it.
fn signals_that_are_to_be_ignored_are(many: &Many) {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    for signal in [Signal::HUP, Signal::INT] {
        let work = tempfile::tempdir().unwrap();
        copy(&many.before, work.path());
        let mut child = start_by(work.path(), "--ignore-signal=HUP,INT");
        wait_for(&work.path().join(FIRST_WRITE), &mut child);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(child.wait_with_output().unwrap().status.success(), "{signal:?}");
        assert_eq!(state(work.path(), &many.before, &many.after), State::Done);
    }
}

fn assert_ended_by(blow: Blow, status: ExitStatus, what: &str) {
    let possible: &[i32] = match blow {
        Blow::Kill => &[9],
        Blow::Interrupt => &[2],
        Blow::Terminate => &[15],
        Blow::HangUp => &[1],
        Blow::InterruptAndKill => &[2, 9],
    };
    assert!(status.signal().is_some_and(|signal| possible.contains(&signal)), "{what}: {status}");
}
