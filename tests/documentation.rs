//! README.md and docs/ say what the program does: ids, samples, options and links. Sphinx builds the page
//! that `--docs` adds.

#![allow(
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::python::python;
use common::{PROGRAM, assert_snapshot, copy, run, testdata, tree};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// The ids in the `ids! { ... }` block of a source file: `Name = "id",`.
fn declared_ids(source: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for block in source.split("\nids! {\n").skip(1) {
        let block = block.split("\n}\n").next().unwrap();
        let values = block.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" = \""));
        ids.extend(values.map(|(_, id)| id.to_owned()));
    }
    ids
}

/// The ids that docs/findings.md explains: headings like "### `wrong-key`".
fn explained_ids(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect()
}

#[test]
fn every_id_is_explained_and_no_other() {
    let declared = declared_ids(&text_of("src/finding.rs"));
    let text = text_of("docs/findings.md");
    let explained = explained_ids(&text);
    assert!(declared.len() >= 60, "only {} ids in the source", declared.len());
    let set = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let expected = declared.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(expected.len(), declared.len(), "an id is declared twice");
    let explained_once = set(&explained);
    assert_eq!(explained_once.len(), explained.len(), "an id is explained twice");
    let missing: Vec<_> = expected.difference(&explained_once).collect();
    let unknown: Vec<_> = explained_once.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}, unknown: {unknown:?}");
}

/// What `commands` print in bash, in a folder of their own that holds only a link to `testdata`.
fn printed(commands: &[&str], testdata: &Path) -> String {
    let work = tempfile::tempdir().unwrap();
    symlink(testdata, work.path().join("testdata")).unwrap();
    let program = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &commands.join("\n")])
        .current_dir(work.path())
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Every sample of docs/findings.md is what its commands print. `SNAPSHOTS=overwrite` makes it that.
#[test]
fn the_samples_are_what_the_program_prints() {
    let copied = tempfile::tempdir().unwrap();
    copy(&testdata(""), copied.path());
    let text = text_of("docs/findings.md");
    let (introduction, _) = text.split_once("\n### ").unwrap();
    let setup: Vec<&str> = introduction.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let mut expected = String::new();
    let (mut samples, mut without) = (0, Vec::new());
    let (mut id, mut commands, mut in_sample) = ("", Vec::new(), false);
    for line in text.lines() {
        id = line.strip_prefix("### `").and_then(|line| line.strip_suffix('`')).unwrap_or(id);
        if line == "```console" && !id.is_empty() {
            (commands, in_sample) = (setup.clone(), true);
        } else if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command);
        } else if line == "```" && in_sample {
            let output = printed(&commands, copied.path());
            let tag = format!("[{id}]");
            let of_the_id = output.lines().find(|line| line.contains(&tag));
            expected += of_the_id.unwrap_or(output.trim_end());
            expected.push('\n');
            if !output.contains(id) {
                without.push(id);
            }
            samples += 1;
            in_sample = false;
        } else if in_sample {
            // The output that stands there now.
            continue;
        }
        expected += line;
        expected.push('\n');
    }
    assert!(without.is_empty(), "the samples of these ids do not print them: {without:?}");
    assert!(samples >= 60, "only {samples} samples");
    assert_snapshot(&repository("docs/findings.md"), &expected);
}

/// The diff in README.md is what `plan` prints, but for git's headers and the licence of the new file.
#[test]
fn the_diff_of_the_readme_is_what_plan_prints() {
    let readme = text_of("README.md");
    let diff = readme.split("```diff\n").nth(1).unwrap().split("```").next().unwrap();
    let plan = run(tree("openstack-helm").path(), &["plan", "--include", "falco"]).stdout;
    let is_header = |line: &&str| line.starts_with("diff --git ") || line.starts_with("new file mode ");
    let plan: String = plan.split_inclusive('\n').filter(|line| !is_header(line)).collect();
    let template = diff.find("+{{-").unwrap();
    assert!(diff.lines().count() > 30, "{diff}");
    assert!(plan.contains(&diff[..template]), "{plan}");
    assert!(plan.contains(&diff[template..]), "{plan}");
}

/// docs/usage.md explains every option that `--help` lists.
#[test]
fn every_option_is_explained() {
    let usage = text_of("docs/usage.md");
    let mut options = BTreeSet::new();
    for command in ["plan", "apply", "check", "verify"] {
        let help = run(Path::new("/"), &[command, "--help"]).stdout;
        let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        options.extend(words.filter(|word| word.starts_with("--") && word.len() > 3).map(ToOwned::to_owned));
    }
    assert!(options.len() >= 15, "{options:?}");
    for option in options.iter().filter(|option| option.as_str() != "--help") {
        assert!(usage.contains(&format!("`{option}")), "docs/usage.md does not explain {option}");
    }
}

/// Every link to a file of this repository leads to one, and every link to a heading to one there.
#[test]
fn no_link_is_broken() {
    let documents = ["README.md", "CONTRIBUTING.md", "docs/usage.md", "docs/findings.md"];
    let documents = documents.into_iter().chain(["docs/operators.md", "docs/ci.md", "docs/design.md"]);
    let mut links = 0;
    for document in documents {
        let text = text_of(document);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target = repository(document);
            let target = if path.is_empty() { target } else { target.parent().unwrap().join(path) };
            assert!(target.exists(), "{document}: {link}");
            if !heading.is_empty() {
                let anchor = |line: &str| -> String {
                    let kept = line.trim_start_matches('#').trim().to_lowercase();
                    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
                    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
                };
                let target = fs::read_to_string(&target).unwrap();
                let found = target.lines().any(|line| line.starts_with('#') && anchor(line) == heading);
                assert!(found, "{document}: {link}");
            }
            links += 1;
        }
    }
    assert!(links >= 15, "only {links} links");
}

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
    for (name, source, index, page) in [
        ("release-notes-counted", "doc/source", "install/index.html", "install/registry-authentication.html"),
        ("docs-elsewhere", "glob/doc/source", "index.html", "registry-authentication.html"),
        ("docs-elsewhere", "open/doc/source", "index.html", "registry-authentication.html"),
    ] {
        let work = tree(name);
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

/// The page shows operators the values that docs/operators.md shows them.
#[test]
fn the_page_says_what_the_documentation_says() {
    let page = text_of("templates/registry-authentication.rst");
    let operators = text_of("docs/operators.md");
    let examples = operators.split("```yaml\n").skip(1).map(|example| example.split("```").next().unwrap());
    let mut count = 0;
    for line in examples.flat_map(str::lines) {
        let line = line.split(" #").next().unwrap().trim_end();
        assert!(page.lines().any(|other| other.trim_end() == format!("    {line}")), "{line}");
        count += 1;
    }
    assert!(count >= 20, "{count} lines");
}
