//! Files of a checkout, read with limits: nothing is read that is a link or no file, is too large or is no text.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::finding::{Finding, Id, Location};
use crate::target;
use crate::yaml::Position;

/// How large a file may be, in bytes. Helm takes none over 5 MiB out of a packaged chart; the
/// largest values.yaml of OpenStack-Helm has 100 KiB.
pub(crate) const MAX_SIZE: usize = 5 << 20;

/// A text file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Relative to the plan's base.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Reads the text file at `base`/`path`; `None` where there is none.
///
/// # Errors
/// A refusal where it cannot be read, is or lies behind a link, or is no text of reasonable size.
pub(crate) fn read_text(base: &Path, path: &Path) -> Result<Option<String>, Finding> {
    let whole = base.join(path);
    match whole.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Finding::unreadable(path, &error)),
        Ok(_) => target::way(base, path)?,
    }
    let bytes = read_bytes(&whole).map_err(|error| Finding::unreadable(path, &error))?;
    if bytes.len() > MAX_SIZE {
        let what = format!("is larger than {} MiB", MAX_SIZE >> 20);
        let fix = "split the file, or make the changes by hand";
        return Err(Finding::refused(Id::TooLarge, Location::file(path), what, fix));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', valid).count();
        let column = 1 + valid.iter().rev().take_while(|byte| **byte != b'\n').count();
        let location = Location::at(path, Position { line, column });
        Finding::refused(
            Id::NotUtf8,
            location,
            "the text is not UTF-8",
            "convert the file, for instance with iconv",
        )
    })
}

/// Reads a file; of one that is larger than [`MAX_SIZE`], one byte more than that.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(MAX_SIZE + 1);
    let mut bytes = vec![0; size];
    // In one piece: `read_to_end` takes three calls.
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads what a user names: a file, a pipe, or with `-` standard input.
pub(crate) fn read_input(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether Helm renders nothing of a template at `path` but what others take from it: its name starts with `_`.
pub(crate) fn is_partial(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"_"))
}

/// Lists the names in a folder; none, where there is no such folder.
pub(crate) fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
