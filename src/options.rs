//! What a user can choose about the changes themselves, as opposed to how they are shown.

use std::fmt;
use std::str::FromStr;

use clap::Args;

use crate::placeholder::{CHART, Filled};

/// What new entries look like, and what is mended.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Port of the registry in the default values, or null for none [default: as in nine in ten of the other
    /// charts, else 5000]
    #[arg(long, value_name = "N|null", help_heading = "Changes")]
    pub port: Option<Port>,

    /// Name of each chart's Secret; {chart} stands for the chart's name [default: as in nine in ten of the other
    /// charts, else {chart}-oci-image-registry-key]
    #[arg(long, value_name = "TEMPLATE", help_heading = "Changes")]
    pub secret_name: Option<SecretName>,

    /// Replace a templates/secret-registry.yaml that does something else, and a function of helm-toolkit that
    /// garbles numbers
    #[arg(long, help_heading = "Changes")]
    pub replace_templates: bool,

    /// Rename a key in values.yaml that should be the chart's name, instead of adding the right one beside it
    #[arg(long, help_heading = "Changes")]
    pub rename_wrong_keys: bool,

    /// Whether charts that change get what their repository's own CI asks for: versions and notes.
    #[arg(skip)]
    pub release_notes: bool,

    /// Whether the documentation gets a page for operators.
    #[arg(skip)]
    pub docs: bool,
}

impl Options {
    pub(crate) fn secret_name(&self) -> SecretName {
        self.secret_name.clone().unwrap_or_else(|| SecretName(SecretName::DEFAULT.to_owned()))
    }
}

/// A port number, or none (`null`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(Option<u16>);

impl Default for Port {
    fn default() -> Self {
        Port(Some(5000))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(port) => port.fmt(f),
            None => f.write_str("null"),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "null" => Ok(Port(None)),
            Ok(0) | Err(_) => Err("expected a port from 1 to 65535, or null".to_owned()),
            Ok(port) => Ok(Port(Some(port))),
        }
    }
}

/// A name for Secrets, in which `{chart}` stands for the chart's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    pub(crate) const CHART: &'static str = "{chart}";

    /// Where nobody chose another one.
    pub(crate) const DEFAULT: &'static str = "{chart}-oci-image-registry-key";

    /// The name of the Secret of `chart`.
    ///
    /// A chart may have a name that Kubernetes does not take, such as `controller_manager`. The default name is then
    /// made of a valid one; a name that somebody chose stays what it is.
    ///
    /// # Errors
    /// The name that came out, where Kubernetes would not take it.
    pub(crate) fn of(&self, chart: &str) -> Result<Filled, String> {
        let name = |chart: &str| self.0.replace(Self::CHART, chart);
        let chosen = name(chart);
        if is_object_name(&chosen) {
            return Ok(Filled { text: chosen, pattern: name(CHART) });
        }
        let room = MAX_OBJECT_NAME - name("").len().min(MAX_OBJECT_NAME);
        let valid = name(&valid_part(chart, room));
        if self.0 == Self::DEFAULT && is_object_name(&valid) { Ok(Filled::fixed(valid)) } else { Err(chosen) }
    }
}

impl FromStr for SecretName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let template = SecretName(text.to_owned());
        match template.of("chart") {
            Ok(_) => Ok(template),
            Err(name) => Err(format!(
                "{name:?} cannot be the name of a Secret: use lower-case letters, digits, `-` and `.`, and {{chart}} for the chart's name"
            )),
        }
    }
}

/// What stands for `chart` in a name that Kubernetes takes: upper-case letters become lower-case, whatever else
/// is no letter or digit becomes a dash, but for the first ones, and the end is cut off where there is no `room`.
fn valid_part(chart: &str, room: usize) -> String {
    let characters = chart.chars().skip_while(|character| !character.is_ascii_alphanumeric());
    let valid = |character: char| match character.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    };
    characters.map(valid).take(room).collect()
}

/// How long a name may be for Kubernetes.
const MAX_OBJECT_NAME: usize = 253;

/// Whether Kubernetes takes `name` for a Secret (a DNS subdomain, RFC 1123).
pub(crate) fn is_object_name(name: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_OBJECT_NAME
        && name.split('.').all(|label| {
            let label = label.as_bytes();
            label.first().is_some_and(is_alphanumeric)
                && label.last().is_some_and(is_alphanumeric)
                && label.iter().all(|byte| is_alphanumeric(byte) || *byte == b'-')
        })
}

/// Why HTTP (RFC 7617) or helm-toolkit does not take `text` for a user's name or a password.
pub(crate) fn unfit_for_login(text: &str) -> Option<&'static str> {
    text.contains(char::is_control).then_some("has a line break or another control character in it")
}

/// The same for a user's name: it ends at its first colon.
pub(crate) fn unfit_for_user(text: &str) -> Option<&'static str> {
    let has_colon = || text.contains(':').then_some("has a colon in it, where the password begins");
    unfit_for_login(text).or_else(has_colon)
}
