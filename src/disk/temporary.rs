//! Temporary files beside those that they are for, with names that nobody else gives to a file.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

const PREFIX: &str = ".osh-registry-auth-";
const SUFFIX: &str = ".tmp";
/// How many random letters and digits are between.
const RANDOM: usize = 12;

pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    builder
}

/// Whether a file is a temporary one of this program.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let random = name.strip_prefix(PREFIX.as_bytes()).and_then(|name| name.strip_suffix(SUFFIX.as_bytes()));
    random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric))
}

/// Removes the temporary files that a run which was killed has left below `root`, and counts
/// them. The caller holds the lock on `root`.
pub(crate) fn clear_up(root: &Path) -> usize {
    let is_hidden_folder = |entry: &DirEntry| {
        entry.file_type().is_dir() && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden_folder(entry));
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && is_temporary(entry.file_name()))
        .filter(|entry| !is_locked_below(root, entry.path()) && fs::remove_file(entry.path()).is_ok())
        .count()
}

/// Whether a folder between `root` and `file` is locked by a run that could not lock `root`: by
/// somebody who may not read it.
fn is_locked_below(root: &Path, file: &Path) -> bool {
    let mut folders = file.ancestors().skip(1).take_while(|folder| *folder != root);
    folders.any(|folder| {
        let tried = File::open(folder).map(|folder| folder.try_lock_shared());
        matches!(tried, Ok(Err(TryLockError::WouldBlock)))
    })
}
