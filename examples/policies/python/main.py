"""A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look."""

import json
import re
from dataclasses import dataclass

from componentize_py_types import Err
from wit_world import WitWorld as Contract
from wit_world.imports.types import (
    AlertScope, Attention, ConditionType, Confidence, DecidedAlert, DecidedCondition, Decision, DeploymentAnswer_Present,
    DeploymentAnswer_Unknown, Description, FlinkAnswer_Absent, FlinkAnswer_Present, FlinkAnswer_Unknown, FlinkEvidence,
    Intent, JobState, Parameter, Reason, Rule, Snapshot, Watch,
)

NAME, VERSION = "starter", "0.1.0"
ENDED = {JobState.FAILED, JobState.CANCELED, JobState.FINISHED, JobState.LOST, JobState.TERMINATED}
ALERTS = {JobState.FAILED: "JobFailed", JobState.LOST: "JobLost"}
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
    Rule("starting", "the job was not seen to run in this attempt, and its Deployment is new, not ready, or its Flink does not "
         "list it: it is starting", "a JobManager answers some time after its Deployment was made, and lists its job some time "
         "after that", "Flink listing the job"),
    Rule("unseen", "nothing has shown the job in this attempt yet: the state stays, stale",
         "what was not seen cannot be gone: after a redeployment, Flink's last answer is about the run before",
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
                # One number with its unit after the other, as in 4h59m.
                if not (isinstance(value, str) and re.fullmatch(r"([0-9]{1,9}(ms|s|m|h|d))+", value)):
                    raise Err('unreachable_after is not a duration such as "15s" (units: ms, s, m, h, d)')
                parts = re.findall(r"([0-9]+)(ms|s|m|h|d)", value)
                params.unreachable_after = sum(int(number) * UNITS[unit] for number, unit in parts)
            else:
                known = ", ".join(parameter.name for parameter in PARAMETERS)
                raise Err(f"there is no parameter `{key}`; known are {known}")
        return params


def judge(params: Params, snapshot: Snapshot, memory: bytes):
    """State, confidence, rule, reason and what to remember. Evidence is present, absent or unknown; never mix them up."""
    job, flink = snapshot.job, snapshot.flink
    answer = flink.answer if flink else None
    if isinstance(answer, FlinkAnswer_Present):
        return answer.value.state, Confidence.CONFIRMED, "flink", Reason("Flink", "Flink lists the job"), b""
    if job.incarnation.started_at is None:
        if is_starting(snapshot):
            reason = Reason("Starting", "the Deployment is there, and Flink does not list the job yet")
            return JobState.STARTING, Confidence.INFERRED, "starting", reason, b""
        reason = Reason("Unseen", "nothing has shown the job in this attempt yet")
        return job.state, Confidence.STALE, "unseen", reason, b""
    if job.state in ENDED:
        return job.state, job.confidence, "ended", job.reason, b""
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


def is_starting(snapshot: Snapshot) -> bool:
    """Whether a start is seen: a job that is met for the first time may have run for days while its Flink is silent."""
    if not snapshot.deployment or not isinstance(snapshot.deployment.answer, DeploymentAnswer_Present):
        return False
    deployment, flink = snapshot.deployment.answer.value, snapshot.flink
    is_listed_empty = flink is not None and isinstance(flink.answer, FlinkAnswer_Absent)
    return snapshot.job.incarnation.attempt > 1 or is_listed_empty or deployment.ready < deployment.replicas


def count_absence(flink: FlinkEvidence, memory: bytes) -> int:
    """How many looks lacked the job. One answer may be judged many times; it counts once."""
    remembered = re.fullmatch(rb"([0-9]{1,9}) (-?[0-9]+)", memory)
    if not remembered:
        return 1
    count, asked_at = map(int, remembered.groups())
    return count if asked_at == flink.looks.asked_at else count + 1


def conditions(params: Params, snapshot: Snapshot, state: JobState) -> list[DecidedCondition]:
    """One for each source that has given no answer for too long."""
    if state in ENDED:
        return []
    sources = [
        (ConditionType.FLINK_UNREACHABLE, snapshot.flink, FlinkAnswer_Unknown),
        (ConditionType.KUBERNETES_UNREACHABLE, snapshot.deployment, DeploymentAnswer_Unknown),
    ]
    found = []
    for kind, evidence, unknown in sources:
        if not evidence or not isinstance(evidence.answer, unknown):
            continue
        since = evidence.looks.unknown_since
        if since is not None and snapshot.now - since >= params.unreachable_after:
            found.append(DecidedCondition(kind, evidence.answer.value.message))
    return found


def alerts(snapshot: Snapshot, state: JobState, reason: Reason) -> list[DecidedAlert]:
    """An end that nobody wanted is told, as long as it stands."""
    if state not in ALERTS or intended(snapshot, Intent.CANCEL):
        return []
    return [DecidedAlert(ALERTS[state], AlertScope.JOB, reason.message)]


def intended(snapshot: Snapshot, intent: Intent) -> bool:
    """Whether it was posted in this attempt."""
    job = snapshot.job
    began = job.since if job.incarnation.since is None else job.incarnation.since
    return job.intent is not None and job.intent.intent == intent and job.intent.since >= began


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
        found, told = conditions(self.params, snapshot, state), alerts(snapshot, state, reason)
        return Decision(state, confidence, reason, rule, watch, [], found, told, remembered)
