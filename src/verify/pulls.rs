//! Whether the kubelet would pull the images of a render with the logins in it.

use std::collections::{BTreeMap, BTreeSet};

use super::credentials::{SECRET_KEY, is_for_registries};
use super::objects::decoded;
use super::pods::Pod;
use super::render::Render;
use super::verdict::Verified;
use crate::finding::Id;
use crate::registry::{Image, mismatch};
use crate::yaml::tree::Tree;

/// Compares each image of the chart's own objects with the keys of the Secrets that its pod gets.
pub(crate) fn check(on: &Render<'_>, found: &mut Verified) {
    let all = on.objects();
    for object in on.own() {
        let pods = Pod::all(object);
        if pods.iter().all(|pod| pod.images().is_empty()) {
            continue;
        }
        let mut without: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for pod in &pods {
            let names = pod.secrets(all);
            let made = |name: &&str| {
                all.iter().find(|secret| is_for_registries(secret) && secret.key.name == **name)
            };
            let keys: Vec<String> =
                names.iter().filter_map(made).flat_map(|secret| logins_in(&secret.tree)).collect();
            let elsewhere: Vec<&str> = names.iter().copied().filter(|name| made(name).is_none()).collect();
            for image in pod.images() {
                match why_not(image, &keys) {
                    Some(_) if !elsewhere.is_empty() => unknown.extend(elsewhere.iter().copied()),
                    Some(why) => drop(without.entry(why).or_default().insert(image.to_owned())),
                    None => {}
                }
            }
        }
        found.notes.extend(unknown.iter().map(|name| {
            format!("the Secret {name} is not made here: whether it has a login for the images is not known")
        }));
        for (why, image) in without.iter().flat_map(|(why, images)| images.iter().map(move |it| (why, it))) {
            let what = format!("no login for {image}: {why}");
            found.fault(on, Id::ImageWithoutCredentials, Some(object), &what);
        }
        found.pulling += 1;
        if !without.is_empty() {
            found.without.push(without);
        } else if !unknown.is_empty() {
            found.unknown += 1;
        }
    }
}

/// The keys of the logins that a Secret holds, as Kubernetes has it: what is written as a text goes before.
fn logins_in(secret: &Tree) -> Vec<String> {
    let text = |keys: &[&str]| secret.at(keys).and_then(Tree::text);
    let encoded = || text(&["data", SECRET_KEY]).and_then(decoded);
    let config = text(&["stringData", SECRET_KEY]).map(ToOwned::to_owned).or_else(encoded);
    let config: Option<serde_json::Value> = config.and_then(|config| serde_json::from_str(&config).ok());
    let logins = config.as_ref().and_then(|config| config.get("auths")?.as_object());
    logins.into_iter().flat_map(serde_json::Map::keys).cloned().collect()
}

/// Why the kubelet takes none of the logins for the image; `None` where it takes one.
fn why_not(image: &str, keys: &[String]) -> Option<String> {
    let parsed = match Image::parse(image) {
        Ok(parsed) => parsed,
        Err(why) => return Some(why),
    };
    let causes: Option<BTreeSet<String>> = keys.iter().map(|key| mismatch(key, &parsed)).collect();
    let causes = causes?.into_iter().collect::<Vec<_>>();
    Some(if causes.is_empty() { "its pod gets no Secret with a login".to_owned() } else { causes.join("; ") })
}
