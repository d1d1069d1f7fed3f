//! Writing the plan to disk, all of it or nothing:
//!
//! 1. Folders that are missing are made, and the new text of every file is staged beside it. A
//!    disk that is full or a folder that may not be written to shows here, when no file has changed
//!    yet; so does a file that is not what it was when the plan was made.
//! 2. Each file is read again and, if it still is what it was, replaced.
//! 3. Where any of that fails, or a signal asks the program to end, what was replaced is put back,
//!    and what was made goes away.
//!
//! A program that is killed cannot put anything back: then some files are the old ones and some are
//! the new ones, each of them whole. The next run clears up what is left of the staging, and completes
//! the job.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::disk::{self, Staged, Watch};
use crate::error::Error;
use crate::plan::{FileChange, Plan};

/// Writes all files that change. `watch` is asked before each step and can end the work.
///
/// # Errors
/// [`Error::Undone`] with the cause.
pub fn apply(plan: &Plan, watch: &Watch<'_>) -> Result<(), Error> {
    let mut done = Done::default();
    write(plan, watch, &mut done)
        .map_err(|error| Error::Undone { cause: Box::new(error), left: done.undo(&plan.base) })
}

/// What was written so far.
#[derive(Default)]
struct Done<'p> {
    folders: Vec<PathBuf>,
    files: Vec<&'p FileChange>,
}

fn write<'p>(plan: &'p Plan, watch: &Watch<'_>, done: &mut Done<'p>) -> Result<(), Error> {
    let files = plan.files();
    let folder = |change: &FileChange| {
        plan.base.join(&change.path).parent().map_or_else(|| plan.base.clone(), Path::to_owned)
    };
    let folders: BTreeSet<PathBuf> = files.iter().map(|change| folder(change)).collect();
    for folder in &folders {
        disk::make_folders(folder, &mut done.folders, watch)?;
    }
    // The disk is waited for once, and not for each file: they are flushed side by side.
    let staged: Vec<Result<Staged, Error>> = files
        .par_iter()
        .map(|change| {
            let path = plan.base.join(&change.path);
            expect(&path, change.old.as_deref())?;
            Staged::new(&path, &change.new, watch)
        })
        .collect();
    let staged = staged.into_iter().collect::<Result<Vec<Staged>, Error>>()?;
    for (change, staged) in files.into_iter().zip(staged) {
        expect(&plan.base.join(&change.path), change.old.as_deref())?;
        staged.rename(watch)?;
        done.files.push(change);
    }
    folders.par_iter().for_each(|folder| disk::flush_folder(folder));
    Ok(())
}

/// Makes sure that the file at `path` holds `text`, or is not there if that is `None`.
fn expect(path: &Path, text: Option<&str>) -> Result<(), Error> {
    let is_as_expected = match (path.symlink_metadata(), text) {
        (Ok(metadata), Some(text)) => {
            metadata.is_file()
                && metadata.len() == text.len() as u64
                && fs::read(path).map_err(|error| Error::Read(path.to_owned(), error))? == text.as_bytes()
        }
        (Err(error), None) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    if is_as_expected { Ok(()) } else { Err(Error::Changed(path.to_owned())) }
}

impl Done<'_> {
    /// Puts everything back. The answer is what that failed for; so does what somebody else has
    /// changed since.
    fn undo(self, base: &Path) -> Vec<PathBuf> {
        // Whatever asked to end the work does not end this.
        let watch = |_, _: &Path| Ok(());
        let put_back = |change: &FileChange, path: &Path| {
            expect(path, Some(&change.new))?;
            match &change.old {
                Some(old) => Staged::new(path, old, &watch)?.rename(&watch),
                None => disk::remove(path, &watch),
            }
        };
        let paths = self.files.iter().rev().map(|change| (change, base.join(&change.path)));
        let left = paths.filter(|(change, path)| put_back(change, path).is_err());
        let left = left.map(|(_, path)| path).collect();
        for folder in self.folders.iter().rev() {
            disk::remove_folder(folder);
        }
        left
    }
}
