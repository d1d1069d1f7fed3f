//! What makes pods in a render, and which Secrets the kubelet gets to pull their images with.

use super::compare::inside;
use super::helm::NAMESPACE;
use super::objects::Object;
use crate::kinds::{custom_resources, is_custom};
use crate::yaml::tree::Tree;

pub(crate) const PULL_SECRETS: &str = "imagePullSecrets";

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// What may name Secrets to pull with: the spec of a pod, or a part of a custom resource.
pub(crate) struct Pod<'o> {
    pub(crate) object: &'o Object,
    /// The way to it in the object.
    pub(crate) path: String,
    pub(crate) spec: &'o Tree,
}

pub(crate) fn is_account(object: &Object) -> bool {
    object.key.kind == "ServiceAccount" && !object.key.api_version.contains('/')
}

impl<'o> Pod<'o> {
    /// Those of an object: whatever has containers with images, wherever that is, and the parts of custom resources
    /// that are known.
    pub(crate) fn all(object: &'o Object) -> Vec<Pod<'o>> {
        // The schema of a custom resource may have examples in it.
        if object.key.kind == "CustomResourceDefinition" {
            return Vec::new();
        }
        let rows = custom_resources(&object.key.api_version, &object.key.kind);
        let known = rows.filter_map(|row| {
            Some(Pod { object, path: row.path.join("."), spec: object.tree.at(row.path)? })
        });
        let mut pods: Vec<Pod<'o>> = known.collect();
        let mut open = vec![(String::new(), &object.tree)];
        while let Some((path, spec)) = open.pop() {
            let items = spec.items().iter().enumerate();
            open.extend(items.map(|(index, item)| (inside(&path, &index.to_string()), item)));
            let entries = spec.entries().iter();
            open.extend(entries.filter_map(|(key, value)| Some((inside(&path, key.scalar()?), value))));
            if containers(spec).any(|container| container.get("image").is_some())
                && pods.iter().all(|pod| pod.path != path)
            {
                pods.push(Pod { object, path, spec });
            }
        }
        pods
    }

    /// An object of some operator's that has images, of which nobody here knows what pods are made.
    pub(crate) fn is_unknown(object: &'o Object) -> bool {
        let whole = Pod { object, path: String::new(), spec: &object.tree };
        is_custom(&object.key.api_version) && !whole.images().is_empty()
    }

    /// Its own list of Secrets. As Kubernetes has it, one that is not empty hides that of the account.
    pub(crate) fn own_list(&self) -> Option<&'o Tree> {
        self.spec.get(PULL_SECRETS).filter(|list| !list.items().is_empty())
    }

    pub(crate) fn account(&self) -> Option<&'o str> {
        let mut names =
            ["serviceAccountName", "serviceAccount"].iter().filter_map(|key| self.spec.get(key)?.text());
        names.find(|name| !name.is_empty())
    }

    /// The ServiceAccounts of that name: values say where a pod goes, and an account goes where the chart does.
    pub(crate) fn accounts(&self, all: &'o [Object]) -> impl Iterator<Item = &'o Object> {
        let (name, namespace) = (self.account(), self.object.key.namespace.as_str());
        all.iter().filter(move |object| {
            is_account(object)
                && object.tree.at(&["metadata", "name"]).and_then(Tree::text) == name
                && [namespace, NAMESPACE].contains(&object.key.namespace.as_str())
        })
    }

    /// The names of the Secrets that the kubelet gets.
    pub(crate) fn secrets(&self, all: &'o [Object]) -> Vec<&'o str> {
        let of_account = || self.accounts(all).find_map(|account| account.tree.get(PULL_SECRETS));
        let list = self.own_list().or_else(of_account).map(Tree::items).unwrap_or_default();
        list.iter().filter_map(|item| item.get("name")?.text()).collect()
    }

    /// The images that it runs; those of a custom resource are wherever its operator looks for them.
    pub(crate) fn images(&self) -> Vec<&'o str> {
        if containers(self.spec).next().is_some() {
            return containers(self.spec).filter_map(|container| container.get("image")?.text()).collect();
        }
        let mut found = Vec::new();
        let mut open = vec![self.spec];
        while let Some(tree) = open.pop() {
            found.extend(tree.get("image").and_then(Tree::text));
            open.extend(tree.items().iter().chain(tree.entries().iter().map(|(_, value)| value)));
        }
        found
    }
}

fn containers(spec: &Tree) -> impl Iterator<Item = &Tree> {
    CONTAINERS.iter().flat_map(|key| spec.get(key).map(Tree::items).unwrap_or_default())
}
