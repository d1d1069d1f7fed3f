//! A file that takes the place of another.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
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
    /// Keep the old file under a second name, where files cannot be exchanged.
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
pub(crate) struct Staged<'t> {
    target: PathBuf,
    text: &'t str,
    new: TempPath,
}

/// A file that has been replaced, or is new. Stays so when this is dropped.
#[derive(Debug)]
pub(crate) struct Replaced<'t> {
    target: PathBuf,
    text: &'t str,
    old: Option<TempPath>,
}

impl<'t> Staged<'t> {
    /// Writes `text` beside `target`, with its permissions and owner, if it is there.
    pub(crate) fn new(target: &Path, text: &'t str, watch: &Watch<'_>) -> Result<Self, Error> {
        let metadata = match target.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::Write(target.to_owned(), error)),
        };
        let new = write_beside(target, text.as_bytes(), metadata.as_ref(), watch)?;
        Ok(Staged { target: target.to_owned(), text, new })
    }

    /// Gives the text its name, in place of a file that holds `old`, if there is to be one. That is kept, so that it
    /// can be put back without asking the disk for anything.
    pub(crate) fn replace(self, old: Option<&str>, watch: &Watch<'_>) -> Result<Replaced<'t>, Error> {
        let Staged { target, text, new } = self;
        watch(WriteStep::Replace, &target)?;
        let old = match old {
            None => {
                new.persist_noclobber(&target).map_err(|kept| Error::Write(target.clone(), kept.error))?;
                None
            }
            Some(old) => match exchange(&new, &target, old) {
                Ok(true) => Some(new),
                Ok(false) => {
                    // Somebody was at it between two exchanges.
                    if !holds(&new, text) {
                        keep(new, &target);
                    }
                    return Err(Error::Changed(target));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Changed(target)),
                Err(_) => Some(replace_by_link(new, &target, watch)?),
            },
        };
        Ok(Replaced { target, text, old })
    }
}

/// Lets two files change places, and looks at what came out: a file that holds `expected`, or both go back. Nobody can
/// change a file between a look at it and its replacement, where the look comes last.
///
/// # Errors
/// Where the file system cannot do that; nothing has changed.
fn exchange(new: &Path, target: &Path, expected: &str) -> io::Result<bool> {
    let swap = || renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE);
    swap()?;
    let is_expected = holds(new, expected);
    if !is_expected {
        // What cannot go back is kept by the caller, under another name.
        let _ = swap();
    }
    Ok(is_expected)
}

/// Replaces a file where files cannot be exchanged: the old one gets a second name first.
fn replace_by_link(new: TempPath, target: &Path, watch: &Watch<'_>) -> Result<TempPath, Error> {
    watch(WriteStep::Keep, target)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let linked = temporary::builder().make_in(folder, |name| fs::hard_link(target, name));
    let old = if let Ok(linked) = linked {
        linked.into_temp_path()
    } else {
        // Not every file system has links, and not every file may be linked to.
        let text = fs::read(target).map_err(Error::write(target))?;
        let metadata = target.symlink_metadata().map_err(Error::write(target))?;
        write_beside(target, &text, Some(&metadata), watch)?
    };
    new.persist(target).map_err(|kept| Error::Write(target.to_owned(), kept.error))?;
    Ok(old)
}

/// Whether there is a file at `path`, and `text` is what it holds.
pub(crate) fn holds(path: &Path, text: &str) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == text.len() as u64)
        && fs::read(path).is_ok_and(|found| found == text.as_bytes())
}

impl Replaced<'_> {
    /// Puts the old file back, or takes the new one away where there was none. What is there must be the
    /// new one still: what somebody else has made of it is left alone.
    pub(crate) fn put_back(self) -> Result<(), Left> {
        let Replaced { target, text, old } = self;
        let Some(old) = old else {
            let is_gone = holds(&target, text) && fs::remove_file(&target).is_ok();
            return if is_gone { Ok(()) } else { Err(Left { path: target, old: None }) };
        };
        let old = match exchange(&old, &target, text) {
            Ok(true) => return Ok(()),
            Err(_) if holds(&target, text) => match old.persist(&target) {
                Ok(()) => return Ok(()),
                Err(failed) => failed.path,
            },
            _ => old,
        };
        Err(Left { old: Some(keep(old, &target)), path: target })
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
    watch(WriteStep::Create, target)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut builder = temporary::builder();
    if like.is_none() {
        // As any other new file, the umask taken off; a temporary one is for its owner alone.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let (mut file, path) = builder.tempfile_in(folder).map_err(Error::write(target))?.into_parts();
    watch(WriteStep::Write, target)?;
    file.write_all(text).map_err(Error::write(target))?;
    if let Some(like) = like {
        keep_attributes(&file, like).map_err(Error::write(target))?;
    }
    watch(WriteStep::Flush, target)?;
    file.sync_all().map_err(Error::write(target))?;
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
        fs::create_dir(folder).map_err(Error::write(folder))?;
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

#[cfg(test)]
mod tests {
    use super::{holds, replace_by_link};
    use crate::disk::temporary;

    /// As on a file system where files cannot be exchanged.
    #[test]
    fn the_old_file_is_kept_under_a_second_name() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let target = folder.path().join("values.yaml");
        std::fs::write(&target, "old")?;
        let new = temporary::builder().tempfile_in(&folder)?.into_temp_path();
        std::fs::write(&new, "new")?;
        let old = replace_by_link(new, &target, &|_, _| Ok(()))?;
        assert!(holds(&target, "new") && holds(&old, "old"));
        Ok(())
    }
}
