"""The platform's database.

`jobs`, `told` and `position` change in one transaction, so that a kill at any moment leaves them agreeing.
"""

import json
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from follower.server import Event, Json, Position
from follower.states import platform_state

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,                        -- Steadfast's word
    platform_state TEXT NOT NULL,               -- the platform's
    confidence TEXT NOT NULL,
    since TEXT NOT NULL,
    severity TEXT,                              -- of servers that tell it
    alerts TEXT NOT NULL,                       -- what fires, as JSON: [[about, alert], ...]
    revision INTEGER NOT NULL,
    read_revision INTEGER NOT NULL DEFAULT 0);  -- of the last reading anew: what led there is not told again
CREATE TABLE IF NOT EXISTS told (
    number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, job TEXT NOT NULL, what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS position (
    one INTEGER PRIMARY KEY CHECK (one = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT);
"""
KEEP = """
INSERT INTO jobs (id, state, platform_state, confidence, since, severity, alerts, revision)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, platform_state = excluded.platform_state,
    confidence = excluded.confidence, since = excluded.since, severity = excluded.severity, alerts = excluded.alerts,
    revision = excluded.revision
WHERE excluded.revision >= jobs.revision
"""


class Database:
    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # what is committed survives a loss of power, too
        self._db.executescript(SCHEMA)

    def position(self) -> Position | None:
        row = self._db.execute("SELECT store, sequence, at FROM position").fetchone()
        return Position(*row) if row else None

    def take(self, event: Event, record: Json | None) -> None:
        """Takes in one event, with its job's record as it is by now. One that was taken in before changes nothing."""
        data, job = event.data, event.data["job"]
        with self._transaction():
            position = self.position()
            if position is None or data["sequence"] <= position.sequence:
                return
            read = self._db.execute("SELECT read_revision FROM jobs WHERE id = ?", (job,)).fetchone()
            what = describe(event, record)
            if what and (not read or data.get("revision", read[0] + 1) > read[0]):
                self._tell(data["sequence"], job, what)
            if event.name == "forgotten":
                self._db.execute("DELETE FROM jobs WHERE id = ?", (job,))
            elif record:
                self._keep(record)
            self._move(Position(data["store"], data["sequence"], data.get("at")))

    def read_anew(self, position: Position, records: Iterable[Json]) -> None:
        """Takes all jobs as they are, where events are missing, and tells users of what differs from before."""
        records = list(records)  # asked for before the transaction begins
        with self._transaction():
            is_first = self.position() is None  # then there is nothing that could differ
            before, fired = self._shown()
            self._db.execute("DELETE FROM jobs")
            for record in records:
                self._keep(record)
            self._db.execute("UPDATE jobs SET read_revision = revision")
            now, fires = self._shown()
            news = [(job, f"now {state}, read anew") for job, state in now.items() if before.get(job) != state]
            news += [(job, "no longer on record, read anew") for job in before if job not in now]
            news += [(fires[key], f"{key[1]} firing, read anew") for key in fires if key not in fired]
            news += [(fired[key], f"{key[1]} resolved, read anew") for key in fired if key not in fires]
            for job, what in news if not is_first else []:
                self._tell(position.sequence, job, what)
            self._move(position)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._db:  # commits, or takes all of it back
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _shown(self) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
        """The state of each job; and what fires, with a job that has it."""
        rows = self._db.execute("SELECT id, state, alerts FROM jobs ORDER BY id").fetchall()
        fires: dict[tuple[str, str], str] = {}
        for job, _, alerts in rows:
            for about, alert in json.loads(alerts):
                fires.setdefault((about, alert), job)
        return {job: state for job, state, _ in rows}, fires

    def _keep(self, record: Json) -> None:
        state = record["state"]
        # An alert that a whole cluster, or policy, shares is one alert, whichever of its jobs has it.
        alerts = [(record.get(a["scope"], record["id"]), a["alert"]) for a in record["alerts"]]
        row = (record["id"], state, platform_state(state), record["confidence"], record["since"])
        self._db.execute(KEEP, (*row, record.get("severity"), json.dumps(alerts), record["revision"]))

    def _tell(self, sequence: int, job: str, what: str) -> None:
        self._db.execute("INSERT INTO told (sequence, job, what) VALUES (?, ?, ?)", (sequence, job, what))

    def _move(self, to: Position) -> None:
        self._db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?)", (to.store, to.sequence, to.at))


def describe(event: Event, record: Json | None) -> str | None:
    """What users are told of an event; `None`: nothing, as what changed is only shown."""
    body: Json = event.data.get("body") or {}
    match event.name:
        case "transition":
            return f"{body['from']} -> {body['to']} ({body['confidence']}): {body['reason']['message']}"
        case "alert":
            return f"{body['alert']} {body['status']}: {body['message']}"
        case "forgotten":
            return "forgotten"
        case "unreadable":
            return f"an event of it cannot be read; now {record['state'] if record else 'no longer on record'}"
        case _:  # an `update`
            return None
