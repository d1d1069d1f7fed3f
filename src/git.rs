//! What git has: in a work tree no file is written over changes that are not committed, so that `git diff`
//! afterwards shows this program's changes and nothing else, and `git checkout` takes them back.
//!
//! Git is asked once for each work tree, about the whole of it: neither the number of files nor
//! what is in their names can matter to the call.

use std::collections::{HashMap, HashSet};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::change::FileChange;
use crate::chart::OVERRIDES;
use crate::error::Error;
use crate::text::{printable, shown};

/// A file that would be written, and what of it git does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirtyFile {
    pub(crate) path: PathBuf,
    /// Why the file counts as dirty.
    pub(crate) why: &'static str,
}

/// The files among `changes` that are not committed as they are. Files outside of any work tree are none of
/// them.
///
/// # Errors
/// [`Error::Git`], where git is missing or cannot tell.
pub(crate) fn dirty_files(base: &Path, changes: &[&FileChange]) -> Result<Vec<DirtyFile>, Error> {
    let mut trees: HashMap<PathBuf, WorkTree> = HashMap::new();
    let mut found = Vec::new();
    for change in changes {
        let file = base.join(&change.path);
        let folder = file.parent().unwrap_or(base);
        let Some(top) = work_tree(folder) else {
            // The way to call git for a work tree that has no `.git`; what that would say is not known here.
            if let Some(variable) =
                ["GIT_DIR", "GIT_WORK_TREE"].iter().find(|name| env::var_os(name).is_some())
            {
                let what = format!("there is no .git around it, and {variable} is set");
                return Err(Error::Git(folder.to_owned(), what));
            }
            continue;
        };
        let tree = match trees.get(&top) {
            Some(tree) => tree,
            None => trees.entry(top.clone()).or_insert(WorkTree::ask(&top, "--untracked-files=normal")?),
        };
        if let Some(why) = tree.why_dirty(&file, change.old.is_some())? {
            found.push(DirtyFile { path: change.path.clone(), why });
        }
    }
    Ok(found)
}

/// The text of `file` that is committed. `None`, where git has none, or cannot tell.
pub(crate) fn committed_text(file: &Path) -> Option<String> {
    let (folder, name) = (file.parent()?, file.file_name()?.to_str()?);
    work_tree(folder)?;
    String::from_utf8(git(folder, &["show", &format!("HEAD:./{name}")]).ok()?).ok()
}

/// A file as a revision has it.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) is_link: bool,
    /// Of a link, what it leads to.
    pub(crate) text: Vec<u8>,
}

/// The files of the charts in `folder`, and values for them beside, as `revision` has them: raw, so that none
/// of the filters that a repository names is run.
pub(crate) fn files_at(folder: &Path, revision: &str) -> Result<Vec<File>, Error> {
    let failed = |what: &str| Error::Revision(folder.to_owned(), what.to_owned());
    let tree = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{tree}}")];
    let tree = git(folder, &tree).map_err(|_| failed(&format!("there is no revision {revision:?}")))?;
    let tree = String::from_utf8_lossy(&tree).trim_end().to_owned();
    let listed = git(folder, &["ls-tree", "-r", "-z", &tree])?;
    // `<mode> <type> <name>\t<path>`
    let entry = |entry: &[u8]| {
        let (about, path) = entry.split_at_checked(entry.iter().position(|byte| *byte == b'\t')?)?;
        let (about, path) =
            (String::from_utf8_lossy(about), PathBuf::from(OsStr::from_bytes(path.get(1..)?)));
        let mut words = about.split(' ');
        let (mode, kind, name) = (words.next()?, words.next()?, words.next()?);
        (kind == "blob").then(|| (path, mode == "120000", name.to_owned()))
    };
    let mut entries: Vec<_> = listed.split(|byte| *byte == 0).filter_map(entry).collect();
    let is_chart =
        |(path, ..): &&(PathBuf, bool, String)| path.file_name().is_some_and(|name| name == "Chart.yaml");
    let charts = entries.iter().filter(is_chart).filter_map(|(path, ..)| path.parent());
    let charts: HashSet<PathBuf> = charts.map(Path::to_owned).collect();
    let is_wanted = |folder: &Path| charts.contains(folder) || folder.ends_with(OVERRIDES);
    entries.retain(|(path, ..)| path.ancestors().skip(1).any(is_wanted));
    let names: Vec<&str> = entries.iter().map(|(.., name)| name.as_str()).collect();
    let printed = ask(folder, &["cat-file", "--batch"], names.join("\n").as_bytes())
        .map_err(|error| failed(&format!("git does not run: {error}")))?;
    // `<name> <type> <size>\n<text>\n` for each
    let mut rest = printed.as_slice();
    let mut text = || {
        let (about, behind) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'\n')?)?;
        let size = std::str::from_utf8(about).ok()?.rsplit(' ').next()?.parse().ok()?;
        let (text, behind) = behind.get(1..)?.split_at_checked(size)?;
        rest = behind.get(1..)?;
        Some(text.to_vec())
    };
    let files = entries.into_iter().map(|(path, is_link, _)| Some(File { path, is_link, text: text()? }));
    files.collect::<Option<_>>().ok_or_else(|| failed(&format!("git does not have all of {revision}")))
}

/// The files in `folder`, relative to it, that are not committed as they are: new ones among them, and ones that
/// are gone. `None`, where git cannot tell.
pub(crate) fn uncommitted(folder: &Path) -> Option<Vec<PathBuf>> {
    work_tree(folder)?;
    git(folder, &["rev-parse", "--verify", "--quiet", "HEAD"]).ok()?;
    let WorkTree { top, tracked, dirty } = WorkTree::ask(folder, "--untracked-files=all").ok()?;
    // Git says nothing of the folder of a submodule that is not checked out.
    if tracked.is_empty() && dirty.is_empty() {
        return None;
    }
    let folder = folder.strip_prefix(top).ok()?;
    let is_new_or_changed = |why: &&str| [UNTRACKED, CHANGED].contains(why);
    let paths = dirty.into_iter().filter(|(_, why)| is_new_or_changed(why));
    Some(paths.filter_map(|(path, _)| Some(path.strip_prefix(folder).ok()?.to_owned())).collect())
}

/// The files among `paths`, which are yet to be created, that git would not take. None, where git cannot tell.
pub(crate) fn ignored<'p>(base: &Path, paths: impl Iterator<Item = &'p Path>) -> HashSet<PathBuf> {
    let mut by_tree: HashMap<PathBuf, Vec<Vec<u8>>> = HashMap::new();
    for file in paths.map(|path| base.join(path)) {
        if let Some(top) = work_tree(&file) {
            by_tree.entry(top).or_default().push(file.into_os_string().into_vec());
        }
    }
    let mut ignored = HashSet::new();
    for (top, files) in by_tree {
        let args = ["check-ignore", "--no-index", "-z", "--stdin"];
        let found = ask(&top, &args, &files.join(&0)).unwrap_or_default();
        let found = found.split(|byte| *byte == 0).map(|file| Path::new(OsStr::from_bytes(file)));
        ignored.extend(found.map(|file| file.strip_prefix(base).unwrap_or(file).to_owned()));
    }
    ignored
}

/// What git answers to a question on its standard input.
fn ask(folder: &Path, args: &[&str], question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut git =
        command(folder, args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut input = git.stdin.take();
    std::thread::scope(|scope| {
        // It may answer before it has read all.
        scope.spawn(move || input.as_mut().map_or(Ok(()), |input| input.write_all(question)));
        Ok(git.wait_with_output()?.stdout)
    })
}

/// The top of the work tree that `folder` is in.
pub(crate) fn work_tree(folder: &Path) -> Option<PathBuf> {
    let has_git = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
    folder.ancestors().find(has_git).map(Path::to_owned)
}

/// What git says of a work tree, or of a folder in it.
struct WorkTree {
    /// Its top folder, without links.
    top: PathBuf,
    /// What git has, by path from the top.
    tracked: HashSet<PathBuf>,
    /// What is not committed, likewise, with why. A folder stands for all in it.
    dirty: HashMap<PathBuf, &'static str>,
}

const UNTRACKED: &str = "is not tracked by git";
const CHANGED: &str = "has changes that are not committed";
const HIDDEN: &str = "is marked for git to look away from it (assume-unchanged or skip-worktree)";

impl WorkTree {
    /// Asks about `folder` and what is in it. `untracked` says whether new folders are looked into.
    fn ask(folder: &Path, untracked: &str) -> Result<Self, Error> {
        let top = git(folder, &["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(OsString::from_vec(top.strip_suffix(b"\n").unwrap_or(&top).to_vec()));
        let (mut tracked, mut dirty) = (HashSet::new(), HashMap::new());
        // Lower case: assume-unchanged; S: skip-worktree. Git does not look at these.
        for (flag, path) in entries(&git(folder, &["ls-files", "--full-name", "-v", "-z"])?, 1) {
            if flag == b"S" || flag.iter().any(u8::is_ascii_lowercase) {
                dirty.insert(path.clone(), HIDDEN);
            }
            tracked.insert(path);
        }
        for (state, path) in entries(&status(folder, untracked)?, 2) {
            let why = match state {
                b"??" => UNTRACKED,
                b"!!" => "is ignored by git",
                _ => CHANGED,
            };
            dirty.insert(path, why);
        }
        let top = top.canonicalize().map_err(Error::read(&top))?;
        Ok(WorkTree { top, tracked, dirty })
    }

    /// Why `file` is not committed as it is. A file that is yet to be created has nothing to lose, unless
    /// git knows that somebody took it away.
    ///
    /// Whatever is not known to be committed is not: git says nothing of files in the folder of a
    /// submodule that is not checked out, or that have the name of another but for its case.
    fn why_dirty(&self, file: &Path, exists: bool) -> Result<Option<&'static str>, Error> {
        let Ok(path) = file.strip_prefix(&self.top) else {
            let what = format!("the work tree of its repository is {}", shown(&self.top));
            return Err(Error::Git(file.to_owned(), what));
        };
        let around = || path.ancestors().skip(1).find_map(|folder| self.dirty.get(folder).copied());
        Ok(match self.dirty.get(path).copied() {
            None if exists && !self.tracked.contains(path) => around().or(Some(UNTRACKED)),
            why => why,
        })
    }
}

/// The entries of git's output: a code of some characters, a space and a path each.
fn entries(output: &[u8], code: usize) -> impl Iterator<Item = (&[u8], PathBuf)> {
    output.split(|byte| *byte == 0).filter_map(move |entry| {
        let (code, path) = entry.split_at_checked(code)?;
        Some((code, PathBuf::from(OsStr::from_bytes(path.strip_prefix(b" ")?))))
    })
}

/// What says which repository git is to work in (`git rev-parse --local-env-vars`), but for settings.
const OF_A_REPOSITORY: [&str; 12] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Git in `folder`. It writes nothing, not even its index, fetches nothing, and starts no program that the
/// repository names for watching files. What calls us may have told git of another repository.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"]).arg(folder).args(args);
    for variable in OF_A_REPOSITORY {
        git.env_remove(variable);
    }
    // What it does not have it is not to get from anywhere.
    git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    git
}

fn git(folder: &Path, args: &[&str]) -> Result<Vec<u8>, Error> {
    answer(folder, command(folder, args))
}

/// `git status` with the filters of the user alone: it would start those that the repository names. A file with one of
/// those counts as changed where git would have to look into it.
fn status(folder: &Path, untracked: &str) -> Result<Vec<u8>, Error> {
    let how = ["--porcelain=v1", "-z", "--no-renames", "--ignored=matching", "--ignore-submodules=all"];
    let mut status = command(folder, &[&["status"], &how[..], &[untracked, "--", "."]].concat());
    let settings = ["config", "-z", "--show-scope", "--name-only", "--get-regexp", r"^filter\."];
    let listed = ask(folder, &settings, b"").unwrap_or_default();
    let mut listed = listed.split(|byte| *byte == 0);
    // The caller's own settings stay.
    let given = env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let mut count = given;
    while let (Some(scope), Some(name)) = (listed.next(), listed.next()) {
        if matches!(scope, b"local" | b"worktree") {
            let value = if name.ends_with(b".required") { "false" } else { "" };
            status.env(format!("GIT_CONFIG_KEY_{count}"), OsStr::from_bytes(name));
            status.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
    }
    if count > given {
        status.env("GIT_CONFIG_COUNT", count.to_string());
    }
    answer(folder, status)
}

fn answer(folder: &Path, mut git: Command) -> Result<Vec<u8>, Error> {
    let failed = |what: String| Error::Git(folder.to_owned(), what);
    let output = git.stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(format!("git does not run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).replace('\t', "    ");
        let said: Vec<_> = said.trim_end().lines().map(printable).collect();
        return Err(failed(format!("git says: {}", said.join("\n"))));
    }
    Ok(output.stdout)
}
