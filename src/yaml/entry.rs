//! What is to be added to a YAML text: entries of a mapping, as data. From the same data come
//! the lines that are inserted and the events that the proof expects of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

/// One `key: value` of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    key: Scalar,
    value: Value,
}

/// The value of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, a number, a boolean or null.
    Scalar(Scalar),
    /// A mapping with these entries, in this order.
    Mapping(Vec<Entry>),
}

/// A scalar and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    text: String,
    quoted: bool,
    /// What its text is called, where that varies from chart to chart.
    parameter: Option<&'static str>,
}

/// What [`Entry::pattern`] leaves open, by name: each parameter's text.
pub type Parameters = BTreeMap<&'static str, String>;

impl Entry {
    /// An entry whose key is the string `key`.
    #[must_use]
    pub fn new(key: &str, value: Value) -> Self {
        Entry { key: Scalar::string(key), value }
    }

    /// The same entry; its key is the text of `parameter`.
    #[must_use]
    pub fn with_key_of(mut self, parameter: &'static str) -> Self {
        self.key.parameter = Some(parameter);
        self
    }

    /// The lines of `entries` as they are for every chart, `\n` behind each: the names of parameters stand for
    /// their texts, which go into `parameters`.
    #[must_use]
    pub fn pattern(entries: &[Entry], parameters: &mut Parameters) -> String {
        let mut open = entries.to_vec();
        for entry in &mut open {
            entry.leave_open(parameters);
        }
        let mut lines = String::new();
        block_lines(&open, 0, 2, "\n", &mut lines);
        lines
    }

    fn leave_open(&mut self, parameters: &mut Parameters) {
        self.key.leave_open(parameters);
        match &mut self.value {
            Value::Scalar(scalar) => scalar.leave_open(parameters),
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| entry.leave_open(parameters)),
        }
    }

    /// The key, without quotes.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key.text
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }
}

impl Value {
    /// A string: it stays one whatever it looks like (`on` and `1.0` are put in quotes).
    #[must_use]
    pub fn string(text: &str) -> Self {
        Value::Scalar(Scalar::string(text))
    }

    /// A number, boolean or null, written just so.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Value::Scalar(Scalar { text: text.to_owned(), quoted: false, parameter: None })
    }

    /// The same value; a scalar's text is that of `parameter`.
    #[must_use]
    pub fn of(mut self, parameter: &'static str) -> Self {
        if let Value::Scalar(scalar) = &mut self {
            scalar.parameter = Some(parameter);
        }
        self
    }

    /// Appends the events that a parser must see here.
    pub(super) fn events(&self, events: &mut Vec<Event>) {
        match self {
            Value::Scalar(scalar) => events.push(scalar.event()),
            Value::Mapping(entries) => {
                events.push(Event::MappingStart(0, None));
                entries_events(entries, events);
                events.push(Event::MappingEnd);
            }
        }
    }
}

impl Scalar {
    fn string(text: &str) -> Self {
        Scalar { text: text.to_owned(), quoted: !is_plain_string(text), parameter: None }
    }

    fn leave_open(&mut self, parameters: &mut Parameters) {
        if let Some(parameter) = self.parameter {
            let text = std::mem::replace(&mut self.text, parameter.to_owned());
            parameters.insert(parameter, text);
            self.quoted = false;
        }
    }

    fn event(&self) -> Event {
        let style = if self.quoted { TScalarStyle::DoubleQuoted } else { TScalarStyle::Plain };
        Event::Scalar(self.text.clone(), style, 0, None)
    }

    fn write(&self, out: &mut String) {
        if !self.quoted {
            out.push_str(&self.text);
            return;
        }
        out.push('"');
        for character in self.text.chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                // A String takes what is written to it: the result carries no information.
                control if control.is_control() => drop(write!(out, "\\U{:08x}", u32::from(control))),
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

/// Appends the events of `entries`, keys and values in turn.
pub(super) fn entries_events(entries: &[Entry], events: &mut Vec<Event>) {
    for entry in entries {
        events.push(entry.key.event());
        entry.value.events(events);
    }
}

/// `entries` as the lines of a block mapping, each with a line break behind it.
pub(super) fn block_lines(entries: &[Entry], column: usize, step: usize, line_break: &str, out: &mut String) {
    for entry in entries {
        out.extend(std::iter::repeat_n(' ', column));
        entry.key.write(out);
        out.push(':');
        match &entry.value {
            Value::Scalar(scalar) => {
                out.push(' ');
                scalar.write(out);
                out.push_str(line_break);
            }
            Value::Mapping(entries) if entries.is_empty() => {
                out.push_str(" {}");
                out.push_str(line_break);
            }
            Value::Mapping(entries) => {
                out.push_str(line_break);
                block_lines(entries, column + step, step, line_break, out);
            }
        }
    }
}

/// `entries` as the inside of a flow mapping: `a: 1, b: {c: 2}`.
pub(super) fn flow_text(entries: &[Entry], out: &mut String) {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        entry.key.write(out);
        out.push_str(": ");
        match &entry.value {
            Value::Scalar(scalar) => scalar.write(out),
            Value::Mapping(entries) => {
                out.push('{');
                flow_text(entries, out);
                out.push('}');
            }
        }
    }
}

/// Words that YAML 1.1, which Helm reads, takes for a boolean or null, in some spelling.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether every YAML parser reads `text`, written without quotes, as that string. Errs on the
/// side of quotes.
fn is_plain_string(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
        && !is_word(text)
}

/// Whether Helm may read `text`, written without quotes, as something other than that string: as
/// a boolean, null, a number (`1_0`, `0o7`) or a date.
#[must_use]
pub fn is_ambiguous(text: &str) -> bool {
    let is_number_like = |character: char| character.is_ascii_hexdigit() || "xXoO_.+-:".contains(character);
    is_word(text)
        || text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
            && text.chars().all(is_number_like)
}
