"""`up`, `down` and `status`."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import sys
import time

from .build import BINARIES
from .control_plane import apply_rbac, make_certificates, start_control_plane
from .kubernetes import kubectl_json, pods, reason
from .link import HOOKS, heal, iptables, make_network
from .node import corefile, kube_proxy_config, node_name, remove_containers, shims, start_containerd, start_node, stop_shims
from .processes import alive, processes, spawn, stop
from .rest import rest
from .shell import Failure, run, say, wait_for


def up(s, _args):
    start = time.monotonic()
    if os.geteuid():
        raise Failure("run as root")
    missing = [b for b in BINARIES if not (s.bin / b).exists()]
    if missing:
        raise Failure(f"not built: {', '.join(missing)}; run `cluster build`")
    names = set(processes(s))
    if names and all(alive(s, n) for n in names) and "kubelet" in names:
        say(f"instance {s.name} is already up")
        print(s.kubeconfig)
        return
    down(s, None, quiet=True)
    make_network(s)
    s.save()
    make_certificates(s)
    start_control_plane(s)
    start_node(s)
    spawn(s, "kube-proxy", s.bin / "kube-proxy", "--config", kube_proxy_config(s),
          "--hostname-override", node_name(s))
    spawn(s, "coredns", s.bin / "coredns", "-conf", corefile(s))
    apply_rbac(s)

    def ready():
        dead = [n for n in processes(s) if not alive(s, n)]
        if dead:
            raise Failure(f"died at start: {', '.join(dead)}; see {s.logs}")
        node = kubectl_json(s, "get", "node", node_name(s), "--ignore-not-found")
        return node and any(c["type"] == "Ready" and c["status"] == "True"
                            for c in node["status"]["conditions"])
    wait_for("the node to be Ready", 60, ready)
    wait_for("the default service account", 30, lambda: kubectl_json(
        s, "get", "serviceaccount", "default", "--ignore-not-found"))
    wait_for("CoreDNS", 20, lambda: ready() and run(
        "nsenter", f"--net={s.netns}", sys.executable, "-c",
        f"import socket; socket.create_connection(('{s.node_ip}', 53), 2)",
        check=False).returncode == 0)
    say(f"up: ready in {time.monotonic() - start:.1f} s")
    print(s.kubeconfig)


def down(s, _args, quiet=False):
    """Stops what `up` started; each step tolerates that its object is gone already."""
    heal(s, None, quiet=True)
    stop(s, "kubelet")
    config = s.dir / "containerd" / "config.toml"
    if shims(s) and not alive(s, "containerd") and config.exists() and os.path.exists(s.netns):
        with contextlib.suppress(Failure):      # it crashed: only it can remove its containers
            start_containerd(s, config)
    if alive(s, "containerd"):
        remove_containers(s)
    stop(s, *(n for n in processes(s) if n != "containerd"))
    stop(s, "containerd")
    stop_shims(s)
    for line in reversed(pathlib.Path("/proc/self/mounts").read_text().splitlines()):
        target = line.split()[1].encode().decode("unicode_escape")
        if target.startswith(f"{s.dir}/"):
            if run("umount", target, check=False).returncode:
                run("umount", "-l", target, check=False)
    if (s.dir / "network").exists():
        run("ip", "link", "del", s.veth_host, check=False)     # and the routes over it
        if os.path.exists(s.netns):
            run("ip", "netns", "del", s.name)
        (s.dir / "network").unlink()
    for item in ("etcd", "kubelet", "pki", "pids", "cni", "ipam", "apps", "pod-logs", "containerd/state"):
        shutil.rmtree(s.dir / item, ignore_errors=True)
    for item in ("cluster.json", "kubeconfig", "kubeconfig-watcher"):
        (s.dir / item).unlink(missing_ok=True)
    if quiet:                       # called by `up`: start clean
        shutil.rmtree(s.data, ignore_errors=True)
        shutil.rmtree(s.logs, ignore_errors=True)
    else:
        say(f"down: logs stay in {s.logs}, Flink data in {s.data}")


def data(s, _args):
    print(s.data)


def status(s, _args):
    names = processes(s)
    print(f"instance  {s.name}  {'up' if names else 'down'}  root {s.root}")
    print(f"network   host {s.host_ip}, node {s.node_ip}, pods {s.pods}, services {s.services}")
    for name in names:
        pid = alive(s, name)
        rss = ""
        if pid:
            with contextlib.suppress(OSError):
                kib = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
                rss = f"{int(kib[1]) // 1024:5d} MiB"
        print(f"process   {name:24s} {'pid ' + str(pid) if pid else 'DEAD':12s} {rss}")
    rules = [line for place in HOOKS for line in iptables(s, place, "-S", s.chain, check=False).stdout.splitlines()
             if line.startswith("-A")]
    print("link      " + ("; ".join(rules) if rules else "whole"))
    if not s.kubeconfig.exists():
        return
    try:
        node = kubectl_json(s, "get", "node", node_name(s))
        ready = next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
        print(f"node      {node_name(s)} Ready={ready} {node['status']['nodeInfo']['kubeletVersion']}")
        deployments = kubectl_json(s, "get", "deployments", "-l", "type=flink-native-kubernetes")["items"]
        for d in deployments:
            app = d["metadata"]["name"]
            state = ",".join(f"{p['metadata']['name']}={reason(p)}" for p in pods(s, app))
            code, body = rest(s, app, "/jobs/overview", timeout=2)
            jobs = [f"{j['jid']} {j['state']}" for j in json.loads(body)["jobs"]] if code == 200 \
                else [f"REST {code or ''} {body[:80]}".replace("  ", " ")]
            print(f"flink     {app}: {state}; {'; '.join(jobs) or 'no job'}")
    except Failure as e:
        print(f"API       {str(e).splitlines()[0]}")
