"""What an answer of the wrong type is told. The types are written as componentize-py writes them."""

import unittest
from dataclasses import dataclass, replace
from enum import Enum
from typing import List

from steadfast_answer import mistake


class JobState(Enum):
    RUNNING = 0
    LOST = 1


class AlertScope(Enum):
    JOB = 0
    CLUSTER = 1


@dataclass
class Watch:
    poll_after: int
    validate_after: int


@dataclass
class DecidedAlert:
    name: str
    scope: AlertScope


@dataclass
class Want:
    observed_after: int


@dataclass
class Decision:
    state: JobState
    watch: Watch
    wanted: List[Want]
    alerts: List[DecidedAlert]
    memory: bytes


RIGHT = Decision(JobState.RUNNING, Watch(5000, 60_000), [Want(-1)], [DecidedAlert("JobStuck", AlertScope.JOB)], b"")


class Answers(unittest.TestCase):
    def test_what_the_contract_asks_for_is_taken(self):
        self.assertIsNone(mistake(RIGHT, Decision))

    def test_what_it_does_not_is_told_by_name_with_what_would_do(self):
        for answer, told in [
            (None, "the answer is None; a Decision"),
            ({"state": 1}, "the answer is {'state': 1}, of the type dict; a Decision"),
            (replace(RIGHT, state="running"), "state is 'running', of the type str; one of JobState.RUNNING, JobState.LOST"),
            (replace(RIGHT, state=AlertScope.JOB), "state is <AlertScope.JOB: 0>; one of JobState.RUNNING, JobState.LOST"),
            (replace(RIGHT, watch=Watch(2.5, 1)), "watch.poll_after is 2.5, of the type float; a whole number of 0 or more"),
            (replace(RIGHT, watch=Watch(1, -5)), "watch.validate_after is -5, of the type int; a whole number of 0 or more"),
            (replace(RIGHT, watch=Watch(True, 1)), "watch.poll_after is True, of the type bool; a whole number of 0 or more"),
            (replace(RIGHT, wanted=[Want(2**63)]), "wanted[0].observed_after is 9223372036854775808, of the type int; a whole number"),
            (replace(RIGHT, wanted=None), "wanted is None; a list"),
            (replace(RIGHT, alerts=["JobStuck"]), "alerts[0] is 'JobStuck', of the type str; a DecidedAlert"),
            (replace(RIGHT, alerts=[DecidedAlert(None, AlertScope.JOB)]), "alerts[0].name is None; a str"),
            (replace(RIGHT, memory={"a": 1}), "memory is {'a': 1}, of the type dict; bytes"),
            (replace(RIGHT, memory="x" * 90), f"memory is '{'x' * 59}..., of the type str; bytes"),
        ]:
            self.assertEqual(mistake(answer, Decision), told)


if __name__ == "__main__":
    unittest.main()
