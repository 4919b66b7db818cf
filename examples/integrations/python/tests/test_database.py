"""What the database holds after events, and after those that come twice, late or not at all."""

import sqlite3
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from follower.database import Database
from follower.server import Event, Json, Position
from follower.states import platform_state


def record(job: str, state: str, revision: int, alerts: tuple[str, ...] = (), scope: str = "job") -> Json:
    firing = [{"alert": alert, "scope": scope} for alert in alerts]
    where = {"id": job, "cluster": "a", "state": state, "confidence": "confirmed", "since": "2026-01-01"}
    return where | {"alerts": firing, "revision": revision}


def event(name: str, sequence: int, job: str = "a/b/c", revision: int = 2, body: Json | None = None) -> Event:
    data = {"job": job, "sequence": sequence, "at": f"at {sequence}", "revision": revision, "body": body, "store": "s"}
    return Event(name, data)


def transition(sequence: int, to: str, revision: int = 2) -> Event:
    reason = {"code": "FlinkReports", "message": f"Flink reports {to}"}
    body = {"from": "RUNNING", "to": to, "confidence": "confirmed", "reason": reason}
    return event("transition", sequence, revision=revision, body=body)


class DatabaseTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "platform.db"
        self.database = Database(self.path)
        self.database.read_anew(Position("s", 10, None), [record("a/b/c", "RUNNING", 5)])

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.path) as db:
            return db.execute(query).fetchall()

    def told(self) -> list[str]:
        return [str(what) for (what,) in self.rows("SELECT what FROM told ORDER BY number")]

    def test_a_platform_that_begins_tells_nothing(self) -> None:
        self.assertEqual(self.told(), [])
        self.assertEqual(self.database.position(), Position("s", 10, None))

    def test_an_event_that_comes_twice_is_told_once(self) -> None:
        for _ in range(2):
            self.database.take(transition(11, "FAILED", 6), record("a/b/c", "FAILED", 6))
        self.assertEqual(self.told(), ["RUNNING -> FAILED (confirmed): Flink reports FAILED"])
        self.assertEqual(self.database.position(), Position("s", 11, "at 11"))

    def test_what_fails_half_way_is_taken_back_whole(self) -> None:
        failed = transition(11, "FAILED", 6)
        with patch.object(Database, "_move", side_effect=OSError), self.assertRaises(OSError):
            self.database.take(failed, record("a/b/c", "FAILED", 6))
        self.assertEqual((self.told(), self.rows("SELECT state FROM jobs")), ([], [("RUNNING",)]))
        self.database.take(failed, record("a/b/c", "FAILED", 6))
        self.assertEqual((len(self.told()), self.rows("SELECT state FROM jobs")), (1, [("FAILED",)]))

    def test_of_what_is_silenced_users_are_told_when_the_silence_ends(self) -> None:
        failed = {"alert": "JobFailed", "scope": "job", "status": "firing", "message": "failed"}
        silenced = record("a/b/c", "FAILED", 6, ("JobFailed",)) | {"silences": [{"alert": "JobFailed"}]}
        self.database.take(event("alert", 11, revision=6, body=failed | {"silenced": True}), silenced)
        self.database.read_anew(Position("t", 12, None), [silenced])
        self.assertEqual(self.told(), [])
        loud = record("a/b/c", "FAILED", 7, ("JobFailed",))
        self.database.take(event("alert", 13, revision=7, body=failed), loud)
        # A silence that comes when it was told already, and goes: nothing is new.
        self.database.read_anew(Position("u", 14, None), [loud | {"silences": [{"alert": "JobFailed"}]}])
        self.database.read_anew(Position("v", 15, None), [loud])
        self.assertEqual(self.told(), ["JobFailed firing: failed"])
        self.database.read_anew(Position("w", 16, None), [record("a/b/c", "FAILED", 8)])
        self.assertEqual(self.told()[1:], ["JobFailed resolved, read anew"])

    def test_one_job_s_silence_is_enough_for_what_a_cluster_shares(self) -> None:
        shared = [record(f"a/b/{name}", "RUNNING", 6, ("FleetDisrupted",), "cluster") for name in ("c", "d")]
        quiet = record("a/b/e", "RUNNING", 6) | {"silences": [{"alert": "FleetDisrupted"}]}
        self.database.read_anew(Position("t", 12, None), [*shared, quiet])
        self.assertEqual([what for what in self.told() if "Fleet" in what], [])

    def test_an_older_record_does_not_replace_a_newer_one(self) -> None:
        self.database.take(transition(11, "FAILED", 6), record("a/b/c", "RUNNING", 8))
        self.database.take(transition(12, "RUNNING", 8), record("a/b/c", "FAILED", 6))
        self.assertEqual(self.rows("SELECT state, revision FROM jobs"), [("RUNNING", 8)])

    def test_reading_anew_tells_what_differs_and_events_before_it_nothing_more(self) -> None:
        alerts = ("JobFailed",)
        self.database.read_anew(
            Position("t", 3, None), [record("a/b/c", "FAILED", 9, alerts), record("a/b/d", "RUNNING", 1)]
        )
        expected = ["now FAILED, read anew", "now RUNNING, read anew", "JobFailed firing, read anew"]
        self.assertEqual(self.told(), expected)
        self.database.take(transition(4, "FAILED", 9), record("a/b/c", "FAILED", 9, alerts))
        self.assertEqual((self.told(), self.database.position()), (expected, Position("s", 4, "at 4")))
        self.database.read_anew(Position("t", 5, None), [record("a/b/d", "RUNNING", 1)])
        expected += ["no longer on record, read anew", "JobFailed resolved, read anew"]
        self.assertEqual((self.told(), self.rows("SELECT id FROM jobs")), (expected, [("a/b/d",)]))

    def test_an_alert_of_a_cluster_is_told_once(self) -> None:
        jobs = [record(job, "RUNNING", 5, ("FleetDisrupted",), "cluster") for job in ("a/b/c", "a/b/d")]
        self.database.read_anew(Position("s", 20, None), [record("a/b/d", "RUNNING", 5), record("a/b/c", "RUNNING", 5)])
        self.database.read_anew(Position("s", 30, None), jobs)
        self.assertEqual(self.told(), ["now RUNNING, read anew", "FleetDisrupted firing, read anew"])

    def test_updates_are_shown_and_not_told(self) -> None:
        self.database.take(event("update", 11, revision=6), record("a/b/c", "RUNNING", 6, ("FlinkUnreachable",)))
        self.assertEqual(self.told(), [])
        self.assertEqual(self.rows("SELECT revision FROM jobs"), [(6,)])

    def test_a_job_that_is_forgotten_goes(self) -> None:
        self.database.take(event("forgotten", 11, revision=6), None)
        self.assertEqual((self.told(), self.rows("SELECT * FROM jobs")), (["forgotten"], []))

    def test_an_event_that_cannot_be_read_is_said_to_be_one(self) -> None:
        unreadable = Event("unreadable", {"job": "a/b/c", "sequence": 11, "why": "not JSON", "store": "s", "at": "now"})
        self.database.take(unreadable, record("a/b/c", "FAILED", 6))
        self.assertEqual(self.told(), ["an event of it cannot be read; now FAILED"])
        self.assertEqual(self.database.position(), Position("s", 11, None), "when it was sent is no entry's time")

    def test_a_file_of_other_tables_is_refused(self) -> None:
        Database(self.path)
        with sqlite3.connect(self.path) as db:
            db.execute("PRAGMA user_version = 1")
        with self.assertRaisesRegex(ValueError, "tables of version 1, not 2: move it away"):
            Database(self.path)

    def test_a_state_of_a_later_steadfast_is_no_end(self) -> None:
        self.assertEqual((platform_state("HIBERNATING"), platform_state("SAVEPOINTING")), ("OTHER", "RUNNING"))


if __name__ == "__main__":
    unittest.main()
