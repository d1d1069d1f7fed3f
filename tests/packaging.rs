//! What comes with the program, for other programs to use: completions, the manual page, and the
//! examples in contrib/. What needs packages from PyPI or npm is in tests/packaging/run.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{PROGRAM, after, assert_same_tree, commit_all, copy, git, run, tree};
use serde_yaml::Value;
use tempfile::TempDir;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `command` with the program on its `PATH`.
fn with_program(mut command: Command) -> Command {
    let folder = Path::new(PROGRAM).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap();
    let path = env::join_paths([folder].into_iter().chain(env::split_paths(&others))).unwrap();
    command.env("PATH", path);
    command
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// What bash completes in the last of `words`.
fn completed(words: &str) -> String {
    let script = r#"
        set -eu
        source /dev/stdin
        read -ra COMP_WORDS <<<"$1"
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
        definition=$(complete -p osh-registry-auth)
        [[ $definition =~ -F\ ([^ ]+) ]]
        "${BASH_REMATCH[1]}" osh-registry-auth "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}"
    "#;
    let work = tempfile::tempdir().unwrap();
    let completions = work.path().join("completions");
    fs::write(&completions, run(Path::new("/"), &["completions", "bash"]).stdout).unwrap();
    let output = Command::new("bash")
        .args(["-c", script, "bash", words])
        .stdin(fs::File::open(completions).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn bash_completes_commands_and_options() {
    assert_eq!(completed("osh-registry-auth pl"), "plan");
    assert_eq!(completed("osh-registry-auth ap"), "apply");
    assert_eq!(completed("osh-registry-auth plan --repl"), "--replace-templates");
    assert_eq!(completed("osh-registry-auth completions z"), "zsh");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run(Path::new("/"), &["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        assert!(run.stdout.contains("replace-templates"), "{shell}: {}", run.stdout);
    }
    assert_eq!(run(Path::new("/"), &["completions", "cmd.exe"]).code, 2);
}

#[test]
fn the_manual_page_is_one() {
    let page = run(Path::new("/"), &["man"]);
    assert_eq!((page.code, page.stderr.as_str()), (0, ""));
    for line in
        [".SH NAME", ".SH \"PLAN\"", ".SH \"APPLY\"", ".SH \"CHECK\"", ".SH \"VERIFY\"", ".SS OPTIONS"]
    {
        assert!(page.stdout.lines().any(|other| other == line), "no {line} in\n{}", page.stdout);
    }
    assert!(page.stdout.contains("\\-\\-replace\\-templates"), "{}", page.stdout);
}

/// Debian's groff-base, which man(1) itself uses, is on every machine that shows manual pages.
#[test]
fn groff_renders_the_manual_page_without_warnings() {
    let work = tempfile::tempdir().unwrap();
    let page = work.path().join("osh-registry-auth.1");
    fs::write(&page, run(Path::new("/"), &["man"]).stdout).unwrap();
    let groff = Command::new("groff").args(["-man", "-ww", "-Tutf8", "-P-c"]).arg(&page).output();
    let output = match groff {
        Err(_) if env::var_os("CI").is_none() => return,
        output => output.expect("groff, from Debian's groff-base"),
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("osh-registry-auth check --format github"), "{text}");
}

/// What multi-gitter does with the script, as its documentation says: clone, run, commit what changed.
#[test]
fn the_multi_gitter_script_completes_refuses_and_leaves_alone() {
    let work = tempfile::tempdir().unwrap();
    let script = repository("contrib/multi-gitter/osh-registry-auth.sh");
    let without_charts = tempfile::tempdir().unwrap();
    fs::write(without_charts.path().join("README"), "words\n").unwrap();
    // The repository, the script's arguments and exit code, and whether there is a pull request then.
    let cases = [
        ("to-migrate", tree("openstack-helm"), &["--replace-templates"][..], 0, true),
        ("complete", after("openstack-helm"), &[], 0, false),
        ("refused", tree("keep-going"), &[], 2, false),
        ("without-charts", without_charts, &[], 0, false),
        // One template calls a function that is nowhere: a person has to say what becomes of it.
        ("for-people", tree("openstack-helm"), &[], 1, false),
    ];
    for (name, tree, args, code, is_changed) in cases {
        let origin = work.path().join("origin").join(name);
        copy(tree.path(), &origin);
        commit_all(&origin);

        let clone = work.path().join(name);
        git(work.path(), &["clone", "--quiet", origin.to_str().unwrap(), name]);
        git(&clone, &["checkout", "--quiet", "-b", "oci-registry-auth"]);
        let mut command = with_program(Command::new(&script));
        let output = command.args(args).current_dir(&clone).env("REPOSITORY", name).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}: {}", said(&output));
        if code == 0 && !git(&clone, &["status", "--porcelain"]).is_empty() {
            git(&clone, &["add", "--all"]);
            git(&clone, &["commit", "--quiet", "--message", "Support an OCI image registry"]);
            git(&clone, &["push", "--quiet", "origin", "oci-registry-auth"]);
        }
        let commits = git(&origin, &["log", "--all", "--oneline"]).lines().count();
        assert_eq!(commits, 1 + usize::from(is_changed), "{name}");
        if is_changed {
            git(&origin, &["checkout", "--quiet", "oci-registry-auth"]);
            assert_same_tree(after("openstack-helm").path(), &origin, name);
        }
        if code != 0 {
            assert!(said(&output).contains(".yaml"), "{name}: says not what is wrong: {}", said(&output));
        }
    }
}

/// Runs the steps of contrib/github/ in `tree`, as GitHub does: each in `bash -e`. Returns the exit
/// codes, what was printed, and what is in the summary and in the report.
fn run_workflow(tree: &TempDir) -> (Vec<i32>, String, String, String) {
    let text = fs::read_to_string(repository("contrib/github/osh-registry-auth.yml")).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    let steps = workflow["jobs"]["check"]["steps"].as_sequence().unwrap();
    let artifact = steps.iter().find_map(|step| step["with"]["path"].as_str()).unwrap();
    let work = tempfile::tempdir().unwrap();
    let checkout = work.path().join("checkout");
    copy(tree.path(), &checkout);
    let summary = work.path().join("summary");
    let (mut codes, mut printed) = (Vec::new(), String::new());
    for step in steps.iter().filter(|step| step["name"] != "Install") {
        let Some(script) = step["run"].as_str() else { continue };
        let output = with_program(Command::new("bash"))
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(&checkout)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap();
        codes.push(output.status.code().unwrap());
        printed += &said(&output);
    }
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    (codes, printed, read(summary), read(checkout.join(artifact).join("plan.html")))
}

#[test]
fn the_workflow_marks_what_is_missing_and_keeps_the_page() {
    let (codes, printed, summary, page) = run_workflow(&tree("openstack-helm"));
    assert_eq!(codes, [0, 1], "{printed}");
    assert!(printed.contains("\n::error file=nova/values.yaml,"), "{printed}");
    assert!(summary.contains("secret_registry: true"), "{summary}");
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");

    let (codes, printed, ..) = run_workflow(&after("openstack-helm"));
    assert_eq!(codes, [0, 0], "{printed}");
    // Where a chart is refused there is a page all the same, and the check fails.
    let (codes, printed, ..) = run_workflow(&tree("keep-going"));
    assert_eq!(codes, [0, 2], "{printed}");
}

/// Whoever copies an example gets a revision that there is.
#[test]
fn the_revisions_in_examples_exist() {
    let root = repository("");
    let mut revisions = 0;
    for file in git(&root, &["ls-files", "--", "README.md", "docs", "contrib"]).lines() {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                git(&root, &["cat-file", "-e", &format!("{word}^{{commit}}")]);
                revisions += 1;
            }
        }
        assert!(!text.contains("pip install osh-registry-auth"), "{file}: there is no release");
    }
    assert!(revisions >= 5, "only {revisions}");
}

/// The commands of docs/usage.md, in a home that has nothing in it.
#[test]
fn manual_page_and_completions_go_where_they_are_said_to_go() {
    let usage = fs::read_to_string(repository("docs/usage.md")).unwrap();
    let block = usage.split("```console\n").find(|block| block.starts_with("$ mkdir -p ~/.local")).unwrap();
    let commands = block.split("```").next().unwrap().replace("$ ", "");
    let home = tempfile::tempdir().unwrap();
    let mut bash = with_program(Command::new("bash"));
    let output = bash.args(["-ec", &commands]).env("HOME", home.path()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for file in ["man/man1/osh-registry-auth.1", "bash-completion/completions/osh-registry-auth"] {
        assert!(fs::read_to_string(home.path().join(".local/share").join(file)).unwrap().len() > 1000);
    }
}

#[test]
fn the_wheel_says_at_once_that_maturin_is_missing() {
    let wheel = repository("contrib/packaging/wheel");
    let output = Command::new("bash").arg(wheel).env("PATH", "/usr/bin:/bin").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("maturin is missing: pip install 'maturin"), "{}", said(&output));
}

/// Compared with itself a build differs in nothing, and with one that has another port it differs in that.
#[test]
fn the_ecosystem_check_shows_what_differs() {
    let work = tree("openstack-helm");
    let other = work.path().join("other");
    fs::write(&other, format!("#!/bin/sh\n{PROGRAM} \"$@\" | sed 's/default: 5000/default: 443/'\n"))
        .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&other, mode).unwrap();
    let compare = |old: &Path| {
        let mut check = Command::new(repository("bench/ecosystem"));
        let output = check.args([old, Path::new(PROGRAM), work.path()]).arg("--no-verify").output().unwrap();
        (output.status.code(), said(&output))
    };
    let (code, same) = compare(Path::new(PROGRAM));
    assert!(code == Some(0) && same.contains("| 13 | same | same | same |\n"), "{same}");
    let (code, differs) = compare(&other);
    assert_eq!(code, Some(1), "{differs}");
    assert!(
        differs.contains("\n# nova/values.yaml\n")
            && differs.contains("\n-+        default: 443\n++        default: 5000\n"),
        "{differs}"
    );
    assert!(differs.contains("| 13 | +5 −5 | same | same |\n"), "{differs}");
}

/// Of every package that the program or its tests are built from: name, and what it asks of Rust.
fn packages() -> Vec<(String, Option<Vec<u32>>)> {
    // What other systems need has not been downloaded for the build.
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", host.trim()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |package: &serde_json::Value| {
        let version = package["rust_version"].as_str();
        let version =
            version.map(|version| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>());
        (package["name"].as_str().unwrap().to_owned(), version)
    };
    metadata["packages"].as_array().unwrap().iter().map(of).collect()
}

/// Only one Rust can be had where CI runs: that the program builds with the oldest one that it
/// promises to, in Cargo.toml and in the README, cannot be tried there. clippy's `incompatible_msrv`
/// watches over its own code; this over its dependencies.
#[test]
fn no_dependency_asks_for_a_newer_rust_than_is_promised() {
    let packages = packages();
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let (_, ours) = packages.iter().find(|(name, _)| name == "osh-registry-auth").unwrap();
    let ours = ours.as_ref().expect("rust-version in Cargo.toml");
    for (name, version) in &packages {
        let newer = version.as_ref().is_some_and(|version| version > ours);
        assert!(!newer, "{name} asks for Rust {version:?}, and we promise {ours:?}");
    }
    let promise = format!("With [Rust](https://rustup.rs) {}.{} or later", ours[0], ours[1]);
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    assert!(readme.contains(&promise), "the README does not say: {promise}");
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = fs::read_to_string(repository("CHANGELOG.md")).unwrap();
    let heading = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(changelog.lines().any(|line| line.starts_with(&heading)), "no {heading} in CHANGELOG.md");
}
