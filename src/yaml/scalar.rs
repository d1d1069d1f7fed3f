//! What a scalar without quotes is to YAML 1.1, which Helm and Kubernetes read; other parsers read 1.2. And how
//! texts are written so that all of them read a string.

use std::borrow::Cow;

/// What Helm takes the plain scalar `text` for, as JSON: `true` for `yes`, `365` for `0555`. `None` where that
/// is the string itself.
///
/// The rules are those of go-yaml's resolve.go, and tried against Helm (tests/accepted.rs).
#[must_use]
pub fn resolve(text: &str) -> Option<String> {
    let word = match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => "true",
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => "false",
        "" | "~" | "null" | "Null" | "NULL" => "null",
        _ => return number(text),
    };
    Some(word.to_owned())
}

fn number(text: &str) -> Option<String> {
    let first = text.chars().next().filter(|first| first.is_ascii_digit() || "+-.".contains(*first))?;
    // Underscores may stand anywhere, but behind a point in front only between digits.
    if first == '.' && text.get(1..)?.split('_').any(str::is_empty) {
        return None;
    }
    let digits = text.replace('_', "");
    if let Some(integer) = integer(&digits) {
        return Some(integer.to_string());
    }
    // Rust reads what Go does, and names such as `inf` besides.
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let float: f64 = digits.parse().ok().filter(|_| is_decimal)?;
    float.is_finite().then(|| float.to_string())
}

/// As Go's `ParseInt` and `ParseUint` with base 0: a leading zero stands for base 8.
fn integer(digits: &str) -> Option<i128> {
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let (rest, base) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (unsigned.get(2..)?, 16),
        [b'0', b'o' | b'O', ..] => (unsigned.get(2..)?, 8),
        [b'0', b'b' | b'B', ..] => (unsigned.get(2..)?, 2),
        [b'0', _, ..] => (unsigned, 8),
        _ => (unsigned, 10),
    };
    let number = i128::from(u64::from_str_radix(rest, base).ok().filter(|_| !rest.starts_with('+'))?);
    Some(if digits.starts_with('-') { -number } else { number })
}

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
