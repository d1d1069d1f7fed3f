//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use walkdir::WalkDir;

use super::compare::differences;
use super::credentials::{Checked, Credentials, is_hash_of_secret};
use super::endpoint;
use super::helm::Helm;
use super::objects::{Objects, Reader};
use super::pin::unpinned;
use super::stage::{Stage, State};
use super::verdict::{Fault, Render, Verdict};
use crate::chart::VALUES;
use crate::disk::Scratch;
use crate::finding::Id;
use crate::plan::ChartPlan;
use crate::yaml::tree::Tree;

/// What the operator overrides.
const AUTH_OFF: &[&str] = &["endpoints.oci_image_registry.auth.enabled=false"];
const AUTH_ON: &[&str] = &[
    "endpoints.oci_image_registry.auth.enabled=true",
    "endpoints.oci_image_registry.host_fqdn_override.default=registry.example.com",
];
/// The host in there.
const HOST: &str = "registry.example.com";

/// How often both sides of a comparison are rendered again to see whether the chart differs from itself.
const AGAIN: usize = 3;

/// Where Helm's complaints go, in the scratch folder.
pub(crate) const COMPLAINTS: &str = "complaints";

/// Why a chart cannot be verified.
type NotVerified = Box<dyn Error + Send + Sync>;

/// What all charts share.
pub(crate) struct Prover<'p> {
    stage: Stage<'p>,
    helm: &'p Helm,
    scratch: &'p Scratch,
    renders: AtomicUsize,
}

/// A chart in the scratch folder, rendered with some `--set`.
struct Rendered<'r> {
    chart: &'r ChartPlan,
    folder: &'r Path,
    sets: &'static [&'static str],
    /// What Helm printed, or what it complained of.
    printed: Result<String, String>,
}

impl<'p> Prover<'p> {
    pub(crate) fn new(stage: Stage<'p>, helm: &'p Helm, scratch: &'p Scratch) -> Self {
        Prover { stage, helm, scratch, renders: AtomicUsize::new(0) }
    }

    /// How often Helm was called.
    pub(crate) fn renders(&self) -> usize {
        self.renders.load(Ordering::Relaxed)
    }

    pub(crate) fn prove(
        &self,
        index: usize,
        chart: &ChartPlan,
        notes: &mut BTreeSet<String>,
    ) -> Result<Verdict, NotVerified> {
        let planned = self.stage.make(index, State::Planned)?;
        notes.extend(planned.notes);
        let as_it_is = if planned.is_changed { Some(self.stage.make(index, State::AsItIs)?) } else { None };
        let values = self.stage.planned_values(chart)?;
        let values = Tree::parse_first(&values).map_err(|error| format!("{VALUES}: {error}"))?.settled();
        let mut reader = Reader::default();

        let default = self.render(chart, &planned.path, &[])?;
        let before = match &as_it_is {
            Some(staged) => &self.render(chart, &staged.path, &[])?,
            None => &default,
        };
        let objects_before =
            before.printed.as_ref().map_err(|error| format!("does not render as it is: {error}"));
        let objects_before = reader.read(objects_before?).map_err(|error| format!("as it is: {error}"))?;
        let mut faults = default_faults(&mut reader, &objects_before, &default, &values, notes);
        if !faults.is_empty() {
            self.differs_from_itself(&mut reader, [before, &default])?;
        }

        // Where an owner has switched it on, off is what has to be asked for.
        let enabled = values.at(&["endpoints", "oci_image_registry", "auth", "enabled"]);
        let off = if enabled.is_some_and(Tree::is_true) {
            &self.render(chart, &planned.path, AUTH_OFF)?
        } else {
            &default
        };
        let on = self.render(chart, &planned.path, AUTH_ON)?;
        let checked = auth_faults(&mut reader, off, &on, &values);
        if !checked.faults.is_empty() {
            self.differs_from_itself(&mut reader, [off, &on])?;
        }
        notes.extend(checked.notes);
        for fault in checked.faults {
            if !faults.iter().any(|known| (&known.object, &known.what) == (&fault.object, &fault.what)) {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            Ok(Verdict::Proven { counts: checked.counts, is_planned: planned.is_changed })
        } else {
            Ok(Verdict::Faulty(faults))
        }
    }

    fn render<'r>(
        &self,
        chart: &'r ChartPlan,
        folder: &'r Path,
        sets: &'static [&'static str],
    ) -> Result<Rendered<'r>, NotVerified> {
        let number = self.renders.fetch_add(1, Ordering::Relaxed);
        let complaints = Path::new(COMPLAINTS).join(number.to_string());
        let file = self.scratch.create(&complaints)?;
        let printed = self.helm.template(&release(&chart.name), folder, sets, file);
        let printed = printed.map_err(|error| format!("Helm cannot be run: {error}"))?;
        let printed = if let Some(printed) = printed {
            Ok(printed)
        } else {
            let said = fs::read(self.scratch.path().join(complaints))?;
            Err(complaint(&String::from_utf8_lossy(&said), folder, &chart.name))
        };
        Ok(Rendered { chart, folder, sets, printed })
    }

    /// Renders each side again, and fails where one gives something else than before.
    fn differs_from_itself(&self, reader: &mut Reader, sides: [&Rendered<'_>; 2]) -> Result<(), NotVerified> {
        for side in [sides; AGAIN].iter().flatten() {
            let again = self.render(side.chart, side.folder, side.sets)?;
            let place = match (&side.printed, &again.printed) {
                (Ok(one), Ok(other)) if one != other => {
                    let first = differences(&reader.read(one)?, &reader.read(other)?).into_iter().next();
                    first.map(|difference| format!("{}: {difference}", difference.object.key))
                }
                (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                    Some(format!("it does not always render: {error}"))
                }
                _ => None,
            };
            if let Some(place) = place {
                let functions: Vec<&str> = unpinned_functions(side.folder).into_iter().collect();
                let calls = if functions.is_empty() {
                    String::new()
                } else {
                    format!("; its templates call {}, which may be why", functions.join(" and "))
                };
                return Err(format!("renders differently each time: {place}{calls}").into());
            }
        }
        Ok(())
    }
}

/// The objects of a render, or why there are none.
fn read(reader: &mut Reader, rendered: &Rendered<'_>) -> Result<Objects, String> {
    let printed = rendered.printed.as_ref().map_err(|error| format!("does not render: {error}"))?;
    reader.read(printed).map_err(|error| format!("renders what is no YAML: {error}"))
}

/// What is different with default values, but for the rule that a NetworkPolicy gains for the endpoint.
fn default_faults(
    reader: &mut Reader,
    before: &Objects,
    default: &Rendered<'_>,
    values: &Tree,
    notes: &mut BTreeSet<String>,
) -> Vec<Fault> {
    let mut after = match read(reader, default) {
        Ok(after) => after,
        Err(what) => return vec![Fault::does_not_render(Render::Default, &what)],
    };
    if let Some(egress) = endpoint::egress(values) {
        let (objects, gained) = endpoint::without_egress(&after, before, &egress);
        let note = |policy| format!("{policy} gains the egress of the new endpoint, and only that");
        notes.extend(gained.into_iter().map(note));
        after = objects;
    }
    let differences = differences(before, &after).into_iter();
    differences.map(|difference| Fault::differs(Render::Default, difference)).collect()
}

/// What is wrong with the credentials where authentication is on, and what else changes with it.
fn auth_faults(reader: &mut Reader, off: &Rendered<'_>, on: &Rendered<'_>, values: &Tree) -> Checked {
    let only = |fault| Checked { faults: vec![fault], ..Checked::default() };
    let objects = [off, on].map(|side| read(reader, side));
    let (objects_off, objects_on) = match objects {
        [Ok(off), Ok(on)] => (off, on),
        [_, Err(what)] | [Err(what), _] => return only(Fault::does_not_render(Render::AuthOn, &what)),
    };
    let credentials = match Credentials::of(values, &on.chart.name, HOST) {
        Ok(credentials) => credentials,
        Err(what) => {
            let fault = Fault::new(Id::MissingValue, Render::AuthOn, None, what);
            return only(Fault { file: Some(VALUES.into()), ..fault });
        }
    };
    let mut checked = credentials.check(&objects_on, &objects_off);
    let rest = credentials.taken_off(&objects_on, &objects_off);
    for difference in differences(&objects_off, &rest) {
        if is_hash_of_secret(&difference, &objects_on, &objects_off, on.folder) {
            let (object, path) = (&difference.object.key, &difference.path);
            checked.notes.insert(format!("{object}: {path} is a hash of the Secret, and changes with it"));
        } else {
            checked.faults.push(Fault::differs(Render::AuthOn, difference));
        }
    }
    checked
}

/// A name that Helm takes for a release: that of the chart, as far as it goes.
fn release(chart: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = chart.chars().take(53).map(allowed).collect();
    name.trim_end_matches('-').to_owned()
}

/// What Helm complains of, on one line and without the scratch folder.
fn complaint(said: &str, folder: &Path, chart: &str) -> String {
    let (_, error) = said.split_once("Error:").unwrap_or(("", said));
    let error = error.replace("\n\nUse --debug flag to render out invalid YAML", "");
    let error = error.trim().replace(folder.to_string_lossy().as_ref(), chart).replace('\n', " ");
    format!("Error: {error}")
}

/// Functions of the chart's own that may make it differ from itself.
fn unpinned_functions(folder: &Path) -> BTreeSet<&'static str> {
    let templates = WalkDir::new(folder.join("templates")).into_iter().filter_map(Result::ok);
    let files = templates.map(walkdir::DirEntry::into_path).chain([folder.join(VALUES)]);
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| unpinned(&text).collect::<Vec<_>>()).collect()
}
