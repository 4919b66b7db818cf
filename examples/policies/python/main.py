"""A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look."""

import json
import re
from dataclasses import dataclass

from componentize_py_types import Err
from wit_world import WitWorld as Contract
from wit_world.imports.types import (
    Attention, ConditionType, Confidence, DecidedCondition, Decision, DeploymentAnswer_Present, Description,
    FlinkAnswer_Absent, FlinkAnswer_Present, FlinkAnswer_Unknown, FlinkEvidence, JobState, Parameter, Reason,
    Rule, Snapshot, Watch,
)

NAME, VERSION = "starter", "0.1.0"
NEVER_SEEN = {JobState.UNKNOWN, JobState.STARTING}
ENDED = {JobState.FAILED, JobState.CANCELED, JobState.FINISHED, JobState.LOST, JobState.TERMINATED}
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

PARAMETERS = [
    Parameter("absence_confirmations", "integer", "2", "answers in a row that must lack a job before it is lost"),
    Parameter("unreachable_after", "duration", '"15s"', "time without an answer before a condition says so"),
]
RULES = [
    Rule("flink", "Flink lists the job: its word is the state", "the cluster that runs a job knows it best",
         "another answer of Flink"),
    Rule("ended", "the job has ended and Flink no longer lists it: the end stands",
         "a Flink cluster may forget a job that has ended, and may go", "Flink listing the job again"),
    Rule("starting", "the job was never seen and its Deployment is there: it is starting",
         "a JobManager answers only some time after its Deployment was made", "Flink listing the job"),
    Rule("unseen", "nothing has shown the job yet: nothing is claimed", "what was never seen cannot be gone",
         "the Deployment, or Flink listing the job"),
    Rule("unknown", "Flink gave no answer that can be used: the state stays, stale",
         "an error says nothing about the job", "Flink's next answer"),
    Rule("missing", "fewer than `absence_confirmations` complete answers lack the job: the state stays, stale",
         "one answer may come from a JobManager that is still recovering", "more such answers, or Flink listing it"),
    Rule("lost", "`absence_confirmations` complete answers lack the job: it is lost",
         "a cluster that answers and does not know a job does not run it", "Flink listing the job again"),
]


@dataclass
class Params:
    absence_confirmations: int = 2
    unreachable_after: int = 15_000  # milliseconds

    @classmethod
    def read(cls, text: str) -> "Params":
        """Refuses what it does not know, by name: a mistake must not pass for a default."""
        params = cls()
        for key, value in json.loads(text).items():
            if key == "absence_confirmations":
                if type(value) is not int or value < 1:
                    raise Err("absence_confirmations is not a whole number of 1 or more")
                params.absence_confirmations = value
            elif key == "unreachable_after":
                match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|d)", value) if isinstance(value, str) else None
                if not match:
                    raise Err('unreachable_after is not a duration such as "15s" (units: ms, s, m, h, d)')
                params.unreachable_after = int(match[1]) * UNITS[match[2]]
            else:
                raise Err(f"there is no parameter `{key}`; known are absence_confirmations and unreachable_after")
        return params


def judge(params: Params, snapshot: Snapshot, memory: bytes):
    """State, confidence, rule, reason and what to remember. Evidence is present, absent or unknown; never mix them up."""
    job, flink = snapshot.job, snapshot.flink
    answer = flink.answer if flink else None
    if isinstance(answer, FlinkAnswer_Present):
        return answer.value.state, Confidence.CONFIRMED, "flink", Reason("Flink", "Flink lists the job"), b""
    if job.state in ENDED:
        return job.state, job.confidence, "ended", job.reason, b""
    if job.state in NEVER_SEEN:
        if snapshot.deployment and isinstance(snapshot.deployment.answer, DeploymentAnswer_Present):
            reason = Reason("Starting", "the Deployment is there, and Flink does not list the job yet")
            return JobState.STARTING, Confidence.INFERRED, "starting", reason, b""
        return job.state, Confidence.STALE, "unseen", Reason("Unseen", "nothing has shown the job yet"), b""
    if isinstance(answer, FlinkAnswer_Absent):
        count, needed = count_absence(flink, memory), params.absence_confirmations
        remembered = f"{count} {flink.looks.asked_at}".encode()
        if count >= needed:
            reason = Reason("Lost", f"{needed} complete answers of Flink lack the job")
            return JobState.LOST, Confidence.INFERRED, "lost", reason, remembered
        reason = Reason("Missing", f"{count} of {needed} complete answers of Flink lack the job")
        return job.state, Confidence.STALE, "missing", reason, remembered
    why = f"Flink gives no answer: {answer.value.message}" if answer else "Flink has not been asked yet"
    return job.state, Confidence.STALE, "unknown", Reason("FlinkUnknown", why), memory


def count_absence(flink: FlinkEvidence, memory: bytes) -> int:
    """How many looks lacked the job. One answer may be judged many times; it counts once."""
    remembered = re.fullmatch(rb"([0-9]{1,9}) (-?[0-9]+)", memory)
    if not remembered:
        return 1
    count, asked_at = map(int, remembered.groups())
    return count if asked_at == flink.looks.asked_at else count + 1


def conditions(params: Params, snapshot: Snapshot) -> list[DecidedCondition]:
    flink = snapshot.flink
    if not flink or not isinstance(flink.answer, FlinkAnswer_Unknown) or snapshot.job.state in ENDED:
        return []
    since = flink.looks.unknown_since
    if since is None or snapshot.now - since < params.unreachable_after:
        return []
    return [DecidedCondition(ConditionType.FLINK_UNREACHABLE, flink.answer.value.message)]


class WitWorld(Contract):
    params = Params()

    def describe(self) -> Description:
        return Description(NAME, VERSION, "Flink's word counts, an error changes nothing.", PARAMETERS, RULES)

    def configure(self, params: str) -> None:
        WitWorld.params = Params.read(params)

    def decide(self, snapshot: Snapshot, memory: bytes) -> Decision:
        state, confidence, rule, reason, remembered = judge(self.params, snapshot, memory)
        timing = snapshot.timing
        poll = timing.terminal_poll if state in ENDED else timing.poll
        watch = Watch(poll, timing.validate, Attention.ACTIVE)
        return Decision(state, confidence, reason, rule, watch, [], conditions(self.params, snapshot), [], remembered)
