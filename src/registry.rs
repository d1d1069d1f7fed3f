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
            "" if host.starts_with('[') => {
                return Err(
                    "an address of IPv6 needs a port: without one the kubelet takes it for a pattern"
                        .to_owned(),
                );
            }
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
    let path = ["/v1/", "/v2/"]
        .iter()
        .find(|api| path.starts_with(**api))
        .and_then(|_| path.get(3..))
        .unwrap_or(path);
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

    #[test]
    fn keys_match_images_as_in_the_kubelet() -> Result<(), String> {
        let digest = format!("registry.example.com/a@sha256:{}", "0a".repeat(32));
        let cases: &[(&str, &str, Option<&str>)] = &[
            // Hosts and ports, as they are written.
            ("registry.example.com", "registry.example.com/openstackhelm/nova:x", None),
            ("registry.example.com", "registry.example.com/nova", None),
            ("registry.example.com", &digest, None),
            (
                "registry.example.com:443",
                "registry.example.com/nova",
                Some("the key has the port 443, the image none"),
            ),
            (
                "registry.example.com:80",
                "registry.example.com/nova",
                Some("the key has the port 80, the image none"),
            ),
            (
                "registry.example.com",
                "registry.example.com:443/nova",
                Some("the key has none, the image the port 443"),
            ),
            ("registry.example.com:5000", "registry.example.com:5000/nova", None),
            (
                "registry.example.com:5000",
                "registry.example.com:5001/nova",
                Some("the key has the port 5000, the image the port 5001"),
            ),
            ("registry.example.com:05000", "registry.example.com:5000/nova", Some("two registries")),
            ("registry.example.com:", "registry.example.com/nova", None),
            (
                "registry.example.com",
                "registry.example.org/nova",
                Some("the image is at registry.example.org, the key is for registry.example.com"),
            ),
            ("example.com", "registry.example.com/nova", Some("the image is at registry.example.com")),
            ("registry.example.com", "example.com/nova", Some("the image is at example.com")),
            ("Registry.example.com", "registry.example.com/nova", Some("upper and lower case differ")),
            ("registry.example.com", "Registry.Example.com/nova", Some("upper and lower case differ")),
            ("10.0.0.5:5000", "10.0.0.5:5000/nova", None),
            (
                "10.0.0.5:5000",
                "registry.example.com:5000/nova",
                Some("the image is at registry.example.com:5000"),
            ),
            ("localhost:5000", "localhost:5000/nova", None),
            ("localhost", "localhost/nova", None),
            ("registry:5000", "registry:5000/nova", None),
            ("[::1]:5000", "[::1]:5000/nova", None),
            ("[::1]", "[::1]/nova", Some("the kubelet takes [::1] for a pattern")),
            ("[::1]", "[::1]:5000/nova", Some("the kubelet takes [::1] for a pattern")),
            ("[::1]:5000", "[::2]:5000/nova", Some("the image is at [::2]:5000")),
            // Schemes, versions of the API, and what else a URL may have.
            ("https://registry.example.com", "registry.example.com/nova", None),
            ("http://registry.example.com", "registry.example.com/nova", None),
            ("https://registry.example.com/v2/", "registry.example.com/nova", None),
            ("registry.example.com/v1/", "registry.example.com/nova", None),
            ("registry.example.com/v2/team", "registry.example.com/team/nova", None),
            (
                "registry.example.com/v2",
                "registry.example.com/nova",
                Some("begins with registry.example.com/v2"),
            ),
            ("ftp://registry.example.com", "registry.example.com/nova", Some("the image is at")),
            ("me@registry.example.com", "registry.example.com/nova", None),
            ("registry.example.com?a=b", "registry.example.com/nova", None),
            ("registry example.com", "registry.example.com/nova", Some("the kubelet passes over the key")),
            (
                "registry.example.com:http",
                "registry.example.com/nova",
                Some("the kubelet passes over the key"),
            ),
            ("", "registry.example.com/nova", Some("the image is at registry.example.com")),
            // Paths are prefixes of texts.
            ("registry.example.com/", "registry.example.com/nova", None),
            ("registry.example.com/team", "registry.example.com/team/nova", None),
            ("registry.example.com/team", "registry.example.com/team-b/nova", None),
            ("registry.example.com/team/", "registry.example.com/team/nova", None),
            (
                "registry.example.com/team/",
                "registry.example.com/team-b/nova",
                Some("begins with registry.example.com/team/"),
            ),
            ("registry.example.com/team/nova", "registry.example.com/team/nova:1", None),
            ("registry.example.com/Team", "registry.example.com/team/nova", Some("begins with")),
            // Stars, in a part of the host each.
            ("*.example.com", "registry.example.com/nova", None),
            ("reg*.example.com", "registry.example.com/nova", None),
            ("*.*.com", "registry.example.com/nova", None),
            ("*.com", "registry.example.com/nova", Some("the key is for *.com")),
            ("*.example.com", "example.com/nova", Some("the image is at example.com")),
            ("*.example.com:5000", "registry.example.com/nova", Some("the key has the port 5000")),
            (
                "registry.example.com:*",
                "registry.example.com:5000/nova",
                Some("the kubelet passes over the key"),
            ),
            ("registry.example.com/*/nova", "registry.example.com/team/nova", Some("begins with")),
            ("r[ae]gistry.example.com", "registry.example.com/nova", None),
            // Docker Hub, and its old key for all that has no host.
            ("docker.io", "nginx", None),
            ("docker.io", "openstackhelm/nova:x", None),
            ("docker.io", "index.docker.io/openstackhelm/nova", None),
            ("docker.io/library", "nginx", None),
            ("docker.io/openstackhelm", "nginx", Some("begins with docker.io/openstackhelm")),
            ("https://index.docker.io/v1/", "nginx", None),
            ("index.docker.io", "docker.io/openstackhelm/nova", None),
            ("https://index.docker.io/v1/", "localhost/nova", None),
            ("https://index.docker.io/v1/", "quay.io/nova", Some("the image is at quay.io")),
            ("https://index.docker.io/v1/team", "docker.io/team/nova", Some("docker.io")),
            ("index.docker.io:443", "nginx", Some("Docker Hub")),
            ("registry-1.docker.io", "nginx", Some("the image is one of Docker Hub (docker.io)")),
            (
                "registry.example.com",
                "openstackhelm/nova",
                Some("the image is one of Docker Hub (docker.io), the key is for registry.example.com"),
            ),
        ];
        assert!(cases.len() >= 40);
        for (key, image, expected) in cases {
            let found = mismatch(key, &Image::parse(image)?);
            let is_right = match (&found, expected) {
                (Some(why), Some(part)) => why.contains(part),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_right, "{key} for {image}: {found:?}, expected {expected:?}");
        }
        Ok(())
    }

    #[test]
    fn names_of_images_are_completed_or_refused() {
        let digest = format!("@sha256:{}", "0a".repeat(32));
        let cases: &[(&str, Option<&str>)] = &[
            ("nginx", Some("docker.io/library/nginx")),
            ("nginx:1.2", Some("docker.io/library/nginx:1.2")),
            ("docker.io/nginx", Some("docker.io/library/nginx")),
            ("index.docker.io/a/b:c", Some("docker.io/a/b:c")),
            ("a/b", Some("docker.io/a/b")),
            ("localhost/b", Some("localhost/b")),
            ("Host/b", Some("Host/b")),
            ("quay.io/a_b/c__d/e--f.g:V_1.0-x", Some("quay.io/a_b/c__d/e--f.g:V_1.0-x")),
            (&format!("quay.io/a:1{digest}"), Some(&format!("quay.io/a{digest}"))),
            ("", None),
            ("quay.io/", None),
            ("quay.io/A/b", None),
            ("quay.io/a b", None),
            ("quay.io/a/../b", None),
            ("https://quay.io/a", None),
            ("{{ .Values.image }}", None),
            ("quay.io/a:", None),
            ("quay.io/a@sha256:0a", None),
            (&"0a".repeat(32), None),
            (&format!("quay.io/{}", "a".repeat(256)), None),
        ];
        for (name, expected) in cases {
            let found = Image::parse(name).map(|image| image.to_string());
            assert_eq!(found.as_deref().ok(), *expected, "{name}");
        }
    }

    #[test]
    fn registries_are_hosts_with_a_port_and_a_path() -> Result<(), String> {
        let image = Image::parse("quay.io:444/openstackhelm/nova:x")?;
        for (text, key, dropped, kept) in [
            (
                "r.example.com",
                "r.example.com",
                "r.example.com/openstackhelm/nova:x",
                "r.example.com/quay.io-444/openstackhelm/nova:x",
            ),
            (
                "r.example.com:5000/a/b/",
                "r.example.com:5000",
                "r.example.com:5000/a/b/openstackhelm/nova:x",
                "r.example.com:5000/a/b/quay.io-444/openstackhelm/nova:x",
            ),
            (
                "localhost",
                "localhost",
                "localhost/openstackhelm/nova:x",
                "localhost/quay.io-444/openstackhelm/nova:x",
            ),
            (
                "[::1]:5000",
                "[::1]:5000",
                "[::1]:5000/openstackhelm/nova:x",
                "[::1]:5000/quay.io-444/openstackhelm/nova:x",
            ),
            (
                "docker.io/me",
                "docker.io",
                "docker.io/me/openstackhelm/nova:x",
                "docker.io/me/quay.io-444/openstackhelm/nova:x",
            ),
        ] {
            let registry: Registry = text.parse()?;
            assert_eq!(registry.key(), key);
            for (keep_host, expected) in [(false, dropped), (true, kept)] {
                let moved = image.moved(&registry, keep_host);
                assert_eq!(moved.to_string(), expected);
                assert_eq!(Image::parse(expected)?, moved);
                assert_eq!(mismatch(&registry.key(), &moved), None);
            }
        }
        for (text, why) in [
            ("", "no image could be there"),
            ("https://r.example.com", "have no http:// or https://"),
            ("r.example.com /a", "no image could be there"),
            ("r.example.com/A", "no image could be there"),
            ("r.example.com:5000:5000", "no image could be there"),
            ("[fd00::1]", "an address of IPv6 needs a port"),
            ("r.example.com:0", "a port is a number"),
            ("r.example.com:70000", "a port is a number"),
            ("r.example.com:05000", "a port is a number"),
            ("registry", "\"registry\" would be a user of Docker Hub"),
            ("registry/team", "\"registry\" would be a user of Docker Hub"),
            ("r.example.com/team:1", "no image could be there"),
        ] {
            let said = text.parse::<Registry>().err().unwrap_or_default();
            assert!(said.contains(why), "{text:?}: {said}");
        }
        Ok(())
    }
}
