//! What the tests share: they run the program as a user would, on copies of the trees in
//! testdata/, and look at what it wrote and said.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this is for tests"
)]

pub mod helm;
pub mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_osh-registry-auth");

/// How many trees there are at least.
const TREES: usize = 22;

/// Whether this is the long run (`NIGHTLY=1`): whatever is left to chance is tried more often then.
pub fn nightly() -> bool {
    std::env::var_os("NIGHTLY").is_some_and(|value| value == "1")
}

/// A folder of testdata/.
pub fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// Puts a tree of testdata/trees together in `to`, as people do.
pub fn put_tree(name: &str, to: &Path) {
    let output = Command::new(testdata("tree")).arg(name).arg(to).output().expect("bash is installed");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A tree of testdata/trees in a folder of its own.
pub fn tree(name: &str) -> TempDir {
    let work = tempfile::tempdir().unwrap();
    put_tree(name, work.path());
    work
}

/// The same, with what is expected of `apply`.
pub fn after(name: &str) -> TempDir {
    let work = tree(name);
    git_apply(work.path(), &expected_diff(name));
    work
}

/// What `plan` is expected to print for a tree.
pub fn expected_diff(name: &str) -> String {
    let path = testdata("trees").join(name).join("expected.diff");
    if path.exists() { fs::read_to_string(path).unwrap() } else { String::new() }
}

/// How many files a diff changes.
pub fn changed_files(diff: &str) -> usize {
    diff.lines().filter(|line| line.starts_with("diff --git ")).count()
}

/// The arguments of a tree, from its file `args`.
pub fn tree_args(name: &str) -> Vec<String> {
    let args = testdata("trees").join(name).join("args");
    if args.exists() {
        fs::read_to_string(args).unwrap().lines().map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}

/// The names of all trees.
pub fn trees() -> Vec<String> {
    let cases = cases(&testdata("trees"), TREES);
    cases.iter().map(|case| case.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The entries of a folder, sorted, of which there must be at least `minimum`: a glob that finds
/// nothing would pass every test.
pub fn cases(folder: &Path, minimum: usize) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= minimum, "{}: {} cases, expected {minimum}", folder.display(), cases.len());
    cases
}

/// What the program did: exit code and what it said.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in `dir`, with colours off whatever the tests run in.
pub fn run(dir: &Path, args: &[&str]) -> Run {
    let output = command(dir, args).stdin(Stdio::null()).output().unwrap();
    finished(output)
}

pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir).args(args);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RAYON_NUM_THREADS", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// What `env` is told for signals to be as they are by default: what runs the tests may have some
/// ignored, as nohup has, and shells in the background.
pub const ALL_SIGNALS: &str = "--default-signal=HUP,INT,TERM";

/// The same, with `signals` as GNU's `env` takes them.
pub fn command_with_signals(dir: &Path, signals: &str, args: &[&str]) -> Command {
    let program = command(dir, args);
    if !cfg!(target_os = "linux") {
        return program;
    }
    let mut command = Command::new("env");
    command.current_dir(dir).arg(signals).arg(program.get_program()).args(program.get_args());
    command
}

pub fn finished(output: Output) -> Run {
    Run {
        code: output.status.code().expect("the program ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Copies a tree, links as links.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// All files of a tree by relative path; of a link what it says.
pub fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    collect(root, &entry.path(), files);
                }
                continue;
            }
            let content = if kind.is_symlink() {
                fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(entry.path()).unwrap()
            };
            files.insert(entry.path().strip_prefix(root).unwrap().to_owned(), content);
        }
    }
    let mut found = BTreeMap::new();
    collect(root, root, &mut found);
    found
}

/// Asserts that two trees are the same, naming the first file that is not.
pub fn assert_same_tree(expected: &Path, actual: &Path, what: &str) {
    let (expected, actual) = (files(expected), files(actual));
    for (path, content) in &expected {
        let found = actual.get(path).unwrap_or_else(|| panic!("{what}: {} is missing", path.display()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            found == content,
            "{what}: {} differs\n--- expected\n{}\n--- actual\n{}",
            path.display(),
            text(content),
            text(found)
        );
    }
    let more: Vec<_> = actual.keys().filter(|path| !expected.contains_key(*path)).collect();
    assert!(more.is_empty(), "{what}: not expected: {more:?}");
}

/// Compares text with the file at `path`; `SNAPSHOTS=overwrite` makes it that file.
pub fn assert_snapshot(path: &Path, actual: &str) {
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(actual, snapbox::Data::read_from(path, None).raw());
}

/// The same to the byte: what has CRLF and what has LF are one to [`assert_snapshot`].
pub fn assert_exact_snapshot(path: &Path, actual: &str) {
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        return fs::write(path, actual).unwrap();
    }
    assert_snapshot(path, actual);
    assert!(fs::read(path).unwrap() == actual.as_bytes(), "{}: line ends differ", path.display());
}

/// Asserts that JSON is what the schema at `path` in the repository says.
pub fn assert_valid(path: &str, json: &serde_json::Value) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path}: {errors:#?}");
}

/// Runs git in `dir`, as somebody whom no settings make sign, and returns what it printed.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let identity =
        ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(args).current_dir(dir).output();
    let output = output.expect("git is installed");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Commits all that is in `dir`, a repository from now on.
pub fn commit_all(dir: &Path) {
    git(dir, &["init", "--quiet"]);
    git(dir, &["add", "--all", "--force"]);
    git(dir, &["commit", "--quiet", "--message", "all"]);
}

/// Applies a diff with git, outside of any repository.
pub fn git_apply(dir: &Path, diff: &str) {
    use std::io::Write as _;
    let mut git = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "--allow-empty", "-"])
        .current_dir(dir)
        .env("GIT_CEILING_DIRECTORIES", dir.parent().unwrap())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is installed");
    git.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success(), "git apply: {}\n{diff}", String::from_utf8_lossy(&output.stderr));
}
