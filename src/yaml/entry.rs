//! What is to be added to a YAML text: entries of a mapping, as data. From the same data come
//! the lines that are inserted and the events that the proof expects of them.

use yaml_rust2::parser::Event;
use yaml_rust2::scanner::TScalarStyle;

use super::scalar::{is_plain_string, quoted};
use crate::placeholder::{Filled, Placeholders};

/// One `key: value` of a mapping.
///
/// ```
/// use osh_registry_auth::yaml::{Entry, Value};
///
/// let entry = Entry::new("auth", Value::Mapping(vec![Entry::new("enabled", Value::literal("false"))]));
/// assert_eq!(entry.key(), "auth");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) key: Scalar,
    pub(crate) value: Value,
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
    is_quoted: bool,
    /// The name and the pattern of its placeholder.
    placeholder: Option<(&'static str, String)>,
}

impl Entry {
    /// An entry whose key is the string `key`.
    #[must_use]
    pub fn new(key: &str, value: Value) -> Self {
        Entry { key: Scalar::string(key), value }
    }

    /// The key, without quotes.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key.text
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
        Value::Scalar(Scalar::literal(text))
    }
}

impl Scalar {
    /// As [`Value::string`].
    #[must_use]
    pub fn string(text: &str) -> Self {
        Scalar { text: text.to_owned(), is_quoted: !is_plain_string(text), placeholder: None }
    }

    /// As [`Value::literal`].
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Scalar { text: text.to_owned(), is_quoted: false, placeholder: None }
    }

    /// The same scalar, which varies from chart to chart: [`pattern`] puts `name` in its place.
    pub(crate) fn placeholder(self, name: &'static str, pattern: &str) -> Self {
        Scalar { placeholder: Some((name, pattern.to_owned())), ..self }
    }

    /// The text, or the name of what stands for it.
    pub(super) fn name(&self) -> &str {
        self.placeholder.as_ref().map_or(&self.text, |(name, _)| name)
    }

    fn or_placeholder(&self, placeholders: &mut Placeholders) -> Self {
        let Some((name, pattern)) = self.placeholder.clone() else { return self.clone() };
        placeholders.insert(name, Filled { text: self.text.clone(), pattern });
        Scalar::literal(name)
    }

    pub(super) fn event(&self) -> Event {
        let style = if self.is_quoted { TScalarStyle::DoubleQuoted } else { TScalarStyle::Plain };
        Event::Scalar(self.text.clone(), style, 0, None)
    }

    pub(super) fn write(&self, out: &mut String) {
        if self.is_quoted { out.push_str(&quoted(&self.text)) } else { out.push_str(&self.text) }
    }
}

/// The lines of `entries` as they are for every chart: with placeholders for what varies, and what these
/// stand for here.
pub(crate) fn pattern(entries: &[Entry]) -> (String, Placeholders) {
    let mut placeholders = Placeholders::new();
    let mut lines = String::new();
    block_lines(&with_placeholders(entries, &mut placeholders), 0, 2, "\n", &mut lines);
    (lines, placeholders)
}

fn with_placeholders(entries: &[Entry], placeholders: &mut Placeholders) -> Vec<Entry> {
    let replaced = |entry: &Entry| Entry {
        key: entry.key.or_placeholder(placeholders),
        value: match &entry.value {
            Value::Scalar(scalar) => Value::Scalar(scalar.or_placeholder(placeholders)),
            Value::Mapping(entries) => Value::Mapping(with_placeholders(entries, placeholders)),
        },
    };
    entries.iter().map(replaced).collect()
}

/// Appends the events of `entries`, keys and values in turn.
pub(super) fn events(entries: &[Entry], out: &mut Vec<Event>) {
    for entry in entries {
        out.push(entry.key.event());
        match &entry.value {
            Value::Scalar(scalar) => out.push(scalar.event()),
            Value::Mapping(entries) => {
                out.push(Event::MappingStart(0, None));
                events(entries, out);
                out.push(Event::MappingEnd);
            }
        }
    }
}

/// Appends `entries` as the lines of a block mapping, each with a line break behind it.
pub(super) fn block_lines(entries: &[Entry], column: usize, step: usize, line_break: &str, out: &mut String) {
    for entry in entries {
        out.extend(std::iter::repeat_n(' ', column));
        entry.key.write(out);
        out.push(':');
        match &entry.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                out.push_str(line_break);
                block_lines(entries, column + step, step, line_break, out);
            }
            value => {
                out.push(' ');
                flow_value(value, out);
                out.push_str(line_break);
            }
        }
    }
}

/// Appends `entries` as the inside of a flow mapping: `a: 1, b: {c: 2}`.
pub(super) fn flow_text(entries: &[Entry], out: &mut String) {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        entry.key.write(out);
        out.push_str(": ");
        flow_value(&entry.value, out);
    }
}

fn flow_value(value: &Value, out: &mut String) {
    match value {
        Value::Scalar(scalar) => scalar.write(out),
        Value::Mapping(entries) => {
            out.push('{');
            flow_text(entries, out);
            out.push('}');
        }
    }
}
