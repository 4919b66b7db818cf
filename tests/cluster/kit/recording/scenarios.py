"""What is played to be recorded; a scenario takes the recorder and its two folders."""

import json
import re
import time

from ..flink import flink_session, kill, session_job
from ..kubernetes import kubectl, pods, reason
from ..node import node_name
from ..observe import kept_log
from ..rest import rest, rest_address
from ..shell import wait_for
from .capture import DEPLOYMENTS, EVENTS, PODS, args
from .streams import Timeline, Watch

# The archive holds two dozen paths more; these are the ones a watcher of jobs reads.
ARCHIVED = re.compile(r"/jobs/(overview|[0-9a-f]{32}(/(config|exceptions|checkpoints|accumulators))?)")
STAY = ["execution.shutdown-on-application-finish=false"]


def running(r, flink, kube):
    """RUNNING, then a JobManager kill with HA, then deletion."""
    paths = {"pods": PODS, "deployments": DEPLOYMENTS, "events": EVENTS}
    watches = {n: Watch(r, path) for n, path in paths.items()}
    name = "run-ha"
    address = r.app(name, "--mode", "run")
    starting = Timeline(r, name, address)
    wait_for("a JobManager pod", 30, lambda: pods(r.s, name))
    r.objects(name, f"{kube}/starting")
    r.wait(name, "RUNNING")
    time.sleep(8)
    starting.stop(f"{flink}/start/timeline.json")
    jid = r.job_pages(name, address, f"{flink}/running")
    for path, to in (("/overview", "overview"), ("/config", "config"), ("/jobs", "jobs"),
                     ("/taskmanagers", "taskmanagers"), (f"/jobs/{jid}/config", "job-config"),
                     (f"/jobs/{jid}/status", "job-status"), ("/jobmanager/config", "jobmanager-config")):
        r.get(name, address, path, f"{flink}/running/{to}.json")
    r.get(name, address, "/jobs/" + "f" * 32, f"{flink}/errors/404-unknown-job.json", 404)
    r.get(name, address, "/jobs/nonsense", f"{flink}/errors/400-malformed-job-id.json", 400)
    r.get(name, address, "/no/such/path", f"{flink}/errors/404-unknown-path.json", 404)
    r.objects(name, f"{kube}/running")
    for api, kind in (("/api/v1", "services"), ("/api/v1", "configmaps"), ("/apis/apps/v1", "replicasets")):
        listed = r.api_json(f"{api}/namespaces/default/{kind}?labelSelector=app%3D{name}")
        r.save(f"{kube}/running/{kind}.json", listed)

    killing = Timeline(r, name, address)
    kill("jobmanager")(r.s, args(id=name))
    restarted = False
    end = time.monotonic() + 90
    while time.monotonic() < end:
        status, body = rest(r.s, name, f"/jobs/{jid}", address=address, timeout=2)
        if status == 503:
            r.save(f"{flink}/errors/503-leader-election.json", body)
        if status == 200 and json.loads(body)["state"] == "INITIALIZING":
            r.save(f"{flink}/initializing/job.json", body)
            r.save(f"{flink}/initializing/jobs-overview.json",
                 rest(r.s, name, "/jobs/overview", address=address)[1])
        if not restarted and any(s["restartCount"] for p in pods(r.s, name)
                                 for s in p["status"].get("containerStatuses", [])):
            restarted = True
            r.objects(name, f"{kube}/after-jobmanager-kill")
        if status == 200 and json.loads(body)["state"] == "RUNNING" and restarted:
            break
    time.sleep(8)
    killing.stop(f"{flink}/jobmanager-kill-ha/timeline.json")
    r.job_pages(name, address, f"{flink}/jobmanager-kill-ha", jid)

    kubectl(r.s, "delete", "deployment", name, "--wait=false")
    time.sleep(0.3)
    r.objects(name, f"{kube}/terminating")
    r.remove(name)
    time.sleep(1)
    for n, w in watches.items():
        w.save(f"{kube}/watch/{n}.jsonl")


def no_ha_kill(r, flink, kube):
    name = "run-noha"
    address = r.app(name, "--mode", "run", ha=False)
    r.wait(name, "RUNNING")
    killing = Timeline(r, name, address)
    kill("jobmanager")(r.s, args(id=name))
    time.sleep(3)
    r.wait(name, "RUNNING")
    time.sleep(10)
    killing.stop(f"{flink}/jobmanager-kill-no-ha/timeline.json")
    r.remove(name)


def restarting(r, flink, kube):
    name = "flap"
    address = r.app(name, "--mode", "flap", "--times", "2", "--after", "3", "--delay", "6")
    timeline = Timeline(r, name, address)
    r.wait(name, "RESTARTING")
    time.sleep(1)
    jid = r.job_pages(name, address, f"{flink}/restarting")
    time.sleep(6)
    r.wait(name, "RUNNING")
    time.sleep(16)
    r.job_pages(name, address, f"{flink}/running-after-restarts", jid)
    timeline.stop(f"{flink}/restarting/timeline.json")
    r.remove(name)


def taskmanager_oom(r, flink, kube):
    """The kernel kills a TaskManager that takes more memory than its container may have."""
    name, folder = "oom", "taskmanager-oom"
    address = r.app(name, "--mode", "oom", "--times", "1", "--after", "20", "--delay", "10", ha=False)
    r.wait(name, "RUNNING")
    watches = {"pods": Watch(r, PODS), "events": Watch(r, EVENTS)}
    timeline = Timeline(r, name, address)
    jid = json.loads(rest(r.s, name, "/jobs/overview", address=address)[1])["jobs"][0]["jid"]
    shown, exceptions = [], []
    begin, end = time.monotonic(), time.monotonic() + 60
    while time.monotonic() < end:
        at = round(time.monotonic() - begin, 1)
        listed = r.api_json(f"{PODS}?labelSelector=app%3D{name},component%3Dtaskmanager")
        words = [(p["metadata"]["name"], reason(p)) for p in listed["items"]]
        if not shown or shown[-1][1] != words:
            shown.append((at, words))
            if any(why == "OOMKilled" for _, why in words):
                r.save(f"{kube}/{folder}/pods.json", listed)
        thrown = json.loads(rest(r.s, name, f"/jobs/{jid}/exceptions", address=address)[1])
        entries = thrown["exceptionHistory"]["entries"]
        if len(entries) != len(exceptions):
            exceptions.append((at, entries[0]["exceptionName"]))
            r.save(f"{flink}/{folder}/job-exceptions.json", thrown)
            r.get(name, address, "/jobs/overview", f"{flink}/{folder}/jobs-overview.json")
        time.sleep(0.02)
    timeline.stop(f"{flink}/{folder}/timeline.json")
    for n, w in watches.items():
        w.save(f"{kube}/{folder}/watch-{n}.jsonl")
    print("   taskmanagers:", *shown, "exceptions:", *exceptions, sep="\n      ")
    r.remove(name)


# A word for the application's name, its end, and the test job's options.
ENDINGS = (("fin", "FINISHED", ["--mode", "finish", "--records", "300"]),
           ("fail", "FAILED", ["--mode", "fail", "--after", "4"]),
           ("can", "CANCELED", ["--mode", "run"]))


def cancel_when_running(r, name, address):
    r.wait(name, "RUNNING")
    time.sleep(3)
    jid = json.loads(rest(r.s, name, "/jobs/overview", address=address)[1])["jobs"][0]["jid"]
    r.patch_cancel(name, address, jid)


def stays(r, flink, kube):
    """Terminal states while the application cluster stays up."""
    for word, state, job in ENDINGS:
        name, folder = f"stay-{word}", f"{state.lower()}-cluster-stays"
        address = r.app(name, *job, define=STAY)
        timeline = Timeline(r, name, address)
        if state == "CANCELED":
            cancel_when_running(r, name, address)
        r.wait(name, state)
        time.sleep(2)
        r.job_pages(name, address, f"{flink}/{folder}")
        timeline.stop(f"{flink}/{folder}/timeline.json")
        r.objects(name, f"{kube}/{folder}")
        r.remove(name)


def ends(r, flink, kube):
    """Terminal states with the default: the application cluster deletes itself."""
    for word, state, job in ENDINGS:
        name, folder = f"end-{word}", f"{state.lower()}-cluster-ends"
        address = r.app(name, *job)
        watches = {"pods": Watch(r, PODS), "deployments": Watch(r, DEPLOYMENTS)}
        timeline = Timeline(r, name, address)
        if state == "CANCELED":
            cancel_when_running(r, name, address)
        r.wait(name, "GONE", 180)
        time.sleep(2)
        timeline.stop(f"{flink}/{folder}/timeline.json")
        for n, w in watches.items():
            w.save(f"{kube}/{folder}/watch-{n}.jsonl")
        tail = kept_log(r.s, name).read_text().splitlines(keepends=True)[-400:]
        r.save(f"{flink}/{folder}/jobmanager-log-tail.txt", "".join(tail))
        left = r.api_json(f"/api/v1/namespaces/default/configmaps?labelSelector=app%3D{name}")
        r.save(f"{kube}/{folder}/configmaps-left.json", left)
        print("  configmaps left:", [i["metadata"]["name"] for i in left["items"]])
        for path in (r.s.data / "archive" / name).glob("*"):
            archive = json.loads(path.read_text())["archive"]
            r.save(f"{flink}/{folder}/archive-{path.name}.json",
                 {"archive": [e for e in archive if ARCHIVED.fullmatch(e["path"])]})
        for path in r.s.job_results(name).glob("*.json"):
            r.save(f"{flink}/{folder}/job-result-store-{path.name}", path.read_text())
        print("  kept:", [str(p.relative_to(r.s.data)) for d in ("archive", "ha", "ha/job-result-store", "checkpoints")
                          for p in (r.s.data / d / name).rglob("*") if p.is_file()])
        r.remove(name)


def broken(r, flink, kube):
    """Pods that never serve: wrong main class, missing image."""
    r.app("crash", main="no.such.Main")
    r.wait("crash", "CRASHLOOP", 180)
    r.objects("crash", f"{kube}/crash-loop")
    pod = pods(r.s, "crash")[0]["metadata"]["name"]
    log = kubectl(r.s, "logs", pod, "--previous", "--tail=40", check=False).stdout
    r.save(f"{kube}/crash-loop/jobmanager-log-tail.txt", log)
    r.app("noimage", image="localhost/missing:1")
    wait_for("ErrImagePull", 60, lambda: any(reason(p) == "ErrImagePull" for p in pods(r.s, "noimage")), 0.05)
    r.objects("noimage", f"{kube}/err-image-pull")
    r.wait("noimage", "IMAGEPULL", 120)
    r.objects("noimage", f"{kube}/image-pull-back-off")
    r.events(f"{kube}/broken", "crash", "noimage")
    r.remove("crash")
    r.remove("noimage")


def session(r, flink, kube):
    name = "sess"
    r.remove(name)
    flink_session(r.s, args(id=name))
    address = rest_address(r.s, name)
    timeline = Timeline(r, name, address)
    session_job(r.s, args(id=name, passed_on=["--mode", "run", "--name", "a"]))
    session_job(r.s, args(id=name, passed_on=["--mode", "fail", "--after", "3", "--name", "b"]))
    r.wait(name, "FAILED")
    time.sleep(2)
    for path, to in (("/overview", "overview"), ("/jobs/overview", "jobs-overview"), ("/jars", "jars")):
        r.get(name, address, path, f"{flink}/session/{to}.json")
    timeline.stop(f"{flink}/session/timeline.json")
    r.objects(name, f"{kube}/session")
    r.remove(name)


def api_server(r, flink, kube):
    """Errors and special watch lines of the API server."""
    token = kubectl(r.s, "create", "token", "watcher", "--duration=1h").stdout.strip()
    for to, path, kw in (
            ("404-deployment", DEPLOYMENTS + "/missing", {}),
            ("403-forbidden", "/api/v1/namespaces/default/secrets", {"token": token}),
            ("403-anonymous", DEPLOYMENTS, {"anonymous": True}),
            ("401-bad-token", DEPLOYMENTS, {"token": "nonsense"}),
            ("400-bad-continue-token", "/api/v1/pods?limit=1&continue=nonsense", {})):
        answer = r.api(path, **kw)
        body = json.loads(answer.read())
        print("  ", to, answer.status, body.get("reason"))
        r.save(f"{kube}/errors/{to}.json", body)
    answer = r.api("/api/v1/namespaces/default/pods?watch=1&resourceVersion=1&timeoutSeconds=2")
    lines = answer.read().decode()
    print("   watch from version 1:", answer.status, lines[:200])
    if '"type":"ERROR"' in lines:             # a young cluster still has its whole history
        r.target_of(f"{kube}/errors/watch-too-old.jsonl").write_text(lines.strip() + "\n")
    configmaps = "/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=10&allowWatchBookmarks=true"
    for to, query in (("bookmark", ""), ("streaming-list", "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")):
        lines = [json.loads(line) for line in r.api(configmaps + query, timeout=20).read().splitlines()]
        print("  ", to, [line["type"] for line in lines])
        r.save_lines(f"{kube}/watch/{to}.jsonl", lines)
    r.save(f"{kube}/version.json", r.api_json("/version"))
    r.save(f"{kube}/node.json", r.api_json("/api/v1/nodes/" + node_name(r.s)))


SCENARIOS = [running, no_ha_kill, restarting, taskmanager_oom, stays, ends, broken, session, api_server]
