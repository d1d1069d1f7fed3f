//! The part of a large YAML text that is asked about, for a first look at little cost.

/// `text` with only these top-level `blocks` left in it, and of some others the `keys`. All stay in
/// their own lines: what is left out leaves its line breaks behind.
///
/// For texts whose top level is plain to see: lines that are not indented are comments, `---`,
/// `...` or `key:`. `None` for any other, and where one of the blocks stands there twice.
///
/// What a parser reads from the excerpt is what it reads from the whole, if that is valid YAML:
/// inside of a block mapping nothing but its keys may stand without indent. Whether it is valid,
/// the excerpt cannot say; so it is good enough to see that nothing has to be done, and never to
/// do something.
#[must_use]
pub fn excerpt(text: &str, keys: &[&str], blocks: &[&str]) -> Option<String> {
    let mut result = String::with_capacity(text.len() / 4);
    let mut seen = vec![false; keys.len() + blocks.len()];
    let (mut started, mut kept) = (false, false);
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        let (line, below) = rest.split_at(end);
        rest = below;
        let mut shown = kept;
        match line.as_bytes() {
            [b' ', ..] if started => {}
            [b'\n' | b'#', ..] => {}
            b"---\n" if !started => {}
            b"...\n" | b"..." => {
                return (!below.starts_with("---") && !below.contains("\n---")).then_some(result);
            }
            [first, ..] if first.is_ascii_alphabetic() || *first == b'_' => {
                let (key, value) = line.split_once(':')?;
                let is_name = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                if !is_name || !(value.is_empty() || value.starts_with([' ', '\n'])) {
                    return None;
                }
                started = true;
                kept = false;
                shown = false;
                if let Some(index) = keys.iter().chain(blocks).position(|wanted| *wanted == key) {
                    let twice = std::mem::replace(seen.get_mut(index)?, true);
                    if twice {
                        return None;
                    }
                    kept = index >= keys.len();
                    shown = true;
                }
            }
            _ => return None,
        }
        result.push_str(if shown { line } else { "\n" });
    }
    Some(result)
}
