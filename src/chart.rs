//! One chart: its name, its values and its templates, as the rules see them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use walkdir::WalkDir;

use crate::error::{Place, Refusal, Warning};
use crate::yaml::{Document, ParseError, Position};

/// Name of the library chart that all charts of OpenStack-Helm share.
pub const TOOLKIT: &str = "helm-toolkit";

/// Whether a chart deploys something or is the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A chart that may use images.
    Application,
    /// helm-toolkit, or a vendored copy of it.
    Toolkit,
}

/// What Chart.yaml, and requirements.yaml beside it in older charts, say of a chart.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// `name:` in Chart.yaml. The folder's name does not count: templates look it up as
    /// `.Chart.Name`.
    pub name: String,
    /// The dependency on helm-toolkit, if there is one.
    pub toolkit: Option<Dependency>,
}

/// An entry under `dependencies:`.
#[derive(Clone, Debug, Deserialize)]
pub struct Dependency {
    /// Name of the chart depended on.
    #[serde(default)]
    pub name: String,
    /// Where it comes from: `file://../helm-toolkit`, or an address.
    #[serde(default)]
    pub repository: Option<String>,
}

impl Metadata {
    /// Reads the metadata of the chart in the folder `dir`.
    ///
    /// # Errors
    /// Where Chart.yaml cannot be read, does not parse or has no usable name.
    pub fn read(dir: &Path) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct ChartYaml {
            #[serde(default)]
            name: serde_yaml::Value,
            #[serde(default)]
            dependencies: Option<Vec<Dependency>>,
        }
        #[derive(Deserialize)]
        struct RequirementsYaml {
            #[serde(default)]
            dependencies: Option<Vec<Dependency>>,
        }
        let chart: ChartYaml = parse(dir, "Chart.yaml")?;
        let mut dependencies = chart.dependencies.unwrap_or_default();
        if dir.join("requirements.yaml").is_file() {
            let requirements: Option<RequirementsYaml> = parse(dir, "requirements.yaml")?;
            dependencies.extend(requirements.and_then(|file| file.dependencies).unwrap_or_default());
        }
        let serde_yaml::Value::String(name) = chart.name else {
            return Err(Refusal::new(
                Place::file("Chart.yaml"),
                "the chart's name is missing or no text",
                "give it a name, in quotes if it looks like a number or a YAML word",
            ));
        };
        let usable = name.len() <= 250
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
        if !usable {
            return Err(Refusal::new(
                Place::file("Chart.yaml"),
                format!("the chart's name {name:?} is none that Helm could use"),
                "use letters, digits and dashes only",
            ));
        }
        let toolkit = dependencies.into_iter().find(|dependency| dependency.name == TOOLKIT);
        Ok(Metadata { name, toolkit })
    }

    /// What the chart is to this program.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.name == TOOLKIT { Role::Toolkit } else { Role::Application }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(dir: &Path, file: &str) -> Result<T, Refusal> {
    let bytes = std::fs::read(dir.join(file)).map_err(|error| unreadable(Path::new(file), &error))?;
    serde_yaml::from_slice(&bytes).map_err(|error| {
        let position = error.location().map(|at| Position { line: at.line(), column: at.column() });
        let place = Place { path: PathBuf::from(file), position };
        Refusal::new(place, format!("cannot be understood: {error}"), "mend the file; `helm lint` says more")
    })
}

fn unreadable(file: &Path, error: &io::Error) -> Refusal {
    Refusal::new(Place::file(file), format!("cannot be read: {error}"), "check the file and who may read it")
}

/// The content of a file, in a buffer that grows as needed and serves for many files: there are
/// thousands of templates, and asking for the size of each costs as much as reading it.
fn read_into<'b>(buffer: &'b mut Vec<u8>, path: &Path) -> io::Result<&'b [u8]> {
    let mut file = File::open(path)?;
    let mut length = 0;
    loop {
        if length == buffer.len() {
            buffer.resize(2 * length, 0);
        }
        match file.read(buffer.get_mut(length..).unwrap_or_default()) {
            Ok(0) => return Ok(buffer.get(..length).unwrap_or_default()),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A text file of a chart.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the chart's folder.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// A chart's files as they were read.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// values.yaml, where there is one.
    pub values: Option<Source>,
    /// Everything in templates/ that is text, sorted by path.
    pub templates: Vec<Source>,
}

impl Files {
    /// Reads values.yaml of the chart in `dir`, but not its templates.
    ///
    /// # Errors
    /// Where values.yaml is there and cannot be read or is not UTF-8.
    pub fn read_values(dir: &Path) -> Result<Option<Source>, Refusal> {
        let path = PathBuf::from("values.yaml");
        let bytes = match std::fs::read(dir.join(&path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, &error)),
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Source { path, text })),
            Err(error) => {
                let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                let line = 1 + memchr::memchr_iter(b'\n', before).count();
                let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
                Err(Refusal::new(
                    Place::at(path, Position { line, column }),
                    "the text is not UTF-8",
                    "convert the file, for instance with iconv",
                ))
            }
        }
    }

    /// Reads the templates of the chart in `dir`. A template that is not text is left out, with
    /// a warning.
    ///
    /// # Errors
    /// Where a folder or a file cannot be read.
    pub fn read_templates(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<Source>, Refusal> {
        let mut templates = Vec::new();
        let mut buffer = vec![0; 1 << 14];
        let folder = dir.join("templates");
        if !folder.is_dir() {
            return Ok(templates);
        }
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let relative = |path: &Path| path.strip_prefix(dir).unwrap_or(path).to_owned();
            let entry = entry.map_err(|error| {
                let path = relative(error.path().unwrap_or(dir));
                unreadable(&path, &error.into())
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let path = relative(entry.path());
            let bytes = read_into(&mut buffer, entry.path()).map_err(|error| unreadable(&path, &error))?;
            match std::str::from_utf8(bytes) {
                Ok(text) => templates.push(Source { path, text: text.to_owned() }),
                Err(_) => warnings.push(Warning::new(
                    Place::file(path),
                    "is not UTF-8 text: not searched for pods and ServiceAccounts",
                )),
            }
        }
        Ok(templates)
    }
}

/// A chart as the rules see it.
#[derive(Debug)]
pub struct Chart<'a> {
    /// Its name, by which templates look values up.
    pub name: &'a str,
    /// Its folder; rules need it only to see what lies there beside the templates.
    pub dir: &'a Path,
    /// What it is to this program.
    pub role: Role,
    /// Its values.yaml, parsed. `None` where it has none.
    pub values: Option<Document<'a>>,
    /// Its templates, sorted by path.
    pub templates: &'a [Source],
}

/// The refusal of a values.yaml that is not the one YAML document it must be.
#[must_use]
pub fn unusable_values(error: &ParseError) -> Refusal {
    let advice = match error {
        ParseError::Nul(_) => "take the NUL character out",
        ParseError::Syntax(..) => "mend it (Helm is more lenient in places, other tools are not)",
        ParseError::Character(..) => "take it out, or write it as an escape in double quotes",
        ParseError::Aliases(_) => "write some of them out",
        ParseError::Tab(_) => "indent with spaces",
        ParseError::Depth(_) => "nest less deeply, or add the entries by hand",
        ParseError::SecondDocument(_) => {
            "Helm reads the first document only: move what is to count there and take the rest out"
        }
    };
    Refusal::new(Place::at("values.yaml", error.position()), error.to_string(), advice)
}
