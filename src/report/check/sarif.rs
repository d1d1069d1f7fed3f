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
    let rules: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
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

fn result(Listed { chart, finding }: &Listed<'_>) -> Value {
    let Finding { location, id, severity, what, fix, .. } = finding;
    let mut physical = json!({"artifactLocation": {"uri": uri(&location.path)}});
    if let (Some(position), Some(physical)) = (location.position, physical.as_object_mut()) {
        let region = json!({"startLine": position.line, "startColumn": position.column});
        physical.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": id.as_str(),
        "level": severity.level(),
        "message": {"text": format!("{what}; {fix}")},
        "locations": [{"physicalLocation": physical}],
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
