//! The part of a large YAML text that is asked about, for a first look at little cost.

/// `text` with no more left in it than the top-level `keys`, without what is below them, and of the
/// top-level `blocks` the entries that are named. All stay in their own lines: what is left out leaves its
/// line breaks behind.
///
/// For texts whose upper two levels are plain to see: lines that are indented no further than an entry are
/// comments, `---`, `...` or `key:`. `None` for any other, and where one of the blocks stands there twice.
///
/// What a parser reads from the excerpt is what it reads from the whole, if that is valid YAML:
/// inside of a block mapping nothing but its keys may stand at their indent. Whether it is valid,
/// the excerpt cannot say; so it is good enough to see that nothing has to be done, and never to
/// do something.
#[must_use]
pub fn excerpt(text: &str, keys: &[&str], blocks: &[(&str, &[&str])]) -> Option<String> {
    let mut result = String::with_capacity(text.len() / 8);
    let mut seen = vec![false; keys.len() + blocks.len()];
    let mut started = false;
    // The block that is kept in part, if it is one of those.
    let mut block: Option<Block<'_>> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        let (line, below) = rest.split_at(end);
        rest = below;
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
                return (!below.starts_with("---") && !below.contains("\n---")).then_some(result);
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
        result.push_str(if shown { line } else { "\n" });
    }
    Some(result)
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
