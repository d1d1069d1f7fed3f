//! How texts are written as scalars, and which texts YAML parsers read as something else than a string, where they
//! have no quotes.

use std::borrow::Cow;

/// Words that YAML 1.1, which Helm reads, takes for a boolean or null, in some spelling.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether every YAML parser reads `text` as that string. Errs on the side of quotes.
pub(super) fn is_plain_string(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
        && !is_word(text)
}

/// A string as it can be written, in quotes only where it needs them.
pub(crate) fn scalar(text: &str) -> Cow<'_, str> {
    if is_plain_string(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// A string in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            // Among them what YAML takes for a line break, or does not take at all.
            other if other.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(other) => {
                out.extend(["\\U", &format!("{:08x}", u32::from(other))]);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Whether Helm may read `text` as something other than that string: as a boolean, null, a number
/// (`1_0`, `0o7`) or a date.
pub(crate) fn is_ambiguous(text: &str) -> bool {
    let is_number_like = |character: char| character.is_ascii_hexdigit() || "xXoO_.+-:".contains(character);
    is_word(text)
        || text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
            && text.chars().all(is_number_like)
}
