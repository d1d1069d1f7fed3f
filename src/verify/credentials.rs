//! What a chart has to render where authentication is on: the Secret with the host and the login that
//! its values say, and its name with every ServiceAccount and so with every pod.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::pattern::Difference;
use super::tree::{Key, Node, Object, Objects};
use crate::helm::NAMESPACE;
use crate::template::constant_regex;

/// What kind of Secret image pulls take.
const SECRET_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// Where that kind keeps what it holds.
const SECRET_KEY: &str = ".dockerconfigjson";

/// What helm-toolkit takes for the address of a host.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| constant_regex(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"));

/// What the values of a chart ask for.
#[derive(Debug)]
pub struct Credentials {
    /// The name of the Secret.
    name: String,
    /// The registry as images name it, where the Secret is to be made; more than one where
    /// helm-toolkits do not agree on what counts.
    registries: Option<Vec<String>>,
    user: String,
    password: String,
    /// The rule that a NetworkPolicy gets for the registry, if one is built from all endpoints.
    pub egress: Option<Node>,
}

/// Something that is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The object.
    pub object: Option<Key>,
    /// What is wrong with it.
    pub what: String,
}

impl Flaw {
    fn new(object: Option<&Key>, what: impl Into<String>) -> Self {
        Flaw { object: object.cloned(), what: what.into() }
    }
}

/// How much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pods, by what makes them.
    pub pods: usize,
    /// ServiceAccounts.
    pub accounts: usize,
    /// What makes pods in another namespace than their ServiceAccount's, which is the release's.
    pub elsewhere: Vec<Key>,
}

impl Credentials {
    /// What `values` ask for of the chart called `chart`, where `host` overrides that of the registry.
    ///
    /// # Errors
    /// What the values lack.
    pub fn of(values: &Node, chart: &str, host: Option<&str>) -> Result<Self, String> {
        let scalar = |keys: &[&str]| {
            let found = values.at(keys).and_then(Node::scalar).filter(|text| !text.is_empty());
            found
                .map(ToOwned::to_owned)
                .ok_or_else(|| format!("{} is not set in values.yaml", keys.join(".")))
        };
        let name = scalar(&["secrets", "oci_image_registry", chart])?;
        let user = scalar(&["endpoints", "oci_image_registry", "auth", chart, "username"])?;
        let password = scalar(&["endpoints", "oci_image_registry", "auth", chart, "password"])?;
        let endpoint = values.at(&["endpoints", "oci_image_registry"]);
        let endpoint = endpoint.ok_or("endpoints.oci_image_registry is not set in values.yaml")?;
        let is_made = values.at(&["manifests", "secret_registry"]).is_some_and(Node::is_true);
        let registries = if is_made { Some(registries(values, endpoint, host)?) } else { None };
        Ok(Credentials { name, registries, user, password, egress: egress(endpoint) })
    }

    /// What is wrong with the credentials in `on`, a render with authentication on; `off` is the same
    /// chart with authentication off.
    #[must_use]
    pub fn flaws(&self, on: &[Arc<Object>], off: &[Arc<Object>]) -> (Vec<Flaw>, Counts) {
        let mut flaws = self.flaws_of_secret(on, off);
        let mut counts = Counts::default();
        let mut accounts: BTreeMap<(&str, &str), &Node> = BTreeMap::new();
        for object in on.iter().filter(|object| object.key.kind == "ServiceAccount") {
            accounts.insert((&object.key.namespace, &object.key.name), &object.node);
            if object.is_of_subchart {
                continue;
            }
            counts.accounts += 1;
            match self.mentions(object.node.get(PULL_SECRETS)) {
                1 => {}
                0 => flaws
                    .push(Flaw::new(Some(&object.key), format!("does not name the Secret {}", self.name))),
                _ => {
                    flaws.push(Flaw::new(Some(&object.key), format!("names the Secret {} twice", self.name)));
                }
            }
        }
        for object in on.iter().filter(|object| !object.is_of_subchart) {
            let Some(pod) = pod_path(object).and_then(|path| object.node.at(path)) else { continue };
            counts.pods += 1;
            let own = pod.get(PULL_SECRETS);
            // As Kubernetes has it: a list of the pod's own hides that of its account.
            if own.is_some_and(|own| !own.items().is_empty()) {
                if self.mentions(own) == 0 {
                    let what = format!(
                        "has imagePullSecrets without {}, which hide those of its account",
                        self.name
                    );
                    flaws.push(Flaw::new(Some(&object.key), what));
                }
                continue;
            }
            let account = ["serviceAccountName", "serviceAccount"]
                .iter()
                .find_map(|key| pod.get(key).and_then(Node::text))
                .filter(|name| !name.is_empty());
            let Some(account) = account else {
                flaws.push(Flaw::new(
                    Some(&object.key),
                    "its pod has neither a ServiceAccount nor imagePullSecrets",
                ));
                continue;
            };
            let found = accounts.get(&(object.key.namespace.as_str(), account));
            let in_release = || {
                let found = accounts.get(&(NAMESPACE, account))?;
                // Values say where the pod goes; the account goes where the chart is installed.
                counts.elsewhere.push(object.key.clone());
                Some(found)
            };
            match found.or_else(in_release) {
                None => {
                    let what =
                        format!("its pod has the ServiceAccount {account}, which the chart does not make");
                    flaws.push(Flaw::new(Some(&object.key), what));
                }
                Some(account) if self.mentions(account.get(PULL_SECRETS)) > 0 => {}
                Some(_) => {
                    let what = format!("its pod gets no credentials: its ServiceAccount {account} has none");
                    flaws.push(Flaw::new(Some(&object.key), what));
                }
            }
        }
        (flaws, counts)
    }

    fn flaws_of_secret(&self, on: &[Arc<Object>], off: &[Arc<Object>]) -> Vec<Flaw> {
        let new: Vec<&Arc<Object>> = on.iter().filter(|object| is_new_secret(object, off)).collect();
        match (&self.registries, new.as_slice()) {
            (None, []) => Vec::new(),
            (None, made) => {
                let what = "is made although manifests.secret_registry is false";
                made.iter().map(|object| Flaw::new(Some(&object.key), what)).collect()
            }
            (Some(_), []) => vec![Flaw::new(None, format!("the Secret {} is missing", self.name))],
            (Some(registries), [secret]) => {
                let key = Some(&secret.key);
                if secret.key.name != self.name {
                    return vec![Flaw::new(key, format!("should be called {}", self.name))];
                }
                let found = decode(&secret.node);
                found
                    .and_then(|found| self.compare(registries, &found))
                    .err()
                    .map(|what| vec![Flaw::new(key, what)])
                    .unwrap_or_default()
            }
            (Some(_), several) => {
                let what = "is one of several Secrets for a registry, where there should be one";
                several.iter().map(|object| Flaw::new(Some(&object.key), what)).collect()
            }
        }
    }

    /// The password is not said: reports are read by many.
    fn compare(&self, registries: &[String], found: &Login) -> Result<(), String> {
        if !registries.contains(&found.registry) {
            let expected = registries.first().map(String::as_str).unwrap_or_default();
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
    fn mentions(&self, list: Option<&Node>) -> usize {
        let items = list.map(Node::items).unwrap_or_default();
        items.iter().filter(|item| self.is_mention(item)).count()
    }

    fn is_mention(&self, item: &Node) -> bool {
        matches!(item, Node::Map(map) if map.len() == 1)
            && item.get("name").and_then(Node::text) == Some(&self.name)
    }

    /// `on` without what authentication is to bring: the new Secret, and its name wherever `off` does
    /// not have it. What is left must be `off`.
    #[must_use]
    pub fn taken_off(&self, on: &[Arc<Object>], off: &[Arc<Object>]) -> Objects {
        let by_key: BTreeMap<&Key, &Node> = off.iter().map(|object| (&object.key, &object.node)).collect();
        let others = on.iter().filter(|object| !is_new_secret(object, off));
        others
            .map(|object| {
                let before = by_key.get(&object.key).copied();
                self.without_mention(object, before).map_or_else(|| Arc::clone(object), Arc::new)
            })
            .collect()
    }

    /// The object without the name that it has got; `None` where it has got none.
    fn without_mention(&self, object: &Object, before: Option<&Node>) -> Option<Object> {
        let path = if object.key.kind == "ServiceAccount" { &[][..] } else { pod_path(object)? };
        let list_before = before.and_then(|node| node.at(path)?.get(PULL_SECRETS));
        if self.mentions(object.node.at(path)?.get(PULL_SECRETS)) == 0 || self.mentions(list_before) > 0 {
            return None;
        }
        let mut object = object.clone();
        if let Some(Node::Map(holder)) = object.node.at_mut(path)
            && let Some(Node::List(items)) = holder.get_mut(PULL_SECRETS)
        {
            let at = items.iter().position(|item| self.is_mention(item))?;
            items.remove(at);
            if items.is_empty() && list_before.is_none() {
                holder.remove(PULL_SECRETS);
            }
        }
        Some(object)
    }
}

const PULL_SECRETS: &str = "imagePullSecrets";

fn is_new_secret(object: &Arc<Object>, off: &[Arc<Object>]) -> bool {
    object.key.kind == "Secret"
        && object.node.get("type").and_then(Node::text) == Some(SECRET_TYPE)
        && !off.iter().any(|other| other.key == object.key)
}

/// Whether a difference is an annotation with a hash of the Secret's template, made so that pods are
/// replaced when the Secret changes: a hash before and after, on a line of the object's own template that
/// names the Secret's. `folder` is the rendered chart.
#[must_use]
pub fn is_hash_of_secret(
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
    let source_of =
        |object: &Arc<Object>| Path::new(&object.source).components().skip(1).collect::<PathBuf>();
    let Some(secret) = on.iter().find(|object| is_new_secret(object, off)).map(source_of) else {
        return false;
    };
    let Some(template) = on.iter().find(|object| object.key == difference.object).map(source_of) else {
        return false;
    };
    let (Some(secret), Ok(template)) = (secret.file_name(), fs::read_to_string(folder.join(template))) else {
        return false;
    };
    let secret = format!("\"{}\"", secret.to_string_lossy());
    template.lines().any(|line| {
        let value = line.trim_start().strip_prefix(annotation).and_then(|line| line.strip_prefix(':'));
        value.is_some_and(|value| value.contains(&secret) && value.contains(HASH))
    })
}

/// The function of helm-toolkit that hashes what a template renders.
const HASH: &str = "\"helm-toolkit.utils.hash\"";

/// The way to the spec of the pods that an object makes.
fn pod_path(object: &Object) -> Option<&'static [&'static str]> {
    let path: &[&str] = match object.key.kind.as_str() {
        "Pod" => &["spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "PodTemplate" => &["template", "spec"],
        // Deployments and all that are made like them, whatever they are called.
        _ => &["spec", "template", "spec"],
    };
    object.node.at(path)?.get("containers")?;
    Some(path)
}

/// What a Secret for a registry holds.
struct Login {
    registry: String,
    /// `<user>:<password>`
    login: String,
}

fn decode(secret: &Node) -> Result<Login, String> {
    let base64 = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
    let Some(Node::Map(data)) = secret.get("data") else { return Err("has no data".to_owned()) };
    let config = match data.iter().next() {
        Some((key, Node::Text(config))) if key == SECRET_KEY && data.len() == 1 => config,
        _ => return Err(format!("should hold {SECRET_KEY} and nothing else")),
    };
    let config = base64(config).ok_or_else(|| format!("{SECRET_KEY} is no base64 of a text"))?;
    let config: serde_json::Value =
        serde_json::from_str(&config).map_err(|error| format!("{SECRET_KEY} is no JSON: {error}"))?;
    let only = |value: &serde_json::Value| {
        let map = value.as_object()?;
        let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
        Some((key.clone(), value.clone()))
    };
    let wrong = || format!("{SECRET_KEY} should hold one registry with one login, and nothing else");
    let (auths, registries) = only(&config).ok_or_else(wrong)?;
    let (registry, login) = only(&registries).ok_or_else(wrong)?;
    let (auth, login) = only(&login).ok_or_else(wrong)?;
    if auths != "auths" || auth != "auth" {
        return Err(wrong());
    }
    let login = login.as_str().and_then(base64).ok_or_else(wrong)?;
    Ok(Login { registry, login })
}

/// The registry as images name it: what helm-toolkit's lookups make of the values. Where `hosts` gives an
/// address, OpenStack-Helm's own takes that and looks at no override; others may.
fn registries(values: &Node, endpoint: &Node, host: Option<&str>) -> Result<Vec<String>, String> {
    let text = |node: &Node| {
        let node = node.get("host").unwrap_or(node);
        node.scalar().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let of = |key: &str, which: &str| endpoint.at(&[key, which]).and_then(text);
    let short = of("hosts", "internal").or_else(|| of("hosts", "default"));
    let short = short.ok_or("endpoints.oci_image_registry.hosts.default is not set in values.yaml")?;
    let given = of("host_fqdn_override", "internal")
        .or_else(|| host.map(ToOwned::to_owned).or_else(|| of("host_fqdn_override", "default")));
    let mut names: Vec<String> = given.into_iter().collect();
    if ADDRESS.is_match(&short) {
        names.push(short);
    } else if names.is_empty() {
        let namespace = endpoint.get("namespace").and_then(text).unwrap_or_else(|| NAMESPACE.to_owned());
        let suffix = values.at(&["endpoints", "cluster_domain_suffix"]).and_then(text);
        let suffix = suffix.ok_or("endpoints.cluster_domain_suffix is not set in values.yaml")?;
        names.push(format!("{short}.{namespace}.svc.{suffix}"));
    }
    let port = |which: &str| endpoint.at(&["port", "registry", which]).filter(|port| port.is_true());
    let port = port("internal").or_else(|| port("default")).and_then(Node::scalar);
    let with_port = |name: String| port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
    Ok(names.into_iter().map(with_port).collect())
}

/// What helm-toolkit adds to the egress of a NetworkPolicy for an endpoint that has a namespace.
fn egress(endpoint: &Node) -> Option<Node> {
    let map = |entries: Vec<(&str, Node)>| {
        Node::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let namespace = endpoint.get("namespace").filter(|namespace| namespace.is_true())?.clone();
    let labels = map(vec![("name", namespace)]);
    let to = map(vec![("namespaceSelector", map(vec![("matchLabels", labels)]))]);
    let mut rule = vec![("to", Node::List(vec![to]))];
    if let Some(Node::Map(ports)) = endpoint.get("port").filter(|port| port.is_true()) {
        let mut list = Vec::new();
        for port in ports.values() {
            let Node::Map(numbers) = port else { continue };
            let tcp = Node::Text("TCP".to_owned());
            let protocol = numbers.get("protocol").filter(|protocol| protocol.is_true()).unwrap_or(&tcp);
            let set = numbers.iter().filter(|(key, number)| *key != "protocol" && number.is_true());
            list.extend(
                set.map(|(_, number)| map(vec![("port", number.clone()), ("protocol", protocol.clone())])),
            );
        }
        rule.push(("ports", if list.is_empty() { Node::Bare("null".to_owned()) } else { Node::List(list) }));
    }
    Some(map(rule))
}

/// NetworkPolicies that have the rule `egress`, which `before` do not have: without it, and which they are.
#[must_use]
pub fn without_egress(objects: &[Arc<Object>], before: &[Arc<Object>], egress: &Node) -> (Objects, Vec<Key>) {
    let count = |node: &Node| {
        let rules = node.at(&["spec", "egress"]).map(Node::items).unwrap_or_default();
        rules.iter().filter(|rule| *rule == egress).count()
    };
    let mut gained = Vec::new();
    let without = |object: &Arc<Object>| {
        if object.key.kind != "NetworkPolicy" {
            return Arc::clone(object);
        }
        let old = before.iter().find(|other| other.key == object.key);
        if old.is_none_or(|old| count(&object.node) != count(&old.node) + 1) {
            return Arc::clone(object);
        }
        let mut changed = Object::clone(object);
        if let Some(Node::List(rules)) = changed.node.at_mut(&["spec", "egress"])
            && let Some(at) = rules.iter().position(|rule| rule == egress)
        {
            rules.remove(at);
            gained.push(object.key.clone());
        }
        Arc::new(changed)
    };
    (objects.iter().map(without).collect(), gained)
}
