"""Takes one answer of the running cluster and keeps it as a fixture.

Each body is what the server sent, pruned (`managedFields` dropped, directories of the recording machine
replaced) and indented.
"""

import base64
import json
import pathlib
import ssl
import tempfile
import types
import urllib.error
import urllib.request

from ..flink import flink_app, flink_rm
from ..observe import wait_job
from ..rest import rest, rest_address

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"


def args(**kw):
    """The arguments of a kit command, as the command line would give them."""
    base = dict(ha=True, image=None, define=[], jar=None, main=None, passed_on=[], job=None, seconds=90.0)
    return types.SimpleNamespace(**{**base, **kw})


class Recorder:
    """Writes bodies below `out`; drives the instance that `s` describes."""

    def __init__(self, s, out):
        self.s, self.out = s, out

    def prune(self, value):
        if isinstance(value, dict):
            return {k: self.prune(v) for k, v in value.items() if k != "managedFields"}
        if isinstance(value, list):
            return [self.prune(v) for v in value]
        if isinstance(value, str):
            return value.replace(str(self.s.data), "/srv/flink-data").replace(str(self.s.root), "/srv/cluster")
        return value

    def target_of(self, path):
        """Where to write; of the second Flink version only the running objects are kept."""
        if path.startswith("kubernetes-flink-") and "/running/" not in path:
            return pathlib.Path("/dev/null")
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        return self.out / path

    def save(self, path, value):
        target = self.target_of(path)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                target.write_text(self.prune(value))
                return
        target.write_text(json.dumps(self.prune(value), indent=1, ensure_ascii=False) + "\n")

    def save_lines(self, path, events):
        lines = (json.dumps(self.prune(event), ensure_ascii=False) + "\n" for event in events)
        self.target_of(path).write_text("".join(lines))

    def context(self):
        config = json.loads(self.s.kubeconfig.read_text())
        user = config["users"][0]["user"]
        ctx = ssl.create_default_context(cafile=str(self.s.pki / "ca.crt"))
        with tempfile.NamedTemporaryFile() as pem:
            for key in ("client-certificate-data", "client-key-data"):
                pem.write(base64.b64decode(user[key]))
            pem.flush()
            ctx.load_cert_chain(pem.name)
        return ctx

    def api(self, path, token=None, anonymous=False, timeout=10):
        """An open answer of the API server; an HTTP error is an answer too."""
        ctx = ssl.create_default_context(cafile=str(self.s.pki / "ca.crt")) if token or anonymous else self.context()
        request = urllib.request.Request(f"https://{self.s.node_ip}:6443{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=ctx))
        try:
            return opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as e:
            return e

    def api_json(self, path, **kw):
        return json.loads(self.api(path, **kw).read())

    def app(self, name, *job_args, **kw):
        self.remove(name)
        flink_app(self.s, args(id=name, passed_on=list(job_args), **kw))
        return rest_address(self.s, name)

    def remove(self, name):
        flink_rm(self.s, args(id=name))

    def wait(self, name, state, seconds=120.0):
        wait_job(self.s, args(id=name, state=state, seconds=seconds))

    def get(self, name, address, path, to, want=200):
        status, body = rest(self.s, name, path, address=address)
        if status != want:
            print(f"  !! {path}: {status} {body[:120]}")
        self.save(to, body)
        return json.loads(body) if body[:1] in "[{" else body

    def job_pages(self, name, address, folder, jid=None):
        overview = self.get(name, address, "/jobs/overview", f"{folder}/jobs-overview.json")
        jid = jid or overview["jobs"][0]["jid"]
        self.get(name, address, f"/jobs/{jid}", f"{folder}/job.json")
        self.get(name, address, f"/jobs/{jid}/exceptions", f"{folder}/job-exceptions.json")
        self.get(name, address, f"/jobs/{jid}/checkpoints", f"{folder}/job-checkpoints.json")
        return jid

    def objects(self, name, folder):
        """The Kubernetes objects of one Flink cluster."""
        select = f"?labelSelector=app%3D{name}"
        self.save(f"{folder}/deployments.json", self.api_json(DEPLOYMENTS + select))
        self.save(f"{folder}/pods.json", self.api_json(PODS + select))

    def events(self, folder, *apps):
        listed = self.api_json(EVENTS)
        listed["items"] = [e for e in listed["items"] if e["involvedObject"]["name"].startswith(apps)]
        self.save(f"{folder}/events.json", listed)

    def patch_cancel(self, name, address, jid):
        status, body = rest(self.s, name, f"/jobs/{jid}?mode=cancel", address=address, method="PATCH")
        print("  cancel:", status, body)
