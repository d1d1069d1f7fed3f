//! The page that `--docs` adds, built by Sphinx.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::Path;

use common::python::python;
use common::{copy, run, testdata};

/// What Sphinx makes of `source`; every warning is an error.
fn build(source: &Path, html: &Path) {
    let mut sphinx = python("sphinx", &["sphinx==7.4.7"], "sphinx");
    sphinx.args(["-W", "--keep-going", "-n", "-q", "-b", "html"]);
    if !source.join("conf.py").exists() {
        sphinx.args(["-C", "-D", "html_theme=basic"]);
    }
    let output = sphinx.arg(source).arg(html).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", source.display());
}

#[test]
fn sphinx_builds_the_page_without_a_warning() {
    for (tree, source, index, page) in [
        ("release-notes-counted", "doc/source", "install/index.html", "install/registry-authentication.html"),
        ("docs-elsewhere", "glob/doc/source", "index.html", "registry-authentication.html"),
        ("docs-elsewhere", "open/doc/source", "index.html", "registry-authentication.html"),
    ] {
        let work = tempfile::tempdir().unwrap();
        copy(&testdata("trees").join(tree).join("before"), work.path());
        let source = work.path().join(source);
        assert_eq!(run(work.path(), &["apply", "--docs"]).code, 0);
        let html = work.path().join("html");
        build(&source, &html);
        let index = fs::read_to_string(html.join(index)).unwrap();
        assert!(index.contains("href=\"registry-authentication.html\">Registry authentication"), "{index}");
        let page = fs::read_to_string(html.join(page)).unwrap();
        assert_eq!(page.matches("<div class=\"highlight-").count(), 3, "examples");
        assert!(page.contains("admonition warning"));
    }
}

/// The page shows operators the values that README.md shows them.
#[test]
fn the_page_says_what_the_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let page = fs::read_to_string(root.join("templates/registry-authentication.rst")).unwrap();
    let section = readme.split("\n## Switching it on\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let examples = section.split("```yaml\n").skip(1).map(|example| example.split("```").next().unwrap());
    let mut count = 0;
    for line in examples.flat_map(str::lines) {
        let line = line.split(" #").next().unwrap().trim_end();
        assert!(page.lines().any(|other| other.trim_end() == format!("    {line}")), "{line}");
        count += 1;
    }
    assert!(count >= 20, "{count} lines");
}
