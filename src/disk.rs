//! The only module that writes to a disk. clippy's `disallowed-methods` keep it so.
//!
//! A file is never written in place: its new text is *staged*, complete and flushed, in a
//! temporary file in the same folder, which then takes its name. Whenever the program ends, the
//! file is wholly the old one or wholly the new one.

#![expect(clippy::disallowed_methods, reason = "this is the module that is allowed to")]

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use tempfile::{TempDir, TempPath};
use walkdir::WalkDir;

use crate::error::Error;

/// What the names of temporary files begin with and end in, with so many random letters and digits
/// between: names that nobody else gives to a file.
const PREFIX: &str = ".osh-registry-auth-";
const SUFFIX: &str = ".tmp";
const RANDOM: usize = 12;

/// What the name of an old file ends in that could not be put back.
const OLD: &str = ".before-osh-registry-auth";

/// What is about to be done to a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
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

/// Is asked before each [`Step`], and ends the work by an error: that is how a signal ends it
/// between two steps, and how tests have it fail or die at each of them.
pub type Watch<'w> = dyn Fn(Step, &Path) -> Result<(), Error> + Sync + 'w;

/// A text that is complete on the disk, but does not have its name yet. Dropped, it goes away.
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    new: TempPath,
    /// The file that it is to replace.
    old: Option<TempPath>,
}

/// A file that has been replaced, or is new. Dropped, it stays so.
#[derive(Debug)]
pub struct Replaced {
    target: PathBuf,
    old: Option<TempPath>,
}

impl Staged {
    /// Puts `text` beside `target`, whose permissions and owner it takes over, if it is there. The
    /// old file is kept too, so that it can be put back without asking the disk for anything.
    ///
    /// # Errors
    /// Where the folder or the disk does not take it, or `watch` says so.
    pub fn new(target: &Path, text: &str, watch: &Watch<'_>) -> Result<Self, Error> {
        let failed = |error| Error::Write(target.to_owned(), error);
        let metadata = match target.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let new = write_beside(target, text.as_bytes(), metadata.as_ref(), watch)?;
        let mut old = None;
        if let Some(metadata) = &metadata {
            watch(Step::Keep, target)?;
            let folder = target.parent().unwrap_or(Path::new("."));
            let linked = temporary().make_in(folder, |name| fs::hard_link(target, name));
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

    /// Makes the text the file at the target.
    ///
    /// # Errors
    /// Where that cannot be done, or `watch` says so.
    pub fn replace(self, watch: &Watch<'_>) -> Result<Replaced, Error> {
        let Staged { target, new, old } = self;
        watch(Step::Replace, &target)?;
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

/// A file that could not be put back.
#[derive(Debug)]
pub struct Left {
    /// The file, which holds the new text or what somebody else has made of it.
    pub path: PathBuf,
    /// Where the old text is now, if there was one.
    pub old: Option<PathBuf>,
}

impl Replaced {
    /// Puts the old file back, or takes the new one away where there was none. What is there must be
    /// `new` still: what somebody else has made of it is left alone.
    ///
    /// # Errors
    /// What could not be put back, and where the old file is kept.
    pub fn put_back(self, new: &str) -> Result<(), Left> {
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
/// `OLD.1` and so on. The answer is where it is.
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

/// Whether a file is a temporary one of this program.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let random = name.strip_prefix(PREFIX.as_bytes()).and_then(|name| name.strip_suffix(SUFFIX.as_bytes()));
    random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric))
}

fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    builder
}

/// Writes a temporary file beside `target`, with the mode and owner in `like`.
fn write_beside(
    target: &Path,
    text: &[u8],
    like: Option<&Metadata>,
    watch: &Watch<'_>,
) -> Result<TempPath, Error> {
    let failed = |error| Error::Write(target.to_owned(), error);
    watch(Step::Create, target)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut builder = temporary();
    if like.is_none() {
        // As any other new file, the umask taken off; a temporary one is for its owner alone.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let (mut file, path) = builder.tempfile_in(folder).map_err(failed)?.into_parts();
    watch(Step::Write, target)?;
    file.write_all(text).map_err(failed)?;
    if let Some(like) = like {
        keep_attributes(&file, like).map_err(failed)?;
    }
    watch(Step::Flush, target)?;
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
///
/// # Errors
/// Where one cannot be made, or `watch` says so; those before it are in `made`.
pub fn make_folders(folder: &Path, made: &mut Vec<PathBuf>, watch: &Watch<'_>) -> Result<(), Error> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        watch(Step::MakeFolder, folder)?;
        fs::create_dir(folder).map_err(|error| Error::Write(folder.to_owned(), error))?;
        made.push(folder.to_owned());
    }
    Ok(())
}

/// Takes a folder away, unless somebody has put something into it.
pub fn remove_folder(folder: &Path) {
    let _ = fs::remove_dir(folder);
}

/// Has the names of the files in `folder` written to the disk, as far as its file system can.
pub fn flush_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Takes away the temporary files that a run which was killed has left below `root`, and counts
/// them. Nobody else may be at work there.
#[must_use]
pub fn clear_up(root: &Path) -> usize {
    let is_hidden = |name: &[u8]| name.starts_with(b".");
    let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| {
        entry.depth() == 0 || !entry.file_type().is_dir() || !is_hidden(entry.file_name().as_encoded_bytes())
    });
    walk.filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && is_temporary(entry.file_name()))
        .map(walkdir::DirEntry::into_path)
        .filter(|file| !is_locked_below(root, file) && fs::remove_file(file).is_ok())
        .count()
}

/// Whether a folder between `root` and `file` is locked by a run that could not lock `root`: by
/// somebody who may not read it.
fn is_locked_below(root: &Path, file: &Path) -> bool {
    let folders = file.ancestors().skip(1).take_while(|folder| *folder != root);
    let is_locked = |folder: &Path| {
        let tried = File::open(folder).map(|folder| folder.try_lock_shared());
        matches!(tried, Ok(Err(TryLockError::WouldBlock)))
    };
    folders.into_iter().any(is_locked)
}

/// Opens what the user names for the output: a pipe or a device stays what it is.
///
/// # Errors
/// Where that cannot be written to.
pub fn output(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// A folder for what is looked at once and thrown away. Dropped or cleared, it goes with all that is
/// in it. Paths are relative to it, and nothing outside of it can be written.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// Empty once it was cleared. Whoever writes has it open for reading meanwhile, so that nothing
    /// comes into the folder while it is being taken away.
    folder: RwLock<Option<TempDir>>,
}

impl Scratch {
    /// Makes a folder where temporary files go ($TMPDIR, or /tmp).
    ///
    /// # Errors
    /// Where that cannot be done.
    pub fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix(SCRATCH_PREFIX)
            .tempdir_in(&parent)
            .map_err(|error| Error::Write(parent, error))?;
        // Programs say the whole path of what they complain of.
        let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned());
        Ok(Scratch { path, folder: RwLock::new(Some(folder)) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder, and those that it is in.
    ///
    /// # Errors
    /// Where that cannot be done, here as below.
    pub fn make_folder(&self, at: &Path) -> Result<(), Error> {
        self.write_at(at, |path| fs::create_dir_all(path))
    }

    /// Writes a file.
    ///
    /// # Errors
    /// See above.
    pub fn write(&self, at: &Path, text: &[u8]) -> Result<(), Error> {
        self.write_at(at, |path| fs::write(path, text))
    }

    /// Copies a file from anywhere.
    ///
    /// # Errors
    /// See above.
    pub fn copy(&self, from: &Path, at: &Path) -> Result<(), Error> {
        let text = fs::read(from).map_err(|error| Error::Read(from.to_owned(), error))?;
        self.write(at, &text)
    }

    /// Makes a link to something else in this folder.
    ///
    /// # Errors
    /// See above.
    pub fn link(&self, to: &Path, at: &Path) -> Result<(), Error> {
        let target = self.inside(to)?;
        self.write_at(at, |path| symlink(target, path))
    }

    /// Makes a file for somebody else to write into.
    ///
    /// # Errors
    /// See above.
    pub fn create(&self, at: &Path) -> Result<File, Error> {
        self.write_at(at, |path| {
            File::options().read(true).write(true).create(true).truncate(true).open(path)
        })
    }

    /// Takes the folder away, for good: whoever wants to write into it from now on gets an error.
    pub fn clear(&self) {
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
