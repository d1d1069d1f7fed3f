//! `verify` with an operator's values: whether the kubelet would pull each image with them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::Path;

use common::helm::{helm, helms};
use common::{Run, assert_valid, copy, run, testdata};
use tempfile::TempDir;

/// nova and falco of testdata/trees/openstack-helm/before, migrated, and a file with a password.
fn migrated() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    for chart in ["nova", "falco", "helm-toolkit"] {
        copy(&testdata("trees/openstack-helm/before").join(chart), &work.path().join("charts").join(chart));
    }
    let applied = run(work.path(), &["apply", "charts"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    fs::write(work.path().join("password"), "s3cret\n").unwrap();
    work
}

fn overrides(work: &Path, args: &[&str]) {
    let login = ["--username", "me", "--password-file", "password", "charts"];
    let login = if args.contains(&"--existing-secret") { &login[4..] } else { &login };
    let written = run(work, &[&["overrides"], args, login].concat());
    assert_eq!(written.code, 0, "{}", written.stderr);
}

fn verify(work: &Path, args: &[&str]) -> Run {
    verify_by(helm(), work, args)
}

fn verify_by(helm: &Path, work: &Path, args: &[&str]) -> Run {
    run(work, &[&["verify", "--helm", helm.to_str().unwrap(), "charts"], args].concat())
}

#[test]
fn what_overrides_writes_lets_the_kubelet_pull() {
    for registry in ["registry.example.com", "registry.example.com:5000/mirror", "docker.io"] {
        let work = migrated();
        overrides(work.path(), &["--registry", registry, "--images", "-o", "values/"]);
        for helm in helms() {
            let found = verify_by(helm, work.path(), &["--values-dir", "values"]);
            assert_eq!(found.code, 0, "{registry}: {}{}", found.stdout, found.stderr);
            let first = found.stdout.lines().next().unwrap();
            assert_eq!(first, "pods with a login for all of their images: 2 of 2", "{registry}");
        }
    }
}

/// Arguments for `overrides`, what is replaced in its files, arguments for `verify`, and what that says.
type Mistake<'m> = (&'m [&'m str], &'m str, &'m str, &'m [&'m str], &'m str);

/// Each mistake of an operator's, in the files that `overrides` writes; why, and with which id.
#[test]
fn mistakes_are_found_with_their_reasons() {
    let registry = &["--registry", "registry.example.com", "--images", "-o", "values/"][..];
    let edits: [Mistake<'_>; 9] = [
        (registry, "default: null", "default: 443", &[], "the key has the port 443, the image none"),
        (
            registry,
            "    port:\n      registry:\n        default: null\n",
            "",
            &[],
            "the key has the port 5000, the image none",
        ),
        (
            registry,
            "    hosts:\n      default: registry.example.com\n    host_fqdn_override:\n      default: registry.example.com\n",
            "",
            &[],
            "the image is at registry.example.com, the key is for ",
        ),
        (
            registry,
            "images:\n",
            "not_images:\n",
            &[],
            "the image is at registry.example.org, the key is for registry.example.com",
        ),
        (
            registry,
            "registry.example.com/",
            "registry.example.org/",
            &[],
            "the image is at registry.example.org",
        ),
        (
            registry,
            "\"s3cret\"",
            "password",
            &[],
            "error[placeholder-login]: with these values: the login is",
        ),
        (
            registry,
            "\"s3cret\"",
            "CHANGE-ME",
            &[],
            "error[placeholder-login]: with these values: the login is",
        ),
        (registry, "enabled: true", "enabled: false", &[], "error[secret-not-made]: with these values: "),
        (
            registry,
            "enabled: true",
            "enabled: true",
            &[
                "--set",
                "endpoints.oci_image_registry.host_fqdn_override.default=other.example.com,endpoints.oci_image_registry.hosts.default=other",
            ],
            "the key is for other.example.com",
        ),
    ];
    for (call, from, to, args, why) in edits {
        let work = migrated();
        overrides(work.path(), call);
        for chart in ["nova", "falco"] {
            let file = work.path().join("values").join(chart).join("oci_registry.yaml");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{from}:\n{text}");
            fs::write(file, text.replace(from, to)).unwrap();
        }
        let found = verify(work.path(), &[&["--values-dir", "values"], args].concat());
        assert_eq!(found.code, 1, "{to}: {}{}", found.stdout, found.stderr);
        assert!(found.stdout.contains(why), "{why}:\n{}", found.stdout);
        let first = found.stdout.lines().next().unwrap();
        let all = if why.contains("placeholder-login") { 2 } else { 0 };
        assert_eq!(first, format!("pods with a login for all of their images: {all} of 2"), "{why}");
    }
}

#[test]
fn one_file_serves_all_charts_and_says_what_it_does_not_serve() {
    let work = migrated();
    overrides(work.path(), &["--registry", "registry.example.com", "-o", "login.yaml"]);
    let found = verify(work.path(), &["--values", "login.yaml", "--format", "json"]);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    let report = serde_json::from_str(&found.stdout).unwrap();
    assert_valid("src/report/verify.schema.json", &report);
    let pulls = &report["pulls"];
    assert_eq!((&pulls["pods"], &pulls["with_login"]), (&2.into(), &0.into()));
    assert!(pulls["without"].as_array().unwrap().len() >= 2, "{pulls}");
    assert_eq!(report["charts"][0]["faults"][0]["id"], "image-without-credentials");
}

/// Nobody here knows what is in a Secret that is in the cluster already.
#[test]
fn a_secret_that_is_there_already_is_left_open() {
    let work = migrated();
    overrides(work.path(), &["--existing-secret", "regcred", "-o", "login.yaml"]);
    let found = verify(work.path(), &["--values", "login.yaml"]);
    assert_eq!(found.code, 0, "{}{}", found.stdout, found.stderr);
    assert!(
        found.stdout.starts_with("pods with a login for all of their images: 0 of 2; of 2 it is not known"),
        "{}",
        found.stdout
    );
    assert!(found.stdout.contains("note: the Secret regcred is not made here"), "{}", found.stdout);
}

#[test]
fn values_that_are_not_there_are_an_error() {
    let work = migrated();
    for args in [["--values", "nothing.yaml"], ["--values-dir", "nothing"]] {
        let found = verify(work.path(), &args);
        assert_eq!(found.code, 2);
        assert!(found.stderr.contains("cannot be read"), "{}", found.stderr);
    }
    fs::write(work.path().join("odd.yaml"), "a: [\n").unwrap();
    let found = verify(work.path(), &["--values", "odd.yaml"]);
    assert_eq!(found.code, 2);
    assert!(found.stdout.contains("nova: not verified: these values: Error:"), "{}", found.stdout);
}
