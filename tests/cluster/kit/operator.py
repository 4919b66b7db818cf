"""The Flink Kubernetes Operator itself, run from a source tree that somebody has built: no registry has its jars."""

import pathlib

from .kubernetes import kubectl
from .processes import alive, spawn, stop
from .settings import NAMESPACE
from .shell import Failure, wait_for, write

# Its defaults look every 60 s, and every 10 s while something is under way.
CONFIG = """\
kubernetes.operator.watched.namespaces: "{namespace}"
kubernetes.operator.reconcile.interval: 10 s
kubernetes.operator.observer.progress-check.interval: 2 s
kubernetes.operator.observer.rest-ready.delay: 2 s
kubernetes.operator.flink.client.timeout: 10 s
kubernetes.operator.user.artifacts.allowed-schemes: file;https
kubernetes.operator.bluegreen.reconciliation.reschedule-interval: 5 s
"""

EXPORTS = [f"--add-exports={p}=ALL-UNNAMED" for p in ("java.base/sun.net.util", "java.rmi/sun.rmi.registry")] + \
          [f"--add-opens=java.base/java.{p}=ALL-UNNAMED" for p in ("lang", "net", "io", "nio", "util", "util.concurrent", "time")]


def jars(tree):
    """The class path of a built tree, and the operator's version."""
    shaded = sorted(tree.glob("flink-kubernetes-operator/target/flink-kubernetes-operator-*-shaded.jar"))
    standalone = [j for j in sorted(tree.glob("flink-kubernetes-standalone/target/flink-kubernetes-standalone-*.jar"))
                  if not j.name.endswith(("-tests.jar", "-sources.jar", "-javadoc.jar"))]
    if not shaded or not standalone:
        raise Failure(f"{tree} is no built operator: see tests/cluster/README.md")
    version = shaded[-1].name.removeprefix("flink-kubernetes-operator-").removesuffix("-shaded.jar")
    log4j = tree / "flink-kubernetes-operator" / "target" / "log4j"
    return f"{standalone[-1]}:{shaded[-1]}:{log4j}/*", version


def start_operator(s, args):
    """Applies its resources and runs it beside the node, where Services have names; prints its version."""
    tree = pathlib.Path(args.tree).absolute()
    class_path, version = jars(tree)
    if alive(s, "operator"):
        raise Failure("the operator runs: `cluster stop-operator` first")
    crds = tree / "helm" / "flink-kubernetes-operator" / "crds"
    kubectl(s, "apply", "--server-side", "--force-conflicts", "-f", crds)
    kubectl(s, "wait", "--for=condition=Established", "--timeout=15s", "-f", crds)
    conf = s.dir / "operator"
    write(conf / "config.yaml", CONFIG.format(namespace=NAMESPACE))
    resolv = write(conf / "resolv.conf", f"nameserver {s.node_ip}\n"
                   f"search {NAMESPACE}.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n")
    log4j = write(conf / "log4j2.properties", "rootLogger.level = INFO\nrootLogger.appenderRef.c.ref = C\n"
                  "appender.c.name = C\nappender.c.type = CONSOLE\nappender.c.layout.type = PatternLayout\n"
                  "appender.c.layout.pattern = %d{ISO8601} %-5p %c{1} %X{resource.namespace}/%X{resource.name} - %m%n%throwable{5}\n")
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    spawn(s, "operator", "unshare", "--mount", "sh", "-c", script, resolv,
          "java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *EXPORTS,
          f"-Dlog4j.configurationFile={log4j}", "-cp", class_path, "org.apache.flink.kubernetes.operator.FlinkOperator",
          # Without the last it takes itself for a developer's, who forwards Flink's port to localhost.
          env={**s.env(), "FLINK_CONF_DIR": str(conf), "OPERATOR_NAMESPACE": NAMESPACE, "OPERATOR_NAME": "operator",
               "KUBERNETES_SERVICE_HOST": s.api_service_ip})
    log = s.logs / "operator.log"

    def watches():
        if not alive(s, "operator"):
            raise Failure(f"the operator died at its start; see {log}")
        return "Operator SDK" in log.read_text()
    wait_for("the operator", 60, watches)
    print(version)


def stop_operator(s, _args):
    stop(s, "operator", patience=10)
