//! One chart: its name, its values and its templates, as the rules see them.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use memchr::memmem::Finder;
use regex::bytes::Regex;
use walkdir::{DirEntry, WalkDir};

use crate::context::Context;
use crate::disk;
use crate::finding::Finding;
use crate::helmignore;
use crate::kinds::{CUSTOM_RESOURCES, WORKLOADS};
use crate::metadata::{Metadata, Role};
use crate::source::{MAX_SIZE, Source, names_in, read_bytes, read_text};
use crate::template::actions::Actions;
use crate::template::outline::Outline;
use crate::text::pattern;
use crate::yaml::Document;

/// The file that a chart's default values are in.
pub(crate) const VALUES: &str = "values.yaml";

/// Where files of overrides are: in each chart until 2024, then beside the charts, in a folder for each.
pub(crate) const OVERRIDES: &str = "values_overrides";

/// A chart's files as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// values.yaml, where there is one. A toolkit's is not asked for.
    pub(crate) values: Option<Source>,
    /// Everything in templates/ that is text, sorted by path.
    pub(crate) templates: Vec<Source>,
    /// What else is in templates/, folders aside, each with the reason why it was not read.
    pub(crate) unread: Vec<(PathBuf, &'static str)>,
    pub(crate) beside: Beside,
}

/// Files beside templates and values that decide what Helm makes of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// values.schema.json
    pub(crate) schema: Option<Source>,
    /// .helmignore
    pub(crate) helmignore: Option<Source>,
    /// A helm-toolkit in charts/ that is packed, which Helm takes as it is.
    pub(crate) packed_toolkit: Option<PathBuf>,
}

impl Files {
    /// Reads the files of the chart in `base`/`dir`; of an application without values.yaml, which gets no
    /// changes, nothing else.
    ///
    /// # Errors
    /// A refusal where a folder or a file cannot be read, or values.yaml is no text of reasonable size.
    pub(crate) fn read(base: &Path, dir: &Path, role: Role) -> Result<Self, Finding> {
        let mut files = Files::default();
        if role == Role::Application {
            let path = dir.join(VALUES);
            let Some(text) = read_text(base, &path)? else { return Ok(files) };
            files.values = Some(Source { path, text });
            files.beside = Beside::read(base, dir)?;
        }
        files.read_templates(base, dir)?;
        Ok(files)
    }

    /// The files in which people write comments.
    pub(crate) fn with_comments(&self) -> impl Iterator<Item = &Source> {
        self.values.iter().chain(&self.beside.helmignore).chain(&self.templates)
    }

    fn read_templates(&mut self, base: &Path, dir: &Path) -> Result<(), Finding> {
        let folder = base.join(dir).join("templates");
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
        let relative = |path: &Path| path.strip_prefix(base).unwrap_or(path).to_owned();
        for entry in WalkDir::new(&folder).sort_by_file_name().into_iter().filter_entry(is_template) {
            let entry = entry.map_err(|error| {
                let path = relative(error.path().unwrap_or(&folder));
                Finding::unreadable(&path, &error.into())
            })?;
            let kind = entry.file_type();
            if kind.is_dir() {
                continue;
            }
            let path = relative(entry.path());
            if !kind.is_file() {
                let why = if kind.is_symlink() { "is a link" } else { "is a device or a pipe" };
                self.unread.push((path, why));
                continue;
            }
            let bytes = read_bytes(entry.path()).map_err(|error| Finding::unreadable(&path, &error))?;
            if bytes.len() > MAX_SIZE {
                self.unread.push((path, "is larger than 5 MiB"));
                continue;
            }
            match String::from_utf8(bytes) {
                Ok(text) => self.templates.push(Source { path, text }),
                Err(_) => self.unread.push((path, "is not UTF-8 text")),
            }
        }
        // By path, byte by byte, so that edits come out in the order of the diff.
        self.templates.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
        Ok(())
    }
}

impl Beside {
    /// Whether Helm sees the file at `path` of the chart in `dir`.
    pub(crate) fn shows(&self, dir: &Path, path: &Path) -> bool {
        let file = path.strip_prefix(dir).unwrap_or(path).to_string_lossy();
        self.helmignore.as_ref().is_none_or(|ignore| helmignore::hiding(&ignore.text, &file).is_none())
    }

    fn read(base: &Path, dir: &Path) -> Result<Self, Finding> {
        let read = |file: &str| {
            let path = dir.join(file);
            Ok(read_text(base, &path)?.map(|text| Source { path, text }))
        };
        let subcharts = dir.join("charts");
        let names =
            names_in(&base.join(&subcharts)).map_err(|error| Finding::unreadable(&subcharts, &error))?;
        let is_packed =
            |name: &&String| name.strip_suffix(".tgz").is_some_and(|name| name.starts_with("helm-toolkit-"));
        let packed_toolkit = names.iter().find(is_packed).map(|name| subcharts.join(name));
        Ok(Beside { schema: read("values.schema.json")?, helmignore: read(".helmignore")?, packed_toolkit })
    }
}

/// A chart as the rules see it: as it is, or as it will be.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    /// Its folder, relative to the plan's base, as all paths are.
    pub(crate) dir: &'a Path,
    pub(crate) metadata: &'a Metadata,
    /// Its values.yaml, parsed. `None` where it has none, or is a toolkit.
    pub(crate) values: Option<Document<'a>>,
    pub(crate) templates: &'a [Source],
    /// Those of the templates that may hold a pod or an account; see [`outlines`].
    pub(crate) outlines: Vec<Outline<'a>>,
    pub(crate) context: Context,
    /// See [`Files::unread`].
    pub(crate) unread: &'a [(PathBuf, &'static str)],
    pub(crate) beside: &'a Beside,
    /// What the helm-toolkit that it depends on defines, where that is known.
    pub(crate) toolkit: Option<&'a Functions>,
}

/// The outlines of those of `templates` that Helm takes for objects and that may hold something that runs images.
pub(crate) fn outlines<'t>(templates: impl Iterator<Item = &'t Source>) -> Vec<Outline<'t>> {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        let custom = CUSTOM_RESOURCES.iter().map(|row| row.kind);
        let kinds: Vec<&str> = WORKLOADS.iter().copied().chain(custom).collect();
        let kind = format!(r#"kind["']?:(?:[^\n]*\{{\{{|\s*["']?(?:\*|(?:{})\b))"#, kinds.join("|"));
        let words = "ServiceAccount|containers|imagePullSecrets|pod_rbac_serviceaccount|snippets\\.image\"|image[\"']?:";
        let printed = r"(?m:^\{\{[^\n]*(?:toYaml|toJson|tpl |Files\.Get))";
        pattern(&format!("{words}|{kind}|{printed}"))
    });
    let is_notes = |source: &Source| source.path.file_name().is_some_and(|name| name == "NOTES.txt");
    let templates = templates.filter(|source| !is_notes(source));
    let (found, others): (Vec<_>, Vec<_>) =
        templates.partition(|source| WORDS.is_match(source.text.as_bytes()));
    let outline = |source: &'t Source| Outline::new(&source.path, &source.text);
    let mut outlines: Vec<_> = found.into_iter().map(outline).collect();
    // What they define is rendered where it is called: a pod or an account, or what is in one.
    let define = |outline: &Outline<'t>| {
        let parts = outline.entries.iter().filter(|entry| entry.is("kind") || entry.is("containers"));
        parts.filter_map(|entry| outline.actions.name(entry.scope)).collect::<BTreeSet<_>>()
    };
    let calls: Vec<Finder<'_>> = outlines.iter().flat_map(define).map(Finder::new).collect();
    let is_caller =
        |source: &&&'t Source| calls.iter().any(|call| call.find(source.text.as_bytes()).is_some());
    outlines.extend(others.iter().filter(is_caller).map(|source| outline(source)));
    outlines.sort_by(|one, other| one.path.cmp(other.path));
    outlines
}

impl Chart<'_> {
    /// The name by which templates look values up.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The path of the chart's file `file`.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    pub(crate) fn template(&self, path: &Path) -> Option<&Source> {
        self.templates.iter().find(|source| source.path == path)
    }

    /// Why the template at `path` was not read, if it is there and was not.
    pub(crate) fn unread(&self, path: &Path) -> Option<&'static str> {
        self.unread.iter().find(|(other, _)| other == path).map(|(_, why)| *why)
    }
}

/// The functions that a helm-toolkit defines. Few charts call one that is not usual, so that they are
/// looked for only when asked for.
#[derive(Debug)]
pub(crate) struct Functions {
    base: PathBuf,
    dir: PathBuf,
    /// `None` where the toolkit cannot be read.
    names: OnceLock<Option<HashSet<String>>>,
}

impl Functions {
    /// Those of the toolkit in the folder `base`/`dir`.
    pub(crate) fn new(base: &Path, dir: &Path) -> Self {
        Functions { base: base.to_owned(), dir: dir.to_owned(), names: OnceLock::new() }
    }

    /// Whether there is a function called `name`; there may be where that cannot be told.
    pub(crate) fn defines(&self, name: &str) -> bool {
        let names = self.names.get_or_init(|| {
            let files = Files::read(&self.base, &self.dir, Role::Toolkit).ok()?;
            let defined =
                |source: &Source| Actions::new(&source.text).defined().map(ToOwned::to_owned).collect();
            Some(files.templates.iter().flat_map(|source| -> Vec<String> { defined(source) }).collect())
        });
        names.as_ref().is_none_or(|names| names.contains(name))
    }
}
