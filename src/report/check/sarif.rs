//! SARIF 2.1.0 (OASIS), which code scanning services read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::list::Listed;
use crate::finding::Finding;
use crate::report::json::write_pretty;

pub(crate) fn write(out: &mut dyn Write, listed: &[Listed<'_>]) -> io::Result<()> {
    let ids: BTreeSet<&str> = listed.iter().map(|listed| listed.finding.id.as_str()).collect();
    let rules: Vec<Value> = ids.iter().map(|id| rule(id)).collect();
    let results: Vec<Value> = listed.iter().map(result).collect();
    write_pretty(
        out,
        &json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        }),
    )
}

/// What each id means, for users.
const FINDINGS: &str = include_str!("../../../docs/findings.md");

/// An id with what is said of it, which code scanning services ask for.
fn rule(id: &str) -> Value {
    let section = FINDINGS.split("\n### ").find_map(|section| section.strip_prefix(&format!("`{id}`\n")));
    let text = section.and_then(|section| section.split("\n```").next()).unwrap_or(id).trim();
    let text = text.replace('\n', " ");
    let end_of_sentence = text.find(". ").map_or(text.len(), |at| at + 1);
    json!({
        "id": id,
        "shortDescription": {"text": text.get(..end_of_sentence)},
        "fullDescription": {"text": text},
        "help": {"text": text},
    })
}

fn result(Listed { chart, finding }: &Listed<'_>) -> Value {
    let Finding { location, id, severity, what, fix, .. } = finding;
    // Code scanning shows no result without a place: what is about a whole file is shown at its top.
    let (line, column) = location.position.map_or((1, 1), |position| (position.line, position.column));
    let region = json!({"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1});
    json!({
        "ruleId": id.as_str(),
        "level": severity.level(),
        "message": {"text": format!("{what}; {fix}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&location.path)}, "region": region}}],
        "properties": {"chart": chart},
    })
}

/// A relative path as a URI reference (RFC 3986).
fn uri(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let mut uri = String::with_capacity(bytes.len());
    for byte in if bytes.is_empty() { b"." } else { bytes } {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // A String takes what is written to it.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
