//! What there is to say of the values that were written for an operator.

use std::io::{self, Write};

use super::style::{Detail, ERROR, NOTE};
use super::summary::{write_left_alone, write_refusals};
use crate::overrides::Written;
use crate::plan::Plan;
use crate::text::{amount, printable};

pub(crate) fn write(out: &mut dyn Write, plan: &Plan, written: &Written, detail: Detail) -> io::Result<()> {
    write_refusals(out, plan)?;
    if !written.left_out.is_empty() {
        let names: Vec<_> = written.left_out.iter().map(|name| printable(name)).collect();
        writeln!(
            out,
            "{ERROR}left out{ERROR:#} (not migrated, so that a login would go nowhere; `check` says what is missing): {}",
            names.join(", ")
        )?;
    }
    if written.charts.is_empty() {
        return writeln!(out, "nothing is written: none of these charts is migrated");
    }
    if detail >= Detail::Verbose {
        for name in &written.charts {
            writeln!(out, "{}: has values", printable(name))?;
        }
    }
    if detail >= Detail::Normal {
        write_left_alone(out, plan)?;
        for note in &written.notes {
            writeln!(out, "{NOTE}note{NOTE:#}: {}", printable(note))?;
        }
        writeln!(out, "values for {}", amount(written.charts.len(), "chart"))?;
    }
    Ok(())
}
