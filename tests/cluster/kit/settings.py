"""The parameters of one instance, and where its files lie."""

import contextlib
import ipaddress
import json
import os
import pathlib
import re

from .shell import Failure, write

KIT = pathlib.Path(__file__).resolve().parent.parent     # go/, image/ and job/ lie here

KUBERNETES = "1.34.2"

DEFAULT_FLINK = "2.2.0"

NAMESPACE = "default"


class Settings:
    """The parameters of one instance; those it was started with win once it is up."""

    def __init__(self, args):
        env = os.environ.get
        default_root = pathlib.Path.home() / ".cache" / "steadfast-cluster"
        self.root = pathlib.Path(args.root or env("CLUSTER_ROOT") or default_root).absolute()
        self.name = args.name or env("CLUSTER_NAME") or "steadfast"
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,10}", self.name):
            raise Failure("the name must match [a-z][a-z0-9-]{0,10}")
        self.dir = self.root / "run" / self.name
        saved = {}
        with contextlib.suppress(FileNotFoundError):
            saved = json.loads((self.dir / "cluster.json").read_text())

        def pick(key, default):
            asked = getattr(args, key) or env("CLUSTER_" + key.upper())
            if asked and key in saved and asked != saved[key]:
                raise Failure(f"instance {self.name} has {key} {saved[key]}, not {asked}; "
                              "`cluster down` first")
            return ipaddress.ip_network(asked or saved.get(key) or default)

        self.link = pick("link", "10.211.0.0/24")
        self.pods = pick("pods", "10.212.0.0/24")
        self.services = pick("services", "10.213.0.0/24")
        nets = [self.link, self.pods, self.services]
        if any(a.overlaps(b) for i, a in enumerate(nets) for b in nets[i + 1:]):
            raise Failure("the link, pod and service subnets overlap")
        self.host_ip, self.node_ip = str(self.link[1]), str(self.link[2])
        self.api_service_ip = str(self.services[1])
        self.flink = args.flink_version or env("FLINK_VERSION") or DEFAULT_FLINK
        self.veth_host, self.veth_node = self.name + "-out", self.name + "-in"
        self.chain = "CLUSTER-" + self.name.upper()
        self.netns = f"/run/netns/{self.name}"
        self.bin = self.root / "bin"
        self.images = self.root / "images"
        self.logs = self.dir / "logs"
        self.pids = self.dir / "pids"
        self.pki = self.dir / "pki"
        self.data = self.dir / "flink-data"     # /flink-data in every Flink container
        self.apps = self.dir / "apps"
        self.kubeconfig = self.dir / "kubeconfig"
        self.socket = self.dir / "containerd" / "c.sock"
        if len(str(self.socket)) > 95:
            raise Failure(f"the root path is too long for a socket: {self.root}")

    def save(self):
        write(self.dir / "cluster.json", json.dumps({
            "link": str(self.link), "pods": str(self.pods), "services": str(self.services)}))

    def job_results(self, app):
        """The JobResultStore of a cluster with HA, where Flink's own default puts it below `high-availability.storageDir`."""
        return self.data / "ha" / "job-result-store" / app

    def flink_home(self, version=None):
        return self.root / "flink" / (version or self.flink)

    def env(self):
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
