"""What the policy concludes, natively: `python3 -m unittest`, once a build has written the contract's types into bindings/."""

import sys
import unittest

sys.path.insert(0, "bindings")

from wit_world.imports.types import (
    Confidence, Fault, FaultKind, Fleet, FlinkAnswer_Absent, FlinkAnswer_Unknown, FlinkEvidence, Incarnation, JobRecord,
    JobState, Looks, Mode, Reason, Snapshot, Timing,
)

import main

NOW = 1_767_225_600_000


def snapshot(answer, asked_at=NOW, **record) -> Snapshot:
    """A job that ran since an hour, and what Flink says of it now. The record's fields may be said otherwise."""
    hour = NOW - 3_600_000
    job = JobRecord(**{
        "cluster": "local", "namespace": "default", "name": "orders", "mode": Mode.APPLICATION, "labels": [],
        "state": JobState.RUNNING, "confidence": Confidence.CONFIRMED, "reason": Reason("Flink", ""), "since": hour,
        "confirmed_at": hour, "incarnation": Incarnation(1, None, "0" * 32, hour, hour), "conditions": [], "alerts": [],
        "intent": None, "revision": 1, **record,
    })
    unknown_since = asked_at if isinstance(answer, FlinkAnswer_Unknown) else None
    looks = Looks(asked_at, asked_at, asked_at, unknown_since, 0)
    nothing = dict.fromkeys([
        "exceptions", "checkpoints", "deployment", "deletion", "pods", "events", "ha_data", "last_words", "archive",
        "flink_resource", "task_managers",
    ])
    return Snapshot(now=NOW, engine_since=hour, job=job, flink=FlinkEvidence(looks, answer), **nothing,
                    fleet=Fleet(1, 0), timing=Timing(5000, 3000, 60_000, 800, 30_000, 0, 60_000))


class Decides(unittest.TestCase):
    def setUp(self):
        self.policy = main.WitWorld()
        self.policy.configure("{}")

    def test_an_error_changes_nothing(self):
        timeout = FlinkAnswer_Unknown(Fault(FaultKind.TIMEOUT, "no answer within 3 s"))
        decision = self.policy.decide(snapshot(timeout), b"")
        self.assertEqual((decision.state, decision.confidence), (JobState.RUNNING, Confidence.STALE))

    def test_a_job_is_lost_after_the_second_answer_without_it(self):
        first = self.policy.decide(snapshot(FlinkAnswer_Absent(), NOW - 5000), b"")
        self.assertEqual((first.state, first.rule), (JobState.RUNNING, "missing"))
        second = self.policy.decide(snapshot(FlinkAnswer_Absent()), first.memory)
        self.assertEqual(second.state, JobState.LOST)
        self.assertEqual([alert.name for alert in second.alerts], ["JobLost"])

    def test_nothing_is_lost_before_it_was_seen_to_run(self):
        redeployed = Incarnation(2, "u2", None, None, NOW - 60_000)
        memory = b""
        for ago in (20_000, 10_000, 0):
            decision = self.policy.decide(snapshot(FlinkAnswer_Absent(), NOW - ago, incarnation=redeployed), memory)
            memory = decision.memory
            self.assertEqual(decision.rule, "unseen")


if __name__ == "__main__":
    unittest.main()
