//! The part of a large YAML text that is asked about, for a first look at little cost.

use std::ops::Range;

/// The lines of `text`, each with its line break, that hold the top-level `keys`, without what is below
/// them, and of the top-level `blocks` the entries that are named.
///
/// For texts whose upper two levels are plain to see: lines that are indented no further than an entry are
/// comments, `---`, `...` or `key:`. `None` for any other, and where one of the blocks stands there twice.
///
/// What a parser reads from these lines is what it reads from the whole, if that is valid YAML:
/// inside of a block mapping nothing but its keys may stand at their indent. Whether it is valid,
/// they cannot say; so they are good enough to see that nothing has to be done, and never to
/// do something.
#[must_use]
pub fn excerpt(text: &str, keys: &[&str], blocks: &[(&str, &[&str])]) -> Option<Vec<Range<usize>>> {
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        return None;
    }
    let mut kept = Vec::new();
    let mut seen = vec![false; keys.len() + blocks.len()];
    let mut started = false;
    // The block that is kept in part, if it is one of those.
    let mut block: Option<Block<'_>> = None;
    let mut end = 0;
    while let Some(below) = text.get(end..).filter(|below| !below.is_empty()) {
        let length = memchr::memchr(b'\n', below.as_bytes()).map_or(below.len(), |at| at + 1);
        let (line, below) = below.split_at(length);
        let start = end;
        end += length;
        let mut shown = false;
        match line.as_bytes() {
            [b' ', ..] if started => {
                if let Some(block) = &mut block {
                    shown = block.shows(line)?;
                }
            }
            [b'\n' | b'#', ..] => {}
            b"---\n" if !started => {}
            b"...\n" | b"..." => {
                return (!below.starts_with("---") && !below.contains("\n---")).then_some(kept);
            }
            _ => {
                let key = key_of(line)?;
                started = true;
                block = blocks.iter().find(|(name, _)| *name == key).map(|(_, entries)| Block::new(entries));
                let names = keys.iter().chain(blocks.iter().map(|(name, _)| name));
                if let Some(index) = names.into_iter().position(|wanted| *wanted == key) {
                    let twice = std::mem::replace(seen.get_mut(index)?, true);
                    if twice {
                        return None;
                    }
                    shown = true;
                }
            }
        }
        if shown {
            kept.push(start..end);
        }
    }
    Some(kept)
}

/// A top-level block of which some entries are kept.
struct Block<'e> {
    entries: &'e [&'e str],
    /// How far its keys are indented, known from the first of them.
    indent: Option<usize>,
    /// Whether the entry at hand is kept.
    is_kept: bool,
}

impl<'e> Block<'e> {
    fn new(entries: &'e [&'e str]) -> Self {
        Block { entries, indent: None, is_kept: false }
    }

    /// Whether an indented line below the block's key is kept. `None` where it is not plain to see what
    /// the line is.
    fn shows(&mut self, line: &str) -> Option<bool> {
        let content = line.trim_start_matches(' ');
        if content.starts_with(['\n', '#']) || content.is_empty() {
            return Some(false);
        }
        let indent = line.len() - content.len();
        let keys_at = *self.indent.get_or_insert(indent);
        if indent <= keys_at {
            let key = key_of(content).filter(|_| indent == keys_at)?;
            self.is_kept = self.entries.contains(&key);
        }
        Some(self.is_kept)
    }
}

/// The key of a line that is `key:` or `key: value`, where it is a plain name.
fn key_of(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(':')?;
    let is_name = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (is_name && (value.is_empty() || value.starts_with([' ', '\n']))).then_some(key)
}
