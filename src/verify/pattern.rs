//! Noise: what differs between two renders of one and the same chart (random names and passwords,
//! certificates, hashes of these, lists in no order), learned from samples; and what differs from
//! another render besides.
//!
//! A pattern is exact wherever the samples agree. Where they do not, it takes as little as explains
//! them: of a text that changes only the words that do, with the same kind of characters and about the
//! same length; of a list that is shuffled the same items in any order; of a certificate or a key all that
//! is between its first and last line. So a change next to noise, in the same list, text or Secret, still
//! shows. What the samples do not explain stays exact, and differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::tree::{Key, Node, Object, Objects};
use crate::template::constant_regex;

/// One place in which a render is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object.
    pub object: Key,
    /// The way to the place in it; empty for the object as a whole.
    pub path: String,
    /// What should be there, if anything.
    pub before: Option<String>,
    /// What is there, if anything.
    pub after: Option<String>,
}

/// What all samples have in common, and how they vary.
#[derive(Debug)]
pub struct Pattern<'s> {
    /// The objects that each of them has.
    named: BTreeMap<&'s Key, (&'s Arc<Object>, Shape<'s>)>,
    /// Those with names that end at random, by what the names begin with.
    random: BTreeMap<Key, Vec<(&'s Key, Shape<'s>)>>,
}

impl<'s> Pattern<'s> {
    /// Learns from renders of one chart. Of a single one all is exact.
    #[must_use]
    pub fn learn(samples: &'s [Objects]) -> Self {
        let by_key: Vec<BTreeMap<&Key, &Arc<Object>>> = samples
            .iter()
            .map(|objects| objects.iter().map(|object| (&object.key, object)).collect())
            .collect();
        let mut pattern = Pattern { named: BTreeMap::new(), random: BTreeMap::new() };
        let Some((first, others)) = by_key.split_first() else { return pattern };
        let is_everywhere = |key: &Key| by_key.iter().all(|objects| objects.contains_key(key));
        for (key, object) in first.iter().filter(|(key, _)| is_everywhere(key)) {
            let mut same = vec![*object];
            same.extend(others.iter().filter_map(|objects| objects.get(key).copied()));
            pattern.named.insert(key, (object, Shape::of_objects(&same)));
        }
        // What is left has names that change, or comes and goes.
        let left: Vec<BTreeMap<Key, Vec<&Arc<Object>>>> = by_key
            .iter()
            .map(|objects| by_stem(objects.values().copied().filter(|o| !is_everywhere(&o.key))))
            .collect();
        let Some((first, others)) = left.split_first() else { return pattern };
        for (stem, own) in first {
            let groups: Vec<_> = others.iter().filter_map(|groups| groups.get(stem)).collect();
            if groups.len() == others.len() && groups.iter().all(|group| group.len() == own.len()) {
                let mut pools: Vec<Vec<&Arc<Object>>> = groups.into_iter().cloned().collect();
                let shapes = own.iter().map(|object| {
                    let mut same = vec![*object];
                    same.extend(
                        pools.iter_mut().filter_map(|pool| take_nearest(&Shape::Exact(&object.node), pool)),
                    );
                    (&object.key, Shape::of_objects(&same))
                });
                pattern.random.insert(stem.clone(), shapes.collect());
            } else {
                let exact = own.iter().map(|object| (&object.key, (*object, Shape::Exact(&object.node))));
                pattern.named.extend(exact);
            }
        }
        pattern
    }

    /// Where `objects` are none that this chart could render.
    #[must_use]
    pub fn differences(&self, objects: &[Arc<Object>]) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut left: BTreeMap<&Key, &Arc<Object>> =
            objects.iter().map(|object| (&object.key, object)).collect();
        for (key, (first, shape)) in &self.named {
            match left.remove(*key) {
                // Most objects are the very same text.
                Some(object) if Arc::ptr_eq(first, object) => {}
                Some(object) => shape.compare(&object.node, &mut Report::new(key, &mut differences)),
                None => differences.push(whole(key, Some(GONE), None)),
            }
        }
        let mut groups = by_stem(left.values().copied());
        for (stem, shapes) in &self.random {
            let mut pool = groups.remove(stem).unwrap_or_default();
            for (key, shape) in shapes {
                match take_nearest(shape, &mut pool) {
                    Some(object) => shape.compare(&object.node, &mut Report::new(key, &mut differences)),
                    None => differences.push(whole(key, Some(GONE), None)),
                }
            }
            differences.extend(pool.into_iter().map(|object| whole(&object.key, None, Some(NEW))));
        }
        let more = groups.into_values().flatten();
        differences.extend(more.map(|object| whole(&object.key, None, Some(NEW))));
        differences
    }

    /// How many objects hold something that varies, or have names that do.
    #[must_use]
    pub fn noisy(&self) -> usize {
        let named = self.named.values().filter(|(_, shape)| !matches!(shape, Shape::Exact(_))).count();
        named + self.random.values().map(Vec::len).sum::<usize>()
    }
}

const GONE: &str = "the object";
const NEW: &str = "the object";

fn whole(key: &Key, before: Option<&str>, after: Option<&str>) -> Difference {
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    Difference { object: key.clone(), path: String::new(), before: owned(before), after: owned(after) }
}

/// Objects by what their names begin with, the part behind the last dash aside.
fn by_stem<'o>(objects: impl Iterator<Item = &'o Arc<Object>>) -> BTreeMap<Key, Vec<&'o Arc<Object>>> {
    let mut groups: BTreeMap<Key, Vec<&Arc<Object>>> = BTreeMap::new();
    for object in objects {
        let stem = object.key.name.rsplit_once('-').map_or("", |(stem, _)| stem).to_owned();
        groups.entry(Key { name: stem, occurrence: 0, ..object.key.clone() }).or_default().push(object);
    }
    groups
}

/// Takes that object out of the pool which differs least.
fn take_nearest<'o>(shape: &Shape<'_>, pool: &mut Vec<&'o Arc<Object>>) -> Option<&'o Arc<Object>> {
    let distance = |object: &Arc<Object>| {
        let mut differences = Vec::new();
        shape.compare(&object.node, &mut Report::new(&object.key, &mut differences));
        differences.len()
    };
    let nearest = (0..pool.len()).min_by_key(|index| pool.get(*index).map(|object| distance(object)))?;
    Some(pool.remove(nearest))
}

/// What a part of an object may be.
#[derive(Debug)]
enum Shape<'s> {
    /// This and nothing else.
    Exact(&'s Node),
    /// A mapping with these keys.
    Map(BTreeMap<&'s str, Shape<'s>>),
    /// A list of these.
    List(Vec<Shape<'s>>),
    /// A list of exactly these, in any order.
    Shuffled(Vec<&'s Node>),
    /// A list of mappings with these names, in any order.
    Named(BTreeMap<&'s str, Shape<'s>>),
    /// A string.
    Text(Words),
    /// A number, a boolean or null.
    Bare(Words),
    /// A string that is base64 of a text.
    Encoded(Words),
}

impl<'s> Shape<'s> {
    fn of_objects(objects: &[&'s Arc<Object>]) -> Self {
        // Most are the very same text in all samples.
        if let [first, others @ ..] = objects
            && others.iter().all(|other| Arc::ptr_eq(first, other))
        {
            return Shape::Exact(&first.node);
        }
        let is_secret = objects.first().is_some_and(|object| object.key.kind == "Secret");
        let nodes: Vec<&Node> = objects.iter().map(|object| &object.node).collect();
        Shape::learn(&nodes, is_secret)
    }

    /// `nodes` are what samples have in one place. Without any there is nothing that it matches.
    fn learn(nodes: &[&'s Node], is_secret: bool) -> Self {
        static NOTHING: Node = Node::List(Vec::new());
        let Some((first, others)) = nodes.split_first() else { return Shape::Exact(&NOTHING) };
        if others.iter().all(|other| other == first) {
            return Shape::Exact(first);
        }
        let shape = match first {
            Node::Map(_) => Shape::learn_map(nodes, is_secret),
            Node::List(_) => Shape::learn_list(nodes),
            Node::Text(_) => {
                let texts: Option<Vec<&str>> = nodes.iter().map(|node| node.text()).collect();
                texts.map(|texts| {
                    let decoded: Option<Vec<String>> =
                        texts.iter().map(|text| decode(text)).take_while(|_| is_secret).collect();
                    match decoded.filter(|decoded| decoded.len() == texts.len()) {
                        Some(decoded) => Shape::Encoded(Words::learn(
                            &decoded.iter().map(String::as_str).collect::<Vec<_>>(),
                        )),
                        None => Shape::Text(Words::learn(&texts)),
                    }
                })
            }
            Node::Bare(_) => {
                let bare = |node: &&'s Node| match node {
                    Node::Bare(text) => Some(text.as_str()),
                    _ => None,
                };
                let texts: Option<Vec<&str>> = nodes.iter().map(bare).collect();
                texts.map(|texts| Shape::Bare(Words::learn(&texts)))
            }
        };
        shape.unwrap_or(Shape::Exact(first))
    }

    /// `None` where they do not all have the same keys.
    fn learn_map(nodes: &[&'s Node], is_secret: bool) -> Option<Self> {
        let maps: Vec<&BTreeMap<String, Node>> = nodes
            .iter()
            .map(|node| match node {
                Node::Map(map) => Some(map),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let first = maps.first()?;
        if maps.iter().any(|map| !map.keys().eq(first.keys())) {
            return None;
        }
        let shape_of = |key: &'s String| {
            let values: Vec<&Node> = maps.iter().filter_map(|map| map.get(key)).collect();
            (key.as_str(), Shape::learn(&values, is_secret))
        };
        Some(Shape::Map(first.keys().map(shape_of).collect()))
    }

    /// `None` where they are not of the same length.
    fn learn_list(nodes: &[&'s Node]) -> Option<Self> {
        let lists: Vec<&[Node]> = nodes
            .iter()
            .map(|node| match node {
                Node::List(items) => Some(items.as_slice()),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let first = lists.first()?;
        if lists.iter().any(|list| list.len() != first.len()) {
            return None;
        }
        let sorted: Vec<Vec<&Node>> = lists.iter().map(|list| sorted(list)).collect();
        if let [one, others @ ..] = sorted.as_slice()
            && others.iter().all(|other| other == one)
        {
            return Some(Shape::Shuffled(one.clone()));
        }
        let named: Vec<BTreeMap<&str, &Node>> = lists.iter().map(|list| by_name(list)).collect();
        if let [one, others @ ..] = named.as_slice()
            && one.len() == first.len()
            && others.iter().all(|other| other.keys().eq(one.keys()))
        {
            let shape_of = |name: &&'s str| {
                let items: Vec<&Node> = named.iter().filter_map(|items| items.get(name).copied()).collect();
                (*name, Shape::learn(&items, false))
            };
            return Some(Shape::Named(one.keys().map(shape_of).collect()));
        }
        let shape_of = |index: usize| {
            let items: Vec<&Node> = lists.iter().filter_map(|list| list.get(index)).collect();
            Shape::learn(&items, false)
        };
        Some(Shape::List((0..first.len()).map(shape_of).collect()))
    }

    fn compare(&self, actual: &Node, report: &mut Report<'_>) {
        match (self, actual) {
            (Shape::Exact(expected), actual) => compare(expected, actual, report),
            (Shape::Map(shapes), Node::Map(map)) => {
                for (key, shape) in shapes {
                    match map.get(*key) {
                        Some(value) => report.inside(key, |report| shape.compare(value, report)),
                        None => report.inside(key, |report| report.add(Some(shape.shown()), None)),
                    }
                }
                for (key, value) in map.iter().filter(|(key, _)| !shapes.contains_key(key.as_str())) {
                    report.inside(key, |report| report.add(None, Some(shown(value))));
                }
            }
            (Shape::List(shapes), Node::List(items)) if shapes.len() == items.len() => {
                for (index, (shape, item)) in shapes.iter().zip(items).enumerate() {
                    report.inside(&index.to_string(), |report| shape.compare(item, report));
                }
            }
            (Shape::Named(shapes), Node::List(items)) => {
                let mut named = by_name(items);
                if named.len() != items.len() {
                    report.add(Some(self.shown()), Some(shown(actual)));
                    return;
                }
                for (name, shape) in shapes {
                    report.inside(name, |report| match named.remove(name) {
                        Some(item) => shape.compare(item, report),
                        None => report.add(Some(shape.shown()), None),
                    });
                }
                for (name, item) in named {
                    report.inside(name, |report| report.add(None, Some(shown(item))));
                }
            }
            (Shape::Shuffled(expected), Node::List(items)) => compare_items(expected, &sorted(items), report),
            (Shape::Text(words), Node::Text(text)) | (Shape::Bare(words), Node::Bare(text)) => {
                words.compare(text, report);
            }
            (Shape::Encoded(words), Node::Text(text)) => match decode(text) {
                Some(text) => words.compare(&text, report),
                None => report.add(Some(self.shown()), Some(shown(actual))),
            },
            _ => report.add(Some(self.shown()), Some(shown(actual))),
        }
    }

    /// Something to show for what was expected.
    fn shown(&self) -> String {
        match self {
            Shape::Exact(node) => shown(node),
            Shape::Map(_) => "a mapping".to_owned(),
            Shape::List(_) | Shape::Shuffled(_) | Shape::Named(_) => "a list".to_owned(),
            Shape::Text(_) | Shape::Bare(_) | Shape::Encoded(_) => "something that varies".to_owned(),
        }
    }
}

fn sorted(items: &[Node]) -> Vec<&Node> {
    let mut sorted: Vec<&Node> = items.iter().collect();
    sorted.sort();
    sorted
}

/// Items by their `name`, where they have one each.
fn by_name(items: &[Node]) -> BTreeMap<&str, &Node> {
    items.iter().filter_map(|item| Some((item.get("name")?.text()?, item))).collect()
}

/// The text that is behind base64.
fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// A node on one line, as far as that is of use.
fn shown(node: &Node) -> String {
    match node {
        Node::Bare(text) => text.clone(),
        Node::Text(text) => format!("{text:?}"),
        Node::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Node::Map(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Collects differences, and knows where it is.
struct Report<'r> {
    object: &'r Key,
    path: Vec<String>,
    differences: &'r mut Vec<Difference>,
}

impl<'r> Report<'r> {
    fn new(object: &'r Key, differences: &'r mut Vec<Difference>) -> Self {
        Report { object, path: Vec::new(), differences }
    }

    fn inside(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.path.push(key.to_owned());
        look(self);
        self.path.pop();
    }

    fn add(&mut self, before: Option<String>, after: Option<String>) {
        let path = self.path.join(".");
        self.differences.push(Difference { object: self.object.clone(), path, before, after });
    }
}

/// Compares where nothing varies.
fn compare(expected: &Node, actual: &Node, report: &mut Report<'_>) {
    if expected == actual {
        return;
    }
    match (expected, actual) {
        (Node::Map(expected), Node::Map(actual)) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for key in keys {
                report.inside(key, |report| match (expected.get(key), actual.get(key)) {
                    (Some(expected), Some(actual)) => compare(expected, actual, report),
                    (expected, actual) => report.add(expected.map(shown), actual.map(shown)),
                });
            }
        }
        (Node::List(expected), Node::List(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                report.inside(&index.to_string(), |report| compare(expected, actual, report));
            }
        }
        (Node::List(expected), Node::List(actual)) => {
            compare_items(&sorted(expected), &sorted(actual), report);
        }
        (Node::Text(expected), Node::Text(actual)) if expected.contains('\n') || actual.contains('\n') => {
            compare_lines(expected, actual, report);
        }
        _ => report.add(Some(shown(expected)), Some(shown(actual))),
    }
}

/// Two sorted lists: what only one of them has.
fn compare_items(expected: &[&Node], actual: &[&Node], report: &mut Report<'_>) {
    let mut expected = expected.iter().copied().peekable();
    let mut actual = actual.iter().copied().peekable();
    loop {
        match (expected.peek(), actual.peek()) {
            (Some(own), Some(other)) if own == other => {
                expected.next();
                actual.next();
            }
            (Some(own), other) if other.is_none_or(|other| own < other) => {
                report.add(Some(shown(own)), None);
                expected.next();
            }
            (_, Some(other)) => {
                report.add(None, Some(shown(other)));
                actual.next();
            }
            (_, None) => return,
        }
    }
}

/// Texts of several lines: the first line that differs.
fn compare_lines(expected: &str, actual: &str, report: &mut Report<'_>) {
    let (mut old, mut new) = (expected.split('\n'), actual.split('\n'));
    let mut line = 1_usize;
    loop {
        match (old.next(), new.next()) {
            (None, None) => return,
            (own, other) if own == other => line += 1,
            (own, other) => {
                let shown = |text: Option<&str>| text.map(|text| format!("{text:?}"));
                report.inside(&format!("line {line}"), |report| report.add(shown(own), shown(other)));
                return;
            }
        }
    }
}

/// A text in which some words vary.
#[derive(Debug, PartialEq, Eq)]
enum Words {
    /// This and nothing else.
    Exact(String),
    /// So many lines, each as it says.
    Lines(Vec<Words>),
    /// These lines, sorted, in any order.
    ShuffledLines(Vec<String>),
    /// Certificates and keys in PEM, each as it says, and the text without them.
    Armoured { bodies: Vec<Words>, around: Box<Words> },
    /// Words (letters and digits) and what stands between them; the words vary.
    Each { words: Vec<Varied>, between: Vec<String> },
    /// These items, sorted, in any order, with what comes between, in front of and behind them.
    ShuffledItems { head: String, items: Vec<String>, separator: char, tail: String },
    /// As a whole it varies.
    Whole(Varied),
}

impl Words {
    /// `texts` are what samples have in one place.
    fn learn(texts: &[&str]) -> Self {
        if let Some(exact) = Words::exact(texts) {
            return exact;
        }
        if let Some(armoured) = Words::learn_armoured(texts) {
            return armoured;
        }
        if texts.iter().any(|text| text.contains('\n')) {
            return Words::learn_lines(texts);
        }
        if let Some(shuffled) = [',', ' ', ';', '|'].into_iter().find_map(|c| Words::learn_items(texts, c)) {
            return shuffled;
        }
        let split: Vec<(Vec<&str>, Vec<&str>)> = texts.iter().map(|text| words(text)).collect();
        if let [(one, between), others @ ..] = split.as_slice()
            && others.iter().all(|(_, other)| other == between)
        {
            let word = |index: usize| {
                let words: Vec<&str> =
                    split.iter().filter_map(|(words, _)| words.get(index).copied()).collect();
                Varied::learn(&words)
            };
            return Words::Each { words: (0..one.len()).map(word).collect(), between: owned(between) };
        }
        Words::Whole(Varied::learn(texts))
    }

    /// `None` where they are not all the same.
    fn exact(texts: &[&str]) -> Option<Self> {
        let (first, others) = texts.split_first().unwrap_or((&"", &[]));
        others.iter().all(|other| other == first).then(|| Words::Exact((*first).to_owned()))
    }

    /// `None` where they are not the same items in another order.
    fn learn_items(texts: &[&str], separator: char) -> Option<Self> {
        // An item is made of letters and digits, and of what is usual in names and paths.
        let ends_items = |c: char| !c.is_alphanumeric() && !"-_./".contains(c);
        let Varied { prefix, suffix, .. } = Varied::between_shared(texts);
        let head = prefix.rfind(ends_items).map_or(0, |at| at + 1);
        let head = prefix.get(..head)?;
        let tail = suffix.get(suffix.find(ends_items).unwrap_or(suffix.len())..)?;
        let items = |text: &str| -> Option<Vec<String>> {
            let middle = text.strip_prefix(head)?.strip_suffix(tail)?;
            Some(sorted_texts(middle.split(separator)))
        };
        let (first, others) = texts.split_first()?;
        let first = items(first).filter(|items| items.len() > 1)?;
        let is_same = others.iter().all(|other| items(other).as_ref() == Some(&first));
        let (head, tail) = (head.to_owned(), tail.to_owned());
        is_same.then_some(Words::ShuffledItems { head, items: first, separator, tail })
    }

    fn learn_lines(texts: &[&str]) -> Self {
        let lines: Vec<Vec<&str>> = texts.iter().map(|text| text.split('\n').collect()).collect();
        let Some((first, others)) = lines.split_first() else { return Words::Exact(String::new()) };
        if others.iter().all(|other| other.len() == first.len()) {
            let sort = |lines: &Vec<&str>| sorted_texts(lines.iter().copied());
            let one = sort(first);
            if others.iter().all(|other| sort(other) == one) {
                return Words::ShuffledLines(one);
            }
            let line = |index: usize| {
                let same: Vec<&str> = lines.iter().filter_map(|lines| lines.get(index).copied()).collect();
                Words::learn(&same)
            };
            return Words::Lines((0..first.len()).map(line).collect());
        }
        Words::Whole(Varied::learn(texts))
    }

    /// `None` where they hold no PEM, or not as much of it.
    fn learn_armoured(texts: &[&str]) -> Option<Self> {
        let parts: Vec<(String, Vec<String>)> = texts.iter().map(|text| without_armour(text)).collect();
        let count = parts.first().map(|(_, bodies)| bodies.len()).filter(|count| *count > 0)?;
        if parts.iter().any(|(_, bodies)| bodies.len() != count) {
            return None;
        }
        let body = |index: usize| {
            let bodies: Vec<&str> =
                parts.iter().filter_map(|(_, bodies)| bodies.get(index).map(String::as_str)).collect();
            Words::exact(&bodies).unwrap_or_else(|| Words::Whole(Varied::armoured(&bodies)))
        };
        let bodies = (0..count).map(body).collect();
        let around: Vec<&str> = parts.iter().map(|(around, _)| around.as_str()).collect();
        Some(Words::Armoured { bodies, around: Box::new(Words::learn(&around)) })
    }

    fn compare(&self, actual: &str, report: &mut Report<'_>) {
        let shown = |text: &str| Some(format!("{text:?}"));
        match self {
            Words::Exact(text) if text == actual => {}
            Words::Exact(text) if text.contains('\n') => compare_lines(text, actual, report),
            Words::Exact(text) => report.add(shown(text), shown(actual)),
            Words::Lines(lines) => {
                let own: Vec<&str> = actual.split('\n').collect();
                if own.len() == lines.len() {
                    for (index, (line, own)) in lines.iter().zip(own).enumerate() {
                        report.inside(&format!("line {}", index + 1), |report| line.compare(own, report));
                    }
                    return;
                }
                // Lines are missing, or there are more: it shows where that starts.
                let starts = lines.iter().zip(&own).take_while(|(line, own)| line.matches(own)).count();
                let (expected, found) = (lines.get(starts).map(Words::example), own.get(starts));
                report.inside(&format!("line {}", starts + 1), |report| {
                    report.add(expected, found.and_then(|found| shown(found)));
                });
            }
            Words::ShuffledLines(expected) => {
                compare_sorted(expected, actual.split('\n').collect(), report);
            }
            Words::ShuffledItems { head, items, separator, tail } => {
                let middle = actual.strip_prefix(head).and_then(|text| text.strip_suffix(tail.as_str()));
                match middle {
                    Some(middle) => compare_sorted(items, middle.split(*separator).collect(), report),
                    None => report.add(Some(self.example()), shown(actual)),
                }
            }
            Words::Armoured { bodies, around } => {
                let (own_around, own) = without_armour(actual);
                report.inside("without PEM", |report| around.compare(&own_around, report));
                for (index, (body, own)) in bodies.iter().zip(&own).enumerate() {
                    report.inside(&format!("PEM {}", index + 1), |report| body.compare(own, report));
                }
            }
            Words::Each { words: expected, between } => {
                let (own, other) = words(actual);
                let is_same = other == *between
                    && own.len() == expected.len()
                    && expected.iter().zip(own).all(|(word, own)| word.matches(own));
                if !is_same {
                    report.add(Some(self.example()), shown(actual));
                }
            }
            Words::Whole(varied) => {
                if !varied.matches(actual) {
                    report.add(Some(varied.example()), shown(actual));
                }
            }
        }
    }

    fn matches(&self, actual: &str) -> bool {
        let key = Key::default();
        let mut differences = Vec::new();
        self.compare(actual, &mut Report::new(&key, &mut differences));
        differences.is_empty()
    }

    /// What is expected, with `*` for what varies.
    fn example(&self) -> String {
        match self {
            Words::Exact(text) => format!("{text:?}"),
            Words::ShuffledItems { head, items, separator, tail } => {
                format!("{head}{}{tail}", items.join(&separator.to_string()))
            }
            Words::Each { words, between } => {
                let mut example = String::new();
                let mut words = words.iter();
                for between in between {
                    example.push_str(between);
                    example.push_str(&words.next().map(Varied::example).unwrap_or_default());
                }
                example
            }
            _ => "something that varies".to_owned(),
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn sorted_texts<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut sorted: Vec<String> = texts.map(ToOwned::to_owned).collect();
    sorted.sort();
    sorted
}

fn compare_sorted(expected: &[String], mut actual: Vec<&str>, report: &mut Report<'_>) {
    actual.sort_unstable();
    let nodes = |texts: Vec<&str>| -> Vec<Node> {
        texts.into_iter().map(|text| Node::Text(text.to_owned())).collect()
    };
    let (expected, actual) = (nodes(expected.iter().map(String::as_str).collect()), nodes(actual));
    compare_items(&expected.iter().collect::<Vec<_>>(), &actual.iter().collect::<Vec<_>>(), report);
}

/// The words of a text, and what stands in front of each and behind the last.
fn words(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut words, mut between) = (Vec::new(), Vec::new());
    let mut rest = text;
    loop {
        let start = rest.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (gap, tail) = rest.split_at(start);
        between.push(gap);
        if tail.is_empty() {
            return (words, between);
        }
        let end = tail.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        words.push(word);
        rest = tail;
    }
}

/// A text without what stands in its certificates and keys, and that, its line breaks aside. Where there is
/// more or less of it, the text around shows it.
fn without_armour(text: &str) -> (String, Vec<String>) {
    static BODY: LazyLock<Regex> =
        LazyLock::new(|| constant_regex("(-----BEGIN [A-Z0-9 ]+-----)([^-]+)(-----END )"));
    let bodies = BODY.captures_iter(text).filter_map(|found| found.get(2));
    // In a string of JSON or YAML a line break is written as `\n`.
    let bodies = bodies.map(|body| body.as_str().replace("\\n", "").split_whitespace().collect());
    (BODY.replace_all(text, "$1$3").into_owned(), bodies.collect())
}

/// A word that varies: the ends that all samples share, and what is between them.
#[derive(Debug, PartialEq, Eq)]
struct Varied {
    prefix: String,
    suffix: String,
    /// How many bytes come between them.
    length: (usize, usize),
    characters: Characters,
}

/// How many characters at the ends of long random words (hashes, keys) may be the same by chance, and
/// what is long.
const CHANCE: usize = 2;
const LONG: usize = 16;

impl Varied {
    fn learn(texts: &[&str]) -> Self {
        let mut varied = Varied::between_shared(texts);
        let shortest = texts.iter().map(|text| text.len()).min().unwrap_or(0);
        let is_chance = |end: &str| (1..=CHANCE).contains(&end.len()) && shortest >= LONG;
        if is_chance(&varied.prefix) {
            varied.prefix.clear();
        }
        if is_chance(&varied.suffix) {
            varied.suffix.clear();
        }
        let middles = texts.iter().filter_map(|text| {
            text.strip_prefix(varied.prefix.as_str())?.strip_suffix(varied.suffix.as_str())
        });
        let middles: Vec<&str> = middles.collect();
        let lengths = middles.iter().map(|middle| middle.len());
        varied.length = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
        varied.characters =
            middles.iter().map(|middle| Characters::of(middle)).max().unwrap_or(Characters::Digits);
        varied
    }

    /// What stands in certificates and keys. All may vary in it: a shorter number moves what follows, times
    /// are those of the render. Few samples show how much shorter and longer the numbers can be.
    fn armoured(bodies: &[&str]) -> Self {
        const MARGIN: usize = 24;
        let lengths = bodies.iter().map(|body| body.len());
        let (shortest, longest) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
        let length = (shortest.saturating_sub(MARGIN), longest + MARGIN);
        Varied { prefix: String::new(), suffix: String::new(), length, characters: Characters::Base64 }
    }

    /// The ends that all samples share, as long as they can be; the rest is left open.
    fn between_shared(texts: &[&str]) -> Self {
        let first = texts.first().copied().unwrap_or_default();
        let shared = |length: usize, text: &str| {
            let pairs = first.chars().zip(text.chars()).take_while(|(own, other)| own == other);
            pairs.map(|(own, _)| own.len_utf8()).sum::<usize>().min(length)
        };
        let prefix = texts.iter().fold(first.len(), |length, text| shared(length, text));
        let prefix = first.get(..prefix).unwrap_or_default();
        let tails: Vec<&str> = texts.iter().filter_map(|text| text.get(prefix.len()..)).collect();
        let tail = tails.first().copied().unwrap_or_default();
        let shared = |length: usize, text: &str| {
            let pairs = tail.chars().rev().zip(text.chars().rev()).take_while(|(own, other)| own == other);
            pairs.map(|(own, _)| own.len_utf8()).sum::<usize>().min(length)
        };
        let suffix = tails.iter().fold(tail.len(), |length, text| shared(length, text));
        let suffix = tail.get(tail.len() - suffix..).unwrap_or_default();
        let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
        Varied { prefix, suffix, length: (0, 0), characters: Characters::Digits }
    }

    fn matches(&self, text: &str) -> bool {
        let middle = text.strip_prefix(&self.prefix).and_then(|tail| tail.strip_suffix(self.suffix.as_str()));
        middle.is_some_and(|middle| {
            (self.length.0..=self.length.1).contains(&middle.len())
                && Characters::of(middle) <= self.characters
        })
    }

    fn example(&self) -> String {
        let varies = if self.length.1 > 0 { "*" } else { "" };
        format!("{}{varies}{}", self.prefix, self.suffix)
    }
}

/// Kinds of characters, each with all of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Characters {
    Digits,
    LowerCase,
    Letters,
    /// And what else base64 is made of, in its two alphabets, and PEM.
    Base64,
    Any,
}

impl Characters {
    fn of(text: &str) -> Self {
        let all = |is_one: fn(&u8) -> bool| text.as_bytes().iter().all(is_one);
        if all(u8::is_ascii_digit) {
            Characters::Digits
        } else if all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()) {
            Characters::LowerCase
        } else if all(u8::is_ascii_alphanumeric) {
            Characters::Letters
        } else if all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_\n".contains(byte)) {
            Characters::Base64
        } else {
            Characters::Any
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, STANDARD};
    use crate::verify::tree::{Objects, Reader};
    use base64::Engine as _;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn objects(text: &str) -> Result<Objects, String> {
        Reader::default().read(text, "space")
    }

    /// What is found in `text`, after learning from `samples`.
    fn found(samples: &[&str], text: &str) -> Result<Vec<String>, String> {
        let samples: Vec<Objects> = samples.iter().map(|sample| objects(sample)).collect::<Result<_, _>>()?;
        let differences = Pattern::learn(&samples).differences(&objects(text)?);
        Ok(differences
            .into_iter()
            .map(|found| {
                let shown = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
                format!("{} {}: {} -> {}", found.object, found.path, shown(found.before), shown(found.after))
            })
            .collect())
    }

    fn config(text: &str) -> String {
        format!("kind: ConfigMap\nmetadata: {{name: etc}}\ndata:\n  a.conf: |\n{text}")
    }

    #[test]
    fn without_noise_all_is_exact() -> Tested {
        let one = "kind: A\nmetadata: {name: x}\nspec: {n: 1, list: [a, b]}\n";
        assert!(found(&[one, one], one)?.is_empty());
        let other = one.replace("n: 1", "n: '1'");
        assert_eq!(found(&[one], &other)?, ["A/x spec.n: 1 -> \"1\""]);
        let other = one.replace("[a, b]", "[b, a]");
        assert_eq!(found(&[one], &other)?.len(), 2, "no order is lost where none varies");
        let other = one.replace("n: 1, ", "");
        assert_eq!(found(&[one], &other)?, ["A/x spec.n: 1 -> none"]);
        assert_eq!(found(&[one], "")?, ["A/x : the object -> none"]);
        assert_eq!(found(&[one], &format!("{one}---\nkind: B\n"))?, ["B/ : none -> the object"]);
        Ok(())
    }

    #[test]
    fn in_a_text_only_the_words_that_vary_may_vary() -> Tested {
        let one = config("    [a]\n    url = rabbit://me:Xq9ab@host:5672\n    debug = false\n");
        let two = one.replace("Xq9ab", "7KLmn");
        let three = one.replace("Xq9ab", "pQ0rs");
        assert!(found(&[&one, &two], &three)?.is_empty());
        let path = "ConfigMap/etc data.a.conf.line";
        // Next to the noise, on its own line, in the host behind it, and another length.
        assert_eq!(
            found(&[&one, &two], &three.replace("false", "true"))?,
            [format!("{path} 3: \"debug = false\" -> \"debug = true\"")]
        );
        for (from, to) in [("host", "h0st"), ("//me:", "//you:"), ("pQ0rs", "pQ0rst"), ("pQ0rs", "pQ_rs")] {
            let differences = found(&[&one, &two], &three.replace(from, to))?;
            assert_eq!(differences.len(), 1, "{from} {to}: {differences:?}");
            assert!(
                differences.iter().all(|text| text.starts_with(&format!("{path} 2: "))),
                "{differences:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_shuffled_list_holds_the_same_items() -> Tested {
        let list = |items: &str| format!("kind: A\nmetadata: {{name: x}}\nlist: [{items}]\n");
        let samples = [list("{p: 1}, {p: 2}, {p: 2}"), list("{p: 2}, {p: 1}, {p: 2}")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &list("{p: 2}, {p: 2}, {p: 1}"))?.is_empty());
        assert_eq!(found(&samples, &list("{p: 2}, {p: 1}, {p: 1}"))?.len(), 2);
        assert_eq!(
            found(&samples, &list("{p: 2}, {p: 1}, {p: 2, q: 1}"))?,
            ["A/x list: {p: 2} -> none", "A/x list: none -> {p: 2, q: 1}"]
        );
        assert_eq!(found(&samples, &list("{p: 2}, {p: 1}"))?, ["A/x list: {p: 2} -> none"]);
        // In one text, with commas.
        let text = |items: &str| format!("kind: A\nmetadata: {{name: x}}\narg: '--with={items}'\n");
        let samples = [text("b,a,c"), text("a,c,b")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &text("a,b,c"))?.is_empty());
        assert_eq!(found(&samples, &text("a,b,d"))?.len(), 2);
        Ok(())
    }

    #[test]
    fn items_with_names_keep_them() -> Tested {
        let list = |one: &str, two: &str| {
            format!(
                "kind: A\nmetadata: {{name: x}}\nenv: [{{name: A, value: {one}}}, {{name: B, value: {two}}}]\n"
            )
        };
        let samples = [list("aaa1", "v"), list("bbb2", "v")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &list("ccc3", "v"))?.is_empty());
        assert_eq!(found(&samples, &list("ccc3", "w"))?, ["A/x env.B.value: \"v\" -> \"w\""]);
        Ok(())
    }

    #[test]
    fn a_secret_is_looked_into() -> Tested {
        let secret = |text: &str| {
            format!("kind: Secret\nmetadata: {{name: s}}\ndata: {{a.conf: {}}}\n", STANDARD.encode(text))
        };
        let samples = [secret("key = Abc123\nhost = a\n"), secret("key = xYz789\nhost = a\n")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &secret("key = 000AAA\nhost = a\n"))?.is_empty());
        let differences = found(&samples, &secret("key = 000AAA\nhost = b\n"))?;
        assert_eq!(differences, ["Secret/s data.a.conf.line 2: \"host = a\" -> \"host = b\""]);
        Ok(())
    }

    #[test]
    fn objects_with_random_names_are_paired() -> Tested {
        let job = |name: &str, image: &str, other: &str| {
            format!(
                "kind: Job\nmetadata: {{name: j-{name}}}\nspec: {{image: {image}}}\n---\nkind: Job\nmetadata: {{name: j-{other}}}\nspec: {{image: two}}\n---\nkind: Role\nmetadata: {{name: r}}\nrules: [j-{name}]\n"
            )
        };
        let samples = [job("a1b2c", "one", "ppppp"), job("x9y8z", "one", "ooooo")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &job("00aa1", "one", "zz0aa"))?.is_empty());
        // Whichever comes first.
        assert!(found(&samples, &job("zzzz1", "one", "aa0aa"))?.is_empty());
        let differences = found(&samples, &job("00aa1", "three", "zz0aa"))?;
        assert_eq!(differences, ["Job/j-a1b2c spec.image: \"one\" -> \"three\""]);
        let gone = "kind: Role\nmetadata: {name: r}\nrules: [j-00aa1]\n";
        assert_eq!(found(&samples, gone)?.len(), 2);
        Ok(())
    }

    #[test]
    fn a_block_of_lines_may_be_longer_or_shorter() -> Tested {
        let pem = |lines: &str| config(&format!("    a = 1\n    BEGIN\n{lines}    END\n    b = 2\n"));
        let samples = [pem("    AAbb12\n    ccDD==\n"), pem("    xxYY34\n")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &pem("    qqWW99\n"))?.is_empty());
        assert_eq!(found(&samples, &pem("    qqWW99\n").replace("b = 2", "b = 3"))?.len(), 1);
        assert_eq!(found(&samples, &pem("    qq: 99\n"))?.len(), 1);
        Ok(())
    }

    #[test]
    fn what_is_in_a_certificate_may_vary() -> Tested {
        // All samples with a number that is as long: what follows stands in the same place.
        let body = |start: &str, end: &str| format!("    {start}AAAAbbbb0123\n    {end}\n");
        let pem = |body: &str| {
            config(&format!(
                "    a = 1\n    -----BEGIN CERTIFICATE-----\n{body}    -----END CERTIFICATE-----\n    b = 2\n"
            ))
        };
        let samples = [pem(&body("xYz1", "qqWW99==")), pem(&body("Pq34", "rrVV88=="))];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        let other = pem(&body("Mn56o", "AAbbb012\n    ssUU77="));
        assert!(found(&samples, &other)?.is_empty());
        let path = "ConfigMap/etc data.a.conf";
        for (from, to, place) in [
            ("b = 2", "b = 3", "without PEM.line 3: \"b = 2\" -> \"b = 3\""),
            ("Mn56o", "Mn:6o", "PEM 1: * -> \"Mn:6oAAAAbbbb0123AAbbb012ssUU77=\""),
            ("CERTIFICATE", "CERT", "without PEM.line 2: "),
        ] {
            let differences = found(&samples, &other.replace(from, to))?;
            let start = format!("{path}.{place}");
            assert!(differences.first().is_some_and(|text| text.starts_with(&start)), "{differences:?}");
        }
        let long = found(&samples, &other.replace("Mn56o", &"Mn56o".repeat(9)))?;
        assert_eq!(long.len(), 1, "{long:?}");
        // One of two, in a string with line breaks of its own.
        let two = |other: &str| {
            let pem = |body: &str| format!("-----BEGIN A-----\\n{body}\\n-----END A-----\\n");
            config(&format!("    {{\"one\": \"{}\", \"two\": \"{}\"}}\n", pem("abcd"), pem(other)))
        };
        let samples = [two("123456"), two("789+/=")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(found(&samples, &two("12\\n34"))?.is_empty());
        assert_eq!(
            found(&samples, &two("12\\n34").replace("abcd", "abce"))?,
            [format!("{path}.PEM 1: \"abcd\" -> \"abce\"")]
        );
        Ok(())
    }

    #[test]
    fn what_the_samples_do_not_explain_is_a_difference() -> Tested {
        let list = |items: &str| format!("kind: A\nmetadata: {{name: x}}\nlist: [{items}]\n");
        let samples = [list("a"), list("a, b")];
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        assert!(!found(&samples, &list("a, c"))?.is_empty());
        Ok(())
    }
}
