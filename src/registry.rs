//! Which login the kubelet takes for an image: the names of images, and the keys of a Secret of type
//! `kubernetes.io/dockerconfigjson` that match them.
//!
//! The rules are those of Kubernetes 1.33 and later, pkg/credentialprovider/keyring.go (`Add`, `URLsMatch`,
//! `isDefaultRegistryMatch`), which have been the same in substance for years. The kubelet has an image's name
//! completed first, as pkg/util/parsers does by way of github.com/distribution/reference (normalize.go, regexp.go):
//! `nginx` is `docker.io/library/nginx`. Then it compares texts: it knows of no default port, and of no case.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use globset::Glob;
use regex::bytes::Regex;

use crate::text::pattern;

/// What stands for a user's name or a password that an operator is yet to fill in.
pub(crate) const PLACEHOLDER: &str = "CHANGE-ME";

const DOCKER_HUB: &str = "docker.io";

/// The old name of Docker Hub: images take it for the same, and its key is the one that serves images without a host.
const DOCKER_INDEX: &str = "index.docker.io";

/// The name of an image, completed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    /// With the port, where there is one.
    pub(crate) host: String,
    pub(crate) repository: String,
    /// `:TAG` or `@DIGEST`, or nothing. With both the digest decides; skopeo takes no name with both.
    version: String,
}

impl Image {
    /// # Errors
    /// Says what a name looks like, where no registry could have an image of this one.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let (host, rest) =
            name.split_once('/').filter(|(first, _)| is_host(first)).unwrap_or((DOCKER_HUB, name));
        let host = if host == DOCKER_INDEX { DOCKER_HUB } else { host };
        let library = if host == DOCKER_HUB && !rest.contains('/') { "library/" } else { "" };
        let whole = format!("{host}/{library}{rest}");
        let found = NAME.captures(whole.as_bytes()).filter(|_| !IDENTIFIER.is_match(name.as_bytes()));
        let part = |index| Some(whole.get(found.as_ref()?.get(index)?.range())?.to_owned());
        match (part(1), part(2)) {
            (Some(host), Some(repository)) if repository.len() <= MAX_REPOSITORY => {
                Ok(Image { host, repository, version: part(4).or(part(3)).unwrap_or_default() })
            }
            _ => Err(format!(
                "{name:?} is no name of an image: [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], the repository in lower case"
            )),
        }
    }

    /// The same image in another registry.
    pub(crate) fn moved(&self, registry: &Registry, keep_host: bool) -> Self {
        // A colon is for tags only.
        let host = if keep_host { format!("{}/", self.host.replace(':', "-")) } else { String::new() };
        let path = registry.path.as_deref().map_or_else(String::new, |path| format!("{path}/"));
        let repository = format!("{path}{host}{}", self.repository);
        Image { host: registry.key(), repository, version: self.version.clone() }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.host, self.repository, self.version)
    }
}

const MAX_REPOSITORY: usize = 255;

/// A completed name: host, repository, tag and digest.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?");
    let part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let digest = "@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})";
    pattern(&format!(r"^({host})/({part}(?:/{part})*)(:\w[\w.-]{{0,127}})?({digest})?$"))
});

/// The id of an image, which is no name.
static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-f0-9]{64}$"));

/// Whether what stands in front of the first slash is a host, and not the name of a user of Docker Hub.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.contains(|c: char| c.is_ascii_uppercase())
}

/// A registry as operators name it: `HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registry {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    path: Option<String>,
}

impl Registry {
    /// The key of the login: the host, and the port if there is one, as in the names of images.
    pub(crate) fn key(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }
}

impl FromStr for Registry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write HOST[:PORT][/PATH] as the names of its images begin, such as registry.example.com:5000/team";
        const NO_PORT: &str =
            "an address of IPv6 needs a port: without one the kubelet takes it for a pattern";
        if text.contains("://") {
            return Err(format!("the names of images have no http:// or https://; {FORM}"));
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let first = text.split('/').next().unwrap_or_default();
        let bad = |_| format!("no image could be there; {FORM}");
        // Two parts, so that Docker Hub adds none.
        let Image { host, repository, .. } = Image::parse(&format!("{text}/an/image")).map_err(bad)?;
        if !is_host(first) {
            return Err(format!(
                "{first:?} would be a user of Docker Hub: the host of a registry has a dot or a port, or is localhost; {FORM}"
            ));
        }
        let port = match split_port(&host).1 {
            "" if host.starts_with('[') => return Err(NO_PORT.to_owned()),
            "" => None,
            port => {
                let number =
                    port.parse().ok().filter(|number: &u16| *number > 0 && number.to_string() == port);
                Some(number.ok_or("a port is a number from 1 to 65535, without zeros in front")?)
            }
        };
        let name = host.rsplit_once(':').filter(|_| port.is_some()).map_or(host.as_str(), |(name, _)| name);
        let path = repository.strip_suffix("/an/image").map(ToOwned::to_owned);
        Ok(Registry { host: name.to_owned(), port, path })
    }
}

/// Why the kubelet does not take the login under `key` for `image`; `None` where it does.
pub(crate) fn mismatch(key: &str, image: &Image) -> Option<String> {
    let Some((host, port, path)) = read_key(key) else {
        return Some(format!("the kubelet passes over the key {key:?}, which is no HOST[:PORT][/PATH]"));
    };
    let (image_host, image_port) = split_port(&image.host);
    let is_prefix = format!("/{}", image.repository).starts_with(path);
    // Whatever has no dot in its host is Docker Hub's here, even localhost.
    let is_default = image.host == DOCKER_HUB || !image.host.contains(['.', ':']);
    if is_same_host(host, image_host) && port == image_port && is_prefix
        || is_default && (host, port, path) == (DOCKER_INDEX, "", "")
    {
        return None;
    }
    let named = |port: &str| if port.is_empty() { "none".to_owned() } else { format!("the port {port}") };
    Some(if host.starts_with('[') {
        format!("the kubelet takes {host} for a pattern, and for an address only with a port behind it")
    } else if image.host == DOCKER_HUB && host != DOCKER_HUB {
        format!("the image is one of Docker Hub (docker.io), the key is for {host}")
    } else if !is_same_host(host, image_host) {
        let letters =
            if host.eq_ignore_ascii_case(image_host) { ": upper and lower case differ" } else { "" };
        format!("the image is at {}, the key is for {host}{letters}", image.host)
    } else if port != image_port {
        let (key, image) = (named(port), named(image_port));
        format!("the key has {key}, the image {image}: to the kubelet these are two registries")
    } else {
        format!("the key is for what begins with {host}{path}")
    })
}

/// The host, the port and the path of a key as `Add` of the kubelet has them; `None` where it passes over the key.
fn read_key(key: &str) -> Option<(&str, &str, &str)> {
    let url = ["https://", "http://"].iter().find_map(|scheme| key.strip_prefix(scheme)).unwrap_or(key);
    let url = url.split(['?', '#']).next()?;
    let (authority, path) = url.split_at_checked(url.find('/').unwrap_or(url.len()))?;
    let authority = authority.rsplit('@').next()?;
    let is_api = path.starts_with("/v1/") || path.starts_with("/v2/");
    let path = if is_api { path.get(3..)? } else { path };
    let (host, port) = split_port(authority);
    let is_host_character = |c: char| c.is_ascii_alphanumeric() || "-._~*[]:".contains(c) || !c.is_ascii();
    let is_valid = host.chars().all(is_host_character) && port.bytes().all(|byte| byte.is_ascii_digit());
    is_valid.then_some((host, port, if path == "/" { "" } else { path }))
}

/// Splits `HOST:PORT`. An address of IPv6 loses its brackets then, and keeps them where there is no port.
fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port),
        Some((name, port)) if name.starts_with('[') && name.ends_with(']') => {
            (name.trim_matches(['[', ']']), port)
        }
        _ => (host, ""),
    }
}

/// Whether the host of a key is that of an image: part by part, each of which may be a pattern. So is an address of
/// IPv6 in brackets, which matches one character.
fn is_same_host(key: &str, image: &str) -> bool {
    let is_same_part = |(glob, part): (&str, &str)| {
        if glob.contains(['*', '[']) {
            return Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(part));
        }
        glob == part
    };
    key.split('.').count() == image.split('.').count()
        && key.split('.').zip(image.split('.')).all(is_same_part)
}

#[cfg(test)]
mod tests {
    use super::{Image, Registry, mismatch};

    /// The rows of a table, of which there must be at least so many. What stands in no column is empty.
    fn rows(table: &str, minimum: usize) -> Vec<[&str; 4]> {
        let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
        let rows = lines.map(|line| {
            let mut columns = line.split('\t');
            [(); 4].map(|()| columns.next().unwrap_or_default())
        });
        let rows: Vec<[&str; 4]> = rows.collect();
        assert!(rows.len() >= minimum, "{} rows, expected {minimum}", rows.len());
        rows
    }

    #[test]
    fn keys_match_images_as_in_the_kubelet() -> Result<(), String> {
        for [key, image, reason, _] in rows(include_str!("../testdata/kubelet/keys.txt"), 65) {
            let found = mismatch(key, &Image::parse(image)?);
            let is_right = match &found {
                Some(why) => !reason.is_empty() && why.contains(reason),
                None => reason.is_empty(),
            };
            assert!(is_right, "{key} for {image}: {found:?}, expected {reason:?}");
        }
        Ok(())
    }

    #[test]
    fn names_of_images_are_completed_or_refused() {
        for [name, expected, ..] in rows(include_str!("../testdata/kubelet/names.txt"), 20) {
            let found = Image::parse(name).map_or_else(|_| "-".to_owned(), |image| image.to_string());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn registries_are_hosts_with_a_port_and_a_path() -> Result<(), String> {
        let image = Image::parse("quay.io:444/openstackhelm/nova:x")?;
        for [text, key, dropped, kept] in rows(include_str!("../testdata/kubelet/registries.txt"), 17) {
            let parsed = text.parse::<Registry>();
            if dropped.is_empty() {
                let said = parsed.err().unwrap_or_default();
                assert!(said.contains(key), "{text:?}: {said}");
                continue;
            }
            let registry = parsed?;
            assert_eq!(registry.key(), key);
            for (keep_host, expected) in [(false, dropped), (true, kept)] {
                let moved = image.moved(&registry, keep_host);
                assert_eq!(moved.to_string(), expected);
                assert_eq!(Image::parse(expected)?, moved);
                assert_eq!(mismatch(&registry.key(), &moved), None);
            }
        }
        Ok(())
    }
}
