//! The three entries in values.yaml. Each goes where the maintainers of OpenStack-Helm put theirs by hand in
//! 2022.

use super::block::{ValuesBlock, wanted};
use super::rule::Proposals;
use crate::chart::Chart;
use crate::context::REGISTRY;
use crate::finding::{Finding, Id};
use crate::options::{Options, is_object_name, unfit_for_login, unfit_for_user};
use crate::yaml::{self, Kind, Node, Place, Renamed};

/// `secrets.oci_image_registry.<chart>`: the name of the chart's Secret.
/// A new block goes in front of `endpoints`, else of `manifests`, as did 20 of 21.
pub(super) fn secrets(
    chart: &Chart<'_>,
    options: &Options,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let Some(block) = ValuesBlock::find(chart, "secrets")? else { return Ok(()) };
    let wanted = wanted(chart, options, "secrets")?;
    let is_wanted = options.rename_wrong_keys;
    let possible = block.renamed(&[REGISTRY], &[]);
    let renamed = possible.as_ref().filter(|_| is_wanted);
    let additions = match block.node {
        Some(_) => block.complete(&wanted, secrets_place(&block.keys(&[])), renamed)?,
        None => block.create(wanted, &["endpoints", "manifests"])?,
    };
    proposals.add_entries(chart, Id::MissingSecretsEntry, additions);
    block.report_wrong_keys(&[REGISTRY], &[], possible.as_ref(), is_wanted, proposals);
    if let Some(renamed) = renamed {
        rename_secret(chart, &block, renamed, options, proposals);
    }
    if let Some(name) = block.at(&[REGISTRY, chart.name()]) {
        report_name(&block, name, proposals);
    }
    Ok(())
}

/// A Secret that is called after the wrong key gets the chart's own name: two charts cannot both make one Secret.
fn rename_secret(
    chart: &Chart<'_>,
    block: &ValuesBlock<'_, '_>,
    renamed: &Renamed,
    options: &Options,
    proposals: &mut Proposals,
) {
    let document = block.document;
    let entry = block.at(&[REGISTRY]).and_then(|mapping| {
        let value = document.entries(mapping).find(|(key, _)| *key == renamed.key)?.1;
        Some((mapping, value, document.scalar(renamed.key)?, document.scalar(value)?))
    });
    let Some((mapping, value, wrong, old)) = entry else { return };
    let name = |chart: &str| options.secret_name().of(chart).ok();
    let new =
        name(chart.name()).filter(|new| new.text != old && name(wrong).is_some_and(|name| name.text == old));
    let replacement = new.and_then(|new| Some((document.replace(mapping, value, &new.text)?, new.pattern)));
    if let Some((replacement, pattern)) = replacement {
        let what = format!("the Secret is called after the wrong key: {old}");
        let finding = Finding::warning(Id::WrongKey, block.location(value), what, "`apply` renames it");
        proposals.replace_scalar(chart, replacement, &pattern, finding);
    }
}

/// Reports a name that is none, or that no Secret can have.
fn report_name(block: &ValuesBlock<'_, '_>, name: Node, proposals: &mut Proposals) {
    let name = block.document.resolve(name);
    match (block.document.kind(name), block.document.scalar(name)) {
        // Templates write it without quotes.
        (Kind::Scalar, Some(text)) if !is_object_name(text) || yaml::is_ambiguous(text) => {
            let what = format!("a Secret cannot be called {text:?}");
            let fix = "give it a name of lower-case letters, digits, `-` and `.`";
            proposals.report(Finding::error(Id::SecretName, block.location(name), what, fix));
        }
        (kind @ (Kind::Null | Kind::Mapping | Kind::List), _) => {
            let what = format!("the Secret's name is {kind}: the chart cannot pull");
            proposals.report(Finding::error(Id::NoSecretName, block.location(name), what, "give it one"));
        }
        _ => {}
    }
}

/// Last in the block of an OpenStack service, which lists its accounts by hand, and elsewhere in sorted
/// place: 44 of 46.
fn secrets_place(keys: &[(Node, &str)]) -> Place {
    let has = |name| keys.iter().any(|(_, key)| *key == name);
    if has("identity") && has("oslo_db") {
        return Place::Last;
    }
    let before = keys.iter().rev().find(|(_, key)| *key < REGISTRY);
    before.map_or(Place::First, |(key, _)| Place::After(*key))
}

/// The registry's host is `<name>.<namespace>.svc.<cluster_domain_suffix>` where nothing else is
/// set, so that it cannot do without. It is in every chart of OpenStack-Helm that has endpoints.
const SUFFIX: &str = "cluster_domain_suffix";

const SWITCH_OF_AUTH: &str = "enabled";

/// `endpoints.oci_image_registry`: where the registry is, and the login of the chart.
/// Behind `local_image_registry`, else behind `cluster_domain_suffix`, as in all 65 charts. A new block goes in
/// front of `manifests`.
pub(super) fn endpoints(
    chart: &Chart<'_>,
    options: &Options,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    if chart.name() == SWITCH_OF_AUTH {
        let what = "a chart called enabled would have its login where the switch is: endpoints.oci_image_registry.auth.enabled";
        let location = chart.metadata.name_at.clone();
        return Err(Finding::refused(Id::BadName, location, what, "give the chart another name"));
    }
    let Some(block) = ValuesBlock::find(chart, "endpoints")? else { return Ok(()) };
    let mut wanted = wanted(chart, options, "endpoints")?;
    let is_wanted = options.rename_wrong_keys;
    let possible = block.renamed(&[REGISTRY, "auth"], &[SWITCH_OF_AUTH]);
    let renamed = possible.as_ref().filter(|_| is_wanted);
    let keys = block.keys(&[]);
    let key = |name: &str| keys.iter().rev().find(|(_, key)| *key == name).map(|(node, _)| *node);
    let additions = if block.node.is_none() {
        block.create(wanted, &["manifests"])?
    } else if keys.is_empty() || !block.has(SUFFIX) {
        block.complete(&wanted, Place::First, renamed)?
    } else {
        wanted.retain(|entry| entry.key() != SUFFIX);
        let neighbour = key("local_image_registry").or_else(|| key(SUFFIX));
        block.complete(&wanted, neighbour.map_or(Place::Last, Place::After), renamed)?
    };
    proposals.add_entries(chart, Id::MissingEndpointsEntry, additions);
    let (path, others) = (&[REGISTRY, "auth"], &[SWITCH_OF_AUTH]);
    block.report_wrong_keys(path, others, possible.as_ref(), is_wanted, proposals);
    block.report_no_boolean(&[REGISTRY, "auth", SWITCH_OF_AUTH], proposals);
    report_login(&block, chart.name(), proposals);
    Ok(())
}

/// Reports a login of which no Secret can be made.
fn report_login(block: &ValuesBlock<'_, '_>, chart: &str, proposals: &mut Proposals) {
    let document = block.document;
    for key in ["username", "password"] {
        let unfit = if key == "username" { unfit_for_user } else { unfit_for_login };
        let Some(node) = block.at(&[REGISTRY, "auth", chart, key]) else { continue };
        let text =
            document.scalar(node).filter(|text| !text.is_empty() && document.kind(node) == Kind::Scalar);
        // helm-toolkit refuses it, or garbles it.
        let is_no_text = || document.resolved(node).map(|_| "is no text to Helm");
        let what = text.map_or(Some("is not set"), |text| unfit(text).or_else(is_no_text));
        let Some(what) = what else { continue };
        let what = format!("`{}` {what}", document.path(node));
        let fix = "set it to a text on one line, in quotes";
        proposals.report(Finding::error(Id::MissingValue, block.location(node), what, fix));
    }
}

const SWITCH: &str = "secret_registry";

/// `manifests.secret_registry`: whether the chart makes the Secret itself.
/// Behind the last `secret_*` that sorts before it, else in sorted place: 60 of 66. A new block goes behind
/// everything.
pub(super) fn manifests(
    chart: &Chart<'_>,
    options: &Options,
    proposals: &mut Proposals,
) -> Result<(), Finding> {
    let Some(block) = ValuesBlock::find(chart, "manifests")? else { return Ok(()) };
    let wanted = wanted(chart, options, "manifests")?;
    let additions = match block.node {
        Some(_) => block.complete(&wanted, manifests_place(&block.keys(&[])), None)?,
        None => block.create(wanted, &[])?,
    };
    proposals.add_entries(chart, Id::MissingManifestsSwitch, additions);
    block.report_no_boolean(&[SWITCH], proposals);
    Ok(())
}

fn manifests_place(keys: &[(Node, &str)]) -> Place {
    let relative = keys.iter().rev().find(|(_, key)| key.starts_with("secret_") && *key < SWITCH);
    let greater = keys.iter().find(|(_, key)| *key > SWITCH);
    match (relative, greater) {
        (Some((key, _)), _) => Place::After(*key),
        (None, Some((key, _))) => Place::Before(*key),
        (None, None) => Place::Last,
    }
}
