// Package policy is a small policy to start from: Flink's word counts, an error changes nothing, and gone takes more
// than one look.
package policy

import (
	"fmt"

	. "starter/bindings/imports/steadfast_policy_types"
	"starter/bindings/wit/types"
)

// Describe says what the policy is and which parameters it takes.
func Describe() Description {
	return Description{
		Name:       "starter",
		Version:    "0.1.0",
		Summary:    "Flink's word counts, an error changes nothing.",
		Parameters: parameters,
		Rules:      rules,
	}
}

// Configure takes the parameters: the JSON of `params`.
func Configure(text string) types.Result[types.Unit, string] {
	read, err := readParams(text)
	if err != nil {
		return types.Err[types.Unit](err.Error())
	}
	params = read
	return types.Ok[types.Unit, string](types.Unit{})
}

// Decide judges one snapshot.
func Decide(snapshot Snapshot, memory []byte) types.Result[Decision, string] {
	decision := judge(snapshot, memory)
	poll := snapshot.Timing.Poll
	if hasEnded(decision.State) {
		poll = snapshot.Timing.TerminalPoll
	}
	decision.Watch = Watch{PollAfter: poll, ValidateAfter: snapshot.Timing.Validate, Attention: Attention_Active}
	decision.Conditions = conditions(snapshot)
	return types.Ok[Decision, string](decision)
}

// Evidence is present, absent or unknown, and every error is unknown: never mix them up.
func judge(snapshot Snapshot, memory []byte) Decision {
	job := snapshot.Job
	why := "Flink has not been asked yet"
	var absent *Looks
	if snapshot.Flink.IsSome() {
		evidence := snapshot.Flink.Some()
		switch evidence.Answer.Tag() {
		case FlinkAnswer_Present:
			state := evidence.Answer.Present().State
			return decided(state, Confidence_Confirmed, "flink", because("Flink", "Flink lists the job"), nil)
		case FlinkAnswer_Absent:
			absent = &evidence.Looks
		case FlinkAnswer_Unknown:
			why = "Flink gives no answer: " + evidence.Answer.Unknown().Message
		}
	}
	switch {
	case hasEnded(job.State):
		return decided(job.State, job.Confidence, "ended", job.Reason, nil)
	case job.State == JobState_Unknown || job.State == JobState_Starting:
		if isDeployed(snapshot) {
			reason := because("Starting", "the Deployment is there, and Flink does not list the job yet")
			return decided(JobState_Starting, Confidence_Inferred, "starting", reason, nil)
		}
		return decided(job.State, Confidence_Stale, "unseen", because("Unseen", "nothing has shown the job yet"), nil)
	case absent == nil:
		return decided(job.State, Confidence_Stale, "unknown", because("FlinkUnknown", why), memory)
	}
	count, needed := countAbsence(*absent, memory), params.absenceConfirmations
	remembered := []byte(remember(count, absent.AskedAt))
	if count >= needed {
		reason := because("Lost", fmt.Sprintf("%d complete answers of Flink lack the job", needed))
		return decided(JobState_Lost, Confidence_Inferred, "lost", reason, remembered)
	}
	reason := because("Missing", fmt.Sprintf("%d of %d complete answers of Flink lack the job", count, needed))
	return decided(job.State, Confidence_Stale, "missing", reason, remembered)
}

func decided(state JobState, confidence Confidence, rule string, reason Reason, memory []byte) Decision {
	return Decision{State: state, Confidence: confidence, Rule: rule, Reason: reason, Memory: memory}
}

func because(code, message string) Reason {
	return Reason{Code: code, Message: message}
}

// How many looks lacked the job. One answer may be judged many times; it counts once.
func countAbsence(looks Looks, memory []byte) uint64 {
	var count uint64
	var askedAt Timestamp
	fmt.Sscanf(string(memory), "%d %d", &count, &askedAt)
	switch {
	case string(memory) != remember(count, askedAt):
		return 1 // Nothing that this policy left behind.
	case askedAt == looks.AskedAt:
		return count
	default:
		return count + 1
	}
}

func remember(count uint64, askedAt Timestamp) string {
	return fmt.Sprintf("%d %d", count, askedAt)
}

func conditions(snapshot Snapshot) []DecidedCondition {
	if snapshot.Flink.IsNone() || hasEnded(snapshot.Job.State) {
		return nil
	}
	flink := snapshot.Flink.Some()
	if flink.Answer.Tag() != FlinkAnswer_Unknown || flink.Looks.UnknownSince.IsNone() {
		return nil
	}
	if snapshot.Now-flink.Looks.UnknownSince.Some() < params.unreachableAfter {
		return nil
	}
	return []DecidedCondition{{Kind: ConditionType_FlinkUnreachable, Message: flink.Answer.Unknown().Message}}
}

func isDeployed(snapshot Snapshot) bool {
	return snapshot.Deployment.IsSome() && snapshot.Deployment.Some().Answer.Tag() == DeploymentAnswer_Present
}

func hasEnded(state JobState) bool {
	switch state {
	case JobState_Failed, JobState_Canceled, JobState_Finished, JobState_Lost, JobState_Terminated:
		return true
	}
	return false
}
