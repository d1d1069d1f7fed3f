//! A grammar of values.yaml files: every style of every node, comments and blank lines anywhere, and
//! the three blocks in any state.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::judge::Data;

/// A value, and how it is written.
#[derive(Clone, Debug)]
enum Node {
    /// Nothing at all, `~` and the like, or a plain scalar.
    Plain(&'static str),
    /// A scalar over several lines, which are indented by so much more than they must be.
    Lines {
        quote: &'static str,
        lines: Vec<&'static str>,
        deeper: usize,
    },
    Quoted(&'static str),
    /// A literal or folded scalar; an empty line can have spaces.
    Block {
        header: &'static str,
        step: usize,
        explicit: bool,
        lines: Vec<&'static str>,
    },
    Mapping {
        step: usize,
        entries: Vec<Entry>,
    },
    List {
        step: usize,
        gap: usize,
        items: Vec<Entry>,
    },
    /// A mapping, list or scalar in flow style, on one line or several.
    Flow {
        node: Box<Node>,
        several_lines: bool,
        last_comma: bool,
    },
    /// `*shared`, in files that have it.
    Alias,
}

/// A value with all that is around it. Items of lists have a key that is not written.
#[derive(Clone, Debug)]
struct Entry {
    above: Vec<Above>,
    key: &'static str,
    quotes: Quotes,
    has_anchor: bool,
    value: Node,
    comment: Option<&'static str>,
}

/// A line between entries.
#[derive(Clone, Debug)]
enum Above {
    Blank(usize),
    /// A comment, and where: at the margin, or at or behind the column of what follows.
    Comment(&'static str, Option<usize>),
}

#[derive(Clone, Copy, Debug)]
enum Quotes {
    None,
    Single,
    Double,
    /// `? key` and `: value` on lines of their own.
    Question,
}

/// The state of one of the three blocks.
#[derive(Clone, Debug)]
enum Block {
    Absent,
    /// Written as nothing, null or braces.
    Empty(Node),
    /// With some of the wanted entries and others. The numbers decide on each.
    Partial {
        choices: Vec<u8>,
        others: Vec<Entry>,
        step: usize,
        flow: Option<bool>,
    },
}

#[derive(Clone, Debug)]
struct File {
    header: Vec<Above>,
    start: &'static str,
    /// The entry that aliases refer to.
    shared: Option<Node>,
    blocks: Vec<(&'static str, Block, Entry)>,
    others: Vec<Entry>,
    order: Vec<u8>,
    end: &'static str,
    line_break: &'static str,
    has_final_break: bool,
}

/// Names of charts, some of which are words or numbers to YAML.
pub const CHARTS: &[&str] = &["demo", "demo", "demo", "nova-2", "a.b", "on", "1.5"];

/// The keys of templates/values.yaml, but for the chart's name.
const WANTED: &[&str] = &[
    "oci_image_registry",
    "cluster_domain_suffix",
    "name",
    "namespace",
    "auth",
    "enabled",
    "username",
    "password",
    "hosts",
    "default",
    "host_fqdn_override",
    "port",
    "registry",
    "secret_registry",
];

const WORDS: &[&str] = &[
    "x",
    "docker.io/a/b:1.0",
    "1",
    "1.0",
    "0x1f",
    "true",
    "on",
    "a b  c",
    "é ü",
    "a#b",
    "http://h:1/p",
    "-1",
    "a:b",
    "{}",
    "[]",
    "null",
    "~",
    "",
    "2001-01-01",
    "it's",
    "say \"x\"",
    "a, b",
    "*",
    "%x",
    "日本",
    "---x",
];
const PLAIN: &[&str] = &[
    "x",
    "docker.io/a/b:1.0",
    "1",
    "1.0",
    "0x1f",
    "true",
    "on",
    "a b  c",
    "é ü",
    "a#b",
    "http://h:1/p",
    "-1",
    "a:b",
    "2001-01-01",
    "it's",
    "日本",
    "---x",
    "?x",
    "-x",
    "x-",
    "x?",
    "a'b\"c",
];
const KEYS: &[&str] = &[
    "a",
    "b",
    "zz",
    "conf",
    "name",
    "auth",
    "enabled",
    "demo",
    "hosts",
    "port",
    "identity",
    "oslo_db",
    "secret_a",
    "secret_zz",
    "secret_registry",
    "oci_image_registry",
    "oci",
    "local_image_registry",
    "x-y",
    "1",
    "on",
    "é",
    "a b",
    "endpoints",
    "images",
];
const COMMENTS: &[&str] =
    &["# x", "#", "# é ü", "#a: b", "# - {a: 'b", "# \"", "#\tx", "# manifests:", "##", "# |", "# x  "];
const LINES: &[&str] =
    &["x", "a b", "é", "x: y", "# no comment", "- x", "", "", "x \\", "'", "\"", "  deeper", "{", "}"];
const HEADERS: &[&str] = &["|", ">", "|-", ">-", "|+", ">+"];

fn above() -> BoxedStrategy<Vec<Above>> {
    let blank = prop_oneof![4 => Just(0_usize), 1 => 1_usize..4].prop_map(Above::Blank);
    let column = option::weighted(0.7, prop_oneof![3 => Just(0_usize), 1 => 1_usize..5]);
    let comment = (select(COMMENTS), column).prop_map(|(text, column)| Above::Comment(text, column));
    prop_oneof![3 => Just(Vec::new()), 1 => vec(prop_oneof![blank, comment], 1..4)].boxed()
}

fn quotes() -> BoxedStrategy<Quotes> {
    prop_oneof![
        12 => Just(Quotes::None),
        2 => Just(Quotes::Single),
        2 => Just(Quotes::Double),
        1 => Just(Quotes::Question),
    ]
    .boxed()
}

fn entry(key: BoxedStrategy<&'static str>, value: BoxedStrategy<Node>) -> BoxedStrategy<Entry> {
    let comment = option::weighted(0.15, select(COMMENTS));
    let parts = (above(), key, quotes(), proptest::bool::weighted(0.04), value, comment);
    let entry = parts.prop_map(|(above, key, quotes, has_anchor, value, comment)| Entry {
        above,
        key,
        quotes,
        has_anchor,
        value,
        comment,
    });
    entry.boxed()
}

fn step() -> BoxedStrategy<usize> {
    prop_oneof![8 => Just(2_usize), 2 => Just(4_usize), 1 => Just(1_usize), 1 => Just(3_usize)].boxed()
}

fn node() -> BoxedStrategy<Node> {
    let several = (
        select(&["", "", "'", "\""][..]),
        vec(select(&["x", "a b", "é", "y#", "x:y"][..]), 2..4),
        0_usize..3,
    );
    let block = (select(HEADERS), step(), proptest::bool::weighted(0.2), vec(select(LINES), 0..5));
    let leaf = prop_oneof![
        8 => select(PLAIN).prop_map(Node::Plain),
        2 => select(&["", "~", "null", "Null"][..]).prop_map(Node::Plain),
        4 => select(WORDS).prop_map(Node::Quoted),
        2 => several.prop_map(|(quote, lines, deeper)| Node::Lines { quote, lines, deeper }),
        4 => block.prop_map(|(header, step, explicit, lines)| Node::Block { header, step, explicit, lines }),
        1 => Just(Node::Alias),
    ];
    let node = leaf.prop_recursive(3, 12, 4, |inner| {
        let entries = vec(entry(select(KEYS).boxed(), inner.clone()), 0..4);
        let items = vec(entry(Just("").boxed(), inner.clone()), 0..4);
        let list_step = prop_oneof![3 => Just(0_usize), 2 => Just(2_usize), 1 => Just(4_usize)];
        prop_oneof![
            4 => (step(), entries).prop_map(|(step, entries)| Node::Mapping { step, entries }),
            2 => (list_step, 1_usize..4, items).prop_map(|(step, gap, items)| Node::List { step, gap, items }),
            1 => (inner, any::<bool>(), any::<bool>()).prop_map(|(node, several_lines, last_comma)| {
                Node::Flow { node: Box::new(node), several_lines, last_comma }
            }),
        ]
    });
    node.boxed()
}

fn block() -> BoxedStrategy<Block> {
    let flow = |several_lines| Node::Flow {
        node: Box::new(Node::Mapping { step: 2, entries: Vec::new() }),
        several_lines,
        last_comma: false,
    };
    let empty = prop_oneof![
        2 => select(&["", "~", "null"][..]).prop_map(Node::Plain),
        2 => any::<bool>().prop_map(flow),
    ];
    let others = vec(entry(select(KEYS).boxed(), node()), 0..4);
    let choices = prop_oneof![1 => Just(Vec::new()), 3 => vec(any::<u8>(), 1..40)];
    let partial = (choices, others, step(), option::weighted(0.12, any::<bool>()));
    prop_oneof![
        3 => Just(Block::Absent),
        1 => empty.prop_map(Block::Empty),
        8 => partial.prop_map(|(choices, others, step, flow)| Block::Partial { choices, others, step, flow }),
    ]
    .boxed()
}

fn file() -> BoxedStrategy<File> {
    let blocks = (
        (block(), entry(Just("secrets").boxed(), Just(Node::Alias).boxed())),
        (block(), entry(Just("endpoints").boxed(), Just(Node::Alias).boxed())),
        (block(), entry(Just("manifests").boxed(), Just(Node::Alias).boxed())),
    );
    let blocks = blocks.prop_map(|(secrets, endpoints, manifests)| {
        vec![
            ("secrets", secrets.0, secrets.1),
            ("endpoints", endpoints.0, endpoints.1),
            ("manifests", manifests.0, manifests.1),
        ]
    });
    let keys = select(&["conf", "pod", "dependencies", "network", "bootstrap", "labels", "<<"][..]);
    let others = (
        prop_oneof![1 => Just("pictures"), 30 => Just("images")]
            .prop_flat_map(|key| entry(Just(key).boxed(), node())),
        vec(entry(keys.boxed(), node()), 0..4),
    );
    let others = others.prop_map(|(images, mut others)| {
        others.insert(0, images);
        others
    });
    let header = prop_oneof![1 => Just(Vec::new()), 1 => above(), 2 => Just(vec![
        Above::Comment("# Licensed under the Apache License, Version 2.0 (the \"License\");", None),
        Above::Comment("# you may not use this file except in compliance with the License.", None),
        Above::Blank(0),
        Above::Comment("# Default values for demo.", None),
        Above::Blank(0),
    ])];
    let start = prop_oneof![
        5 => Just(""),
        5 => Just("---\n"),
        1 => Just("--- # x\n"),
        1 => Just("\u{feff}"),
        1 => Just("%YAML 1.1\n---\n"),
    ];
    let end = prop_oneof![
        6 => Just(""),
        5 => Just("...\n"),
        1 => Just("\n"),
        1 => Just("# x\n"),
        1 => Just("\n\n...\n\n"),
        1 => Just("...\ntext: [\n"),
        1 => Just("  # x\n"),
    ];
    let line_break = prop_oneof![6 => Just("\n"), 1 => Just("\r\n")];
    let parts = (
        header,
        start,
        option::weighted(0.2, node()),
        blocks,
        others,
        vec(any::<u8>(), 8),
        end,
        line_break,
        proptest::bool::weighted(0.9),
    );
    let file =
        parts.prop_map(|(header, start, shared, blocks, others, order, end, line_break, has_final_break)| {
            File { header, start, shared, blocks, others, order, end, line_break, has_final_break }
        });
    file.boxed()
}

/// Texts of values.yaml files, for a chart that wants these entries.
pub fn texts(wanted: Data) -> impl Strategy<Value = String> {
    file().prop_map(move |file| file.text(&wanted))
}

impl File {
    fn text(self, wanted: &Data) -> String {
        let mut writer = Writer { out: String::new(), has_shared: self.shared.is_some(), anchors: 0 };
        let is_mark = self.start.starts_with('\u{feff}');
        if is_mark {
            writer.out.push_str(self.start);
        }
        writer.above(&self.header, 0);
        if !is_mark {
            writer.out.push_str(self.start);
        }
        if let Some(shared) = &self.shared {
            writer.out.push_str("shared: &shared");
            writer.value(shared, 0, None);
        }
        let mut entries = self.others;
        for (name, block, entry) in self.blocks {
            let value = match block {
                Block::Absent => continue,
                Block::Empty(value) => value,
                Block::Partial { choices, others, step, flow } => {
                    let wanted = wanted.get_text(name).expect("a wanted block");
                    let mut entries = partial(wanted, &mut choices.into_iter());
                    entries.extend(others);
                    let node = Node::Mapping { step, entries };
                    match flow {
                        Some(several_lines) => {
                            Node::Flow { node: Box::new(node), several_lines, last_comma: several_lines }
                        }
                        None => node,
                    }
                }
            };
            entries.push(Entry { value, ..entry });
        }
        let mut ordered: Vec<_> = entries.into_iter().zip(self.order).collect();
        ordered.sort_by_key(|(_, order)| *order);
        let entries: Vec<Entry> = ordered.into_iter().map(|(entry, _)| entry).collect();
        writer.entries(&entries, 0, false);
        writer.out.push_str(self.end);
        let mut text = writer.out;
        if !self.has_final_break {
            text.pop();
        }
        text.replace('\n', self.line_break)
    }
}

/// Some of the wanted entries. Without any numbers left, all of them.
fn partial(wanted: &Data, choices: &mut impl Iterator<Item = u8>) -> Vec<Entry> {
    let Data::Mapping(wanted) = wanted else { return Vec::new() };
    let mut entries = Vec::new();
    for (key, value) in wanted {
        let Data::Text(key) = key else { continue };
        let Some(key) = CHARTS.iter().chain(WANTED).find(|known| *known == key) else { continue };
        let choice = choices.next().unwrap_or_default();
        let is_mapping = matches!(value, Data::Mapping(_));
        let value = match choice % 16 {
            12 | 13 => continue,
            14 if is_mapping => Node::Plain(["", "null", "~"][usize::from(choice / 16) % 3]),
            15 if is_mapping => Node::Mapping { step: 2, entries: Vec::new() },
            _ if is_mapping => {
                let node = Node::Mapping {
                    step: [2, 2, 2, 4][usize::from(choice / 32) % 4],
                    entries: partial(value, choices),
                };
                if choice % 16 == 11 {
                    Node::Flow { node: Box::new(node), several_lines: choice > 127, last_comma: choice > 191 }
                } else {
                    node
                }
            }
            _ => Node::Plain(PLAIN[usize::from(choice) % PLAIN.len()]),
        };
        let above = match choice / 16 {
            1 => vec![Above::Blank(0)],
            2 => vec![Above::Comment("# of this", Some(0))],
            3 => vec![Above::Comment("# of that", None), Above::Blank(0)],
            _ => Vec::new(),
        };
        let quotes = match choice / 16 {
            4 => Quotes::Single,
            5 => Quotes::Double,
            // Without quotes, these are refused.
            _ if ["on", "1.5"].contains(key) && choice < 240 => Quotes::Double,
            _ => Quotes::None,
        };
        let comment = (choice / 16 == 6).then_some("# x");
        entries.push(Entry { above, key, quotes, has_anchor: false, value, comment });
    }
    entries
}

struct Writer {
    out: String,
    has_shared: bool,
    anchors: usize,
}

impl Writer {
    fn indent(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn above(&mut self, above: &[Above], column: usize) {
        for line in above {
            match line {
                Above::Blank(spaces) => self.indent(*spaces),
                Above::Comment(text, at) => {
                    self.indent(at.map_or(0, |at| column + at));
                    self.out.push_str(text);
                }
            }
            self.out.push('\n');
        }
    }

    fn key(&mut self, entry: &Entry, column: usize) {
        match entry.quotes {
            Quotes::None => self.out.push_str(entry.key),
            Quotes::Single => self.out.extend(["'", entry.key, "'"]),
            Quotes::Double => self.out.extend(["\"", entry.key, "\""]),
            Quotes::Question => {
                self.out.extend(["? ", entry.key, "\n"]);
                self.indent(column);
            }
        }
        self.out.push(':');
    }

    fn entries(&mut self, entries: &[Entry], column: usize, is_in_line: bool) {
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 || !is_in_line {
                self.above(&entry.above, column);
                self.indent(column);
            }
            self.key(entry, column);
            self.anchored(entry, column);
        }
    }

    fn anchored(&mut self, entry: &Entry, column: usize) {
        if entry.has_anchor && !matches!(entry.value, Node::Alias) {
            self.anchors += 1;
            self.out.extend([" &anchor", &self.anchors.to_string()]);
        }
        self.value(&entry.value, column, entry.comment);
    }

    fn items(&mut self, items: &[Entry], column: usize, gap: usize, is_in_line: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !is_in_line {
                self.above(&item.above, column);
                self.indent(column);
            }
            self.out.push('-');
            let inner = column + 1 + gap;
            match &item.value {
                Node::Mapping { entries, .. }
                    if !entries.is_empty() && !item.has_anchor && item.comment.is_none() =>
                {
                    self.indent(gap);
                    self.entries(entries, inner, true);
                }
                Node::List { items, gap: inner_gap, .. } if !items.is_empty() && !item.has_anchor => {
                    self.indent(gap);
                    self.items(items, inner, *inner_gap, true);
                }
                _ => self.anchored(item, column),
            }
        }
    }

    fn end(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            self.out.push(' ');
            self.out.push_str(comment);
        }
        self.out.push('\n');
    }

    /// A value, from behind the colon or dash on, of something at `column`, with the line's end.
    fn value(&mut self, node: &Node, column: usize, comment: Option<&str>) {
        match node {
            Node::Mapping { step, entries } if !entries.is_empty() => {
                self.end(comment);
                self.entries(entries, column + step, false);
            }
            Node::List { step, gap, items } if !items.is_empty() => {
                self.end(comment);
                self.items(items, column + step, *gap, false);
            }
            Node::Block { header, step, explicit, lines } => {
                self.out.push(' ');
                self.out.push_str(header);
                if *explicit {
                    self.out.push_str(&step.to_string());
                }
                self.end(comment);
                for (index, line) in lines.iter().enumerate() {
                    // More indent than the first line's would be its own, were it not said.
                    let line = if index == 0 && !explicit { line.trim_start() } else { line };
                    if !line.is_empty() {
                        self.indent(column + step);
                    }
                    self.out.push_str(line);
                    self.out.push('\n');
                }
            }
            Node::Lines { quote, lines, deeper } => {
                self.out.push(' ');
                self.out.push_str(quote);
                for (index, line) in lines.iter().enumerate() {
                    if index > 0 {
                        self.out.push('\n');
                        self.indent(column + 1 + deeper);
                    }
                    self.out.push_str(line);
                }
                self.out.push_str(quote);
                self.end(comment);
            }
            Node::Plain("") => self.end(comment),
            _ => {
                self.out.push(' ');
                self.flow(node, false, column + 2);
                self.end(comment);
            }
        }
    }

    /// A value in flow style; where it takes several lines, those below the first are at `column`.
    fn flow(&mut self, node: &Node, is_inside: bool, column: usize) {
        match node {
            Node::Plain("") if is_inside => self.out.push('~'),
            // Parsers disagree on this one.
            Node::Plain("?x") if is_inside => self.out.push('x'),
            Node::Plain(text) => self.out.push_str(text),
            Node::Quoted(text) if text.contains('"') => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\'', "''"));
                self.out.push('\'');
            }
            Node::Quoted(text) => self.out.extend(["\"", text, "\""]),
            Node::Block { .. } | Node::Lines { .. } => self.out.push_str("\"\\tx\\\" \\u00e9\""),
            Node::Alias if self.has_shared => self.out.push_str("*shared "),
            Node::Alias => self.out.push_str("none"),
            Node::Mapping { entries, .. } => self.flow_entries(entries, "{}", false, false, column),
            Node::List { items, .. } => self.flow_entries(items, "[]", false, false, column),
            Node::Flow { node, several_lines, last_comma } => match &**node {
                Node::Mapping { entries, .. } => {
                    self.flow_entries(entries, "{}", *several_lines, *last_comma, column);
                }
                Node::List { items, .. } => {
                    self.flow_entries(items, "[]", *several_lines, *last_comma, column);
                }
                other => self.flow(other, is_inside, column),
            },
        }
    }

    fn flow_entries(
        &mut self,
        entries: &[Entry],
        brackets: &str,
        several_lines: bool,
        last_comma: bool,
        column: usize,
    ) {
        let (open, close) = brackets.split_at(1);
        self.out.push_str(open);
        for (index, entry) in entries.iter().enumerate() {
            if several_lines {
                self.out.push('\n');
                self.indent(column);
            } else if index > 0 {
                self.out.push(' ');
            }
            if brackets == "{}" {
                let quotes = match entry.quotes {
                    Quotes::Question => Quotes::None,
                    quotes => quotes,
                };
                self.key(&Entry { quotes, ..entry.clone() }, column);
                self.out.push(' ');
            }
            self.flow(&entry.value, true, column + 2);
            if index + 1 < entries.len() || last_comma {
                self.out.push(',');
            }
        }
        if several_lines {
            self.out.push('\n');
            self.indent(column - 1);
        }
        self.out.push_str(close);
    }
}
