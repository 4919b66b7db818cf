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
	if !hasEnded(decision.State) {
		decision.Conditions = conditions(snapshot)
	}
	decision.Alerts = alerts(snapshot, decision.State, decision.Reason)
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
	case job.Incarnation.StartedAt.IsNone():
		if isStarting(snapshot) {
			reason := because("Starting", "the Deployment is there, and Flink does not list the job yet")
			return decided(JobState_Starting, Confidence_Inferred, "starting", reason, nil)
		}
		reason := because("Unseen", "nothing has shown the job in this attempt yet")
		return decided(job.State, Confidence_Stale, "unseen", reason, nil)
	case hasEnded(job.State):
		return decided(job.State, job.Confidence, "ended", job.Reason, nil)
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

// One for each source that has given no answer for too long.
func conditions(snapshot Snapshot) []DecidedCondition {
	var found []DecidedCondition
	if snapshot.Flink.IsSome() {
		flink := snapshot.Flink.Some()
		if flink.Answer.Tag() == FlinkAnswer_Unknown && isSilent(snapshot, flink.Looks) {
			found = append(found, silence(ConditionType_FlinkUnreachable, flink.Answer.Unknown()))
		}
	}
	if snapshot.Deployment.IsSome() {
		deployment := snapshot.Deployment.Some()
		if deployment.Answer.Tag() == DeploymentAnswer_Unknown && isSilent(snapshot, deployment.Looks) {
			found = append(found, silence(ConditionType_KubernetesUnreachable, deployment.Answer.Unknown()))
		}
	}
	return found
}

func silence(kind ConditionType, fault Fault) DecidedCondition {
	return DecidedCondition{Kind: kind, Message: fault.Message}
}

func isSilent(snapshot Snapshot, looks Looks) bool {
	return looks.UnknownSince.IsSome() && snapshot.Now-looks.UnknownSince.Some() >= params.unreachableAfter
}

// An end that nobody wanted is told, as long as it stands.
func alerts(snapshot Snapshot, state JobState, reason Reason) []DecidedAlert {
	var name string
	switch state {
	case JobState_Failed:
		name = "JobFailed"
	case JobState_Lost:
		name = "JobLost"
	default:
		return nil
	}
	if isIntended(snapshot.Job, Intent_Cancel) {
		return nil
	}
	return []DecidedAlert{{Name: name, Scope: AlertScope_Job, Message: reason.Message}}
}

// Whether it was posted in this attempt.
func isIntended(job JobRecord, intent Intent) bool {
	began := job.Since
	if job.Incarnation.Since.IsSome() {
		began = job.Incarnation.Since.Some()
	}
	return job.Intent.IsSome() && job.Intent.Some().Intent == intent && job.Intent.Some().Since >= began
}

// Whether a start is seen: a job that is met for the first time may have run for days while its Flink is silent.
func isStarting(snapshot Snapshot) bool {
	if snapshot.Deployment.IsNone() || snapshot.Deployment.Some().Answer.Tag() != DeploymentAnswer_Present {
		return false
	}
	deployment := snapshot.Deployment.Some().Answer.Present()
	isListedEmpty := snapshot.Flink.IsSome() && snapshot.Flink.Some().Answer.Tag() == FlinkAnswer_Absent
	return snapshot.Job.Incarnation.Attempt > 1 || isListedEmpty || deployment.Ready < deployment.Replicas
}

func hasEnded(state JobState) bool {
	switch state {
	case JobState_Failed, JobState_Canceled, JobState_Finished, JobState_Lost, JobState_Terminated:
		return true
	}
	return false
}
