//! What lies where a file is to be written.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::disk;
use crate::error::{Place, Reason, Refusal};
use crate::finding::{Finding, FindingId};

/// Looks at the way from the chart's folder `dir` to the file at `path` in it. A file that has other
/// names (hard links) is warned about: replacing it leaves the text under these as it is.
///
/// # Errors
/// Where it leads through a link, even out of the checkout, or to something that is no file or
/// through something that is no folder.
pub(super) fn look(dir: &Path, path: &Path) -> Result<Option<Finding>, Refusal> {
    // The file comes first, then the folders around it; the last one is the chart itself.
    for (depth, part) in path.ancestors().take_while(|part| !part.as_os_str().is_empty()).enumerate() {
        // Nothing there: it will be made.
        let Ok(metadata) = dir.join(part).symlink_metadata() else { continue };
        if metadata.is_symlink() {
            let what = "is a link, and what it leads to may belong to others";
            let kind = if depth == 0 { "file" } else { "folder" };
            let advice = format!("make it a plain {kind}, or change what it leads to by hand");
            return Err(Refusal::new(Reason::Link, Place::file(part), what, advice));
        }
        if depth == 0 && !metadata.is_file() {
            let what = "is a folder or a device, where a file belongs";
            return Err(Refusal::new(Reason::NoFile, Place::file(part), what, "move it away"));
        }
        if depth > 0 && !metadata.is_dir() {
            let what = "is a file, where a folder belongs";
            return Err(Refusal::new(Reason::NoFolder, Place::file(part), what, "move it away"));
        }
    }
    let file = dir.join(path);
    let names = file.symlink_metadata().map_or(1, |metadata| names_of_others(&file, &metadata));
    Ok((names > 1).then(|| {
        let what = format!("has {names} names (hard links): the text under the others stays as it is");
        Finding::warning(FindingId::HardLink, Place::file(path), what, "see to those by hand")
    }))
}

/// How many names the file at `path` has, without those that a run which was killed has left beside it.
fn names_of_others(path: &Path, file: &Metadata) -> u64 {
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
