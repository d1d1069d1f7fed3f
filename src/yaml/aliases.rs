//! Aliases (`*name`) and merges (`<<`): where a document says something in another place than one reads it.

use yaml_rust2::parser::Event;

use super::document::Document;
use super::node::{Kind, Node};

impl Document<'_> {
    /// The node that an alias stands for; the node itself for anything else.
    pub(crate) fn resolve(&self, node: Node) -> Node {
        match self.event(node) {
            Some(Event::Alias(anchor)) => self.anchors.get(anchor).copied().unwrap_or(node),
            _ => node,
        }
    }

    /// The value of `key` in a mapping that is merged into `mapping` by `<<`, or into one of these.
    pub(crate) fn merged_value(&self, mapping: Node, key: &str) -> Option<Node> {
        let mut merged = Vec::new();
        for (_, value) in self.named(mapping, "<<") {
            self.collect_merged(value, &mut merged);
        }
        merged.into_iter().find_map(|node| self.get(node, key))
    }

    /// The value of a `<<`, aliases followed, and what is merged into it.
    fn collect_merged(&self, value: Node, merged: &mut Vec<Node>) {
        let value = self.resolve(value);
        if self.kind(value) == Kind::List {
            for item in self.children(value) {
                self.collect_merged(item, merged);
            }
        } else if !merged.contains(&value) {
            merged.push(value);
            for (_, value) in self.named(value, "<<") {
                self.collect_merged(value, merged);
            }
        }
    }

    /// Whether a `<<` behind `key` holds it too: for Helm it then hides the one that is written
    /// out, other than YAML has it.
    pub(crate) fn is_hidden_by_merge(&self, mapping: Node, key: &str) -> bool {
        let Some((written, _)) = self.named(mapping, key).next() else { return false };
        self.named(mapping, "<<").filter(|(merge, _)| *merge >= written).any(|(_, value)| {
            let mut merged = Vec::new();
            self.collect_merged(value, &mut merged);
            merged.into_iter().any(|node| self.get(node, key).is_some())
        })
    }

    /// The first key of `mapping` whose text does not say what it is: an alias, or one with a tag.
    pub(crate) fn opaque_key(&self, mapping: Node) -> Option<Node> {
        self.entries(mapping)
            .map(|(key, _)| key)
            .find(|key| matches!(self.event(*key), Some(Event::Alias(_) | Event::Scalar(_, _, _, Some(_)))))
    }

    /// Whether `node`, or something that it is in, has an anchor that an alias refers to: what
    /// changes here changes in another place as well.
    pub(super) fn is_shared(&self, node: Node) -> bool {
        let around = std::iter::successors(Some(node), |inner| self.parent(*inner));
        let anchors: Vec<usize> = around.filter_map(|node| anchor_of(self.event(node)?)).collect();
        self.events.iter().any(|located| match &located.event {
            Event::Alias(anchor) => anchors.contains(anchor),
            _ => false,
        })
    }
}

/// The anchor that `event` defines, by the parser's number.
pub(super) fn anchor_of(event: &Event) -> Option<usize> {
    match event {
        Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
            Some(*anchor).filter(|anchor| *anchor != 0)
        }
        _ => None,
    }
}
