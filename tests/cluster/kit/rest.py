"""Flink as a client sees it: its REST endpoint, and its archive."""

import contextlib
import json
import urllib.error
import urllib.request

from .kubernetes import kubectl_json
from .shell import Failure


def rest_address(s, app):
    """host:port of the Flink REST endpoint: the Service address, stable over restarts."""
    service = kubectl_json(s, "get", "service", f"{app}-rest", "--ignore-not-found")
    if not service:
        raise Failure(f"no Service {app}-rest")
    # `rest.port` may have moved it; the Service names the port all the same.
    (port,) = [p["port"] for p in service["spec"]["ports"] if p["name"] == "rest"]
    return f"{service['spec']['clusterIP']}:{port}"


def rest(s, app, path, data=None, headers=None, timeout=5, address=None, method=None):
    """(status, body) of a REST call; status 0 means that no HTTP answer came."""
    request = urllib.request.Request(f"http://{address or rest_address(s, app)}{path}", data=data,
                                     headers=headers or {}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return 0, str(getattr(e, "reason", e))


def archived(s, app):
    """Jobs that the archive of an application holds: {job id: state}."""
    found = {}
    for path in (s.data / "archive" / app).glob("*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            for entry in json.loads(path.read_text())["archive"]:
                if entry["path"] == "/jobs/overview":
                    for job in json.loads(entry["json"])["jobs"]:
                        found[job["jid"]] = job["state"]
    return found
