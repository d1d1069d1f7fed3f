//! From the arguments of a call to the charts in them.
//!
//! A chart is a folder with a Chart.yaml. Links are never followed: the umbrella chart of 2022
//! links to other charts, which would be changed twice. Inside of a chart only `charts/` is looked
//! into, and there only for vendored copies of helm-toolkit.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::chart::{self, Metadata, Role};
use crate::error::{Error, Reason, Refusal};

/// Where charts are, and how their paths are shown.
#[derive(Debug)]
pub struct Checkouts {
    /// What shown paths are relative to: the checkout, or the nearest common parent of several.
    pub base: PathBuf,
    /// What the call names: whole paths, without links, sorted.
    pub roots: BTreeSet<PathBuf>,
    /// The charts found, sorted by path.
    pub charts: Vec<Found>,
}

/// A folder with a Chart.yaml, or one that cannot be looked into.
#[derive(Debug)]
pub struct Found {
    /// The folder, relative to [`Checkouts::base`].
    pub path: PathBuf,
    /// What its metadata say, or why they cannot be used.
    pub metadata: Result<Metadata, Refusal>,
    /// For a toolkit inside of a chart, that chart's folder relative to the base.
    pub vendored_in: Option<PathBuf>,
}

impl Found {
    /// What the chart is to this program; a chart that cannot be read counts as an application.
    #[must_use]
    pub fn role(&self) -> Role {
        self.metadata.as_ref().map_or(Role::Application, Metadata::role)
    }

    /// Whether this is a toolkit, or a folder that cannot be looked into.
    fn may_be_toolkit(&self) -> bool {
        match &self.metadata {
            Ok(metadata) => metadata.role() == Role::Toolkit,
            Err(refusal) => refusal.reason == Reason::Unreadable,
        }
    }
}

/// Finds the charts in `paths`: checkouts, folders of charts or charts.
///
/// # Errors
/// Where a path cannot be read, or there is no chart in any of them.
pub fn find(paths: &[PathBuf]) -> Result<Checkouts, Error> {
    find_with(paths, &[])
}

/// The same, for a run that may write into `folders` beside the charts, too. Where a path leads to a chart
/// they are roots of their own: paths are shown from, and locks are taken on, all that may be written to.
///
/// # Errors
/// Where a path cannot be read, or there is no chart in any of them.
pub fn find_with(paths: &[PathBuf], folders: &[&str]) -> Result<Checkouts, Error> {
    let mut roots = BTreeSet::new();
    for path in paths {
        // One name for each folder, however it is called, so that none is walked twice.
        let root = path.canonicalize().map_err(|error| Error::Read(path.clone(), error))?;
        if let (Some(around), Ok(true)) = (root.parent(), is_chart(&root)) {
            let beside = folders.iter().map(|folder| around.join(folder));
            roots.extend(beside.filter(|folder| folder.symlink_metadata().is_ok_and(|it| it.is_dir())));
        }
        roots.insert(root);
    }
    let base = common_parent(&roots);
    let relative = |dir: &Path| dir.strip_prefix(&base).unwrap_or(dir).to_owned();
    let mut charts: BTreeMap<PathBuf, Found> = BTreeMap::new();
    for Walked { dir, inside_of, metadata } in roots.iter().flat_map(|root| walk(root.clone())) {
        let path = relative(&dir);
        let vendored_in = inside_of.as_deref().map(relative);
        // Of a chart that is reached in two ways, the one that shows it inside of another.
        let is_known = charts.get(&path).is_some_and(|known| known.vendored_in.is_some());
        if !is_known {
            charts.insert(path.clone(), Found { path, metadata, vendored_in });
        }
    }
    charts.retain(|_, found| found.vendored_in.is_none() || found.may_be_toolkit());
    if charts.is_empty() {
        return Err(Error::NoChart(paths.to_vec()));
    }
    Ok(Checkouts { base, roots, charts: charts.into_values().collect() })
}

/// A folder with a Chart.yaml, or one that cannot be looked into, as the walk meets it.
struct Walked {
    dir: PathBuf,
    /// The outermost chart that it is inside of.
    inside_of: Option<PathBuf>,
    metadata: Result<Metadata, Refusal>,
}

/// The charts below `root`, itself included: level by level, so that many folders can be looked into at
/// a time and none is too deep.
fn walk(root: PathBuf) -> Vec<Walked> {
    let mut charts = Vec::new();
    let mut level = if root.is_dir() { vec![Folder { dir: root, inside_of: None }] } else { Vec::new() };
    while !level.is_empty() {
        let looked: Vec<_> = level.into_par_iter().with_max_len(1).map(Folder::look).collect();
        level = Vec::new();
        for (found, below) in looked {
            charts.extend(found);
            level.extend(below);
        }
    }
    charts
}

/// A folder that the walk has come to.
struct Folder {
    dir: PathBuf,
    /// The outermost chart that it is inside of.
    inside_of: Option<PathBuf>,
}

impl Folder {
    /// What the folder is, if it is a chart or cannot be looked into, and the folders to go on with. Of a
    /// chart that is its `charts/` alone: its own folders are many, and are not even listed.
    fn look(self) -> (Option<Walked>, Vec<Folder>) {
        match is_chart(&self.dir) {
            Ok(true) => {
                let subcharts = self.dir.join("charts");
                let has_subcharts = subcharts.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
                let outermost = self.inside_of.as_ref().unwrap_or(&self.dir);
                let inside = Folder { dir: subcharts, inside_of: Some(outermost.clone()) };
                let below = if has_subcharts { vec![inside] } else { Vec::new() };
                let metadata = Metadata::read(&self.dir);
                (Some(Walked { dir: self.dir, inside_of: self.inside_of, metadata }), below)
            }
            Ok(false) => {
                let (folders, error) = folders_in(&self.dir);
                let inside = |dir| Folder { dir, inside_of: self.inside_of.clone() };
                let below = folders.into_iter().map(inside).collect();
                (error.map(|error| self.unreadable(&error)), below)
            }
            Err(error) => (Some(self.unreadable(&error)), Vec::new()),
        }
    }

    /// A folder that cannot be looked into may be a chart; it is refused like one.
    fn unreadable(self, error: &io::Error) -> Walked {
        let metadata = Err(chart::unreadable(Path::new(""), error));
        Walked { dir: self.dir, inside_of: self.inside_of, metadata }
    }
}

/// The folders in `dir` that are not hidden, and what keeps it from being seen whole. Links are none.
fn folders_in(dir: &Path) -> (Vec<PathBuf>, Option<io::Error>) {
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let (mut folders, mut failure) = (Vec::new(), None);
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
            Ok((kind, entry)) => {
                if kind.is_dir() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                    folders.push(entry.path());
                }
            }
            // Somebody has taken it away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failure = Some(error),
        }
    }
    (folders, failure)
}

/// Whether there is a Chart.yaml in the folder `dir`, whatever it is: who reads it will say what is
/// wrong with it. An error, where that cannot be told.
fn is_chart(dir: &Path) -> io::Result<bool> {
    match dir.join("Chart.yaml").symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The folder itself, or the nearest one that all are in.
fn common_parent(roots: &BTreeSet<PathBuf>) -> PathBuf {
    let mut roots = roots.iter();
    let first = roots.next().cloned().unwrap_or_default();
    roots.fold(first, |common, root| {
        common
            .components()
            .zip(root.components())
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one)
            .collect()
    })
}
