//! Lists of pages (`toctree`) in the index of a Sphinx documentation.

use std::path::Path;

use globset::GlobBuilder;

use crate::edit::Edit;

/// The page as lists name it; on the disk it ends in `.rst`.
pub(crate) const NAME: &str = "registry-authentication";

/// A list of pages, as far as it matters here.
#[derive(Default)]
struct Toctree<'t> {
    is_glob: bool,
    is_hidden: bool,
    /// Each with the byte offset at which its line ends.
    entries: Vec<(&'t str, usize)>,
}

/// How an index lists the page.
pub(crate) enum Listing {
    Listed,
    /// This edit lists it.
    Missing(Edit),
}

/// Looks for the page in the index `text` in the folder `folder`. `None`, where no list can take it.
pub(crate) fn listing(text: &str, folder: &str) -> Option<Listing> {
    let toctrees = toctrees(text);
    if toctrees.iter().any(|toctree| toctree.lists(folder)) {
        return Some(Listing::Listed);
    }
    let toctree = toctrees.iter().find(|toctree| !toctree.is_hidden).or(toctrees.first())?;
    let (entry, end) = toctree.entries.last()?;
    let indent = entry.get(..entry.len() - entry.trim_start().len())?;
    let line_break = if entry.ends_with("\r\n") { "\r\n" } else { "\n" };
    let line = if entry.ends_with('\n') {
        format!("{indent}{NAME}{line_break}")
    } else {
        format!("{line_break}{indent}{NAME}")
    };
    Some(Listing::Missing(Edit::insert(*end, line)))
}

/// The lists of pages in `text` that have some, and stand at its margin: those that are indented may be examples.
fn toctrees(text: &str) -> Vec<Toctree<'_>> {
    let (mut toctrees, mut open, mut is_in_options, mut end) = (Vec::new(), None, false, 0);
    for line in text.split_inclusive('\n') {
        end += line.len();
        let content = line.trim();
        let is_indented = line.starts_with([' ', '\t']);
        if content.is_empty() {
            is_in_options = false;
        } else if !is_indented {
            toctrees.extend(open.take());
            if content == ".. toctree::" {
                (open, is_in_options) = (Some(Toctree::default()), true);
            }
        } else if let Some(toctree) = &mut open {
            match content {
                ":glob:" if is_in_options => toctree.is_glob = true,
                ":hidden:" if is_in_options => toctree.is_hidden = true,
                _ if is_in_options && content.starts_with(':') => {}
                _ if content.starts_with("..") => {}
                _ => toctree.entries.push((line, end)),
            }
        }
    }
    toctrees.extend(open);
    toctrees.retain(|toctree| !toctree.entries.is_empty());
    toctrees
}

impl Toctree<'_> {
    /// Whether it lists the page, from an index in `folder`.
    fn lists(&self, folder: &str) -> bool {
        let whole = Path::new("/").join(folder).join(NAME);
        self.entries.iter().any(|(entry, _)| {
            let entry = entry.trim();
            let target = entry.strip_suffix('>').and_then(|entry| entry.rsplit_once('<'));
            let target = target.map_or(entry, |(_, target)| target);
            let target = target.strip_suffix(".rst").unwrap_or(target);
            let glob = || GlobBuilder::new(target).literal_separator(true).build().ok();
            let matches = |path: &Path| glob().is_some_and(|glob| glob.compile_matcher().is_match(path));
            target == NAME
                || Path::new(target) == whole
                || self.is_glob && (matches(Path::new(NAME)) || matches(&whole))
        })
    }
}
