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
    for Walked { dir, inside_of, metadata } in roots.iter().flat_map(|root| walk_in_parallel(root)) {
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

impl Walked {
    /// A folder that cannot be looked into may be a chart; it is refused like one.
    fn unreadable(dir: &Path, inside_of: Option<&Path>, error: &io::Error) -> Self {
        let refusal = chart::unreadable(Path::new(""), error);
        Walked { dir: dir.to_owned(), inside_of: inside_of.map(Path::to_owned), metadata: Err(refusal) }
    }
}

/// The charts below `root`. Its folders are walked in parallel.
fn walk_in_parallel(root: &Path) -> Vec<Walked> {
    if !matches!(is_chart(root), Ok(false)) {
        return walk(root);
    }
    let (mut folders, mut unreadable) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(root).min_depth(1).max_depth(1) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() && !is_hidden(&entry) => folders.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => unreadable.push(Walked::unreadable(root, None, &error.into())),
        }
    }
    let walked = folders.par_iter().with_max_len(1).map(|folder| walk(folder));
    walked.flatten_iter().chain(unreadable).collect()
}

/// The charts below `root`, itself included.
fn walk(root: &Path) -> Vec<Walked> {
    let mut charts = Vec::new();
    walk_into(root, None, &mut charts);
    charts
}

/// Walks a folder down to the charts in it, and goes on in their `charts/`.
fn walk_into(folder: &Path, inside_of: Option<&Path>, charts: &mut Vec<Walked>) {
    let mut walk = WalkDir::new(folder).into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let dir = error.path().unwrap_or(folder).to_owned();
                charts.push(Walked::unreadable(&dir, inside_of, &error.into()));
                continue;
            }
        };
        if !entry.file_type().is_dir() {
            continue;
        }
        if entry.depth() > 0 && is_hidden(&entry) {
            walk.skip_current_dir();
            continue;
        }
        match is_chart(entry.path()) {
            Ok(false) => {}
            Ok(true) => {
                walk.skip_current_dir();
                let dir = entry.into_path();
                let subcharts = dir.join("charts");
                if subcharts.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                    walk_into(&subcharts, inside_of.or(Some(&dir)), charts);
                }
                let metadata = Metadata::read(&dir);
                charts.push(Walked { dir, inside_of: inside_of.map(Path::to_owned), metadata });
            }
            Err(error) => {
                walk.skip_current_dir();
                charts.push(Walked::unreadable(entry.path(), inside_of, &error));
            }
        }
    }
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

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
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
