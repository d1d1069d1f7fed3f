//! What lies where a file is to be read or written.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::disk;
use crate::finding::{Finding, Id, Location};

/// Makes sure that the way from `base` to the file at `path` in it leads through folders, as far as there is
/// anything: what a link leads to may be a secret of whoever runs this, or a file of somebody else.
///
/// # Errors
/// A refusal where it leads through a link, or to something that is no file or through something that is no
/// folder.
pub(crate) fn way(base: &Path, path: &Path) -> Result<(), Finding> {
    for (depth, part) in path.ancestors().take_while(|part| !part.as_os_str().is_empty()).enumerate() {
        // Nothing there: it will be made.
        let Ok(metadata) = base.join(part).symlink_metadata() else { continue };
        let kind = if depth == 0 { "file" } else { "folder" };
        let refuse = |id, what: &str, fix: &str| Err(Finding::refused(id, Location::file(part), what, fix));
        if metadata.is_symlink() {
            let fix = format!("put the {kind} itself in its place");
            return refuse(Id::Link, "is a link, and what it leads to may belong to others", &fix);
        }
        // Reading from a pipe or a device might never end.
        if depth == 0 && !metadata.is_file() {
            let what = if metadata.is_dir() { "is a folder" } else { "is a device or a pipe" };
            let what = format!("{what}, where a file belongs");
            return refuse(Id::NoFile, &what, "move it away, or put the file in its place");
        }
        if depth > 0 && !metadata.is_dir() {
            return refuse(Id::NoFolder, "is a file, where a folder belongs", "move it away");
        }
    }
    Ok(())
}

/// Looks at the [`way`] to a file that is to be written. One that has other names (hard links) is warned about:
/// replacing it leaves the text under these as it is.
///
/// # Errors
/// Those of [`way`].
pub(crate) fn look(base: &Path, path: &Path) -> Result<Option<Finding>, Finding> {
    way(base, path)?;
    let file = base.join(path);
    let names = file.symlink_metadata().map_or(1, |metadata| count_names(&file, &metadata));
    Ok((names > 1).then(|| {
        let what = format!("has {names} names (hard links): the text under the others stays as it is");
        Finding::warning(Id::HardLink, Location::file(path), what, "see to those by hand")
    }))
}

/// Counts the names of the file at `path`, without those that a run which was killed has left beside it.
fn count_names(path: &Path, file: &Metadata) -> u64 {
    if file.nlink() == 1 {
        return 1;
    }
    let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let is_left = |entry: &fs::DirEntry| {
        let is_same = |other: Metadata| (other.dev(), other.ino()) == (file.dev(), file.ino());
        disk::is_temporary(&entry.file_name()) && entry.metadata().is_ok_and(is_same)
    };
    let left = beside.filter(is_left).count();
    file.nlink().saturating_sub(u64::try_from(left).unwrap_or(0))
}
