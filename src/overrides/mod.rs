//! What an operator passes to Helm to switch authentication on: one file of values that serves every chart, or
//! a file for each, and the images that the registry must have.
//!
//! Charts take a login under a key of their own (`endpoints.oci_image_registry.auth.<chart>`), and look at no other
//! one: that is why one file can hold the keys of all. Tags of images are another thing: `dep_check` is an image
//! in one chart and may be another one in the next.

pub(crate) mod args;
mod images;
mod login;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::args::Args;
use self::images::Images;
use self::login::Login;
use crate::chart::OVERRIDES;
use crate::chart_plan::ChartPlan;
use crate::error::Error;
use crate::finding::Id;
use crate::metadata::Role;
use crate::plan::Plan;
use crate::{disk, git};

/// The name of each chart's file, and so of the feature that `helm osh get-values-overrides` is asked for.
const FILE: &str = "oci_registry.yaml";

/// What came of a call.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// What goes to standard output.
    pub(crate) stdout: String,
    /// The charts that there are values for.
    pub(crate) charts: Vec<String>,
    /// The charts that would make nothing of a login.
    pub(crate) left_out: Vec<String>,
    /// What the operator should know, as sentences.
    pub(crate) notes: Vec<String>,
}

/// Writes the values that `args` ask for, for the charts of `plan`.
pub(crate) fn write(args: &Args, plan: &Plan) -> Result<Written, Error> {
    let output = args.output.as_deref();
    let is_folder =
        output.is_some_and(|path| path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir());
    if args.images && !is_folder && (output.is_some() || !args.list) {
        return Err(Error::ImagesNeedFolder);
    }
    // Where a Secret is there already the charts need none.
    let login = if args.existing_secret.is_none() { Some(Login::of(args)?) } else { None };
    let is_secret = login.as_ref().is_some_and(Login::is_secret);
    let mut written = Written::default();
    let charts = gather(args, plan, &mut written)?;
    if charts.is_empty() {
        return Ok(written);
    }
    // Printed or not: it fails where two images would become one.
    let list = if args.images { images::list(charts.values())? } else { String::new() };
    let text = |charts: &[(&str, &Images)]| values::text(charts, args, login.as_ref());
    let all: Vec<(&str, &Images)> = charts.iter().map(|(name, images)| (*name, images)).collect();
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    match output {
        None if args.list => {}
        None => written.stdout = text(&all)?,
        Some(folder) if is_folder => {
            for chart in &all {
                files.push((folder.join(chart.0).join(FILE), text(&[*chart])?));
            }
        }
        Some(file) => files.push((file.to_owned(), text(&all)?)),
    }
    if args.list {
        written.stdout = list;
    }
    for (file, _) in &files {
        check_place(file, plan, is_secret && !args.allow_in_git)?;
    }
    for (file, text) in &files {
        disk::write_for_owner(file, text, is_secret).map_err(Error::write(file))?;
    }
    if let Some(registry) = args.registry.as_ref().filter(|_| !args.images) {
        written.notes.extend(images::elsewhere(charts.values(), registry));
    }
    written.notes.extend(login.filter(|login| !login.is_secret()).map(|login| login.placeholder_note()));
    Ok(written)
}

/// The charts that are to have values, with their images.
fn gather<'p>(
    args: &Args,
    plan: &'p Plan,
    written: &mut Written,
) -> Result<BTreeMap<&'p str, Images>, Error> {
    let mut charts: BTreeMap<&str, Images> = BTreeMap::new();
    let mut has_features = args.features.is_empty();
    for chart in plan.charts.iter().filter(|chart| chart.is_completed()) {
        if !is_migrated(chart) {
            written.left_out.push(chart.name.clone());
        } else if chart.role == Role::Application {
            let features = images::features(&plan.base, chart, &args.features);
            has_features |= !features.is_empty();
            let images = images::images(plan, chart, features, args, &mut written.notes);
            match charts.get(chart.name.as_str()) {
                Some(other) if args.images && *other != images => {
                    return Err(Error::TwoCharts(chart.name.clone()));
                }
                Some(_) => {}
                None => drop(charts.insert(&chart.name, images)),
            }
        }
    }
    if !has_features {
        let note = format!("no file in {OVERRIDES} is made of the features {}", args.features.join(", "));
        written.notes.push(note);
    }
    written.charts = charts.keys().map(ToString::to_string).collect();
    Ok(charts)
}

/// Whether the chart makes a Secret of a login, and the toolkit can.
fn is_migrated(chart: &ChartPlan) -> bool {
    let missing = [
        Id::MissingSecretsEntry,
        Id::MissingEndpointsEntry,
        Id::MissingManifestsSwitch,
        Id::MissingSecretTemplate,
        Id::ForeignTemplate,
        Id::UnknownFunction,
        Id::MissingToolkitFunction,
        Id::BareToolkitServiceAccount,
    ];
    !chart.findings.iter().any(|finding| missing.contains(&finding.id))
}

/// Keeps values out of charts, and passwords out of git.
fn check_place(file: &Path, plan: &Plan, is_secret: bool) -> Result<(), Error> {
    let file = &whole(file);
    let is_inside = |chart: &ChartPlan| {
        let inside = file.strip_prefix(plan.base.join(&chart.path));
        inside.is_ok_and(|inside| !inside.starts_with(OVERRIDES))
    };
    if plan.charts.iter().any(is_inside) {
        return Err(Error::OutputInChart(file.to_owned()));
    }
    match git::work_tree(file) {
        Some(tree) if is_secret => Err(Error::PasswordInGit(file.to_owned(), tree)),
        _ => Ok(()),
    }
}

/// The path from the root and without links, as far as there is something.
fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = path.ancestors().find_map(|folder| {
        let (canonical, rest) = (folder.canonicalize().ok()?, path.strip_prefix(folder).ok()?);
        Some(canonical.components().chain(rest.components()).collect())
    });
    existing.unwrap_or(path)
}
