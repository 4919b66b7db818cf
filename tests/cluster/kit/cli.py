"""A one-node Kubernetes cluster with native Apache Flink, for tests.

Everything is real: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
kubelet, kube-proxy and CoreDNS are built from source, containers run under containerd
and runc. The node lives in a network namespace of its own; the host reaches it over a
veth pair, so that a caller can cut that link (`drop`) and mend it (`heal`).

Run as root on Debian 12. See README.md in the folder above.
"""

import argparse
import sys

from .build import build
from .control_plane import allow_watcher, deny_watcher, install_crds, kill_apiserver, kubeconfig, start_apiserver
from .flink import app_name, flink_app, flink_rm, flink_session, kill, put_jar, session_job
from .images import load_image, tag_image, untag_image
from .kubernetes import exec_kubectl
from .lifecycle import data, down, status, up
from .link import drop, heal
from .observe import logs, wait_job
from .operator import start_operator, stop_operator
from .settings import DEFAULT_FLINK, Settings
from .shell import Failure, say


def parser():
    p = argparse.ArgumentParser(prog="cluster", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root", help="cache and state (CLUSTER_ROOT; ~/.cache/steadfast-cluster)")
    p.add_argument("--name", help="instance, network namespace (CLUSTER_NAME; steadfast)")
    p.add_argument("--link", help="subnet host-node (CLUSTER_LINK; 10.211.0.0/24)")
    p.add_argument("--pods", help="subnet of pods (CLUSTER_PODS; 10.212.0.0/24)")
    p.add_argument("--services", help="subnet of Services (CLUSTER_SERVICES; 10.213.0.0/24)")
    p.add_argument("--flink-version", help=f"FLINK_VERSION; {DEFAULT_FLINK}")
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, action, text):
        c = sub.add_parser(name, help=text, description=text)
        c.set_defaults(action=action)
        return c

    def add_flink(name, action, text, cluster):
        c = add(name, action, text)
        c.add_argument("id", type=app_name, metavar="ID")
        if cluster:
            ha = c.add_mutually_exclusive_group()
            ha.add_argument("--ha", action="store_true", default=True, help="Kubernetes HA (default)")
            ha.add_argument("--no-ha", dest="ha", action="store_false")
            c.add_argument("--image", help="another image, for instance a missing one")
            c.add_argument("-D", dest="define", action="append", default=[], metavar="KEY=VALUE",
                           help="Flink option")
        return c

    def add_job(c):
        c.add_argument("--jar", help="default: the kit's test job")
        c.add_argument("--class", dest="main", help="main class, if not the manifest's")
        c.epilog = "What follows -- goes to the job's main()."

    add("build", build, "install, compile and download what is missing")
    add("up", up, "start an empty cluster, print the kubeconfig's path")
    add("down", down, "stop it; the cache stays")
    add("kubectl", exec_kubectl, "the kit's kubectl with the admin's kubeconfig; its arguments follow --")
    add("status", status, "processes, link, node, Flink clusters")
    add("data", data, "print the path of the folder that Flink's containers see as /flink-data")
    c = add("kubeconfig", kubeconfig, "print the path of the kubeconfig")
    c.add_argument("--watcher", action="store_true", help="of a read-only service account")
    add_job(add_flink("flink-app", flink_app, "submit an application cluster", True))
    add_flink("flink-session", flink_session, "start a session cluster", True)
    add_job(add_flink("session-job", session_job, "run a job in a session cluster, print its id", False))
    c = add_flink("put-jar", put_jar, "replace the jar that an application's JobManager starts from", False)
    c.add_argument("--jar", help="default: the kit's test job")
    c = add("tag-image", tag_image, "give the Flink image a second name, as if somebody had pushed it")
    c.add_argument("image", metavar="NAME")
    c = add("load-image", load_image, "bring an image of somebody else's, a tar, under the name that it has in itself")
    c.add_argument("archive", metavar="TAR")
    c = add("untag-image", untag_image, "take a name away again, and with its last one the image")
    c.add_argument("image", metavar="NAME")
    add_flink("flink-rm", flink_rm, "delete a Flink cluster and its HA data", False)
    add_flink("kill-jm", kill("jobmanager"), "SIGKILL the JobManager's java", False)
    add_flink("kill-tm", kill("taskmanager"), "SIGKILL the newest TaskManager's java", False)
    add("kill-apiserver", kill_apiserver, "SIGKILL the API server")
    add("start-apiserver", start_apiserver, "start it again, if it does not run; ends when it serves")
    add("deny-watcher", deny_watcher, "delete the watcher's RoleBinding: it meets 403")
    add("allow-watcher", allow_watcher, "create that RoleBinding again")
    add("install-crds", install_crds, "the resources of the Flink Kubernetes Operator, without the operator")
    c = add("start-operator", start_operator, "run the Flink Kubernetes Operator from a built source tree")
    c.add_argument("tree", metavar="FOLDER")
    add("stop-operator", stop_operator, "end it; its resources stay")
    c = add("drop", drop, "lose every packet between host and API server, Flink REST, or both; or between pods and Flink REST")
    c.add_argument("what", choices=("k8s", "flink", "all", "pods"))
    add("heal", heal, "undo every drop")
    c = add_flink("wait-job", wait_job, "wait for a job state, CRASHLOOP, IMAGEPULL or GONE", False)
    c.add_argument("state", metavar="STATE")
    c.add_argument("seconds", type=float, metavar="SECONDS")
    c.add_argument("--job", help="this job id only")
    c = add_flink("logs", logs, "log of the JobManager, also after its end", False)
    c.add_argument("--taskmanager", action="store_true")
    c.add_argument("--previous", action="store_true", help="the container before the last restart")
    c.add_argument("--tail", type=int, default=-1)
    return p


def main():
    argv, passed_on = sys.argv[1:], []
    if "--" in argv:
        argv, passed_on = argv[:argv.index("--")], argv[argv.index("--") + 1:]
    args = parser().parse_args(argv)
    args.passed_on = passed_on
    try:
        args.action(Settings(args), args)
    except Failure as e:
        say(f"cluster: {e}")
        return 1
    except (BrokenPipeError, KeyboardInterrupt):
        return 130
    return 0
