//! SARIF 2.1.0 (OASIS), which code scanning services read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::Problem;
use crate::report::json::write_pretty;

/// Writes `problems`.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut dyn Write, problems: &[Problem<'_>]) -> io::Result<()> {
    let ids: BTreeSet<&str> = problems.iter().map(|problem| problem.id).collect();
    let rules: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let results: Vec<Value> = problems.iter().map(result).collect();
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

fn result(problem: &Problem<'_>) -> Value {
    let Problem { place, id, level, what, fix, chart, .. } = problem;
    let mut location = json!({"artifactLocation": {"uri": uri(&place.path)}});
    if let (Some(position), Some(location)) = (place.position, location.as_object_mut()) {
        let region = json!({"startLine": position.line, "startColumn": position.column});
        location.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": id,
        "level": level.word(),
        "message": {"text": format!("{what}; {fix}")},
        "locations": [{"physicalLocation": location}],
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
