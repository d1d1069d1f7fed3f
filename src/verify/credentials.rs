//! What a chart has to render where authentication is on: the Secret with the host and the login that
//! its values say, and its name with every ServiceAccount and so with every pod.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::compare::Difference;
use super::endpoint::registries;
use super::helm::NAMESPACE;
use super::objects::{Key, Object, Objects};
use super::verdict::{Counts, Fault, Render};
use crate::finding::Id;
use crate::yaml::tree::Tree;

/// What kind of Secret image pulls take.
const SECRET_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// Where that kind keeps what it holds.
const SECRET_KEY: &str = ".dockerconfigjson";

const PULL_SECRETS: &str = "imagePullSecrets";

/// What the values of a chart ask for.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The name of the Secret.
    name: String,
    /// The registry as images name it, where the Secret is to be made; more than one where
    /// helm-toolkits do not agree on what counts.
    registries: Option<Vec<String>>,
    user: String,
    password: String,
}

/// What was found in a render.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) faults: Vec<Fault>,
    pub(crate) counts: Counts,
    pub(crate) notes: BTreeSet<String>,
}

impl Checked {
    fn fault(&mut self, id: Id, object: Option<&Object>, what: impl Into<String>) {
        self.faults.push(Fault::new(id, Render::AuthOn, object, what));
    }
}

impl Credentials {
    /// What `values` ask for of the chart called `chart`, where the operator says that the registry is
    /// `host`; an error is what they lack, with that host or with their own.
    pub(crate) fn of(values: &Tree, chart: &str, host: &str) -> Result<Self, String> {
        let scalar = |keys: &[&str]| {
            let found = values.at(keys).and_then(Tree::scalar).filter(|text| !text.is_empty());
            let found = found.map(ToOwned::to_owned);
            found.ok_or_else(|| format!("{} is not set in values.yaml", keys.join(".")))
        };
        let name = scalar(&["secrets", "oci_image_registry", chart])?;
        let user = scalar(&["endpoints", "oci_image_registry", "auth", chart, "username"])?;
        let password = scalar(&["endpoints", "oci_image_registry", "auth", chart, "password"])?;
        let is_made = values.at(&["manifests", "secret_registry"]).is_some_and(Tree::is_true);
        let registries = if is_made {
            registries(values, None)?;
            Some(registries(values, Some(host))?)
        } else {
            None
        };
        Ok(Credentials { name, registries, user, password })
    }

    /// Checks the credentials in `on`, a render with authentication on; `off` is the same chart with
    /// authentication off.
    pub(crate) fn check(&self, on: &[Arc<Object>], off: &[Arc<Object>]) -> Checked {
        let mut checked = Checked::default();
        self.check_secret(on, off, &mut checked);
        let mut accounts = BTreeMap::new();
        for object in on.iter().filter(|object| object.key.kind == "ServiceAccount") {
            let Key { namespace, name, .. } = &object.key;
            accounts.insert((namespace.as_str(), name.as_str()), &object.tree);
            if !object.is_of_subchart {
                self.check_account(object, &mut checked);
            }
        }
        for object in on.iter().filter(|object| !object.is_of_subchart) {
            if let Some(pod) = pod_path(object).and_then(|path| object.tree.at(path)) {
                checked.counts.pods += 1;
                self.check_pod(object, pod, &accounts, &mut checked);
            }
        }
        checked
    }

    fn check_account(&self, account: &Object, checked: &mut Checked) {
        checked.counts.accounts += 1;
        let what = match self.mentions(account.tree.get(PULL_SECRETS)) {
            0 => format!("does not name the Secret {}", self.name),
            1 => return,
            _ => format!("names the Secret {} twice", self.name),
        };
        checked.fault(Id::AccountWithoutCredentials, Some(account), what);
    }

    fn check_pod(
        &self,
        object: &Object,
        pod: &Tree,
        accounts: &BTreeMap<(&str, &str), &Tree>,
        checked: &mut Checked,
    ) {
        let mut fault = |what: String| checked.fault(Id::PodWithoutCredentials, Some(object), what);
        // As Kubernetes has it: a list of the pod's own hides that of its account.
        let own = pod.get(PULL_SECRETS);
        if own.is_some_and(|own| !own.items().is_empty()) {
            if self.mentions(own) == 0 {
                fault(format!("has imagePullSecrets without {}, which hide those of its account", self.name));
            }
            return;
        }
        let account = ["serviceAccountName", "serviceAccount"].iter().find_map(|key| pod.get(key)?.text());
        let Some(account) = account.filter(|name| !name.is_empty()) else {
            fault("its pod has neither a ServiceAccount nor imagePullSecrets".to_owned());
            return;
        };
        let namespace = object.key.namespace.as_str();
        let beside = accounts.get(&(namespace, account));
        let Some(found) = beside.or_else(|| accounts.get(&(NAMESPACE, account))) else {
            fault(format!("its pod has the ServiceAccount {account}, which the chart does not make"));
            return;
        };
        if self.mentions(found.get(PULL_SECRETS)) == 0 {
            fault(format!("its pod gets no credentials: its ServiceAccount {account} has none"));
        }
        if beside.is_none() {
            // Values say where the pod goes; the account goes where the chart is installed.
            let object = &object.key;
            checked.notes.insert(format!("{object} is in the namespace {namespace}, its ServiceAccount in that of the release: install it into {namespace}"));
        }
    }

    fn check_secret(&self, on: &[Arc<Object>], off: &[Arc<Object>], checked: &mut Checked) {
        let new: Vec<&Arc<Object>> = on.iter().filter(|object| is_new_secret(object, off)).collect();
        let mut fault = |object: Option<&Object>, what: String| checked.fault(Id::WrongSecret, object, what);
        match (&self.registries, new.as_slice()) {
            (None, made) => {
                for object in made {
                    fault(Some(object), "is made although manifests.secret_registry is false".to_owned());
                }
            }
            (Some(_), []) => fault(None, format!("the Secret {} is missing", self.name)),
            (Some(_), [secret]) if secret.key.name != self.name => {
                fault(Some(secret), format!("should be called {}", self.name));
            }
            (Some(registries), [secret]) => {
                let login = Login::in_secret(&secret.tree);
                if let Err(what) = login.and_then(|login| self.compare(registries, &login)) {
                    fault(Some(secret), what);
                }
            }
            (Some(_), several) => {
                for object in several {
                    fault(
                        Some(object),
                        "is one of several Secrets for a registry, where there should be one".to_owned(),
                    );
                }
            }
        }
    }

    /// The password is not said: reports are read by many.
    fn compare(&self, registries: &[String], found: &Login) -> Result<(), String> {
        if !registries.contains(&found.registry) {
            let expected = registries.join(" or ");
            return Err(format!("is for the registry {:?}, and should be for {expected:?}", found.registry));
        }
        if found.login == format!("{}:{}", self.user, self.password) {
            return Ok(());
        }
        match found.login.split_once(':') {
            Some((user, _)) if user == self.user => {
                Err("has another password than the values say".to_owned())
            }
            Some((user, _)) => Err(format!("logs in as {user:?}, and should as {:?}", self.user)),
            None => Err("holds no user and password with a colon between them".to_owned()),
        }
    }

    /// How often a list of imagePullSecrets names the Secret.
    fn mentions(&self, list: Option<&Tree>) -> usize {
        let items = list.map(Tree::items).unwrap_or_default();
        items.iter().filter(|item| self.is_mention(item)).count()
    }

    fn is_mention(&self, item: &Tree) -> bool {
        item.entries().len() == 1 && item.get("name").and_then(Tree::text) == Some(&self.name)
    }

    /// `on` without what authentication is to bring: the new Secret, and its name wherever `off` does
    /// not have it. What is left must be `off`.
    pub(crate) fn taken_off(&self, on: &[Arc<Object>], off: &[Arc<Object>]) -> Objects {
        let before: BTreeMap<&Key, &Tree> = off.iter().map(|object| (&object.key, &object.tree)).collect();
        let mut rest: Objects = on.iter().filter(|object| !is_new_secret(object, off)).cloned().collect();
        for object in &mut rest {
            let before = before.get(&object.key).copied();
            self.take_off(object, before);
        }
        rest
    }

    /// Takes the Secret's name off an object that has gained it.
    fn take_off(&self, object: &mut Arc<Object>, before: Option<&Tree>) -> Option<()> {
        let path = if object.key.kind == "ServiceAccount" { &[][..] } else { pod_path(object)? };
        let list_before = before.and_then(|tree| tree.at(path)?.get(PULL_SECRETS));
        if self.mentions(object.tree.at(path)?.get(PULL_SECRETS)) == 0 || self.mentions(list_before) > 0 {
            return None;
        }
        let holder = Arc::make_mut(object).tree.at_mut(path)?;
        let Tree::List(items) = holder.get_mut(PULL_SECRETS)? else { return None };
        let at = items.iter().position(|item| self.is_mention(item))?;
        items.remove(at);
        if items.is_empty()
            && list_before.is_none()
            && let Tree::Mapping(entries) = holder
        {
            entries.retain(|(key, _)| key.scalar() != Some(PULL_SECRETS));
        }
        Some(())
    }
}

fn is_new_secret(object: &Object, off: &[Arc<Object>]) -> bool {
    object.key.kind == "Secret"
        && object.tree.get("type").and_then(Tree::text) == Some(SECRET_TYPE)
        && !off.iter().any(|other| other.key == object.key)
}

/// The way to the spec of the pods that an object makes.
fn pod_path(object: &Object) -> Option<&'static [&'static str]> {
    let path: &[&str] = match object.key.kind.as_str() {
        "Pod" => &["spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "PodTemplate" => &["template", "spec"],
        // Deployments and all that are made like them, whatever they are called.
        _ => &["spec", "template", "spec"],
    };
    object.tree.at(path)?.get("containers")?;
    Some(path)
}

/// What a Secret for a registry holds.
struct Login {
    registry: String,
    /// `<user>:<password>`
    login: String,
}

impl Login {
    fn in_secret(secret: &Tree) -> Result<Self, String> {
        let base64 = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
        let data = secret.get("data").map(Tree::entries).unwrap_or_default();
        let [(key, Tree::Text(config))] = data else {
            return Err(format!("should hold {SECRET_KEY} and nothing else"));
        };
        if key.scalar() != Some(SECRET_KEY) {
            return Err(format!("should hold {SECRET_KEY} and nothing else"));
        }
        let config = base64(config).ok_or_else(|| format!("{SECRET_KEY} is no base64 of a text"))?;
        let config: serde_json::Value =
            serde_json::from_str(&config).map_err(|error| format!("{SECRET_KEY} is no JSON: {error}"))?;
        let found = (|| {
            let (registry, login) = only(only(&config).filter(|(key, _)| *key == "auths")?.1)?;
            let (_, login) = only(login).filter(|(key, _)| *key == "auth")?;
            Some(Login { registry: registry.to_owned(), login: base64(login.as_str()?)? })
        })();
        found.ok_or_else(|| format!("{SECRET_KEY} should hold one registry with one login, and nothing else"))
    }
}

/// The only entry of a JSON object.
fn only(value: &serde_json::Value) -> Option<(&str, &serde_json::Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(key, value)| (key.as_str(), value))
}

/// Whether a difference is an annotation with a hash of the Secret's template, made so that pods are
/// replaced when the Secret changes: a hash before and after, on a line of the object's own template that
/// names the Secret's. `folder` is the rendered chart.
pub(crate) fn is_hash_of_secret(
    difference: &Difference,
    on: &[Arc<Object>],
    off: &[Arc<Object>],
    folder: &Path,
) -> bool {
    let is_hash = |text: &Option<String>| {
        let hash = text.as_deref().map(|text| text.trim_matches('"'));
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let Some((_, annotation)) = difference.path.rsplit_once("metadata.annotations.") else { return false };
    if !is_hash(&difference.before) || !is_hash(&difference.after) {
        return false;
    }
    let secret = on.iter().find(|object| is_new_secret(object, off));
    let Some(secret) = secret.and_then(|secret| secret.template.file_name()) else { return false };
    let Ok(template) = fs::read_to_string(folder.join(&difference.object.template)) else { return false };
    let secret = format!("\"{}\"", secret.to_string_lossy());
    template.lines().any(|line| {
        let value = line.trim_start().strip_prefix(annotation).and_then(|line| line.strip_prefix(':'));
        value.is_some_and(|value| value.contains(&secret) && value.contains(HASH))
    })
}

/// The function of helm-toolkit that hashes what a template renders.
const HASH: &str = "\"helm-toolkit.utils.hash\"";
