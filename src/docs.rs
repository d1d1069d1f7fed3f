//! The page that tells operators how to switch registry authentication on, and its line in the list of
//! pages (toctree) of the documentation that goes with the charts.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use crate::chart::{self, Source};
use crate::edit::Edit;
use crate::error::{Place, Refusal};
use crate::finding::{Finding, FindingId};
use crate::yaml::Position;

/// Where documentation is, seen from the folder around the charts.
pub const FOLDER: &str = "doc/source";

/// The page.
pub const PAGE: &str = include_str!("../templates/registry-authentication.rst");

/// What the page is called, in lists of pages and, with `.rst`, on the disk.
pub const NAME: &str = "registry-authentication";

/// The folders whose index may list the page, the best first, seen from [`FOLDER`].
const HOMES: [&str; 2] = ["install", ""];

/// Documentation that is to have the page.
#[derive(Debug)]
pub struct Docs {
    /// Where the page belongs, seen from [`FOLDER`].
    pub page: PathBuf,
    /// Whether something is there.
    pub has_page: bool,
    /// The index that is to list it.
    pub index: Source,
    /// What lists it, where it is not listed yet.
    pub line: Option<Edit>,
}

impl Docs {
    /// Looks at the documentation in the folder `dir`. Where nothing in it can list the page, the answer is
    /// what to say about that.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn read(dir: &Path) -> Result<Result<Self, Finding>, Refusal> {
        for home in HOMES {
            let index = Path::new(home).join("index.rst");
            let Some(text) = index.to_str().map_or(Ok(None), |index| chart::read_text(dir, index))? else {
                continue;
            };
            let line = match line(&text, home) {
                None => continue,
                Some(Line::Listed) => None,
                Some(Line::Missing(edit)) => Some(edit),
            };
            let page = Path::new(home).join(format!("{NAME}.rst"));
            let has_page = dir.join(&page).symlink_metadata().is_ok();
            return Ok(Ok(Docs { page, has_page, index: Source { path: index, text }, line }));
        }
        let what = "neither this nor install/index.rst has a list of pages (toctree) at its margin";
        let fix = format!("write a page by hand, after the one that {NAME}.rst is in other checkouts");
        Ok(Err(Finding::warning(FindingId::NoToctree, Place::file("index.rst"), what, fix)))
    }

    /// Where the line is put in.
    #[must_use]
    pub fn place(&self) -> Place {
        let before = self.line.as_ref().and_then(|edit| self.index.text.get(..edit.range.start));
        let line = before.unwrap_or_default().lines().count().max(1);
        Place::at(&self.index.path, Position { line, column: 1 })
    }
}

/// A list of pages, as far as it matters here.
#[derive(Default)]
struct Toctree<'t> {
    is_glob: bool,
    is_hidden: bool,
    /// Each with the byte offset at which its line ends.
    entries: Vec<(&'t str, usize)>,
}

/// How an index lists the page.
enum Line {
    /// It does.
    Listed,
    /// This makes it.
    Missing(Edit),
}

/// How the index `text` in the folder `home` lists the page. `None`, where no list can take it.
fn line(text: &str, home: &str) -> Option<Line> {
    let toctrees = toctrees(text);
    if toctrees.iter().any(|toctree| toctree.lists(home)) {
        return Some(Line::Listed);
    }
    let is_taken = |toctree: &&Toctree<'_>| !toctree.entries.is_empty();
    let is_seen = |toctree: &&Toctree<'_>| is_taken(toctree) && !toctree.is_hidden;
    let toctree = toctrees.iter().find(is_seen).or_else(|| toctrees.iter().find(is_taken))?;
    let (entry, end) = toctree.entries.last()?;
    let indent = entry.get(..entry.len() - entry.trim_start().len())?;
    let line_break = if entry.ends_with("\r\n") { "\r\n" } else { "\n" };
    let line = if entry.ends_with('\n') {
        format!("{indent}{NAME}{line_break}")
    } else {
        format!("{line_break}{indent}{NAME}")
    };
    Some(Line::Missing(Edit::insert(*end, line)))
}

/// The lists of pages in `text` that stand at its margin: those that are indented may be examples.
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
    toctrees
}

impl Toctree<'_> {
    /// Whether it lists the page, from an index in the folder `home`.
    fn lists(&self, home: &str) -> bool {
        let whole = Path::new("/").join(home).join(NAME);
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
