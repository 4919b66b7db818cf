"""Flink's word, and an alert when a job restarts again and again: more than `restarts` times within `window`.

A restart shows as another root exception, by the time that Flink gives it: a job that fails and runs again between two polls is
never seen RESTARTING. Flink is asked for the newest exception alone, so several between two looks count as one.
"""

import json
import re
from dataclasses import dataclass, field

from componentize_py_types import Err
from wit_world import WitWorld as Contract
from wit_world.imports.types import (
    AlertScope, Attention, ConditionType, Confidence, DecidedAlert, DecidedCondition, Decision, DeploymentAnswer_Unknown, Description,
    ExceptionsAnswer_Absent, ExceptionsAnswer_Present, FlinkAnswer_Absent, FlinkAnswer_Present, FlinkAnswer_Unknown,
    JobState, Parameter, Reason, Rule, Snapshot, Want, WantedSource, Watch,
)

NAME, VERSION = "restart-storm", "0.1.0"
STORM, FAILED = "RestartStorm", "JobFailed"
ENDED = {JobState.FAILED, JobState.CANCELED, JobState.FINISHED, JobState.LOST, JobState.TERMINATED}
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
UNREACHABLE_AFTER = 15_000  # milliseconds
MOST = 100  # What is remembered has an end.

PARAMETERS = [
    Parameter("restarts", "integer", "3", f"so many restarts within `window` are no storm yet; at most {MOST - 1}"),
    Parameter("window", "duration", '"10m"', "how long a restart counts"),
    Parameter("look_every", "duration", '"10s"', "how often Flink is asked for the newest exception"),
]
RULES = [
    Rule("flink-reports", "Flink lists the job: its word is the state", "only the JobManager knows it",
         "another answer of Flink"),
    Rule("not-listed", "Flink answers and does not list the job: the state stays, stale",
         "Flink has said nothing of how it is, or how it ended", "a list with the job"),
    Rule("flink-silent", "Flink gives no usable answer: the state stays, stale", "an error is no answer",
         "Flink's next answer"),
]


@dataclass
class Params:
    restarts: int = 3
    window: int = 600_000  # milliseconds
    look_every: int = 10_000  # milliseconds

    @classmethod
    def read(cls, text: str) -> "Params":
        """Refuses what it does not know, by name: a mistake must not pass for a default."""
        params = cls()
        for key, value in json.loads(text).items():
            if key == "restarts":
                if type(value) is not int or not 1 <= value < MOST:
                    raise Err(f"restarts is not a whole number from 1 to {MOST - 1}")
                params.restarts = value
            elif key in ("window", "look_every"):
                setattr(params, key, duration(key, value))
            else:
                known = ", ".join(parameter.name for parameter in PARAMETERS)
                raise Err(f"there is no parameter `{key}`; known are {known}")
        return params


def duration(key: str, value) -> int:
    """Milliseconds: one number with its unit after the other, as in 4h59m."""
    if not (isinstance(value, str) and re.fullmatch(r"([0-9]{1,9}(ms|s|m|h|d))+", value)):
        raise Err(f'{key} is not a duration such as "10m" (units: ms, s, m, h, d)')
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)(ms|s|m|h|d)", value))


@dataclass
class Memory:
    attempt: int = 0
    # The time of the newest exception that was seen; 0: Flink had none; None: it has not said yet.
    newest: int | None = None
    # When each restart was seen, by our clock: no two hosts' clocks are compared.
    seen: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, written: bytes, attempt: int) -> "Memory":
        """What this policy left behind of the same run of the job; else nothing."""
        try:
            memory = cls(*json.loads(written))
            memory.seen = [int(moment) for moment in memory.seen]
        except (ValueError, TypeError):
            return cls(attempt)
        return memory if memory.attempt == attempt else cls(attempt)

    def written(self) -> bytes:
        return json.dumps([self.attempt, self.newest, self.seen]).encode()


def count(params: Params, snapshot: Snapshot, memory: Memory) -> bool:
    """Takes in what Flink says of the newest exception. Whether it said anything: an error is no answer."""
    evidence = snapshot.exceptions
    answer = evidence.answer if evidence else None
    if isinstance(answer, ExceptionsAnswer_Present) and answer.value.at is not None:
        newest = answer.value.at
    elif isinstance(answer, ExceptionsAnswer_Absent):
        newest = 0
    else:
        return False
    # What was there before anybody looked is nothing that happened now.
    if memory.newest is not None and newest > memory.newest:
        memory.seen.append(snapshot.now)
    memory.newest = max(newest, memory.newest or 0)
    oldest = snapshot.now - params.window
    memory.seen = [moment for moment in memory.seen if moment > oldest][-MOST:]
    return True


def alerts(params: Params, snapshot: Snapshot, memory: Memory, is_known: bool, state: JobState) -> list[DecidedAlert]:
    """All that stand. Where nothing is known nothing is over: they go by answers alone."""
    standing = {alert.name: DecidedAlert(alert.name, alert.scope, alert.message) for alert in snapshot.job.alerts}
    is_listed = isinstance(snapshot.flink.answer if snapshot.flink else None, FlinkAnswer_Present)
    stand = []
    if len(memory.seen) > params.restarts:
        message = f"{len(memory.seen)} restarts within {params.window // 1000} s"
        stand.append(DecidedAlert(STORM, AlertScope.JOB, message))
    elif STORM in standing and not (is_listed and is_known):
        stand.append(standing[STORM])
    if is_listed and state == JobState.FAILED:
        stand.append(DecidedAlert(FAILED, AlertScope.JOB, "Flink says that the job has failed"))
    elif FAILED in standing and not is_listed:
        stand.append(standing[FAILED])
    return stand


def judge(snapshot: Snapshot):
    """State, confidence, rule and reason. Evidence is present, absent or unknown; never mix them up."""
    job, flink = snapshot.job, snapshot.flink
    answer = flink.answer if flink else None
    if isinstance(answer, FlinkAnswer_Present):
        return answer.value.state, Confidence.CONFIRMED, "flink-reports", Reason("FlinkReports", "Flink lists the job")
    if isinstance(answer, FlinkAnswer_Absent):
        return job.state, Confidence.STALE, "not-listed", Reason("NotListed", "Flink answers and does not list the job")
    why = f"Flink gives no usable answer: {answer.value.message}" if answer else "Flink has not been asked yet"
    return job.state, Confidence.STALE, "flink-silent", Reason("FlinkSilent", why)


def conditions(snapshot: Snapshot) -> list[DecidedCondition]:
    """What has not answered for a while."""
    found = []
    for kind, evidence, unknown in (
        (ConditionType.FLINK_UNREACHABLE, snapshot.flink, FlinkAnswer_Unknown),
        (ConditionType.KUBERNETES_UNREACHABLE, snapshot.deployment, DeploymentAnswer_Unknown),
    ):
        since = evidence.looks.unknown_since if evidence and isinstance(evidence.answer, unknown) else None
        if since is not None and snapshot.now - since >= UNREACHABLE_AFTER:
            found.append(DecidedCondition(kind, evidence.answer.value.message))
    return found


def wanted(params: Params, snapshot: Snapshot, state: JobState) -> list[Want]:
    """The newest exception, once each `look_every`, of a job that Flink lists and that has not ended."""
    is_listed = snapshot.flink and isinstance(snapshot.flink.answer, FlinkAnswer_Present)
    if not is_listed or state in ENDED:
        return []
    asked_at = snapshot.exceptions.looks.asked_at if snapshot.exceptions else None
    if asked_at is not None and snapshot.now - asked_at < params.look_every:
        return []
    return [Want(WantedSource.EXCEPTIONS, snapshot.now - 1)]


class WitWorld(Contract):
    params = Params()

    def describe(self) -> Description:
        return Description(NAME, VERSION, "Flink's word, and an alert when a job restarts again and again.", PARAMETERS, RULES)

    def configure(self, params: str) -> None:
        WitWorld.params = Params.read(params)

    def decide(self, snapshot: Snapshot, memory: bytes) -> Decision:
        remembered = Memory.read(memory, snapshot.job.incarnation.attempt)
        is_known = count(self.params, snapshot, remembered)
        state, confidence, rule, reason = judge(snapshot)
        stand = alerts(self.params, snapshot, remembered, is_known, state)
        timing = snapshot.timing
        poll = timing.terminal_poll if state in ENDED else timing.poll
        watch = Watch(poll, timing.validate, Attention.ACTIVE)
        wants = wanted(self.params, snapshot, state)
        return Decision(state, confidence, reason, rule, watch, wants, conditions(snapshot), stand, remembered.written())
