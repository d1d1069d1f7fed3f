//! Runs Helm. It sees nothing of the user's own: no configuration, no plugins, no cluster.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::Error;

/// The oldest Helm that charts can be rendered with here: Helm 2 asks a server for it.
const OLDEST: u32 = 3;

/// The namespace that charts are rendered for.
pub(crate) const NAMESPACE: &str = "openstack";

/// How much is read of what Helm complains of, in bytes.
const COMPLAINT: u64 = 1 << 20;

/// How many characters of that are shown.
const SHOWN: usize = 2_000;

pub(crate) struct Helm {
    program: PathBuf,
    timeout: Duration,
    /// How much a call may print, in bytes.
    output: u64,
    /// Where it keeps its files.
    home: PathBuf,
    /// By process; `None` once no more may be started.
    running: Mutex<Option<HashMap<u32, Child>>>,
    calls: AtomicUsize,
}

impl Helm {
    /// The Helm that is `asked` for, else that of $HELM, else the one on PATH. A call may take so many seconds, and
    /// print so many MiB.
    pub(crate) fn new(asked: Option<&Path>, seconds: u64, mebibytes: u64, home: PathBuf) -> Self {
        let from_environment = || env::var_os("HELM").filter(|path| !path.is_empty()).map(PathBuf::from);
        let program = asked.map(Path::to_owned).or_else(from_environment).unwrap_or_else(|| "helm".into());
        let (timeout, output) = (Duration::from_secs(seconds), mebibytes.saturating_mul(1 << 20));
        let running = Mutex::new(Some(HashMap::new()));
        Helm { program, timeout, output, home, running, calls: AtomicUsize::new(0) }
    }

    /// # Errors
    /// [`Error::NoHelm`] where it is not there, or too old.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut command = self.command();
        command.args(["version", "--short"]);
        let why = match self.run(command).map(|ended| String::from_utf8_lossy(&ended.stdout).into_owned()) {
            Ok(version) if major(&version).is_some_and(|major| major >= OLDEST) => return Ok(()),
            Ok(said) => {
                let line = said.lines().next().unwrap_or_default().trim();
                format!("is no Helm {OLDEST} or later (it says {line:?})")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => "Helm is not found".to_owned(),
            Err(error) => format!("cannot be run: {error}"),
        };
        Err(Error::NoHelm(self.program.clone(), why))
    }

    /// How often charts were rendered.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// What `helm template` prints for the chart in `folder` with these arguments, or what it complains of. An
    /// error says nothing about the chart: Helm cannot be started, or is killed.
    pub(crate) fn template(
        &self,
        chart: &str,
        folder: &Path,
        arguments: &[OsString],
    ) -> io::Result<Result<String, String>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut command = self.command();
        command.arg("template").arg(release(chart)).arg(folder).args([
            "--include-crds",
            "--namespace",
            NAMESPACE,
        ]);
        command.args(arguments);
        let Output { status, stdout, stderr } = self.run(command)?;
        match status.code() {
            Some(0) => {
                Ok(String::from_utf8(stdout).map_err(|_| "Error: what it prints is not UTF-8".to_owned()))
            }
            Some(_) => Ok(Err(complaint(&String::from_utf8_lossy(&stderr), folder, chart))),
            None => Err(io::Error::other(format!("it ended by a signal ({status})"))),
        }
    }

    /// Runs `command` to its end, or to the limits of a call: then it is ended, with all that it has started.
    fn run(&self, mut command: Command) -> io::Result<Output> {
        let deadline = Instant::now() + self.timeout;
        let (sender, pieces) = mpsc::channel();
        let id = {
            let mut running = self.running();
            let children = running.as_mut().ok_or(io::ErrorKind::Interrupted)?;
            let mut child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            let (id, stdout, stderr) = (child.id(), child.stdout.take(), child.stderr.take());
            children.insert(id, child);
            // Both at once: Helm waits for a reader of either. Nobody waits for these two: what has left Helm's
            // group may hold a pipe open for ever.
            let (output, other) = (self.output.saturating_add(1), sender.clone());
            thread::spawn(move || sender.send((true, read(stdout, output))));
            thread::spawn(move || other.send((false, read(stderr, COMPLAINT))));
            id
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let left = deadline.saturating_duration_since(Instant::now());
            let why = if let Ok((is_stdout, bytes)) = pieces.recv_timeout(left) {
                *if is_stdout { &mut stdout } else { &mut stderr } = bytes?;
                if stdout.len() as u64 <= self.output {
                    continue;
                }
                format!("prints more than {} MiB; --helm-output allows more", self.output >> 20)
            } else {
                format!("takes more than {} seconds; --helm-timeout allows more", self.timeout.as_secs())
            };
            self.take(id).iter_mut().for_each(end);
            return Err(io::Error::other(format!("a call {why}")));
        }
        let status = self.take(id).ok_or(io::ErrorKind::Interrupted)?.wait()?;
        Ok(Output { status, stdout, stderr })
    }

    /// Ends all calls, and starts no more.
    pub(crate) fn stop(&self) {
        self.running().take().into_iter().flatten().for_each(|(_, mut child)| end(&mut child));
    }

    fn take(&self, id: u32) -> Option<Child> {
        self.running().as_mut()?.remove(&id)
    }

    fn running(&self) -> MutexGuard<'_, Option<HashMap<u32, Child>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let is_for_helm = |name: &str| name.starts_with("HELM_");
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_for_helm)) {
            command.env_remove(name);
        }
        for (name, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("HELM_PLUGINS", "plugins"),
        ] {
            command.env(name, self.home.join(folder));
        }
        command.env("KUBECONFIG", "/dev/null").stdin(Stdio::null());
        // Helm ends before its memory matters: collecting garbage later takes a sixth off its time.
        if env::var_os("GOGC").is_none() {
            command.env("GOGC", "400");
        }
        command
    }
}

/// Reads up to so many bytes, and no more: who writes more waits, or ends with the pipe.
fn read(from: Option<impl Read>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.map_or(Ok(0), |from| from.take(limit).read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// Ends a process, and those that it has started.
fn end(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

/// The first number of a version such as `v3.17.3+ge4da497`.
fn major(version: &str) -> Option<u32> {
    version.trim_start().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A name that Helm takes for a release: that of the chart as far as it goes, and not the chart's own, so that a
/// template which takes one for the other is found.
fn release(chart: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = chart.chars().take(45).map(allowed).collect();
    format!("{}-release", name.trim_end_matches('-'))
}

/// What Helm complains of, on one line (Helm 4 indents more of them) and without the scratch folder.
fn complaint(said: &str, folder: &Path, chart: &str) -> String {
    let (_, error) = said.split_once("Error:").unwrap_or(("", said));
    let error = error.replace("\n\nUse --debug flag to render out invalid YAML", "");
    let error = error.replace(folder.to_string_lossy().as_ref(), chart);
    let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    match error.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("Error: {}...", error.get(..end).unwrap_or_default()),
        None => format!("Error: {error}"),
    }
}
