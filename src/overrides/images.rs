//! The images of charts, and where they are to be in the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::args::Args;
use crate::chart::VALUES;
use crate::chart_plan::ChartPlan;
use crate::error::Error;
use crate::plan::Plan;
use crate::registry::{Image, Registry, mismatch};
use crate::scenarios::Override;
use crate::source::read_text;
use crate::text::{amount, shown};
use crate::yaml::tree::Tree;

/// The images of one chart that are not in the registry, by tag: where each is, and where it is to be.
pub(super) type Images = BTreeMap<String, (Image, Image)>;

/// Reads `images.tags` of the values of a chart, and of those of `features`. What is no image is said in `notes`.
pub(super) fn images(
    plan: &Plan,
    chart: &ChartPlan,
    features: Vec<PathBuf>,
    args: &Args,
    notes: &mut Vec<String>,
) -> Images {
    let Some(registry) = &args.registry else { return Images::new() };
    let mut tags: BTreeMap<String, Tree> = BTreeMap::new();
    for path in [chart.path.join(VALUES)].into_iter().chain(features) {
        match read(&plan.base, &path) {
            Ok(found) => tags.extend(found),
            Err(why) => notes.push(format!("{why}; the images that it names are left as they are")),
        }
    }
    let mut images = Images::new();
    for (tag, image) in tags {
        match image.scalar().map_or_else(|| Err("it is no text".to_owned()), Image::parse) {
            Ok(image) if mismatch(&registry.key(), &image).is_some() => {
                let moved = image.moved(registry, args.keep_host);
                images.insert(tag, (image, moved));
            }
            Ok(_) => {}
            Err(why) => notes.push(format!("{}: images.tags.{tag} is left as it is: {why}", chart.name)),
        }
    }
    images
}

/// `images.tags` of a file of values; what is null is no image.
fn read(base: &Path, path: &Path) -> Result<Vec<(String, Tree)>, String> {
    let text = read_text(base, path).map_err(|finding| finding.to_string())?.unwrap_or_default();
    let values = Tree::parse_first(&text).map_err(|error| format!("{}: {error}", shown(path)))?.settled();
    let tags = values.at(&["images", "tags"]).map(Tree::entries).unwrap_or_default();
    let images = tags.iter().filter(|(_, image)| *image != Tree::null());
    Ok(images.filter_map(|(tag, image)| Some((tag.scalar()?.to_owned(), image.clone()))).collect())
}

/// The files of values for `chart` that are made of these features, in the order in which Helm gets them: `a.yaml`,
/// `b.yaml`, `a-b.yaml`.
pub(super) fn features(base: &Path, chart: &ChartPlan, features: &[String]) -> Vec<PathBuf> {
    // As $FEATURES has them, they are words.
    let features: Vec<&str> = features.iter().flat_map(|features| features.split_whitespace()).collect();
    let ranked = |Override { file, .. }: Override| {
        let name = file.file_name()?.to_str()?.strip_suffix(".yaml")?;
        Some((rank(name, &features, 1)?, file))
    };
    let mut found: Vec<_> = Override::all(base, chart).into_iter().filter_map(ranked).collect();
    found.sort();
    found.into_iter().map(|(_, file)| file).collect()
}

/// A number with a bit for each feature that `name` is made of, `bit` for the first one.
fn rank(name: &str, features: &[&str], bit: u64) -> Option<u64> {
    let (feature, others) = features.split_first()?;
    let next = bit.checked_mul(2)?;
    let rest = match name.strip_prefix(feature) {
        Some("") => return Some(bit),
        Some(rest) => rest.strip_prefix('-').and_then(|rest| rank(rest, others, next)),
        None => None,
    };
    rest.map(|rest| rest + bit).or_else(|| rank(name, others, next))
}

/// Says how many images the login is of no use for.
pub(super) fn elsewhere<'i>(charts: impl Iterator<Item = &'i Images>, registry: &Registry) -> Option<String> {
    let images: BTreeSet<&Image> = charts.flat_map(Images::values).map(|(image, _)| image).collect();
    let hosts: BTreeSet<&str> = images.iter().map(|image| image.host.as_str()).collect();
    let hosts = hosts.into_iter().collect::<Vec<_>>().join(", ");
    let (count, key) = (amount(images.len(), "image"), registry.key());
    (!images.is_empty()).then(|| format!("{count} of these charts at {hosts}: pods pull them from there, and the login for {key} serves none of them; set images.tags, or let --images do it"))
}

/// The images to copy, a line `SOURCE TARGET` each, by source.
pub(super) fn list<'i>(charts: impl Iterator<Item = &'i Images>) -> Result<String, Error> {
    let mut targets: BTreeMap<&Image, &Image> = BTreeMap::new();
    let moved: BTreeSet<&(Image, Image)> = charts.flat_map(Images::values).collect();
    for (source, target) in &moved {
        if let Some(other) = targets.insert(target, source) {
            return Err(Error::TwoImages([other, source, target].map(ToString::to_string)));
        }
    }
    let lines: Vec<String> = moved.iter().map(|(source, target)| format!("{source} {target}\n")).collect();
    Ok(lines.concat())
}
