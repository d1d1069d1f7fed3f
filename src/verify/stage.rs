//! Charts as Helm is to see them: copies in a scratch folder, as they are and as planned, with chance pinned
//! and with the helm-toolkit and whatever else they depend on in `charts/`. The checkout is only read.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use walkdir::WalkDir;

use super::pin::pinned;
use crate::change::FileChange;
use crate::chart::VALUES;
use crate::chart_plan::{ChartPlan, Outcome};
use crate::disk::{self, Scratch};
use crate::error;
use crate::metadata::{Dependency, Metadata, Role, TOOLKIT};
use crate::plan::Plan;
use crate::text::shown;

/// An error is why a chart cannot be verified.
pub(crate) type Verifying<T> = Result<T, Box<dyn Error + Send + Sync>>;

const NO_TOOLKIT: &str = "there is no helm-toolkit to render it with; name the checkout that it is in too, or say --helm-toolkit DIR";

/// Charts of a plan in one state, with what they depend on.
pub(crate) struct Stage<'p> {
    pub(crate) plan: &'p Plan,
    /// The plan for the helm-toolkit that the user names: its only chart.
    named_toolkit: Option<&'p Plan>,
    /// Before or after.
    state: &'static str,
    /// What is in files of these plans in this state, by whole paths.
    texts: BTreeMap<PathBuf, &'p str>,
    scratch: &'p Scratch,
    /// The toolkits that were copied, by index: charts share them.
    toolkits: Vec<OnceLock<Result<Toolkit, String>>>,
}

/// What the copy of a chart is made of, by paths in it.
#[derive(Default, PartialEq)]
pub(crate) struct StagedFiles<'s> {
    texts: BTreeMap<PathBuf, Vec<u8>>,
    toolkits: BTreeMap<PathBuf, &'s Toolkit>,
    /// The charts of the checkout that it depends on, by what it calls them: each is verified on its own.
    pub(crate) others: BTreeSet<String>,
    /// What had to be left out.
    pub(crate) notes: BTreeSet<String>,
}

/// A copy of a helm-toolkit.
struct Toolkit {
    texts: BTreeMap<PathBuf, Vec<u8>>,
    notes: BTreeSet<String>,
    /// Where it is, in the scratch folder.
    folder: PathBuf,
}

/// Wherever they are.
impl PartialEq for Toolkit {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl StagedFiles<'_> {
    /// Adds a file. Templates, and values that may hold some, are pinned.
    fn add(&mut self, at: PathBuf, text: Vec<u8>) {
        let is_template = at.ends_with(VALUES) || at.iter().any(|name| name == "templates");
        let text = match std::str::from_utf8(&text) {
            Ok(template) if is_template => pinned(template).into_bytes(),
            _ => text,
        };
        self.texts.insert(at, text);
    }

    /// Whether the chart at `at` has a chart called `name` in its `charts/`, packed or not.
    fn has_chart(&self, at: &Path, name: &str) -> bool {
        let (charts, metadata) = (at.join("charts"), Path::new(name).join("Chart.yaml"));
        let mut inside = self.texts.keys().filter_map(|path| path.strip_prefix(&charts).ok());
        inside.any(|path| path == metadata || is_packed(path, name))
    }

    /// Writes the chart to `at` in the scratch folder, and returns its whole path.
    pub(crate) fn write(&self, scratch: &Scratch, at: &Path) -> Result<PathBuf, error::Error> {
        for (path, text) in &self.texts {
            put(scratch, &at.join(path), text)?;
        }
        for (path, toolkit) in &self.toolkits {
            scratch.make_folder(at.join(path).parent().unwrap_or(at))?;
            scratch.link(&toolkit.folder, &at.join(path))?;
        }
        Ok(scratch.path().join(at))
    }
}

/// Writes a file into the scratch folder, and makes the folder that it is in.
pub(crate) fn put(scratch: &Scratch, at: &Path, text: &[u8]) -> Result<(), error::Error> {
    scratch.make_folder(at.parent().unwrap_or(at))?;
    scratch.write(at, text)
}

/// Whether a file in `charts/` is the chart called `name`, packed.
fn is_packed(file: &Path, name: &str) -> bool {
    let version =
        file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".tgz"));
    version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit() || c == 'v'))
}

impl<'p> Stage<'p> {
    /// `text` is what is in a file of a plan in this state, if it is there.
    pub(crate) fn new(
        scratch: &'p Scratch,
        plan: &'p Plan,
        named_toolkit: Option<&'p Plan>,
        state: &'static str,
        text: fn(&FileChange) -> Option<&str>,
    ) -> Self {
        let mut texts = BTreeMap::new();
        for plan in [plan].into_iter().chain(named_toolkit) {
            let changes = plan.files().into_iter();
            texts.extend(changes.filter_map(|change| Some((plan.base.join(&change.path), text(change)?))));
        }
        let toolkits = named_toolkit.unwrap_or(plan).charts.iter().map(|_| OnceLock::new()).collect();
        Stage { plan, named_toolkit, state, texts, scratch, toolkits }
    }

    /// Reads `chart`, and what it depends on.
    pub(crate) fn read(&self, chart: &ChartPlan) -> Verifying<StagedFiles<'_>> {
        let mut files = StagedFiles::default();
        self.add_chart(&mut files, chart, Path::new(""), &[])?;
        Ok(files)
    }

    /// Adds a chart at `at`, and what it depends on. It is inside of the charts in `around`, none of which is
    /// copied into itself.
    fn add_chart<'s>(
        &'s self,
        files: &mut StagedFiles<'s>,
        chart: &ChartPlan,
        at: &Path,
        around: &[&Path],
    ) -> Verifying<()> {
        self.add_files(files, self.plan, chart, at)?;
        let metadata = Metadata::read(&self.plan.base, &chart.path).map_err(|refusal| refusal.to_string())?;
        let around = [around, &[&chart.path]].concat();
        for dependency in metadata.dependencies {
            let (name, alias) = (dependency.name.clone(), dependency.alias.clone());
            if name == TOOLKIT || files.has_chart(at, &name) {
                continue;
            }
            let inside = at.join("charts").join(&name);
            let provider = self.provider(chart, &dependency);
            if let Some(provider) = provider.filter(|chart| !around.contains(&chart.path.as_path())) {
                self.add_chart(files, provider, &inside, &around)?;
                files.others.insert(alias.unwrap_or(name));
            } else {
                // Helm renders no chart without something in the place of each dependency.
                let empty = format!("apiVersion: v1\nname: {name:?}\nversion: 0.0.0\n");
                files.texts.insert(inside.join("Chart.yaml"), empty.into_bytes());
                let note = format!("rendered without {name}, which it depends on and which is not here");
                files.notes.insert(note);
            }
        }
        if !files.has_chart(at, TOOLKIT) {
            let toolkit = self.toolkit(self.toolkit_of(chart).ok_or(NO_TOOLKIT)?)?;
            files.notes.extend(toolkit.notes.iter().cloned());
            files.toolkits.insert(at.join("charts").join(TOOLKIT), toolkit);
        }
        Ok(())
    }

    /// The helm-toolkit that a chart is rendered with.
    fn toolkit_of(&self, chart: &ChartPlan) -> Option<usize> {
        self.named_toolkit.map_or(chart.toolkit, |_| Some(0))
    }

    /// The chart that another one depends on: by its path, else by its name.
    fn provider(&self, chart: &ChartPlan, dependency: &Dependency) -> Option<&'p ChartPlan> {
        let charts = || self.plan.charts.iter().filter(|chart| chart.role == Role::Application);
        let path = dependency.folder(&chart.path);
        let by_path = path.and_then(|path| charts().find(|chart| chart.path == path));
        by_path.or_else(|| charts().find(|chart| chart.name == dependency.name))
    }

    /// The toolkit with this index, copied when it is first asked for.
    fn toolkit(&self, index: usize) -> Verifying<&Toolkit> {
        let copied = self.toolkits.get(index).ok_or(NO_TOOLKIT)?;
        let copied = copied.get_or_init(|| self.copy_toolkit(index).map_err(|error| error.to_string()));
        copied.as_ref().map_err(|error| error.as_str().into())
    }

    fn copy_toolkit(&self, index: usize) -> Verifying<Toolkit> {
        let plan = self.named_toolkit.unwrap_or(self.plan);
        let toolkit = plan.charts.get(index).ok_or(NO_TOOLKIT)?;
        if toolkit.outcome() == Outcome::Refused {
            let all = toolkit.refusals().map(ToString::to_string).collect::<Vec<_>>();
            return Err(format!("its helm-toolkit is refused: {}", all.join("; ")).into());
        }
        let folder = Path::new("toolkits").join(self.state).join(index.to_string());
        let mut files = StagedFiles::default();
        self.add_files(&mut files, plan, toolkit, Path::new(""))?;
        files.write(self.scratch, &folder)?;
        Ok(Toolkit { texts: files.texts, notes: files.notes, folder })
    }

    /// Adds the files of a chart of `plan`.
    fn add_files(
        &self,
        files: &mut StagedFiles<'_>,
        plan: &Plan,
        chart: &ChartPlan,
        at: &Path,
    ) -> Verifying<()> {
        let whole = plan.base.join(&chart.path);
        let is_wanted = |entry: &walkdir::DirEntry| {
            let is_git = entry.depth() == 1 && entry.file_name() == ".git";
            !is_git && !disk::is_temporary(entry.file_name())
        };
        for entry in WalkDir::new(&whole).min_depth(1).into_iter().filter_entry(is_wanted) {
            let entry = entry?;
            if entry.file_type().is_dir() {
                continue;
            }
            let relative = entry.path().strip_prefix(&whole)?;
            // Helm follows links: what one leads to is copied, if it is a file of the checkout.
            // A helm-toolkit may lie outside of it. And CI keeps its token in `.git/config`.
            let is_inside = |file: &PathBuf| {
                let inside = file.strip_prefix(&plan.base).or_else(|_| file.strip_prefix(&whole));
                file.is_file() && inside.is_ok_and(|path| path.iter().all(|name| name != ".git"))
            };
            let target = at.join(relative);
            if let Some(file) = entry.path().canonicalize().ok().filter(is_inside) {
                // The helm-toolkit beside it is migrated, a packed one is not.
                let is_packed = relative.strip_prefix("charts").is_ok_and(|file| is_packed(file, TOOLKIT));
                if is_packed && self.toolkit_of(chart).is_some() {
                    let what = shown(&target);
                    files.notes.insert(format!(
                        "rendered with the helm-toolkit beside it, and not with {what}, which Helm takes"
                    ));
                    continue;
                }
                let text = match self.texts.get(&file) {
                    Some(text) => text.as_bytes().to_owned(),
                    None => fs::read(&file).map_err(error::Error::read(&file))?,
                };
                files.add(target, text);
            } else if !relative.starts_with("charts") {
                // What the chart depends on is put into `charts` anyway.
                let what = shown(relative);
                files.notes.insert(format!(
                    "rendered without {what}, which leads out of the checkout or is no file"
                ));
            }
        }
        // Those that come with the plan.
        for (path, text) in &self.texts {
            if let Ok(relative) = path.strip_prefix(&whole) {
                files.add(at.join(relative), text.as_bytes().to_owned());
            }
        }
        Ok(())
    }
}
