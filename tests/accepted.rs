//! What Helm accepts is accepted, what it does not read is refused, and so is what it drops. The real Helm says
//! which is which.

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
use std::process::Command;

use common::helm::helm;
use common::{Run, run};
use osh_registry_auth::yaml;
use serde_json::Value;
use tempfile::TempDir;

const CHART: &str = "apiVersion: v2\nname: demo\nversion: 0.1.0\n";

const VALUES: &str = "images: {}\nmanifests:\n  a: true\n";

/// Prints the values as Helm has them. The program takes the chart for one that uses helm-toolkit.
const TEMPLATE: &str = "{{/* \"helm-toolkit. */}}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  values: {{ toJson .Values | quote }}\n";

fn chart(metadata: &str, values: &str) -> TempDir {
    let chart = tempfile::tempdir().unwrap();
    fs::create_dir(chart.path().join("templates")).unwrap();
    fs::write(chart.path().join("templates/values.yaml"), TEMPLATE).unwrap();
    fs::write(chart.path().join("Chart.yaml"), metadata).unwrap();
    fs::write(chart.path().join("values.yaml"), values).unwrap();
    chart
}

/// The values as Helm has them, or what it complains of.
fn helm_reads(metadata: &str, values: &str) -> Result<Value, String> {
    let chart = chart(metadata, values);
    let output = Command::new(helm()).args(["template", "x"]).arg(chart.path()).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("  values: ")).unwrap();
    let json: String = serde_json::from_str(line).unwrap();
    Ok(serde_json::from_str(&json).unwrap())
}

fn values_of(chart: &Path) -> String {
    fs::read_to_string(chart.join("values.yaml")).unwrap()
}

/// What `apply` makes of values.yaml.
fn applied(metadata: &str, values: &str) -> Result<String, Run> {
    let chart = chart(metadata, values);
    let apply = run(chart.path(), &["apply", "-q"]);
    let new = values_of(chart.path());
    if apply.code == 0 {
        return Ok(new);
    }
    assert_eq!(new, values, "refused and written");
    Err(apply)
}

/// All of `old` is in `new`. Of null, which is no mapping, one may come to be.
fn assert_kept(old: &Value, new: &Value, what: &str) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                assert_kept(value, new.get(key).unwrap_or_else(|| panic!("{what}: lost {key}")), what);
            }
        }
        (Value::Null, Value::Object(_)) => {}
        _ => assert_eq!(old, new, "{what}"),
    }
}

/// Helm reads the text, and out of the edited one the same and our entries; every line of the text is kept.
fn assert_edited(values: &str) {
    let before = helm_reads(CHART, values).unwrap_or_else(|error| panic!("{values:?}: {error}"));
    let new = applied(CHART, values).unwrap_or_else(|refused| panic!("{values:?}: {}", refused.stderr));
    let after = helm_reads(CHART, &new).unwrap_or_else(|error| panic!("{new:?}: {error}"));
    assert_kept(&before, &after, &new);
    assert_eq!(after["secrets"]["oci_image_registry"]["demo"], "demo-oci-image-registry-key", "{new}");
    assert_eq!(after["endpoints"]["oci_image_registry"]["auth"]["enabled"], false, "{new}");
    assert_eq!(after["manifests"]["secret_registry"], true, "{new}");
    let mut lines = new.lines();
    for line in values.lines() {
        assert!(lines.any(|other| other == line), "{line:?} of {values:?} is not in\n{new}");
    }
    assert!(applied(CHART, &new).is_ok_and(|again| again == new), "a second run changes {new}");
}

/// Refused with this id, at a place in values.yaml; the chart that lacks nothing but this text as well.
fn assert_refused(values: &str, id: &str) {
    let complete = applied(CHART, VALUES).ok().unwrap();
    for values in [values.to_owned(), values.replace(VALUES, &complete)] {
        let Err(refused) = applied(CHART, &values) else { panic!("{values:?} is not refused") };
        let expected = format!("refused[{id}]: values.yaml:");
        assert!(refused.stderr.contains(&expected), "{values:?}: {}", refused.stderr);
        let check = run(chart(CHART, &values).path(), &["check"]);
        assert_eq!(check.code, 2, "{values:?}: {}", check.stdout);
    }
}

#[test]
fn a_tab_behind_a_colon_is_a_blank() {
    let lines = [
        "k:\tv",
        "k: \tv",
        "k:\t v",
        "k:\t\tv",
        "k:\t-1",
        "k:\t\"v\"",
        "\"k\"\t:\tv",
        "k\t: v",
        "k:\t# c",
        "k:\tv\t# c",
        "k:\t{a:\t1}",
        "k: {\"a\":\t1\t,\tb: 2}",
        "k: [a:\t1]",
        "k:\n  a:\n    b:\tc\n    d: \te\t",
        "k:\n  - a:\tb\n    c: d",
        "k:\t|\n  a:\tb\n  \tc:\td",
        "k:\t>-\n  a:\tb\n  \tc:\td",
        "k:\t\"a:\tb\"\nl: 'c:\td'",
        "k: \"a:\\tb:\t\\\n  c:\t\"",
        "k: &x\tv\nl:\t*x",
        "x: &x {a: 1}\nk:\n  <<:\t*x",
        "k:\t!!str v",
    ];
    for line in lines {
        assert_edited(&format!("{VALUES}{line}\n"));
        let in_block = format!("images: {{}}\nsecrets:\n  {}\n", line.replace('\n', "\n  "));
        assert_edited(&in_block.replace('\n', "\r\n"));
    }
    assert_edited("images:\t{}\nmanifests:\t\n  a:\ttrue\nsecrets:\t\nendpoints:\t# none\n");
    let new = applied(CHART, "images: {}\nmanifests:\t~\n").ok().unwrap();
    assert!(new.contains("\nmanifests:\n  secret_registry: true\n"), "{new}");
}

#[test]
fn nothing_is_lost_behind_a_bare_marker() {
    let ends = [
        "---",
        "---\n",
        "...",
        "...\n",
        "---\n---\n",
        "...\n---\n",
        "---\n...\n",
        "--- # c\n",
        "--- \t\n",
        "---\n# c\n\n  # d\n",
        "\n\n---\n",
        "# of the end\n---\n",
        "...\nthese notes are no YAML: {\n",
        "...\nnotes\n",
    ];
    let texts = [
        VALUES.to_owned(),
        format!("---\n{VALUES}"),
        format!("{VALUES}l:\n  - a\n"),
        format!("{VALUES}l: |\n  a\n"),
        format!("{VALUES}l: |+\n  a\n\n"),
        "images: {}\nmanifests:\n".to_owned(),
    ];
    for text in texts {
        for end in ends {
            assert_edited(&format!("{text}{end}"));
        }
    }
    for end in ends {
        assert_edited(&format!("{VALUES}{end}").replace('\n', "\r\n"));
    }
}

#[test]
fn what_helm_drops_is_refused() {
    let ends = [
        "---\nb: 1\n",
        "--- b\n",
        "---\n{\n",
        "---\n---\nb: 1\n",
        "---\n# c\n---\nb: 1\n",
        "...\n---\nb: 1\n",
        "...\nb: 1\n",
        "...\n- b\n",
        "...\n# c\nsecrets: {}\n",
        "--- |\n text\n",
        "...\n%YAML 1.1\n---\nb: 1\n",
    ];
    for end in ends {
        let values = format!("{VALUES}{end}");
        assert_eq!(helm_reads(CHART, &values), helm_reads(CHART, VALUES), "{end:?}");
        assert_refused(&values, "yaml-second-document");
    }
    for start in ["---\n---\n", "---\n...\n", "null\n---\n", "a: 1\n---\n", "images: {}\n...\n"] {
        let values = format!("{start}{VALUES}");
        assert!(helm_reads(CHART, &values).is_ok_and(|values| values["manifests"].is_null()), "{start:?}");
        assert_refused(&values, "yaml-second-document");
    }
}

#[test]
fn what_helm_does_not_read_is_refused() {
    let keys = [
        "? [a]\n: b",
        "? [a]",
        "[a]: b",
        "{a: 1}: b",
        "? a: 1\n: b",
        "? - a\n: b",
        "? x: y",
        "k: {[a]: b}",
        "k: {? [a] : b}",
        "k: [{a: 1}: b]",
        "k:\n  - [a]: b",
        "&a [a]: b",
        "k: {{ .Values.x }}",
        "x: &x [a]\nk:\n  *x : b",
        "x: &x {a: 1}\n? *x\n: b",
        "~: b",
        "null: b",
        ": b",
        "k:\n  : b",
        "? \n: b",
        "k: {: b}",
    ];
    let syntax = [
        "k:\n  -\tx",
        "k:\n  - \tx",
        "k:\n  -\ta: 1",
        "k:\n  -\t\n  - b",
        "k:\n  -\t|\n    x",
        "? k\n: \ta: 1",
        "k: 1\n\t\nl: 2",
        "k: |\n  a\n\t",
        "k: {a\n  b: c}",
        "k: [&a.b x]",
        "z: [",
        "z: \"",
        "k: .inf",
        "k: [-.Inf, .nan]",
        "k: \"\\/\"",
        "k:\n  <<: a",
        "k:\n  <<:",
        "x: &x [{a: 1}]\nk:\n  <<: *x",
        "k:\n  <<: [{a: 1}, b]",
    ];
    let tabs = ["k: 1\n\t# c\nl: 2", "k:\n\ta: 1", "k:\n \ta: 1", "\tk: 1", "k: {\n\ta: 1\n\t}", "k: a\n\tb"];
    for (lines, id) in [(&keys[..], "yaml-key"), (&syntax[..], "yaml-syntax"), (&tabs[..], "yaml-tab")] {
        for line in lines {
            let values = format!("{VALUES}{line}\n");
            assert!(helm_reads(CHART, &values).is_err(), "{values:?} is read by Helm");
            assert_refused(&values, id);
        }
    }
    for start in ["%YAML 1.2\n---\n", "%FOO bar\n---\n"] {
        assert!(helm_reads(CHART, &format!("{start}{VALUES}")).is_err(), "{start:?} is read by Helm");
        assert_refused(&format!("{start}{VALUES}"), "yaml-syntax");
    }
}

#[test]
fn keys_and_numbers_that_helm_takes_are_left_alone() {
    let lines = [
        "? k\n: b",
        "1: b",
        "1.5: b",
        ".inf: b",
        "true: b",
        "2001-01-01: b",
        "\"\": b",
        "'[a]': b",
        "k: '.inf'",
        "k: \"a\\\\/b\"",
        "x: &x {a: 1}\nk:\n  <<: [*x, {b: 1}]",
        "k:\n  '<<': a",
        "k: '{{ .Values.x }}'",
    ];
    for line in lines {
        assert_edited(&format!("{VALUES}{line}\n"));
    }
    assert_edited(&format!("%YAML 1.1\n---\n{VALUES}"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    for values in [
        VALUES.to_owned(),
        format!("---\n{VALUES}"),
        format!("# c\n{VALUES}---\n"),
        VALUES.replace('\n', "\r\n"),
    ] {
        assert_edited(&format!("\u{feff}{values}"));
        let metadata = format!("\u{feff}{CHART}");
        assert!(helm_reads(&metadata, &values).is_ok());
        let new = applied(&metadata, &values);
        assert!(new.is_ok_and(|new| new.contains("demo: demo-oci-image-registry-key")), "{values:?}");
    }
}

/// The name of the Secret that the values have of a chart with this name.
fn secret_name(chart_name: &str, args: &[&str]) -> Result<String, Run> {
    let chart = chart(&CHART.replace("demo", &format!("\"{chart_name}\"")), VALUES);
    let apply = run(chart.path(), &[&["apply", "-q"], args].concat());
    if apply.code != 0 {
        return Err(apply);
    }
    let values = helm_reads(CHART, &values_of(chart.path())).unwrap();
    Ok(values["secrets"]["oci_image_registry"][chart_name].as_str().unwrap().to_owned())
}

#[test]
fn a_chart_may_have_a_name_that_no_secret_can_have() {
    let long = "x".repeat(250);
    let cut = format!("{}-oci-image-registry-key", "x".repeat(230));
    let names = [
        ("demo", "demo-oci-image-registry-key"),
        ("a.b", "a.b-oci-image-registry-key"),
        ("controller_manager", "controller-manager-oci-image-registry-key"),
        ("My.Chart", "my-chart-oci-image-registry-key"),
        ("_x", "x-oci-image-registry-key"),
        ("a..b_", "a--b--oci-image-registry-key"),
        (&long, &cut),
    ];
    for (chart, expected) in names {
        assert_eq!(secret_name(chart, &[]).ok().as_deref(), Some(expected), "{chart}");
    }
    assert_eq!(secret_name("My.Chart", &["--secret-name", "pull"]).ok().as_deref(), Some("pull"));
    let chosen = secret_name("controller_manager", &["--secret-name", "{chart}-key"]).err().unwrap();
    let expected =
        "refused[secret-name]: Chart.yaml:2:7: a Secret cannot be called \"controller_manager-key\"";
    assert!(chosen.stderr.starts_with(expected), "{}", chosen.stderr);
}

#[test]
fn a_name_that_the_owner_chose_and_no_secret_can_have_is_reported() {
    for (name, is_right) in [
        ("my-name", true),
        ("my.name", true),
        ("'my-name'", true),
        ("My_Name", false),
        ("-x", false),
        ("\"\"", false),
        ("'123'", false),
        ("true", false),
        ("\"{{ .Release.Name }}\"", false),
        ("a b", false),
    ] {
        let values = format!("{VALUES}secrets:\n  oci_image_registry:\n    demo: {name}\n");
        let chart = chart(CHART, &values);
        assert_eq!(run(chart.path(), &["apply", "-q"]).code, 0, "{name}");
        assert!(values_of(chart.path()).contains(&format!("    demo: {name}\n")), "{name}");
        let check = run(chart.path(), &["check"]);
        let is_reported = check.stdout.contains(":11: error[secret-name]: a Secret cannot be called ");
        assert_eq!((check.code == 0, is_reported), (is_right, !is_right), "{name}: {}", check.stdout);
    }
}

/// A chart is complete only if Helm reads so out of all of its values.
#[test]
fn nothing_is_complete_that_only_looks_so() {
    let complete = applied(CHART, VALUES).ok().unwrap();
    let findings = |values: &str| {
        let check = run(chart(CHART, values).path(), &["check"]);
        (check.code, check.stdout)
    };
    // The Secret's template is not asked of this chart, which is read alone.
    let quiet = findings(&complete).1;
    let in_a_string = complete.trim_end().replace('\n', "\n  ");
    for (values, id) in [
        (format!("{complete}z: [\n"), "yaml-syntax"),
        (format!("{complete}z: \"\n"), "yaml-syntax"),
        (complete.replace("secret_registry: true", "<<: x"), "yaml-syntax"),
        (format!("images: {{}}\nnote: |\n  {in_a_string}\n"), "missing-endpoints-entry"),
        (
            format!(
                "images: {{}}\nmanifests: {{secret_registry:, a: 1}}\n{}",
                complete.split("manifests:").next().unwrap().replace("images: {}\n", "")
            ),
            "yaml-syntax",
        ),
    ] {
        let (code, said) = findings(&values);
        assert_ne!(code, 0, "{values}");
        assert!(said.contains(&format!("error[{id}]")), "{id}: {said}\n{values}");
        assert!(!quiet.contains(&format!("error[{id}]")), "{quiet}");
    }
}

/// Plain scalars of every kind that YAML 1.1 has, and such as only look like one.
const SCALARS: &str = "\
y Y n N yes Yes YES yEs no No NO nO on On ON oN off Off OFF oFf true True TRUE tRue false False FALSE fAlse ~ null
Null NULL nULL 0555 0o555 0O17 0o8 0o 0x1F 0X1f 0x1_F 0x_1F 0x 0xg 0b11 0B11 -0b11 +0b11 0b12 0b 0b1_1 -0x1F +0x1F
1_000 1__0 _1 -_1 5_ 1_000.5 1e3 1E3 1e+3 1e-3 1e 1e3.5 1_0e3 1e1_0 1e400 -1e400 1.5 1. .5 +.5 -.5 .1e5 1.e5 .e5 e5
+e5 .5_0 ._5 .5_ 0.5_ .1.2 .0x1p4 0x1p4 1f 0d5 +5 -5 --5 +-5 0 00 -0 +0 0.0 08 -08 09.5 0_7 0777.5 1.0 0.1e-7 . .. +
= 12:30:45 1:30 2001-01-01 2001-01-01T00:00:00Z 99999999999999999999 18446744073709551615 18446744073709551616
9223372036854775808 -9223372036854775809 100000000000000000000000 1e21 123456789012 infinity Infinity nan NaN +Inf";

#[test]
fn scalars_are_read_as_helm_reads_them() {
    let words: Vec<&str> = SCALARS.split_whitespace().collect();
    assert!(words.len() >= 125, "{}", words.len());
    let values = helm_reads(CHART, &format!("list:\n- {}\n", words.join("\n- "))).unwrap();
    for (word, helm) in words.iter().zip(values["list"].as_array().unwrap()) {
        let own: Value = match yaml::resolve(word) {
            Some(json) => serde_json::from_str(&json).unwrap(),
            None => (*word).into(),
        };
        // Helm makes floats of all numbers in values.
        let is_same = helm.as_f64().map_or(helm == &own, |number| Some(number) == own.as_f64());
        assert!(is_same, "{word}: {helm} to Helm, {own} here");
    }
}
