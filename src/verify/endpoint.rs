//! What helm-toolkit makes of the registry's endpoint in a chart's values: the registry's name, and a rule
//! in NetworkPolicies.

use std::str::FromStr as _;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::compare::shown;
use super::helm::NAMESPACE;
use crate::context::REGISTRY;
use crate::registry::Registry;
use crate::text::pattern;
use crate::yaml::tree::Tree;

/// What helm-toolkit takes for the address of a host.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"));

/// The keys that it looks at, the first one first.
const WHICH: [&str; 2] = ["internal", "default"];

/// The registry's names as helm-toolkits look them up, with the port. Where `hosts` gives an address,
/// OpenStack-Helm's own toolkit takes that and looks at no override; others may.
pub(crate) fn registries(values: &Tree) -> Result<Vec<String>, String> {
    let endpoint = values.at(&["endpoints", REGISTRY]);
    let endpoint = endpoint.ok_or("endpoints.oci_image_registry is not set in values.yaml")?;
    let text = |tree: &Tree| {
        let tree = tree.get("host").unwrap_or(tree);
        tree.scalar().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let first = |key: &str| WHICH.iter().find_map(|which| endpoint.at(&[key, which]).and_then(text));
    let short =
        first("hosts").ok_or("endpoints.oci_image_registry.hosts.default is not set in values.yaml")?;
    let mut names: Vec<String> = first("host_fqdn_override").into_iter().collect();
    if ADDRESS.is_match(short.as_bytes()) {
        names.push(short);
    } else if names.is_empty() {
        let namespace = endpoint.get("namespace").and_then(text);
        let namespace = namespace.as_deref().unwrap_or(NAMESPACE);
        let suffix = values.at(&["endpoints", "cluster_domain_suffix"]).and_then(text);
        let suffix = suffix.ok_or("endpoints.cluster_domain_suffix is not set in values.yaml")?;
        names.push(format!("{short}.{namespace}.svc.{suffix}"));
    }
    let mut ports = WHICH.iter().filter_map(|which| endpoint.at(&["port", "registry", which]));
    if let Some(port) = ports.find(|port| port.is_true()).and_then(Tree::scalar) {
        names = names.iter().map(|name| format!("{name}:{port}")).collect();
    }
    for name in &names {
        let is_bare = || if name.contains('/') { Err("it has a path".to_owned()) } else { Ok(()) };
        Registry::from_str(name).and_then(|_| is_bare()).map_err(|why| {
            format!("endpoints.oci_image_registry: no image is pulled from the registry {name:?}: {why}")
        })?;
    }
    Ok(names)
}

/// The rule that helm-toolkit adds to the egress of a NetworkPolicy for an endpoint that has a namespace, as
/// a difference shows it.
pub(crate) fn egress(values: &Tree) -> Option<String> {
    let endpoint = values.at(&["endpoints", REGISTRY])?;
    let is_true = |tree: &&Tree| tree.is_true();
    let namespace = shown(endpoint.get("namespace").filter(is_true)?);
    let to = format!("to: [{{namespaceSelector: {{matchLabels: {{name: {namespace}}}}}}}]");
    let Some(ports @ Tree::Mapping(_)) = endpoint.get("port").filter(is_true) else {
        return Some(format!("{{{to}}}"));
    };
    let mut list = Vec::new();
    for (_, numbers) in ports.entries() {
        let protocol = numbers.get("protocol").filter(is_true);
        let protocol = protocol.map_or_else(|| "\"TCP\"".to_owned(), shown);
        for (key, number) in numbers.entries() {
            if key.scalar() != Some("protocol") && number.is_true() {
                list.push(format!("{{port: {}, protocol: {protocol}}}", shown(number)));
            }
        }
    }
    let list = if list.is_empty() { "null".to_owned() } else { format!("[{}]", list.join(", ")) };
    Some(format!("{{ports: {list}, {to}}}"))
}
