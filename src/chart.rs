//! One chart: its name, its values and its templates, as the rules see them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use walkdir::{DirEntry, WalkDir};

use crate::disk;
use crate::error::{Place, Reason, Refusal};
use crate::release::Release;
use crate::template;
use crate::yaml::{self, Document, ParseError, Position};

/// Name of the library chart that all charts of OpenStack-Helm share.
pub const TOOLKIT: &str = "helm-toolkit";

/// The file that a chart's default values are in.
pub const VALUES: &str = "values.yaml";

/// How large Chart.yaml and requirements.yaml may be without being looked at for nesting first: their
/// parser is quadratic in it.
const MAX_SIZE_UNLOOKED: usize = 10_000;

/// How large a file may be, in bytes. Helm takes none over 5 MiB out of a packaged chart; the
/// largest values.yaml of OpenStack-Helm has 100 KiB.
const MAX_SIZE: usize = 5 << 20;

/// Whether a chart deploys something or is the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A chart that may use images.
    Application,
    /// helm-toolkit, or a vendored copy of it.
    Toolkit,
    /// No chart at all, but the documentation that goes with some: it has its own place in a plan.
    Documentation,
}

/// What Chart.yaml, and requirements.yaml beside it in older charts, say of a chart.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// `name:` in Chart.yaml. The folder's name does not count: templates look it up as
    /// `.Chart.Name`.
    pub name: String,
    /// Where that name is given, seen from the chart's folder.
    pub name_at: Place,
    /// `version:`, where it is a text.
    pub version: Option<String>,
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
        #[serde(expecting = "a mapping with a name")]
        struct ChartYaml {
            #[serde(default)]
            name: serde_yaml::Value,
            #[serde(default)]
            version: serde_yaml::Value,
            #[serde(default)]
            dependencies: Option<Vec<Dependency>>,
        }
        #[derive(Deserialize)]
        #[serde(expecting = "a mapping with dependencies")]
        struct RequirementsYaml {
            #[serde(default)]
            dependencies: Option<Vec<Dependency>>,
        }
        let text = read_text(dir, "Chart.yaml")?.unwrap_or_default();
        let chart: ChartYaml = parse(&text, "Chart.yaml")?;
        let mut dependencies = chart.dependencies.unwrap_or_default();
        if let Some(requirements) = read_text(dir, "requirements.yaml")? {
            let requirements: Option<RequirementsYaml> = parse(&requirements, "requirements.yaml")?;
            dependencies.extend(requirements.and_then(|file| file.dependencies).unwrap_or_default());
        }
        let (position, is_plain) = name_as_written(&text);
        let name_at = Place { path: PathBuf::from("Chart.yaml"), position };
        let no_name = |what: &str| {
            let advice = "give it a name, in quotes if it looks like a number or a YAML word";
            Err(Refusal::new(Reason::NoName, name_at.clone(), what, advice))
        };
        let serde_yaml::Value::String(name) = chart.name else {
            return no_name("the chart's name is missing or no text");
        };
        if is_plain && yaml::is_ambiguous(&name) {
            return no_name(&format!("the chart's name {name} is no text to Helm, which reads YAML 1.1"));
        }
        let usable = name.len() <= 250
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
        if !usable {
            let what = format!("the chart's name {name:?} is none that Helm could use");
            let advice = "use letters, digits and dashes only, 250 at most";
            return Err(Refusal::new(Reason::BadName, name_at, what, advice));
        }
        let toolkit = dependencies.into_iter().find(|dependency| dependency.name == TOOLKIT);
        let version = chart.version.as_str().map(ToOwned::to_owned);
        Ok(Metadata { name, name_at, version, toolkit })
    }

    /// What the chart is to this program.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.name == TOOLKIT { Role::Toolkit } else { Role::Application }
    }
}

/// Parses a small YAML file of the chart in the folder `dir`.
fn parse<T: for<'de> Deserialize<'de>>(text: &str, file: &str) -> Result<T, Refusal> {
    // Whatever it says against the text, it has not looked at all of it then.
    if text.len() > MAX_SIZE_UNLOOKED
        && let Err(error) = Document::parse(text)
    {
        let advice = match error {
            ParseError::Depth(_) => "nest less deeply",
            _ => "mend the file; `helm lint` says more",
        };
        return Err(Refusal::new(
            Reason::Metadata,
            Place::at(file, error.position()),
            error.to_string(),
            advice,
        ));
    }
    // What is wrong, and where, the whole text says.
    let parsed = serde_yaml::from_str(without_header(text)).or_else(|_| serde_yaml::from_str(text));
    parsed.map_err(|error| {
        let position = error.location().map(|at| Position { line: at.line(), column: at.column() });
        let place = Place { path: PathBuf::from(file), position };
        let what = format!("cannot be understood: {error}");
        Refusal::new(Reason::Metadata, place, what, "mend the file; `helm lint` says more")
    })
}

/// `text` without the comments above its first other line: in files of OpenStack-Helm that is the licence,
/// half of a Chart.yaml. In ASCII a comment can be nothing but valid.
fn without_header(text: &str) -> &str {
    let is_comment = |line: &&str| {
        let text = line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        text.is_some_and(|text| {
            text.starts_with('#') && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        })
    };
    let header = text.split_inclusive('\n').take_while(is_comment).map(str::len).sum();
    text.get(header..).unwrap_or(text)
}

/// Where the value of `name` stands in the text of a Chart.yaml, and whether it has no quotes. Nearly
/// always a line tells.
fn name_as_written(text: &str) -> (Option<Position>, bool) {
    let lines = text.lines().enumerate();
    let line = lines.into_iter().find_map(|(index, line)| Some((index, line.strip_prefix("name:")?)));
    if let Some((index, value)) = line.filter(|(_, value)| !value.trim_start().starts_with('&')) {
        let written = value.trim_start();
        let column = "name:".len() + (value.len() - written.len()) + 1;
        let is_plain = !written.starts_with(['"', '\'', '!', '*', '|', '>']);
        return (Some(Position { line: index + 1, column }), is_plain);
    }
    let Ok(document) = Document::parse(text) else { return (None, true) };
    let name = document.root().and_then(|root| document.get(root, "name"));
    name.map_or((None, true), |name| (Some(document.position(name)), document.is_plain(name)))
}

/// The text of a file of the chart in the folder `dir`; `None` where there is none.
///
/// # Errors
/// Where it cannot be read, or is no text of reasonable size.
pub fn read_text(dir: &Path, file: &str) -> Result<Option<String>, Refusal> {
    let path = dir.join(file);
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.is_symlink() => path.metadata(),
        other => other,
    };
    let metadata = metadata.map_err(|error| unreadable(Path::new(file), &error))?;
    // Reading from a pipe or a device might never end.
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "is a folder" } else { "is a device or a pipe" };
        let what = format!("{what}, where a file belongs");
        let advice = "move it away, or put the file in its place";
        return Err(Refusal::new(Reason::NoFile, Place::file(file), what, advice));
    }
    BUFFER.with_borrow_mut(|buffer| {
        let bytes =
            read_into(buffer, &path, metadata.len()).map_err(|error| unreadable(Path::new(file), &error))?;
        text_of(bytes, file).map(Some)
    })
}

/// What `bytes` of a file are as a text.
fn text_of(bytes: &[u8], file: &str) -> Result<String, Refusal> {
    if bytes.len() > MAX_SIZE {
        let what = format!("is larger than {} MiB", MAX_SIZE >> 20);
        let advice = "split the file, or make the changes by hand";
        return Err(Refusal::new(Reason::TooLarge, Place::file(file), what, advice));
    }
    std::str::from_utf8(bytes).map(ToOwned::to_owned).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        Refusal::new(
            Reason::NotUtf8,
            Place::at(file, Position { line, column }),
            "the text is not UTF-8",
            "convert the file, for instance with iconv",
        )
    })
}

/// The refusal of a file or folder that cannot be read.
#[must_use]
pub fn unreadable(file: &Path, error: &io::Error) -> Refusal {
    let what = format!("cannot be read: {}", error.kind());
    Refusal::new(Reason::Unreadable, Place::file(file), what, "check what it is and who may read it")
}

thread_local! {
    /// What each thread reads files into. A new one for each chart would be new memory, to be zeroed. Nobody
    /// who has it may read other files by it, or do with rayon what another thread might take part in.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 1 << 14]);
}

/// The content of a file, in a buffer that grows as needed and serves for many files. Of a file that is too
/// large no more is read than shows that it is.
///
/// `size` is how large the file is, where that is known: asking for it costs as much as reading a template,
/// of which there are thousands.
fn read_into<'b>(buffer: &'b mut Vec<u8>, path: &Path, size: u64) -> io::Result<&'b [u8]> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut file = File::open(path)?;
    let mut length = 0;
    while length <= MAX_SIZE {
        if length == buffer.len() {
            buffer.resize(2 * length, 0);
        }
        match file.read(buffer.get_mut(length..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => {
                length += read;
                // A file gives all that fits; where there is less, it ends. Asking again for each of thousands
                // would be a good part of all calls. What a plan was made from is read again before a write.
                if length < buffer.len() && length >= size {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
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
    /// values.yaml, where there is one. A toolkit's is not asked for.
    pub values: Option<Source>,
    /// Everything in templates/ that is text, sorted by path.
    pub templates: Vec<Source>,
    /// What else is in templates/, folders aside, each with the reason why it was not read.
    pub others: Vec<(PathBuf, &'static str)>,
    /// What goes with its release notes, where they are asked for.
    pub release: Option<Release>,
}

impl Files {
    /// Reads the files of the chart in `dir`; of an application without values.yaml, which is
    /// none of this program's business, nothing else.
    ///
    /// # Errors
    /// Where a folder or a file cannot be read, or values.yaml is no text of reasonable size.
    pub fn read(dir: &Path, role: Role) -> Result<Self, Refusal> {
        let mut files = Files::default();
        if role == Role::Application {
            let Some(text) = read_text(dir, VALUES)? else { return Ok(files) };
            files.values = Some(Source { path: PathBuf::from(VALUES), text });
        }
        BUFFER.with_borrow_mut(|buffer| files.read_templates(dir, buffer))?;
        Ok(files)
    }

    fn read_templates(&mut self, dir: &Path, buffer: &mut Vec<u8>) -> Result<(), Refusal> {
        let folder = dir.join("templates");
        // Links are not followed, here as elsewhere, and walkdir would follow this first one.
        if !folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(());
        }
        // Helm takes no file or folder of templates/ whose name starts with a dot, but those further
        // down, where a run that was killed may have left some.
        let is_template = |entry: &DirEntry| {
            let is_hidden = entry.depth() == 1 && entry.file_name().as_encoded_bytes().starts_with(b".");
            !is_hidden && !disk::is_temporary(entry.file_name())
        };
        // By name: the rest of the path is the same, and taking each name out of it would cost more.
        let by_name = |one: &DirEntry, other: &DirEntry| one.path().as_os_str().cmp(other.path().as_os_str());
        for entry in WalkDir::new(folder).sort_by(by_name).into_iter().filter_entry(is_template) {
            let entry = entry.map_err(|error| {
                let path = below(dir, error.path().unwrap_or(dir)).to_owned();
                unreadable(&path, &error.into())
            })?;
            let kind = entry.file_type();
            if kind.is_dir() {
                continue;
            }
            let path = below(dir, entry.path());
            if !kind.is_file() {
                let what = if kind.is_symlink() { "is a link" } else { "is a device or a pipe" };
                self.others.push((path.to_owned(), what));
                continue;
            }
            let bytes = read_into(buffer, entry.path(), 0).map_err(|error| unreadable(path, &error))?;
            if bytes.len() > MAX_SIZE {
                self.others.push((path.to_owned(), "is larger than 5 MiB"));
                continue;
            }
            match std::str::from_utf8(bytes) {
                Ok(text) => self.templates.push(Source { path: path.to_owned(), text: text.to_owned() }),
                Err(_) => self.others.push((path.to_owned(), "is not UTF-8 text")),
            }
        }
        Ok(())
    }
}

/// The path to `path` from the folder `dir`, which it was found in: what comes behind that, byte for byte.
/// Taking both apart into their components is what [`Path::strip_prefix`] does, thousands of times.
fn below<'p>(dir: &Path, path: &'p Path) -> &'p Path {
    let behind = path.as_os_str().as_bytes().strip_prefix(dir.as_os_str().as_bytes());
    let behind = behind.map(|behind| behind.strip_prefix(b"/").unwrap_or(behind));
    behind.map_or(path, |behind| Path::new(OsStr::from_bytes(behind)))
}

/// A chart as the rules see it.
#[derive(Debug)]
pub struct Chart<'a> {
    /// Its name, by which templates look values up.
    pub name: &'a str,
    /// Where that name is given.
    pub name_at: &'a Place,
    /// What it is to this program.
    pub role: Role,
    /// Its values.yaml, parsed. `None` where it has none.
    pub values: Option<Document<'a>>,
    /// Its templates, sorted by path.
    pub templates: &'a [Source],
    /// What else is in templates/, folders aside, each with what it is.
    pub others: &'a [(PathBuf, &'static str)],
    /// What goes with its release notes, where they are asked for.
    pub release: Option<&'a Release>,
    /// What the helm-toolkit that it depends on defines, where that is known.
    pub toolkit: Option<&'a Functions>,
}

/// The functions that a helm-toolkit defines. They are asked for where a chart calls a function that is
/// not usual, and only then looked for.
#[derive(Debug)]
pub struct Functions {
    dir: PathBuf,
    /// `None` where the toolkit cannot be read.
    names: OnceLock<Option<HashSet<String>>>,
}

impl Functions {
    /// Those of the toolkit in the folder `dir`.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Functions { dir, names: OnceLock::new() }
    }

    /// Whether there is a function called `name`; there may be where that cannot be told.
    #[must_use]
    pub fn defines(&self, name: &str) -> bool {
        let names = self.names.get_or_init(|| {
            let files = Files::read(&self.dir, Role::Toolkit).ok()?;
            Some(files.templates.iter().flat_map(|source| template::definitions(&source.text)).collect())
        });
        names.as_ref().is_none_or(|names| names.contains(name))
    }
}

impl Chart<'_> {
    /// What lies at `path`, where it is no text that could be read.
    #[must_use]
    pub fn other(&self, path: &Path) -> Option<&'static str> {
        self.others.iter().find(|(other, _)| other == path).map(|(_, what)| *what)
    }
}

/// The refusal of a values.yaml that is not the one YAML document it must be.
#[must_use]
pub fn unusable_values(error: &ParseError) -> Refusal {
    let (reason, advice) = match error {
        ParseError::Nul(_) => (Reason::YamlNul, "take the NUL character out"),
        ParseError::Syntax(..) => {
            (Reason::YamlSyntax, "mend it (Helm is more lenient in places, other tools are not)")
        }
        ParseError::Character(..) | ParseError::Control(..) => {
            (Reason::YamlCharacter, "take it out, or write it as an escape in double quotes")
        }
        ParseError::Aliases(_) => (Reason::YamlAliases, "write some of them out"),
        ParseError::Tab(_) => (Reason::YamlTab, "indent with spaces"),
        ParseError::Depth(_) => (Reason::YamlDepth, "nest less deeply, or add the entries by hand"),
        ParseError::SecondDocument(_) => (
            Reason::YamlSecondDocument,
            "Helm reads the first document only: move what is to count there and take the rest out",
        ),
    };
    Refusal::new(reason, Place::at(VALUES, error.position()), error.to_string(), advice)
}
