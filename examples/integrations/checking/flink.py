"""Flinks on loopback, one a job, whose jobs change their states by a script that a seed draws."""

import json
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from checking.waiting import until

# What may come after a state. After an end comes another run, with another id.
AFTER = {
    "INITIALIZING": ["CREATED"],
    "CREATED": ["RUNNING"],
    "RUNNING": ["RESTARTING", "FAILING", "CANCELLING", "FINISHED"],
    "RESTARTING": ["RUNNING", "FAILING"],
    "FAILING": ["FAILED", "RESTARTING"],
    "CANCELLING": ["CANCELED"],
}
KEPT = 3  # ended runs that a Flink still lists

Row = dict[str, object]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Says nothing: whoever asked was killed meanwhile."""


class Flinks:
    def __init__(self, names: list[str], seed: int) -> None:
        self._random = Random(seed)
        self._runs: dict[str, list[Row]] = {name: [] for name in names}
        self._polls = dict.fromkeys(names, 0)
        for name in names:
            self._begin(name, "RUNNING")
        self._stop = threading.Event()
        self._script: threading.Thread | None = None
        flinks = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body = flinks._answer(self.path.strip("/").split("/"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="flinks", daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def play(self) -> None:
        """Lets states change, as fast as they are asked for, until `rest`."""
        self._stop.clear()
        self._script = threading.Thread(target=self._play, name="script", daemon=True)
        self._script.start()

    def rest(self) -> None:
        if self._script:
            self._stop.set()
            self._script.join()
            self._script = None

    def close(self) -> None:
        self.rest()
        self._server.shutdown()
        self._server.server_close()

    def _play(self) -> None:
        while not self._stop.is_set():
            name = self._random.choice(list(self._runs))
            run = self._runs[name][-1]
            after = AFTER.get(str(run["state"]))
            if after:
                run["state"] = self._random.choice(after)
                if run["state"] not in AFTER:
                    run["end-time"] = int(time.time() * 1000)
            else:
                self._begin(name, "INITIALIZING")
            # Two answers with it, so that a state is mostly seen. While no engine runs, nobody asks.
            until(partial(self._was_asked, name, dict(self._polls)), "a Flink is asked", 60)

    def _was_asked(self, name: str, before: dict[str, int]) -> bool:
        asked = {job: self._polls[job] - before[job] for job in before}
        is_left_out = sum(asked.values()) >= 6 * len(asked)  # the others were asked again and again
        return asked[name] > 1 or is_left_out or self._stop.is_set()

    def _begin(self, name: str, state: str) -> None:
        job = f"{self._random.getrandbits(128):032x}"
        run = {"jid": job, "name": name, "start-time": int(time.time() * 1000), "end-time": -1, "state": state}
        self._runs[name] = [*self._runs[name][-KEPT:], run | {"tasks": {"total": 1, "running": 1}}]

    def _answer(self, path: list[str]) -> tuple[int, object]:
        name, rest = path[0], path[1:]
        if rest == ["jobs", "overview"] and name in self._runs:
            answer = {"jobs": [dict(run) for run in self._runs[name]]}
            self._polls[name] += 1
            return 200, answer
        return 404, {"errors": ["Not found"]}
