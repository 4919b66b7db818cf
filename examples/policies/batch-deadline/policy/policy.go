// Package policy is Flink's word, and an alert for a batch job that has not finished by its deadline.
//
// The deadline of a run is the next time of the day, after the run was first seen, that the label of its Deployment names. Where Flink
// is silent at that time nobody knows whether the job is late: the alert waits for an answer, and one that stands stays.
package policy

import (
	"fmt"
	"time"

	. "batch-deadline/bindings/imports/steadfast_policy_types"
	"batch-deadline/bindings/wit/types"
)

const (
	late             = "BatchLate"
	failed           = "JobFailed"
	unreadable       = "BatchDeadlineUnreadable"
	unreachableAfter = 15_000 // In milliseconds.
)

var rules = []Rule{
	{Name: "flink-reports", Says: "Flink lists the job: its word is the state", Because: "only the JobManager knows it",
		ChangedBy: "another answer of Flink"},
	{Name: "not-listed", Says: "Flink answers and does not list the job: the state stays, stale",
		Because: "Flink has said nothing of how it is, or how it ended", ChangedBy: "a list with the job"},
	{Name: "flink-silent", Says: "Flink gives no usable answer: the state stays, stale", Because: "an error is no answer",
		ChangedBy: "Flink's next answer"},
}

// Describe says what the policy is and which parameters it takes.
func Describe() Description {
	return Description{
		Name:       "batch-deadline",
		Version:    "0.1.0",
		Summary:    "Flink's word, and an alert for a batch job that has not finished by its deadline.",
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

// Decide judges one snapshot. It remembers nothing: when a run was first seen is on record.
func Decide(snapshot Snapshot, _ []byte) types.Result[Decision, string] {
	decision := judge(snapshot)
	poll := snapshot.Timing.Poll
	if hasEnded(decision.State) {
		poll = snapshot.Timing.TerminalPoll
	}
	decision.Watch = Watch{PollAfter: poll, ValidateAfter: snapshot.Timing.Validate, Attention: Attention_Active}
	decision.Conditions = conditions(snapshot)
	decision.Alerts = alerts(snapshot, decision)
	return types.Ok[Decision, string](decision)
}

// Evidence is present, absent or unknown, and every error is unknown: never mix them up.
func judge(snapshot Snapshot) Decision {
	job := snapshot.Job
	silent := Decision{State: job.State, Confidence: Confidence_Stale, Rule: "flink-silent",
		Reason: Reason{Code: "FlinkSilent", Message: "Flink has not been asked yet"}}
	if snapshot.Flink.IsNone() {
		return silent
	}
	evidence := snapshot.Flink.Some()
	switch evidence.Answer.Tag() {
	case FlinkAnswer_Present:
		return Decision{State: evidence.Answer.Present().State, Confidence: Confidence_Confirmed, Rule: "flink-reports",
			Reason: Reason{Code: "FlinkReports", Message: "Flink reports " + JobStateName(evidence.Answer.Present().State)}}
	case FlinkAnswer_Absent:
		return Decision{State: job.State, Confidence: Confidence_Stale, Rule: "not-listed",
			Reason: Reason{Code: "NotListed", Message: "Flink answers and does not list the job"}}
	}
	silent.Reason.Message = "Flink gives no usable answer: " + evidence.Answer.Unknown().Message
	return silent
}

// What has not answered for a while.
func conditions(snapshot Snapshot) []DecidedCondition {
	var found []DecidedCondition
	lasts := func(looks Looks) bool {
		return looks.UnknownSince.IsSome() && snapshot.Now-looks.UnknownSince.Some() >= unreachableAfter
	}
	if snapshot.Flink.IsSome() {
		if flink := snapshot.Flink.Some(); flink.Answer.Tag() == FlinkAnswer_Unknown && lasts(flink.Looks) {
			found = append(found, DecidedCondition{Kind: ConditionType_FlinkUnreachable, Message: flink.Answer.Unknown().Message})
		}
	}
	if snapshot.Deployment.IsSome() {
		if deployment := snapshot.Deployment.Some(); deployment.Answer.Tag() == DeploymentAnswer_Unknown && lasts(deployment.Looks) {
			found = append(found, DecidedCondition{Kind: ConditionType_KubernetesUnreachable, Message: deployment.Answer.Unknown().Message})
		}
	}
	return found
}

// All alerts that stand. Where nothing is known nothing begins and nothing is over.
func alerts(snapshot Snapshot, decision Decision) []DecidedAlert {
	if decision.Confidence != Confidence_Confirmed {
		var stay []DecidedAlert
		for _, standing := range snapshot.Job.Alerts {
			if standing.Name == late || standing.Name == failed || standing.Name == unreadable {
				stay = append(stay, DecidedAlert{Name: standing.Name, Scope: standing.Scope, Message: standing.Message})
			}
		}
		return stay
	}
	if decision.State == JobState_Failed {
		return []DecidedAlert{{Name: failed, Scope: AlertScope_Job, Message: "Flink says that the job has failed"}}
	}
	label := labelOf(snapshot.Job)
	since := snapshot.Job.Incarnation.Since
	if label == "" || hasEnded(decision.State) || since.IsNone() {
		return nil
	}
	hour, minute, err := deadlineOf(label)
	if err != nil {
		// Whoever wrote the label waits for an alert that would never come.
		return []DecidedAlert{{Name: unreadable, Scope: AlertScope_Job, Message: params.label + ": " + err.Error()}}
	}
	deadline := next(since.Some(), hour, minute, params.zone)
	if snapshot.Now < deadline {
		return nil
	}
	local := time.UnixMilli(deadline).In(params.zone).Format("2006-01-02 15:04 -07:00")
	return []DecidedAlert{{Name: late, Scope: AlertScope_Job, Message: fmt.Sprintf("it has not finished by %s", local)}}
}

func labelOf(job JobRecord) string {
	for _, label := range job.Labels {
		if label.Name == params.label {
			return label.Value
		}
	}
	return ""
}

func hasEnded(state JobState) bool {
	switch state {
	case JobState_Failed, JobState_Canceled, JobState_Finished, JobState_Lost, JobState_Terminated:
		return true
	}
	return false
}
