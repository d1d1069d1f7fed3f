//! A lexer for Go templates, after `text/template/parse/lex.go`.
//!
//! It takes any text: what Go would reject is a piece of its own kind, [`PieceKind::Unterminated`] or
//! [`PieceKind::Unknown`], and the pieces put together are the text again. It looks at each byte a bounded
//! number of times.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// What stands outside of actions.
    Text,
    /// `{{`, with the dash and the white space of a trim mark.
    Open,
    /// `}}`, with the white space and the dash of a trim mark.
    Close,
    /// A comment from `{{` to `}}`, both included.
    Comment,
    Space,
    /// `if`, `range`, `define` and the like.
    Keyword,
    /// The name of a function.
    Function,
    /// `$`, `$name`
    Variable,
    /// `.`, `.Name`
    Field,
    Number,
    /// `true`, `false`, `nil`
    Constant,
    /// In double quotes.
    String,
    /// In backquotes.
    RawString,
    /// In single quotes.
    Char,
    LeftParen,
    RightParen,
    Pipe,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    /// A quoted text or a comment whose end is missing.
    Unterminated,
    /// What has no place in an action.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'t> {
    pub(crate) kind: PieceKind,
    /// The byte at which it starts.
    pub(crate) start: usize,
    pub(crate) text: &'t str,
}

impl Piece<'_> {
    pub(crate) fn is_assignment(&self) -> bool {
        matches!(self.kind, PieceKind::Declare | PieceKind::Assign)
    }
}

/// The pieces of `text`, in order and without gaps.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut is_inside = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (kind, length) = if is_inside { inside(rest) } else { outside(rest) };
        let (piece, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let start = text.len() - rest.len();
        rest = behind;
        is_inside = !matches!(kind, PieceKind::Text | PieceKind::Comment | PieceKind::Close);
        Some(Piece { kind, start, text: piece })
    })
}

const KEYWORDS: [&str; 10] =
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// Where the first `{{` is.
fn opening(text: &str) -> Option<usize> {
    let is_open = |at: &usize| text.as_bytes().get(at + 1) == Some(&b'{');
    memchr::memchr_iter(b'{', text.as_bytes()).find(is_open)
}

fn outside(rest: &str) -> (PieceKind, usize) {
    match opening(rest) {
        None => (PieceKind::Text, rest.len()),
        Some(0) => open(rest),
        Some(length) => (PieceKind::Text, length),
    }
}

/// A comment is one only directly behind the braces, or behind the trim mark and its white space.
fn open(rest: &str) -> (PieceKind, usize) {
    let has_trim_mark = matches!(rest.as_bytes(), [_, _, b'-', space, ..] if is_space(*space));
    let open = if has_trim_mark { 4 } else { 2 };
    let Some(comment) = rest.get(open..).and_then(|rest| rest.strip_prefix("/*")) else {
        return (PieceKind::Open, open);
    };
    let is_end = |at: &usize| comment.as_bytes().get(at + 1) == Some(&b'/');
    let length = memchr::memchr_iter(b'*', comment.as_bytes()).find(is_end);
    let Some(length) = length else { return (PieceKind::Unterminated, rest.len()) };
    let end = open + 2 + length + 2;
    match rest.get(end..).and_then(close) {
        Some(close) => (PieceKind::Comment, end + close),
        None => (PieceKind::Unterminated, end),
    }
}

/// The length of what closes an action, where `rest` starts with it.
fn close(rest: &str) -> Option<usize> {
    match rest.as_bytes() {
        [b'}', b'}', ..] => Some(2),
        [space, b'-', b'}', b'}', ..] if is_space(*space) => Some(4),
        _ => None,
    }
}

fn inside(rest: &str) -> (PieceKind, usize) {
    if let Some(length) = close(rest) {
        return (PieceKind::Close, length);
    }
    let mut chars = rest.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else { return (PieceKind::Unknown, rest.len()) };
    match first {
        ' ' | '\t' | '\r' | '\n' => (PieceKind::Space, spaces(rest)),
        '"' => quoted(rest, PieceKind::String),
        '\'' => quoted(rest, PieceKind::Char),
        '`' => match rest.get(1..).and_then(|rest| rest.find('`')) {
            Some(length) => (PieceKind::RawString, length + 2),
            None => (PieceKind::Unterminated, rest.len()),
        },
        '$' => (PieceKind::Variable, 1 + word(rest.get(1..))),
        '.' if !second.is_some_and(|second| second.is_ascii_digit()) => {
            (PieceKind::Field, 1 + word(rest.get(1..)))
        }
        '.' | '+' | '-' | '0'..='9' => number(rest),
        '(' => (PieceKind::LeftParen, 1),
        ')' => (PieceKind::RightParen, 1),
        '|' => (PieceKind::Pipe, 1),
        ',' => (PieceKind::Comma, 1),
        '=' => (PieceKind::Assign, 1),
        ':' if second == Some('=') => (PieceKind::Declare, 2),
        _ if is_alphanumeric(first) => {
            let length = word(Some(rest));
            let kind = match rest.get(..length).unwrap_or_default() {
                "true" | "false" | "nil" => PieceKind::Constant,
                name if KEYWORDS.contains(&name) => PieceKind::Keyword,
                _ => PieceKind::Function,
            };
            (kind, length)
        }
        _ => (PieceKind::Unknown, first.len_utf8()),
    }
}

/// The last white space before a trim mark belongs to the mark.
fn spaces(rest: &str) -> usize {
    let length = rest.bytes().take_while(|byte| is_space(*byte)).count();
    let is_mark = rest.get(length..).is_some_and(|rest| rest.starts_with("-}}"));
    if is_mark { length - 1 } else { length }
}

/// A text in the quotes that `rest` starts with, which ends on the same line.
fn quoted(rest: &str, kind: PieceKind) -> (PieceKind, usize) {
    let quote = rest.as_bytes().first();
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return (PieceKind::Unterminated, at),
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if Some(&byte) == quote => return (kind, at + 1),
            _ => {}
        }
    }
    (PieceKind::Unterminated, rest.len())
}

fn number(text: &str) -> (PieceKind, usize) {
    const DECIMAL: &str = "0123456789_";
    const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
    let mut rest = text;
    let mut accept = |set: &str| {
        let behind = rest.strip_prefix(|c| set.contains(c));
        rest = behind.unwrap_or(rest);
        behind.is_some()
    };
    accept("+-");
    let digits = match accept("0") {
        true if accept("xX") => HEXADECIMAL,
        true if accept("oO") => "01234567_",
        true if accept("bB") => "01_",
        _ => DECIMAL,
    };
    while accept(digits) {}
    if accept(".") {
        while accept(digits) {}
    }
    let exponent = if digits == DECIMAL { "eE" } else { "pP" };
    if digits.len() >= DECIMAL.len() && accept(exponent) {
        accept("+-");
        while accept(DECIMAL) {}
    }
    accept("i");
    let length = text.len() - rest.len();
    let has_digit = text.get(..length).is_some_and(|text| text.contains(|c: char| c.is_ascii_digit()));
    if has_digit && !rest.starts_with(is_alphanumeric) {
        (PieceKind::Number, length)
    } else {
        (PieceKind::Unknown, length)
    }
}

fn word(rest: Option<&str>) -> usize {
    let end = |rest: &str| {
        let ascii = rest.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count();
        let behind = rest.get(ascii..).unwrap_or_default();
        ascii + behind.find(|c| !is_alphanumeric(c)).unwrap_or(behind.len())
    };
    rest.map_or(0, end)
}

/// Unicode's classes are a little wider here than Go's letters and digits.
fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PieceKind, pieces};

    /// The pieces as `PieceKind(text)`, without white space.
    fn shown(text: &str) -> String {
        let shown = pieces(text).filter(|piece| piece.kind != PieceKind::Space);
        shown.map(|piece| format!("{:?}({})", piece.kind, piece.text)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn pieces_are_what_go_makes_of_them() {
        let cases = [
            ("a {{ now }} b", "Text(a ) Open({{) Function(now) Close(}}) Text( b)"),
            ("{{- $x := .a.b -}}", "Open({{- ) Variable($x) Declare(:=) Field(.a) Field(.b) Close( -}})"),
            ("{{-3}}", "Open({{) Number(-3) Close(}})"),
            ("{{- /* a }} b */ -}}c", "Comment({{- /* a }} b */ -}}) Text(c)"),
            ("{{/* a */}}{{ /*", "Comment({{/* a */}}) Open({{) Unknown(/) Unknown(*)"),
            ("{{/* a */ b }}c", "Unterminated({{/* a */) Function(b) Close(}}) Text(c)"),
            ("{{/*/}}", "Unterminated({{/*/}})"),
            (r#"{{ "}} \" `" }}"#, r#"Open({{) String("}} \" `") Close(}})"#),
            ("{{ `a\n}}\\` }}", "Open({{) RawString(`a\n}}\\`) Close(}})"),
            ("{{ \"a\n now", "Open({{) Unterminated(\"a) Function(now)"),
            ("{{ \"a\\\n\" }}", "Open({{) Unterminated(\"a\\) Unterminated(\" }})"),
            (r"{{ '\'' 'a' `", r"Open({{) Char('\'') Char('a') Unterminated(`)"),
            (
                "{{ if and (eq 1 .5) true | not }}",
                "Open({{) Keyword(if) Function(and) LeftParen(() Function(eq) Number(1) Number(.5) RightParen()) Constant(true) Pipe(|) Function(not) Close(}})",
            ),
            (
                "{{ range $k, $v := $ }}",
                "Open({{) Keyword(range) Variable($k) Comma(,) Variable($v) Declare(:=) Variable($) Close(}})",
            ),
            ("{{ $x = 0x1Fp-2 }}", "Open({{) Variable($x) Assign(=) Number(0x1Fp-2) Close(}})"),
            (
                "{{ 1_000.5e+3i 0b12 - }}",
                "Open({{) Number(1_000.5e+3i) Unknown(0b1) Number(2) Unknown(-) Close(}})",
            ),
            (
                "{{ (now).Unix\n  -}}",
                "Open({{) LeftParen(() Function(now) RightParen()) Field(.Unix) Close( -}})",
            ),
            ("{{ größe {{ }} }}", "Open({{) Function(größe) Unknown({) Unknown({) Close(}}) Text( }})"),
            ("}} {", "Text(}} {)"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected);
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_again(fragments in prop::collection::vec(
            prop::sample::select(vec![
                "{{", "}}", "{{- ", " -}}", "/*", "*/", "\"", "`", "'", "\\", "\n", "\r", " ", "-", "é", "now",
                "$", ".", "1", "0x", "e", "(", ")", "|", ":", "=", ",", "{", "}", "if", "\u{2028}", "٣",
            ]),
            0..40,
        )) {
            let text = fragments.concat();
            let mut end = 0;
            for piece in pieces(&text) {
                prop_assert!(!piece.text.is_empty());
                prop_assert_eq!(piece.start, end);
                end = piece.start + piece.text.len();
                prop_assert_eq!(text.get(piece.start..end), Some(piece.text));
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
