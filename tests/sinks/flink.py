"""A Flink with one job, for whoever tries what an engine tells of it."""

import time

JOB = "00000000000000000000000000000001"


class Flink:
    """A Flink with one job, in whatever state it is told."""

    def __init__(self):
        self.state, self.begun = "RUNNING", int(time.time() * 1000) - 60_000

    def set(self, state):
        self.state = state
        if state == "RUNNING":
            self.begun = int(time.time() * 1000)

    def job(self):
        ended = self.state in ("FAILED", "FINISHED", "CANCELED")
        now = int(time.time() * 1000)
        return {
            "jid": JOB, "name": "orders", "state": self.state, "start-time": self.begun, "end-time": now if ended else -1,
            "duration": now - self.begun, "last-modification": now,
            "tasks": {key: 0 for key in ("running", "canceling", "canceled", "total", "created", "scheduled", "deploying",
                                         "reconciling", "finished", "initializing", "failed")},
        }

    def answer(self, path):
        if path == "/jobs/overview":
            return 200, {"jobs": [self.job()]}
        if path == f"/jobs/{JOB}":
            return 200, {**self.job(), "vertices": []}
        if path == f"/jobs/{JOB}/exceptions":
            return 200, {"root-exception": "java.lang.RuntimeException: no disk", "timestamp": self.begun, "all-exceptions": []}
        return 404, {"errors": ["Unable to load requested file " + path]}
