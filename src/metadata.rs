//! What Chart.yaml, and requirements.yaml beside it in older charts, say of a chart.

use std::path::{Component, Path, PathBuf};

use crate::finding::{Finding, Id, Location};
use crate::source::read_text;
use crate::yaml::{self, Document, Kind, Node};

/// The library chart that all charts of OpenStack-Helm share.
pub(crate) const TOOLKIT: &str = "helm-toolkit";

/// Whether a chart deploys something or is the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A chart that may use images.
    Application,
    /// helm-toolkit, or a vendored copy of it.
    Toolkit,
}

#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// `name:` in Chart.yaml. The folder's name does not count: templates look values up by `.Chart.Name`.
    pub(crate) name: String,
    pub(crate) name_at: Location,
    pub(crate) version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// An entry under `dependencies:`.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// What the chart calls it.
    pub(crate) alias: Option<String>,
    /// `file://../helm-toolkit`, or an address.
    pub(crate) repository: Option<String>,
}

impl Dependency {
    /// The folder that it names by its path from the chart in `dir`.
    pub(crate) fn folder(&self, dir: &Path) -> Option<PathBuf> {
        Some(normal(&dir.join(self.repository.as_ref()?.strip_prefix("file://")?)))
    }
}

/// `a/b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

impl Metadata {
    /// Reads the metadata of the chart in the folder `base`/`dir`.
    ///
    /// # Errors
    /// A refusal where Chart.yaml cannot be read, does not parse or has no name that Helm takes.
    pub(crate) fn read(base: &Path, dir: &Path) -> Result<Self, Finding> {
        let path = dir.join("Chart.yaml");
        let missing = || Finding::unreadable(&path, &std::io::ErrorKind::NotFound.into());
        let text = read_text(base, &path)?.ok_or_else(missing)?;
        let document = parse(&path, &text)?;
        let (name, name_at) = name(&path, &document)?;
        let version = at(&document, "version").and_then(|node| document.scalar(node)).map(ToOwned::to_owned);
        let mut dependencies = dependencies(&path, &document)?;
        dependencies.extend(requirements(base, dir)?);
        Ok(Metadata { name, name_at, version, dependencies })
    }

    pub(crate) fn role(&self) -> Role {
        if self.name == TOOLKIT { Role::Toolkit } else { Role::Application }
    }

    /// The dependency on helm-toolkit, if there is one.
    pub(crate) fn toolkit(&self) -> Option<&Dependency> {
        self.dependencies.iter().find(|dependency| dependency.name == TOOLKIT)
    }
}

const MEND: &str = "mend the file; `helm lint` says more";

fn parse<'t>(path: &Path, text: &'t str) -> Result<Document<'t>, Finding> {
    let document = Document::parse(text).map_err(|error| {
        let location = Location::at(path, error.position);
        Finding::refused(Id::Metadata, location, format!("cannot be understood: {error}"), MEND)
    })?;
    match document.root() {
        Some(root) if !matches!(document.kind(root), Kind::Mapping | Kind::Null) => {
            let location = Location::at(path, document.position(root));
            Err(Finding::refused(Id::Metadata, location, "is no mapping of `key: value` lines", MEND))
        }
        _ => Ok(document),
    }
}

/// The value of a top-level key.
fn at(document: &Document<'_>, key: &str) -> Option<Node> {
    Some(document.resolve(document.get(document.root()?, key)?))
}

fn name(path: &Path, document: &Document<'_>) -> Result<(String, Location), Finding> {
    let node = at(document, "name");
    let location = Location { path: path.to_owned(), position: node.map(|node| document.position(node)) };
    let Some((node, name)) = node
        .filter(|node| document.kind(*node) == Kind::Scalar)
        .and_then(|node| Some((node, document.scalar(node)?)))
    else {
        return Err(Finding::refused(Id::NoName, location, "the chart's name is missing or no text", QUOTE));
    };
    if document.is_plain(node) && yaml::is_ambiguous(name) {
        let what = "the chart's name is no text to Helm, which reads YAML 1.1";
        return Err(Finding::refused(Id::NoName, location, what, QUOTE));
    }
    // What `helm create` takes. `helm template` takes more, of which nobody has made use.
    let is_usable = name.len() <= 250
        && name.contains(|character: char| character.is_ascii_alphanumeric())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
    if !is_usable {
        let what = "the chart's name is none that Helm could use";
        let fix = "use letters, digits and dashes only, 250 at most";
        return Err(Finding::refused(Id::BadName, location, what, fix));
    }
    Ok((name.to_owned(), location))
}

const QUOTE: &str = "give it a name, in quotes if it looks like a number or a YAML word";

/// Reads what requirements.yaml of the chart in the folder `base`/`dir` lists, if there is one.
fn requirements(base: &Path, dir: &Path) -> Result<Vec<Dependency>, Finding> {
    let path = dir.join("requirements.yaml");
    match read_text(base, &path)? {
        Some(text) => dependencies(&path, &parse(&path, &text)?),
        None => Ok(Vec::new()),
    }
}

fn dependencies(path: &Path, document: &Document<'_>) -> Result<Vec<Dependency>, Finding> {
    let Some(list) = at(document, "dependencies") else { return Ok(Vec::new()) };
    let refuse = |node| {
        let location = Location::at(path, document.position(node));
        Finding::refused(Id::Metadata, location, "is no list of dependencies, each with a name", MEND)
    };
    match document.kind(list) {
        Kind::Null => return Ok(Vec::new()),
        Kind::List => {}
        _ => return Err(refuse(list)),
    }
    let dependency = |item| {
        let item = document.resolve(item);
        let text = |key| Some(document.scalar(document.resolve(document.get(item, key)?))?.to_owned());
        let name = text("name").ok_or_else(|| refuse(item))?;
        Ok(Dependency { name, alias: text("alias"), repository: text("repository") })
    };
    document.children(list).map(dependency).collect()
}
