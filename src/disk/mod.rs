//! The only module that writes to a disk. clippy's `disallowed-methods` keep it so.
//!
//! A file is never written in place: its new text is *staged* ([`replace`]), complete and flushed, in a
//! temporary file in the same folder, which then changes places with it. Whenever the program ends, the
//! file is wholly the old one or wholly the new one. What a run that was killed has left is taken away by the
//! next one ([`temporary`]).

#![expect(clippy::disallowed_methods, reason = "this is the module that is allowed to")]

mod replace;
mod scratch;
mod temporary;

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub(crate) use replace::{Replaced, Staged, flush_folder, holds, make_folders, remove_folder};
pub use replace::{Watch, WriteStep};
pub(crate) use scratch::Scratch;
pub(crate) use temporary::{clear_up, is_temporary};

/// Opens a file that the user names for a report: a pipe or a device stays what it is.
pub(crate) fn open_report(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Writes a file that the user names, and the folders on the way: complete under its name or not at all, and for its
/// owner alone where it `is_secret`. A pipe or a device stays what it is.
pub(crate) fn write_for_owner(path: &Path, text: &str, is_secret: bool) -> io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return File::options().write(true).open(path)?.write_all(text.as_bytes());
    }
    // What a link leads to is replaced, and not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mode = if is_secret { 0o600 } else { 0o666 };
    let mut file = temporary::builder().permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(Into::into)
}
