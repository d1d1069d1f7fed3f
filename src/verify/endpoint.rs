//! What helm-toolkit makes of the registry's endpoint in a chart's values: the registry's name, and a rule
//! in NetworkPolicies.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::helm::NAMESPACE;
use super::objects::{Object, Objects};
use crate::yaml::tree::Tree;

/// What helm-toolkit takes for the address of a host.
#[expect(clippy::expect_used, reason = "the pattern is a constant, and the tests use it")]
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+").expect("a valid pattern"));

/// The registry's names as helm-toolkits look them up, with the port; `host` is that of an operator. Where
/// `hosts` gives an address, OpenStack-Helm's own toolkit takes that and looks at no override; others may.
pub(crate) fn registries(values: &Tree, host: Option<&str>) -> Result<Vec<String>, String> {
    let endpoint = values.at(&["endpoints", "oci_image_registry"]);
    let endpoint = endpoint.ok_or("endpoints.oci_image_registry is not set in values.yaml")?;
    let text = |tree: &Tree| {
        let tree = tree.get("host").unwrap_or(tree);
        tree.scalar().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let of = |key: &str, which: &str| endpoint.at(&[key, which]).and_then(text);
    let short = of("hosts", "internal").or_else(|| of("hosts", "default"));
    let short = short.ok_or("endpoints.oci_image_registry.hosts.default is not set in values.yaml")?;
    let given = of("host_fqdn_override", "internal")
        .or_else(|| host.map(ToOwned::to_owned))
        .or_else(|| of("host_fqdn_override", "default"));
    let mut names: Vec<String> = given.into_iter().collect();
    if ADDRESS.is_match(&short) {
        names.push(short);
    } else if names.is_empty() {
        let namespace = endpoint.get("namespace").and_then(text);
        let namespace = namespace.as_deref().unwrap_or(NAMESPACE);
        let suffix = values.at(&["endpoints", "cluster_domain_suffix"]).and_then(text);
        let suffix = suffix.ok_or("endpoints.cluster_domain_suffix is not set in values.yaml")?;
        names.push(format!("{short}.{namespace}.svc.{suffix}"));
    }
    let port = |which: &str| endpoint.at(&["port", "registry", which]).filter(|port| port.is_true());
    if let Some(port) = port("internal").or_else(|| port("default")).and_then(Tree::scalar) {
        for name in &mut names {
            *name = format!("{name}:{port}");
        }
    }
    Ok(names)
}

/// The rule that helm-toolkit adds to the egress of a NetworkPolicy for an endpoint that has a namespace.
pub(crate) fn egress(values: &Tree) -> Option<Tree> {
    let text = |text: &str| Tree::Text(text.to_owned());
    let map = |entries: Vec<(&str, Tree)>| {
        Tree::Mapping(entries.into_iter().map(|(key, value)| (text(key), value)).collect())
    };
    let endpoint = values.at(&["endpoints", "oci_image_registry"])?;
    let namespace = endpoint.get("namespace").filter(|namespace| namespace.is_true())?.clone();
    let labels = map(vec![("name", namespace)]);
    let to = map(vec![("namespaceSelector", map(vec![("matchLabels", labels)]))]);
    // In the order of settled trees: `ports` before `to`.
    let mut rule = Vec::new();
    if let Some(ports @ Tree::Mapping(_)) = endpoint.get("port").filter(|port| port.is_true()) {
        let mut list = Vec::new();
        for (_, numbers) in ports.entries() {
            let protocol = numbers.get("protocol").filter(|protocol| protocol.is_true()).cloned();
            let protocol = protocol.unwrap_or_else(|| text("TCP"));
            let is_port =
                |(key, number): &&(Tree, Tree)| key.scalar() != Some("protocol") && number.is_true();
            list.extend(
                numbers
                    .entries()
                    .iter()
                    .filter(is_port)
                    .map(|(_, number)| map(vec![("port", number.clone()), ("protocol", protocol.clone())])),
            );
        }
        rule.push(("ports", if list.is_empty() { Tree::null() } else { Tree::List(list) }));
    }
    rule.push(("to", Tree::List(vec![to])));
    Some(map(rule))
}

/// `after` without the rule `egress` in NetworkPolicies that have gained it once since `before`, and which
/// they are.
pub(crate) fn without_egress(
    after: &[Arc<Object>],
    before: &[Arc<Object>],
    egress: &Tree,
) -> (Objects, Vec<String>) {
    const RULES: [&str; 2] = ["spec", "egress"];
    let count = |object: &Object| {
        let rules = object.tree.at(&RULES).map(Tree::items).unwrap_or_default();
        rules.iter().filter(|rule| *rule == egress).count()
    };
    let mut gained = Vec::new();
    let mut objects = after.to_vec();
    for object in objects.iter_mut().filter(|object| object.key.kind == "NetworkPolicy") {
        let old = before.iter().find(|other| other.key == object.key);
        if old.is_none_or(|old| count(object) != count(old) + 1) {
            continue;
        }
        if let Some(Tree::List(rules)) = Arc::make_mut(object).tree.at_mut(&RULES)
            && let Some(at) = rules.iter().position(|rule| rule == egress)
        {
            rules.remove(at);
            gained.push(object.key.to_string());
        }
    }
    (objects, gained)
}
