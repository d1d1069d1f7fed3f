//! Scratch folders, for copies of charts that Helm renders.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use tempfile::TempDir;

use crate::error::Error;

/// A folder that is removed with all that is in it when it is dropped or cleared. Paths are relative to it, and
/// nothing outside of it can be written.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    /// Empty once it was cleared. Whoever writes holds it for reading meanwhile, so that nothing
    /// comes into the folder while it is being removed.
    folder: RwLock<Option<TempDir>>,
}

impl Scratch {
    /// Makes a folder where temporary files go ($TMPDIR, or /tmp).
    pub(crate) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix(SCRATCH_PREFIX)
            .tempdir_in(&parent)
            .map_err(|error| Error::Write(parent, error))?;
        // Programs say the whole path of what they complain of.
        let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned());
        Ok(Scratch { path, folder: RwLock::new(Some(folder)) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn make_folder(&self, at: &Path) -> Result<(), Error> {
        self.write_at(at, |path| fs::create_dir_all(path))
    }

    pub(crate) fn write(&self, at: &Path, text: &[u8]) -> Result<(), Error> {
        self.write_at(at, |path| fs::write(path, text))
    }

    /// Makes a link to something else in this folder.
    pub(crate) fn link(&self, to: &Path, at: &Path) -> Result<(), Error> {
        let target = self.inside(to)?;
        self.write_at(at, |path| symlink(target, path))
    }

    /// Makes a link to whatever `target` is, for readers who look where it leads.
    pub(crate) fn link_anywhere(&self, target: &[u8], at: &Path) -> Result<(), Error> {
        self.write_at(at, |path| symlink(OsStr::from_bytes(target), path))
    }

    /// Removes the folder, for good: whoever wants to write into it from now on gets an error.
    pub(crate) fn clear(&self) {
        let folder = self.folder.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(folder);
    }

    fn inside(&self, at: &Path) -> Result<PathBuf, Error> {
        if at.components().all(|component| matches!(component, Component::Normal(_))) {
            return Ok(self.path.join(at));
        }
        Err(Error::Write(at.to_owned(), io::Error::other("it is outside of the scratch folder")))
    }

    fn write_at<T>(&self, at: &Path, write: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Error> {
        let path = self.inside(at)?;
        let folder = self.folder.read().unwrap_or_else(PoisonError::into_inner);
        let written =
            if folder.is_some() { write(&path) } else { Err(io::Error::other("the scratch folder is gone")) };
        written.map_err(|error| Error::Write(path, error))
    }
}

/// What the names of scratch folders begin with.
const SCRATCH_PREFIX: &str = "osh-registry-auth-scratch-";
