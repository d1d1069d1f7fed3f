//! The kinds of objects that run images, and where the keys of their pods are.

/// Kinds that hold a pod, or the template of one. Whatever has containers at `spec.template.spec` does so too.
pub(crate) const WORKLOADS: &[&str] = &[
    "Pod",
    "PodTemplate",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Rollout",
    "DaemonJob",
];

/// A custom resource whose operator makes pods with the `imagePullSecrets` that it has.
#[derive(Debug)]
pub(crate) struct CustomResource {
    pub(crate) kind: &'static str,
    /// The API group, without a version.
    pub(crate) group: &'static str,
    /// The mapping with the list, from the top of the object.
    pub(crate) path: &'static [&'static str],
}

const fn row(group: &'static str, kind: &'static str, path: &'static [&'static str]) -> CustomResource {
    CustomResource { kind, group, path }
}

/// The custom resources that are known, a row for each list. Where a row is from stands above it: the types of the
/// operator, or its own example.
pub(crate) static CUSTOM_RESOURCES: &[CustomResource] = &[
    // mariadb-operator: api/v1alpha1/base_types.go; the second group is that of its first releases.
    row("k8s.mariadb.com", "MariaDB", &["spec"]),
    row("mariadb.mmontes.io", "MariaDB", &["spec"]),
    row("enterprise.mariadb.com", "MariaDB", &["spec"]),
    row("k8s.mariadb.com", "MaxScale", &["spec"]),
    // rabbitmq/cluster-operator: api/v1beta1/rabbitmqcluster_types.go
    row("rabbitmq.com", "RabbitmqCluster", &["spec"]),
    // percona/percona-xtradb-cluster-operator: deploy/cr.yaml; a list for each part
    row("pxc.percona.com", "PerconaXtraDBCluster", &["spec", "pxc"]),
    row("pxc.percona.com", "PerconaXtraDBCluster", &["spec", "haproxy"]),
    row("pxc.percona.com", "PerconaXtraDBCluster", &["spec", "proxysql"]),
    row("pxc.percona.com", "PerconaXtraDBCluster", &["spec", "backup"]),
    // percona/percona-server-mongodb-operator: deploy/cr.yaml
    row("psmdb.percona.com", "PerconaServerMongoDB", &["spec"]),
    // percona/percona-postgresql-operator: pkg/apis/pgv2.percona.com/v2/perconapgcluster_types.go
    row("pgv2.percona.com", "PerconaPGCluster", &["spec"]),
    // CrunchyData/postgres-operator: v1beta1/postgrescluster_types.go
    row("postgres-operator.crunchydata.com", "PostgresCluster", &["spec"]),
    // cloudnative-pg/cloudnative-pg: api/v1/cluster_types.go
    row("postgresql.cnpg.io", "Cluster", &["spec"]),
    // prometheus-operator/prometheus-operator: pkg/apis/monitoring
    row("monitoring.coreos.com", "Prometheus", &["spec"]),
    row("monitoring.coreos.com", "PrometheusAgent", &["spec"]),
    row("monitoring.coreos.com", "Alertmanager", &["spec"]),
    row("monitoring.coreos.com", "ThanosRuler", &["spec"]),
    // spotahome/redis-operator: api/redisfailover/v1/types.go
    row("databases.spotahome.com", "RedisFailover", &["spec", "redis"]),
    row("databases.spotahome.com", "RedisFailover", &["spec", "sentinel"]),
    // fluent/fluent-operator: apis/fluentd/v1alpha1
    row("fluentd.fluent.io", "Fluentd", &["spec"]),
];

/// The rows for objects of this API version and kind.
pub(crate) fn custom_resources(
    api_version: &str,
    kind: &str,
) -> impl Iterator<Item = &'static CustomResource> {
    let group = group(api_version);
    CUSTOM_RESOURCES.iter().filter(move |row| row.kind == kind && row.group == group)
}

/// Whether an API version is none of Kubernetes itself, whose groups have no dot or end in `.k8s.io`.
pub(crate) fn is_custom(api_version: &str) -> bool {
    let group = group(api_version);
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
