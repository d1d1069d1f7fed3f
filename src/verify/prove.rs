//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::compare::differences;
use super::credentials::{Credentials, Rendering, is_hash_of, new_secrets};
use super::endpoint::egress;
use super::helm::Helm;
use super::objects::Object;
use super::pulls;
use super::render::{NotVerified, Operator, Render, Rendered};
use super::stage::{Files, Stage};
use super::trial::{PORT, trial};
use super::verdict::{Verdict, Verified};
use crate::base::Base;
use crate::chart::VALUES;
use crate::context::REGISTRY;
use crate::disk::Scratch;
use crate::error;
use crate::finding::Id;
use crate::plan::ChartPlan;
use crate::scenarios::Override;
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
    /// The values of an operator, in place of the default ones.
    pub(crate) operator: Option<&'p Operator>,
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

        match self.operator {
            Some(operator) => {
                let with = operator.render(name, &mut found.notes)?;
                self.prove_values(index, &with, &pair, &after.others, found)?;
            }
            None => self.prove_defaults(index, &pair, &after.others, found)?,
        }
        if let (None, Some(base)) = (&before, self.base) {
            let name = &base.name;
            let note = format!("is not in {name}: with default values there is nothing to compare it with");
            found.notes.insert(note);
        }
        if self.all_overrides {
            self.check_overrides(&pair, found)?;
        }
        let is_changed = pair.before.is_some();
        Ok(if found.faults.is_empty() { Verdict::Proven { is_changed } } else { Verdict::Faulty })
    }

    /// With default values nothing changes, and where authentication is on there are the credentials.
    fn prove_defaults(
        &self,
        index: usize,
        pair: &Pair,
        others: &BTreeSet<String>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let (name, values) = (&found.chart.name, &pair.values);
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

        let is_on = enabled(values).is_some_and(Tree::is_true);
        let asked_off =
            if is_on { Some(Rendered::new(self.helm, name, &pair.after, Render::auth_off())?) } else { None };
        let off = asked_off.as_ref().unwrap_or(&default);
        let trial = trial(values, name).to_string();
        let file = Path::new("on").join(format!("{index}.json"));
        self.scratch.make_folder(Path::new("on"))?;
        self.scratch.write(&file, trial.as_bytes())?;
        let with = Render::values("auth-on", "authentication on", &self.scratch.path().join(file));
        let on = Rendered::new(self.helm, name, &pair.after, with)?;
        for path in [&ENABLED[..], &["manifests", "secret_registry"]] {
            if values.at(path).is_some_and(|value| !value.is_boolean()) {
                let what = format!("{} is no boolean", path.join("."));
                found.fault(&on.with, Id::NoBoolean, None, what);
            }
        }
        let tried = values.clone().with(Tree::parse(&trial)?);
        let credentials = Credentials::of(values, name).and_then(|_| Credentials::of(&tried, name));
        compare_auth(off, &on, &credentials, others, found);
        self.check_faults([off, &on], found)?;
        if found.chart.findings.iter().any(|finding| finding.id == Id::ForeignTemplate) {
            self.check_switch(&pair.after, off, found)?;
        }
        Ok(())
    }

    /// With an operator's values there are the credentials, nothing else changes by them, and the kubelet would pull.
    fn prove_values(
        &self,
        index: usize,
        with: &Render,
        pair: &Pair,
        others: &BTreeSet<String>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let name = &found.chart.name;
        let values = self.values_with(index, with, pair, name)?;
        let on = Rendered::new(self.helm, name, &pair.after, with.clone())?;
        let credentials = Credentials::of(&values, name);
        if enabled(&values).is_some_and(Tree::is_true) {
            let off = Rendered::new(self.helm, name, &pair.after, with.clone().and(Render::auth_off()))?;
            compare_auth(&off, &on, &credentials, others, found);
            self.check_faults([&off, &on], found)?;
        } else {
            let what = "endpoints.oci_image_registry.auth.enabled is not true: no Secret is made";
            found.fault(with, Id::SecretNotMade, None, what);
        }
        if credentials.is_ok_and(|credentials| credentials.is_placeholder()) {
            found.fault(with, Id::PlaceholderLogin, None, "the login is the default one, or a placeholder");
        }
        match &on.objects {
            Ok(objects) => pulls::check(own(objects, others), objects, with, found),
            Err(error) => found.does_not_render(with, error),
        }
        Ok(())
    }

    /// The chart's values with those of an operator, as Helm has them: a chart of nothing else prints them.
    fn values_with(&self, index: usize, with: &Render, pair: &Pair, name: &str) -> Result<Tree, NotVerified> {
        const PRINTED: &str = "kind: Values\nvalues: {{ toJson .Values }}\n";
        let folder = Path::new("values").join(index.to_string());
        self.scratch.make_folder(&folder.join("templates"))?;
        let values = fs::read(pair.after.join(VALUES))?;
        let metadata = format!("apiVersion: v2\nname: {name:?}\nversion: 0.0.0\n");
        for (file, text) in [
            ("Chart.yaml", metadata.as_bytes()),
            (VALUES, &values),
            ("templates/values.yaml", PRINTED.as_bytes()),
        ] {
            self.scratch.write(&folder.join(file), text)?;
        }
        let folder = self.scratch.path().join(folder);
        let printed = Rendered::new(self.helm, name, &folder, with.clone())?;
        let objects = printed.objects.map_err(|error| format!("{}: {error}", with.name))?;
        let values = objects.first().and_then(|object| object.tree.get("values"));
        Ok(values.cloned().ok_or_else(|| format!("{}: Helm prints no values", with.name))?)
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
        let all = |base: &Path, chart: &ChartPlan| {
            let all = Override::all(base, chart).into_iter().filter(Override::is_plain);
            all.collect::<Vec<_>>()
        };
        let old = self.chart_before(chart).map(|old| all(self.before.base(), old)).unwrap_or_default();
        let overrides = all(self.after.base(), chart);
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
    credentials: &Result<Credentials<'_>, String>,
    others: &BTreeSet<String>,
    found: &mut Verified<'_>,
) {
    let (folder, with) = (on.folder, &on.with);
    let (off, on) = match (&off.objects, &on.objects) {
        (Ok(off), Ok(on)) => (off, on),
        (_, Err(error)) | (Err(error), _) => return found.does_not_render(with, error),
    };
    let credentials = match credentials {
        Ok(credentials) => credentials,
        Err(what) => return found.fault(with, Id::MissingValue, None, what.as_str()),
    };
    let secrets = new_secrets(on, off);
    let always = new_secrets(off, on);
    for secret in &always {
        found.fault(with, Id::WrongSecret, Some(secret), "is made where authentication is off, too");
    }
    credentials.check(&Rendering { objects: on, with }, own(on, others), &secrets, found);
    for (object, difference) in differences(off, on) {
        let is_secret = secrets.iter().chain(&always).any(|secret| secret.key == object.key);
        let is_port = object.key.kind == "NetworkPolicy" && difference.after == Some(PORT.to_string());
        if is_secret || is_port || credentials.is_mention(object, &difference) {
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

const ENABLED: [&str; 4] = ["endpoints", REGISTRY, "auth", "enabled"];

/// The switch in values.
fn enabled(values: &Tree) -> Option<&Tree> {
    values.at(&ENABLED)
}

/// The objects that are not of `others`, the charts that a chart depends on: these are verified on their own.
fn own<'o>(objects: &'o [Object], others: &BTreeSet<String>) -> impl Iterator<Item = &'o Object> {
    objects.iter().filter(|object| object.subchart.as_ref().is_none_or(|chart| !others.contains(chart)))
}
