package policy

import . "starter/bindings/imports/steadfast_policy_types"

var rules = []Rule{
	rule("flink", "Flink lists the job: its word is the state", "the cluster that runs a job knows it best",
		"another answer of Flink"),
	rule("ended", "the job has ended and Flink no longer lists it: the end stands",
		"a Flink cluster may forget a job that has ended, and may go", "Flink listing the job again"),
	rule("starting", "the job was not seen to run in this attempt, and its Deployment is new, not ready, or its Flink does not "+
		"list it: it is starting", "a JobManager answers some time after its Deployment was made, and lists its job some time "+
		"after that", "Flink listing the job"),
	rule("unseen", "nothing has shown the job in this attempt yet: the state stays, stale",
		"what was not seen cannot be gone: after a redeployment, Flink's last answer is about the run before",
		"the Deployment, or Flink listing the job"),
	rule("unknown", "Flink gave no answer that can be used: the state stays, stale",
		"an error says nothing about the job", "Flink's next answer"),
	rule("missing", "fewer than `absence_confirmations` complete answers lack the job: the state stays, stale",
		"one answer may come from a JobManager that is still recovering", "more such answers, or Flink listing it"),
	rule("lost", "`absence_confirmations` complete answers lack the job: it is lost",
		"a cluster that answers and does not know a job does not run it", "Flink listing the job again"),
}

func rule(name, says, because, changedBy string) Rule {
	return Rule{Name: name, Says: says, Because: because, ChangedBy: changedBy}
}
