//! Checkouts that somebody has laid out to do harm, or that came to be like that: each ends in a
//! correct edit or in a clear refusal, and nothing outside of the checkout changes.
//!
//! What names, links, folders and devices in the place of files are refused with is in
//! tests/messages.rs; how large and how deep a values.yaml may be, in tests/values.rs.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use common::helm::helm;
use common::{PROGRAM, Run, command, commit_all, copy, files, finished, git, git_apply, put_tree, run};

/// A folder with the checkout testdata/trees/one-chart in it, and another folder beside that.
struct Place {
    _folder: tempfile::TempDir,
    checkout: PathBuf,
    outside: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (checkout, outside) = (folder.path().join("checkout"), folder.path().join("outside"));
        put_tree("one-chart", &checkout);
        put_tree("one-chart", &outside);
        Place { _folder: folder, checkout, outside }
    }

    fn apply(&self) -> Run {
        run(&self.checkout, &["apply"])
    }

    /// Moves what is at `path` out of the checkout, and leaves a link to it.
    fn move_out(&self, path: &str) {
        let to = self.outside.join("moved");
        let inside = self.checkout.join(path);
        fs::rename(&inside, &to).unwrap();
        symlink(to, inside).unwrap();
    }

    /// `apply` refuses with this line, and nothing changes anywhere.
    fn assert_refused(&self, line: &str) {
        let (inside, outside) = (files(&self.checkout), files(&self.outside));
        let apply = self.apply();
        assert_eq!(apply.code, 2, "{}", apply.stderr);
        assert!(apply.stderr.lines().any(|said| said == line), "{line}\n{}", apply.stderr);
        assert!(inside == files(&self.checkout), "{line}: the checkout has changed");
        assert!(outside == files(&self.outside), "{line}: something outside has changed");
    }
}

#[test]
fn links_that_lead_out_of_the_checkout_are_not_written_through() {
    const LINK: &str = "is a link, and what it leads to may belong to others; put the";
    let snippets = "helm-toolkit/templates/snippets";
    let snippet = format!("{snippets}/_kubernetes_pod_rbac_serviceaccount.tpl");
    for (path, kind) in [("glance/values.yaml", "file"), ("glance/templates", "folder")] {
        let place = Place::new();
        fs::create_dir_all(place.checkout.join("glance/templates")).unwrap();
        place.move_out(path);
        place.assert_refused(&format!("refused[link]: {path}: {LINK} {kind} itself in its place"));
    }
    // Where nothing needs to be written the link does no harm; what is behind it is not seen.
    for path in [snippets, &snippet] {
        let place = Place::new();
        place.move_out(path);
        place.assert_refused(
            "refused[toolkit-too-old]: helm-toolkit/templates: this helm-toolkit does not define helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount, through which pods get their credentials; define it there; OpenStack-Helm's helm-toolkit has it since July 2018",
        );
    }
    let place = Place::new();
    symlink(place.outside.join("glance"), place.checkout.join("linked")).unwrap();
    fs::create_dir_all(place.checkout.join("glance/templates")).unwrap();
    symlink("/etc/passwd", place.checkout.join("glance/templates/users.yaml")).unwrap();
    let outside = files(&place.outside);
    let apply = place.apply();
    assert_eq!(apply.code, 0, "{}", apply.stderr);
    let warning = "warning[not-read]: glance/templates/users.yaml: is a link: not searched for pods and ServiceAccounts; ";
    assert!(apply.stderr.contains(warning), "{}", apply.stderr);
    assert!(outside == files(&place.outside) && place.checkout.join("linked").is_symlink());
}

/// What whoever runs this may read, and others may not, as a token in CI.
#[test]
fn what_links_lead_to_is_not_read() {
    const SECRET: &str = "glpat-0123456789";
    let texts =
        [format!("name: {SECRET}\n"), format!("name: [{SECRET}\n"), format!("{SECRET}: &x *{SECRET}\n")];
    let files = ["Chart.yaml", "requirements.yaml", "values.yaml", "values.schema.json", ".helmignore"];
    for (file, text) in files.iter().flat_map(|file| texts.iter().map(move |text| (file, text))) {
        let place = Place::new();
        let path = place.checkout.join("glance").join(file);
        let _ = fs::remove_file(&path);
        fs::write(place.outside.join("token"), text).unwrap();
        symlink(place.outside.join("token"), &path).unwrap();
        for args in [&["plan", "--release-notes"][..], &["check"], &["check", "--format", "sarif"]] {
            let run = run(&place.checkout, args);
            let said = run.stdout + &run.stderr;
            assert!(!said.contains(SECRET), "{file}, {args:?}: {said}");
            assert!(said.contains(&format!("glance/{file}")) && said.contains("is a link"), "{file}: {said}");
        }
    }
}

#[test]
fn a_complaint_of_a_parser_does_not_quote_the_text() {
    const SECRET: &str = "glpat-0123456789";
    for text in [
        "name: SECRET SECRET\n",
        "name: on SECRET: x\n",
        "SECRET",
        "%SECRET x\n",
        "!<SECRET> &SECRET *SECRET",
        "name: \"SECRET",
    ] {
        for file in ["Chart.yaml", "requirements.yaml", "values.yaml"] {
            let place = Place::new();
            fs::write(place.checkout.join("glance").join(file), text.replace("SECRET", SECRET)).unwrap();
            let check = run(&place.checkout, &["check"]);
            assert!(check.code > 0 && !(check.stdout + &check.stderr).contains(SECRET), "{file}: {text}");
        }
    }
}

#[test]
fn the_chart_itself_may_be_named_through_a_link() {
    // That is the caller's own choice, and not the checkout's.
    let place = Place::new();
    let link = place.outside.join("link");
    symlink(&place.checkout, &link).unwrap();
    assert_eq!(run(&place.outside, &["apply", "link"]).code, 0);
    assert!(link.is_symlink());
    assert_eq!(run(&place.checkout, &["plan", "--exit-code"]).code, 0);
}

#[test]
fn folders_of_any_name_come_out_right() {
    let names: [&[u8]; 8] = [
        b"a b",
        b"-rf",
        b"quote\"and\\backslash",
        b"line\nbreak",
        b"{{ .Values.x }}",
        "\u{e4}\u{202e}".as_bytes(),
        b"escape\x1b[31m",
        b"latin-\xe4",
    ];
    let place = Place::new();
    for name in names {
        copy(&place.checkout.join("glance"), &place.checkout.join(OsStr::from_bytes(name)));
    }
    let plan = run(&place.checkout, &["plan", "-v"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(!plan.stderr.contains(['\x1b', '\u{202e}']), "{}", plan.stderr);
    assert!(
        plan.stderr.contains("line\\nbreak: ") && plan.stderr.contains("escape\\u{1b}[31m: "),
        "{}",
        plan.stderr
    );
    let by_git = place.outside.join("by-git");
    copy(&place.checkout, &by_git);
    git_apply(&by_git, &plan.stdout);
    assert_eq!(place.apply().code, 0);
    assert!(files(&by_git) == files(&place.checkout));
    assert_eq!(run(&place.checkout, &["plan"]).stdout, "");
}

#[test]
fn what_values_hold_does_not_reach_the_terminal_as_it_is() {
    let place = Place::new();
    let values = place.checkout.join("glance/values.yaml");
    let wrong_key = "\nsecrets:\n  oci_image_registry:\n    \"gl\\e[2Jance\\n::error::\": x\n";
    fs::write(&values, fs::read_to_string(&values).unwrap() + wrong_key).unwrap();
    let plan = run(&place.checkout, &["plan"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let warning =
        "`secrets.oci_image_registry.gl\\u{1b}[2Jance\\n::error::` is never used: the chart is called glance";
    assert!(plan.stderr.contains(warning) && !plan.stderr.contains('\x1b'), "{}", plan.stderr);
}

/// Control characters, marks of direction, what has no width, separators of lines, tags: what a reader does not see.
const HIDDEN: [char; 12] = [
    '\u{7f}',
    '\u{9b}',
    '\u{ad}',
    '\u{61c}',
    '\u{200b}',
    '\u{200e}',
    '\u{202e}',
    '\u{2028}',
    '\u{2066}',
    '\u{2060}',
    '\u{feff}',
    '\u{e0041}',
];

/// A checkout that has them in values, templates and names; YAML takes no control character.
fn with_hidden_characters() -> Place {
    let place = Place::new();
    let all: String = HIDDEN.iter().collect();
    let chart = place.checkout.join("glance");
    let values = fs::read_to_string(chart.join("values.yaml")).unwrap();
    let comment: String =
        HIDDEN.iter().filter(|c| !c.is_control() && **c != '\u{feff}' && **c != '\u{2028}').collect();
    fs::write(
        chart.join("values.yaml"),
        values.replacen("manifests:\n", &format!("manifests: # {comment}\n"), 1),
    )
    .unwrap();
    fs::create_dir_all(chart.join("templates")).unwrap();
    let account = format!("kind: ServiceAccount\nmetadata:\n  # {all}\t\x1b[2J\n  name: own\n");
    fs::write(chart.join("templates/own.yaml"), account).unwrap();
    copy(&chart, &place.checkout.join(format!("other{all}")));
    fs::write(chart.join(format!("templates/{all}.yaml")), b"kind: ServiceAccount\xff").unwrap();
    place
}

#[test]
fn what_a_reader_would_not_see_is_escaped_in_every_format() {
    let place = with_hidden_characters();
    let is_hidden = |c: char| HIDDEN.contains(&c) || (c.is_control() && !matches!(c, '\n' | '\t'));
    let formats = [
        ("plan", &["json", "markdown", "html"][..]),
        ("check", &["text", "json", "github", "sarif"]),
        ("verify", &["text", "json"]),
    ];
    for (command, format) in
        formats.iter().flat_map(|(command, all)| all.iter().map(move |one| (command, one)))
    {
        let mut program = common::command(&place.checkout, &[command, "-v", "--format", format]);
        let run = finished(program.env("HELM", helm()).output().unwrap());
        assert!(run.stdout.len() + run.stderr.len() > 100, "{command} {format}: {}", run.stderr);
        for text in [&run.stdout, &run.stderr] {
            let found: Vec<char> = text.chars().filter(|c| is_hidden(*c)).collect();
            assert!(found.is_empty(), "{command} {format}: {found:?}\n{text}");
        }
        // Programs get back what it is.
        if *format == "json" && *command == "plan" {
            let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            let diff = run_diff(&place);
            let files = value["charts"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|chart| chart["files"].as_array().unwrap());
            for file in files {
                assert!(diff.contains(file["diff"].as_str().unwrap()), "{file}");
            }
        }
    }
}

fn run_diff(place: &Place) -> String {
    run(&place.checkout, &["plan"]).stdout
}

#[test]
fn the_diff_is_gits_own_in_a_pipe_and_escaped_on_a_terminal() {
    let place = with_hidden_characters();
    let piped = run_diff(&place);
    assert!(piped.contains('\u{202e}') && piped.contains("\x1b[2J"), "{piped}");
    let by_git = place.outside.join("by-git");
    copy(&place.checkout, &by_git);
    git_apply(&by_git, &piped);
    let spawn = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let mut python = Command::new("python3");
    python.args(["-c", spawn, PROGRAM, "plan", "--color", "never"]).current_dir(&place.checkout);
    let shown = finished(python.stdin(Stdio::null()).output().unwrap());
    assert_eq!(shown.code, 0, "{}", shown.stdout);
    let is_hidden = |c: char| HIDDEN.contains(&c) || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'));
    assert!(!shown.stdout.contains(is_hidden), "{:?}", shown.stdout);
    assert!(shown.stdout.contains("\\u{202e}") && shown.stdout.contains("\t\\u{1b}[2J"), "{}", shown.stdout);
    assert_eq!(place.apply().code, 0);
    assert!(files(&by_git) == files(&place.checkout));
}

/// Runs the program as somebody whom permissions bind: root is bound by none.
fn run_as_user(place: &Place, args: &[&str]) -> Run {
    let folder = place.checkout.parent().unwrap();
    let is_root = fs::metadata(folder).unwrap().uid() == 0;
    let mut command = Command::new(PROGRAM);
    if is_root {
        // Where the program is built others may not look. It is copied by somebody else: a file that we
        // have open for writing while another test starts its program can be run by nobody.
        let program = folder.join("program");
        assert!(Command::new("cp").arg(PROGRAM).arg(&program).status().unwrap().success());
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY);
        give_away(&place.checkout);
    }
    finished(command.args(args).current_dir(&place.checkout).stdin(Stdio::null()).output().unwrap())
}

const NOBODY: u32 = 65534;

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

fn set_mode(place: &Place, path: &str, mode: u32) {
    fs::set_permissions(place.checkout.join(path), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_cannot_be_read_is_refused() {
    const REST: &str = "cannot be read: permission denied; check what it is and who may read it";
    for (path, mode, place_said) in [
        ("glance/values.yaml", 0o000, "glance/values.yaml"),
        ("glance/Chart.yaml", 0o000, "glance/Chart.yaml"),
        ("helm-toolkit/templates", 0o000, "helm-toolkit/templates"),
        (
            "helm-toolkit/templates/endpoints/_endpoint_host_lookup.tpl",
            0o200,
            "helm-toolkit/templates/endpoints/_endpoint_host_lookup.tpl",
        ),
        ("glance", 0o000, "glance"),
        // It can be listed, and nothing more.
        ("glance", 0o444, "glance"),
    ] {
        let place = Place::new();
        let before = files(&place.checkout);
        set_mode(&place, path, mode);
        let run = run_as_user(&place, &["apply"]);
        set_mode(&place, path, 0o755);
        assert_eq!(run.code, 2, "{path}: {}", run.stderr);
        let line = format!("refused[unreadable]: {place_said}: {REST}");
        assert!(run.stderr.lines().any(|said| said == line), "{line}\n{}", run.stderr);
        assert!(before == files(&place.checkout), "{path}");
    }
    // It may be no chart: then one can say so.
    let place = Place::new();
    fs::create_dir(place.checkout.join("lost+found")).unwrap();
    set_mode(&place, "lost+found", 0o000);
    assert_eq!(run_as_user(&place, &["plan"]).code, 2);
    let without = run_as_user(&place, &["apply", "--exclude", "lost+found"]);
    set_mode(&place, "lost+found", 0o755);
    assert_eq!(without.code, 0, "{}", without.stderr);
}

#[test]
fn where_nothing_can_be_written_nothing_is() {
    for path in ["glance", "helm-toolkit/templates/snippets", "helm-toolkit/templates"] {
        let place = Place::new();
        // The function of the toolkit needs a folder, too.
        fs::remove_dir_all(place.checkout.join("helm-toolkit/templates/manifests")).unwrap();
        let before = files(&place.checkout);
        set_mode(&place, path, 0o555);
        let run = run_as_user(&place, &["apply"]);
        set_mode(&place, path, 0o755);
        assert_eq!(run.code, 2, "{path}: {}", run.stderr);
        assert!(run.stderr.contains("cannot be written: Permission denied"), "{}", run.stderr);
        assert!(run.stderr.contains("its folder must take new files"), "{}", run.stderr);
        assert!(run.stderr.contains("nothing is changed"), "{}", run.stderr);
        assert!(before == files(&place.checkout), "{path}");
        assert!(!place.checkout.join("glance/templates").exists(), "{path}");
    }
}

#[test]
fn a_file_that_may_not_be_written_but_replaced_keeps_its_mode() {
    let place = Place::new();
    set_mode(&place, "glance/values.yaml", 0o444);
    let run = run_as_user(&place, &["apply"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mode = fs::metadata(place.checkout.join("glance/values.yaml")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o444);
}

#[test]
fn a_file_of_somebody_else_is_replaced_where_the_folder_allows_it() {
    // Linux lets nobody link to a file of somebody else: it is kept as a copy then.
    let place = Place::new();
    let values = place.checkout.join("glance/values.yaml");
    let run = run_as_user(&place, &["plan"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    if fs::metadata(&values).unwrap().uid() == NOBODY {
        std::os::unix::fs::chown(&values, Some(0), Some(0)).unwrap();
    }
    let program = place.checkout.parent().unwrap().join("program");
    if program.exists() {
        let mut command = Command::new(program);
        let output = command.arg("apply").uid(NOBODY).gid(NOBODY).current_dir(&place.checkout).output();
        let run = finished(output.unwrap());
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
}

#[test]
fn the_output_is_not_written_over_a_chart() {
    let place = Place::new();
    symlink("glance/values.yaml", place.checkout.join("link")).unwrap();
    fs::hard_link(place.checkout.join("glance/values.yaml"), place.checkout.join("other")).unwrap();
    for output in
        ["glance/values.yaml", "glance/Chart.yaml", "helm-toolkit/templates/new.yaml", "link", "other"]
    {
        let before = files(&place.checkout);
        let run = run(&place.checkout, &["apply", "--output", output]);
        assert_eq!(run.code, 2, "{output}");
        assert_eq!(
            run.stderr,
            format!(
                "error: {output}: is part of a chart, or may be by another name; let --output name another file\n"
            )
        );
        assert!(before == files(&place.checkout), "{output}");
    }
    assert_eq!(run(&place.checkout, &["apply", "--output", "glance/plan.diff"]).code, 0);
}

/// For watching files, for cleaning them, to show them, to fetch what is missing.
#[test]
fn no_program_runs_that_a_repository_names() {
    let place = Place::new();
    let program = place.outside.join("program");
    fs::write(&program, "#!/bin/sh\ntouch \"$(dirname \"$0\")/it-ran\"\ncat\n").unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    fs::write(place.checkout.join(".gitattributes"), "* filter=a=b diff=x\n").unwrap();
    commit_all(&place.checkout);
    let git = |args: &[&str]| drop(git(&place.checkout, args));
    let settings = [
        "core.fsmonitor",
        "filter.a=b.clean",
        "filter.a=b.process",
        "diff.x.textconv",
        "diff.external",
        "core.sshCommand",
        "core.pager",
        "core.alternateRefsCommand",
    ];
    for setting in settings {
        git(&["config", setting, program]);
    }
    git(&["config", "filter.a=b.required", "true"]);
    // Git looks into a file again that is as long as before, and was written since.
    let values = place.checkout.join("glance/values.yaml");
    fs::write(&values, fs::read(&values).unwrap()).unwrap();
    for args in [
        &["apply", "--release-notes"][..],
        &["verify", "--helm", "no-such-helm"],
        &["apply", "--allow-dirty"],
    ] {
        run(&place.checkout, args);
        assert!(!place.outside.join("it-ran").exists(), "{args:?}");
    }
}

/// Taking filters away must not take away what the caller of the program tells git by GIT_CONFIG_COUNT.
#[test]
fn the_callers_own_settings_of_git_stay() {
    let place = Place::new();
    commit_all(&place.checkout);
    git(&place.checkout, &["config", "filter.x.clean", "cat"]);
    let (ignore, values) = (place.outside.join("ignore"), place.checkout.join("glance/values.yaml"));
    fs::write(&ignore, "values.yaml\n").unwrap();
    git(&place.checkout, &["rm", "--quiet", "--cached", values.to_str().unwrap()]);
    let mut apply = command(&place.checkout, &["apply"]);
    apply.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.excludesFile")]);
    let said = finished(apply.env("GIT_CONFIG_VALUE_0", &ignore).output().unwrap()).stderr;
    assert!(said.contains("refused[uncommitted]: glance/values.yaml: is ignored by git"), "{said}");
}

/// Git asks a submodule what has changed in it by a git of its own, which would look at the settings there.
#[test]
fn no_program_runs_that_a_submodule_names() {
    let place = Place::new();
    let (program, it_ran) = (place.outside.join("program"), place.outside.join("it-ran"));
    fs::write(&program, format!("#!/bin/sh\ntouch {}\ncat\n", it_ran.display())).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(place.checkout.join("releasenotes/notes")).unwrap();
    let sub = place.checkout.join("sub");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join(".gitattributes"), "* filter=x\n").unwrap();
    fs::write(sub.join("file"), "a").unwrap();
    commit_all(&sub);
    commit_all(&place.checkout);
    git(&sub, &["config", "filter.x.clean", program.to_str().unwrap()]);
    for args in [&["plan", "--release-notes"][..], &["verify", "--helm", "no-such-helm"], &["apply"]] {
        // As long as before, and written since.
        fs::write(sub.join("file"), "b").unwrap();
        run(&place.checkout, args);
        assert!(!it_ran.exists(), "{args:?}");
    }
    // Git itself runs it.
    git(&place.checkout, &["diff", "HEAD", "--name-only"]);
    assert!(it_ran.exists());
}

type Template<'t> = (&'t str, &'t dyn Fn(usize) -> String);

/// Where many objects, actions and branches are in one template, as hostile ones have it: a template of 5 MiB with
/// 200 pods takes a second.
#[test]
fn templates_take_no_longer_where_they_hold_many_pods() {
    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  serviceAccountName: {{ $a }}\n  containers:\n    - image: x\n      args:\n";
    let pods = |count: usize, before: &str, line: &str, behind: &str| -> String {
        format!("{before}{POD}{}{behind}", line.repeat(160)).repeat(count)
    };
    let templates: [Template<'_>; 9] = [
        ("conditions", &|count| pods(count, "", "        {{ if .a }}- b{{ end }}\n", "---\n")),
        ("variables", &|count| pods(count, "", "        {{ $a := $b }}\n", "---\n")),
        ("printed variables", &|count| {
            let list = "{{ define \"l\" }}\nimagePullSecrets:\n  - name: a\n{{ end }}\n";
            let (set, printed) = ("{{ $a := \"b\" }}\n", "  {{ $a }}\n");
            format!("{list}{}{POD}{}", set.repeat(count * 160), printed.repeat(count * 160))
        }),
        ("branches", &|count| pods(count, "{{ if .a }}\n", "        - b\n", "{{ end }}\n")),
        ("a define", &|count| {
            let pods = pods(count, "", "        - {{ $envAll.Values.b }}\n", "---\n");
            format!(
                "{{{{ define \"d\" }}}}\n{{{{ $envAll := . }}}}\n{pods}{{{{ end }}}}\n{{{{ include \"d\" . }}}}\n"
            )
        }),
        ("accounts", &|count| {
            let account = "---\nkind: ServiceAccount\nmetadata:\n  name: ";
            let pods = (0..count * 20)
                .map(|pod| format!("{}{account}{pod}\n---\n", POD.replace("$a", &format!(".a{pod}"))));
            pods.collect()
        }),
        ("defines", &|count| {
            let define = |of: usize| {
                format!(
                    "{{{{ define \"{of}\" }}}}\nimagePullSecrets:\n{{{{ include \"{of}\" . }}}}\n{{{{ end }}}}\n"
                )
            };
            (0..count * 20).map(define).chain([POD.to_owned()]).collect()
        }),
        ("printed objects", &|count| format!("{}---\n{POD}", "{{ toYaml .Values.a }}\n".repeat(count * 160))),
        ("blocks in blocks", &|count| {
            format!(
                "{}{}{}",
                "{{ if .a }}\n".repeat(count * 160),
                pods(count, "", "", "---\n"),
                "{{ end }}\n".repeat(count * 160)
            )
        }),
    ];
    for (what, template) in templates {
        let least = |count: usize| {
            let place = Place::new();
            fs::create_dir_all(place.checkout.join("glance/templates")).unwrap();
            fs::write(place.checkout.join("glance/templates/pods.yaml"), template(count)).unwrap();
            let runs = (0..3).map(|_| {
                let start = Instant::now();
                let plan = run(&place.checkout, &["check", "-q"]);
                assert_eq!(plan.code, 1, "{what}: {}", plan.stderr);
                start.elapsed()
            });
            runs.min().unwrap()
        };
        let (few, many) = (least(25), least(200));
        assert!(many < few * 24, "{what}: {few:?} for 25 pods, {many:?} for eight times as many");
    }
}

/// However deep charts are in charts, one folder is open at a time.
#[test]
fn charts_in_charts_take_no_more_open_files() {
    let work = tempfile::tempdir().unwrap();
    let mut folder = work.path().to_owned();
    for _ in 0..100 {
        folder.push("a");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Chart.yaml"), "name: helm-toolkit\n").unwrap();
        folder.push("charts");
    }
    let limited = format!("ulimit -n 40; exec {PROGRAM} plan -q -j 1");
    let plan = Command::new("sh").args(["-c", &limited]).current_dir(work.path()).output().unwrap();
    let said = finished(plan).stderr;
    // Two for each.
    assert_eq!(said.matches("refused[toolkit-too-old]").count(), 200, "{said}");
}

/// Each is compared with the others.
#[test]
fn more_pods_in_one_document_than_can_be_told_apart_are_refused() {
    let place = Place::new();
    let pod = "{{ if .a }}\nkind: Pod\napiVersion: v1\nspec:\n  containers: []\n{{ end }}\n";
    fs::create_dir_all(place.checkout.join("glance/templates")).unwrap();
    for (count, is_refused) in [(200, false), (201, true)] {
        fs::write(place.checkout.join("glance/templates/pods.yaml"), pod.repeat(count)).unwrap();
        let said = run(&place.checkout, &["plan"]).stderr;
        assert_eq!(
            said.contains("glance/templates/pods.yaml: has more objects or pods in one document"),
            is_refused,
            "{said}"
        );
    }
}

#[test]
fn findings_take_no_longer_where_there_are_many() {
    let place = Place::new();
    assert_eq!(place.apply().code, 0);
    let values = place.checkout.join("glance/values.yaml");
    let text = fs::read_to_string(&values).unwrap();
    let entry = "  oci_image_registry:\n    glance: ";
    assert!(text.contains(entry), "{text}");
    let least = |keys: usize| {
        let stale: Vec<String> = (0..keys).map(|key| format!("    stale-{key}: y\n")).collect();
        let stale = stale.concat();
        fs::write(&values, text.replacen(entry, &format!("  oci_image_registry:\n{stale}    glance: "), 1))
            .unwrap();
        let runs = (0..3).map(|_| {
            let start = Instant::now();
            let check = run(&place.checkout, &["check"]);
            assert_eq!(check.stdout.matches("warning[wrong-key]").count(), keys, "{}", check.stderr);
            start.elapsed()
        });
        runs.min().unwrap()
    };
    let (few, many) = (least(4_000), least(32_000));
    assert!(many < few * 24, "{few:?} for 4,000, {many:?} for eight times as many");
}
