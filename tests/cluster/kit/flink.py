"""Flink clusters and jobs: started, killed, removed."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import uuid

from .images import ctr, flink_image, load_images
from .kubernetes import kubectl, kubectl_json, pods
from .rest import rest, rest_address
from .settings import NAMESPACE
from .shell import Failure, run, say, wait_for, write

JAVA_OPENS = [f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in
              ("java.util", "java.lang", "java.net", "java.util.concurrent", "java.time")]


def app_name(name):
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?", name):
        raise argparse.ArgumentTypeError("must match [a-z]([a-z0-9-]{0,40}[a-z0-9])?")
    return name


def flink_options(s, app, args):
    version = s.flink
    template = write(s.dir / "pod-template.yaml", json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "template"}, "spec": {
            "containers": [{"name": "flink-main-container",
                            "volumeMounts": [{"name": "data", "mountPath": "/flink-data"}]}],
            "volumes": [{"name": "data", "hostPath": {"path": str(s.data), "type": "Directory"}}]}}))
    options = {
        "kubernetes.config.file": s.kubeconfig, "kubernetes.cluster-id": app,
        "kubernetes.namespace": NAMESPACE, "kubernetes.rest-service.exposed.type": "ClusterIP",
        "kubernetes.container.image.ref": args.image or flink_image(version),
        "kubernetes.container.image.pull-policy": "IfNotPresent",
        "kubernetes.pod-template-file.default": template,
        "jobmanager.memory.process.size": "1g", "taskmanager.memory.process.size": "1g",
        "kubernetes.jobmanager.cpu.amount": "0.05", "kubernetes.taskmanager.cpu.amount": "0.05",
        "kubernetes.jobmanager.cpu.limit-factor": "20", "kubernetes.taskmanager.cpu.limit-factor": "20",
        "jobmanager.archive.fs.dir": f"file:///flink-data/archive/{app}",
        "execution.checkpointing.dir": f"file:///flink-data/checkpoints/{app}",
        "job-result-store.delete-on-commit": "false",
    }
    if args.ha:
        options["high-availability.type"] = "kubernetes"
        options["high-availability.storageDir"] = "file:///flink-data/ha"
        options["job-result-store.storage-path"] = f"file:///flink-data/ha/job-result-store/{app}"
    for pair in args.define:
        key, sep, value = pair.partition("=")
        if not sep:
            raise Failure(f"-D needs key=value, got {pair}")
        options[key] = value
    return [f"-D{k}={v}" for k, v in options.items()]


def flink_client(s, app, main, *argv):
    home = s.flink_home()
    if not (home / "lib").is_dir():
        raise Failure(f"Flink {s.flink} is not built: run `FLINK_VERSION={s.flink} cluster build`")
    write(home / "conf" / "log4j-cli.properties", "rootLogger.level = WARN\n"
          "rootLogger.appenderRef.c.ref = C\nappender.c.name = C\nappender.c.type = CONSOLE\n"
          "appender.c.layout.type = PatternLayout\nappender.c.layout.pattern = %-5p %c{1} - %m%n\n")
    out = run("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *JAVA_OPENS,
              f"-Dlog4j.configurationFile=file:{home}/conf/log4j-cli.properties",
              "-cp", f"{home}/lib/*", main, *argv, check=False, timeout=120,
              env={**s.env(), "FLINK_CONF_DIR": str(home / "conf"), "FLINK_LIB_DIR": str(home / "lib")})
    log = write(s.logs / f"flink-client-{app}.log", out.stdout + out.stderr)
    if out.returncode:
        causes = [line for line in log.read_text().splitlines() if re.match(r"(Caused by: |[a-z.]+\.[A-Za-z.]*Exception)", line)]
        raise Failure("the Flink client failed, see " + "\n  ".join([str(log), *dict.fromkeys(causes)]))


def note_app(s, app, **facts):
    write(s.apps / f"{app}.json", json.dumps({"version": s.flink, **facts}))


def prepare(s, app, args):
    if kubectl_json(s, "get", "deployment", app, "--ignore-not-found"):
        raise Failure(f"Deployment {app} exists: `cluster flink-rm {app}` first")
    if not args.image:
        load_images(s, s.flink)
    wait_for(f"the pods of an earlier {app} to go, as they clean up after their job", 60,
             lambda: not kubectl_json(s, "get", "pods", "-l", f"app={app}")["items"])
    results = s.job_results(app)
    if any(results.glob("*.json")):
        # The earlier job ended. Flink 1.20 may be stopped before it has cleaned up, with the job's graph left and
        # its jar gone: the next JobManager would crash on it. A cluster without an end keeps its data, to resume from.
        forget(s, app)
    # Results of a namesake would pass for this one's.
    for d in (s.data / "archive" / app, results):
        shutil.rmtree(d, ignore_errors=True)
        d.mkdir(parents=True)
    (s.data / "checkpoints" / app).mkdir(parents=True, exist_ok=True)


def job_jar(s, args, version=None):
    jar = pathlib.Path(args.jar or s.flink_home(version) / "test-job.jar")
    if not jar.is_file():
        raise Failure(f"no such jar: {jar}")
    return jar


def put_jar(s, args):
    """Puts the jar where the JobManager's next start finds it; a running one keeps what it has loaded."""
    target = s.data / "jars" / f"{args.id}.jar"
    shutil.copy(job_jar(s, args), target.with_suffix(".new"))
    os.replace(target.with_suffix(".new"), target)


def flink_app(s, args):
    prepare(s, args.id, args)
    put_jar(s, args)
    # Flink 2 folded `run-application` into `run`.
    verb = "run-application" if s.flink.startswith("1.") else "run"
    entry = ["-c", args.main] if args.main else []
    flink_client(s, args.id, "org.apache.flink.client.cli.CliFrontend", verb, "-t", "kubernetes-application",
                 *flink_options(s, args.id, args), *entry,
                 f"local:///flink-data/jars/{args.id}.jar", *args.passed_on)
    note_app(s, args.id, kind="application", ha=args.ha)
    print(f"http://{rest_address(s, args.id)}")


def flink_session(s, args):
    prepare(s, args.id, args)
    flink_client(s, args.id, "org.apache.flink.kubernetes.cli.KubernetesSessionCli",
                 *flink_options(s, args.id, args))
    note_app(s, args.id, kind="session", ha=args.ha)
    print(f"http://{rest_address(s, args.id)}")


def session_job(s, args):
    """Uploads the jar and runs it, over REST; prints the job id."""
    address = rest_address(s, args.id)
    facts = json.loads((s.apps / f"{args.id}.json").read_text())
    jar = job_jar(s, args, facts["version"])
    wait_for("the session's REST endpoint", 90,
             lambda: rest(s, args.id, "/jobs/overview", address=address)[0] == 200, pause=0.5)
    edge = uuid.uuid4().hex
    body = (f'--{edge}\r\nContent-Disposition: form-data; name="jarfile"; filename="{jar.name}"\r\n'
            "Content-Type: application/x-java-archive\r\n\r\n").encode() + jar.read_bytes() + \
        f"\r\n--{edge}--\r\n".encode()
    status, text = rest(s, args.id, "/jars/upload", body,
                        {"Content-Type": f"multipart/form-data; boundary={edge}"}, 30, address)
    if status != 200:
        raise Failure(f"upload: {status} {text}")
    jar_id = json.loads(text)["filename"].rsplit("/", 1)[-1]
    request = {"programArgsList": args.passed_on}
    if args.main:
        request["entryClass"] = args.main
    status, text = rest(s, args.id, f"/jars/{jar_id}/run", json.dumps(request).encode(),
                        {"Content-Type": "application/json"}, 60, address)
    if status != 200:
        raise Failure(f"run: {status} {text}")
    print(json.loads(text)["jobid"])


def forget(s, app):
    """Removes what would make a cluster's successor resume."""
    kubectl(s, "delete", "configmap,service", "-l", f"app={app}", "--ignore-not-found")
    for d in (s.data / "ha" / app, s.job_results(app), s.data / "checkpoints" / app):
        shutil.rmtree(d, ignore_errors=True)


def flink_rm(s, args):
    """Deletes a cluster and what would make its successor resume; the archive stays."""
    kubectl(s, "delete", "deployment", args.id, "--ignore-not-found", "--cascade=foreground",
            "--wait=true", "--timeout=110s", timeout=120)     # the kubelet backs off after an outage
    wait_for("the pods to go", 20, lambda: not kubectl_json(s, "get", "pods", "-l", f"app={args.id}")["items"])
    forget(s, args.id)
    (s.apps / f"{args.id}.json").unlink(missing_ok=True)
    say(f"flink-rm: {args.id} is gone")


def kill(component):
    """Kills the java process of the newest pod of a component, by its container's pid."""
    def command(s, args):
        running = wait_for(f"a running {component} container of {args.id}", 20, lambda: [
            (p, c) for p in pods(s, args.id, component)
            for c in p["status"].get("containerStatuses", []) if c["state"].get("running")])
        pod, container = running[-1]
        wanted = container["containerID"].split("//")[1]
        for line in ctr(s, "tasks", "ls").stdout.splitlines():
            fields = line.split()
            if fields and fields[0] == wanted:
                os.kill(int(fields[1]), signal.SIGKILL)
                say(f"killed pid {fields[1]} of pod {pod['metadata']['name']}")
                return
        raise Failure(f"containerd has no task {wanted}")
    return command
