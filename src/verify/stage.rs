//! Charts as Helm is to see them: copies in a scratch folder, as they are and as planned, with the
//! helm-toolkit and whatever else they depend on in `charts/`. The checkout is only read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_yaml::Value;
use walkdir::WalkDir;

use crate::chart::{Dependency, Role, TOOLKIT, VALUES};
use crate::disk::{self, Scratch};
use crate::error::{Error, shown};
use crate::plan::{ChartPlan, FileChange, Outcome, Plan, normal};

/// Which of the two a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The chart as it lies in the checkout.
    #[default]
    AsItIs,
    /// The chart with all edits of the plan.
    Planned,
}

/// A plan's files, and where they are.
#[derive(Debug)]
struct Source<'p> {
    plan: &'p Plan,
    /// All files that change, by path.
    changes: BTreeMap<&'p Path, &'p FileChange>,
}

impl<'p> Source<'p> {
    fn new(plan: &'p Plan) -> Self {
        let changes = plan.files().into_iter().map(|change| (change.path.as_path(), change)).collect();
        Source { plan, changes }
    }

    /// The changes of files in the folder `dir`.
    fn changes_in(&self, dir: &Path) -> impl Iterator<Item = &FileChange> {
        let dir = dir.to_owned();
        self.changes.iter().filter(move |(path, _)| path.starts_with(&dir)).map(|(_, change)| *change)
    }
}

/// Makes the copies.
#[derive(Debug)]
pub struct Stage<'p> {
    scratch: &'p Scratch,
    charts: Source<'p>,
    /// The helm-toolkit that the user names, planned by itself.
    toolkit: Option<(Source<'p>, &'p ChartPlan)>,
    /// What was made of each toolkit, by its index: charts share it.
    toolkits: Vec<[OnceLock<Result<Toolkit, String>>; 2]>,
}

/// A toolkit in the scratch folder.
#[derive(Clone, Debug)]
struct Toolkit {
    path: PathBuf,
    is_changed: bool,
}

/// A chart in the scratch folder.
#[derive(Debug)]
pub struct Staged {
    /// Where it is, as a whole path.
    pub path: PathBuf,
    /// Whether the plan changes anything in it, or in what it depends on.
    pub is_changed: bool,
    /// What had to be left out.
    pub notes: BTreeSet<String>,
}

/// A copy in the making.
struct Copy<'c> {
    state: State,
    is_changed: bool,
    notes: BTreeSet<String>,
    /// The charts that it is inside of, by their folders: none is copied into itself.
    around: Vec<&'c Path>,
}

impl<'p> Stage<'p> {
    /// Copies go into `scratch`. Where the user names a helm-toolkit, `toolkit` is the plan for it.
    #[must_use]
    pub fn new(scratch: &'p Scratch, plan: &'p Plan, toolkit: Option<&'p Plan>) -> Self {
        let toolkit = toolkit.and_then(|plan| {
            let chart = plan.charts.iter().find(|chart| chart.role == Role::Toolkit)?;
            Some((Source::new(plan), chart))
        });
        // The last one is for the toolkit that the user names.
        let toolkits = (0..=plan.charts.len()).map(|_| [OnceLock::new(), OnceLock::new()]).collect();
        Stage { scratch, charts: Source::new(plan), toolkit, toolkits }
    }

    /// Makes the chart with this index, in one state.
    ///
    /// # Errors
    /// Why that cannot be done.
    pub fn make(&self, index: usize, state: State) -> Result<Staged, String> {
        let chart = self.charts.plan.charts.get(index).ok_or("no such chart")?;
        let folder = match state {
            State::AsItIs => "as-it-is",
            State::Planned => "planned",
        };
        let at = Path::new(folder).join(index.to_string());
        let mut copy = Copy { state, is_changed: false, notes: BTreeSet::new(), around: Vec::new() };
        self.copy_chart(chart, &at, &mut copy)?;
        let Copy { is_changed, notes, .. } = copy;
        Ok(Staged { path: self.scratch.path().join(at), is_changed, notes })
    }

    /// The text of a chart's values.yaml as planned.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn planned_values(&self, chart: &ChartPlan) -> Result<String, String> {
        let path = chart.path.join(VALUES);
        if let Some(change) = self.charts.changes.get(path.as_path()) {
            return Ok(change.new_text());
        }
        let whole = self.charts.plan.base.join(path);
        fs::read_to_string(&whole).map_err(|error| Error::Read(whole, error).to_string())
    }

    /// Copies a chart, and puts what it depends on into it.
    fn copy_chart<'c>(&'c self, chart: &'c ChartPlan, at: &Path, copy: &mut Copy<'c>) -> Result<(), String> {
        copy_files(self.scratch, &self.charts, &chart.path, at, copy)?;
        let inside = at.join("charts");
        let here = self.scratch.path().join(at);
        let needed = dependencies(&here)?;
        let mut lacking = BTreeSet::new();
        copy.around.push(&chart.path);
        for dependency in needed.iter().filter(|dependency| dependency.name != TOOLKIT) {
            if is_inside(&here, &dependency.name) {
                continue;
            }
            match self
                .provider(chart, dependency)
                .filter(|chart| !copy.around.contains(&chart.path.as_path()))
            {
                Some(provider) => self.copy_chart(provider, &inside.join(&dependency.name), copy)?,
                None => drop(lacking.insert(dependency.name.as_str())),
            }
        }
        copy.around.pop();
        if !is_inside(&here, TOOLKIT) {
            match self.toolkit_for(chart, copy.state) {
                Some(toolkit) => {
                    let toolkit = toolkit?;
                    copy.is_changed |= toolkit.is_changed;
                    self.scratch.make_folder(&inside).map_err(|error| error.to_string())?;
                    let linked = self.scratch.link(&toolkit.path, &inside.join(TOOLKIT));
                    linked.map_err(|error| error.to_string())?;
                }
                None => return Err(NO_TOOLKIT.to_owned()),
            }
        }
        for name in lacking {
            copy.notes.insert(format!("rendered without {name}, which it depends on and which is not here"));
            leave_out(self.scratch, at, name)?;
        }
        Ok(())
    }

    /// The chart that a dependency names: by its path, else by its name.
    fn provider(&self, chart: &ChartPlan, dependency: &Dependency) -> Option<&'p ChartPlan> {
        let charts = || self.charts.plan.charts.iter().filter(|chart| chart.role == Role::Application);
        let path = dependency.repository.as_deref().and_then(|address| address.strip_prefix("file://"));
        let path = path.map(|path| normal(&chart.path.join(path)));
        let by_path = path.and_then(|path| charts().find(|chart| chart.path == path));
        by_path.or_else(|| charts().find(|chart| chart.name == dependency.name))
    }

    /// The toolkit that a chart depends on, made when it is first asked for.
    fn toolkit_for(&self, chart: &ChartPlan, state: State) -> Option<Result<Toolkit, String>> {
        let (index, source, toolkit) = match &self.toolkit {
            Some((source, toolkit)) => (self.toolkits.len() - 1, source, *toolkit),
            None => (chart.toolkit?, &self.charts, self.charts.plan.charts.get(chart.toolkit?)?),
        };
        let made = self.toolkits.get(index)?.get(usize::from(state == State::Planned))?.get_or_init(|| {
            if let Outcome::Refused(refusals) = &toolkit.outcome {
                let why = refusals.first().map(ToString::to_string).unwrap_or_default();
                return Err(format!("its helm-toolkit is refused: {why}"));
            }
            let folder = if state == State::Planned { "toolkit-planned" } else { "toolkit-as-it-is" };
            let path = Path::new(folder).join(index.to_string());
            let mut copy = Copy { state, is_changed: false, notes: BTreeSet::new(), around: Vec::new() };
            copy_files(self.scratch, source, &toolkit.path, &path, &mut copy)?;
            Ok(Toolkit { path, is_changed: copy.is_changed })
        });
        Some(made.clone())
    }
}

const NO_TOOLKIT: &str = "there is no helm-toolkit to render it with; name the checkout that it is in too, or say --helm-toolkit DIR";

/// Copies the files of the chart in the folder `dir` of a plan, as they are or as planned.
fn copy_files(
    scratch: &Scratch,
    source: &Source<'_>,
    dir: &Path,
    at: &Path,
    copy: &mut Copy<'_>,
) -> Result<(), String> {
    let say = |error: Error| error.to_string();
    scratch.make_folder(at).map_err(say)?;
    let whole = source.plan.base.join(dir);
    let is_wanted = |entry: &walkdir::DirEntry| {
        let is_git = entry.depth() == 1 && entry.file_name() == ".git";
        !is_git && !disk::is_temporary(entry.file_name())
    };
    for entry in WalkDir::new(&whole).min_depth(1).into_iter().filter_entry(is_wanted) {
        let entry = entry.map_err(|error| error.to_string())?;
        let relative = entry.path().strip_prefix(&whole).unwrap_or(entry.path());
        let target = at.join(relative);
        if entry.file_type().is_dir() {
            scratch.make_folder(&target).map_err(say)?;
            continue;
        }
        let path = dir.join(relative);
        match source.changes.get(path.as_path()) {
            Some(change) => match &change.old {
                Some(_) if copy.state == State::Planned => {
                    scratch.write(&target, change.new_text().as_bytes()).map_err(say)?;
                }
                Some(old) => scratch.write(&target, old.as_bytes()).map_err(say)?,
                // It has come to be since the plan was made.
                None => {}
            },
            None if entry.file_type().is_file() => scratch.copy(entry.path(), &target).map_err(say)?,
            None => copy_link(scratch, source, entry.path(), &target, relative, copy)?,
        }
    }
    for change in source.changes_in(dir) {
        copy.is_changed = true;
        if change.old.is_none() && copy.state == State::Planned {
            let target = at.join(change.path.strip_prefix(dir).unwrap_or(&change.path));
            scratch.make_folder(target.parent().unwrap_or(at)).map_err(say)?;
            scratch.write(&target, change.new_text().as_bytes()).map_err(say)?;
        }
    }
    Ok(())
}

/// Helm follows links: what one leads to is copied, if it is a file of the checkout.
fn copy_link(
    scratch: &Scratch,
    source: &Source<'_>,
    link: &Path,
    target: &Path,
    relative: &Path,
    copy: &mut Copy<'_>,
) -> Result<(), String> {
    let leads_to = link.canonicalize().ok();
    let inside = leads_to.as_deref().and_then(|path| path.strip_prefix(&source.plan.base).ok());
    match (inside, leads_to.as_deref()) {
        (Some(inside), Some(path)) if path.is_file() => {
            let change = source.changes.get(inside).filter(|_| copy.state == State::Planned);
            let copied = match change {
                Some(change) => scratch.write(target, change.new_text().as_bytes()),
                None => scratch.copy(path, target),
            };
            copied.map_err(|error| error.to_string())
        }
        // What the chart depends on is put there afterwards.
        _ if relative.starts_with("charts") => Ok(()),
        _ => {
            let what = shown(relative);
            copy.notes
                .insert(format!("rendered without {what}, which leads out of the checkout or is no file"));
            Ok(())
        }
    }
}

/// The `dependencies:` of the chart in the folder `dir`.
fn dependencies(dir: &Path) -> Result<Vec<Dependency>, String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        dependencies: Option<Vec<Dependency>>,
    }
    let mut found = Vec::new();
    for file in ["Chart.yaml", "requirements.yaml"] {
        let Ok(text) = fs::read_to_string(dir.join(file)) else { continue };
        let parsed: Option<File> = serde_yaml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        found.extend(parsed.and_then(|file| file.dependencies).unwrap_or_default());
    }
    Ok(found)
}

/// Whether the chart in the folder `dir` has a chart called `name` in its `charts/`, packed or not.
fn is_inside(dir: &Path, name: &str) -> bool {
    let inside = dir.join("charts");
    if inside.join(name).join("Chart.yaml").is_file() {
        return true;
    }
    let Ok(entries) = fs::read_dir(inside) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let file = entry.file_name();
        let version =
            file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".tgz"));
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit() || c == 'v'))
    })
}

/// Takes a dependency out of the copy of a chart.
fn leave_out(scratch: &Scratch, at: &Path, name: &str) -> Result<(), String> {
    for file in ["Chart.yaml", "requirements.yaml"] {
        let Ok(text) = fs::read_to_string(scratch.path().join(at).join(file)) else { continue };
        let parsed = serde_yaml::from_str(&text);
        let mut parsed: Value = parsed.map_err(|error| format!("{file}: {error}"))?;
        let list = parsed.get_mut("dependencies").and_then(Value::as_sequence_mut);
        if let Some(list) = list {
            list.retain(|item| item.get("name").and_then(Value::as_str) != Some(name));
            let text = serde_yaml::to_string(&parsed).map_err(|error| format!("{file}: {error}"))?;
            scratch.write(&at.join(file), text.as_bytes()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
