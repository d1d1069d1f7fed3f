//! The values of the render with authentication on. They differ from the default ones in all that an operator sets,
//! so that what a template has written out, or makes of something else, is found.

use serde_json::{Map, Value, json};

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
    let endpoint = ["endpoints", REGISTRY];
    let text = |path: &[&str]| values.at(path).and_then(Tree::text);
    let mut login = Map::new();
    for (key, value) in [("username", USER), ("password", PASSWORD)] {
        if text(&[&endpoint[..], &["auth", chart, key]].concat())
            .is_some_and(|text| unfit_for_login(text).is_none())
        {
            login.insert(key.to_owned(), value.into());
        }
    }
    let port = values.at(&[&endpoint[..], &["port", "registry", "default"]].concat()).and_then(Tree::scalar);
    let is_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    let port = if is_port { json!({"registry": {"default": PORT}}) } else { json!({}) };
    let name = text(&["secrets", REGISTRY, chart]).filter(|name| is_object_name(name));
    let name = name.map(|name| format!("{name}{NAME}")).filter(|name| is_object_name(name));
    let secrets: Map<String, Value> = name.map(|name| (chart.to_owned(), name.into())).into_iter().collect();
    let auth = json!({"enabled": true, chart: login});
    json!({
        "endpoints": {REGISTRY: {"auth": auth, "host_fqdn_override": {"default": HOST}, "port": port}},
        "secrets": {REGISTRY: secrets},
    })
}
