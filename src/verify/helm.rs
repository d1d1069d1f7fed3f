//! Runs Helm. It sees nothing of the user's own: no configuration, no plugins, no cluster.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::Error;

/// The oldest Helm that charts can be rendered with here: Helm 2 asks a server for it.
const OLDEST: u32 = 3;

/// The namespace that charts are rendered for.
pub(crate) const NAMESPACE: &str = "openstack";

pub(crate) struct Helm {
    program: PathBuf,
    /// Where it keeps its files.
    home: PathBuf,
    /// By process; `None` once no more may be started.
    running: Mutex<Option<HashMap<u32, Child>>>,
    calls: AtomicUsize,
}

impl Helm {
    /// The Helm that is `asked` for, else that of $HELM, else the one on PATH.
    pub(crate) fn find(asked: Option<&Path>, home: PathBuf) -> Result<Self, Error> {
        let from_environment = || env::var_os("HELM").filter(|path| !path.is_empty()).map(PathBuf::from);
        let program = asked.map(Path::to_owned).or_else(from_environment).unwrap_or_else(|| "helm".into());
        let running = Mutex::new(Some(HashMap::new()));
        let helm = Helm { program, home, running, calls: AtomicUsize::new(0) };
        let why = match helm.version() {
            Ok(version) if major(&version).is_some_and(|major| major >= OLDEST) => return Ok(helm),
            Ok(said) => {
                let line = said.lines().next().unwrap_or_default().trim();
                format!("is no Helm {OLDEST} or later (it says {line:?})")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => "Helm is not found".to_owned(),
            Err(error) => format!("cannot be run: {error}"),
        };
        Err(Error::NoHelm(helm.program, why))
    }

    fn version(&self) -> io::Result<String> {
        let output = self.command().args(["version", "--short"]).stderr(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
        command.arg("template").arg(release(chart)).arg(folder).args(["--namespace", NAMESPACE]);
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (id, stdout, stderr) = {
            let mut running = self.running();
            let children = running.as_mut().ok_or(io::ErrorKind::Interrupted)?;
            let mut child = command.spawn()?;
            let (id, stdout, stderr) = (child.id(), child.stdout.take(), child.stderr.take());
            children.insert(id, child);
            (id, stdout, stderr)
        };
        // Both at once: Helm waits for a reader of either.
        let (printed, said) = thread::scope(|scope| {
            let said = scope.spawn(|| read(stderr));
            (read(stdout), said.join())
        });
        let child = self.running().as_mut().and_then(|children| children.remove(&id));
        let status = child.ok_or(io::ErrorKind::Interrupted)?.wait()?;
        let (printed, said) = (printed?, said.map_err(|_| io::Error::other("its errors cannot be read"))??);
        match status.code() {
            Some(0) => {
                Ok(String::from_utf8(printed).map_err(|_| "Error: what it prints is not UTF-8".to_owned()))
            }
            Some(_) => Ok(Err(complaint(&String::from_utf8_lossy(&said), folder, chart))),
            None => Err(io::Error::other(format!("it ended by a signal ({status})"))),
        }
    }

    /// Ends all calls, and starts no more.
    pub(crate) fn stop(&self) {
        for (_, mut child) in self.running().take().into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
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

fn read(from: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.map_or(Ok(0), |mut from| from.read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// The first number of a version such as `v3.17.3+ge4da497`.
fn major(version: &str) -> Option<u32> {
    version.trim_start().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A name that Helm takes for a release: that of the chart, as far as it goes.
fn release(chart: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = chart.chars().take(53).map(allowed).collect();
    name.trim_end_matches('-').to_owned()
}

/// What Helm complains of, on one line and without the scratch folder.
fn complaint(said: &str, folder: &Path, chart: &str) -> String {
    let (_, error) = said.split_once("Error:").unwrap_or(("", said));
    let error = error.replace("\n\nUse --debug flag to render out invalid YAML", "");
    let error = error.trim().replace(folder.to_string_lossy().as_ref(), chart).replace('\n', " ");
    format!("Error: {error}")
}
