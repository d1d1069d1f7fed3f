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

use common::helm::{registry, render};
use common::python::python;
use common::{PROGRAM, after, assert_snapshot, command, copy, finished, run, testdata, tree};

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
    for command in ["plan", "apply", "check", "verify", "overrides"] {
        let help = run(Path::new("/"), &[command, "--help"]).stdout;
        // Examples have options of other programs.
        let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let words = lines.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
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

/// The values that docs/operators.md shows, in its order: the file in testdata/operators, from which line on, and
/// the arguments that make the program print it.
const SAMPLES: [(&str, &str, &str); 4] = [
    ("login.yaml", "", "--registry registry.example.com --username puller"),
    (
        "images.yaml",
        "images:\n",
        "--registry registry.example.com:5000/mirror --images --username puller -o out/",
    ),
    ("other-registry.yaml", "", ""),
    ("secret.yaml", "", "--existing-secret regcred"),
];

/// Every sample of values for operators is what the program prints. `SNAPSHOTS=overwrite` makes it that.
#[test]
fn the_values_for_operators_are_what_the_program_prints() {
    let tree = after("openstack-helm");
    let operators = text_of("docs/operators.md");
    let mut parts = operators.split("```yaml\n");
    let mut expected = parts.next().unwrap().to_owned();
    for (name, from, args) in SAMPLES {
        let file = testdata("operators").join(name);
        if !args.is_empty() {
            let args = format!("overrides --include nova --include postgresql {args}");
            let mut program = command(tree.path(), &args.split(' ').collect::<Vec<_>>());
            let done = finished(program.env("OSH_REGISTRY_AUTH_PASSWORD", "the-password").output().unwrap());
            assert_eq!(done.code, 0, "{}", done.stderr);
            let in_folder = fs::read_to_string(tree.path().join("out/nova/oci_registry.yaml"));
            assert_snapshot(
                &file,
                if done.stdout.is_empty() { in_folder.as_ref().unwrap() } else { &done.stdout },
            );
        }
        let text = fs::read_to_string(file).unwrap();
        let rest = parts.next().unwrap().split_once("```").unwrap().1;
        expected.extend(["```yaml\n", &text[text.find(from).unwrap()..], "```", rest]);
    }
    assert!(parts.next().is_none(), "a sample without a file");
    assert_snapshot(&repository("docs/operators.md"), &expected);
}

/// What Helm makes of these values, and of those of the page that `--docs` adds, is what is said of them.
#[test]
fn helm_takes_the_values_for_operators() {
    let tree = tree("openstack-helm");
    // A chart whose pods take a list of values, as those of OpenStack-Helm do.
    let snippet = "helm-toolkit/templates/snippets/_kubernetes_image_pull_secrets.tpl";
    fs::write(tree.path().join(snippet), LIST_SNIPPET).unwrap();
    let deployment = tree.path().join("nova/templates/deployment-api.yaml");
    let text = fs::read_to_string(&deployment).unwrap();
    let call = "{{ tuple $envAll \"api\" | include \"helm-toolkit.snippets.kubernetes_image_pull_secrets\" | indent 6 }}\n";
    fs::write(&deployment, text.replace("      containers:", &format!("{call}      containers:"))).unwrap();
    assert_eq!(run(tree.path(), &["apply", "--quiet"]).code, 0);

    let rendered = |chart: &str, files: &[PathBuf]| {
        let args: Vec<&str> = files.iter().flat_map(|file| ["-f", file.to_str().unwrap()]).collect();
        render(&tree.path().join(chart), &tree.path().join("helm-toolkit"), &args).unwrap()
    };
    let sample = |name: &str| testdata("operators").join(name);
    let login = "puller:the-password".to_owned();
    for chart in ["nova", "postgresql"] {
        let on = rendered(chart, &[sample("login.yaml")]);
        assert_eq!(registry(&on), ("registry.example.com".to_owned(), login.clone()));
    }
    let on = rendered("nova", &[sample("images.yaml")]);
    assert_eq!(registry(&on), ("registry.example.com:5000".to_owned(), login.clone()));
    let on = rendered("nova", &[sample("login.yaml"), sample("other-registry.yaml")]);
    let both = ["nova-oci-image-registry-key", "other-registry"];
    assert!(on.pods().iter().any(|(_, secrets)| secrets == &both), "{:?}", on.pods());
    let on = rendered("nova", &[sample("secret.yaml")]);
    assert_eq!(on.of_kind("Secret").count(), 0);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["regcred"]), "{:?}", on.pods());

    // Images where they are for, and elsewhere: the Secrets that are made elsewhere are not known.
    let of = |images: &str| format!("images.tags.nova_api={images}/nova:1");
    for (samples, image, sum) in [
        (&["login.yaml"][..], "registry.example.com", "1 of 1\n"),
        (&["login.yaml"], "registry.example.org", "0 of 1\n"),
        (&["images.yaml"], "registry.example.com:5000/mirror", "1 of 1\n"),
        (&["images.yaml"], "registry.example.com", "0 of 1\n"),
        (&["login.yaml", "other-registry.yaml"], "registry.example.org", "0 of 1; of 1 it is not known"),
        (&["secret.yaml"], "registry.example.com", "0 of 1; of 1 it is not known"),
    ] {
        let (helm, image) = (common::helm::helm().to_str().unwrap(), of(image));
        let mut args = vec!["verify", "--helm", helm, "--include", "nova", "--set", &image];
        let files: Vec<PathBuf> = samples.iter().map(|name| sample(name)).collect();
        args.extend(files.iter().flat_map(|file| ["--values", file.to_str().unwrap()]));
        let found = run(tree.path(), &args);
        let expected = format!("pods with a login for all of their images: {sum}");
        assert!(found.stdout.starts_with(&expected), "{samples:?}: {}{}", found.stdout, found.stderr);
    }

    let page = text_of("templates/registry-authentication.rst");
    let examples = page.split(".. code-block:: yaml\n\n").skip(1);
    let examples: Vec<PathBuf> = examples
        .enumerate()
        .map(|(number, rest)| {
            let lines = rest.lines().take_while(|line| line.starts_with("    "));
            let file = tree.path().join(format!("example-{number}.yaml"));
            fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
            file
        })
        .collect();
    let [with_login, with_secret] = &examples[..] else { panic!("{examples:?}") };
    assert_eq!(
        registry(&rendered("nova", std::slice::from_ref(with_login))),
        ("registry.example.com".to_owned(), login)
    );
    let on = rendered("nova", std::slice::from_ref(with_secret));
    assert_eq!(on.of_kind("Secret").count(), 0);
    assert!(on.pods().iter().all(|(_, secrets)| secrets == &["our-registry-key"]), "{:?}", on.pods());
}

const LIST_SNIPPET: &str = r#"{{- define "helm-toolkit.snippets.kubernetes_image_pull_secrets" -}}
{{- $envAll := index . 0 -}}
{{- with ($envAll.Values.pod).image_pull_secrets }}
imagePullSecrets:
{{ toYaml .default | indent 2 }}
{{- end }}
{{- end -}}
"#;
