//! What `apply` writes over and what it does not: the guard of a git work tree, the lock against a
//! second run, links, permissions, and files that change meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{
    after, assert_same_tree, changed_files, command, copy, expected_diff, files, finished, git, put_tree,
    run, tree,
};
use osh_registry_auth::{Error, Options, Plan, Selection, WriteStep};

/// A copy of testdata/trees/one-chart, with helm-toolkit selected too.
struct Checkout {
    _folder: tempfile::TempDir,
    dir: PathBuf,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Git and the program show paths without links.
        let dir = folder.path().canonicalize().unwrap().join("checkout");
        put_tree("one-chart", &dir);
        Checkout { _folder: folder, dir }
    }

    /// All of it committed.
    fn committed() -> Self {
        let checkout = Checkout::new();
        checkout.git(&["init", "--quiet"]);
        checkout.commit();
        checkout
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.dir, args)
    }

    fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "all"]);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    fn append(&self, path: &str, text: &str) {
        let file = self.path(path);
        let old = fs::read_to_string(&file).unwrap_or_default();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, old + text).unwrap();
    }

    /// `apply` writes nothing, names `path` with these words, and prints the diff.
    fn assert_refuses_over(&self, path: &str, what: &str) {
        let before = files(&self.dir);
        let plan = run(&self.dir, &["plan"]);
        let apply = run(&self.dir, &["apply"]);
        assert_eq!(apply.code, 2, "{}", apply.stderr);
        let named: Vec<&str> =
            apply.stderr.lines().filter(|line| line.starts_with("refused[uncommitted]")).collect();
        assert_eq!(named, [format!("refused[uncommitted]: {path}: {what}")]);
        assert!(apply.stderr.contains("--allow-dirty"), "{}", apply.stderr);
        assert_eq!(apply.stdout, plan.stdout, "the diff it would have made");
        assert!(apply.stdout.contains("+++ b/glance/values.yaml"));
        assert!(before == files(&self.dir), "something was written");
        // On request it goes into a file instead.
        let output = self.path("../diff");
        assert_eq!(run(&self.dir, &["apply", "-q", "--output", "../diff"]).stdout, "");
        assert_eq!(fs::read_to_string(&output).unwrap(), plan.stdout);
    }

    fn assert_applies(&self, args: &[&str]) {
        let apply = run(&self.dir, args);
        assert_eq!(apply.code, 0, "{}", apply.stderr);
        assert_eq!(apply.stdout, "");
        assert_eq!(run(&self.dir, &["plan"]).stdout, "", "something is left to do");
    }
}

const VALUES: &str = "glance/values.yaml";
const TEMPLATE: &str = "glance/templates/secret-registry.yaml";
const SNIPPET: &str = "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl";
const NOT_COMMITTED: &str = "has changes that are not committed";

#[test]
fn what_is_committed_is_written_over() {
    let checkout = Checkout::committed();
    // Changes of files that stay as they are do not matter, nor do new ones.
    checkout.append("glance/Chart.yaml", "# changed\n");
    checkout.append("glance/templates/new.yaml", "# new\n");
    checkout.append("notes.txt", "mine\n");
    checkout.assert_applies(&["apply"]);
    let status = checkout.git(&["status", "--short", "--untracked-files=all"]);
    assert!(
        status.contains(" M glance/values.yaml")
            && status.contains("?? glance/templates/secret-registry.yaml")
    );
}

#[test]
fn a_change_that_is_not_committed_is_not_written_over() {
    let checkout = Checkout::committed();
    checkout.append(VALUES, "# mine\n");
    checkout.assert_refuses_over(VALUES, NOT_COMMITTED);
    checkout.git(&["add", VALUES]);
    checkout.assert_refuses_over(VALUES, NOT_COMMITTED);
    checkout.assert_applies(&["apply", "--allow-dirty"]);
    assert!(fs::read_to_string(checkout.path(VALUES)).unwrap().contains("# mine\n"));
    // Nothing is left to write: then there is nothing to refuse.
    checkout.assert_applies(&["apply"]);
}

#[test]
fn a_file_that_git_does_not_have_is_not_written_over() {
    let checkout = Checkout::committed();
    checkout.git(&["rm", "--quiet", "--cached", VALUES]);
    checkout.git(&["commit", "--quiet", "--message", "without values"]);
    checkout.assert_refuses_over(VALUES, "is not tracked by git");
    checkout.append(".gitignore", "values.yaml\n");
    checkout.assert_refuses_over(VALUES, "is ignored by git");
    // A whole folder, which git names instead of the files in it.
    checkout.git(&["rm", "--quiet", "-r", "--cached", "glance"]);
    fs::remove_file(checkout.path(".gitignore")).unwrap();
    checkout.git(&["commit", "--quiet", "--message", "without glance"]);
    checkout.assert_refuses_over(VALUES, "is not tracked by git");
    checkout.append(".gitignore", "glance/\n");
    checkout.assert_refuses_over(VALUES, "is ignored by git");
}

#[test]
fn a_file_that_was_taken_away_is_not_made_again() {
    let checkout = Checkout::committed();
    checkout.append(TEMPLATE, "# an old one\n");
    checkout.commit();
    fs::remove_file(checkout.path(TEMPLATE)).unwrap();
    checkout.assert_refuses_over(TEMPLATE, NOT_COMMITTED);
}

#[test]
fn what_git_is_told_not_to_look_at_is_not_written_over() {
    let checkout = Checkout::committed();
    checkout.append(VALUES, "# mine\n");
    for (set, unset) in
        [("--assume-unchanged", "--no-assume-unchanged"), ("--skip-worktree", "--no-skip-worktree")]
    {
        checkout.git(&["update-index", set, VALUES]);
        assert_eq!(checkout.git(&["status", "--short"]), "");
        let what = "is marked for git to look away from it (assume-unchanged or skip-worktree)";
        checkout.assert_refuses_over(VALUES, what);
        checkout.git(&["update-index", unset, VALUES]);
    }
}

#[test]
fn the_guard_finds_the_work_tree_wherever_it_is_called() {
    let checkout = Checkout::committed();
    checkout.append(VALUES, "# mine\n");
    let chart = checkout.path("glance");
    let inside = run(&chart, &["apply"]);
    assert!(inside.stderr.contains("refused[uncommitted]: values.yaml: has"), "{}", inside.stderr);
    let outside = run(Path::new("/"), &["apply", chart.to_str().unwrap()]);
    assert!(outside.stderr.contains("refused[uncommitted]: values.yaml: has"), "{}", outside.stderr);
    // In a hook git tells its children of the repository that the hook is of.
    let hook =
        command(&chart, &["apply"]).env("GIT_DIR", "/no/such").env("GIT_INDEX_FILE", "/no/such").output();
    assert_eq!(finished(hook.unwrap()).stderr, inside.stderr);
    // A work tree of its own inside of another, and one that is linked to its repository.
    let own = Checkout::new();
    let inner = checkout.path("inner");
    copy(&own.dir, &inner);
    let linked = checkout.path("../linked");
    checkout.git(&["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap()]);
    git(&inner, &["init", "--quiet"]);
    let both = run(&checkout.dir, &["apply", "inner", "../linked"]);
    let named = both.stderr.lines().filter(|line| line.starts_with("refused[uncommitted]"));
    assert!(named.clone().all(|line| line.contains(": checkout/inner/")), "{}", both.stderr);
    assert!(named.count() >= 2, "{}", both.stderr);
}

#[test]
fn a_run_that_has_nothing_to_write_is_never_refused() {
    let checkout = Checkout::committed();
    checkout.assert_applies(&["apply"]);
    assert!(!checkout.git(&["status", "--short"]).is_empty());
    checkout.append(VALUES, "# mine\n");
    checkout.assert_applies(&["apply"]);
    // Not even where git is broken.
    fs::write(checkout.path(".git/HEAD"), "broken").unwrap();
    checkout.assert_applies(&["apply"]);
}

#[test]
fn where_git_cannot_tell_nothing_is_written() {
    let checkout = Checkout::committed();
    let before = files(&checkout.dir);
    let no_git =
        finished(command(&checkout.dir, &["apply"]).env("PATH", "/no/such/folder").output().unwrap());
    assert_eq!(no_git.code, 2);
    assert!(
        no_git.stderr.contains("git does not run") && no_git.stderr.contains("--allow-dirty"),
        "{}",
        no_git.stderr
    );
    fs::write(checkout.path(".git/HEAD"), "broken").unwrap();
    let broken = run(&checkout.dir, &["apply"]);
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("cannot tell what is committed here: git says: "), "{}", broken.stderr);
    assert_eq!(broken.stdout, run(&checkout.dir, &["plan"]).stdout, "the diff it would have made");
    assert!(before == files(&checkout.dir));
    checkout.assert_applies(&["apply", "--allow-dirty"]);
}

#[test]
fn outside_of_git_it_goes_ahead() {
    let checkout = Checkout::new();
    let apply = command(&checkout.dir, &["apply"]).env("PATH", "/no/such/folder").output().unwrap();
    assert_eq!(finished(apply).code, 0, "git is not asked");
    checkout.assert_applies(&["apply"]);
}

/// `git --git-dir=... --work-tree=.`, as people keep their settings in git: there is no `.git`.
#[test]
fn a_work_tree_that_only_the_environment_knows_is_not_taken_for_none() {
    let checkout = Checkout::new();
    let before = files(&checkout.dir);
    for variable in ["GIT_DIR", "GIT_WORK_TREE"] {
        let apply = command(&checkout.dir, &["apply", "-q"]).env(variable, "elsewhere").output().unwrap();
        let apply = finished(apply);
        let said = format!("there is no .git around it, and {variable} is set\n");
        assert!(apply.code == 2 && apply.stderr.contains(&said), "{}", apply.stderr);
        assert!(before == files(&checkout.dir));
        let all_the_same = ["apply", "--allow-dirty"];
        assert_eq!(
            command(&Checkout::new().dir, &all_the_same).env(variable, "x").status().unwrap().code(),
            Some(0)
        );
    }
}

#[test]
fn the_index_of_git_stays_as_it_is() {
    let checkout = Checkout::committed();
    // A file that git would have to look at again, and note down in the index.
    let values = File::options().append(true).open(checkout.path(VALUES)).unwrap();
    values.set_modified(std::time::UNIX_EPOCH).unwrap();
    let index = fs::read(checkout.path(".git/index")).unwrap();
    checkout.assert_applies(&["apply"]);
    assert!(index == fs::read(checkout.path(".git/index")).unwrap());
}

#[test]
fn permissions_stay_and_links_are_not_replaced() {
    let checkout = Checkout::new();
    let values = checkout.path(VALUES);
    fs::set_permissions(&values, fs::Permissions::from_mode(0o750)).unwrap();
    checkout.assert_applies(&["apply"]);
    assert_eq!(fs::metadata(&values).unwrap().permissions().mode() & 0o7777, 0o750);
    // A new file is like any other: whoever runs the tests may have a umask.
    fs::write(checkout.path("new"), "").unwrap();
    let mode = |path: &str| fs::metadata(checkout.path(path)).unwrap().permissions().mode();
    assert_eq!(mode(TEMPLATE), mode("new"));

    let linked = Checkout::new();
    let values = linked.path(VALUES);
    fs::rename(&values, linked.path("elsewhere.yaml")).unwrap();
    symlink("../elsewhere.yaml", &values).unwrap();
    let before = files(&linked.dir);
    let refused = run(&linked.dir, &["apply"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("refused[link]: glance/values.yaml: is a link"), "{}", refused.stderr);
    assert!(before == files(&linked.dir) && values.is_symlink());
}

#[test]
fn other_names_of_a_file_are_warned_of_and_keep_the_old_text() {
    let checkout = Checkout::new();
    let (values, other) = (checkout.path(VALUES), checkout.path("other.yaml"));
    fs::hard_link(&values, &other).unwrap();
    let old = fs::read(&values).unwrap();
    for command in ["plan", "apply"] {
        let run = run(&checkout.dir, &[command]);
        assert_eq!(run.code, 0);
        let warning = "warning[hard-link]: glance/values.yaml: has 2 names (hard links): the text under the others stays as it is";
        assert!(run.stderr.contains(warning), "{}", run.stderr);
    }
    assert!(fs::read(other).unwrap() == old && fs::read(values).unwrap() != old);
}

fn plan_for(checkout: &Checkout) -> Plan {
    let paths = std::slice::from_ref(&checkout.dir);
    osh_registry_auth::plan(paths, &Selection::default(), &Options::default()).unwrap()
}

/// Calls `act` in front of the replacement of the file that ends in `path`.
fn before_replacing<'a>(
    path: &'a str,
    act: impl Fn() -> Result<(), Error> + Sync + 'a,
) -> impl Fn(WriteStep, &Path) -> Result<(), Error> + Sync + 'a {
    move |step, file| if step == WriteStep::Replace && file.ends_with(path) { act() } else { Ok(()) }
}

/// No space is left on the disk.
fn full() -> Result<(), Error> {
    Err(Error::Write("a file".into(), std::io::ErrorKind::StorageFull.into()))
}

#[test]
fn a_file_that_changed_since_the_plan_ends_it_all() {
    const CHANGED: &str = "changed while this program was at work; run it again";
    // Before anything is written, while files before it are replaced (they go by their paths), and at the
    // last moment, when the file has been looked at.
    let cases = [
        (None, VALUES, CHANGED),
        (None, TEMPLATE, CHANGED),
        (Some(TEMPLATE), VALUES, CHANGED),
        (Some(VALUES), SNIPPET, CHANGED),
        (Some(VALUES), VALUES, CHANGED),
        (Some(TEMPLATE), TEMPLATE, "cannot be written: File exists"),
    ];
    for (at, path, what) in cases {
        let checkout = Checkout::new();
        let plan = plan_for(&checkout);
        let before = files(&checkout.dir);
        let change = || checkout.append(path, "# somebody was here\n");
        if at.is_none() {
            change();
        }
        let watch = before_replacing(at.unwrap_or("no such file"), || {
            change();
            Ok(())
        });
        let said = osh_registry_auth::write(&plan, &watch).unwrap_err().to_string();
        assert!(said.contains(&format!("{path}: {what}")) && said.contains("nothing is changed"), "{said}");
        let mut now = files(&checkout.dir);
        let changed = now.remove(Path::new(path)).unwrap();
        assert!(changed.ends_with(b"# somebody was here\n"));
        let mut before = before;
        before.remove(Path::new(path));
        assert!(now == before, "at {at:?}, {path}");
    }
}

#[test]
fn what_is_put_back_is_the_very_file() {
    let checkout = Checkout::new();
    let values = checkout.path(VALUES);
    let other = checkout.path("other.yaml");
    fs::hard_link(&values, &other).unwrap();
    let identity = || {
        let metadata = fs::metadata(&values).unwrap();
        (metadata.ino(), metadata.nlink(), metadata.modified().unwrap(), metadata.mode())
    };
    let (before, text) = ((identity(), files(&checkout.dir)), fs::read(&values).unwrap());
    let watch = before_replacing(SNIPPET, || {
        assert!(fs::read(&values).unwrap() != text, "there is nothing to put back yet");
        full()
    });
    let said = osh_registry_auth::write(&plan_for(&checkout), &watch).unwrap_err().to_string();
    assert!(said.contains("nothing is changed"), "{said}");
    assert!(before == (identity(), files(&checkout.dir)));
}

#[test]
fn what_cannot_be_put_back_is_kept_beside_it() {
    // Somebody else has changed the file meanwhile; somebody has made a folder of it.
    let change: fn(&Path) = |values| fs::write(values, "# somebody was here\n").unwrap();
    let block: fn(&Path) = |values| {
        fs::remove_file(values).unwrap();
        fs::create_dir(values).unwrap();
    };
    for harm in [change, block] {
        let checkout = Checkout::new();
        let values = checkout.path(VALUES);
        let (plan, before) = (plan_for(&checkout), files(&checkout.dir));
        let watch = before_replacing(SNIPPET, || {
            harm(&values);
            full()
        });
        let said = osh_registry_auth::write(&plan, &watch).unwrap_err().to_string();
        let old = checkout.path("glance/values.yaml.before-osh-registry-auth");
        let line = format!("  {}, whose old text is in {}", values.display(), old.display());
        assert!(said.contains("could not all be put back; look at:") && said.contains(&line), "{said}");
        assert!(fs::read(&old).unwrap() == before[Path::new(VALUES)]);
        assert!(!values.is_file() || fs::read_to_string(&values).unwrap() == "# somebody was here\n");
        // It is nothing that another run would clear up, and nothing that is written over later.
        run(&checkout.dir, &["apply"]);
        assert!(old.exists());
    }
}

/// Somebody has not looked at what an earlier run kept: both stay.
#[test]
fn what_is_kept_is_not_lost_to_what_was_kept_before() {
    let checkout = Checkout::new();
    let values = checkout.path(VALUES);
    let kept = |end: &str| checkout.path(&format!("glance/values.yaml.before-osh-registry-auth{end}"));
    for end in ["", ".1"] {
        fs::write(kept(end), "# of an earlier run\n").unwrap();
    }
    let text = fs::read(&values).unwrap();
    let watch = before_replacing(SNIPPET, || {
        fs::write(&values, "# somebody was here\n").unwrap();
        full()
    });
    let said = osh_registry_auth::write(&plan_for(&checkout), &watch).unwrap_err().to_string();
    assert!(said.contains(&format!("whose old text is in {}", kept(".2").display())), "{said}");
    for _ in 0..2 {
        assert!(fs::read(kept(".2")).unwrap() == text);
        assert_eq!(fs::read_to_string(kept(".1")).unwrap(), "# of an earlier run\n");
        run(&checkout.dir, &["apply"]);
    }
}

#[test]
fn a_plan_does_not_see_temporary_files() {
    let checkout = Checkout::new();
    let plan = run(&checkout.dir, &["plan"]);
    let snippets = "helm-toolkit/templates/snippets";
    let snippet = checkout.path(&format!("{snippets}/_kubernetes_pod_rbac_serviceaccount.tpl"));
    fs::hard_link(snippet, checkout.path(&format!("{snippets}/.osh-registry-auth-aBcDeF123456.tmp")))
        .unwrap();
    let again = run(&checkout.dir, &["plan"]);
    assert_eq!((again.stdout, again.stderr), (plan.stdout, plan.stderr));
}

#[test]
fn what_git_says_nothing_of_is_not_written_over() {
    // The folder of a submodule that is not checked out.
    let module = Checkout::committed();
    let outer = Checkout::committed();
    let from = module.dir.to_str().unwrap();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", from, "sub"]);
    outer.commit();
    outer.git(&["submodule", "--quiet", "deinit", "--all"]);
    let chart = outer.path("sub/glance");
    copy(&module.path("glance"), &chart);
    assert_eq!(outer.git(&["status", "--short", "--ignored"]), "");
    let apply = run(&outer.dir, &["apply", "."]);
    assert_eq!(apply.code, 2);
    assert!(
        apply.stderr.contains("refused[uncommitted]: sub/glance/values.yaml: is not tracked by git"),
        "{}",
        apply.stderr
    );
    // A repository whose work tree is elsewhere.
    let elsewhere = Checkout::committed();
    elsewhere.git(&["config", "core.worktree", from]);
    let apply = run(&elsewhere.dir, &["apply"]);
    assert_eq!(apply.code, 2);
    assert!(apply.stderr.contains("the work tree of its repository is "), "{}", apply.stderr);
}

#[test]
fn what_is_done_is_done_although_nobody_can_be_told() {
    let checkout = Checkout::committed();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let code = command(&checkout.dir, &["apply"]).stderr(full).status().unwrap().code();
    assert_eq!(code, Some(0));
    assert_eq!(run(&checkout.dir, &["plan"]).stdout, "");
}

#[test]
fn a_disk_that_takes_no_more_changes_nothing() {
    let checkout = Checkout::new();
    let before = files(&checkout.dir);
    // A limit for the size of files stands in for a full disk, which takes root to make.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" apply";
    let limited =
        Command::new("sh").args(["-c", script, common::PROGRAM]).current_dir(&checkout.dir).output();
    let run = finished(limited.unwrap());
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("cannot be written: File too large"), "{}", run.stderr);
    assert!(run.stderr.contains("nothing is changed"), "{}", run.stderr);
    assert!(before == files(&checkout.dir));
    assert!(!checkout.path("glance/templates").exists());
}

#[test]
fn leftovers_of_a_killed_run_are_cleared_up() {
    let checkout = Checkout::new();
    let leftovers = [
        "glance/.osh-registry-auth-a1B2c3D4e5F6.tmp",
        "helm-toolkit/templates/snippets/.osh-registry-auth-ZZZZZZZZZZZZ.tmp",
    ];
    for leftover in leftovers {
        checkout.append(leftover, "half of a te");
    }
    // One that would count as a Secret template if it counted at all.
    let call = r#"{{ include "helm-toolkit.manifests.secret_registry" . }}"#;
    checkout.append("glance/templates/.osh-registry-auth-abcdefabcdef.tmp", call);
    let others = [
        "glance/.osh-registry-auth-",
        "glance/.osh-registry-auth-notes.txt",
        "glance/.osh-registry-auth-config",
        "glance/.other",
    ];
    for other in others {
        checkout.append(other, "mine");
    }
    let plan = run(&checkout.dir, &["plan"]);
    assert!(plan.stdout.contains("+++ b/glance/templates/secret-registry.yaml"), "{}", plan.stdout);
    assert!(checkout.path(leftovers[0]).exists(), "plan writes nothing");
    let apply = run(&checkout.dir, &["apply"]);
    assert!(
        apply.stderr.contains("note: cleared up 3 temporary files of a run that was killed"),
        "{}",
        apply.stderr
    );
    for leftover in leftovers {
        assert!(!checkout.path(leftover).exists(), "{leftover}");
    }
    for other in others {
        assert!(checkout.path(other).exists(), "{other}");
        fs::remove_file(checkout.path(other)).unwrap();
    }
    let clean = Checkout::new();
    clean.assert_applies(&["apply"]);
    assert_same_tree(&clean.dir, &checkout.dir, "leftovers");
}

/// Starts `apply` and waits until it says that it waits.
fn start_and_see_it_wait(dir: &Path, args: &[&str]) -> std::process::Child {
    let mut child = command(dir, args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("note: waiting for a lock on "), "{line}");
    child
}

#[test]
fn a_second_run_waits_for_the_first() {
    let checkout = Checkout::new();
    for (locked, named) in [(".", "."), ("glance", "."), (".", "glance")] {
        let other = File::open(checkout.path(locked)).unwrap();
        // As a run would that names this folder.
        let around = File::open(&checkout.dir).unwrap();
        if locked != "." {
            around.lock_shared().unwrap();
        }
        other.lock().unwrap();
        let before = files(&checkout.dir);
        let mut child = start_and_see_it_wait(&checkout.dir, &["apply", named]);
        assert!(child.try_wait().unwrap().is_none() && before == files(&checkout.dir), "it did not wait");
        drop((other, around));
        assert!(child.wait().unwrap().success());
    }
    // Beside each other, or without anything to write: nobody waits.
    let glance = File::open(checkout.path("glance")).unwrap();
    glance.lock().unwrap();
    assert_eq!(run(&checkout.dir, &["apply", "helm-toolkit"]).stderr.lines().count(), 1);
    assert_eq!(run(&checkout.dir, &["plan"]).code, 0);
}

#[test]
fn runs_at_the_same_time_do_not_mix() {
    let expected = after("openstack-helm");
    for _ in 0..10 {
        let work = tree("openstack-helm");
        let start = |args: &[&str]| {
            command(work.path(), args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let all: &[&str] = &["apply", "--replace-templates"];
        let children = [start(all), start(all), start(&["apply", "nova", "helm-toolkit"]), start(all)];
        let mut changed = 0;
        for child in children {
            let run = finished(child.wait_with_output().unwrap());
            assert_eq!(run.code, 0, "{}", run.stderr);
            let count = run.stderr.lines().find(|line| line.contains(" changed (")).unwrap();
            changed +=
                count.split_once(" file").unwrap().0.rsplit('(').next().unwrap().parse::<usize>().unwrap();
        }
        assert_same_tree(expected.path(), work.path(), "four at the same time");
        assert_eq!(
            changed,
            changed_files(&expected_diff("openstack-helm")),
            "each file is changed by one of them"
        );
    }
}

#[test]
fn the_owner_stays_where_root_writes() {
    let checkout = Checkout::new();
    let values = checkout.path(VALUES);
    // Only root can give a file away, and only for root does it matter.
    if std::os::unix::fs::chown(&values, Some(12345), Some(54321)).is_err() {
        return;
    }
    checkout.assert_applies(&["apply"]);
    let metadata = fs::metadata(&values).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (12345, 54321));
}
