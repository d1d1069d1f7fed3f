//! Aliases (`*name`) and merges (`<<`): where a document says something in another place than one reads it.

use yaml_rust2::parser::Event;

use super::document::Document;
use super::node::Node;

impl Document<'_> {
    /// The node that an alias stands for; the node itself for anything else.
    pub(crate) fn resolve(&self, node: Node) -> Node {
        match self.event(node) {
            Some(Event::Alias(anchor)) => self.anchors.get(anchor).copied().unwrap_or(node),
            _ => node,
        }
    }

    /// The first key of `mapping` whose text does not say what it is: an alias, one with a tag, or a merge.
    /// Of a merge, Helm has the entries hide those in front of it, other than YAML has it.
    pub(crate) fn opaque_key(&self, mapping: Node) -> Option<Node> {
        let is_opaque = |event: &Event| match event {
            Event::Scalar(text, _, _, tag) => text == "<<" || tag.is_some(),
            event => matches!(event, Event::Alias(_)),
        };
        self.entries(mapping).map(|(key, _)| key).find(|key| self.event(*key).is_some_and(is_opaque))
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
