//! Writing the plan to disk. The only module that changes a checkout.

#![expect(clippy::disallowed_methods, reason = "this is the module that is allowed to")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;
use crate::plan::{FileChange, Plan};

/// Writes all files that change. Each goes through a temporary file beside it, which is renamed
/// over it when it is complete. Where one cannot be written, what was written before is put back.
///
/// # Errors
/// [`Error::Undone`] with the cause.
pub fn apply(plan: &Plan) -> Result<(), Error> {
    let mut done: Vec<&FileChange> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for change in plan.files() {
        if let Err(error) = write(&plan.base, change, &mut folders) {
            return Err(Error::Undone(Box::new(error), undo(&plan.base, &done, &folders)));
        }
        done.push(change);
    }
    Ok(())
}

fn write(base: &Path, change: &FileChange, folders: &mut Vec<PathBuf>) -> Result<(), Error> {
    let path = base.join(&change.path);
    let folder = path.parent().unwrap_or(base);
    let failed = |error| Error::Io(path.clone(), error);
    match &change.old {
        Some(old) if fs::read(&path).map_err(failed)? != old.as_bytes() => return Err(Error::Changed(path)),
        None if path.symlink_metadata().is_ok() => return Err(Error::Changed(path)),
        None if !folder.is_dir() => {
            fs::create_dir_all(folder).map_err(failed)?;
            folders.push(folder.to_owned());
        }
        _ => {}
    }
    replace(&path, &change.new).map_err(failed)
}

/// Puts back the old state of all changes in `done`, and takes away the folders made for them.
/// The answer is what that failed for.
fn undo(base: &Path, done: &[&FileChange], folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut left = Vec::new();
    for change in done.iter().rev() {
        let path = base.join(&change.path);
        let result = match &change.old {
            Some(old) => replace(&path, old),
            None => fs::remove_file(&path),
        };
        if result.is_err() {
            left.push(path);
        }
    }
    // A folder that somebody has put something into meanwhile stays.
    for folder in folders.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
    left
}

/// Makes `text` the content of the file at `path`, which keeps its permissions.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::with_prefix_in(".osh-registry-auth-", folder)?;
    file.write_all(text.as_bytes())?;
    let permissions = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions(),
        Err(_) => new_file_permissions(),
    };
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// What git gives files that are not executable; temporary files are for their owner alone.
#[cfg(unix)]
fn new_file_permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o644)
}
