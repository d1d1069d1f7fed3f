//! Findings that somebody has looked at and leaves as they are: `# osh-registry-auth: allow wrong-key`, in the line that
//! the finding is about or in the one above; for what is about a whole file, anywhere in it.

use std::collections::HashSet;
use std::path::Path;

use crate::finding::{Finding, Severity};
use crate::source::Source;

const MARK: &str = "osh-registry-auth: allow ";

/// What comments allow: by path, line and id. Line 0 stands for the whole file.
pub(crate) struct Allowed<'f>(HashSet<(&'f Path, usize, &'f str)>);

impl<'f> Allowed<'f> {
    pub(crate) fn new(files: impl Iterator<Item = &'f Source>) -> Self {
        let mark = memchr::memmem::Finder::new(MARK);
        let mut allowed = HashSet::new();
        for source in files.filter(|source| mark.find(source.text.as_bytes()).is_some()) {
            for (line, number) in source.text.lines().zip(1..) {
                let ids = line.split_once(MARK).map(|(_, ids)| ids).unwrap_or_default();
                for id in ids.split([' ', ',']).filter(|id| !id.is_empty()) {
                    allowed.extend([0, number, number + 1].map(|line| (source.path.as_path(), line, id)));
                }
            }
        }
        Allowed(allowed)
    }

    /// Whether `finding` is allowed. What is planned or refused is no matter of opinion.
    pub(crate) fn has(&self, finding: &Finding) -> bool {
        let line = finding.location.position.map_or(0, |position| position.line);
        let key = (finding.location.path.as_path(), line, finding.id.as_str());
        !finding.is_planned && finding.severity != Severity::Refused && self.0.contains(&key)
    }
}
