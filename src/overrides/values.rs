//! The text of the values.

use std::fmt::Write as _;

use super::args::Args;
use super::images::Images;
use super::login::Login;
use crate::error::Error;
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
    args: &Args,
    login: Option<&Login<'_>>,
) -> Result<String, Error> {
    let mut out = HEAD.to_owned();
    if let Some(Login { username, password }) = login {
        let anchor = if charts.len() > 1 { " &login" } else { "" };
        let (username, password) = (quoted(username), quoted(password));
        let first = format!("{anchor}\n        username: {username}\n        password: {password}");
        for (index, (chart, _)) in charts.iter().enumerate() {
            let login = if index == 0 { &first } else { " *login" };
            let _ = writeln!(out, "      {}:{login}", scalar(chart));
        }
    }
    if let Some(registry) = &args.registry {
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
    if args.images && tags.peek().is_some() {
        out.push_str("images:\n  tags:\n");
        for (tag, (_, target)) in tags {
            let _ = writeln!(out, "    {}: {}", scalar(tag), quoted(&target.to_string()));
        }
    }
    if let Some(name) = &args.existing_secret {
        out.push_str("manifests:\n  secret_registry: false\nsecrets:\n  oci_image_registry:\n");
        for (chart, _) in charts {
            let name = name.of(chart).map_err(Error::SecretName)?.text;
            let _ = writeln!(out, "    {}: {}", scalar(chart), scalar(&name));
        }
    }
    out.push_str("...\n");
    Ok(out)
}
