//! Charts as Helm is to see them: copies in a scratch folder, as they are and as planned, with chance pinned
//! and with the helm-toolkit and whatever else they depend on in `charts/`. The checkout is only read.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_yaml::Value;
use walkdir::WalkDir;

use super::pin::pinned;
use crate::change::FileChange;
use crate::chart::VALUES;
use crate::discover::normal;
use crate::disk::{self, Scratch};
use crate::error;
use crate::metadata::{Dependency, Metadata, Role, TOOLKIT};
use crate::plan::{ChartPlan, Outcome, Plan};
use crate::text::shown;

type Staging<T> = Result<T, Box<dyn Error + Send + Sync>>;

const NO_TOOLKIT: &str = "there is no helm-toolkit to render it with; name the checkout that it is in too, or say --helm-toolkit DIR";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As it lies in the checkout.
    AsItIs,
    /// With all edits of the plan.
    Planned,
}

/// A plan and its changes by path.
#[derive(Debug)]
struct Source<'p> {
    plan: &'p Plan,
    changes: BTreeMap<&'p Path, &'p FileChange>,
}

impl<'p> Source<'p> {
    fn new(plan: &'p Plan) -> Self {
        let changes = plan.files().into_iter().map(|change| (change.path.as_path(), change)).collect();
        Source { plan, changes }
    }
}

/// The text of a file that the plan changes, where it is there in this state.
fn text_in(state: State, change: &FileChange) -> Option<String> {
    match state {
        State::AsItIs => change.old.clone(),
        State::Planned => Some(change.new.clone()),
    }
}

/// Makes the copies.
#[derive(Debug)]
pub(crate) struct Stage<'p> {
    scratch: &'p Scratch,
    charts: Source<'p>,
    /// The helm-toolkit that the user names, which has a plan of its own.
    toolkit: Option<(Source<'p>, &'p ChartPlan)>,
    /// The toolkits that were copied, by index and state: charts share them.
    toolkits: Vec<[OnceLock<Result<Staged, String>>; 2]>,
}

/// A chart or toolkit in the scratch folder.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    /// The whole path.
    pub(crate) path: PathBuf,
    /// Whether the plan changes anything in it, or in what it depends on.
    pub(crate) is_changed: bool,
    /// What had to be left out.
    pub(crate) notes: BTreeSet<String>,
}

/// A copy in the making.
struct Copy<'c> {
    state: State,
    staged: Staged,
    /// The folders of the charts that it is inside of: none is copied into itself.
    around: Vec<&'c Path>,
}

impl<'p> Stage<'p> {
    /// Copies go into `scratch`. Where the user names a helm-toolkit, `toolkit` is the plan for it.
    pub(crate) fn new(scratch: &'p Scratch, plan: &'p Plan, toolkit: Option<&'p Plan>) -> Self {
        let toolkit = toolkit.and_then(|plan| {
            let chart = plan.charts.iter().find(|chart| chart.role == Role::Toolkit)?;
            Some((Source::new(plan), chart))
        });
        // The last one is for the toolkit that the user names.
        let toolkits = (0..=plan.charts.len()).map(|_| [OnceLock::new(), OnceLock::new()]).collect();
        Stage { scratch, charts: Source::new(plan), toolkit, toolkits }
    }

    /// Copies the chart with this index in one state.
    pub(crate) fn make(&self, index: usize, state: State) -> Staging<Staged> {
        let chart = self.charts.plan.charts.get(index).ok_or("no such chart")?;
        let folder = if state == State::Planned { "planned" } else { "as-it-is" };
        let at = Path::new(folder).join(index.to_string());
        let mut copy = self.copy_to(&at, state);
        self.copy_chart(chart, &at, &mut copy)?;
        Ok(copy.staged)
    }

    fn copy_to(&self, at: &Path, state: State) -> Copy<'_> {
        let path = self.scratch.path().join(at);
        Copy { state, staged: Staged { path, is_changed: false, notes: BTreeSet::new() }, around: Vec::new() }
    }

    /// The text of a chart's values.yaml as planned.
    pub(crate) fn planned_values(&self, chart: &ChartPlan) -> Staging<String> {
        let path = chart.path.join(VALUES);
        if let Some(change) = self.charts.changes.get(path.as_path()) {
            return Ok(change.new.clone());
        }
        let whole = self.charts.plan.base.join(path);
        Ok(fs::read_to_string(&whole).map_err(error::Error::read(&whole))?)
    }

    /// Copies a chart, and puts what it depends on into it.
    fn copy_chart<'c>(&'c self, chart: &'c ChartPlan, at: &Path, copy: &mut Copy<'c>) -> Staging<()> {
        self.copy_files(&self.charts, &chart.path, at, copy)?;
        let here = self.scratch.path().join(at);
        let metadata = Metadata::read(self.scratch.path(), at).map_err(|refusal| refusal.to_string())?;
        copy.around.push(&chart.path);
        for Dependency { name, repository } in
            metadata.dependencies.iter().filter(|needed| needed.name != TOOLKIT)
        {
            if is_inside(&here, name) {
                continue;
            }
            let provider = self.provider(chart, name, repository.as_deref());
            if let Some(provider) = provider.filter(|chart| !copy.around.contains(&chart.path.as_path())) {
                self.copy_chart(provider, &at.join("charts").join(name), copy)?;
            } else {
                copy.staged
                    .notes
                    .insert(format!("rendered without {name}, which it depends on and which is not here"));
                self.leave_out(at, name)?;
            }
        }
        copy.around.pop();
        if !is_inside(&here, TOOLKIT) {
            let toolkit = self.toolkit_for(chart, copy.state).ok_or(NO_TOOLKIT)??;
            copy.staged.is_changed |= toolkit.is_changed;
            self.scratch.make_folder(&at.join("charts"))?;
            self.scratch
                .link(toolkit.path.strip_prefix(self.scratch.path())?, &at.join("charts").join(TOOLKIT))?;
        }
        Ok(())
    }

    /// The chart that another one depends on: by its path, else by its name.
    fn provider(&self, chart: &ChartPlan, name: &str, repository: Option<&str>) -> Option<&'p ChartPlan> {
        let charts = || self.charts.plan.charts.iter().filter(|chart| chart.role == Role::Application);
        let path = repository.and_then(|address| address.strip_prefix("file://"));
        let path = path.map(|path| normal(&chart.path.join(path)));
        let by_path = path.and_then(|path| charts().find(|chart| chart.path == path));
        by_path.or_else(|| charts().find(|chart| chart.name == name))
    }

    /// The toolkit that a chart depends on, copied when it is first asked for.
    fn toolkit_for(&self, chart: &ChartPlan, state: State) -> Option<Result<Staged, String>> {
        let (index, source, toolkit) = match &self.toolkit {
            Some((source, toolkit)) => (self.toolkits.len() - 1, source, *toolkit),
            None => (chart.toolkit?, &self.charts, self.charts.plan.charts.get(chart.toolkit?)?),
        };
        let made = self.toolkits.get(index)?.get(usize::from(state == State::Planned))?.get_or_init(|| {
            if toolkit.outcome() == Outcome::Refused {
                let all = toolkit.refusals().map(ToString::to_string).collect::<Vec<_>>();
                return Err(format!("its helm-toolkit is refused: {}", all.join("; ")));
            }
            let folder = if state == State::Planned { "toolkit-planned" } else { "toolkit-as-it-is" };
            let path = Path::new(folder).join(index.to_string());
            let mut copy = self.copy_to(&path, state);
            let copied = self.copy_files(source, &toolkit.path, &path, &mut copy);
            copied.map_err(|error| error.to_string())?;
            Ok(copy.staged)
        });
        Some(made.clone())
    }

    /// Copies the files of the chart in the folder `dir` of a plan.
    fn copy_files(&self, source: &Source<'_>, dir: &Path, at: &Path, copy: &mut Copy<'_>) -> Staging<()> {
        self.scratch.make_folder(at)?;
        let whole = source.plan.base.join(dir);
        let is_wanted = |entry: &walkdir::DirEntry| {
            let is_git = entry.depth() == 1 && entry.file_name() == ".git";
            !is_git && !disk::is_temporary(entry.file_name())
        };
        for entry in WalkDir::new(&whole).min_depth(1).into_iter().filter_entry(is_wanted) {
            let entry = entry?;
            let relative = entry.path().strip_prefix(&whole)?;
            if entry.file_type().is_dir() {
                self.scratch.make_folder(&at.join(relative))?;
            } else if source.changes.contains_key(dir.join(relative).as_path()) {
                // Written below.
            } else if entry.file_type().is_file() {
                self.copy_file(entry.path(), &at.join(relative))?;
            } else {
                self.copy_link(source, entry.path(), at, relative, copy)?;
            }
        }
        for (path, change) in source.changes.iter().filter(|(path, _)| path.starts_with(dir)) {
            copy.staged.is_changed = true;
            if let Some(text) = text_in(copy.state, change) {
                let target = at.join(path.strip_prefix(dir)?);
                self.scratch.make_folder(target.parent().unwrap_or(at))?;
                self.write(&target, &text)?;
            }
        }
        Ok(())
    }

    /// Helm follows links: what one leads to is copied, if it is a file of the checkout.
    fn copy_link(
        &self,
        source: &Source<'_>,
        link: &Path,
        at: &Path,
        relative: &Path,
        copy: &mut Copy<'_>,
    ) -> Staging<()> {
        let file = link.canonicalize().ok().filter(|path| path.is_file());
        let inside = file.as_deref().and_then(|path| path.strip_prefix(&source.plan.base).ok());
        match (inside, &file) {
            (Some(inside), Some(file)) => {
                let change = source.changes.get(inside);
                match change.and_then(|change| text_in(copy.state, change)) {
                    Some(text) => self.write(&at.join(relative), &text),
                    None => self.copy_file(file, &at.join(relative)),
                }
            }
            // What the chart depends on is put there afterwards.
            _ if relative.starts_with("charts") => Ok(()),
            _ => {
                let what = shown(relative);
                copy.staged.notes.insert(format!(
                    "rendered without {what}, which leads out of the checkout or is no file"
                ));
                Ok(())
            }
        }
    }

    fn copy_file(&self, from: &Path, target: &Path) -> Staging<()> {
        let text = if is_template(target) { fs::read_to_string(from).ok() } else { None };
        match text {
            Some(text) => self.write(target, &text),
            None => Ok(self.scratch.copy(from, target)?),
        }
    }

    fn write(&self, target: &Path, text: &str) -> Staging<()> {
        let text = if is_template(target) { &pinned(text) } else { text };
        Ok(self.scratch.write(target, text.as_bytes())?)
    }

    /// Takes a dependency out of the copy of a chart.
    fn leave_out(&self, at: &Path, name: &str) -> Staging<()> {
        for file in ["Chart.yaml", "requirements.yaml"] {
            let Ok(text) = fs::read_to_string(self.scratch.path().join(at).join(file)) else { continue };
            let parsed = serde_yaml::from_str(&text);
            let mut parsed: Value = parsed.map_err(|error| format!("{file}: {error}"))?;
            if let Some(list) = parsed.get_mut("dependencies").and_then(Value::as_sequence_mut) {
                list.retain(|item| item.get("name").and_then(Value::as_str) != Some(name));
                let text = serde_yaml::to_string(&parsed).map_err(|error| format!("{file}: {error}"))?;
                self.scratch.write(&at.join(file), text.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Whether a file of a chart, or of one inside of it, is a template or holds values that may be some.
fn is_template(path: &Path) -> bool {
    path.ends_with(VALUES) || path.iter().any(|name| name == "templates")
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
