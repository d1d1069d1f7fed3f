//! One `apply` at a time: whoever is to write locks the folders that the call names.
//!
//! The locks are the system's own (flock on the folders themselves): nothing is left lying about,
//! and they go when the program ends, however it ends. Other runs may name a folder around ours or
//! inside of it. So a run locks its own folders for itself, and those around them together with
//! others: two runs meet exactly where the folders of one contain, or are, those of the other.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Locks `roots`, whole paths without links in them, as long as the files that it returns are open. Where another run
/// has locked one, calls `waiting` and waits: all runs take their locks in the same order, so that no two can wait for
/// each other.
///
/// # Errors
/// [`Error::Lock`] where the file system has no locks, as some network ones have none.
pub(crate) fn take<'r>(
    roots: impl IntoIterator<Item = &'r PathBuf>,
    waiting: &mut dyn FnMut(&Path),
) -> Result<Vec<File>, Error> {
    let mut folders: BTreeMap<&Path, bool> = BTreeMap::new();
    for root in roots {
        for around in root.ancestors().skip(1) {
            folders.entry(around).or_insert(false);
        }
        folders.insert(root, true);
    }
    let mut locked = Vec::new();
    for (folder, is_root) in folders {
        match lock_folder(folder, is_root, waiting) {
            Ok(file) => locked.push(file),
            Err(error) if is_root => return Err(Error::Lock(folder.to_owned(), error)),
            // A folder around ours that we may not look into: only somebody who may can be at work there.
            Err(_) => {}
        }
    }
    Ok(locked)
}

/// Locks one folder, for this run alone or together with others.
fn lock_folder(folder: &Path, is_alone: bool, waiting: &mut dyn FnMut(&Path)) -> io::Result<File> {
    let file = File::open(folder)?;
    let tried = if is_alone { file.try_lock() } else { file.try_lock_shared() };
    match tried {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            waiting(folder);
            if is_alone { file.lock() } else { file.lock_shared() }?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}
