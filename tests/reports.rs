//! What people and programs read of a plan: JSON by its schema, Markdown that fits into a comment.
//! The page is in tests/page.rs.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{assert_snapshot, assert_valid, copy, run, testdata, tree, tree_args, trees};
use serde_json::Value;

fn json_of(dir: &Path, args: &[&str]) -> Value {
    let run = run(dir, &[&["plan", "--format", "json"], args].concat());
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

/// Every tree's plan is what the schema says, and what the diff is made of.
#[test]
fn json_is_what_its_schema_says() {
    let mut with_changes = 0;
    for name in trees() {
        let (work, args) = (tree(&name), tree_args(&name));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let plan = json_of(work.path(), &args);
        assert_valid("src/report/plan.schema.json", &plan);
        let diffs: String = files(&plan).iter().map(|file| file["diff"].as_str().unwrap()).collect();
        let diff = run(work.path(), &[&["plan"][..], &args].concat()).stdout;
        assert_eq!(diffs, diff, "{name}");
        with_changes += usize::from(!diff.is_empty());
        let ids: BTreeSet<&str> =
            plan["shapes"].as_array().unwrap().iter().map(|shape| shape["id"].as_str().unwrap()).collect();
        for shape in files(&plan).iter().flat_map(|file| file["shapes"].as_array().unwrap()) {
            assert!(ids.contains(shape.as_str().unwrap()), "{name}: {shape}");
        }
    }
    assert!(with_changes >= 15, "only {with_changes} trees change");
}

/// The files that change, sorted by path as in the diff.
fn files(plan: &Value) -> Vec<&Value> {
    let charts = plan["charts"].as_array().unwrap().iter().chain([&plan["checkout"]]);
    let mut files: Vec<&Value> = charts.flat_map(|chart| chart["files"].as_array().unwrap()).collect();
    files.sort_by_key(|file| Path::new(file["path"].as_str().unwrap()));
    files
}

#[test]
fn markdown_shows_each_edit_once() {
    let work = tree("openstack-helm");
    let before = work.path();
    let markdown = run(before, &["plan", "-q", "--format", "markdown"]).stdout;
    assert_snapshot(&testdata("reports/plan.md"), &markdown);
    let plan = json_of(before, &[]);
    let shapes = plan["shapes"].as_array().unwrap().len();
    assert_eq!(markdown.lines().filter(|line| line.starts_with("### ")).count(), shapes);
    // What is out of the ordinary comes first, and is counted at the top.
    let headings: Vec<&str> = markdown.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(headings.first(), Some(&"## Exceptions"));
}

/// Whether lines in a template are right depends on what is around them: each place is shown, and the fold has
/// only files that are not shown.
#[test]
fn every_edit_of_a_template_is_shown() {
    let work = tempfile::tempdir().unwrap();
    let source = testdata("trees/openstack-helm/before/blackbox");
    let names = ["one", "two", "three"];
    for name in names {
        let chart = work.path().join(name);
        copy(&source, &chart);
        let text = fs::read_to_string(chart.join("Chart.yaml")).unwrap();
        fs::write(chart.join("Chart.yaml"), text.replace("prometheus-blackbox-exporter", name)).unwrap();
    }
    let plan = |args: &[&str]| run(work.path(), &[&["plan", "-q"], args].concat());
    let markdown = plan(&["--format", "markdown"]).stdout;
    let page = plan(&["--format", "html"]).stdout;
    let (edits, fold) = markdown.split_once("<details>").unwrap();
    let shapes = page.split_once("id=\"shapes\"").unwrap().1.split_once("</section>").unwrap().0.to_owned();
    for name in names {
        let file = format!("{name}/templates/deployment.yaml");
        assert!(edits.contains(&format!("Shown for `{file}`")), "{markdown}");
        assert!(shapes.contains(&format!("Shown for <code>{file}</code>")), "{shapes}");
        assert!(!fold.contains(&format!("+++ b/{file}")), "{fold}");
    }
    // Of what is the same wherever it is, one is shown, and the fold has the others.
    assert!(edits.contains("Shown for `one/values.yaml`") && !edits.contains("Shown for `two/values.yaml`"));
    assert!(fold.contains("+++ b/two/values.yaml") && !fold.contains("+++ b/one/values.yaml"), "{fold}");
}

/// What differs from chart to chart is a parameter, and else two edits are two shapes.
#[test]
fn shapes_differ_by_more_than_names() {
    let work = tempfile::tempdir().unwrap();
    for (name, values) in [
        ("one", "images: {}\nmanifests:\n  a: true\n"),
        ("registry", "images: {}\nmanifests:\n  a: true\n"),
        ("wide", "images: {}\nmanifests:\n    a: true\n"),
        ("flow", "images: {}\nmanifests: {a: true}\n"),
        ("secrets", "images: {}\nsecrets:\n  oci_image_registry: {}\nmanifests:\n  a: true\n"),
    ] {
        let chart = work.path().join(name);
        fs::create_dir(&chart).unwrap();
        let text =
            format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies:\n  - name: helm-toolkit\n");
        fs::write(chart.join("Chart.yaml"), text).unwrap();
        fs::write(chart.join("values.yaml"), values).unwrap();
    }
    let plan = json_of(work.path(), &[]);
    let mut said = String::new();
    for shape in plan["shapes"].as_array().unwrap() {
        let charts = shape["uses"].as_array().unwrap().iter().map(|used| used["chart"].as_str().unwrap());
        let charts: Vec<&str> = charts.collect();
        let (rule, action, target) = (&shape["rule"], &shape["action"], &shape["target"]);
        writeln!(said, "{rule} {action} {target} {}: {}", shape["parameters"], charts.join(", ")).unwrap();
    }
    assert_snapshot(&testdata("reports/shapes.txt"), &said);
    // A line that changes is among the exceptions.
    let markdown = run(work.path(), &["plan", "-q", "--format", "markdown"]).stdout;
    assert_eq!(markdown.matches("(line-changed)").count(), 2, "{markdown}");
}

/// A chart may be called by a word that stands in what it gets anyway: a placeholder is where the rule put its text, and
/// each chart has the same shapes alone as with the others.
#[test]
fn a_placeholder_is_where_the_rule_put_it() {
    let names = ["registry", "oci", "key", "values", "a", "auth", "5000", "CHART", "nova", "prometheus-a"];
    let manifests = "images: {}\nmanifests:\n  a: true\n";
    let auth = "endpoints:\n  oci_image_registry:\n    auth:\n      enabled: false\n";
    let login = format!("{auth}      'NAME':\n        username: x\n");
    let wrong = "secrets:\n  oci_image_registry:\n    x: x-oci-image-registry-key\n";
    for (values, target) in [
        (manifests.to_owned(), "values.yaml: manifests"),
        (format!("{manifests}{auth}"), "values.yaml: endpoints.oci_image_registry.auth"),
        (format!("{manifests}{login}"), "values.yaml: endpoints.oci_image_registry.auth.CHART"),
        (format!("{manifests}{wrong}"), "values.yaml: secrets.oci_image_registry"),
    ] {
        let work = tempfile::tempdir().unwrap();
        for name in names {
            let chart = work.path().join(name);
            fs::create_dir(&chart).unwrap();
            let text = format!("name: '{name}'\nversion: 0.1.0\ndependencies:\n  - name: helm-toolkit\n");
            fs::write(chart.join("Chart.yaml"), text).unwrap();
            fs::write(chart.join("values.yaml"), values.replace("NAME", name)).unwrap();
        }
        let shapes = |charts: &[&str]| {
            let mut plan = json_of(work.path(), &[charts, &["--rename-wrong-keys"]].concat());
            let shapes = plan["shapes"].as_array_mut().unwrap();
            for shape in shapes {
                let uses = shape.as_object_mut().unwrap().remove("uses").unwrap();
                assert_eq!(uses.as_array().unwrap().len(), charts.len(), "{shape}");
            }
            plan["shapes"].take()
        };
        let usual: Vec<&str> = names.into_iter().filter(|name| *name != "CHART").collect();
        let all = shapes(&usual);
        assert!(all.as_array().unwrap().iter().any(|shape| shape["target"] == target), "{target}: {all:#}");
        for name in usual {
            assert_eq!(shapes(&[name]), all, "{name}");
        }
        // Kubernetes takes no Secret with capital letters: it gets another name, which no other chart has.
        let capital = shapes(&["CHART"]).to_string();
        assert!(!capital.contains("CHART-oci"), "{capital}");
        let name =
            if values.contains(wrong) { "\"text\":\"CHART-oci" } else { "\"SECRET_NAME\":\"CHART-oci" };
        assert!(all.to_string().contains(name), "{all:#}");
    }
}

/// 400 charts with long names: whatever is cut, a comment takes it.
#[test]
fn markdown_fits_into_a_comment() {
    let work = tempfile::tempdir().unwrap();
    let source = testdata("trees/openstack-helm/before/nova");
    for number in 0..80 {
        let chart = work.path().join(format!("chart-with-a-long-name-{number:03}"));
        copy(&source, &chart);
        let text = fs::read_to_string(chart.join("Chart.yaml")).unwrap();
        let named = text.replace("name: nova", &format!("name: chart-with-a-long-name-{number:03}"));
        assert_ne!(named, text);
        fs::write(chart.join("Chart.yaml"), named).unwrap();
    }
    let markdown = run(work.path(), &["plan", "-q", "--format", "markdown"]).stdout;
    let length = markdown.chars().count();
    assert!((50_000..60_000).contains(&length), "{length}");
    assert!(markdown.contains(" parts of this had no room in a comment: `plan -o plan.html` shows all.\n"));
    assert!(markdown.contains("<summary>") && markdown.contains(" files not shown above</summary>"));
    assert!(markdown.contains("80 of 80 charts get the secrets entry, the endpoints entry"));
}

/// Several at once, by ending or by name; and what is not clear is not guessed.
#[test]
fn reports_go_where_they_are_sent() {
    let work = tree("openstack-helm");
    let plan = |args: &[&str]| run(work.path(), &[&["plan", "-q"], args].concat());
    let read = |name: &str| fs::read_to_string(work.path().join(name)).unwrap();
    let (diff, json) = (plan(&[]).stdout, plan(&["--format", "json"]).stdout);
    let (markdown, html) = (plan(&["--format", "markdown"]).stdout, plan(&["--format=html"]).stdout);
    assert!(html.starts_with("<!DOCTYPE html>"), "{html}");

    let all = plan(&["-o", "p.diff", "-o", "p.json", "-o", "p.md", "-o", "p.HTML", "-o", "plan"]);
    assert_eq!((all.code, all.stdout.as_str(), all.stderr.as_str()), (0, "", ""));
    let written = ["p.diff", "p.json", "p.md", "p.HTML", "plan"].map(read);
    assert_eq!(written, [&diff, &json, &markdown, &html, &diff].map(String::as_str));
    assert_eq!(plan(&["--format", "json,html", "-o", "one", "-o", "two"]).code, 0);
    assert_eq!(["one", "two"].map(read), [json.clone(), html]);
    for unclear in [&["--format", "json,html"][..], &["--format", "json", "-o", "a", "-o", "b"]] {
        let refused = plan(unclear);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{unclear:?}");
        assert!(refused.stderr.contains("--output"), "{}", refused.stderr);
    }
    // apply writes them too, and what it did is what they say.
    assert_eq!(run(work.path(), &["apply", "-q", "-o", "applied.json"]).code, 0);
    assert_eq!(read("applied.json"), json);
}

#[test]
fn every_format_is_the_same_on_every_run() {
    let before = testdata("trees/openstack-helm/before");
    for format in ["diff", "json", "markdown", "html"] {
        let of = |jobs: &str| run(&before, &["plan", "-q", "--format", format, "--jobs", jobs]).stdout;
        let one = of("1");
        assert!(one.len() > 1000, "{format}");
        assert_eq!(one, of("4"), "{format}");
    }
}
