//! Pins what makes two renders of one chart differ: random numbers, the clock, the order of keys.
//!
//! The scratch copies of a chart get the same text in place of each such function, as it is and as
//! planned, so that a render is a function of the chart: what is equal stays equal, and what differs
//! still differs. The words are replaced in actions only, and by backquoted strings, since values that
//! are templates stand in YAML's quotes.

use crate::template::lexer::{Kind, Piece, pieces};

/// A function whose result depends on chance, and how it is pinned.
struct Pin {
    function: &'static str,
    /// Takes the place of the name; the arguments stay.
    name: &'static str,
    /// Goes to the end of the command.
    end: &'static str,
}

const fn pin(function: &'static str, name: &'static str, end: &'static str) -> Pin {
    Pin { function, name, end }
}

const DIGITS: &str = "printf `%05d`";
const CERTIFICATE: &str = "dict `Cert` `CERT` `Key` `KEY`";

const PINS: [Pin; 21] = [
    pin("randAlphaNum", DIGITS, ""),
    pin("randAlpha", DIGITS, ""),
    pin("randNumeric", DIGITS, ""),
    pin("randAscii", DIGITS, ""),
    pin("randBytes", DIGITS, ""),
    pin("randInt", "min", " | int"),
    pin("uuidv4", "`00000000-0000-4000-8000-000000000000`", ""),
    pin("now", "(toDate `2006-01-02` `2006-01-02`)", ""),
    pin("ago", "toString", ""),
    pin("genCA", CERTIFICATE, ""),
    pin("genCAWithKey", CERTIFICATE, ""),
    pin("genSelfSignedCert", CERTIFICATE, ""),
    pin("genSelfSignedCertWithKey", CERTIFICATE, ""),
    pin("genSignedCert", CERTIFICATE, ""),
    pin("genSignedCertWithKey", CERTIFICATE, ""),
    pin("genPrivateKey", "printf `KEY %s`", ""),
    pin("htpasswd", "printf `%s:%s`", ""),
    pin("encryptAES", "printf `%s:%s`", ""),
    pin("bcrypt", "toString", ""),
    pin("shuffle", "toString", ""),
    pin("keys", "keys", " | sortAlpha"),
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
        if matches!(piece.kind, Kind::Text | Kind::Comment | Kind::Close) {
            pin_action(&action, &mut parts);
            action.clear();
        }
    }
    parts.extend(action.iter().map(|piece| piece.text));
    parts.concat()
}

/// The functions in `text` that may depend on chance and are not pinned.
pub(crate) fn unpinned(text: &str) -> impl Iterator<Item = &'static str> {
    let functions = pieces(text).filter(|piece| piece.kind == Kind::Function);
    functions.filter_map(|piece| UNPINNED.into_iter().find(|name| *name == piece.text))
}

/// What Go would not parse is left as it is: in values it may be no action at all.
fn pin_action<'t>(action: &[Piece<'t>], parts: &mut Vec<&'t str>) {
    if action.iter().any(|piece| matches!(piece.kind, Kind::Unknown | Kind::Unterminated)) {
        parts.extend(action.iter().map(|piece| piece.text));
        return;
    }
    // What is to come to the ends of the commands that are open, the innermost last.
    let mut ends = vec![""];
    // Behind the last part that is no white space.
    let mut here = parts.len();
    for piece in action {
        if matches!(piece.kind, Kind::Pipe | Kind::RightParen | Kind::Close)
            && let Some(end) = ends.last_mut()
        {
            parts.insert(here, std::mem::take(end));
        }
        match piece.kind {
            Kind::LeftParen => ends.push(""),
            Kind::RightParen => drop(ends.pop()),
            _ => {}
        }
        let is_function = piece.kind == Kind::Function;
        if let Some(pin) = PINS.iter().find(|pin| is_function && pin.function == piece.text) {
            parts.push(pin.name);
            if let Some(end) = ends.last_mut() {
                *end = pin.end;
            }
        } else {
            parts.push(piece.text);
        }
        if piece.kind != Kind::Space {
            here = parts.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{pinned, unpinned};

    #[test]
    fn functions_are_pinned() {
        let cases = [
            ("a: {{ randAlphaNum 32 | b64enc }}", "a: {{ printf `%05d` 32 | b64enc }}"),
            ("{{ 32 | randAlpha }}", "{{ 32 | printf `%05d` }}"),
            (
                "{{ printf \"%s-%s\" (randNumeric 5) uuidv4 }}",
                "{{ printf \"%s-%s\" (printf `%05d` 5) `00000000-0000-4000-8000-000000000000` }}",
            ),
            ("{{ now.Unix }}", "{{ (toDate `2006-01-02` `2006-01-02`).Unix }}"),
            (
                "{{ (genSelfSignedCert \"a\" nil nil 365).Cert }}",
                "{{ (dict `Cert` `CERT` `Key` `KEY` \"a\" nil nil 365).Cert }}",
            ),
            ("{{randInt 1 9}}", "{{min 1 9 | int}}"),
            ("{{- range $k := keys .a -}}", "{{- range $k := keys .a | sortAlpha -}}"),
            ("{{ keys .a | join \",\" }}", "{{ keys .a | sortAlpha | join \",\" }}"),
            ("{{ .a | keys }}", "{{ .a | keys | sortAlpha }}"),
            (
                "{{ join (keys (merge .a (dict (keys .b | first) 1))) \",\" }}",
                "{{ join (keys (merge .a (dict (keys .b | sortAlpha | first) 1)) | sortAlpha) \",\" }}",
            ),
            (
                "{{- define \"now\" -}}{{ now }}{{- end -}}",
                "{{- define \"now\" -}}{{ (toDate `2006-01-02` `2006-01-02`) }}{{- end -}}",
            ),
            ("{{ if\n  (now)\n}}", "{{ if\n  ((toDate `2006-01-02` `2006-01-02`))\n}}"),
            (
                "a: '{{ keys .a }}'\nb: \"{{ shuffle `x` }}\"",
                "a: '{{ keys .a | sortAlpha }}'\nb: \"{{ toString `x` }}\"",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(pinned(text), expected);
        }
    }

    #[test]
    fn what_is_no_function_stays() {
        for text in [
            "now {{/* now */}} now",
            "{{- /* keys */ -}}{{ \"now\" }}{{ `keys` }}{{ 'n' }}",
            "{{ .Values.now }}{{ .now }}{{ $now }}{{ $.keys.now }}{{ nowhere }}",
            "{{ include \"now\" . }}{{ template \"keys\" }}",
            // Escaped for YAML, and not closed: the lexer cannot know where these end.
            "a: \"{{ printf \\\"%s\\\" now }}\"\nkeys: {}\nb: }}",
            "# {{ now\nkeys: {a: 1}",
            "{{ now",
        ] {
            assert_eq!(pinned(text), text);
        }
    }

    #[test]
    fn what_is_not_pinned_is_named() {
        let text = "{{ values .a }}{{ .values }}{{ now | date \"2006\" }}{{/* htmlDate */}}";
        assert_eq!(unpinned(text).collect::<Vec<_>>(), ["values", "date"]);
    }
}
