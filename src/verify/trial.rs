//! The values of the render with authentication on. They differ from the default ones in all that an operator sets,
//! so that what a template has written out, or makes of something else, is found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::context::REGISTRY;
use crate::options::{is_object_name, unfit_for_login};
use crate::yaml::tree::Tree;

/// The host of the registry.
const HOST: &str = "registry.example.com";

pub(crate) const PORT: u16 = 5443;

const USER: &str = "Operator";

/// Its base64, and that of the login, have `+`, `/` and `=` in them.
const PASSWORD: &str = "a~?~?>~>: 100% \"É\\";

/// Goes to the end of the Secret's name.
pub(crate) const NAME: &str = "-by-operator";

/// What is set besides the `values` of `chart`. What is wrong in these stays, to be found.
pub(crate) fn trial(values: &Tree, chart: &str) -> Value {
    let at = |path: &[&str]| values.at(&[&["endpoints", REGISTRY], path].concat());
    let is_login = |key: &str| {
        at(&["auth", chart, key]).and_then(Tree::text).is_some_and(|text| unfit_for_login(text).is_none())
    };
    let login = [("username", USER), ("password", PASSWORD)].into_iter().filter(|(key, _)| is_login(key));
    let login: BTreeMap<&str, &str> = login.collect();
    let port = at(&["port", "registry", "default"]).and_then(Tree::scalar);
    let is_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    let port = if is_port { json!({"registry": {"default": PORT}}) } else { json!({}) };
    let name = values.at(&["secrets", REGISTRY, chart]).and_then(Tree::text);
    let name = name.filter(|name| is_object_name(name)).map(|name| format!("{name}{NAME}"));
    let name = name.filter(|name| is_object_name(name));
    let secrets: BTreeMap<&str, String> = name.map(|name| (chart, name)).into_iter().collect();
    let auth = json!({"enabled": true, chart: login});
    json!({
        "endpoints": {REGISTRY: {"auth": auth, "host_fqdn_override": {"default": HOST}, "port": port}},
        "secrets": {REGISTRY: secrets},
    })
}
