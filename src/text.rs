//! Text for people: names, paths and places from checkouts that anybody may have written.

use std::borrow::Cow;
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use crate::yaml::Position;

/// Escapes line breaks and what could make a terminal show something else than is there.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_bidirectional = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_harmful = |c: char| c.is_control() || is_bidirectional(c);
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(show).collect::<String>().into()
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
