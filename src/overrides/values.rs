//! The text of the values.

use std::fmt::Write as _;

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
    if let Access::Login { username, password } = access {
        let anchor = if charts.len() > 1 { " &login" } else { "" };
        let (username, password) = (quoted(username), quoted(password));
        let first = format!("{anchor}\n        username: {username}\n        password: {password}");
        for (index, (chart, _)) in charts.iter().enumerate() {
            let login = if index == 0 { &first } else { " *login" };
            let _ = writeln!(out, "      {}:{login}", scalar(chart));
        }
    }
    if let Some(registry) = registry {
        let host = scalar(&registry.host);
        let port = registry.port.map_or_else(|| "null".to_owned(), |port| port.to_string());
        // helm-toolkit takes an address in `hosts` for the host, and looks at no override then.
        let _ = write!(
            out,
            "    hosts:
      default: {host}
    host_fqdn_override:
      default: {host}
    port:
      registry:
        default: {port}
"
        );
    }
    let mut tags = charts.iter().flat_map(|(_, images)| *images).peekable();
    if with_images && tags.peek().is_some() {
        out.push_str("images:\n  tags:\n");
        for (tag, (_, target)) in tags {
            let _ = writeln!(out, "    {}: {}", scalar(tag), quoted(&target.to_string()));
        }
    }
    if let Access::Secret(name) = access {
        out.push_str("manifests:\n  secret_registry: false\nsecrets:\n  oci_image_registry:\n");
        for (chart, _) in charts {
            let name = name.of(chart).map_err(Error::SecretName)?.text;
            let _ = writeln!(out, "    {}: {}", scalar(chart), scalar(&name));
        }
    }
    out.push_str("...\n");
    Ok(out)
}
