//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::compare::differences;
use super::credentials::{Credentials, is_hash_of, new_secrets};
use super::endpoint::egress;
use super::helm::Helm;
use super::objects::Object;
use super::pulls;
use super::render::{NotVerified, Operator, Render, Rendered};
use super::stage::{Stage, put};
use super::trial::{PORT, trial};
use super::verdict::{Verdict, Verified};
use crate::base::Base;
use crate::chart::VALUES;
use crate::context::REGISTRY;
use crate::disk::Scratch;
use crate::error;
use crate::finding::Id;
use crate::plan::{ChartPlan, Plan};
use crate::scenarios::Override;
use crate::yaml::tree::Tree;

/// What a plan is verified with.
pub(crate) struct Setup<'w> {
    /// The plan for the helm-toolkit that the user names.
    pub(crate) toolkit: Option<&'w Plan>,
    /// What there was before, where that is not the plan's own old state.
    pub(crate) base: Option<&'w Base>,
    pub(crate) helm: Helm,
    pub(crate) scratch: &'w Scratch,
    /// Whether the checkouts' own files of values are tried too.
    pub(crate) all_overrides: bool,
    /// The values of an operator, in place of the default ones.
    pub(crate) operator: Option<&'w Operator>,
}

/// The charts of a plan, before and after, for all that is proven of them.
pub(crate) struct Prover<'p> {
    setup: &'p Setup<'p>,
    before: Stage<'p>,
    after: Stage<'p>,
}

/// What has to be asked for where values have authentication switched on.
const AUTH_OFF: &str = "endpoints.oci_image_registry.auth.enabled=false";

/// A chart in the scratch folder.
struct Copies {
    /// Where its files go.
    place: PathBuf,
    /// The folder with what it was; `None` where that is what it is.
    before: Option<PathBuf>,
    after: PathBuf,
    /// The default values.
    values: Tree,
    /// The charts that it depends on, which are verified on their own.
    others: BTreeSet<String>,
}

impl<'p> Prover<'p> {
    pub(crate) fn new(plan: &'p Plan, setup: &'p Setup<'p>) -> Self {
        let &Setup { scratch, base, toolkit, .. } = setup;
        let old = base.map_or(plan, |base| &base.plan);
        let before = Stage::new(scratch, old, toolkit, "before", |change| change.old.as_deref());
        let after = Stage::new(scratch, plan, toolkit, "after", |change| Some(&change.new));
        Prover { setup, before, after }
    }

    /// Proves the chart with this index, or says what is wrong with it in `found`.
    pub(crate) fn prove(&self, index: usize, found: &mut Verified<'_>) -> Result<Verdict, NotVerified> {
        let place = PathBuf::from(index.to_string());
        let scratch = self.setup.scratch;
        let old = self.chart_before(found.chart).map(|chart| self.before.read(chart)).transpose()?;
        let new = self.after.read(found.chart)?;
        found.notes.extend(new.notes.iter().cloned());
        let changed = old.as_ref().filter(|old| **old != new);
        let before = changed.map(|old| old.write(scratch, &place.join("before"))).transpose()?;
        let after = new.write(scratch, &place.join("after"))?;
        let file = after.join(VALUES);
        let values = fs::read_to_string(&file).map_err(error::Error::read(&file))?;
        let values = Tree::parse_first(&values).map_err(|error| format!("{VALUES}: {error}"))?.settled();
        let copies = Copies { place, before, after, values, others: new.others };

        match self.setup.operator {
            Some(operator) => self.prove_values(operator, &copies, found)?,
            None => self.prove_defaults(&copies, found)?,
        }
        if let (None, Some(base)) = (&old, self.setup.base) {
            let name = &base.name;
            let note = format!("is not in {name}: with default values there is nothing to compare it with");
            found.notes.insert(note);
        }
        if self.setup.all_overrides {
            self.check_overrides(&copies, found)?;
        }
        let is_changed = copies.before.is_some();
        Ok(if found.faults.is_empty() { Verdict::Proven { is_changed } } else { Verdict::Faulty })
    }

    /// With default values nothing changes, and where authentication is on there are the credentials.
    fn prove_defaults(&self, copies: &Copies, found: &mut Verified<'_>) -> Result<(), NotVerified> {
        let (chart, Copies { place, after, values, others, .. }) = (found.chart, copies);
        let with = Render::new("default", "default values");
        let default = self.render(chart, after, &with)?;
        if let Some(before) = &copies.before {
            let was = self.render(chart, before, &with)?;
            if let Err(error) = &was.objects {
                let state = self
                    .setup
                    .base
                    .map_or_else(|| "as it is".to_owned(), |base| format!("as it was in {}", base.name));
                return Err(format!("does not render {state}: {error}").into());
            }
            self.compare_default(&was, &default, values, found)?;
        } else if let Err(error) = &default.objects {
            return Err(format!("does not render as it is: {error}").into());
        }

        let without = Render::new("auth-off", "authentication off").set(AUTH_OFF);
        let is_on = values.at(&ENABLED).is_some_and(Tree::is_true);
        let off = if is_on { self.render(chart, after, &without)? } else { default };
        let trial = trial(values, &chart.name).to_string();
        let file = place.join("on/values.json");
        put(self.setup.scratch, &file, trial.as_bytes())?;
        let with = Render::new("auth-on", "authentication on").values(&self.setup.scratch.path().join(file));
        let on = self.render(chart, after, &with)?;
        for path in [&ENABLED[..], &["manifests", "secret_registry"]] {
            if values.at(path).is_some_and(|value| !value.is_boolean()) {
                let what = format!("{} is no boolean", path.join("."));
                found.fault(&with, Id::NoBoolean, None, what);
            }
        }
        let tried = values.clone().with(Tree::parse(&trial)?);
        let credentials =
            Credentials::of(values, &chart.name).and_then(|_| Credentials::of(&tried, &chart.name));
        self.compare_auth(&off, &on, &credentials, others, found)?;
        if chart.findings.iter().any(|finding| finding.id == Id::ForeignTemplate) {
            self.check_switch(after, &off, found)?;
        }
        Ok(())
    }

    /// With an operator's values there are the credentials, nothing else changes by them, and the kubelet would pull.
    fn prove_values(
        &self,
        operator: &Operator,
        copies: &Copies,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let (chart, Copies { after, others, .. }) = (found.chart, copies);
        let with = operator.render(&chart.name, &mut found.notes)?;
        let values = self.values_with(chart, copies, &with)?;
        let on = self.render(chart, after, &with)?;
        let credentials = Credentials::of(&values, &chart.name);
        if values.at(&ENABLED).is_some_and(Tree::is_true) {
            let without = with.clone().set(AUTH_OFF);
            let off = self.render(chart, after, &without)?;
            self.compare_auth(&off, &on, &credentials, others, found)?;
        } else {
            let what = "endpoints.oci_image_registry.auth.enabled is not true: no Secret is made";
            found.fault(&with, Id::SecretNotMade, None, what);
        }
        if credentials.is_ok_and(|credentials| credentials.is_placeholder()) {
            found.fault(&with, Id::PlaceholderLogin, None, "the login is the default one, or a placeholder");
        }
        match &on.objects {
            Ok(objects) => pulls::check(own(objects, others), objects, &with, found),
            Err(error) => found.does_not_render(&with, error),
        }
        Ok(())
    }

    /// The chart's values with those of an operator, as Helm has them: a chart of nothing else prints them.
    fn values_with(&self, chart: &ChartPlan, copies: &Copies, with: &Render) -> Result<Tree, NotVerified> {
        const PRINTED: &str = "kind: Values\nvalues: {{ toJson .Values }}\n";
        let values = fs::read(copies.after.join(VALUES))?;
        let metadata = format!("apiVersion: v2\nname: {:?}\nversion: 0.0.0\n", chart.name);
        let folder = copies.place.join("values");
        for (file, text) in [
            ("Chart.yaml", metadata.as_bytes()),
            (VALUES, &values),
            ("templates/values.yaml", PRINTED.as_bytes()),
        ] {
            put(self.setup.scratch, &folder.join(file), text)?;
        }
        let folder = self.setup.scratch.path().join(folder);
        let printed = self.render(chart, &folder, with)?;
        let objects = printed.objects.map_err(|error| format!("{}: {error}", with.name))?;
        let values = objects.first().and_then(|object| object.tree.get("values"));
        Ok(values.cloned().ok_or_else(|| format!("{}: Helm prints no values", with.name))?)
    }

    /// What `chart` was before.
    fn chart_before<'c>(&'c self, chart: &'c ChartPlan) -> Option<&'c ChartPlan> {
        self.setup.base.map_or(Some(chart), |base| base.chart(chart))
    }

    fn render<'r>(
        &self,
        chart: &'r ChartPlan,
        folder: &'r Path,
        with: &'r Render,
    ) -> Result<Rendered<'r>, NotVerified> {
        Rendered::new(&self.setup.helm, &chart.name, folder, with)
    }

    /// Compares two renders by `compare`. Where there are faults each is rendered again, since a chart that differs
    /// from itself has none.
    fn compare(
        &self,
        [old, new]: [&Rendered<'_>; 2],
        found: &mut Verified<'_>,
        compare: impl FnOnce(&[Object], &[Object], &mut Verified<'_>),
    ) -> Result<(), NotVerified> {
        match (&old.objects, &new.objects) {
            (Ok(old), Ok(new)) => compare(old, new, found),
            (_, Err(error)) | (Err(error), _) => found.does_not_render(new.with, error),
        }
        let sides = [old, new];
        if found.faults.iter().any(|fault| sides.iter().any(|side| side.with.id == fault.render)) {
            sides.into_iter().try_for_each(|side| side.check_again(&self.setup.helm))?;
        }
        Ok(())
    }
    /// With the same values nothing may differ, but for the rule that a NetworkPolicy gains for the endpoint.
    fn compare_default(
        &self,
        before: &Rendered<'_>,
        after: &Rendered<'_>,
        values: &Tree,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        self.compare([before, after], found, |before, objects, found| {
            let egress = egress(values);
            let mut gained = BTreeSet::new();
            for (object, difference) in differences(before, objects) {
                let is_egress = object.key.kind == "NetworkPolicy"
                    && difference.path.starts_with("spec.egress.")
                    && difference.before.is_none()
                    && difference.after == egress;
                if is_egress && gained.insert(&object.key) {
                    let note = format!("{} gains the egress of the new endpoint, and only that", object.key);
                    found.notes.insert(note);
                } else {
                    found.differs(after.with, object, difference);
                }
            }
        })
    }

    /// Where authentication is on, the credentials must be there, and nothing else may differ.
    fn compare_auth(
        &self,
        off: &Rendered<'_>,
        on: &Rendered<'_>,
        credentials: &Result<Credentials<'_>, String>,
        others: &BTreeSet<String>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let (folder, with) = (on.folder, on.with);
        self.compare([off, on], found, |off, on, found| {
            let credentials = match credentials {
                Ok(credentials) => credentials,
                Err(what) => return found.fault(with, Id::MissingValue, None, what.as_str()),
            };
            let secrets = new_secrets(on, off);
            let always = new_secrets(off, on);
            for secret in &always {
                found.fault(with, Id::WrongSecret, Some(secret), "is made where authentication is off, too");
            }
            credentials.check(on, with, own(on, others), &secrets, found);
            for (object, difference) in differences(off, on) {
                let is_secret = secrets.iter().chain(&always).any(|secret| secret.key == object.key);
                let is_port =
                    object.key.kind == "NetworkPolicy" && difference.after == Some(PORT.to_string());
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
        })
    }

    /// Checks that a template of another kind makes no Secret where `manifests.secret_registry` is off.
    fn check_switch(
        &self,
        folder: &Path,
        off: &Rendered<'_>,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        let with = Render::new("secret-off", "authentication on and manifests.secret_registry off");
        let with =
            with.set("endpoints.oci_image_registry.auth.enabled=true").set("manifests.secret_registry=false");
        match (&self.render(found.chart, folder, &with)?.objects, &off.objects) {
            (Ok(objects), Ok(off)) => {
                for secret in new_secrets(objects, off) {
                    let what = "is made although manifests.secret_registry is false";
                    found.fault(&with, Id::WrongSecret, Some(secret), what);
                }
            }
            (Err(error), _) => found.does_not_render(&with, error),
            (Ok(_), Err(_)) => {}
        }
        Ok(())
    }

    /// Renders the chart with each of the files of values that the checkout carries for it, before and after.
    fn check_overrides(&self, copies: &Copies, found: &mut Verified<'_>) -> Result<(), NotVerified> {
        let chart = found.chart;
        let all = |base: &Path, chart: &ChartPlan| {
            let all = Override::all(base, chart).into_iter().filter(Override::is_plain);
            all.collect::<Vec<_>>()
        };
        let old = self.chart_before(chart).map(|old| all(self.before.base(), old)).unwrap_or_default();
        let compared: Vec<_> = all(self.after.base(), chart)
            .par_iter()
            .map(|new| {
                let old = old.iter().find(|old| old.name == new.name).unwrap_or(new);
                let mut found = Verified::new(chart);
                self.check_override(copies, old, new, &mut found).map(|()| found)
            })
            .collect();
        for compared in compared {
            let compared = compared?;
            found.faults.extend(compared.faults);
            found.notes.extend(compared.notes);
            found.overrides += compared.overrides;
        }
        Ok(())
    }

    fn check_override(
        &self,
        copies: &Copies,
        old: &Override,
        new: &Override,
        found: &mut Verified<'_>,
    ) -> Result<(), NotVerified> {
        if let Some(why) = new.why_not() {
            found.notes.insert(format!("{}: not compared: {why}", new.name));
            return Ok(());
        }
        if copies.before.is_none() && old.is_same(new) {
            found.overrides += 1;
            return Ok(());
        }
        let [with_old, with_new] =
            [old, new].map(|file| Render::new("override", &file.name).values(&file.file));
        let before = copies.before.as_ref().unwrap_or(&copies.after);
        let before = self.render(found.chart, before, &with_old)?;
        if let Err(error) = &before.objects {
            found.notes.insert(format!("{}: not compared: does not render before: {error}", new.name));
            return Ok(());
        }
        let after = self.render(found.chart, &copies.after, &with_new)?;
        self.compare_default(&before, &after, &copies.values, found)?;
        found.overrides += usize::from(found.faults.is_empty());
        Ok(())
    }
}

const ENABLED: [&str; 4] = ["endpoints", REGISTRY, "auth", "enabled"];

/// The objects that are not of `others`, the charts that a chart depends on.
fn own<'o>(objects: &'o [Object], others: &BTreeSet<String>) -> impl Iterator<Item = &'o Object> {
    objects.iter().filter(|object| object.subchart.as_ref().is_none_or(|chart| !others.contains(chart)))
}
