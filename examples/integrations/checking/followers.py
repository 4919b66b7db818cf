"""The two examples, as processes that are killed and started again, and what is in their databases."""

import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Told:
    number: int
    sequence: int
    job: str
    what: str


class Follower:
    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name, self.database = name, folder / f"{name}.db"
        self._command = [*command, "--database", str(self.database)]
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._log = (folder / f"{name}.log").open("ab")

    def start(self) -> None:
        # Nothing on loopback needs a proxy.
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self._process = subprocess.Popen(
            self._command, stdout=self._log, stderr=self._log, env=environment, cwd=self._folder
        )

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._log.close()

    def resets(self) -> int:
        """How often it has read all jobs anew, by its own word."""
        return Path(self._log.name).read_text().count("read anew")

    def position(self) -> tuple[str, int]:
        rows = self._rows("SELECT store, sequence FROM position")
        return (rows[0][0], rows[0][1]) if rows else ("", -1)

    def told(self, behind: int = 0) -> list[Told]:
        query = "SELECT number, sequence, job, what FROM told WHERE number > ? ORDER BY number"
        return [Told(*row) for row in self._rows(query, behind)]

    def jobs(self) -> list[tuple[object, ...]]:
        return self._rows("SELECT id, state, platform_state, confidence, since, severity FROM jobs ORDER BY id")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        if self._process and self._process.poll() is not None:
            raise ChildProcessError(f"the follower in {self.name} has ended; its log says why")
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10.0)) as db:
            try:
                return db.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:  # killed before it had made its tables
                if "no such table" in str(error):
                    return []
                raise
