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

    /// The `<<` in `mapping` that may bring `key`: then it may be there although nobody sees it, and Helm may have what
    /// is merged in hide what is written out, other than YAML has it.
    pub(crate) fn merge_of(&self, mapping: Node, key: &str) -> Option<Node> {
        let may_bring =
            |source: Node| ["<<", key].iter().any(|key| self.get(self.resolve(source), key).is_some());
        let merges = |value: Node| match self.kind(value) {
            Kind::List => self.children(value).any(may_bring),
            _ => may_bring(value),
        };
        self.named(mapping, "<<").find(|(_, value)| merges(*value)).map(|(merge, _)| merge)
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
