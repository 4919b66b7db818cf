"""The platform's database.

`jobs`, `firing`, `told` and `position` change in one transaction, so that a kill at any moment leaves them agreeing.
"""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from follower.server import Event, Json, Position
from follower.states import platform_state

VERSION = 2  # of the tables, in the file's own `user_version`; raise it when you change them
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,                        -- Steadfast's word
    platform_state TEXT NOT NULL,               -- the platform's
    confidence TEXT NOT NULL,
    since TEXT NOT NULL,
    severity TEXT,                              -- of servers that tell it
    revision INTEGER NOT NULL,
    read_revision INTEGER NOT NULL DEFAULT 0);  -- of the last reading anew: what led there is not told again
CREATE TABLE IF NOT EXISTS firing (             -- alerts whose beginning users were told, and whose end they were not
    about TEXT NOT NULL,                        -- a job by its id, or a cluster or policy, whose jobs share it
    alert TEXT NOT NULL,
    job TEXT NOT NULL,                          -- the one it was told with
    PRIMARY KEY (about, alert));
CREATE TABLE IF NOT EXISTS told (
    number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, job TEXT NOT NULL, what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS position (
    one INTEGER PRIMARY KEY CHECK (one = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT);
"""
SCOPES = ("job", "cluster", "policy")
KEEP = """
INSERT INTO jobs (id, state, platform_state, confidence, since, severity, revision)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, platform_state = excluded.platform_state,
    confidence = excluded.confidence, since = excluded.since, severity = excluded.severity, revision = excluded.revision
WHERE excluded.revision >= jobs.revision
"""


class Database:
    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # what is committed survives a loss of power, too
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and version != VERSION:
            message = f"{path} has tables of version {version}, not {VERSION}: move it away, and all jobs are read anew"
            raise ValueError(message)
        self._db.executescript(f"PRAGMA user_version = {VERSION}; {SCHEMA}")

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
                self._note_alert(event, record)
            if event.name == "forgotten":
                self._db.execute("DELETE FROM jobs WHERE id = ?", (job,))
                self._db.execute("DELETE FROM firing WHERE about = ?", (job,))
            elif record:
                self._keep(record)
            # That of `unreadable` is when it was sent, and no entry's.
            at = None if event.name == "unreadable" else data.get("at")
            self._move(Position(data["store"], data["sequence"], at))

    def read_anew(self, position: Position, records: Iterable[Json]) -> None:
        """Takes all jobs as they are, where events are missing, and tells users of what differs from before."""
        records = list(records)  # asked for before the transaction begins
        with self._transaction():
            is_first = self.position() is None  # then there is nothing that could differ
            before = self._states()
            self._db.execute("DELETE FROM jobs")
            for record in records:
                self._keep(record)
            self._db.execute("UPDATE jobs SET read_revision = revision")
            now = self._states()
            news = [(job, f"now {state}, read anew") for job, state in now.items() if before.get(job) != state]
            news += [(job, "no longer on record, read anew") for job in before if job not in now]
            news += self._alerts_anew(records)
            for job, what in news if not is_first else []:
                self._tell(position.sequence, job, what)
            self._move(position)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._db:  # commits, or takes all of it back
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _states(self) -> dict[str, str]:
        return dict(self._db.execute("SELECT id, state FROM jobs ORDER BY id"))

    def _keep(self, record: Json) -> None:
        state = record["state"]
        row = (record["id"], state, platform_state(state), record["confidence"], record["since"])
        self._db.execute(KEEP, (*row, record.get("severity"), record["revision"]))

    def _note_alert(self, event: Event, record: Json | None) -> None:
        """Notes what a told event says of an alert."""
        if event.name != "alert":
            return
        job, body = event.data["job"], event.data["body"]
        key = (about(job, body["scope"], record), body["alert"])
        if body["status"] == "firing":
            self._db.execute("INSERT OR REPLACE INTO firing VALUES (?, ?, ?)", (*key, job))
        else:
            self._db.execute("DELETE FROM firing WHERE about = ? AND alert = ?", key)

    def _alerts_anew(self, records: list[Json]) -> list[tuple[str, str]]:
        """Compares what stands with what users were told, and gives what they are to be told."""
        stands: dict[tuple[str, str], str] = {}
        silenced: set[tuple[str, str]] = set()
        for record in sorted(records, key=lambda record: str(record["id"])):
            for alert in record["alerts"]:
                stands.setdefault((about(record["id"], alert["scope"], record), alert["alert"]), record["id"])
            for silence in record.get("silences", []):  # one job's is enough for what many share
                silenced.update((about(record["id"], scope, record), silence["alert"]) for scope in SCOPES)
        told = {(row[0], row[1]): row[2] for row in self._db.execute("SELECT about, alert, job FROM firing")}
        # Of what is silenced users are told when the silence ends; of what they were told before it, nothing is new.
        begun = {key: job for key, job in stands.items() if key not in told and key not in silenced}
        ended = {key: job for key, job in told.items() if key not in stands}
        self._db.executemany("INSERT INTO firing VALUES (?, ?, ?)", [(*key, job) for key, job in begun.items()])
        self._db.executemany("DELETE FROM firing WHERE about = ? AND alert = ?", list(ended))
        news = [(job, f"{alert} firing, read anew") for (_, alert), job in begun.items()]
        return news + [(job, f"{alert} resolved, read anew") for (_, alert), job in ended.items()]

    def _tell(self, sequence: int, job: str, what: str) -> None:
        self._db.execute("INSERT INTO told (sequence, job, what) VALUES (?, ?, ?)", (sequence, job, what))

    def _move(self, to: Position) -> None:
        self._db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?)", (to.store, to.sequence, to.at))


def about(job: str, scope: str, record: Json | None) -> str:
    """What an alert is about. One that a cluster, or policy, shares is one alert, whichever of its jobs has it."""
    if scope == "cluster":
        return job.partition("/")[0]
    return str(record.get(scope, job)) if record else job


def describe(event: Event, record: Json | None) -> str | None:
    """What users are told of an event; `None`: nothing, as what changed is only shown."""
    body: Json = event.data.get("body") or {}
    match event.name:
        case "transition":
            return f"{body['from']} -> {body['to']} ({body['confidence']}): {body['reason']['message']}"
        case "alert":
            # A silence: what begins under it is told when it ends, and what nobody was told of ends untold.
            return None if body.get("silenced") else f"{body['alert']} {body['status']}: {body['message']}"
        case "forgotten":
            return "forgotten"
        case "unreadable":
            return f"an event of it cannot be read; now {record['state'] if record else 'no longer on record'}"
        case _:  # an `update`
            return None
