//! Pins what makes two renders of one chart differ: random numbers, the clock, the order of keys.
//!
//! The scratch copies of a chart get the same text in place of each such function, as it is and as
//! planned, so that a render is a function of the chart: what is equal stays equal, and what differs
//! still differs. The words are replaced in actions only, and by backquoted strings, since values that
//! are templates stand in YAML's quotes.

use crate::template::lexer::{Piece, PieceKind, pieces};

const DIGITS: &str = "printf `%05d`";
const CERTIFICATE: &str = "dict `Cert` `CERT` `Key` `KEY`";

/// The functions whose results depend on chance: what takes the place of the name, before the arguments, and what goes
/// to the end of the command.
const PINS: [(&str, &str, &str); 21] = [
    ("randAlphaNum", DIGITS, ""),
    ("randAlpha", DIGITS, ""),
    ("randNumeric", DIGITS, ""),
    ("randAscii", DIGITS, ""),
    ("randBytes", DIGITS, ""),
    ("randInt", "min", " | int"),
    ("uuidv4", "`00000000-0000-4000-8000-000000000000`", ""),
    ("now", "(toDate `2006-01-02` `2006-01-02`)", ""),
    ("ago", "toString", ""),
    ("genCA", CERTIFICATE, ""),
    ("genCAWithKey", CERTIFICATE, ""),
    ("genSelfSignedCert", CERTIFICATE, ""),
    ("genSelfSignedCertWithKey", CERTIFICATE, ""),
    ("genSignedCert", CERTIFICATE, ""),
    ("genSignedCertWithKey", CERTIFICATE, ""),
    ("genPrivateKey", "printf `KEY %s`", ""),
    ("htpasswd", "printf `%s:%s`", ""),
    ("encryptAES", "printf `%s:%s`", ""),
    ("bcrypt", "toString", ""),
    ("shuffle", "toString", ""),
    ("keys", "keys", " | sortAlpha"),
];

/// Functions that may depend on the clock or on the order of keys, and cannot be pinned.
const UNPINNED: [&str; 7] =
    ["values", "date", "dateInZone", "date_in_zone", "htmlDate", "htmlDateInZone", "durationRound"];

/// `text`, a template or values that hold some, with all functions of the table pinned.
pub(crate) fn pinned(text: &str) -> String {
    let mut parts = Vec::new();
    let mut action = Vec::new();
    for piece in pieces(text) {
        action.push(piece);
        if matches!(piece.kind, PieceKind::Text | PieceKind::Comment | PieceKind::Close) {
            pin_action(&action, &mut parts);
            action.clear();
        }
    }
    parts.extend(action.iter().map(|piece| piece.text));
    parts.concat()
}

/// The functions in `text` that may depend on chance and are not pinned.
pub(crate) fn unpinned(text: &str) -> impl Iterator<Item = &'static str> {
    let functions = pieces(text).filter(|piece| piece.kind == PieceKind::Function);
    functions.filter_map(|piece| UNPINNED.into_iter().find(|name| *name == piece.text))
}

/// What Go would not parse is left as it is: in values it may be no action at all.
fn pin_action<'t>(action: &[Piece<'t>], parts: &mut Vec<&'t str>) {
    if action.iter().any(|piece| matches!(piece.kind, PieceKind::Unknown | PieceKind::Unterminated)) {
        parts.extend(action.iter().map(|piece| piece.text));
        return;
    }
    // What is to come to the ends of the commands that are open, the innermost last.
    let mut ends = vec![""];
    // Behind the last part that is no white space.
    let mut here = parts.len();
    for piece in action {
        if matches!(piece.kind, PieceKind::Pipe | PieceKind::RightParen | PieceKind::Close)
            && let Some(end) = ends.last_mut()
        {
            parts.insert(here, std::mem::take(end));
        }
        match piece.kind {
            PieceKind::LeftParen => ends.push(""),
            PieceKind::RightParen => drop(ends.pop()),
            _ => {}
        }
        let is_function = piece.kind == PieceKind::Function;
        if let Some((_, name, at_end)) = PINS.iter().find(|(name, ..)| is_function && *name == piece.text) {
            parts.push(name);
            if let Some(end) = ends.last_mut() {
                *end = at_end;
            }
        } else {
            parts.push(piece.text);
        }
        if piece.kind != PieceKind::Space {
            here = parts.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{pinned, unpinned};

    #[test]
    fn functions_are_pinned_and_nothing_else() {
        let table = include_str!("../../testdata/pins.txt").lines();
        let rows: Vec<String> = table
            .filter(|row| !row.is_empty() && !row.starts_with("// "))
            .map(|row| row.replace("\\n", "\n"))
            .collect();
        assert_eq!(rows.len(), 20);
        for row in rows {
            let (text, expected) = row.split_once('\t').unwrap_or((&row, &row));
            assert_eq!(pinned(text), expected);
        }
    }

    #[test]
    fn what_is_not_pinned_is_named() {
        let text = "{{ values .a }}{{ .values }}{{ now | date \"2006\" }}{{/* htmlDate */}}";
        assert_eq!(unpinned(text).collect::<Vec<_>>(), ["values", "date"]);
    }
}
