//! Scratch folders, for copies of charts that Helm renders. They are for their owner alone, whatever the umask:
//! a copy may be made of files that others may not read.
//!
//! Each is locked as long as its run is there. One whose lock is free is of a run that was killed, and the next
//! one of the same user removes it.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
};
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
    /// Open, and with it the lock held, until the program ends.
    _lock: File,
}

impl Scratch {
    /// Makes a folder where temporary files go ($TMPDIR, or /tmp).
    pub(crate) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let (folder, lock) = make_locked(&parent).map_err(Error::write(&parent))?;
        let owner = lock.metadata().map_err(Error::read(folder.path()))?.uid();
        clear_up(&parent, owner);
        // Programs say the whole path of what they complain of.
        let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned());
        Ok(Scratch { path, folder: RwLock::new(Some(folder)), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn make_folder(&self, at: &Path) -> Result<(), Error> {
        self.write_at(at, |path| DirBuilder::new().recursive(true).mode(0o700).create(path))
    }

    pub(crate) fn write(&self, at: &Path, text: &[u8]) -> Result<(), Error> {
        self.write_at(at, |path| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text)
        })
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

    fn write_at(&self, at: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Error> {
        let path = self.inside(at)?;
        let folder = self.folder.read().unwrap_or_else(PoisonError::into_inner);
        let written =
            if folder.is_some() { write(&path) } else { Err(io::Error::other("the scratch folder is gone")) };
        written.map_err(|error| Error::Write(path, error))
    }
}

/// What the names of scratch folders begin with. Those of earlier builds, which lock none, begin otherwise.
const SCRATCH_PREFIX: &str = "osh-registry-auth-locked-";

fn make_locked(parent: &Path) -> io::Result<(TempDir, File)> {
    loop {
        let mut builder = tempfile::Builder::new();
        builder.prefix(SCRATCH_PREFIX).permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir_in(parent)?;
        // Another run may find it before it is locked, and take it for one that was left.
        let lock = match File::open(folder.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        // Where the file system has no locks nothing is cleared up either.
        let _ = lock.lock();
        if folder.path().exists() {
            return Ok((folder, lock));
        }
    }
}

/// Removes what runs of `owner` that were killed have left in `parent`, as far as that can be done.
fn clear_up(parent: &Path, owner: u32) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let is_scratch = |entry: &fs::DirEntry| {
        entry.file_name().as_encoded_bytes().starts_with(SCRATCH_PREFIX.as_bytes())
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == owner)
    };
    for entry in entries.filter(is_scratch) {
        // Held until it is gone, so that a run that has just made it sees that.
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
