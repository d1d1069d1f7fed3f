//! Text for people: names, paths and places from checkouts that anybody may have written.

use std::borrow::Cow;
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use crate::yaml::Position;

/// Whether a character is not seen itself, and could make a reader see something else than is there: control
/// characters, those that change the direction of text, those without any width, and separators of lines.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Escapes what [`is_hidden`], line breaks among it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| if is_hidden(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(show).collect::<String>().into()
}

/// The same for several lines, which stay lines; tabs stay too.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_hidden(c) && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
        let parts: Vec<_> = body.split('\t').map(printable).collect();
        shown.extend([&parts.join("\t"), end]);
    }
    shown.into()
}

/// A path as [`printable`] text; `.` for the empty one.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() { ".".to_owned() } else { printable(&text).into_owned() }
}

/// Counts something: `1 chart`, `2 charts`.
pub(crate) fn amount(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Line and column of a byte offset.
pub(crate) fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
    let column = 1 + before.chars().rev().take_while(|character| *character != '\n').count();
    Position { line, column }
}

/// Hashes `parts` to 16 hex digits that are the same on any machine (FNV-1a). Nobody gains by two texts with
/// the same hash, so any stable one will do.
pub(crate) fn stable_hash(parts: &[&str]) -> String {
    let hash = parts.join("\0").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Compiles a pattern of the program's own, for ASCII.
#[expect(clippy::expect_used, reason = "the patterns are constants, and every run compiles them")]
pub(crate) fn pattern(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).unicode(false).build().expect("a valid pattern")
}
