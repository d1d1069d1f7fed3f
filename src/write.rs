//! Writing the plan to disk, all of it or nothing:
//!
//! 1. Folders that are missing are made, and the new text of every file is staged beside it. A
//!    disk that is full or a folder that may not be written to shows here, when no file has changed
//!    yet; so does a file that is not what it was when the plan was made.
//! 2. Each file changes places with its new text: in the order of [`WriteOrder`](crate::change::WriteOrder), so
//!    that what has been replaced tells what is left to do. What comes out is read; if it is not what the plan was
//!    made from, it goes back. Where a file system cannot exchange files, the look comes before the replacement.
//! 3. Where any of that fails, or a signal asks the program to end, the files that were replaced get
//!    their names back, and what was made is removed. Each was kept until then: this needs no room
//!    on the disk, and brings back the very file, with its time and its other names.
//!
//! A program that is killed cannot put anything back: then some files are the old ones and some are
//! the new ones, each of them whole. The next run clears up what is left of the staging, and completes
//! the job.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::change::FileChange;
use crate::disk::{self, Replaced, Staged, Watch, WriteStep};
use crate::error::{Error, Left};
use crate::plan::Plan;

/// Writes all files of `plan`. `watch` is called before each step and can end the work.
///
/// # Errors
/// [`Error::Undone`] with the cause, after everything was put back as far as possible.
pub fn write(plan: &Plan, watch: &Watch<'_>) -> Result<(), Error> {
    let (mut made, mut replaced) = (Vec::new(), Vec::new());
    write_files(plan, watch, &mut made, &mut replaced)
        .map_err(|error| Error::Undone { cause: Box::new(error), left: put_back(&made, replaced) })
}

/// Adds the folders that are `made` and the files that are `replaced` to those that are so already.
fn write_files<'p>(
    plan: &'p Plan,
    watch: &Watch<'_>,
    made: &mut Vec<PathBuf>,
    replaced: &mut Vec<Replaced<'p>>,
) -> Result<(), Error> {
    let files: Vec<(PathBuf, &FileChange)> =
        plan.in_write_order().into_iter().map(|change| (plan.base.join(&change.path), change)).collect();
    let folders: BTreeSet<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    for folder in &folders {
        disk::make_folders(folder, made, watch)?;
    }
    // The disk is waited for once, and not for each file: they are flushed side by side.
    let staged: Vec<Result<Staged<'_>, Error>> = files
        .par_iter()
        .map(|(path, change)| {
            expect(path, change.old.as_deref())?;
            Staged::new(path, &change.new, watch)
        })
        .collect();
    let staged = staged.into_iter().collect::<Result<Vec<Staged<'_>>, Error>>()?;
    for ((path, change), staged) in files.iter().zip(staged) {
        expect(path, change.old.as_deref())?;
        replaced.push(staged.replace(change.old.as_deref(), watch)?);
    }
    folders.par_iter().for_each(|folder| disk::flush_folder(folder));
    // A signal may have come while the disk was waited for.
    watch(WriteStep::Finish, &plan.base)
}

/// Makes sure that the file at `path` holds `text`, or is not there if that is `None`.
fn expect(path: &Path, text: Option<&str>) -> Result<(), Error> {
    let is_as_expected = match text {
        Some(text) => disk::holds(path, text),
        None => path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound),
    };
    if is_as_expected { Ok(()) } else { Err(Error::Changed(path.to_owned())) }
}

/// Puts everything back, and returns the files for which that failed or which somebody else has changed since.
fn put_back(made: &[PathBuf], replaced: Vec<Replaced<'_>>) -> Vec<Left> {
    let left = replaced.into_iter().rev().filter_map(|replaced| replaced.put_back().err()).collect();
    for folder in made.iter().rev() {
        disk::remove_folder(folder);
    }
    left
}
