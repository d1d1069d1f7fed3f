//! The values of the render with authentication on. They differ from the default ones in all that an operator sets,
//! so that what a template has written out, or makes of something else, is found.

use serde_json::{Value, json};

use super::credentials::is_login;
use crate::context::REGISTRY;
use crate::options::is_object_name;
use crate::yaml::tree::Tree;

/// The host of the registry.
const HOST: &str = "registry.example.com";

pub(crate) const PORT: u16 = 5443;

const USER: &str = "Operator";

/// Its base64, and that of the login, have `+`, `/` and `=` in them.
const PASSWORD: &str = "a~?~?>~>: 100% \"É\\";

/// Goes to the end of the Secret's name.
const NAME: &str = "-by-operator";

/// What is set besides the `values` of `chart`. What is wrong in these stays, to be found.
pub(crate) fn trial(values: &Tree, chart: &str) -> Value {
    let mut auth = json!({"enabled": true});
    let login = values.at(&["endpoints", REGISTRY, "auth", chart]);
    for (key, value) in [("username", USER), ("password", PASSWORD)] {
        if login.and_then(|login| login.get(key)?.text()).is_some_and(is_login) {
            auth[chart][key] = value.into();
        }
    }
    let mut registry = json!({"auth": auth, "host_fqdn_override": {"default": HOST}});
    let port = values.at(&["endpoints", REGISTRY, "port", "registry", "default"]).and_then(Tree::scalar);
    if port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        registry["port"]["registry"]["default"] = PORT.into();
    }
    let mut trial = json!({"endpoints": {REGISTRY: registry}});
    let name = values.at(&["secrets", REGISTRY, chart]).and_then(Tree::text);
    let new = name.filter(|name| is_object_name(name)).map(|name| format!("{name}{NAME}"));
    if let Some(new) = new.filter(|new| is_object_name(new)) {
        trial["secrets"][REGISTRY][chart] = new.into();
    }
    trial
}
