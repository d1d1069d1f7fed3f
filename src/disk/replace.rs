//! A file that takes the place of another.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::temporary;
use crate::error::{Error, Left};

/// What the name of an old file ends in that could not be put back.
const OLD: &str = ".before-osh-registry-auth";

/// What is about to be done to a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// Make a folder.
    MakeFolder,
    /// Make a temporary file for a text.
    Create,
    /// Write the text into it.
    Write,
    /// Have it written to the disk.
    Flush,
    /// Keep the old file under a second name.
    Keep,
    /// Give the new text the name of the file that it is for.
    Replace,
    /// Be done with all of it, and let the old files go.
    Finish,
}

/// Called before each [`WriteStep`]; an error ends the work. That is how a signal ends it between two steps, and how
/// tests have it fail or die at each of them.
pub type Watch<'w> = dyn Fn(WriteStep, &Path) -> Result<(), Error> + Sync + 'w;

/// A text that is complete on the disk, but does not have its name yet. Removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Staged {
    target: PathBuf,
    new: TempPath,
    /// The file that it is to replace.
    old: Option<TempPath>,
}

/// A file that has been replaced, or is new. Stays so when this is dropped.
#[derive(Debug)]
pub(crate) struct Replaced {
    target: PathBuf,
    old: Option<TempPath>,
}

impl Staged {
    /// Writes `text` beside `target`, with its permissions and owner, if it is there. The
    /// old file is kept too, so that it can be put back without asking the disk for anything.
    pub(crate) fn new(target: &Path, text: &str, watch: &Watch<'_>) -> Result<Self, Error> {
        let failed = |error| Error::Write(target.to_owned(), error);
        let metadata = match target.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let new = write_beside(target, text.as_bytes(), metadata.as_ref(), watch)?;
        let mut old = None;
        if let Some(metadata) = &metadata {
            watch(WriteStep::Keep, target)?;
            let folder = target.parent().unwrap_or(Path::new("."));
            let linked = temporary::builder().make_in(folder, |name| fs::hard_link(target, name));
            old = Some(if let Ok(linked) = linked {
                linked.into_temp_path()
            } else {
                // Not every file system has links, and not every file may be linked to.
                let text = fs::read(target).map_err(failed)?;
                write_beside(target, &text, Some(metadata), watch)?
            });
        }
        Ok(Staged { target: target.to_owned(), new, old })
    }

    /// Gives the text its name.
    pub(crate) fn replace(self, watch: &Watch<'_>) -> Result<Replaced, Error> {
        let Staged { target, new, old } = self;
        watch(WriteStep::Replace, &target)?;
        let done = match old {
            Some(_) => new.persist(&target),
            None => new.persist_noclobber(&target),
        };
        match done {
            Ok(()) => Ok(Replaced { target, old }),
            Err(failed) => Err(Error::Write(target, failed.error)),
        }
    }
}

impl Replaced {
    /// Puts the old file back, or takes the new one away where there was none. What is there must be
    /// `new` still: what somebody else has made of it is left alone.
    pub(crate) fn put_back(self, new: &str) -> Result<(), Left> {
        let Replaced { target, old } = self;
        let is_ours = fs::read(&target).is_ok_and(|text| text == new.as_bytes());
        let old = match old {
            None if is_ours && fs::remove_file(&target).is_ok() => return Ok(()),
            None => None,
            Some(old) if is_ours => match old.persist(&target) {
                Ok(()) => return Ok(()),
                Err(failed) => Some(failed.path),
            },
            Some(old) => Some(old),
        };
        let old = old.map(|old| keep(old, &target));
        Err(Left { path: target, old })
    }
}

/// Gives the old file a name under which people find it beside `target`: the next free one of `OLD`,
/// `OLD.1` and so on.
///
/// Its own name is one that the next run clears up, so that it is left with that only where the
/// file system takes neither a new name for it nor a second one.
fn keep(mut old: TempPath, target: &Path) -> PathBuf {
    for number in 0..MAX_KEPT {
        let mut name = target.as_os_str().to_owned();
        name.push(OLD);
        if number > 0 {
            name.push(format!(".{number}"));
        }
        old = match old.persist_noclobber(&name) {
            Ok(()) => return PathBuf::from(name),
            Err(failed) => failed.path,
        };
        if fs::hard_link(&old, &name).is_ok() {
            return PathBuf::from(name);
        }
    }
    old.keep().unwrap_or_else(|failed| failed.path.to_path_buf())
}

/// How many old files are kept beside one.
const MAX_KEPT: usize = 100;

/// Writes a temporary file beside `target`, with the mode and owner in `like`.
fn write_beside(
    target: &Path,
    text: &[u8],
    like: Option<&Metadata>,
    watch: &Watch<'_>,
) -> Result<TempPath, Error> {
    let failed = |error| Error::Write(target.to_owned(), error);
    watch(WriteStep::Create, target)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut builder = temporary::builder();
    if like.is_none() {
        // As any other new file, the umask taken off; a temporary one is for its owner alone.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let (mut file, path) = builder.tempfile_in(folder).map_err(failed)?.into_parts();
    watch(WriteStep::Write, target)?;
    file.write_all(text).map_err(failed)?;
    if let Some(like) = like {
        keep_attributes(&file, like).map_err(failed)?;
    }
    watch(WriteStep::Flush, target)?;
    file.sync_all().map_err(failed)?;
    Ok(path)
}

/// Gives `file` the mode and the owner that `old` has.
fn keep_attributes(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only root can give files away, others to groups of their own at most: else the file becomes
        // theirs, as with git.
        let _ =
            fchown(file, Some(old.uid()), Some(old.gid())).or_else(|_| fchown(file, None, Some(old.gid())));
    }
    file.set_permissions(old.permissions())
}

/// Makes the folders that are missing on the way to `folder`; gives back those that it made.
pub(crate) fn make_folders(folder: &Path, made: &mut Vec<PathBuf>, watch: &Watch<'_>) -> Result<(), Error> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        watch(WriteStep::MakeFolder, folder)?;
        fs::create_dir(folder).map_err(|error| Error::Write(folder.to_owned(), error))?;
        made.push(folder.to_owned());
    }
    Ok(())
}

/// Removes a folder, unless somebody has put something into it.
pub(crate) fn remove_folder(folder: &Path) {
    let _ = fs::remove_dir(folder);
}

/// Flushes the names of the files in `folder` to the disk, as far as its file system can.
pub(crate) fn flush_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
