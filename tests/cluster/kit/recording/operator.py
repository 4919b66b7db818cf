"""What the Flink Kubernetes Operator writes into its resources, over the lives of one of each kind."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from ..flink import job_jar
from ..images import flink_image, load_images
from ..kubernetes import kubectl, kubectl_json
from ..rest import rest_address
from ..settings import NAMESPACE
from ..shell import wait_for
from .capture import args
from .streams import Timeline, Watch

GROUP = f"/apis/flink.apache.org/v1beta1/namespaces/{NAMESPACE}"
# Who is asked after comes last: the operator keeps a session that has jobs, and a pair has its children.
KINDS = ("flinksessionjobs", "flinkstatesnapshots", "flinkbluegreendeployments", "flinkdeployments")
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


def operator(r, version, plays=()):
    """An application, a session with a job, a savepoint and a blue-green pair: created, changed, suspended, deleted."""
    s, out = r.s, f"operator-{version}"
    load_images(s, s.flink)
    (s.data / "jars").mkdir(parents=True, exist_ok=True)
    shutil.copy(job_jar(s, args()), s.data / "jars" / "operator.jar")
    for kind in KINDS:
        kubectl(s, "delete", kind, "--all", "--wait=true", "--timeout=60s", timeout=90)
    watches = {kind: Watch(r, f"{GROUP}/{kind}") for kind in KINDS}
    events = Watch(r, EVENTS)
    try:
        with ThreadPoolExecutor() as together:
            for played in [together.submit(play, r, out) for play in PLAYS if not plays or play.__name__ in plays]:
                played.result()
    finally:
        time.sleep(2)
        for kind, watch in watches.items():
            r.save_lines(f"{out}/{kind}.jsonl", phases(watch.events))
        r.save_lines(f"{out}/events.jsonl", told(events.events))


def deployment(s, job):
    """The specification of a FlinkDeployment."""
    resources = {"resource": {"cpu": 0.05, "memory": "1g"}}
    container = {"name": "flink-main-container", "volumeMounts": [{"name": "data", "mountPath": "/flink-data"}]}
    volume = {"name": "data", "hostPath": {"path": str(s.data), "type": "Directory"}}
    major, minor, _ = s.flink.split(".")
    spec = {
        "image": flink_image(s.flink), "imagePullPolicy": "IfNotPresent", "serviceAccount": "default",
        "flinkVersion": f"v{major}_{minor}",
        "flinkConfiguration": {
            "taskmanager.numberOfTaskSlots": "2", "execution.checkpointing.interval": "2s",
            "execution.checkpointing.dir": "file:///flink-data/checkpoints/operator",
            "execution.checkpointing.savepoint-dir": "file:///flink-data/savepoints",
            "kubernetes.jobmanager.cpu.limit-factor": "20", "kubernetes.taskmanager.cpu.limit-factor": "20"},
        "podTemplate": {"spec": {"containers": [container], "volumes": [volume]}},
        "jobManager": resources, "taskManager": resources}
    if job:
        spec["job"] = {"jarURI": "local:///flink-data/jars/operator.jar", "parallelism": 1, "upgradeMode": "stateless",
                       "state": "running", "args": ["--mode", "run"]}
    return spec


def create(s, kind, name, spec):
    kubectl(s, "create", "-f", "-", input=json.dumps({
        "apiVersion": "flink.apache.org/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}))


def patch(s, kind, name, spec):
    kubectl(s, "patch", kind, name, "--type=merge", "-p", json.dumps({"spec": spec}))


def wait(s, kind, name, what, is_so, seconds=180):
    print("waiting:", kind, name, what, flush=True)
    wait_for(f"{kind} {name} to be {what}", seconds, lambda: is_so(kubectl_json(s, "get", kind, name)), pause=0.5)


def is_stable(resource):
    status = resource.get("status", {})
    fresh = status.get("observedGeneration") == resource["metadata"]["generation"]
    # A session's own `jobStatus` says RECONCILING for good.
    runs = "job" not in resource["spec"] or status.get("jobStatus", {}).get("state") == "RUNNING"
    return fresh and runs and status.get("lifecycleState") == "STABLE"


def is_suspended(resource):
    if resource["kind"] == "FlinkSessionJob":
        # 1.15.0 stays at UPGRADING where `upgradeMode` is stateless.
        return resource.get("status", {}).get("jobStatus", {}).get("state") in ("CANCELED", "FINISHED")
    return resource.get("status", {}).get("lifecycleState") == "SUSPENDED"


def gone(s, kind, name):
    kubectl(s, "delete", kind, name, "--wait=true", "--timeout=100s", timeout=120)


def application(r, out):
    s, name = r.s, "application"
    create(s, "FlinkDeployment", name, deployment(s, True))
    wait(s, "flinkdeployment", name, "stable", is_stable)
    timeline = Timeline(r, name, rest_address(s, name))
    create(s, "FlinkStateSnapshot", "savepoint", {
        "jobReference": {"kind": "FlinkDeployment", "name": name}, "savepoint": {"disposeOnDelete": False}})
    wait(s, "flinkstatesnapshot", "savepoint", "completed",
         lambda x: x.get("status", {}).get("state") in ("COMPLETED", "FAILED"), 60)
    patch(s, "flinkdeployment", name, {"job": {"args": ["--mode", "run", "--sleep-ms", "10"]}})
    wait(s, "flinkdeployment", name, "stable again", is_stable)
    patch(s, "flinkdeployment", name, {"job": {"state": "suspended"}})
    wait(s, "flinkdeployment", name, "suspended", is_suspended)
    patch(s, "flinkdeployment", name, {"job": {"state": "running"}})
    wait(s, "flinkdeployment", name, "stable after the suspension", is_stable)
    gone(s, "flinkdeployment", name)
    timeline.stop(f"{out}/application-timeline.json")
    gone(s, "flinkstatesnapshot", "savepoint")


def session(r, out):
    s, name, job = r.s, "session", "session-job"
    create(s, "FlinkDeployment", name, deployment(s, False))
    wait(s, "flinkdeployment", name, "stable", is_stable)
    timeline = Timeline(r, name, rest_address(s, name))
    create(s, "FlinkSessionJob", job, {
        "deploymentName": name, "job": {
            "jarURI": f"file://{s.data}/jars/operator.jar", "parallelism": 1, "upgradeMode": "stateless", "state": "running",
            "args": ["--mode", "run"]}})
    wait(s, "flinksessionjob", job, "stable", is_stable)
    patch(s, "flinksessionjob", job, {"job": {"args": ["--mode", "run", "--sleep-ms", "10"]}})
    wait(s, "flinksessionjob", job, "stable again", is_stable)
    patch(s, "flinksessionjob", job, {"job": {"state": "suspended"}})
    wait(s, "flinksessionjob", job, "suspended", is_suspended)
    patch(s, "flinksessionjob", job, {"job": {"state": "running"}})
    wait(s, "flinksessionjob", job, "stable after the suspension", is_stable)
    gone(s, "flinksessionjob", job)
    gone(s, "flinkdeployment", name)
    timeline.stop(f"{out}/session-timeline.json")


def blue_green(r, out):
    s, name = r.s, "pair"

    def active(colour):
        return lambda x: x.get("status", {}).get("blueGreenState") == f"ACTIVE_{colour}"
    spec = deployment(s, True)
    create(s, "FlinkBlueGreenDeployment", name, {"template": {"spec": spec}})
    wait(s, "flinkbluegreendeployment", name, "blue", active("BLUE"))
    patch(s, "flinkbluegreendeployment", name, {"template": {"spec": {"job": {"args": ["--mode", "run", "--sleep-ms", "10"]}}}})
    wait(s, "flinkbluegreendeployment", name, "green", active("GREEN"))
    gone(s, "flinkbluegreendeployment", name)
    wait_for("its children to go", 100, lambda: not kubectl_json(s, "get", "flinkdeployments", "-l", "flink/blue-green-deployment-type")["items"])


def phases(events):
    """The first event of each new kind of what a status says; what differs only in times is left out."""
    before, kept = {}, []
    for event in events:
        x = event["object"]
        if event["type"] == "BOOKMARK":
            continue
        status = x.get("status") or {}
        job = status.get("jobStatus") or {}
        words = [event["type"], x["metadata"].get("generation"), bool(x["metadata"].get("deletionTimestamp"))]
        words += [status.get(k) for k in ("observedGeneration", "lifecycleState", "jobManagerDeploymentStatus", "blueGreenState",
                                          "state", "error")]
        words += [job.get("state"), job.get("jobId"), (status.get("reconciliationStatus") or {}).get("state")]
        if before.get(x["metadata"]["uid"]) != words:
            before[x["metadata"]["uid"]] = words
            kept.append(event)
    return kept


def told(events):
    """The operator's own Events, without what the kubelet and Kubernetes' controllers say."""
    about = ("FlinkDeployment", "FlinkSessionJob", "FlinkStateSnapshot", "FlinkBlueGreenDeployment")
    return [e for e in events if e["type"] == "ADDED" and e["object"]["involvedObject"]["kind"] in about]


PLAYS = (session, application, blue_green)
