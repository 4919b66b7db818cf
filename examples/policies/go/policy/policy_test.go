package policy

import (
	"testing"

	. "starter/bindings/imports/steadfast_policy_types"
	"starter/bindings/wit/types"
)

// What the policy concludes, natively: `go test ./policy`, once a build has written bindings/.

const now = 1_767_225_600_000

// A job that ran since an hour, and what Flink says of it now.
func snapshot(answer FlinkAnswer, askedAt int64) Snapshot {
	const hour = now - 3_600_000
	looks := Looks{AskedAt: askedAt, ObservedAt: askedAt, KnownAt: types.Some(askedAt)}
	if answer.Tag() == FlinkAnswer_Unknown {
		looks.UnknownSince = types.Some(askedAt)
	}
	return Snapshot{
		Now:         now,
		EngineSince: hour,
		Job: JobRecord{
			Name:        "orders",
			State:       JobState_Running,
			Confidence:  Confidence_Confirmed,
			Since:       hour,
			Incarnation: Incarnation{Attempt: 1, StartedAt: types.Some[int64](hour), Since: types.Some[int64](hour)},
		},
		Flink:  types.Some(FlinkEvidence{Looks: looks, Answer: answer}),
		Timing: Timing{Poll: 5000, Timeout: 3000, Validate: 60_000, TerminalPoll: 60_000},
	}
}

func decide(t *testing.T, snapshot Snapshot, memory []byte) Decision {
	t.Helper()
	answer := Decide(snapshot, memory)
	if answer.Tag() != types.ResultOk {
		t.Fatal(answer.Err())
	}
	return answer.Ok()
}

func TestAnErrorChangesNothing(t *testing.T) {
	timeout := MakeFlinkAnswerUnknown(Fault{Kind: FaultKind_Timeout, Message: "no answer within 3 s"})
	decision := decide(t, snapshot(timeout, now), nil)
	if decision.State != JobState_Running || decision.Confidence != Confidence_Stale {
		t.Fatal(JobStateName(decision.State), ConfidenceName(decision.Confidence))
	}
}

func TestAJobIsLostAfterTheSecondAnswerWithoutIt(t *testing.T) {
	first := decide(t, snapshot(MakeFlinkAnswerAbsent(), now-5000), nil)
	if first.State != JobState_Running || first.Rule != "missing" {
		t.Fatal(JobStateName(first.State), first.Rule)
	}
	second := decide(t, snapshot(MakeFlinkAnswerAbsent(), now), first.Memory)
	if second.State != JobState_Lost || len(second.Alerts) != 1 || second.Alerts[0].Name != "JobLost" {
		t.Fatal(JobStateName(second.State), second.Alerts)
	}
}

func TestNothingIsLostBeforeItWasSeenToRun(t *testing.T) {
	var memory []byte
	for _, ago := range []int64{20_000, 10_000, 0} {
		redeployed := snapshot(MakeFlinkAnswerAbsent(), now-ago)
		redeployed.Job.Incarnation = Incarnation{Attempt: 2, Since: types.Some[int64](now - 60_000)}
		decision := decide(t, redeployed, memory)
		memory = decision.Memory
		if decision.Rule != "unseen" {
			t.Fatal(decision.Rule)
		}
	}
}
