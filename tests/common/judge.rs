//! An independent judge of what `complete` makes of a chart. It sees the program from the outside,
//! the old text and the new one, and knows of YAML what libyaml tells it.
//!
//! This file stands alone: tests/properties.rs and the fuzz targets of fuzz/ include it by path.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "this is for tests"
)]

use std::collections::{HashSet, VecDeque};
use std::fmt;

use osh_registry_auth::{ChartPlan, Finding, Memory, Options, Outcome, Severity};
use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

const WANTED: &str = include_str!("../../templates/values.yaml");
const LIST: &str = include_str!("../../templates/image-pull-secrets.yaml");
const SECRET: &str = include_str!("../../templates/secret-registry.yaml");
const FUNCTION: &str = include_str!("../../templates/helm-toolkit/secret-registry.yaml.tpl");

/// The key of the list that pods and ServiceAccounts get.
const PULL_SECRETS: &str = "imagePullSecrets";

/// What became of a chart, after it was found right.
#[derive(Debug)]
pub enum Verdict {
    /// It was edited.
    Edited,
    /// It has everything.
    Complete,
    /// It is none of the program's business.
    LeftAlone,
    /// It was refused.
    Refused(Vec<Finding>),
}

/// The chart that a values.yaml belongs to, and the choices that decide what it must hold.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub chart: String,
    pub port: String,
    pub secret_name: String,
}

impl Wanted {
    pub fn new(chart: &str, port: &str, secret_name: &str) -> Self {
        Wanted { chart: chart.to_owned(), port: port.to_owned(), secret_name: secret_name.to_owned() }
    }

    fn options(&self) -> Options {
        Options {
            port: Some(self.port.parse().expect("a port")),
            secret_name: Some(self.secret_name.parse().expect("a name for Secrets")),
            ..Options::default()
        }
    }

    /// The entries, as data.
    pub fn entries(&self) -> Data {
        self.fill(&Data::read(WANTED).expect("templates/values.yaml is valid"))
    }

    fn fill(&self, data: &Data) -> Data {
        match data {
            Data::Mapping(entries) => {
                let fill = |(key, value): &(Data, Data)| (self.fill(key), self.fill(value));
                Data::Mapping(entries.iter().map(fill).collect())
            }
            Data::Text(text) => match text.as_str() {
                "CHART" => Data::Text(self.chart.clone()),
                "SECRET_NAME" => Data::Text(self.secret_name.replace("{chart}", &self.chart)),
                "PORT" if self.port == "null" => Data::Null,
                "PORT" => Data::Number(self.port.clone()),
                _ => data.clone(),
            },
            other => other.clone(),
        }
    }

    /// The lines that may come to be in a block, without their indent: whatever varies may be in
    /// quotes.
    fn lines(&self) -> HashSet<String> {
        let secret_name = self.secret_name.replace("{chart}", &self.chart);
        let forms = |word: &str| match word {
            "CHART" => vec![self.chart.clone(), format!("\"{}\"", self.chart)],
            "SECRET_NAME" => vec![secret_name.clone(), format!("\"{secret_name}\"")],
            "PORT" => vec![self.port.clone()],
            word => vec![word.to_owned()],
        };
        let mut lines = HashSet::from([String::new()]);
        for line in WANTED.lines().filter(|line| !line.starts_with('#')) {
            let (key, value) = line.trim().split_once(':').expect("an entry");
            for key in forms(key) {
                for value in forms(value.trim()) {
                    lines.insert(format!("{key}: {value}").trim_end().to_owned());
                }
            }
        }
        lines
    }
}

/// A YAML document as libyaml reads it. Keys may stand twice.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Data>),
    Mapping(Vec<(Data, Data)>),
    Tagged(String, Box<Data>),
}

impl Data {
    /// The one document of `text`; what follows `...` does not count.
    pub fn read(text: &str) -> Result<Data, String> {
        let is_end = |line: &Line<'_>| line.0 == "..." || line.0.starts_with("... ");
        let is_nothing = |line: &Line<'_>| line.0.trim().is_empty() || line.0.trim_start().starts_with('#');
        let lines = lines(text);
        // In front of the document, such a mark ends nothing.
        let document = lines.iter().skip_while(|line| is_end(line) || is_nothing(line));
        let document = document.take_while(|line| !is_end(line));
        let text: String = document.flat_map(|line| [line.0, line.1]).collect();
        let mut documents = Data::read_all(&text)?;
        match documents.len() {
            0 | 1 => Ok(documents.pop().unwrap_or(Data::Null)),
            more => Err(format!("{more} documents")),
        }
    }

    fn read_all(text: &str) -> Result<Vec<Data>, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_yaml::Deserializer::from_str(text)
            .map(|document| Data::deserialize(document).map_err(|error| error.to_string()))
            .collect()
    }

    fn entries(&self) -> &[(Data, Data)] {
        match self {
            Data::Mapping(entries) => entries,
            Data::Tagged(_, data) => data.entries(),
            _ => &[],
        }
    }

    /// The value under `key`: the last, where it stands twice, and the mapping's own before one
    /// that is merged in by `<<`.
    fn get(&self, key: &Data) -> Option<&Data> {
        let own = self.entries().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value);
        own.or_else(|| {
            let merge_keys = self.entries().iter().filter(|(name, _)| *name == Data::Text("<<".to_owned()));
            merge_keys.into_iter().find_map(|(_, merged)| match merged {
                Data::List(items) => items.iter().find_map(|item| item.get(key)),
                merged => merged.get(key),
            })
        })
    }

    /// The value under a key that is a text.
    pub fn get_text(&self, key: &str) -> Option<&Data> {
        self.get(&Data::Text(key.to_owned()))
    }

    /// Whether all leaves of `wanted` are there, whatever their values.
    fn holds(&self, wanted: &Data) -> bool {
        wanted.entries().iter().all(|(key, value)| {
            self.get(key).is_some_and(|own| value.entries().is_empty() || own.holds(value))
        })
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
        Ok(Data::Number(format!("{number:?}")))
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Ok(Data::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Data, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Data::Mapping(mapping))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Data, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        Ok(Data::Tagged(tag, content.newtype_variant()?))
    }
}

/// A line and its line break.
type Line<'t> = (&'t str, &'t str);

/// The lines of a text; what ends a line is `\n`, `\r\n` or a lone `\r`.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + 1 };
        lines.push((&rest[..at], &rest[at..end]));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        lines.push((rest, ""));
    }
    lines
}

/// The lines of a template, in which a lone `\r` is a character like others.
fn template_lines(text: &str) -> Vec<Line<'_>> {
    let split = |line: &'_ str| -> usize {
        let content = line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        content.unwrap_or(line).len()
    };
    text.split_inclusive('\n').map(|line| line.split_at(split(line))).collect()
}

/// Whether an old line is kept. The last may get the line break that it lacks.
fn is_kept(old: Line<'_>, new: Line<'_>) -> bool {
    let is_ended = || {
        let whole = [new.0, new.1].concat();
        whole.strip_prefix(old.0).is_some_and(|end| ["\n", "\r\n", "\r"].contains(&end))
    };
    old == new || old.1.is_empty() && is_ended()
}

/// How the lines of one text became those of another: from a number of old lines and of new
/// lines, the numbers that one can go on with, each with what that costs.
type Steps<'s> = dyn Fn(usize, usize) -> Vec<(usize, usize, usize)> + 's;

/// The least cost of getting from the first lines to the last.
fn cheapest(old: usize, new: usize, steps: &Steps<'_>) -> Option<usize> {
    let mut seen = HashSet::new();
    let mut open = VecDeque::from([(0, 0, 0)]);
    while let Some((at, other, cost)) = open.pop_front() {
        if (at, other) == (old, new) {
            return Some(cost);
        }
        if !seen.insert((at, other)) {
            continue;
        }
        for (at, other, more) in steps(at, other) {
            if more == 0 {
                open.push_front((at, other, cost));
            } else {
                open.push_back((at, other, cost + more));
            }
        }
    }
    None
}

/// Runs `complete` for an application chart with this values.yaml and no templates but the one
/// for the Secret, and judges what comes out.
///
/// # Errors
/// What is wrong.
pub fn judge_values(wanted: &Wanted, old: &str) -> Result<Verdict, String> {
    let run = |text: &str| {
        let templates = [("templates/secret-registry.yaml", SECRET)];
        let chart = Memory { name: &wanted.chart, values: Some(text), templates: &templates };
        osh_registry_auth::complete(chart, &wanted.options())
    };
    let plan = run(old);
    match plan.outcome() {
        Outcome::Refused => return refused(&plan, old),
        Outcome::LeftAlone(_) => {
            return match Data::read(old) {
                // Parsers disagree on what the name of an anchor or a tag may be made of, and on `{?a}`.
                Ok(data) if data.get_text("images").is_some() && !old.contains(['&', '!', '?']) => {
                    Err("left alone, with images".to_owned())
                }
                _ => Ok(Verdict::LeftAlone),
            };
        }
        Outcome::Complete | Outcome::Incomplete => {
            return match Data::read(old) {
                Ok(data) if !data.holds(&wanted.entries()) => {
                    Err("called complete, but entries are missing".to_owned())
                }
                _ => Ok(Verdict::Complete),
            };
        }
        Outcome::Changed => {}
    }
    let [file] = plan.files.as_slice() else { return Err(format!("{} files", plan.files.len())) };
    if file.old.as_deref() != Some(old) {
        return Err("the old text is not what it was".to_owned());
    }
    let new = &file.new;
    let wrong = |complaint: String| format!("{complaint}\n--- old\n{old}\n--- new\n{new}");
    judge_edit(wanted, old, new).map_err(wrong)?;
    match run(new) {
        again if matches!(again.outcome(), Outcome::Complete | Outcome::Incomplete) => Ok(Verdict::Edited),
        again => Err(wrong(format!("not complete after it was completed: {again:?}"))),
    }
}

/// Judges one text of a values.yaml that was made of another: by its lines, and by the data that
/// libyaml reads, where it takes the old text.
///
/// # Errors
/// What is wrong.
pub fn judge_edit(wanted: &Wanted, old: &str, new: &str) -> Result<(), String> {
    // Beside `\n`, a lone `\r` and the line break of a line that is emptied become one line break.
    let is_mixed = lines(old).iter().any(|line| line.1 == "\r") && old.contains('\n');
    if !is_mixed {
        lines_are_kept(wanted, old, new)?;
    }
    let Ok(before) = Data::read(old) else { return Ok(()) };
    let after = Data::read(new).map_err(|error| format!("libyaml does not take it any more: {error}"))?;
    is_completed(&before, &after, &wanted.entries(), "")
}

/// A refusal says why, and where: in the file.
fn refused(plan: &ChartPlan, text: &str) -> Result<Verdict, String> {
    let count = lines(text).len() + 1;
    let is_refusal = |finding: &&Finding| finding.severity == Severity::Refused;
    let refusals: Vec<Finding> = plan.findings.iter().filter(is_refusal).cloned().collect();
    match refusals.iter().find(|refusal| refusal.location.position.is_some_and(|at| at.line > count)) {
        Some(refusal) => Err(format!("refused behind the end of the file: {refusal}")),
        None if refusals.is_empty() => Err("refused for no reason".to_owned()),
        None => Ok(Verdict::Refused(refusals)),
    }
}

/// Old lines are kept, in order and to the byte; new ones are lines of the wanted entries. A line
/// may change only where a block in it is `{}`, null or a flow mapping.
fn lines_are_kept(wanted: &Wanted, old: &str, new: &str) -> Result<(), String> {
    // The mark is in front of the first line, not part of it.
    let mark = '\u{feff}';
    if old.starts_with(mark) != new.starts_with(mark) {
        return Err("the byte order mark is not where it was".to_owned());
    }
    let (old, new) = (lines(old.trim_start_matches(mark)), lines(new.trim_start_matches(mark)));
    let added = wanted.lines();
    let breaks: HashSet<&str> = old.iter().map(|line| line.1).filter(|end| !end.is_empty()).collect();
    let first_brace = old.iter().position(|line| line.0.contains('{')).unwrap_or(usize::MAX);
    let is_added = |number: usize| {
        let line = new[number];
        let is_last = number + 1 == new.len();
        let ends_well = breaks.contains(line.1) || breaks.is_empty() && line.1 == "\n" || is_last;
        ends_well && added.contains(line.0.trim_matches(' '))
    };
    let steps = |at: usize, other: usize| {
        let mut steps = Vec::new();
        if other >= new.len() {
            return steps;
        }
        if at < old.len() && is_kept(old[at], new[other]) {
            steps.push((at + 1, other + 1, 0));
        }
        if is_added(other) {
            steps.push((at, other + 1, 0));
        }
        if at < old.len() && at >= first_brace && has_inserted(old[at], new[other]) {
            steps.push((at + 1, other + 1, 1));
        }
        // Braces with nothing but blank lines in them may go on for some.
        for end in at + 1..=old.len() {
            if is_emptied(&old[at..end], new[other]) {
                steps.push((end, other + 1, 1));
            }
            let is_open = old[at].0.trim_end().ends_with('{');
            if !is_open || end > at + 1 && !old[end - 1].0.trim().is_empty() {
                break;
            }
        }
        steps
    };
    let changed = cheapest(old.len(), new.len(), &steps).ok_or("a line is neither kept nor one of ours")?;
    // The mappings that entries go into: the root, and those in templates/values.yaml.
    if changed > 12 {
        return Err(format!("{changed} lines changed"));
    }
    Ok(())
}

/// Whether a line had entries put in, as in a flow mapping, and kept all its characters.
fn has_inserted(old: Line<'_>, new: Line<'_>) -> bool {
    let mut rest = new.0.chars();
    let is_kept = old.0.chars().all(|character| rest.any(|other| other == character));
    let is_content = !old.0.trim().is_empty();
    let entries = |text: &str| text.matches(": ").count();
    is_kept && is_content && entries(new.0) > entries(old.0) && (old.1 == new.1 || old.1.is_empty())
}

/// Whether `old` differs from a new line by nothing but a `{}` or null that is gone.
fn is_emptied(old: &[Line<'_>], new: Line<'_>) -> bool {
    let text: String = old.iter().flat_map(|line| [line.0, line.1]).collect();
    let (first, last) = (old[0].0, old[old.len() - 1]);
    let text = text.strip_suffix(last.1).unwrap_or(&text);
    let candidates = first.match_indices(['{', 'n', 'N', '~']).filter_map(|(at, _)| {
        let rest = &text[at..];
        let words = ["null", "Null", "NULL", "~"];
        let gone = match rest.strip_prefix('{') {
            Some(inside) => {
                let length = inside.find(|character: char| !character.is_whitespace())?;
                inside[length..].starts_with('}').then_some(length + 2)?
            }
            None => words.iter().find(|word| rest.starts_with(**word))?.len(),
        };
        Some((text[..at].trim_end_matches([' ', '\t']), &rest[gone..]))
    });
    let is_same = |(before, behind): (&str, &str)| format!("{before}{behind}") == new.0;
    candidates.into_iter().any(is_same) && (last.1 == new.1 || last.1.is_empty())
}

/// Whether `new` is `old` plus exactly those leaves of `wanted` that it lacks.
fn is_completed(old: &Data, new: &Data, wanted: &Data, path: &str) -> Result<(), String> {
    if let (Data::Tagged(tag, old), Data::Tagged(new_tag, new)) = (old, new)
        && tag == new_tag
    {
        return is_completed(old, new, wanted, path);
    }
    if !matches!(old, Data::Mapping(_) | Data::Null) {
        return Err(format!("`{path}` is no mapping, and was edited"));
    }
    let mut left: Vec<&(Data, Data)> = new.entries().iter().collect();
    for (key, value) in wanted.entries().iter().filter(|(key, _)| old.get(key).is_none()) {
        let at = left.iter().position(|(name, _)| name == key);
        let at = at.ok_or_else(|| format!("`{path}` lacks {key:?}"))?;
        let found = left.remove(at);
        if found.1 != *value {
            return Err(format!("`{path}`: {key:?} is {:?}, not {value:?}", found.1));
        }
    }
    if left.len() != old.entries().len() {
        return Err(format!("`{path}` has {} entries beside ours, not {}", left.len(), old.entries().len()));
    }
    for (index, ((key, before), (new_key, after))) in old.entries().iter().zip(left).enumerate() {
        if key != new_key {
            return Err(format!("`{path}`: {key:?} became {new_key:?}"));
        }
        let is_last = !old.entries()[index + 1..].iter().any(|(other, _)| other == key);
        let inner = wanted.get(key).filter(|inner| is_last && !inner.entries().is_empty());
        match inner.filter(|inner| !before.holds(inner)) {
            Some(inner) => is_completed(before, after, inner, &format!("{path}.{key:?}"))?,
            None if before != after => return Err(format!("`{path}`: {key:?} changed")),
            None => {}
        }
    }
    Ok(())
}

/// Runs `complete` for an application chart whose values.yaml is complete and which has this
/// template, and judges what comes out. The new text comes with the verdict; a file that is created
/// beside it does not count.
///
/// # Errors
/// What is wrong.
pub fn judge_template(old: &str) -> Result<(Verdict, Option<String>), String> {
    let values = "images: {}\nsecrets: {oci_image_registry: {demo: x}}\nmanifests: {secret_registry: true}\nendpoints: {cluster_domain_suffix: x, oci_image_registry: {name: x, namespace: x, auth: {enabled: false, demo: {username: x, password: x}}, hosts: {default: x}, host_fqdn_override: {default: null}, port: {registry: {default: 1}}}}\n";
    let chart = Memory { name: "demo", values: Some(values), templates: &[] };
    judge_templates(chart, &[("templates/a.yaml", old)], ("templates/secret-registry.yaml", SECRET))
}

/// The same for a helm-toolkit with this file in it.
///
/// # Errors
/// What is wrong.
pub fn judge_toolkit(old: &str) -> Result<(Verdict, Option<String>), String> {
    let lookup = "{{- define \"helm-toolkit.endpoints.endpoint_host_lookup\" -}}{{- end -}}\n";
    let templates = [("templates/a.yaml", old), ("templates/b.tpl", lookup)];
    let chart = Memory { name: "helm-toolkit", values: None, templates: &[] };
    judge_templates(chart, &templates, ("templates/manifests/_secret-registry.yaml.tpl", FUNCTION))
}

/// Judges what becomes of `templates`, the first of which is asked about; `file` is the one that
/// may come to be.
fn judge_templates(
    chart: Memory<'_>,
    templates: &[(&str, &str)],
    file: (&str, &str),
) -> Result<(Verdict, Option<String>), String> {
    let options = Wanted::new("", "5000", "{chart}-key").options();
    let run =
        |templates: &[(&str, &str)]| osh_registry_auth::complete(Memory { templates, ..chart }, &options);
    let old = templates[0].1;
    let plan = run(templates);
    match plan.outcome() {
        Outcome::Refused => return refused(&plan, old).map(|verdict| (verdict, None)),
        Outcome::LeftAlone(why) => return Err(format!("left alone: {why}")),
        Outcome::Complete | Outcome::Incomplete => return Ok((Verdict::Complete, None)),
        Outcome::Changed => {}
    }
    let mut after = templates.to_vec();
    let mut edited = None;
    for change in &plan.files {
        let new = &change.new;
        let template = after.iter_mut().find(|(path, _)| change.path.as_os_str() == *path);
        match (&change.old, template) {
            (None, None) if change.path.as_os_str() == file.0 && new == file.1 => after.push(file),
            (Some(before), Some(template)) if template.1 == before && before == old => {
                let wrong = |complaint: String| format!("{complaint}\n--- old\n{old}\n--- new\n{new}");
                list_is_inserted(old, new).map_err(wrong)?;
                objects_are_kept(old, new).map_err(wrong)?;
                template.1 = new;
                edited = Some(new.clone());
            }
            _ => return Err(format!("{} is none of the files that may change", change.path.display())),
        }
    }
    let again = run(&after);
    match again.outcome() {
        Outcome::Complete | Outcome::Incomplete if edited.is_none() => Ok((Verdict::Complete, None)),
        Outcome::Complete | Outcome::Incomplete => Ok((Verdict::Edited, edited)),
        _ => Err(format!(
            "not complete after it was completed: {again:?}\n--- old\n{old}\n--- new\n{}",
            edited.unwrap_or_default()
        )),
    }
}

/// The lines of the list with its condition, for keys at `indent`; or of one more item of a list
/// that is there, which is at `indent` itself.
pub fn list(root: &str, indent: usize, is_item: bool) -> Vec<String> {
    let key = format!("{PULL_SECRETS}:");
    let lines = LIST.lines().filter(|line| !is_item || *line != key);
    let indented = lines.map(|line| match line.strip_prefix("  ") {
        _ if line.starts_with("{{") => line.to_owned(),
        Some(item) if is_item => format!("{}{item}", " ".repeat(indent)),
        _ => format!("{}{line}", " ".repeat(indent)),
    });
    indented.map(|line| line.replace("$envAll", root)).collect()
}

/// Old lines are kept, in order and to the byte; new ones are our list or item, as a whole, any
/// number of times.
pub fn list_is_inserted(old: &str, new: &str) -> Result<(), String> {
    let is_crlf = old.find('\n').is_some_and(|at| old[..at].ends_with('\r'));
    let line_break = if is_crlf { "\r\n" } else { "\n" };
    let (old, new) = (template_lines(old), template_lines(new));
    let inserted = |from: usize| {
        let rest = &new[from..];
        let indent_of = |line: &Line<'_>| line.0.len() - line.0.trim_start_matches(' ').len();
        let indent = rest.get(2).map_or(0, indent_of);
        let ends_well = |number: usize, line: &Line<'_>| {
            line.1 == line_break || line.1.is_empty() && from + number + 1 == new.len()
        };
        let is_ours = |(root, is_item): (&str, bool)| {
            let list = list(root, indent, is_item);
            let found = rest.get(..list.len())?;
            let mut pairs = found.iter().zip(&list).enumerate();
            pairs
                .all(|(number, (line, text))| line.0 == text && ends_well(number, line))
                .then_some(list.len())
        };
        [("$", false), ("$", true), ("$envAll", false), ("$envAll", true)].into_iter().find_map(is_ours)
    };
    let steps = |at: usize, other: usize| {
        let mut steps: Vec<_> = inserted(other).into_iter().map(|length| (at, other + length, 0)).collect();
        if at < old.len() && other < new.len() && is_kept(old[at], new[other]) {
            steps.push((at + 1, other + 1, 0));
        }
        steps
    };
    cheapest(old.len(), new.len(), &steps)
        .map(drop)
        .ok_or_else(|| "a line is neither kept nor ours".to_owned())
}

/// Where the template is plain YAML, without any action: rendered with the registry switched on,
/// it is what it was, and ServiceAccounts and pods have a list more, or an item more in it.
fn objects_are_kept(old: &str, new: &str) -> Result<(), String> {
    // Templates are read by lines: one that closes the quote of another is beyond what is promised.
    let is_quoted = |line: &str| ['"', '\''].iter().any(|quote| line.matches(*quote).count() % 2 == 1);
    if old.contains("{{") || old.lines().any(is_quoted) {
        return Ok(());
    }
    let Ok(before) = Data::read_all(old) else { return Ok(()) };
    let rendered: String = template_lines(new)
        .into_iter()
        .filter(|line| !line.0.starts_with("{{"))
        .flat_map(|line| [line.0.replace("{{ . }}", "registry-key"), line.1.to_owned()])
        .collect();
    let after = Data::read_all(&rendered).map_err(|error| format!("rendered no YAML: {error}"))?;
    if before.len() != after.len() {
        return Err("rendered, other documents come out".to_owned());
    }
    before.iter().zip(&after).try_for_each(|(before, after)| has_list_more(before, after, true, false))
}

/// Some of the kinds in src/kinds.rs.
const CUSTOM: [&str; 4] = ["MariaDB", "MaxScale", "PerconaXtraDBCluster", "RabbitmqCluster"];

fn has_list_more(old: &Data, new: &Data, is_object: bool, is_custom: bool) -> Result<(), String> {
    match (old, new) {
        (Data::Mapping(before), Data::Mapping(after)) => {
            let text = |text: &str| Data::Text(text.to_owned());
            // Keys may stand twice.
            let is_of = |kind: &str| is_object && before.contains(&(text("kind"), text(kind)));
            let is_custom = is_custom || CUSTOM.into_iter().any(is_of);
            let ours = Data::Mapping(vec![(text("name"), text("registry-key"))]);
            let mut after: Vec<_> = after.iter().collect();
            if is_of("ServiceAccount") || is_custom || old.get_text("containers").is_some() {
                let key = text(PULL_SECRETS);
                let is_new = |(name, value): &(Data, Data)| {
                    *name == key && *value == Data::List(vec![ours.clone()]) && old.get(&key).is_none()
                };
                after.retain(|entry| !is_new(entry));
            }
            if before.len() != after.len() {
                return Err("rendered, an object has other entries".to_owned());
            }
            for ((key, before), (new_key, after)) in before.iter().zip(after) {
                if key != new_key {
                    return Err(format!("rendered, {key:?} became {new_key:?}"));
                }
                let (Data::List(items), Data::List(more)) = (before, after) else {
                    has_list_more(before, after, false, is_custom)?;
                    continue;
                };
                let is_extended = *key == text(PULL_SECRETS)
                    && more.strip_prefix(items.as_slice()).is_some_and(|more| *more == [ours.clone()]);
                if !is_extended {
                    has_list_more(before, after, false, is_custom)?;
                }
            }
            Ok(())
        }
        (Data::List(before), Data::List(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .try_for_each(|(before, after)| has_list_more(before, after, false, is_custom)),
        (Data::Tagged(tag, before), Data::Tagged(new_tag, after)) if tag == new_tag => {
            has_list_more(before, after, is_object, is_custom)
        }
        // A block scalar without a line break at the end of the text has one when a list follows.
        (Data::Text(before), Data::Text(after)) if before.trim_end() == after.trim_end() => Ok(()),
        _ if old == new => Ok(()),
        _ => Err(format!("rendered, {old:?} became {new:?}")),
    }
}
