"""The API server, by way of kubectl."""

import json
import os

from .shell import Failure, run


def kubectl(s, *argv, check=True, timeout=20, **kw):
    if not s.kubeconfig.exists():
        raise Failure(f"instance {s.name} is not up")
    return run(s.bin / "kubectl", "--request-timeout=15s", *argv, check=check, timeout=timeout,
               env=s.env(), **kw)


def kubectl_json(s, *argv):
    out = kubectl(s, *argv, "-o", "json").stdout
    return json.loads(out) if out.strip() else None


def exec_kubectl(s, args):
    """Becomes kubectl: a caller that kills this process ends a watch with it."""
    if not s.kubeconfig.exists():
        raise Failure(f"instance {s.name} is not up")
    os.execve(s.bin / "kubectl", ["kubectl", *args.passed_on], s.env())


def pods(s, app, component="jobmanager"):
    items = kubectl_json(s, "get", "pods", "-l", f"app={app},component={component}")["items"]
    return sorted(items, key=lambda p: p["metadata"]["creationTimestamp"])


def reason(pod):
    """Why a pod's container does not run, else its phase."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for c in pod["status"].get("containerStatuses", []):
        waiting = c["state"].get("waiting")
        if waiting and waiting.get("reason"):
            return waiting["reason"]
        if c["state"].get("terminated"):
            return c["state"]["terminated"].get("reason", "Terminated")
    return pod["status"].get("phase", "Unknown")
