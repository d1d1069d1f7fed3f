//! What a chart has to render where authentication is on: the Secret with the host and the login that
//! its values say, and its name with every ServiceAccount and so with every pod.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::compare::{Difference, inside};
use super::endpoint::registries;
use super::helm::NAMESPACE;
use super::objects::Object;
use super::verdict::Verified;
use crate::context::REGISTRY;
use crate::finding::Id;
use crate::kinds::custom_resources;
use crate::options::is_object_name;
use crate::yaml::tree::Tree;

/// What kind of Secret image pulls take.
const SECRET_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// Where that kind keeps what it holds.
const SECRET_KEY: &str = ".dockerconfigjson";

const PULL_SECRETS: &str = "imagePullSecrets";

/// What the values of a chart ask for.
pub(crate) struct Credentials {
    /// The name of the Secret.
    name: String,
    /// The registry as images name it, where the Secret is to be made; more than one where
    /// helm-toolkits do not agree on what counts.
    registries: Option<Vec<String>>,
    user: String,
    password: String,
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
        let name = scalar(&["secrets", REGISTRY, chart])?;
        let user = scalar(&["endpoints", REGISTRY, "auth", chart, "username"])?;
        let password = scalar(&["endpoints", REGISTRY, "auth", chart, "password"])?;
        let is_made = values.at(&["manifests", "secret_registry"]).is_some_and(Tree::is_true);
        let registries = if is_made {
            registries(values, None)?;
            Some(registries(values, Some(host))?)
        } else {
            None
        };
        Ok(Credentials { name, registries, user, password })
    }

    /// Checks the credentials in `on`, a render with authentication on; `secrets` are those for registries
    /// that it makes and the same chart with authentication off does not. The `others`, which the chart depends
    /// on, are verified on their own.
    pub(crate) fn check(
        &self,
        on: &[Object],
        secrets: &[&Object],
        others: &BTreeSet<String>,
        found: &mut Verified<'_>,
    ) {
        self.check_secret(on, secrets, found);
        let is_own = |object: &&Object| object.subchart.as_ref().is_none_or(|chart| !others.contains(chart));
        for object in on.iter().filter(is_own) {
            if is_account(object) {
                found.accounts += 1;
                self.check_account(object, found);
            }
            let holders = holders(object);
            found.pods += usize::from(!holders.is_empty());
            for (_, holder) in holders {
                self.check_pod(object, holder, on, found);
            }
        }
    }

    fn check_account(&self, account: &Object, found: &mut Verified<'_>) {
        let what = match self.count_mentions(account.tree.get(PULL_SECRETS)) {
            0 => format!("does not name the Secret {}", self.name),
            1 => return,
            _ => format!("names the Secret {} twice", self.name),
        };
        found.fault(Id::AccountWithoutCredentials, Some(account), what);
    }

    fn check_pod(&self, object: &Object, pod: &Tree, on: &[Object], found: &mut Verified<'_>) {
        let namespace = object.key.namespace.as_str();
        if namespace != NAMESPACE {
            // Values say where the pod goes; the Secret goes where the chart is installed.
            let object = &object.key;
            found.notes.insert(format!("{object} is in the namespace {namespace}, its Secret in that of the release: install it into {namespace}"));
        }
        let mut fault = |what: String| found.fault(Id::PodWithoutCredentials, Some(object), what);
        // As Kubernetes has it: a list of the pod's own hides that of its account.
        let own = pod.get(PULL_SECRETS);
        if own.is_some_and(|own| !own.items().is_empty()) {
            if self.count_mentions(own) == 0 {
                fault(format!("has imagePullSecrets without {}, which hide those of its account", self.name));
            }
            return;
        }
        let account = ["serviceAccountName", "serviceAccount"].iter().find_map(|key| pod.get(key)?.text());
        let Some(account) = account.filter(|name| !name.is_empty()) else {
            return fault("its pod has neither a ServiceAccount nor imagePullSecrets".to_owned());
        };
        let is_its = |other: &&Object| {
            is_account(other)
                && other.key.name == account
                && [namespace, NAMESPACE].contains(&other.key.namespace.as_str())
        };
        let mut accounts = on.iter().filter(is_its).peekable();
        if accounts.peek().is_none() {
            fault(format!("its pod has the ServiceAccount {account}, which the chart does not make"));
        }
        // Those of the chart itself are checked anyway.
        for account in accounts.filter(|account| account.subchart.is_some()) {
            self.check_account(account, found);
        }
    }

    fn check_secret(&self, on: &[Object], secrets: &[&Object], found: &mut Verified<'_>) {
        let wrong = match (&self.registries, secrets) {
            (None, _) => Err("is made although manifests.secret_registry is false".to_owned()),
            (Some(_), []) => {
                let what = format!("the Secret {} is missing", self.name);
                return found.fault(Id::WrongSecret, None, what);
            }
            (Some(registries), [secret]) => self.compare(registries, secret, on),
            (Some(_), _) => {
                Err("is one of several Secrets for a registry, where there should be one".to_owned())
            }
        };
        if let Err(what) = wrong {
            for secret in secrets {
                found.fault(Id::WrongSecret, Some(secret), what.as_str());
            }
        }
    }

    /// The password is not said: reports are read by many.
    fn compare(&self, registries: &[String], secret: &Object, on: &[Object]) -> Result<(), String> {
        if secret.key.name != self.name {
            return Err(format!("should be called {}", self.name));
        }
        if on.iter().filter(|object| object.key.is_namesake(&secret.key)).count() > 1 {
            return Err("is called as another Secret of the chart is".to_owned());
        }
        if secret.key.namespace != NAMESPACE {
            return Err(format!("is in the namespace {}, not in that of the release", secret.key.namespace));
        }
        check_shape(&secret.tree)?;
        let (registry, login) = login_in(&secret.tree)?;
        if !registries.contains(&registry) {
            let expected = registries.join(" or ");
            return Err(format!("is for the registry {registry:?}, and should be for {expected:?}"));
        }
        match login.split_once(':') {
            _ if login == format!("{}:{}", self.user, self.password) => Ok(()),
            Some((user, _)) if user == self.user => {
                Err("has another password than the values say".to_owned())
            }
            Some((user, _)) => Err(format!("logs in as {user:?}, and should as {:?}", self.user)),
            None => Err("holds no user and password with a colon between them".to_owned()),
        }
    }

    /// How often a list of imagePullSecrets names the Secret.
    fn count_mentions(&self, list: Option<&Tree>) -> usize {
        let is_mention = |item: &&Tree| {
            item.entries().len() == 1 && item.get("name").and_then(Tree::text) == Some(&self.name)
        };
        list.map(Tree::items).unwrap_or_default().iter().filter(is_mention).count()
    }

    /// Whether an account or a pod gains the Secret's name, once, and nothing else.
    pub(crate) fn is_mention(&self, object: &Object, difference: &Difference) -> bool {
        let (None, Some(after)) = (&difference.before, &difference.after) else { return false };
        let item = format!("{{name: {:?}}}", self.name);
        let is_gained = |path: &str, holder: &Tree| {
            let is_here = match difference.path.strip_prefix(&inside(path, PULL_SECRETS)) {
                Some("") => *after == format!("[{item}]"),
                Some(place) => place.starts_with('.') && *after == item,
                None => false,
            };
            is_here && self.count_mentions(holder.get(PULL_SECRETS)) == 1
        };
        is_account(object) && is_gained("", &object.tree)
            || holders(object).iter().any(|(path, holder)| is_gained(path, holder))
    }
}

/// The Secrets for registries that are made where authentication is on and not where it is off.
pub(crate) fn new_secrets<'o>(on: &'o [Object], off: &[Object]) -> Vec<&'o Object> {
    let is_new = |object: &&Object| {
        object.key.kind == "Secret"
            && object.tree.get("type").and_then(Tree::text) == Some(SECRET_TYPE)
            && !off.iter().any(|other| other.key == object.key)
    };
    on.iter().filter(is_new).collect()
}

fn is_account(object: &Object) -> bool {
    object.key.kind == "ServiceAccount"
}

/// What in an object may name Secrets to pull with, each with the way to it: whatever has containers with
/// images, wherever that is, and the parts of custom resources that are known.
fn holders(object: &Object) -> Vec<(String, &Tree)> {
    let rows = custom_resources(&object.key.api_version, &object.key.kind);
    let known = rows.filter_map(|row| Some((row.path.join("."), object.tree.at(row.path)?)));
    let mut holders: Vec<(String, &Tree)> = known.collect();
    let mut open = vec![(String::new(), &object.tree)];
    while let Some((path, tree)) = open.pop() {
        open.extend(
            tree.items().iter().enumerate().map(|(index, item)| (inside(&path, &index.to_string()), item)),
        );
        open.extend(
            tree.entries().iter().filter_map(|(key, value)| Some((inside(&path, key.scalar()?), value))),
        );
        let mut containers =
            CONTAINERS.iter().flat_map(|key| tree.get(key).map(Tree::items).unwrap_or_default());
        let runs_images = containers.any(|container| container.get("image").is_some());
        if runs_images && holders.iter().all(|(known, _)| *known != path) {
            holders.push((path, tree));
        }
    }
    holders
}

const CONTAINERS: [&str; 2] = ["containers", "initContainers"];

/// Checks that a Secret is what Kubernetes takes for image pulls, and nothing more.
fn check_shape(secret: &Tree) -> Result<(), String> {
    let only = |tree: &Tree, keys: &[&str]| {
        let other =
            |(key, _): &(Tree, Tree)| key.scalar().filter(|key| !keys.contains(key)).map(ToOwned::to_owned);
        tree.entries().iter().find_map(other).map_or(Ok(()), |key| Err(format!("should have no {key}")))
    };
    only(secret, &["apiVersion", "kind", "metadata", "type", "data"])?;
    if secret.get("apiVersion").and_then(Tree::text) != Some("v1") {
        return Err("should have the apiVersion v1".to_owned());
    }
    let metadata = secret.get("metadata").unwrap_or(secret);
    only(metadata, &["name", "namespace", "labels", "annotations"])?;
    match metadata.get("name") {
        Some(Tree::Text(name)) if is_object_name(name) => {}
        _ => return Err("has a name that Kubernetes does not take".to_owned()),
    }
    let is_hook = |(key, _): &(Tree, Tree)| key.scalar().is_some_and(|key| key.starts_with("helm.sh/hook"));
    if metadata.get("annotations").is_some_and(|annotations| annotations.entries().iter().any(is_hook)) {
        return Err("is a hook of Helm, which is not there whenever pods are made".to_owned());
    }
    Ok(())
}

/// The registry and the `<user>:<password>` that a Secret for a registry holds.
fn login_in(secret: &Tree) -> Result<(String, String), String> {
    let base64 = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
    let config = match secret.get("data").map(Tree::entries).unwrap_or_default() {
        [(key, Tree::Text(config))] if key.scalar() == Some(SECRET_KEY) => config,
        _ => return Err(format!("should hold {SECRET_KEY} and nothing else")),
    };
    let config = base64(config).ok_or_else(|| format!("{SECRET_KEY} is no base64 of a text"))?;
    let config: serde_json::Value =
        serde_json::from_str(&config).map_err(|error| format!("{SECRET_KEY} is no JSON: {error}"))?;
    let found = (|| {
        let (registry, login) = only(only(&config).filter(|(key, _)| *key == "auths")?.1)?;
        let (_, login) = only(login).filter(|(key, _)| *key == "auth")?;
        Some((registry.to_owned(), base64(login.as_str()?)?))
    })();
    found.ok_or_else(|| format!("{SECRET_KEY} should hold one registry with one login, and nothing else"))
}

/// The only entry of a JSON object.
fn only(value: &serde_json::Value) -> Option<(&str, &serde_json::Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(key, value)| (key.as_str(), value))
}

/// The function of helm-toolkit that hashes what a template renders.
const HASH: &str = "\"helm-toolkit.utils.hash\"";

/// Whether a difference is an annotation with a hash of the Secret's template, made so that pods are
/// replaced when the Secret changes: a hash before and after, on a line of the object's own template that
/// names the Secret's. `folder` is the rendered chart.
pub(crate) fn is_hash_of(secret: &Object, object: &Object, difference: &Difference, folder: &Path) -> bool {
    let is_hash = |text: &Option<String>| {
        let hash = text.as_deref().map(|text| text.trim_matches('"'));
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let Some((_, annotation)) = difference.path.rsplit_once("metadata.annotations.") else { return false };
    if !is_hash(&difference.before) || !is_hash(&difference.after) {
        return false;
    }
    let Some(secret) = secret.template.file_name() else { return false };
    let Ok(template) = fs::read_to_string(folder.join(&object.template)) else { return false };
    let secret = format!("\"{}\"", secret.to_string_lossy());
    template.lines().any(|line| {
        let value = line.trim_start().strip_prefix(annotation).and_then(|line| line.strip_prefix(':'));
        value.is_some_and(|value| value.contains(&secret) && value.contains(HASH))
    })
}
