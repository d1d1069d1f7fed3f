//! Where charts have their release notes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::checkout::Found;
use crate::error::{Refusal, shown};
use crate::release::{self, Home};

/// The folders around charts that hold their release notes, by their paths.
#[derive(Default)]
pub(super) struct Homes(BTreeMap<PathBuf, Result<Home, Refusal>>);

impl Homes {
    pub(super) fn of(base: &Path, found: &[Found]) -> Self {
        let mut charts: BTreeMap<PathBuf, Vec<(&str, Option<&str>)>> = BTreeMap::new();
        for found in found {
            let Ok(metadata) = &found.metadata else { continue };
            let home = around(found).find(|folder| release::is_home(&base.join(folder)));
            if let Some(home) = home {
                let chart = (metadata.name.as_str(), metadata.version.as_deref());
                charts.entry(home.to_owned()).or_default().push(chart);
            }
        }
        let home = |(path, charts): (PathBuf, Vec<_>)| {
            let home = Home::read(base, &path, &charts);
            (path, home)
        };
        Homes(charts.into_iter().map(home).collect())
    }

    /// What is asked for where `chart` changes, and what leads from its folder to where its notes are.
    pub(super) fn of_chart(&self, chart: &Found) -> Option<(PathBuf, Result<&Home, Refusal>)> {
        let (depth, home) =
            around(chart).enumerate().find_map(|(depth, folder)| Some((depth, self.0.get(folder)?)))?;
        let way: PathBuf = std::iter::repeat_n("..", depth + 1).collect();
        let refusal =
            |refusal: &Refusal| Refusal { place: refusal.place.clone().below(&way), ..refusal.clone() };
        let home = home.as_ref().map_err(refusal);
        Some((way, home))
    }

    /// What was found, for people.
    pub(super) fn remarks(&self) -> Vec<String> {
        let remark = |home: &Home| {
            let of = if home.path.as_os_str().is_empty() {
                String::new()
            } else {
                format!(" of {}", shown(&home.path))
            };
            format!("release notes{of}: {}; {}", home.era.deed(), home.why)
        };
        if self.0.is_empty() {
            return vec![
                "release notes: none, since there is neither releasenotes/ nor tools/gate/reno-check.sh around these charts"
                    .to_owned(),
            ];
        }
        self.0.values().flatten().map(remark).collect()
    }
}

/// The folders around a chart, the nearest first. A copy of helm-toolkit inside of a chart has none: what
/// happens to it is noted where it comes from.
pub(super) fn around(chart: &Found) -> impl Iterator<Item = &Path> {
    chart.path.ancestors().skip(1).filter(|_| chart.vendored_in.is_none())
}
