//! What a pass adds to the plan: files, and what is found on the way.

use std::path::Path;

use crate::change::{FileChange, Part, WriteOrder};
use crate::finding::Finding;
use crate::plan::CheckoutPlan;
use crate::target;

impl CheckoutPlan {
    /// Adds the file that `finding` is about, which says what is missing: the text `old`, if it is there, with `part`.
    pub(crate) fn add(
        &mut self,
        base: &Path,
        old: Option<String>,
        order: WriteOrder,
        part: Part,
        finding: Finding,
    ) -> Result<(), Finding> {
        let path = finding.location.path.clone();
        self.findings.extend(target::look(base, &path)?);
        self.findings.push(Finding { is_planned: true, rule: Some(part.shape.rule), ..finding });
        let file = FileChange::new(&path, old, order, vec![part]);
        self.files.push(file.map_err(|conflict| Finding::unproven(&path, conflict))?);
        Ok(())
    }

    /// Takes over what a pass has made, or why it could not.
    pub(crate) fn take(&mut self, added: Result<CheckoutPlan, Finding>) {
        match added {
            Ok(CheckoutPlan { findings, files }) => {
                self.findings.extend(findings);
                self.files.extend(files);
            }
            Err(refusal) => self.findings.push(refusal),
        }
    }
}
