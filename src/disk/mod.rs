//! The only module that writes to a disk. clippy's `disallowed-methods` keep it so.
//!
//! A file is never written in place: its new text is *staged* ([`replace`]), complete and flushed, in a
//! temporary file in the same folder, which then takes its name. Whenever the program ends, the
//! file is wholly the old one or wholly the new one. What a run that was killed has left is taken away by the
//! next one ([`temporary`]).

#![expect(clippy::disallowed_methods, reason = "this is the module that is allowed to")]

mod replace;
mod scratch;
mod temporary;

use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) use replace::{Replaced, Staged, flush_folder, make_folders, remove_folder};
pub use replace::{Watch, WriteStep};
pub(crate) use scratch::Scratch;
pub(crate) use temporary::{clear_up, is_temporary};

/// Opens a file that the user names for a report: a pipe or a device stays what it is.
pub(crate) fn open_report(path: &Path) -> io::Result<File> {
    File::create(path)
}
