"""Plays one job's trouble, and reads the traces of it. try.py PROGRAM FOLDER COLLECTOR..."""

import contextlib
import http.server
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sinks"))
from flink import JOB, Flink

PROGRAM, FOLDER, COLLECTOR = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HEADER = "h34der-5ecret"
# Of OTLP: SPAN_KIND_INTERNAL, SPAN_KIND_CLIENT, STATUS_CODE_ERROR.
INTERNAL, CLIENT, ERROR = 1, 3, 2


def until(what, holds, seconds=30):
    by = time.monotonic() + seconds
    while not (seen := holds()):
        assert time.monotonic() < by, f"never: {what}"
        time.sleep(0.1)
    return seen


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def serve(flink, told):
    """The Flink, and a receiver of events that refuses the first."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answered(self, status, body):
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answered(*flink.answer(self.path.removeprefix("/flink")))

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append(event)
            self.answered(503 if len(told) == 1 else 200, {})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Collector:
    def __init__(self, port):
        self.file, self.log = FOLDER / "traces.json", FOLDER / "collector.log"
        self.config, self.port = FOLDER / "collector.yaml", port
        self.config.write_text(f"""
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{port}
exporters:
  file:
    path: {self.file}
    append: true
    flush_interval: 100ms
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [file]
""")
        self.start()

    def start(self):
        self.process = subprocess.Popen([*COLLECTOR, "--config", str(self.config)], stdout=subprocess.DEVNULL,
                                        stderr=self.log.open("a"))

        def listens():
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True

        until("the collector listens", listens)

    def end(self):
        self.process.terminate()
        self.process.wait(20)

    def spans(self):
        """Each with its attributes as a dictionary."""
        if not self.file.exists():
            return []
        # The last line may be half written.
        lines = [line for line in self.file.read_text().split("\n")[:-1] if line]
        resources = [resource for line in lines for resource in json.loads(line).get("resourceSpans", [])]
        # doctor sends a request without a span.
        resources = [resource for resource in resources if resource.get("scopeSpans")]
        for resource in resources:
            about = attributes(resource["resource"])
            assert about["service.name"] == "engine-one" and about["deployment.environment.name"] == "test", about
            assert about["service.instance.id"] and about["service.version"], about
        scopes = [scope for resource in resources for scope in resource["scopeSpans"]]
        assert all(scope["scope"]["name"] == "steadfast" for scope in scopes), scopes
        return [{**span, "said": attributes(span)} for scope in scopes for span in scope["spans"]]


def attributes(one):
    return {attribute["key"]: next(iter(attribute["value"].values())) for attribute in one.get("attributes", [])}


def lasted(span):
    return int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])


class Engine:
    def __init__(self, port, here):
        (FOLDER / "token").write_text("t0ken-5ecret\n")
        (FOLDER / "token").chmod(0o600)
        (FOLDER / "config.toml").write_text(f"""
[server]
listen = "127.0.0.1:0"
[timing]
poll = "200ms"
validate = "1s"
retry_initial = "50ms"
retry_max = "500ms"
terminal_poll = "300ms"
[[job]]
name = "orders"
mode = "standalone"
flink_rest = "{here}/flink"
[[sink]]
kind = "webhook"
name = "hook"
url = "{here}/hook"
[telemetry]
endpoint = "http://127.0.0.1:{port}"
headers = {{ "X-Team" = "{HEADER}" }}
token_file = "token"
service_name = "engine-one"
resource = {{ "deployment.environment.name" = "test" }}
""")
        self.log = FOLDER / "engine.log"
        self.process = subprocess.Popen([PROGRAM, "run"], cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=self.log.open("w"))
        self.address = "http://" + until("the engine is up", lambda: self.said(r"dashboard are at http://([^/\"]*)"))[1]

    def said(self, what):
        return re.search(what, self.log.read_text())

    def get(self, path):
        with contextlib.suppress(OSError), OPENER.open(f"{self.address}{path}", timeout=5) as answer:
            return json.load(answer)

    def state(self):
        return (self.get("/api/v1/jobs/-/-/orders") or {}).get("state")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.log.read_text()


def decisions_to(collector, state):
    """The traces whose commits brought the job to that state, by their ids."""
    spans = collector.spans()
    found = {span["traceId"] for span in spans if span["name"] == "commit" and span["said"].get("steadfast.state") == state
             and "steadfast.state.before" in span["said"]}
    return {trace: [span for span in spans if span["traceId"] == trace] for trace in found}


def whole(spans, names=("decision", "look", "decide", "commit", "deliver")):
    return all(any(span["name"] == name for span in spans) for name in names)


def check_tree(spans):
    """A trace hangs together: each span but the first has its parent in it."""
    named = {name: [span for span in spans if span["name"] == name] for name in ("decision", "look", "decide", "commit", "deliver")}
    [decision], [decide], [commit] = named["decision"], named["decide"], named["commit"]
    assert not decision.get("parentSpanId"), decision
    for span in (*named["look"], decide, commit):
        assert span["parentSpanId"] == decision["spanId"], span
        assert lasted(decision)[0] <= lasted(span)[0] <= lasted(span)[1] <= lasted(decision)[1], (decision, span)
    for deliver in named["deliver"]:
        assert deliver["parentSpanId"] == commit["spanId"], deliver
        assert deliver["said"]["steadfast.sink.name"] == "hook", deliver
    assert len({span["spanId"] for span in spans}) == len(spans), "each span has an id of its own"
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in spans), spans
    assert decision["kind"] == decide["kind"] == INTERNAL and commit["kind"] == CLIENT
    assert decision["said"]["steadfast.job.id"] == "-/-/orders" and decision["said"]["steadfast.flink_job.id"] == JOB, decision
    assert decide["said"]["steadfast.rule"] and decide["said"]["steadfast.decided_by"] == "policy", decide
    assert float(decide["said"]["steadfast.policy.duration"]) > 0, decide
    assert commit["said"]["db.system.name"] == "sqlite", commit
    return decide, commit, named["deliver"]


def main():
    flink, told = Flink(), []
    here = f"http://127.0.0.1:{serve(flink, told)}"
    collector, engine = Collector(free_port()), None
    try:
        engine = Engine(collector.port, here)
        doctor = subprocess.run([PROGRAM, "doctor"], cwd=FOLDER, capture_output=True, text=True, timeout=60)
        assert "the collector takes traces" in doctor.stdout, doctor
        until("it runs", lambda: engine.state() == "RUNNING")

        def told_of(state):
            return [spans for spans in decisions_to(collector, state).values() if whole(spans)]

        [spans] = until("the trace of RUNNING is whole", lambda: told_of("RUNNING"))
        decide, commit, deliveries = check_tree(spans)
        job = engine.get("/api/v1/jobs/-/-/orders")
        assert decide["said"]["steadfast.reason.code"] == job["reason"]["code"], (decide, job)
        transitions = engine.get("/api/v1/jobs/-/-/orders/transitions")["items"]
        numbers = [value["intValue"] for value in commit["said"]["steadfast.sequences"]["values"]]
        assert str(transitions[0]["sequence"]) in map(str, numbers), (transitions, commit)
        until("the receiver's refusal is in the trace", lambda: [
            span for span in collector.spans() if span["name"] == "deliver" and span.get("status", {}).get("code") == ERROR
            and "503" in span["status"]["message"] and span["said"]["error.type"] == "not-now"])

        # Without a collector the record goes on, and what it missed is told when it is back.
        collector.end()
        flink.set("FAILED")
        until("it is FAILED all the same", lambda: engine.state() == "FAILED")
        until("the log says that traces are not taken", lambda: engine.said("traces are not taken"))
        before = len(told_of("FAILED"))
        collector.start()
        [spans] = until("the trace of FAILED arrives", lambda: told_of("FAILED"))
        assert before == 0
        check_tree(spans)
        until("the log says that they are taken again", lambda: engine.said("takes traces again"))

        # What comes last is sent with the stop.
        flink.set("RUNNING")
        until("it runs again", lambda: engine.state() == "RUNNING")
        engine.end()
        # The engine sends nothing more; a collector writes down what it has a moment later.
        until("the last decision, sent at the stop, is written down", lambda: len(decisions_to(collector, "RUNNING")) == 2)
        every = json.dumps(collector.spans()) + engine.log.read_text()
        for secret in (HEADER, "t0ken-5ecret"):
            assert secret not in every, "a secret is told"
        assert engine.log.read_text().count("traces are not taken") == 1, "it is said once"
        print(f"{len(collector.spans())} spans, of {len({span['traceId'] for span in collector.spans()})} traces")
    except BaseException:
        for log in (FOLDER / "engine.log", FOLDER / "collector.log"):
            print(f"---- {log.name}", log.read_text() if log.exists() else "", file=sys.stderr)
        raise
    finally:
        collector.process.kill()
        if engine:
            engine.process.kill()


main()
