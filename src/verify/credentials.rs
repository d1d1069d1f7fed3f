//! What a chart has to render where authentication is on: the Secret with the host and the login that
//! its values say, and its name with every ServiceAccount and so with every pod.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::compare::{Difference, inside};
use super::endpoint::registries;
use super::helm::NAMESPACE;
use super::objects::{Object, ObjectKey, decoded};
use super::pods::{PULL_SECRETS, Pod, is_account};
use super::render::Render;
use super::trial::NAME;
use super::verdict::Verified;
use crate::context::REGISTRY;
use crate::finding::Id;
use crate::options::{is_object_name, unfit_for_login, unfit_for_user};
use crate::registry::PLACEHOLDER;
use crate::yaml::tree::Tree;

/// What kind of Secret image pulls take.
const SECRET_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// Where that kind keeps what it holds.
pub(crate) const SECRET_KEY: &str = ".dockerconfigjson";

/// The password in the values of a migrated chart.
const DEFAULT_PASSWORD: &str = "password";

/// What the values of a chart ask for.
pub(crate) struct Credentials<'v> {
    values: &'v Tree,
    /// The name of the Secret.
    name: String,
    /// The registry as images name it, where the Secret is to be made; more than one where
    /// helm-toolkits do not agree on what counts.
    registries: Option<Vec<String>>,
    user: String,
    password: String,
}

impl<'v> Credentials<'v> {
    /// What `values` ask for of the chart called `chart`; an error is what is wrong with them.
    pub(crate) fn of(values: &'v Tree, chart: &str) -> Result<Self, String> {
        let scalar = |keys: &[&str]| {
            let found = values.at(keys).and_then(Tree::scalar).filter(|text| !text.is_empty());
            let found = found.map(ToOwned::to_owned);
            found.ok_or_else(|| format!("{} is not set in values.yaml", keys.join(".")))
        };
        let name = scalar(&["secrets", REGISTRY, chart])?;
        let [user, password] = ["username", "password"].map(|key| {
            let path = ["endpoints", REGISTRY, "auth", chart, key];
            let text = scalar(&path)?;
            unfit_for_login(&text).map_or(Ok(text), |why| Err(format!("{} {why}", path.join("."))))
        });
        let (user, password) = (user?, password?);
        if let Some(why) = unfit_for_user(&user) {
            return Err(format!("endpoints.{REGISTRY}.auth.{chart}.username {why}"));
        }
        let is_made = values.at(&["manifests", "secret_registry"]).is_some_and(Tree::is_true);
        let registries = if is_made { Some(registries(values)?) } else { None };
        Ok(Credentials { values, name, registries, user, password })
    }

    /// Checks the credentials in `on`, what is rendered where authentication is on; `secrets` are those for registries
    /// that it makes and the same chart with authentication off does not.
    pub(crate) fn check(&self, on: &Render<'_>, secrets: &[&Object], found: &mut Verified) {
        self.check_secret(on, secrets, found);
        for object in on.own() {
            if is_account(object) {
                found.accounts += 1;
                self.check_account(object, on, found);
            }
            let pods = Pod::all(object);
            found.pods += usize::from(!pods.is_empty());
            if pods.is_empty() && Pod::is_unknown(object) {
                let what = "has images, and how its operator gets credentials for them is not known here";
                found.notes.insert(format!("{} {what}", object.key));
            }
            for pod in pods {
                self.check_pod(&pod, on, found);
            }
        }
    }

    /// Whether the login is that of the blueprint, or what `overrides` writes for want of one.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.registries.is_some()
            && (self.user == PLACEHOLDER || [PLACEHOLDER, DEFAULT_PASSWORD].contains(&self.password.as_str()))
    }

    fn check_account(&self, account: &Object, on: &Render<'_>, found: &mut Verified) {
        let what = match self.count_mentions(account.tree.get(PULL_SECRETS)) {
            0 => format!("does not name the Secret {}", self.name),
            1 => return,
            _ => format!("names the Secret {} twice", self.name),
        };
        found.fault(on, Id::AccountWithoutCredentials, Some(account), &what);
    }

    fn check_pod(&self, pod: &Pod<'_>, on: &Render<'_>, found: &mut Verified) {
        let object = pod.object;
        let namespace = object.key.namespace.as_str();
        if namespace != NAMESPACE {
            let what = format!("is in the namespace {namespace}, its Secret in that of the release");
            // Where values say it, an operator installs the chart there.
            if object.subchart.is_none() && !self.values.has_text(namespace) {
                return found.fault(on, Id::PodWithoutCredentials, Some(object), &what);
            }
            found.notes.insert(format!("{} {what}: install it into {namespace}", object.key));
        }
        let mut fault = |what: &str| found.fault(on, Id::PodWithoutCredentials, Some(object), what);
        if let Some(own) = pod.own_list() {
            if self.count_mentions(Some(own)) == 0 {
                fault(&format!(
                    "has imagePullSecrets without {}, which hide those of its account",
                    self.name
                ));
            }
            return;
        }
        let Some(account) = pod.account() else {
            return fault("its pod has neither a ServiceAccount nor imagePullSecrets");
        };
        let mut accounts = pod.accounts(on.objects()).peekable();
        if accounts.peek().is_none() {
            fault(&format!("its pod has the ServiceAccount {account}, which the chart does not make"));
        }
        // Those of the chart itself are checked anyway.
        for account in accounts.filter(|account| account.subchart.is_some()) {
            self.check_account(account, on, found);
        }
    }

    fn check_secret(&self, on: &Render<'_>, secrets: &[&Object], found: &mut Verified) {
        if self.registries.is_some() && secrets.is_empty() {
            found.fault(on, Id::WrongSecret, None, &format!("the Secret {} is missing", self.name));
        }
        for secret in secrets {
            let wrong = match &self.registries {
                None => Err("is made although manifests.secret_registry is false".to_owned()),
                Some(registries) if secrets.len() == 1 => self.compare(registries, secret, on.objects()),
                Some(_) => {
                    Err("is one of several Secrets for a registry, where there should be one".to_owned())
                }
            };
            if let Err(what) = wrong {
                found.fault(on, Id::WrongSecret, Some(secret), &what);
            }
        }
    }

    /// The password is not said: reports are read by many.
    fn compare(&self, registries: &[String], secret: &Object, on: &[Object]) -> Result<(), String> {
        let namespace = &secret.key.namespace;
        ensure(secret.key.name == self.name, format!("should be called {}", self.name))?;
        ensure(
            namespace == NAMESPACE,
            format!("is in the namespace {namespace}, not in that of the release"),
        )?;
        // Without an operator's name, too.
        let names = [&self.name, self.name.strip_suffix(NAME).unwrap_or(&self.name)];
        let is_namesake = |key: &ObjectKey| {
            (key.kind.as_str(), key.namespace.as_str()) == ("Secret", NAMESPACE)
                && names.contains(&key.name.as_str())
        };
        let has_namesake = on.iter().any(|object| object.key != secret.key && is_namesake(&object.key));
        ensure(!has_namesake, "is called as another Secret of the chart is")?;
        check_shape(&secret.tree)?;
        let (registry, login) = login_in(&secret.tree)?;
        let expected = registries.join(" or ");
        let what = format!("is for the registry {registry:?}, and should be for {expected:?}");
        ensure(registries.contains(&registry), what)?;
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
        let (None | Some("null"), Some(after)) = (difference.before.as_deref(), &difference.after) else {
            return false;
        };
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
            || Pod::all(object).iter().any(|pod| is_gained(&pod.path, pod.spec))
    }
}

/// The Secrets for registries that are made where authentication is on and not where it is off.
pub(crate) fn new_secrets<'o>(on: &'o [Object], off: &[Object]) -> Vec<&'o Object> {
    let is_new =
        |object: &&Object| is_for_registries(object) && !off.iter().any(|other| other.key == object.key);
    on.iter().filter(is_new).collect()
}

/// Whether an object is a Secret that image pulls take.
pub(crate) fn is_for_registries(object: &Object) -> bool {
    object.key.kind == "Secret" && object.tree.get("type").and_then(Tree::text) == Some(SECRET_TYPE)
}

/// Checks that a Secret is what Kubernetes takes for image pulls, and nothing more.
fn check_shape(secret: &Tree) -> Result<(), String> {
    let only = |tree: &Tree, keys: &[&str]| {
        let other =
            |(key, _): &(Tree, Tree)| key.scalar().filter(|key| !keys.contains(key)).map(ToOwned::to_owned);
        tree.entries().iter().find_map(other).map_or(Ok(()), |key| Err(format!("should have no {key}")))
    };
    only(secret, &["apiVersion", "kind", "metadata", "type", "data"])?;
    let version = secret.get("apiVersion").and_then(Tree::text);
    ensure(version == Some("v1"), "should have the apiVersion v1")?;
    let metadata = secret.get("metadata").unwrap_or(secret);
    only(metadata, &["name", "namespace", "labels", "annotations"])?;
    let name = metadata.get("name").and_then(Tree::text);
    ensure(name.is_some_and(is_object_name), "has a name that Kubernetes does not take")?;
    for key in ["labels", "annotations"] {
        let is_text = |(_, value): &(Tree, Tree)| value.text().is_some();
        let are_texts = match metadata.get(key) {
            Some(Tree::Mapping(entries)) => entries.iter().all(is_text),
            all => all.is_none_or(|all| *all == Tree::null()),
        };
        ensure(are_texts, format!("has {key} that are no texts, which Kubernetes does not take"))?;
    }
    let mut annotations = metadata.get("annotations").map(Tree::entries).unwrap_or_default().iter();
    let is_hook = annotations.any(|(key, _)| key.scalar().is_some_and(|key| key.starts_with("helm.sh/hook")));
    ensure(!is_hook, "is a hook of Helm, which is not there whenever pods are made")
}

fn ensure(is_right: bool, what: impl Into<String>) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(what.into()) }
}

/// The registry and the `<user>:<password>` that a Secret for a registry holds.
fn login_in(secret: &Tree) -> Result<(String, String), String> {
    let config = match secret.get("data").map(Tree::entries).unwrap_or_default() {
        [(key, Tree::Text(config))] if key.scalar() == Some(SECRET_KEY) => config,
        _ => return Err(format!("should hold {SECRET_KEY} and nothing else")),
    };
    let config = decoded(config).ok_or_else(|| format!("{SECRET_KEY} is no base64 of a text"))?;
    let config: Value =
        serde_json::from_str(&config).map_err(|error| format!("{SECRET_KEY} is no JSON: {error}"))?;
    let first = || {
        let (registry, login) = config.get("auths")?.as_object()?.iter().next()?;
        let login = login.get("auth")?.as_str()?;
        let is_all = config == json!({"auths": {registry: {"auth": login}}});
        Some((registry.clone(), decoded(login)?)).filter(|_| is_all)
    };
    first().ok_or_else(|| format!("{SECRET_KEY} should hold one registry with one login, and nothing else"))
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
