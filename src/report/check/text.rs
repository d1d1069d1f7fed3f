//! For people, a line each: `nova/values.yaml:12:3: error[wrong-key]: what is wrong; what to do`.

use std::io::{self, Write};

use anstyle::Style;

use super::list::Listed;
use crate::finding::{Finding, Severity};
use crate::report::style::{Detail, ERROR, WARNING};

pub(crate) fn write(
    out: &mut dyn Write,
    listed: &[Listed<'_>],
    is_coloured: bool,
    detail: Detail,
) -> io::Result<()> {
    let is_wanted = |finding: &Finding| detail > Detail::Quiet || finding.severity < Severity::Warning;
    for Listed { finding, .. } in listed.iter().filter(|listed| is_wanted(&listed.finding)) {
        let Finding { location, id, severity, what, .. } = finding;
        let style = match severity {
            _ if !is_coloured => Style::new(),
            Severity::Refused | Severity::Error => ERROR,
            Severity::Warning => WARNING,
        };
        let (level, fix) = (severity.level(), finding.advice());
        writeln!(out, "{location}: {style}{level}[{id}]{style:#}: {what}; {fix}")?;
    }
    Ok(())
}
