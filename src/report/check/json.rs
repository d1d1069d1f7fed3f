//! For programs; `check.schema.json` beside this file describes it. `version` grows where something
//! in here changes its meaning or goes away, not where something is added.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::list::Listed;
use crate::finding::Severity;
use crate::report::json::{finding_json, program, write_pretty};

const VERSION: u32 = 1;

pub(crate) fn write(out: &mut dyn Write, listed: &[Listed<'_>]) -> io::Result<()> {
    let findings: Vec<Value> = listed.iter().map(listed_json).collect();
    write_pretty(out, &json!({"version": VERSION, "program": program(), "findings": findings}))
}

fn listed_json(Listed { chart, finding }: &Listed<'_>) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("chart".to_owned(), json!(chart));
    object.insert("refused".to_owned(), json!(finding.severity == Severity::Refused));
    object.extend(finding_json(finding));
    Value::Object(object)
}
