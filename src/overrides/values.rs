//! The text of the values.

use super::images::Images;
use super::login::Access;
use crate::error::Error;
use crate::registry::Registry;
use crate::yaml::{quoted, scalar};

const HEAD: &str = "\
# Switches registry authentication on: for `helm upgrade -f`, with every chart that is named below.
# Made by `osh-registry-auth overrides`.
---
endpoints:
  oci_image_registry:
    auth:
      enabled: true
";

/// The values for `charts`.
pub(super) fn text(
    charts: &[(&str, &Images)],
    registry: Option<&Registry>,
    with_images: bool,
    access: &Access<'_>,
) -> Result<String, Error> {
    let mut out = HEAD.to_owned();
    let mut line = |indent: usize, text: String| out.extend([" ".repeat(indent), text, "\n".to_owned()]);
    if let Access::Login { username, password } = access {
        for (index, (chart, _)) in charts.iter().enumerate() {
            let chart = scalar(chart);
            if index > 0 {
                line(6, format!("{chart}: *login"));
                continue;
            }
            line(6, format!("{chart}:{}", if charts.len() > 1 { " &login" } else { "" }));
            line(8, format!("username: {}", quoted(username)));
            line(8, format!("password: {}", quoted(password)));
        }
    }
    if let Some(registry) = registry {
        let host = scalar(&registry.host);
        // helm-toolkit takes an address in `hosts` for the host, and looks at no override then.
        for key in ["hosts", "host_fqdn_override"] {
            line(4, format!("{key}:"));
            line(6, format!("default: {host}"));
        }
        line(4, "port:".to_owned());
        line(6, "registry:".to_owned());
        line(
            8,
            format!("default: {}", registry.port.map_or_else(|| "null".to_owned(), |port| port.to_string())),
        );
    }
    let mut tags = charts.iter().flat_map(|(_, images)| &images.tags).peekable();
    if with_images && tags.peek().is_some() {
        line(0, "images:".to_owned());
        line(2, "tags:".to_owned());
        for (tag, (_, target)) in tags {
            line(4, format!("{}: {}", scalar(tag), quoted(&target.to_string())));
        }
    }
    if let Access::Secret(name) = access {
        line(0, "manifests:".to_owned());
        line(2, "secret_registry: false".to_owned());
        line(0, "secrets:".to_owned());
        line(2, "oci_image_registry:".to_owned());
        for (chart, _) in charts {
            let name = name.of(chart).map_err(Error::SecretName)?.text;
            line(4, format!("{}: {}", scalar(chart), scalar(&name)));
        }
    }
    line(0, "...".to_owned());
    Ok(out)
}
