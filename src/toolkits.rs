//! Which helm-toolkit a chart depends on.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::chart::Functions;
use crate::discover::Found;
use crate::metadata::{Role, TOOLKIT};

/// The helm-toolkits among the charts that were found, by their indices.
pub(crate) struct Toolkits<'f> {
    base: &'f Path,
    /// Copies inside of a chart, by that chart's folder.
    vendored: HashMap<&'f Path, usize>,
    /// The others, by the whole path of their own folder.
    free: BTreeMap<PathBuf, usize>,
    functions: HashMap<usize, Functions>,
}

impl<'f> Toolkits<'f> {
    pub(crate) fn new(base: &'f Path, found: &'f [Found]) -> Self {
        let (mut vendored, mut free, mut functions) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        for (index, toolkit) in found.iter().enumerate().filter(|(_, found)| found.role() == Role::Toolkit) {
            functions.insert(index, Functions::new(base, &toolkit.path));
            match &toolkit.vendored_in {
                Some(chart) => vendored.insert(chart.as_path(), index),
                None => free.insert(base.join(&toolkit.path), index),
            };
        }
        Toolkits { base, vendored, free, functions }
    }

    /// What the toolkit that `chart` depends on defines.
    pub(crate) fn functions_for(&self, chart: &Found) -> Option<&Functions> {
        self.functions.get(&self.of_chart(chart)?)
    }

    /// The toolkit that `chart` depends on: the copy inside of it; else the one that its dependency
    /// names by path; else the one beside it or beside a folder that it is in; else any.
    pub(crate) fn of_chart(&self, chart: &Found) -> Option<usize> {
        let inside = self.vendored.get(chart.path.as_path());
        let dir = self.base.join(&chart.path);
        let named = || self.free.get(&chart.metadata.as_ref().ok()?.toolkit()?.folder(&dir)?);
        let beside = || dir.ancestors().skip(1).find_map(|folder| self.free.get(&folder.join(TOOLKIT)));
        inside.or_else(named).or_else(beside).or_else(|| self.free.values().next()).copied()
    }
}
