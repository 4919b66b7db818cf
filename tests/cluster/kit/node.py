"""The node: containerd, kubelet, kube-proxy, CoreDNS, and the removal of what they leave."""

import contextlib
import json
import os
import pathlib
import re
import signal

from .images import ctr, load_images
from .processes import alive, spawn
from .shell import Failure, run, wait_for, write


def node_name(s):
    return s.name + "-node"


def start_node(s):
    work = s.dir / "containerd"
    cni = write(s.dir / "cni" / "10-pods.conflist", json.dumps({
        "cniVersion": "0.4.0", "name": "pods", "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": {
                "type": "host-local", "ranges": [[{"subnet": str(s.pods)}]],
                "routes": [{"dst": "0.0.0.0/0"}], "dataDir": str(s.dir / "ipam")}},
            {"type": "loopback"}]}))
    config = write(work / "config.toml", f'''version = 2
root = "{work}/root"
state = "{work}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "{s.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni.parent}"
''')
    start_containerd(s, config)
    remove_containers(s)
    load_images(s, s.flink)
    for d in ("archive", "checkpoints", "ha", "jars", "logs"):
        (s.data / d).mkdir(parents=True, exist_ok=True)
    kubelet = write(s.dir / "kubelet.yaml", json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{s.socket}", "cgroupDriver": "cgroupfs",
        "failSwapOn": False, "failCgroupV1": False, "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [], "localStorageCapacityIsolation": False,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "evictionHard": {"imagefs.available": "1%", "nodefs.available": "1%",
                         "memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        "clusterDNS": [s.node_ip], "clusterDomain": "cluster.local", "resolvConf": "",
        "podLogsDir": str(s.dir / "pod-logs"), "maxPods": 200}))
    spawn(s, "kubelet", s.bin / "kubelet", "--kubeconfig", s.kubeconfig, "--config", kubelet,
          "--node-ip", s.node_ip, "--hostname-override", node_name(s), "--root-dir", s.dir / "kubelet")


def start_containerd(s, config):
    spawn(s, "containerd", "containerd", "-c", config)

    def ready():
        if not alive(s, "containerd"):
            raise Failure(f"containerd died at start; see {s.logs}/containerd.log")
        return ctr(s, "version", check=False).returncode == 0
    wait_for("containerd", 30, ready)


def kube_proxy_config(s):
    return write(s.dir / "kube-proxy.yaml", json.dumps({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "iptables", "clusterCIDR": str(s.pods),
        "clientConnection": {"kubeconfig": str(s.kubeconfig)},
        "bindAddress": s.node_ip, "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "iptables": {"minSyncPeriod": "0s", "syncPeriod": "30s"},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s",
                      "tcpCloseWaitTimeout": "0s"}}))


def corefile(s):
    return write(s.dir / "Corefile", f""".:53 {{
  bind {s.node_ip}
  errors
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {s.kubeconfig}
    ttl 1
  }}
}}
""")


def remove_containers(s):
    """Removes every container of this containerd, and the network namespaces of its pods."""
    listed = ctr(s, "containers", "ls", "-q", timeout=20).stdout.split()
    spaces = set()
    for c in listed:
        info = ctr(s, "containers", "info", c, check=False).stdout
        spaces.update(re.findall(r'"/(?:var/)?run/netns/(cni-[0-9a-f-]+)"', info))
    tasks = ctr(s, "tasks", "ls", "-q", timeout=20).stdout.split()
    for t in tasks:
        ctr(s, "tasks", "kill", "-s", "KILL", "-a", t, check=False, timeout=20)
    for t in tasks:
        ctr(s, "tasks", "delete", "-f", t, check=False, timeout=20)
    for c in listed:
        ctr(s, "containers", "delete", c, check=False, timeout=20)
    for space in spaces:
        if os.path.exists(f"/run/netns/{space}"):
            run("ip", "netns", "del", space, check=False)


def shims(s):
    """Pids of the container shims of this instance: those that name its socket."""
    found = []
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            argv = (proc / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "containerd-shim" in argv[0] and str(s.socket) in argv:
                found.append(int(proc.name))
    return found


def stop_shims(s):
    """Ends shims that outlived containerd, after the containers that hang on them."""
    for shim in shims(s):
        for task in pathlib.Path(f"/proc/{shim}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for child in task.read_text().split():
                    os.kill(int(child), signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(shim, signal.SIGKILL)
