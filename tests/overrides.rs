//! `overrides`: what it writes makes Helm render the Secret that was asked for, in every chart.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use common::helm::{Rendered, name, pod_spec, registry, render, text_at};
use common::{Run, after, command, finished, run, tree};
use tempfile::TempDir;

/// What Helm renders of a chart of the tree with a file of values.
fn rendered(tree: &TempDir, chart: &str, values: &Path) -> Rendered {
    let toolkit = tree.path().join("helm-toolkit");
    render(&tree.path().join(chart), &toolkit, &["--values", values.to_str().unwrap()])
        .unwrap_or_else(|error| panic!("{chart}: {error}"))
}

/// Replaces a text in a file of the tree.
fn edit(tree: &TempDir, file: &str, old: &str, new: &str) {
    let path = tree.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file}: {old}");
    fs::write(path, text.replace(old, new)).unwrap();
}

/// Runs `overrides` with these arguments, and `input` on standard input.
fn overrides(dir: &Path, args: &[&str], input: &str) -> Run {
    let mut program = command(dir, &[&["overrides"], args].concat());
    program.env_remove("OSH_REGISTRY_AUTH_PASSWORD");
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end without reading it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    finished(child.wait_with_output().unwrap())
}

const CHARTS: [&str; 4] = ["nova", "falco", "kube-dns", "postgresql"];

#[test]
fn one_file_serves_every_chart() {
    let tree = after("openstack-helm");
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("login.yaml");
    for (asked, key) in [
        ("registry.example.com", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("registry.example.com:443/team/a", "registry.example.com:443"),
        ("10.0.0.5:5000", "10.0.0.5:5000"),
        ("10.0.0.5", "10.0.0.5"),
        ("[fd00::1]:5000", "[fd00::1]:5000"),
        ("localhost:5000", "localhost:5000"),
        ("docker.io/openstackhelm", "docker.io"),
    ] {
        let args = ["--registry", asked, "--username", "puller", "--password-file", "-", "-o"];
        let done = overrides(tree.path(), &[&args[..], &[file.to_str().unwrap()]].concat(), "secret\n");
        assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{asked}: {}", done.stderr);
        for chart in CHARTS {
            let on = rendered(&tree, chart, &file);
            assert_eq!(registry(&on), (key.to_owned(), "puller:secret".to_owned()), "{asked}: {chart}");
            let secret = format!("{chart}-oci-image-registry-key");
            for (pod, secrets) in on.pods() {
                assert_eq!(secrets, [secret.as_str()], "{asked}: {chart}: {pod}");
            }
        }
    }
}

#[test]
fn an_address_of_the_chart_gives_way_to_the_registry() {
    let tree = after("openstack-helm");
    edit(&tree, "falco/values.yaml", "      default: localhost", "      default: 10.9.9.9");
    // As in OpenStack-Helm, whose toolkit looks at no override then.
    let lookup = "helm-toolkit/templates/endpoints/_endpoint_host_lookup.tpl";
    edit(&tree, lookup, "if $override", "if and $override (not (regexMatch \"[.][0-9]+$\" $host))");
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("login.yaml");
    let done = overrides(tree.path(), &["--registry", "registry.example.com", "--username", "me"], "");
    fs::write(&file, &done.stdout).unwrap();
    assert_eq!(registry(&rendered(&tree, "falco", &file)).0, "registry.example.com");
}

/// Helm reads exactly the password that was given, whatever YAML would make of it.
#[test]
fn passwords_of_odd_characters_come_out_right() {
    let tree = after("openstack-helm");
    let work = tempfile::tempdir().unwrap();
    let (secret, file) = (work.path().join("password"), work.path().join("login.yaml"));
    let [secret, path] = [&secret, &file].map(|path| path.to_str().unwrap());
    let long = "x".repeat(2000);
    for password in [
        "0123",
        "yes",
        "null",
        "~",
        "1e5",
        "12345",
        "*login",
        "&a",
        "{{ fail }}",
        "a: b",
        "a #b",
        "'\"\\",
        "\\n",
        " two  spaces ",
        "%TAG",
        "é€😀\u{2028}\u{feff}",
        "-",
        "[x",
        "$HOME `id` $(id)",
        "a:b",
        &long,
    ] {
        for end in ["", "\n", "\r\n"] {
            fs::write(secret, format!("{password}{end}")).unwrap();
            let login = ["--username", "robot$osh+pull", "--password-file", secret, "-o", path];
            let done = overrides(tree.path(), &[&["--registry", "r.example.com"], &login[..]].concat(), "");
            assert_eq!(done.code, 0, "{password:?}: {}", done.stderr);
            // Once is enough for Helm, which takes its time.
            if end == "\n" {
                let login = registry(&rendered(&tree, "falco", &file)).1;
                assert_eq!(login, format!("robot$osh+pull:{password}"));
            } else {
                let values: serde_yaml::Value =
                    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
                let auth = &values["endpoints"]["oci_image_registry"]["auth"]["falco"];
                assert_eq!(text_at(auth, "password"), password, "{end:?}");
            }
        }
    }
}

#[test]
fn the_password_may_be_in_the_environment() {
    let tree = after("openstack-helm");
    let args = ["overrides", "--registry", "r.example.com", "--username", "me"];
    let mut program = command(tree.path(), &args);
    let done = finished(program.env("OSH_REGISTRY_AUTH_PASSWORD", "from outside").output().unwrap());
    assert!(done.stdout.contains("password: \"from outside\"\n"), "{}", done.stdout);
    let done = finished(program.env("OSH_REGISTRY_AUTH_PASSWORD", "").output().unwrap());
    assert!(done.stderr.contains("the password in $OSH_REGISTRY_AUTH_PASSWORD is empty"), "{}", done.stderr);
    let done = finished(program.env_remove("OSH_REGISTRY_AUTH_PASSWORD").output().unwrap());
    assert!(done.stdout.contains("password: \"CHANGE-ME\"\n"), "{}", done.stdout);
    assert!(done.stderr.contains("the password is CHANGE-ME"), "{}", done.stderr);
}

#[test]
fn a_secret_that_is_there_already_is_named() {
    let tree = after("openstack-helm");
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("secret.yaml");
    for (asked, of_nova) in [("regcred", "regcred"), ("{chart}-pull", "nova-pull")] {
        let done = overrides(tree.path(), &["--existing-secret", asked], "");
        assert_eq!(done.code, 0, "{}", done.stderr);
        fs::write(&file, &done.stdout).unwrap();
        let on = rendered(&tree, "nova", &file);
        assert_eq!(on.of_kind("Secret").count(), 0);
        assert!(!on.pods().is_empty());
        assert!(on.pods().iter().all(|(_, secrets)| secrets == &[of_nova]), "{:?}", on.pods());
    }
}

/// The tree with images of several registries and features, migrated.
fn with_images() -> TempDir {
    let tree = after("openstack-helm");
    let nova = "docker.io/openstackhelm/nova:x\n    rabbit_init: rabbitmq:4\n    none: null\n    odd: '{{ fail }}'\n    map: {repository: a, tag: b}\n    here: r.example.com:5000/mirror/here:1";
    edit(&tree, "nova/values.yaml", "registry.example.org/nova:1", nova);
    let digest = format!("quay.io/b/falco:2@sha256:{}", "0a".repeat(32));
    edit(&tree, "falco/values.yaml", "registry.example.org/falco:1", &digest);
    let put = |path: &str, image: &str| {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("images: {{tags: {{nova_api: {image}, extra: {image}}}}}\n")).unwrap();
    };
    put("values_overrides/nova/2025.1.yaml", "quay.io/a/nova:2025.1");
    put("values_overrides/nova/2025.1-ubuntu_noble.yaml", "quay.io/a/nova:2025.1-noble");
    put("values_overrides/nova/ubuntu_noble.yaml", "quay.io/a/nova:noble");
    put("values_overrides/nova/2026.1-ubuntu_noble.yaml", "quay.io/a/nova:2026.1");
    put("falco/values_overrides/apparmor.yaml", "quay.io/a/falco:apparmor");
    tree
}

const MIRROR: [&str; 3] = ["--registry", "r.example.com:5000/mirror", "--images"];

#[test]
fn a_folder_has_a_file_for_each_chart_with_its_images() {
    let tree = with_images();
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("new/overrides/");
    let login = ["--username", "me", "--password-file", "-", "-o", folder.to_str().unwrap()];
    let done = overrides(tree.path(), &[&MIRROR[..], &login].concat(), "secret");
    assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    assert!(
        done.stderr.contains("nova: images.tags.odd is left as it is: \"{{ fail }}\" is no name"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("nova: images.tags.map is left as it is: it is no text\n"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("pods pull them from there"), "{}", done.stderr);
    let files = common::files(&folder);
    assert_eq!(files.len(), 6, "{:?}", files.keys());
    for chart in CHARTS {
        let file = folder.join(chart).join("oci_registry.yaml");
        let on = rendered(&tree, chart, &file);
        assert_eq!(registry(&on), ("r.example.com:5000".to_owned(), "me:secret".to_owned()), "{chart}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let nova = rendered(&tree, "nova", &folder.join("nova/oci_registry.yaml"));
    let deployment = nova.of_kind("Deployment").find(|object| name(object) == "nova-api").unwrap();
    let image = text_at(&pod_spec(deployment).unwrap()["containers"][0], "image");
    assert_eq!(image, "r.example.com:5000/mirror/openstackhelm/nova:x");
    // Without a password they are files like any other.
    let plain = work.path().join("plain/");
    let done = overrides(tree.path(), &[&MIRROR[..], &["-o", plain.to_str().unwrap()]].concat(), "");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(fs::metadata(plain.join("nova/oci_registry.yaml")).unwrap().permissions().mode() & 0o044 != 0);
}

#[test]
fn the_list_says_which_image_goes_where() {
    let tree = with_images();
    let listed = |args: &[&str]| {
        let done = overrides(
            tree.path(),
            &[&MIRROR[..], &["--list", "--include", "{nova,falco}"], args].concat(),
            "",
        );
        assert_eq!(done.code, 0, "{}", done.stderr);
        done.stdout
    };
    let falco =
        format!("quay.io/b/falco@sha256:{0} r.example.com:5000/mirror/b/falco@sha256:{0}\n", "0a".repeat(32));
    assert_eq!(
        listed(&[]),
        format!(
            "docker.io/library/rabbitmq:4 r.example.com:5000/mirror/library/rabbitmq:4\n\
             docker.io/openstackhelm/nova:x r.example.com:5000/mirror/openstackhelm/nova:x\n{falco}"
        )
    );
    assert!(listed(&["--keep-host"]).contains(" r.example.com:5000/mirror/docker.io/library/rabbitmq:4\n"));
    for (features, nova) in [
        ("2025.1,ubuntu_noble", "2025.1-noble"),
        ("ubuntu_noble,2025.1", "2025.1"),
        ("2025.1", "2025.1"),
        ("2026.1,apparmor,ubuntu_noble", "2026.1"),
        ("2025.1 ubuntu_noble", "2025.1-noble"),
        ("2025,1", "x"),
    ] {
        let list = listed(&["--features", features]);
        assert!(list.contains(&format!("/nova:{nova} ")), "{features}: {list}");
        assert_eq!(list.contains("/falco:apparmor "), features.contains("apparmor"), "{features}: {list}");
    }
    // A chart by itself has them beside it, too.
    let args = [&["--list", "--features", "2025.1", "nova"], &MIRROR[..]].concat();
    assert!(overrides(tree.path(), &args, "").stdout.contains("/nova:2025.1 "));
    let args = [&["--list", "--features", "2025,1"], &MIRROR[..]].concat();
    let said = overrides(tree.path(), &args, "").stderr;
    assert!(said.contains("no file in values_overrides is made of the features 2025, 1"), "{said}");
}

#[test]
fn two_images_are_not_made_one() {
    let tree = with_images();
    let other = "    other: quay.io/openstackhelm/nova:x\n    falco: quay.io/";
    edit(&tree, "falco/values.yaml", "    falco: quay.io/", other);
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("new/");
    let done = overrides(tree.path(), &[&MIRROR[..], &["-o", folder.to_str().unwrap()]].concat(), "");
    assert!(done.code == 2 && done.stderr.contains("say --keep-host") && !folder.exists(), "{}", done.stderr);
    let done = overrides(tree.path(), &[&MIRROR[..], &["--list"]].concat(), "");
    let expected = "docker.io/openstackhelm/nova:x and quay.io/openstackhelm/nova:x would both be r.example.com:5000/mirror/openstackhelm/nova:x; say --keep-host";
    assert!(done.code == 2 && done.stderr.contains(expected), "{}", done.stderr);
    let done = overrides(tree.path(), &[&MIRROR[..], &["--list", "--keep-host"]].concat(), "");
    assert_eq!(done.code, 0, "{}", done.stderr);
    // Where they stay where they are, there is nothing wrong.
    assert_eq!(overrides(tree.path(), &MIRROR[..2], "").code, 0);
}

#[test]
fn charts_that_are_not_migrated_get_no_login() {
    let before = tree("openstack-helm");
    let done = overrides(before.path(), &["--registry", "r.example.com"], "");
    assert_eq!(done.code, 2);
    assert!(!done.stdout.contains("nova"), "{}", done.stdout);
    assert!(done.stderr.contains(
        "left out (not migrated, so that a login would go nowhere; `check` says what is missing): "
    ));
    // One of them only.
    let tree = after("openstack-helm");
    fs::remove_file(tree.path().join("nova/templates/secret-registry.yaml")).unwrap();
    let done = overrides(tree.path(), &["--registry", "r.example.com"], "");
    assert!(done.code == 2 && done.stdout.contains("      falco:"), "{}", done.stdout);
    assert!(!done.stdout.contains("nova"), "{}", done.stdout);
    assert!(done.stderr.contains("is missing): nova\n"), "{}", done.stderr);
    // None at all: no file.
    let file = tree.path().join("file.yaml");
    let args = ["--registry", "r.example.com", "--include", "nova", "-o", file.to_str().unwrap()];
    let done = overrides(tree.path(), &args, "");
    assert!(done.code == 2 && !file.exists(), "{}", done.stderr);
    assert!(done.stderr.contains("nothing is written: none of these charts is migrated"), "{}", done.stderr);
}

#[test]
fn images_elsewhere_are_counted() {
    let tree = with_images();
    let done = overrides(tree.path(), &["--registry", "r.example.com:5000", "--include", "nova"], "");
    let expected = "2 images of these charts at docker.io: pods pull them from there, and the login for r.example.com:5000 serves none of them";
    assert!(done.stderr.contains(expected), "{}", done.stderr);
}

#[test]
fn passwords_stay_out_of_git_and_values_out_of_charts() {
    let tree = after("openstack-helm");
    common::git(tree.path(), &["init", "-q"]);
    let login = ["--registry", "r.example.com", "--username", "me", "--password-file", "-"];
    let with_output = |output: &str, more: &[&str]| {
        overrides(tree.path(), &[&login[..], &["-o", output], more].concat(), "secret")
    };
    let outside = tempfile::tempdir().unwrap();
    symlink(tree.path(), outside.path().join("link")).unwrap();
    let link = outside.path().join("link/new/login.yaml");
    for output in ["login.yaml", "new/login.yaml", "values_overrides/", link.to_str().unwrap()] {
        let done = with_output(output, &[]);
        assert!(
            done.code == 2 && done.stderr.contains("is in the git work tree "),
            "{output}: {}",
            done.stderr
        );
        assert!(!tree.path().join("new").exists() && !tree.path().join("login.yaml").exists());
    }
    assert_eq!(with_output("new/login.yaml", &["--allow-in-git"]).code, 0);
    for output in ["nova/values.yaml", "nova/templates/new/login.yaml", "./"] {
        let done = with_output(output, &["--allow-in-git"]);
        assert!(done.code == 2 && done.stderr.contains("is part of a chart"), "{output}: {}", done.stderr);
    }
    assert_eq!(with_output("nova/values_overrides/login.yaml", &["--allow-in-git"]).code, 0);
    // What is no secret may be there.
    let done = overrides(tree.path(), &["--registry", "r.example.com", "-o", "values_overrides/"], "");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(tree.path().join("values_overrides/nova/oci_registry.yaml").exists());
    // A file that was open to all is not any more; a device stays one.
    let old = outside.path().join("old.yaml");
    fs::write(&old, "old").unwrap();
    assert_eq!(with_output(old.to_str().unwrap(), &[]).code, 0);
    assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(with_output("/dev/stdout", &[]).stdout.contains("password: \"secret\""));
}

#[test]
fn what_is_wrong_with_a_call_is_said() {
    let tree = after("openstack-helm");
    let registry = ["--registry", "r.example.com"];
    let cases: &[(&[&str], &str, &str)] = &[
        (
            &["--registry", "https://r.example.com"],
            "",
            "have no http:// or https://; write HOST[:PORT][/PATH]",
        ),
        (&["--registry", "r.example.com x"], "", "write HOST[:PORT][/PATH] as the names of its images begin"),
        (&["--registry="], "", "write HOST[:PORT][/PATH] as the names of its images begin"),
        (&["--registry", "registry"], "", "\"registry\" would be a user of Docker Hub"),
        (&[], "", "--registry <HOST[:PORT][/PATH]>"),
        (&MIRROR, "", "say -o DIR/ (with a slash), or --list for the images alone"),
        (&[&MIRROR[..], &["-o", "file.yaml"]].concat(), "", "say -o DIR/ (with a slash)"),
        (&[&registry[..], &["--list"]].concat(), "", "--images"),
        (&[&registry[..], &["--username", "a:b"]].concat(), "", "the name \"a:b\" has a colon"),
        (&[&registry[..], &["--password-file", "-"]].concat(), "", "--username <NAME>"),
        (
            &[&registry[..], &["--username", "a", "--password-file", "none"]].concat(),
            "",
            "none: cannot be read",
        ),
        (
            &[&registry[..], &["--username", "a", "--password-file", "-"]].concat(),
            "\n",
            "the password on standard input is empty",
        ),
        (
            &[&registry[..], &["--username", "a", "--password-file", "-"]].concat(),
            "a\nb\n",
            "has a line break or another control character",
        ),
        (&["--existing-secret", "Bad"], "", "cannot be the name of a Secret"),
        (&["--existing-secret", "a", "--username", "b"], "", "cannot be used with"),
    ];
    for (args, input, expected) in cases {
        let done = overrides(tree.path(), args, input);
        assert!(done.code == 2 && done.stderr.contains(expected), "{args:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{args:?}");
    }
    let one = tempfile::tempdir().unwrap();
    for (checkout, image) in [("a", "a.example.org/x:1"), ("b", "b.example.org/x:1")] {
        common::copy(tree.path(), &one.path().join(checkout));
        let path = one.path().join(checkout).join("falco/values.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("registry.example.org/falco:1", image)).unwrap();
    }
    let done = overrides(one.path(), &[&MIRROR[..], &["--list", "--keep-host"]].concat(), "");
    assert!(done.stderr.contains("two charts are called falco and have different images"), "{}", done.stderr);
    // Without images they share what they are given.
    let done = overrides(one.path(), &registry, "");
    assert_eq!((done.code, done.stdout.matches(" falco:").count()), (0, 1), "{}", done.stderr);
}

#[test]
fn the_same_bytes_come_out_at_any_number_of_jobs() {
    let tree = with_images();
    let runs = ["1", "2", "7"].map(|jobs| {
        let done = run(tree.path(), &[&["overrides", "--list", "--jobs", jobs], &MIRROR[..]].concat());
        (done.code, done.stdout, done.stderr)
    });
    assert!(runs[0].0 == 0 && runs[0] == runs[1] && runs[1] == runs[2], "{runs:?}");
}
