//! What is to be noted: what happens to a chart, and what has happened to it that git has not committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::chart::VALUES;
use crate::chart_plan::ChartPlan;
use crate::context::REGISTRY;
use crate::git;
use crate::source::read_text;
use crate::yaml::Document;

/// A chart gets its Secret, or helm-toolkit the function that makes it: it is new to authentication.
const WHOLE: &str = "helm-toolkit.manifests.secret_registry";

/// What notes are about.
pub(super) const WORDS: &str = "OCI registry authentication";

/// A chart, and what is to be noted of it.
pub(super) struct Work<'p> {
    pub(super) chart: &'p ChartPlan,
    /// Its place in the plan.
    pub(super) index: usize,
    /// Relative to the chart.
    files: BTreeSet<PathBuf>,
    pub(super) is_whole: bool,
}

impl<'p> Work<'p> {
    /// What is done to `chart`, if anything; `uncommitted` has files of all charts.
    pub(super) fn of(
        base: &Path,
        index: usize,
        chart: &'p ChartPlan,
        uncommitted: &[PathBuf],
    ) -> Option<Self> {
        let mut work = Work { chart, index, files: BTreeSet::new(), is_whole: false };
        for file in &chart.files {
            work.add(&file.path, &file.new);
        }
        for path in uncommitted.iter().filter(|path| chart.is_completed() && path.starts_with(&chart.path)) {
            let Ok(Some(text)) = read_text(base, path) else { continue };
            let committed = git::committed_text(&base.join(path)).unwrap_or_default();
            if work.count(path, &text) > work.count(path, &committed) {
                work.add(path, &text);
            }
        }
        (!work.files.is_empty()).then_some(work)
    }

    /// How much there is of authentication in a file of the chart.
    fn count(&self, path: &Path, text: &str) -> usize {
        let chart = self.chart.name.as_str();
        if path != self.chart.path.join(VALUES) {
            return text.matches(REGISTRY).count();
        }
        let Ok(values) = Document::parse(text) else { return 0 };
        let paths = [
            &["secrets", REGISTRY, chart][..],
            &["endpoints", REGISTRY, "auth", chart],
            &["endpoints", "cluster_domain_suffix"],
            &["manifests", "secret_registry"],
        ];
        let has = |path: &&&[&str]| values.root().and_then(|root| values.at(root, path)).is_some();
        paths.iter().filter(has).count()
    }

    fn add(&mut self, path: &Path, text: &str) {
        let Ok(inside) = path.strip_prefix(&self.chart.path) else { return };
        // A copy of helm-toolkit inside of the chart is noted where it comes from.
        if !inside.starts_with("charts") {
            self.is_whole |= text.contains(WHOLE);
            self.files.insert(inside.to_owned());
        }
    }

    /// What was done, with `quote` around what is code and `space` in front of files.
    pub(super) fn words(&self, quote: &str, space: &str) -> String {
        if self.is_whole {
            return format!("Added {WORDS}");
        }
        let pull_secrets = format!("{quote}imagePullSecrets{quote}");
        let what = match (self.files.contains(Path::new(VALUES)), self.files.len()) {
            (true, 1) => "values".to_owned(),
            (true, _) => format!("values and {pull_secrets}"),
            (false, _) => pull_secrets,
        };
        let files = self.files.iter().map(|path| format!("{quote}{}{quote}", path.display()));
        let files = files.collect::<Vec<_>>().join(&format!(",{space}"));
        format!("Added {what} for {WORDS} in{space}{files}")
    }
}

/// Whether words of a note are of this program.
pub(super) fn are_ours(words: &str) -> bool {
    words.starts_with("Added ") && words.contains(WORDS)
}
