//! A grammar of templates: ServiceAccounts, pods and other objects as charts write them, with the
//! places known where our lists belong.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::judge;

/// A line of a template, or a place where a list of ours belongs.
#[derive(Clone, Debug)]
pub enum Piece {
    Line(String),
    /// The list, or one more item of a list that is there, for keys (or items) at this column.
    List {
        column: usize,
        is_item: bool,
    },
}

/// A template without our lists, and with them.
#[derive(Clone, Debug)]
pub struct Template {
    pub old: String,
    pub new: String,
}

fn line(text: &str) -> Piece {
    Piece::Line(text.to_owned())
}

/// `text` as lines, at `column`; actions stay at the margin.
fn lines(text: &str, column: usize) -> Vec<Piece> {
    let indented = |line: &str| match line {
        _ if line.is_empty() || line.starts_with("{{") => line.to_owned(),
        _ => format!("{}{line}", " ".repeat(column)),
    };
    text.lines().map(|line| Piece::Line(indented(line))).collect()
}

/// `imagePullSecrets` that somebody has put there, with keys at `column`.
fn existing(column: usize) -> BoxedStrategy<Vec<Piece>> {
    let items = (select(&[0_usize, 2][..]), vec(select(&["a", "{{ $b }}", "\"c\""][..]), 1..3));
    let existing = items.prop_map(move |(step, names)| {
        let mut pieces = lines("imagePullSecrets:", column);
        pieces.extend(names.iter().flat_map(|name| lines(&format!("- name: {name}"), column + step)));
        pieces.push(Piece::List { column: column + step, is_item: true });
        pieces
    });
    existing.boxed()
}

fn account() -> BoxedStrategy<Vec<Piece>> {
    let head = select(
        &[
            "apiVersion: v1\nkind: ServiceAccount",
            "kind: ServiceAccount\napiVersion: v1",
            "apiVersion: \"v1\"\nkind: \"ServiceAccount\"",
            "{{ $x := 1 }}\napiVersion: v1\n# an account\nkind: ServiceAccount # ours",
        ][..],
    );
    let metadata = subsequence(
        vec![
            "  namespace: {{ .Release.Namespace }}",
            "  labels:\n{{ tuple $envAll \"a\" \"b\" | include \"helm-toolkit.snippets.kubernetes_metadata_labels\" | indent 4 }}",
            "  labels:\n    kind: ServiceAccount\n    a: b",
            "  # a comment",
            "  annotations:\n    a: |\n      b\n\n      c",
            "\n  annotations: {}",
        ],
        0..4,
    );
    let tail = select(
        &[
            "",
            "automountServiceAccountToken: false",
            "secrets:\n  - name: a",
            "\n\n",
            "# the end",
            "{{- if .Values.a }}\nautomountServiceAccountToken: true\n{{- end }}",
        ][..],
    );
    (head, metadata, option::weighted(0.15, existing(0)), tail)
        .prop_map(|(head, metadata, existing, tail)| {
            // The list goes behind a plain block of metadata, else behind the kind.
            let is_plain = |text: &&str| {
                !text.starts_with('\n') && !["# a comment", "a: |"].iter().any(|odd| text.contains(odd))
            };
            let is_behind_kind = existing.is_none() && !metadata.iter().all(is_plain);
            let list = Piece::List { column: 0, is_item: false };
            let mut pieces = lines(head, 0);
            if is_behind_kind {
                let is_kind = |piece: &Piece| matches!(piece, Piece::Line(line) if line.starts_with("kind"));
                let kind = pieces.iter().position(is_kind).expect("each head has a kind");
                pieces.insert(kind + 1, list.clone());
            }
            pieces.push(line("metadata:"));
            pieces.push(line("  name: {{ $name }}"));
            pieces.extend(metadata.iter().flat_map(|text| lines(text, 0)));
            if !is_behind_kind {
                pieces.extend(existing.unwrap_or_else(|| vec![list]));
            }
            pieces.extend(lines(tail, 0));
            pieces
        })
        .boxed()
}

/// An account whose metadata takes no line behind it.
fn flow_account() -> BoxedStrategy<Vec<Piece>> {
    let mut pieces = lines("kind: ServiceAccount\nmetadata: {\n  name: a\n}", 0);
    pieces.insert(1, Piece::List { column: 0, is_item: false });
    Just(pieces).boxed()
}

/// Workloads, each down to the spec of its pod, and the column of what is in that.
const WORKLOADS: &[(&str, usize)] = &[
    ("kind: Pod\nmetadata:\n  name: a\nspec:", 2),
    ("kind: Job\nmetadata:\n  name: a\nspec:\n  backoffLimit: 2\n  template:\n    spec:", 6),
    (
        "kind: Deployment\nmetadata:\n  name: a\nspec:\n  replicas: {{ .Values.a }}\n  template:\n    metadata:\n      labels:\n{{ tuple $envAll | include \"a\" | indent 8 }}\n    spec:",
        6,
    ),
    (
        "kind: CronJob\nmetadata:\n  name: a\nspec:\n  jobTemplate:\n    metadata:\n      name: a\n    spec:\n      template:\n        spec:",
        10,
    ),
    ("kind: StatefulSet\nspec:\n    template:\n        spec:", 12),
    ("kind: \"DaemonSet\"\nspec:\n template:\n  spec:", 3),
];

/// What stands in the spec of a pod beside its containers.
const IN_SPEC: &[&str] = &[
    "restartPolicy: Never",
    "nodeSelector:\n  {{ .Values.key }}: {{ .Values.value }}",
    "{{ tuple $envAll \"a\" | include \"helm-toolkit.snippets.kubernetes_tolerations\" | indent 6 }}",
    "# serviceAccountName: a",
    "{{- if .Values.pod.a }}\nhostNetwork: true\n{{- end }}",
    "affinity: {}",
    "initContainers:\n  - name: a\n    image: b\n",
    "",
    "volumes:\n  - name: a\n    secret:\n      secretName: b",
    "dnsPolicy: {{ .Values.a }}",
];

fn pod() -> BoxedStrategy<Vec<Piece>> {
    select(WORKLOADS)
        .prop_flat_map(|(head, column)| {
            (
                Just((head, column)),
                subsequence(IN_SPEC.to_vec(), 0..4).prop_shuffle(),
                subsequence(IN_SPEC.to_vec(), 0..3).prop_shuffle(),
                option::weighted(0.15, existing(column)),
                option::weighted(
                    0.2,
                    select(&["serviceAccountName: {{ $name }}", "serviceAccount: a-{{ $name }}"][..]),
                ),
                any::<bool>(),
                any::<bool>(),
            )
        })
        .prop_map(|((head, column), above, below, existing, account, is_above, is_account_above)| {
            let mut pieces = vec![line("apiVersion: v1")];
            pieces.extend(lines(head, 0));
            if account.is_none() && existing.is_none() {
                pieces.push(Piece::List { column, is_item: false });
            }
            pieces.extend(above.iter().flat_map(|text| lines(text, column)));
            if is_above {
                pieces.extend(existing.clone().unwrap_or_default());
            }
            if is_account_above {
                pieces.extend(lines(account.unwrap_or_default(), column));
            }
            pieces.extend(lines("containers:\n  - name: a\n    image: b\n    env:\n      - name: c", column));
            if !is_account_above {
                pieces.extend(lines(account.unwrap_or_default(), column));
            }
            if !is_above {
                pieces.extend(existing.unwrap_or_default());
            }
            pieces.extend(below.iter().flat_map(|text| lines(text, column)));
            pieces
        })
        .boxed()
}

/// Objects that get nothing.
const OTHERS: &[&str] = &[
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a.yaml: |\n    kind: Pod\n    spec:\n      containers:\n        - name: a",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: a\nsubjects:\n  - kind: ServiceAccount\n    name: a",
    "kind: Service\nspec:\n  ports: []",
    "{{/*\nkind: ServiceAccount\nmetadata:\n  name: a\n*/}}",
    "# kind: ServiceAccount\n# metadata:\n#   name: a",
    "kind: \"ServiceAccount\nmetadata: {}\n  a\"",
    "kind: Widget\nspec:\n  containers:\n    - a",
];

fn other() -> BoxedStrategy<Vec<Piece>> {
    select(OTHERS).prop_map(|text| lines(text, 0)).boxed()
}

/// Around the objects of a file: what is in front, what is behind, and the root's name in there.
const AROUND: &[(&str, &str, &str)] = &[
    ("", "", "$"),
    ("{{- if .Values.manifests.a }}\n{{- $envAll := . }}", "{{- end }}", "$"),
    (
        "{{/*\nLicensed under the Apache License\n*/}}\n\n{{- define \"a\" -}}\n{{- $envAll := index . 0 -}}\n{{- if $envAll.Values.a }}",
        "{{- end }}\n{{- end -}}",
        "$envAll",
    ),
    (
        "{{- define \"a\" -}}\n{{- $envAll := . -}}\n{{- range $x, $y := .Values.b }}",
        "{{- end }}\n{{- end -}}",
        "$envAll",
    ),
    ("{{- define \"a\" -}}\n{{- $envAll := . -}}\n{{- end }}\n{{- with .Values.b }}", "{{- end }}", "$"),
];

fn template(
    objects: impl Strategy<Value = Vec<Vec<Piece>>> + 'static,
    around: impl Strategy<Value = (&'static str, &'static str, &'static str)> + 'static,
) -> BoxedStrategy<Template> {
    (objects, around, any::<bool>(), proptest::bool::weighted(0.15), proptest::bool::weighted(0.85))
        .prop_map(|(objects, (before, behind, root), has_first_mark, is_crlf, has_final_break)| {
            let (mut old, mut new) = (String::new(), String::new());
            let mut put = |text: &str, is_ours: bool| {
                for out in [(!is_ours).then_some(&mut old), Some(&mut new)].into_iter().flatten() {
                    out.push_str(text);
                    out.push_str(if is_crlf { "\r\n" } else { "\n" });
                }
            };
            for line in before.lines() {
                put(line, false);
            }
            for (index, object) in objects.iter().enumerate() {
                if index > 0 || has_first_mark {
                    put("---", false);
                }
                for piece in object {
                    match piece {
                        Piece::Line(line) => put(line, false),
                        Piece::List { column, is_item } => {
                            for line in judge::list(root, *column, *is_item) {
                                put(&line, true);
                            }
                        }
                    }
                }
            }
            for line in behind.lines() {
                put(line, false);
            }
            if !has_final_break {
                for text in [&mut old, &mut new] {
                    let end = text.trim_end_matches(['\r', '\n']).len();
                    text.truncate(end);
                }
            }
            Template { old, new }
        })
        .boxed()
}

/// Templates of a chart.
pub fn charts() -> BoxedStrategy<Template> {
    let object = prop_oneof![6 => account(), 1 => flow_account(), 8 => pod(), 2 => other()];
    template(vec(object, 1..4), select(AROUND))
}

/// Files of helm-toolkit with its ServiceAccount.
pub fn toolkits() -> BoxedStrategy<Template> {
    let tail = select(
        &[
            "",
            "  labels:\n    a: b",
            "  annotations:\n{{ toYaml .Values.a | indent 4 }}",
            "{{- if $deps }}\n{{- range $deps }}\n{{- end }}\n{{- end }}",
            "automountServiceAccountToken: false",
            "# the end",
        ][..],
    );
    let account = (option::weighted(0.2, existing(0)), tail).prop_map(|(existing, tail)| {
        let head = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ $saName }}\n  namespace: {{ $saNamespace }}";
        let mut pieces = lines(head, 0);
        let is_metadata = tail.starts_with(' ');
        if is_metadata {
            pieces.extend(lines(tail, 0));
        }
        pieces.extend(existing.unwrap_or_else(|| vec![Piece::List { column: 0, is_item: false }]));
        if !is_metadata {
            pieces.extend(lines(tail, 0));
        }
        pieces
    });
    let others = vec(other(), 0..2);
    let objects = (account, others).prop_map(|(account, mut others)| {
        others.insert(0, account);
        others
    });
    let before = "{{- define \"helm-toolkit.snippets.kubernetes_pod_rbac_serviceaccount\" -}}\n{{- $envAll := index . 0 -}}\n{{- $component := index . 1 -}}";
    template(objects, Just((before, "{{- end -}}", "$envAll")))
}
