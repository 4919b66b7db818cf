"""`wait-job` and `logs`."""

import contextlib
import json
import os
import sys
import time

from .kubernetes import kubectl, kubectl_json, pods, reason
from .rest import archived, rest, rest_address
from .shell import Failure, say


def wait_job(s, args):
    """Waits for a state of any job of a cluster, or for a state of the pod:
    CRASHLOOP, IMAGEPULL, GONE (no Deployment)."""
    wanted, seen, end = args.state.upper(), None, time.monotonic() + args.seconds
    address = None
    while True:
        now = ""
        try:
            if wanted in ("CRASHLOOP", "IMAGEPULL", "GONE"):
                reasons = [reason(p) for p in pods(s, args.id)]
                there = kubectl_json(s, "get", "deployment", args.id, "--ignore-not-found")
                now = "GONE" if not there and not reasons else ",".join(reasons)
                if (wanted == "GONE" and now == "GONE"
                        or wanted == "CRASHLOOP" and "CrashLoopBackOff" in reasons
                        or wanted == "IMAGEPULL" and "ImagePullBackOff" in reasons):
                    print(wanted)
                    return
            else:
                states = {}
                if not address:
                    try:
                        address = rest_address(s, args.id)
                    except Failure as e:
                        now = str(e)
                if address:
                    status, body = rest(s, args.id, "/jobs/overview", address=address, timeout=2)
                    if status == 200:
                        states = {j["jid"]: j["state"] for j in json.loads(body)["jobs"]}
                    else:
                        now = f"HTTP {status}" if status else "no answer"
                states = {**archived(s, args.id), **states}
                for jid, state in states.items():
                    if state == wanted and (not args.job or jid == args.job):
                        print(jid)
                        return
                now = ",".join(states.values()) or now or "no job"
        except Failure as e:
            now = str(e).splitlines()[0]
        if now != seen:
            say(f"{time.strftime('%H:%M:%S')} {now}")
            seen = now
        if time.monotonic() > end:
            raise Failure(f"{args.id} did not reach {wanted} within {args.seconds} s")
        time.sleep(0.2)


def kept_log(s, app, taskmanager=False):
    """The newest copy of a log that outlived its pod, or None."""
    pattern = f"{app}-taskmanager-*.log" if taskmanager else f"{app}-*.log"
    found = [p for p in (s.data / "logs").glob(pattern) if taskmanager or "-taskmanager-" not in p.name]
    return max(found, key=os.path.getmtime, default=None)


def logs(s, args):
    component = "taskmanager" if args.taskmanager else "jobmanager"
    found = []
    with contextlib.suppress(Failure):
        found = pods(s, args.id, component)
    if found:
        extra = ["--previous"] if args.previous else []
        for p in found:
            out = kubectl(s, "logs", p["metadata"]["name"], f"--tail={args.tail}", *extra, check=False)
            sys.stdout.write(out.stdout)
            sys.stderr.write(out.stderr)
        return
    kept = kept_log(s, args.id, args.taskmanager)
    if not kept:
        raise Failure(f"{args.id} has no {component} pod and left no log")
    say(f"the pod is gone; its copy: {kept}")
    lines = kept.read_text(errors="replace").splitlines(keepends=True)
    sys.stdout.writelines(lines if args.tail < 0 else lines[-args.tail:])
