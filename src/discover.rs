//! From the arguments of a call to the charts in them.
//!
//! A chart is a folder with a Chart.yaml. Links are never followed: the umbrella chart of 2022
//! links to other charts, which would be changed twice. Inside of a chart only `charts/` is looked
//! into, and there only for vendored copies of helm-toolkit.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::error::Error;
use crate::finding::{Finding, Id};
use crate::git;
use crate::metadata::{Metadata, Role};

/// Where charts are, and what their paths are relative to.
#[derive(Debug, Default)]
pub struct Checkouts {
    /// The checkout, or the nearest common parent of several.
    pub(crate) base: PathBuf,
    /// What the call names, as whole paths without links, sorted.
    pub(crate) roots: BTreeSet<PathBuf>,
    /// Sorted by path.
    pub(crate) charts: Vec<Found>,
    /// The charts beside those that the call names one by one. They are looked at, and left alone.
    pub(crate) beside: Vec<Found>,
}

/// A folder with a Chart.yaml, or one that cannot be looked into and may be a chart.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to [`Checkouts::base`]; a whole path for what lies outside of that.
    pub(crate) path: PathBuf,
    /// Whether it is in what the call names.
    pub(crate) is_named: bool,
    /// What its metadata say, or why they cannot be used.
    pub(crate) metadata: Result<Metadata, Finding>,
    /// For a toolkit inside of a chart, the outermost such chart's folder.
    pub(crate) vendored_in: Option<PathBuf>,
}

impl Found {
    /// The chart in the folder `dir`, which the call does not name.
    fn not_named(base: &Path, dir: &Path) -> Self {
        let path = dir.strip_prefix(base).unwrap_or(dir).to_owned();
        Found { metadata: Metadata::read(base, &path), path, is_named: false, vendored_in: None }
    }

    /// The role; a chart that cannot be read counts as an application.
    pub(crate) fn role(&self) -> Role {
        self.metadata.as_ref().map_or(Role::Application, Metadata::role)
    }

    fn may_be_toolkit(&self) -> bool {
        match &self.metadata {
            Ok(metadata) => metadata.role() == Role::Toolkit,
            Err(refusal) => refusal.id == Id::Unreadable,
        }
    }
}

/// Finds the charts in `paths`: checkouts, folders of charts or charts. `beside` names folders beside
/// charts that the run may write into: where a path leads to a chart they are roots of their own, so that
/// paths are relative to, and locks are taken on, all that may be written to.
///
/// # Errors
/// [`Error::Read`] where a path cannot be read, [`Error::NoChart`] where there is none in any of them.
pub(crate) fn find(paths: &[PathBuf], beside: &[&str]) -> Result<Checkouts, Error> {
    let mut roots = BTreeSet::new();
    for path in paths {
        // One name for each folder, however it is called, so that none is walked twice.
        let root = path.canonicalize().map_err(Error::read(path))?;
        if let (Some(around), Ok(true)) = (root.parent(), is_chart(&root)) {
            let beside = beside.iter().map(|folder| around.join(folder));
            roots.extend(beside.filter(|folder| folder.symlink_metadata().is_ok_and(|it| it.is_dir())));
        }
        roots.insert(root);
    }
    let base = common_parent(&roots);
    let relative = |dir: PathBuf| dir.strip_prefix(&base).map(Path::to_owned).unwrap_or(dir);
    let folders: Vec<Folder> = roots.par_iter().flat_map_iter(|root| walk(root, None)).collect();
    let found = folders.into_par_iter().map(|Folder { dir, inside_of, seen }| {
        let path = relative(dir);
        let metadata = seen
            .map_err(|error| Finding::unreadable(&path, &error))
            .and_then(|_| Metadata::read(&base, &path));
        Found { path, is_named: true, metadata, vendored_in: inside_of.map(relative) }
    });
    let mut found: Vec<Found> = found.collect();
    // Of a chart that is reached in two ways, the one that shows it inside of another: the last one counts.
    found.sort_by_key(|found| found.vendored_in.is_none());
    let mut charts: BTreeMap<PathBuf, Found> =
        found.into_iter().rev().map(|found| (found.path.clone(), found)).collect();
    charts.retain(|_, found| found.vendored_in.is_none() || found.may_be_toolkit());
    if charts.is_empty() {
        return Err(Error::NoChart(paths.to_vec()));
    }
    for dir in toolkits_elsewhere(&base, &charts) {
        let toolkit = Found::not_named(&base, &dir);
        if toolkit.role() == Role::Toolkit {
            charts.insert(toolkit.path.clone(), toolkit);
        }
    }
    let folders: BTreeSet<PathBuf> = roots.iter().flat_map(|root| charts_beside(root)).collect();
    let beside = folders.par_iter().map(|dir| Found::not_named(&base, dir));
    let beside = beside.filter(|found| !charts.contains_key(&found.path)).collect();
    Ok(Checkouts { base, roots, charts: charts.into_values().collect(), beside })
}

/// The helm-toolkits that `charts` name by path and that the call does not, in the same work tree or beside the
/// chart.
fn toolkits_elsewhere(base: &Path, charts: &BTreeMap<PathBuf, Found>) -> BTreeSet<PathBuf> {
    let elsewhere = |found: &Found| {
        let chart = base.join(&found.path);
        let dir = found.metadata.as_ref().ok()?.toolkit()?.folder(&chart)?;
        if dir.strip_prefix(base).is_ok_and(|path| charts.contains_key(path)) {
            return None;
        }
        let around = git::work_tree(&chart).or_else(|| chart.parent().map(Path::to_owned))?;
        dir.canonicalize().ok().filter(|dir| dir.starts_with(around) && is_chart(dir).unwrap_or_default())
    };
    charts.values().filter_map(elsewhere).collect()
}

/// The charts beside `root`, if that is one.
fn charts_beside(root: &Path) -> Vec<PathBuf> {
    let Some(folder) = root.parent().filter(|_| is_chart(root).unwrap_or_default()) else {
        return Vec::new();
    };
    let folders = WalkDir::new(folder).min_depth(1).max_depth(1).into_iter().filter_entry(is_looked_into);
    let folders = folders.flatten().map(DirEntry::into_path);
    folders.filter(|dir| is_chart(dir).unwrap_or_default()).collect()
}

/// Whether an entry is a folder that is not hidden.
fn is_looked_into(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && !entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// A chart, or a folder that cannot be looked into.
struct Folder {
    dir: PathBuf,
    /// The outermost chart that it is inside of.
    inside_of: Option<PathBuf>,
    seen: io::Result<bool>,
}

/// The charts below `folder`, itself included, which is inside of this chart.
fn walk(folder: &Path, inside_of: Option<&Path>) -> Vec<Folder> {
    let (mut found, mut nested) = (Vec::new(), Vec::new());
    let entries = WalkDir::new(folder).into_iter();
    let mut entries = entries.filter_entry(|entry| entry.depth() == 0 || is_looked_into(entry));
    while let Some(entry) = entries.next() {
        let (dir, seen) = match entry {
            Ok(entry) => (entry.path().to_owned(), is_chart(entry.path())),
            // Somebody has taken it away meanwhile.
            Err(error) if error.io_error().is_some_and(|io| io.kind() == io::ErrorKind::NotFound) => continue,
            Err(error) => (error.path().unwrap_or(folder).to_owned(), Err(error.into())),
        };
        if let Ok(false) = seen {
            continue;
        }
        // A chart's own folders are many, and are not even listed.
        entries.skip_current_dir();
        let subcharts = dir.join("charts");
        if seen.is_ok() && subcharts.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            nested.push((subcharts, inside_of.unwrap_or(&dir).to_owned()));
        }
        found.push(Folder { dir, inside_of: inside_of.map(Path::to_owned), seen });
    }
    // Folders that are walked are open.
    drop(entries);
    let nested = nested.iter().flat_map(|(subcharts, outermost)| walk(subcharts, Some(outermost)));
    found.into_iter().chain(nested).collect()
}

/// Whether there is a Chart.yaml in the folder `dir`, whatever it is: who reads it will say what is
/// wrong with it. An error, where that cannot be told.
fn is_chart(dir: &Path) -> io::Result<bool> {
    match dir.join("Chart.yaml").symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The folder itself, or the nearest one that all are in.
pub(crate) fn common_parent(roots: &BTreeSet<PathBuf>) -> PathBuf {
    let shared = |one: PathBuf, other: &PathBuf| {
        let both = one.components().zip(other.components());
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    };
    let mut roots = roots.iter();
    let first = roots.next().cloned().unwrap_or_default();
    roots.fold(first, shared)
}
