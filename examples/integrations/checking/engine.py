"""The real engine, as a process that is killed and started again, and what it says when it is asked."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from checking.waiting import until

Json = dict[str, Any]
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy, whatever the environment says


class Engine:
    def __init__(self, program: Path, folder: Path, flinks: dict[str, str]) -> None:
        self._program, self._folder, self._flinks = program, folder, flinks
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.token_file, self.store = folder / "token", folder / "steadfast.db"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "engine.log").open("ab")

    def start(self, without: tuple[str, ...] = ()) -> None:
        """Starts it with all jobs but these, and a token that nobody has seen before."""
        token = self.token_file.with_suffix(".new")
        token.touch(mode=0o600)
        token.write_text(os.urandom(32).hex())
        token.replace(self.token_file)
        config = self._folder / "config.toml"
        jobs = (self._job(name, url) for name, url in self._flinks.items() if name not in without)
        config.write_text(HEAD.format(port=self._port) + "".join(jobs))
        command = [str(self._program), "run", "--config", str(config)]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until(self._is_ready, "the engine is ready", 60)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._log.close()

    def ask(self, path: str, timeout: float = 10.0) -> Json:
        request = urllib.request.Request(self.url + path, headers=self._authorization())
        with HTTP.open(request, timeout=timeout) as answer:
            body: Json = json.loads(answer.read() or "{}")
            return body

    def silence(self, job: str, alert: str) -> None:
        """Has nobody told of an alert of a job for an hour."""
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        self._change("PUT", f"/api/v1/jobs/{job}/silences/{alert}", {"until": until})

    def unsilence(self, job: str, alert: str) -> None:
        self._change("DELETE", f"/api/v1/jobs/{job}/silences/{alert}", {})

    def pages(self, path: str) -> Iterator[Json]:
        page = self.ask(path)
        yield from page["items"]
        while page.get("cursor"):
            page = self.ask(f"{path}?cursor={page['cursor']}")
            yield from page["items"]

    def newest(self) -> int:
        """The newest sequence: who comes with a position of another store is told."""
        newest: int = next(self._stream("store=none"))[1]["newest"]
        return newest

    def journal(self, after: int = 0) -> list[tuple[str, Json]]:
        """All events behind a position, by name and data, as far as there are any now."""
        newest, events = self.newest(), []
        if newest > after:
            for name, data in self._stream(f"after={after}"):
                events.append((name, data))
                if data["sequence"] >= newest:
                    break
        return events

    def back_up(self, to: Path) -> None:
        command = [str(self._program), "store", "backup", "--store", f"sqlite://{self.store}", "--to", str(to)]
        # 1 says that an entry in the copy does not read, which is meant: `check` has damaged one.
        if subprocess.run(command, check=False, stdout=self._log, stderr=self._log).returncode > 1:
            raise ChildProcessError(f"the backup failed; {self._log.name} says why")

    def restore(self, backup: Path | None) -> None:
        """Puts a copy in the place of the store, or nothing, with the engine down. What the old one left goes too."""
        for file in self._folder.glob("steadfast.db*"):
            file.unlink()
        if backup:
            shutil.copy(backup, self.store)

    def change_store(self, statement: str, *values: object) -> None:
        """Does to the store, with the engine down, what a disk or its own upkeep may do."""
        with sqlite3.connect(self.store) as db:
            db.execute(statement, values)
        db.close()

    def drop_all_but_the_newest(self) -> None:
        """What its upkeep does to entries that are older than what is kept."""
        newest = "(SELECT max(sequence) - 1 FROM journal)"
        self.change_store(f"UPDATE store SET dropped_until = {newest}")
        self.change_store(f"DELETE FROM journal WHERE sequence <= {newest}")

    def _stream(self, query: str) -> Iterator[tuple[str, Json]]:
        """Server-sent events read by hand: whoever judges the followers does not use their libraries."""
        request = urllib.request.Request(f"{self.url}/api/v1/events?{query}", headers=self._authorization())
        with HTTP.open(request, timeout=10.0) as answer:
            fields: dict[str, str] = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name in ("event", "data"):
                    fields[name] = value
                elif not name and fields:
                    yield fields["event"], json.loads(fields["data"])
                    fields = {}

    def _change(self, method: str, path: str, body: Json) -> None:
        headers = self._authorization() | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method=method)
        with HTTP.open(request, timeout=10.0):
            pass

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token_file.read_text()}"}

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ChildProcessError(f"the engine has ended; {self._folder / 'engine.log'} says why")
        try:
            return bool(self.ask("/readyz", timeout=2.0))
        except OSError:
            return False

    @staticmethod
    def _job(name: str, url: str) -> str:
        return f'\n[[job]]\nname = "{name}"\nmode = "standalone"\nflink_rest = "{url}"\n'


HEAD = """\
[store]
url = "sqlite://steadfast.db"
[server]
listen = "127.0.0.1:{port}"
token_file = "token"
[timing]
poll = "40ms"
timeout = "1s"
validate = "1s"
retry_initial = "50ms"
retry_max = "200ms"
terminal_poll = "40ms"
[[policy]]
name = "default"
module = "builtin:conservative"
select = {{ namespace = ["*"], name = ["*"] }}
[policy.params]
absence_window = "2s"
alert_after = "200ms"
"""
