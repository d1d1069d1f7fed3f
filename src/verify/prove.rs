//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::compare::differences;
use super::credentials::{Credentials, is_hash_of, new_secrets};
use super::endpoint::egress;
use super::helm::Helm;
use super::objects::{self, Object};
use super::pin::unpinned;
use super::stage::Stage;
use super::verdict::{AUTH_ON, DEFAULT, HOST, SECRET_OFF, Verdict, Verified};
use crate::base::Base;
use crate::chart::VALUES;
use crate::context::REGISTRY;
use crate::disk::Scratch;
use crate::error;
use crate::finding::Id;
use crate::yaml::tree::Tree;

/// What has to be asked for where an owner has switched authentication on.
const AUTH_OFF: &[&str] = &["endpoints.oci_image_registry.auth.enabled=false"];

/// How often both sides of a comparison are rendered again to see whether the chart differs from itself.
const AGAIN: usize = 3;

/// Why a chart cannot be verified.
type NotVerified = Box<dyn Error + Send + Sync>;

/// What all charts share.
pub(crate) struct Prover<'p> {
    pub(crate) before: Stage<'p>,
    pub(crate) after: Stage<'p>,
    /// What there was before, where that is not the plan's own old state.
    pub(crate) base: Option<&'p Base>,
    pub(crate) scratch: &'p Scratch,
    pub(crate) helm: &'p Helm,
}

/// A chart in the scratch folder, rendered with some `--set`.
struct Rendered<'r> {
    chart: &'r str,
    folder: &'r Path,
    sets: &'static [&'static str],
    /// What it renders, or why it does not.
    objects: Result<Vec<Object>, String>,
}

impl Prover<'_> {
    /// Proves the chart with this index, or says what is wrong with it in `found`.
    pub(crate) fn prove(&self, index: usize, found: &mut Verified<'_>) -> Result<Verdict, NotVerified> {
        let name = &found.chart.name;
        let old = self.base.map_or(Some(found.chart), |base| base.chart(found.chart));
        let before = old.map(|chart| self.before.read(chart)).transpose()?;
        let after = self.after.read(found.chart)?;
        found.notes.extend(after.notes.iter().cloned());
        let folder = after.write(self.scratch, &Path::new("after").join(index.to_string()))?;
        let file = folder.join(VALUES);
        let values = fs::read_to_string(&file).map_err(error::Error::read(&file))?;
        let values = Tree::parse_first(&values).map_err(|error| format!("{VALUES}: {error}"))?.settled();

        let changed = before.as_ref().filter(|before| **before != after);
        let old_folder = changed
            .map(|before| before.write(self.scratch, &Path::new("before").join(index.to_string())))
            .transpose()?;
        let as_it_was = old_folder.as_ref().map(|folder| self.render(name, folder, &[])).transpose()?;
        if let Some(Err(error)) = as_it_was.as_ref().map(|rendered| &rendered.objects) {
            return Err(format!("does not render {}: {error}", self.state_before()).into());
        }
        let default = self.render(name, &folder, DEFAULT.sets)?;
        match (&as_it_was, &default.objects) {
            (Some(as_it_was), _) => compare_default(as_it_was, &default, &values, found),
            (None, Err(error)) if before.is_some() => {
                return Err(format!("does not render as it is: {error}").into());
            }
            (None, Err(error)) => found.does_not_render(DEFAULT, error),
            (None, Ok(_)) => {}
        }
        if let (None, Some(base)) = (&before, self.base) {
            found.notes.insert(format!(
                "is not in {}: with default values there is nothing to compare it with",
                base.name
            ));
        }
        if !found.faults.is_empty() {
            self.differs_from_itself([as_it_was.as_ref().unwrap_or(&default), &default])?;
        }

        let enabled = values.at(&["endpoints", REGISTRY, "auth", "enabled"]);
        let is_on = enabled.is_some_and(Tree::is_true);
        if is_on && !matches!(enabled, Some(Tree::Other(word)) if word == "true") {
            found.fault(
                Id::NoBoolean,
                None,
                "endpoints.oci_image_registry.auth.enabled is no boolean: templates take it for true",
            );
        }
        let asked_off = if is_on { Some(self.render(name, &folder, AUTH_OFF)?) } else { None };
        let off = asked_off.as_ref().unwrap_or(&default);
        let on = self.render(name, &folder, AUTH_ON.sets)?;
        let known = found.faults.len();
        compare_auth(off, &on, &values, &after.others, found);
        if found.faults.len() > known {
            self.differs_from_itself([off, &on])?;
        }
        if found.chart.findings.iter().any(|finding| finding.id == Id::ForeignTemplate) {
            self.check_switch(&folder, off, found)?;
        }
        let is_changed = changed.is_some();
        Ok(if found.faults.is_empty() { Verdict::Proven { is_changed } } else { Verdict::Faulty })
    }

    fn state_before(&self) -> String {
        self.base.map_or_else(|| "as it is".to_owned(), |base| format!("as it was in {}", base.name))
    }

    /// Checks that a template of another kind makes no Secret where `manifests.secret_registry` is off.
    fn check_switch(
        &self,
        folder: &Path,
        off: &Rendered<'_>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let switched = self.render(&found.chart.name, folder, SECRET_OFF.sets)?;
        match (&switched.objects, &off.objects) {
            (Ok(switched), Ok(off)) => {
                for secret in new_secrets(switched, off) {
                    let what = "is made although manifests.secret_registry is false".to_owned();
                    found.add(SECRET_OFF, Id::WrongSecret, Some(secret), what, None);
                }
            }
            (Err(error), _) => found.does_not_render(SECRET_OFF, error),
            (Ok(_), Err(_)) => {}
        }
        Ok(())
    }

    fn render<'r>(
        &self,
        chart: &'r str,
        folder: &'r Path,
        sets: &'static [&'static str],
    ) -> Result<Rendered<'r>, NotVerified> {
        let printed = self.helm.template(chart, folder, sets);
        let printed = printed.map_err(|error| format!("Helm cannot be run: {error}"))?;
        let read = |text: String| objects::read(&text).map_err(|error| format!("it prints no YAML: {error}"));
        Ok(Rendered { chart, folder, sets, objects: printed.and_then(read) })
    }

    /// Renders each side again, and fails where one gives something else than before.
    fn differs_from_itself(&self, sides: [&Rendered<'_>; 2]) -> Result<(), NotVerified> {
        for side in [sides; AGAIN].iter().flatten() {
            let again = self.render(side.chart, side.folder, side.sets)?;
            let place = match (&side.objects, &again.objects) {
                (Ok(one), Ok(other)) => {
                    let first = differences(one, other).into_iter().next();
                    first.map(|(object, difference)| format!("{}: {difference}", object.key))
                }
                (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                    Some(format!("it does not always render: {error}"))
                }
                // It does not render, whatever it says of that.
                (Err(_), Err(_)) => None,
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

/// With default values nothing may differ, but for the rule that a NetworkPolicy gains for the endpoint.
fn compare_default(before: &Rendered<'_>, after: &Rendered<'_>, values: &Tree, found: &mut Verified<'_>) {
    let (before, after) = match (&before.objects, &after.objects) {
        (Ok(before), Ok(after)) => (before, after),
        (_, Err(error)) | (Err(error), _) => return found.does_not_render(DEFAULT, error),
    };
    let egress = egress(values);
    let mut gained = BTreeSet::new();
    for (object, difference) in differences(before, after) {
        let is_egress = object.key.kind == "NetworkPolicy"
            && difference.path.starts_with("spec.egress.")
            && difference.before.is_none()
            && difference.after == egress;
        if is_egress && gained.insert(&object.key) {
            let note = format!("{} gains the egress of the new endpoint, and only that", object.key);
            found.notes.insert(note);
        } else {
            found.differs(DEFAULT, object, difference);
        }
    }
}

/// Where authentication is on, the credentials must be there, and nothing else may differ.
fn compare_auth(
    off: &Rendered<'_>,
    on: &Rendered<'_>,
    values: &Tree,
    others: &BTreeSet<String>,
    found: &mut Verified<'_>,
) {
    let folder = on.folder;
    let (off, on) = match (&off.objects, &on.objects) {
        (Ok(off), Ok(on)) => (off, on),
        (_, Err(error)) | (Err(error), _) => return found.does_not_render(AUTH_ON, error),
    };
    let credentials = match Credentials::of(values, &found.chart.name, HOST) {
        Ok(credentials) => credentials,
        Err(what) => return found.fault(Id::MissingValue, None, what),
    };
    let secrets = new_secrets(on, off);
    credentials.check(on, &secrets, others, found);
    for (object, difference) in differences(off, on) {
        let is_secret = secrets.iter().any(|secret| secret.key == object.key);
        if is_secret || credentials.is_mention(object, &difference) {
            continue;
        }
        if secrets.iter().any(|secret| is_hash_of(secret, object, &difference, folder)) {
            let path = difference.path;
            let note = format!("{}: {path} is a hash of the Secret, and changes with it", object.key);
            found.notes.insert(note);
        } else {
            found.differs(AUTH_ON, object, difference);
        }
    }
}

/// Functions of the chart's own that may make it differ from itself.
fn unpinned_functions(folder: &Path) -> BTreeSet<&'static str> {
    let templates = WalkDir::new(folder.join("templates")).into_iter().filter_map(Result::ok);
    let files = templates.map(walkdir::DirEntry::into_path).chain([folder.join(VALUES)]);
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| unpinned(&text).collect::<Vec<_>>()).collect()
}
