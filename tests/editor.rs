//! The YAML editor on every mapping of every values.yaml in testdata, judged by a third party:
//! by lines, and by the data that libyaml reads.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::panic, reason = "these are tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::testdata;
use osh_registry_auth::yaml::{Document, Entry, Kind, Node, Place, Step, Value, insert};

/// How many mappings the sweep must meet, and how many of them may be beyond inserting text.
const MAPPINGS: usize = 700;
const BEYOND: usize = 12;

fn yaml_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            yaml_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && !path.components().any(|component| component.as_os_str() == "templates")
        {
            files.push(path);
        }
    }
}

fn new_entries() -> Vec<Entry> {
    let inner = vec![Entry::new("on", Value::string("1.0")), Entry::new("b", Value::literal("null"))];
    vec![Entry::new("zz_new", Value::literal("7")), Entry::new("zz_more", Value::Mapping(inner))]
}

/// The lines of `old` are all there in `new`, in their order and to the byte, but for at most
/// `changed` of them.
fn assert_lines_kept(old: &str, new: &str, changed: usize, what: &str) {
    let mut left = new.split('\n');
    let mut lost = 0;
    for line in old.split('\n') {
        let mut rest = left.clone();
        if rest.any(|other| other == line) {
            left = rest;
        } else {
            lost += 1;
        }
    }
    assert!(lost <= changed, "{what}: {lost} lines changed\n--- old\n{old}\n--- new\n{new}");
}

#[test]
fn an_entry_can_be_added_to_every_mapping() {
    let mut files = Vec::new();
    yaml_files(&testdata(""), &mut files);
    let (mut mappings, mut beyond) = (0, Vec::new());
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Ok(document) = Document::parse(&text) else { continue };
        for mapping in document.mappings() {
            mappings += 1;
            let what = format!("{} at {}", file.display(), document.position(mapping));
            let before = document.entries(mapping).count();
            let new = match insert(&document, mapping, Place::Last, &new_entries()) {
                Ok(new) => new,
                Err(failure) => {
                    beyond.push(format!("{what}: {failure}"));
                    continue;
                }
            };
            // Only a flow mapping takes the entry in a line of its own; an empty one, or one at
            // the end of a text without a line break, changes its line.
            let in_one_line = text.get(line_of(&text, &document, mapping)..).unwrap_or_default();
            let flow = in_one_line.contains(['{', '[']) || !text.ends_with('\n');
            assert_lines_kept(&text, &new, if flow { 2 } else { 0 }, &what);
            let edited = Document::parse(&new).unwrap();
            let same = edited.mappings().filter(|other| edited.entries(*other).count() == before + 2);
            let found = same.into_iter().any(|other| {
                let value = edited.get(other, "zz_new").and_then(|node| edited.scalar(node));
                let more = edited.get(other, "zz_more").and_then(|node| edited.get(node, "on"));
                value == Some("7") && more.and_then(|node| edited.scalar(node)) == Some("1.0")
            });
            assert!(found, "{what}: not found again in\n{new}");
        }
    }
    assert!(mappings >= MAPPINGS, "only {mappings} mappings");
    assert!(beyond.len() <= BEYOND, "{} of {mappings} refused:\n{}", beyond.len(), beyond.join("\n"));
}

/// Byte offset of the line that a node starts in.
fn line_of(text: &str, document: &Document<'_>, node: Node) -> usize {
    let line = document.position(node).line;
    text.split_inclusive('\n').take(line - 1).map(str::len).sum()
}

#[test]
fn each_place_is_where_it_says() {
    let text = "a: # one\n  # of b\n  b: 1\n  # of c\n  c: 2\n  # tail\n\nd: 3\n";
    let document = Document::parse(text).unwrap();
    let a = document.find(&[Step::Key("a")]).unwrap();
    let key = |name: &str| {
        document.entries(a).map(|(key, _)| key).find(|key| document.scalar(*key) == Some(name)).unwrap()
    };
    let entry = [Entry::new("x", Value::literal("0"))];
    let places = [
        (Place::First, "a: # one\n  x: 0\n  # of b\n  b: 1\n  # of c\n  c: 2\n  # tail\n\nd: 3\n"),
        (Place::Before(key("c")), "a: # one\n  # of b\n  b: 1\n  x: 0\n  # of c\n  c: 2\n  # tail\n\nd: 3\n"),
        (Place::After(key("b")), "a: # one\n  # of b\n  b: 1\n  x: 0\n  # of c\n  c: 2\n  # tail\n\nd: 3\n"),
        (Place::After(key("c")), "a: # one\n  # of b\n  b: 1\n  # of c\n  c: 2\n  # tail\n  x: 0\n\nd: 3\n"),
        (Place::Last, "a: # one\n  # of b\n  b: 1\n  # of c\n  c: 2\n  # tail\n  x: 0\n\nd: 3\n"),
    ];
    for (place, expected) in places {
        assert_eq!(insert(&document, a, place, &entry).unwrap(), expected, "{place:?}");
    }
    let root = document.root().unwrap();
    let d = document.entries(root).last().unwrap().0;
    let before = insert(&document, root, Place::Before(d), &entry).unwrap();
    assert_eq!(before, text.replace("d: 3", "x: 0\n\nd: 3"));
    assert_eq!(insert(&document, root, Place::Last, &entry).unwrap(), format!("{text}\nx: 0\n"));
}

#[test]
fn nodes_are_found_by_path() {
    let document = Document::parse("a:\n  - b: [1, {c: ~}]\n  - x\n'on': 'yes'\n").unwrap();
    let c = document
        .find(&[Step::Key("a"), Step::Item(0), Step::Key("b"), Step::Item(1), Step::Key("c")])
        .unwrap();
    assert_eq!((document.kind(c), document.path(c).as_str()), (Kind::Null, "a[0].b[1].c"));
    assert_eq!(document.position(c).to_string(), "2:16");
    assert_eq!(document.find(&[Step::Item(0)]), None);
    assert_eq!(document.find(&[Step::Key("a"), Step::Key("b")]), None);
    assert_eq!(document.find(&[Step::Key("on")]).and_then(|node| document.scalar(node)), Some("yes"));
}
