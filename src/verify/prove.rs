//! Renders one chart in all ways, and compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rayon::prelude::*;

use super::compare::differences;
use super::credentials::{Credentials, is_hash_of, new_secrets};
use super::endpoint::egress;
use super::objects::Object;
use super::pulls;
use super::render::{Copies, Operator, Render, Setup};
use super::stage::{Stage, Verifying, put};
use super::trial::{PORT, trial};
use super::verdict::Verified;
use crate::chart::VALUES;
use crate::chart_plan::ChartPlan;
use crate::context::REGISTRY;
use crate::error;
use crate::finding::Id;
use crate::scenarios::Override;
use crate::yaml::tree::Tree;

/// What has to be asked for where values have authentication switched on.
const AUTH_OFF: &str = "endpoints.oci_image_registry.auth.enabled=false";

/// Proves the chart with this index, or says what is wrong with it in `found`.
pub(crate) fn prove(
    setup: &Setup<'_>,
    [before, after]: [&Stage<'_>; 2],
    index: usize,
    chart: &ChartPlan,
    found: &mut Verified,
) -> Verifying<()> {
    let (scratch, place) = (setup.scratch, PathBuf::from(index.to_string()));
    let old_chart = setup.base.map_or(Some(chart), |base| base.chart(chart));
    let old = old_chart.map(|chart| before.read(chart)).transpose()?;
    let new = after.read(chart)?;
    found.notes.extend(new.notes.iter().cloned());
    let changed = old.as_ref().filter(|old| **old != new);
    let old_folder = changed.map(|old| old.write(scratch, &place.join("before"))).transpose()?;
    let folder = new.write(scratch, &place.join("after"))?;
    let file = folder.join(VALUES);
    let values = fs::read_to_string(&file).map_err(error::Error::read(&file))?;
    let values = Tree::parse_first(&values).map_err(|error| format!("{VALUES}: {error}"))?.settled();
    let copies =
        Copies { setup, chart, place, before: old_folder, after: folder, values, others: new.others };
    found.is_changed = copies.before.is_some();

    match setup.operator {
        Some(operator) => prove_values(operator, &copies, found)?,
        None => prove_defaults(&copies, found)?,
    }
    if let (None, Some(base)) = (&old, setup.base) {
        let name = &base.name;
        let note = format!("is not in {name}: with default values there is nothing to compare it with");
        found.notes.insert(note);
    }
    if setup.all_overrides {
        let all = |stage: &Stage<'_>, chart: &ChartPlan| -> Vec<Override> {
            Override::all(&stage.plan.base, chart).into_iter().filter(Override::is_plain).collect()
        };
        let old = old_chart.map(|old| all(before, old)).unwrap_or_default();
        check_overrides(&copies, &old, &all(after, chart), found)?;
    }
    Ok(())
}

/// With default values nothing changes, and where authentication is on there are the credentials.
fn prove_defaults(copies: &Copies<'_>, found: &mut Verified) -> Verifying<()> {
    let Copies { chart, place, after, values, .. } = copies;
    let render = |folder, name, arguments| Render::new(copies, folder, name, arguments);
    let default = render(after, DEFAULT, &[])?;
    if let Some(before) = &copies.before {
        let was = render(before, DEFAULT, &[])?;
        if let Err(error) = &was.result {
            let state = copies.setup.base.map(|base| format!("was in {}", base.name));
            let state = state.as_deref().unwrap_or("is");
            return Err(format!("does not render as it {state}: {error}").into());
        }
        compare_default(&was, &default, found)?;
    } else if let Err(error) = &default.result {
        return Err(format!("does not render as it is: {error}").into());
    }

    let is_on = values.at(&ENABLED).is_some_and(Tree::is_true);
    let auth_off = ["--set".into(), AUTH_OFF.into()];
    let off = if is_on { render(after, ("auth-off", "authentication off"), &auth_off)? } else { default };
    let trial = trial(values, &chart.name).to_string();
    let file = place.join("on/values.json");
    put(copies.setup.scratch, &file, trial.as_bytes())?;
    let auth_on = ["--values".into(), copies.setup.scratch.path().join(file).into()];
    let on = render(after, ("auth-on", "authentication on"), &auth_on)?;
    for path in [&ENABLED[..], &["manifests", "secret_registry"]] {
        if values.at(path).is_some_and(|value| !value.is_boolean()) {
            let what = format!("{} is no boolean", path.join("."));
            found.fault(&on, Id::NoBoolean, None, &what);
        }
    }
    let tried = values.clone().with(Tree::parse(&trial)?);
    let credentials = Credentials::of(values, &chart.name).and_then(|_| Credentials::of(&tried, &chart.name));
    compare_auth(&off, &on, &credentials, found)?;

    // Only a template of another kind may not mind the switch.
    if !chart.findings.iter().any(|finding| finding.id == Id::ForeignTemplate) {
        return Ok(());
    }
    let sets = ["endpoints.oci_image_registry.auth.enabled=true", "manifests.secret_registry=false"];
    let sets = sets.map(|set| ["--set".into(), set.into()]).concat();
    let name = ("secret-off", "authentication on and manifests.secret_registry off");
    let switched = render(after, name, &sets)?;
    if let Err(error) = &switched.result {
        found.does_not_render(&switched, error);
    } else if off.result.is_ok() {
        for secret in new_secrets(switched.objects(), off.objects()) {
            let what = "is made although manifests.secret_registry is false";
            found.fault(&switched, Id::WrongSecret, Some(secret), what);
        }
    }
    Ok(())
}

/// With an operator's values there are the credentials, nothing else changes by them, and the kubelet would pull.
fn prove_values(operator: &Operator, copies: &Copies<'_>, found: &mut Verified) -> Verifying<()> {
    let Copies { chart, after, .. } = copies;
    let render = |folder, arguments| Render::new(copies, folder, ("values", "these values"), arguments);
    let arguments = operator.arguments(&chart.name, &mut found.notes)?;
    // With the chart's values, as Helm has them: a chart of nothing else prints them.
    let metadata = format!("apiVersion: v2\nname: {:?}\nversion: 0.0.0\n", chart.name);
    let folder = copies.place.join("values");
    for (file, text) in [
        ("Chart.yaml", metadata.as_bytes()),
        (VALUES, &fs::read(after.join(VALUES))?),
        ("templates/values.yaml", b"kind: Values\nvalues: {{ toJson .Values }}\n"),
    ] {
        put(copies.setup.scratch, &folder.join(file), text)?;
    }
    let folder = copies.setup.scratch.path().join(folder);
    let printed = render(&folder, &arguments)?.result.map_err(|error| format!("these values: {error}"))?;
    let values = printed.first().and_then(|object| object.tree.get("values"));
    let values = values.ok_or("these values: Helm prints no values")?;

    let auth_off = [&arguments[..], &["--set".into(), AUTH_OFF.into()]].concat();
    let on = render(after, &arguments)?;
    let credentials = Credentials::of(values, &chart.name);
    if values.at(&ENABLED).is_some_and(Tree::is_true) {
        let off = render(after, &auth_off)?;
        compare_auth(&off, &on, &credentials, found)?;
    } else {
        let what = "endpoints.oci_image_registry.auth.enabled is not true: no Secret is made";
        found.fault(&on, Id::SecretNotMade, None, what);
    }
    if credentials.is_ok_and(|credentials| credentials.is_placeholder()) {
        found.fault(&on, Id::PlaceholderLogin, None, "the login is the default one, or a placeholder");
    }
    match &on.result {
        Ok(_) => pulls::check(&on, found),
        Err(error) => found.does_not_render(&on, error),
    }
    Ok(())
}

/// Renders the chart with each of the files of values that the checkout carries for it, before and after.
fn check_overrides(
    copies: &Copies<'_>,
    old: &[Override],
    new: &[Override],
    found: &mut Verified,
) -> Verifying<()> {
    let compared = new.par_iter().map(|new| {
        let old = old.iter().find(|old| old.name == new.name).unwrap_or(new);
        check_override(copies, old, new)
    });
    for compared in compared.collect::<Vec<_>>() {
        let compared = compared?;
        found.faults.extend(compared.faults);
        found.notes.extend(compared.notes);
        found.overrides += compared.overrides;
    }
    Ok(())
}

fn check_override(copies: &Copies<'_>, old: &Override, new: &Override) -> Verifying<Verified> {
    let mut found = Verified::default();
    if let Some(why) = new.why_not() {
        found.notes.insert(format!("{}: not compared: {why}", new.name));
        return Ok(found);
    }
    if copies.before.is_none() && old.is_same(new) {
        found.overrides += 1;
        return Ok(found);
    }
    let [with_old, with_new] = [old, new].map(|file| ["--values".into(), file.file.clone().into()]);
    let before = copies.before.as_ref().unwrap_or(&copies.after);
    let before = Render::new(copies, before, ("override", &old.name), &with_old)?;
    if let Err(error) = &before.result {
        found.notes.insert(format!("{}: not compared: does not render before: {error}", new.name));
        return Ok(found);
    }
    let after = Render::new(copies, &copies.after, ("override", &new.name), &with_new)?;
    compare_default(&before, &after, &mut found)?;
    found.overrides += usize::from(found.faults.is_empty());
    Ok(found)
}

/// Compares two renders by `check`. Where there are faults each is rendered again, since a chart that differs
/// from itself has none.
fn compare(
    [old, new]: [&Render<'_>; 2],
    found: &mut Verified,
    check: impl FnOnce(&[Object], &[Object], &mut Verified),
) -> Verifying<()> {
    match (&old.result, &new.result) {
        (Ok(old), Ok(new)) => check(old, new, found),
        (_, Err(error)) => found.does_not_render(new, error),
        (Err(error), Ok(_)) => found.does_not_render(old, error),
    }
    if found.faults.iter().any(|fault| [old.id, new.id].contains(&fault.render)) {
        old.check_again()?;
        new.check_again()?;
    }
    Ok(())
}

/// With the same values nothing may differ, but for the rule that a NetworkPolicy gains for the endpoint.
fn compare_default(before: &Render<'_>, after: &Render<'_>, found: &mut Verified) -> Verifying<()> {
    compare([before, after], found, |before, objects, found| {
        let egress = egress(&after.copies.values);
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
                found.differs(after, object, difference);
            }
        }
    })
}

/// Where authentication is on, the credentials must be there, and nothing else may differ.
fn compare_auth(
    off: &Render<'_>,
    on: &Render<'_>,
    credentials: &Result<Credentials<'_>, String>,
    found: &mut Verified,
) -> Verifying<()> {
    compare([off, on], found, |off, objects, found| {
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(what) => return found.fault(on, Id::MissingValue, None, what),
        };
        let secrets = new_secrets(objects, off);
        let always = new_secrets(off, objects);
        for secret in &always {
            found.fault(on, Id::WrongSecret, Some(secret), "is made where authentication is off, too");
        }
        credentials.check(on, &secrets, found);
        for (object, difference) in differences(off, objects) {
            let is_secret = secrets.iter().chain(&always).any(|secret| secret.key == object.key);
            let is_port = object.key.kind == "NetworkPolicy" && difference.after == Some(PORT.to_string());
            if is_secret || is_port || credentials.is_mention(object, &difference) {
                continue;
            }
            if secrets.iter().any(|secret| is_hash_of(secret, object, &difference, on.folder)) {
                let path = difference.path;
                let note = format!("{}: {path} is a hash of the Secret, and changes with it", object.key);
                found.notes.insert(note);
            } else {
                found.differs(on, object, difference);
            }
        }
    })
}

/// What most charts are rendered with, for programs and for people.
const DEFAULT: (&str, &str) = ("default", "default values");

const ENABLED: [&str; 4] = ["endpoints", REGISTRY, "auth", "enabled"];
