//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::compare::differences;
use super::credentials::{Credentials, is_hash_of, new_secrets};
use super::endpoint::egress;
use super::helm::Helm;
use super::overrides::Override;
use super::render::{HOST, NotVerified, Render, Rendered};
use super::stage::{Files, Stage};
use super::verdict::{Verdict, Verified};
use crate::base::Base;
use crate::chart::VALUES;
use crate::context::REGISTRY;
use crate::disk::Scratch;
use crate::error;
use crate::finding::Id;
use crate::plan::ChartPlan;
use crate::yaml::tree::Tree;

/// What all charts share.
pub(crate) struct Prover<'p> {
    pub(crate) before: Stage<'p>,
    pub(crate) after: Stage<'p>,
    /// What there was before, where that is not the plan's own old state.
    pub(crate) base: Option<&'p Base>,
    pub(crate) scratch: &'p Scratch,
    pub(crate) helm: &'p Helm,
    /// Whether the checkout's own files of values are tried too.
    pub(crate) all_overrides: bool,
}

/// A chart in the scratch folder, before and after.
struct Pair {
    /// The folder with what it was; `None` where that is what it is.
    before: Option<PathBuf>,
    after: PathBuf,
    /// The default values.
    values: Tree,
}

impl Prover<'_> {
    /// Proves the chart with this index, or says what is wrong with it in `found`.
    pub(crate) fn prove(&self, index: usize, found: &mut Verified<'_>) -> Result<Verdict, NotVerified> {
        let name = &found.chart.name;
        let old = self.chart_before(found.chart);
        let before = old.map(|chart| self.before.read(chart)).transpose()?;
        let after = self.after.read(found.chart)?;
        found.notes.extend(after.notes.iter().cloned());
        let pair = self.write(index, before.as_ref(), &after)?;
        let values = &pair.values;

        let default = Rendered::new(self.helm, name, &pair.after, Render::default())?;
        if let Some(folder) = &pair.before {
            let as_it_was = Rendered::new(self.helm, name, folder, Render::default())?;
            if let Err(error) = &as_it_was.objects {
                return Err(format!("does not render {}: {error}", self.state_before()).into());
            }
            compare_default(&as_it_was, &default, values, found);
            self.check_faults([&as_it_was, &default], found)?;
        } else if let Err(error) = &default.objects {
            return Err(format!("does not render as it is: {error}").into());
        }
        if let (None, Some(base)) = (&before, self.base) {
            let name = &base.name;
            let note = format!("is not in {name}: with default values there is nothing to compare it with");
            found.notes.insert(note);
        }

        let enabled = values.at(&["endpoints", REGISTRY, "auth", "enabled"]);
        let is_on = enabled.is_some_and(Tree::is_true);
        if is_on && !matches!(enabled, Some(Tree::Other(word)) if word == "true") {
            let what = "endpoints.oci_image_registry.auth.enabled is no boolean: templates take it for true";
            found.fault(Id::NoBoolean, None, what);
        }
        let asked_off =
            if is_on { Some(Rendered::new(self.helm, name, &pair.after, Render::auth_off())?) } else { None };
        let off = asked_off.as_ref().unwrap_or(&default);
        let on = Rendered::new(self.helm, name, &pair.after, Render::auth_on())?;
        compare_auth(off, &on, values, &after.others, found);
        self.check_faults([off, &on], found)?;
        if found.chart.findings.iter().any(|finding| finding.id == Id::ForeignTemplate) {
            self.check_switch(&pair.after, off, found)?;
        }
        if self.all_overrides {
            self.check_overrides(&pair, found)?;
        }
        let is_changed = pair.before.is_some();
        Ok(if found.faults.is_empty() { Verdict::Proven { is_changed } } else { Verdict::Faulty })
    }

    /// What `chart` was before.
    fn chart_before<'c>(&'c self, chart: &'c ChartPlan) -> Option<&'c ChartPlan> {
        self.base.map_or(Some(chart), |base| base.chart(chart))
    }

    fn state_before(&self) -> String {
        self.base.map_or_else(|| "as it is".to_owned(), |base| format!("as it was in {}", base.name))
    }

    /// Writes the chart into the scratch folder, once where it is what it was.
    fn write(&self, index: usize, before: Option<&Files>, after: &Files) -> Result<Pair, NotVerified> {
        let write =
            |files: &Files, state: &str| files.write(self.scratch, &Path::new(state).join(index.to_string()));
        let before = before.filter(|before| *before != after);
        let before = before.map(|before| write(before, "before")).transpose()?;
        let after = write(after, "after")?;
        let file = after.join(VALUES);
        let values = fs::read_to_string(&file).map_err(error::Error::read(&file))?;
        let values = Tree::parse_first(&values).map_err(|error| format!("{VALUES}: {error}"))?.settled();
        Ok(Pair { before, after, values })
    }

    /// Where there are faults: renders each side again, since a chart that differs from itself has none.
    fn check_faults(&self, sides: [&Rendered<'_>; 2], found: &Verified<'_>) -> Result<(), NotVerified> {
        let ids = sides.map(|side| side.with.id);
        if found.faults.iter().any(|fault| ids.contains(&fault.render)) {
            sides.into_iter().try_for_each(|side| side.check_again(self.helm))?;
        }
        Ok(())
    }

    /// Checks that a template of another kind makes no Secret where `manifests.secret_registry` is off.
    fn check_switch(
        &self,
        folder: &Path,
        off: &Rendered<'_>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let switched = Rendered::new(self.helm, &found.chart.name, folder, Render::secret_off())?;
        match (&switched.objects, &off.objects) {
            (Ok(objects), Ok(off)) => {
                for secret in new_secrets(objects, off) {
                    let what = "is made although manifests.secret_registry is false".to_owned();
                    found.add(&switched.with, Id::WrongSecret, Some(secret), what, None);
                }
            }
            (Err(error), _) => found.does_not_render(&switched.with, error),
            (Ok(_), Err(_)) => {}
        }
        Ok(())
    }

    /// Renders the chart with each of the files of values that the checkout carries for it, before and after.
    fn check_overrides(&self, pair: &Pair, found: &mut Verified<'_>) -> Result<(), NotVerified> {
        let chart = found.chart;
        let old =
            self.chart_before(chart).map(|old| Override::all(self.before.base(), old)).unwrap_or_default();
        let overrides = Override::all(self.after.base(), chart);
        let compared = overrides.par_iter().map(|new| {
            let old = old.iter().find(|old| old.name == new.name).unwrap_or(new);
            let mut found = Verified::new(chart);
            self.check_override(pair, old, new, &mut found).map(|()| found)
        });
        for compared in compared.collect::<Vec<_>>() {
            found.absorb(compared?);
        }
        Ok(())
    }

    fn check_override(
        &self,
        pair: &Pair,
        old: &Override,
        new: &Override,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let name = &found.chart.name;
        if let Some(why) = new.why_not() {
            found.notes.insert(format!("{}: not compared: {why}", new.name));
            return Ok(());
        }
        let before = pair.before.as_ref().unwrap_or(&pair.after);
        if before == &pair.after && old.is_same(new) {
            found.overrides += 1;
            return Ok(());
        }
        let with = |file: &Override| Render::values("override", &file.name, &file.file);
        let before = Rendered::new(self.helm, name, before, with(old))?;
        if let Err(error) = &before.objects {
            found.notes.insert(format!("{}: not compared: does not render before: {error}", new.name));
            return Ok(());
        }
        let after = Rendered::new(self.helm, name, &pair.after, with(new))?;
        compare_default(&before, &after, &pair.values, found);
        found.overrides += usize::from(found.faults.is_empty());
        self.check_faults([&before, &after], found)
    }
}

/// With the same values nothing may differ, but for the rule that a NetworkPolicy gains for the endpoint.
fn compare_default(before: &Rendered<'_>, after: &Rendered<'_>, values: &Tree, found: &mut Verified<'_>) {
    let with = &after.with;
    let (before, after) = match (&before.objects, &after.objects) {
        (Ok(before), Ok(after)) => (before, after),
        (_, Err(error)) | (Err(error), _) => return found.does_not_render(with, error),
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
            found.differs(with, object, difference);
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
    let (folder, with) = (on.folder, &on.with);
    let (off, on) = match (&off.objects, &on.objects) {
        (Ok(off), Ok(on)) => (off, on),
        (_, Err(error)) | (Err(error), _) => return found.does_not_render(with, error),
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
            found.differs(with, object, difference);
        }
    }
}
