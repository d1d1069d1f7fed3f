//! Runs Helm. It sees nothing of the user's own: no configuration, no plugins, no cluster.

use std::collections::HashMap;
use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// The oldest Helm that charts can be rendered with here: Helm 2 asks a server for it.
const OLDEST: u32 = 3;

/// The namespace that charts are rendered for.
pub(crate) const NAMESPACE: &str = "openstack";

#[derive(Debug)]
pub(crate) struct Helm {
    program: PathBuf,
    /// Where it keeps its files.
    home: PathBuf,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    /// Whether no more may be started.
    is_over: bool,
    children: HashMap<u32, Child>,
}

impl Helm {
    /// The Helm that is `asked` for, else that of $HELM, else the one on PATH.
    pub(crate) fn find(asked: Option<&Path>, home: PathBuf) -> Result<Self, Error> {
        let from_environment = || env::var_os("HELM").filter(|path| !path.is_empty()).map(PathBuf::from);
        let program = asked.map(Path::to_owned).or_else(from_environment).unwrap_or_else(|| "helm".into());
        let helm = Helm { program, home, running: Mutex::default() };
        match helm.version() {
            Ok(version) if major(&version).is_some_and(|major| major >= OLDEST) => Ok(helm),
            Ok(said) => {
                let line = said.lines().next().unwrap_or_default().trim();
                Err(Error::NoHelm(helm.program, format!("is no Helm {OLDEST} or later (it says {line:?})")))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoHelm(helm.program, "Helm is not found".to_owned()))
            }
            Err(error) => Err(Error::NoHelm(helm.program, format!("cannot be run: {error}"))),
        }
    }

    fn version(&self) -> io::Result<String> {
        let output = self.command().args(["version", "--short"]).stderr(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What `helm template` prints for the chart in a folder with these `--set`; `None` where it fails. What it
    /// complains of goes into a file, since it may be much and nobody reads it while Helm is at work.
    pub(crate) fn template(
        &self,
        release: &str,
        chart: &Path,
        sets: &[&str],
        complaints: File,
    ) -> io::Result<Option<String>> {
        let mut command = self.command();
        command.args(["template", release]).arg(chart).args(["--namespace", NAMESPACE]);
        for set in sets {
            command.args(["--set", set]);
        }
        command.stdout(Stdio::piped()).stderr(complaints);
        let (id, stdout) = {
            let mut running = self.running();
            if running.is_over {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut child = command.spawn()?;
            let stdout = child.stdout.take();
            let id = child.id();
            running.children.insert(id, child);
            (id, stdout)
        };
        let mut printed = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut printed));
        let child = self.running().children.remove(&id);
        let Some(mut child) = child else { return Err(io::ErrorKind::Interrupted.into()) };
        let status = child.wait()?;
        read?;
        Ok(status.success().then(|| String::from_utf8_lossy(&printed).into_owned()))
    }

    /// Ends all calls, and starts no more.
    pub(crate) fn stop(&self) {
        let mut running = self.running();
        running.is_over = true;
        for (_, mut child) in running.children.drain() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
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

/// The first number of a version such as `v3.17.3+ge4da497`.
fn major(version: &str) -> Option<u32> {
    version.trim_start().strip_prefix('v')?.split('.').next()?.parse().ok()
}
