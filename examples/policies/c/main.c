// A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look.
// What a call is given belongs to it, and is freed by it; what it answers is freed by the bindings.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params.h"
#include "rules.h"

static params_t params = DEFAULT_PARAMS;

// A text that the answer owns. A fault's message has 1 KiB at most; what is longer still is cut where a character ends,
// since half of one is no text.
static policy_string_t text(const char *format, ...) {
  char buffer[2048];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof buffer) {
    size_t end = sizeof buffer - 1;
    while (end > 0 && ((unsigned char)buffer[end - 1] & 0xC0) == 0x80) end--;
    if (end > 0 && (unsigned char)buffer[end - 1] >= 0xC0) end--;
    buffer[end] = '\0';
  }
  policy_string_t copy;
  policy_string_dup(&copy, buffer);
  return copy;
}

static policy_string_t copied(policy_string_t from) {
  policy_string_t copy;
  policy_string_dup_n(&copy, (const char *)from.ptr, from.len);
  return copy;
}

static bool has_ended(steadfast_job_state_t state) {
  switch (state) {
    case STEADFAST_JOB_STATE_FAILED:
    case STEADFAST_JOB_STATE_CANCELED:
    case STEADFAST_JOB_STATE_FINISHED:
    case STEADFAST_JOB_STATE_LOST:
    case STEADFAST_JOB_STATE_TERMINATED: return true;
    default: return false;
  }
}

// Whether a start is seen: a job that is met for the first time may have run for days while its Flink is silent.
static bool is_starting(const policy_snapshot_t *snapshot) {
  if (!snapshot->deployment.is_some) return false;
  const steadfast_deployment_answer_t *answer = &snapshot->deployment.val.answer;
  if (answer->tag != STEADFAST_DEPLOYMENT_ANSWER_PRESENT) return false;
  bool is_listed_empty = snapshot->flink.is_some && snapshot->flink.val.answer.tag == STEADFAST_FLINK_ANSWER_ABSENT;
  return snapshot->job.incarnation.attempt > 1 || is_listed_empty ||
         answer->val.present.ready < answer->val.present.replicas;
}

static void decided(policy_decision_t *decision, steadfast_job_state_t state, steadfast_confidence_t confidence,
                    const char *rule, const char *code) {
  decision->state = state;
  decision->confidence = confidence;
  decision->rule = text("%s", rule);
  decision->reason.code = text("%s", code);
}

// How many looks lacked the job. One answer may be judged many times; it counts once.
static uint32_t count_absence(int64_t asked_at, const policy_list_u8_t *memory) {
  char remembered[64] = "";
  if (memory->len < sizeof remembered) memcpy(remembered, memory->ptr, memory->len);
  uint32_t count;
  long long counted_at;
  int length = 0;
  if (sscanf(remembered, "%9u %lld%n", &count, &counted_at, &length) != 2 || (size_t)length != memory->len) return 1;
  return counted_at == asked_at ? count : count + 1;
}

static void remember(policy_decision_t *decision, policy_string_t bytes) {
  decision->memory = (policy_list_u8_t){bytes.ptr, bytes.len};
}

// Evidence is present, absent or unknown, and every error is unknown: never mix them up.
static void judge(const policy_snapshot_t *snapshot, const policy_list_u8_t *memory, policy_decision_t *decision) {
  const steadfast_job_record_t *job = &snapshot->job;
  const steadfast_flink_evidence_t *flink = snapshot->flink.is_some ? &snapshot->flink.val : NULL;
  if (flink && flink->answer.tag == STEADFAST_FLINK_ANSWER_PRESENT) {
    decided(decision, flink->answer.val.present.state, STEADFAST_CONFIDENCE_CONFIRMED, "flink", "Flink");
    decision->reason.message = text("Flink lists the job");
  } else if (!job->incarnation.started_at.is_some) {
    if (is_starting(snapshot)) {
      decided(decision, STEADFAST_JOB_STATE_STARTING, STEADFAST_CONFIDENCE_INFERRED, "starting", "Starting");
      decision->reason.message = text("the Deployment is there, and Flink does not list the job yet");
    } else {
      decided(decision, job->state, STEADFAST_CONFIDENCE_STALE, "unseen", "Unseen");
      decision->reason.message = text("nothing has shown the job in this attempt yet");
    }
  } else if (has_ended(job->state)) {
    decided(decision, job->state, job->confidence, "ended", "");
    decision->reason = (steadfast_reason_t){copied(job->reason.code), copied(job->reason.message)};
  } else if (flink && flink->answer.tag == STEADFAST_FLINK_ANSWER_ABSENT) {
    uint32_t count = count_absence(flink->looks.asked_at, memory), needed = params.absence_confirmations;
    remember(decision, text("%u %lld", count, flink->looks.asked_at));
    if (count >= needed) {
      decided(decision, STEADFAST_JOB_STATE_LOST, STEADFAST_CONFIDENCE_INFERRED, "lost", "Lost");
      decision->reason.message = text("%u complete answers of Flink lack the job", needed);
    } else {
      decided(decision, job->state, STEADFAST_CONFIDENCE_STALE, "missing", "Missing");
      decision->reason.message = text("%u of %u complete answers of Flink lack the job", count, needed);
    }
  } else {
    decided(decision, job->state, STEADFAST_CONFIDENCE_STALE, "unknown", "FlinkUnknown");
    remember(decision, copied((policy_string_t){memory->ptr, memory->len}));
    if (flink) {
      policy_string_t why = flink->answer.val.unknown.message;
      decision->reason.message = text("Flink gives no answer: %.*s", (int)why.len, (const char *)why.ptr);
    } else {
      decision->reason.message = text("Flink has not been asked yet");
    }
  }
}

static bool is_silent(const policy_snapshot_t *snapshot, const steadfast_looks_t *looks) {
  return looks->unknown_since.is_some && snapshot->now - looks->unknown_since.val >= params.unreachable_after;
}

static void add_condition(policy_decision_t *decision, steadfast_condition_type_t kind, const steadfast_fault_t *fault) {
  steadfast_list_decided_condition_t *conditions = &decision->conditions;
  conditions->ptr = realloc(conditions->ptr, sizeof *conditions->ptr * (conditions->len + 1));
  conditions->ptr[conditions->len++] = (steadfast_decided_condition_t){kind, copied(fault->message)};
}

// One for each source that has given no answer for too long.
static void add_conditions(const policy_snapshot_t *snapshot, policy_decision_t *decision) {
  if (has_ended(decision->state)) return;
  const steadfast_flink_evidence_t *flink = &snapshot->flink.val;
  if (snapshot->flink.is_some && flink->answer.tag == STEADFAST_FLINK_ANSWER_UNKNOWN && is_silent(snapshot, &flink->looks))
    add_condition(decision, STEADFAST_CONDITION_TYPE_FLINK_UNREACHABLE, &flink->answer.val.unknown);
  const steadfast_deployment_evidence_t *deployment = &snapshot->deployment.val;
  if (snapshot->deployment.is_some && deployment->answer.tag == STEADFAST_DEPLOYMENT_ANSWER_UNKNOWN &&
      is_silent(snapshot, &deployment->looks))
    add_condition(decision, STEADFAST_CONDITION_TYPE_KUBERNETES_UNREACHABLE, &deployment->answer.val.unknown);
}

// Whether it was posted in this attempt.
static bool is_intended(const steadfast_job_record_t *job, steadfast_intent_t intent) {
  int64_t began = job->incarnation.since.is_some ? job->incarnation.since.val : job->since;
  return job->intent.is_some && job->intent.val.intent == intent && job->intent.val.since >= began;
}

// An end that nobody wanted is told, as long as it stands.
static void add_alert(const policy_snapshot_t *snapshot, policy_decision_t *decision) {
  const char *name = decision->state == STEADFAST_JOB_STATE_FAILED ? "JobFailed"
                     : decision->state == STEADFAST_JOB_STATE_LOST ? "JobLost"
                                                                   : NULL;
  if (!name || is_intended(&snapshot->job, STEADFAST_INTENT_CANCEL)) return;
  steadfast_decided_alert_t *alert = malloc(sizeof *alert);
  *alert = (steadfast_decided_alert_t){text("%s", name), STEADFAST_ALERT_SCOPE_JOB, copied(decision->reason.message)};
  decision->alerts = (steadfast_list_decided_alert_t){alert, 1};
}

bool exports_policy_decide(policy_snapshot_t *snapshot, policy_list_u8_t *memory, policy_decision_t *decision,
                           policy_string_t *error) {
  (void)error; // This policy always has an answer.
  memset(decision, 0, sizeof *decision);
  judge(snapshot, memory, decision);
  add_conditions(snapshot, decision);
  add_alert(snapshot, decision);
  const steadfast_timing_t *timing = &snapshot->timing;
  decision->watch.poll_after = has_ended(decision->state) ? timing->terminal_poll : timing->poll;
  decision->watch.validate_after = timing->validate;
  decision->watch.attention = STEADFAST_ATTENTION_ACTIVE;
  policy_snapshot_free(snapshot);
  policy_list_u8_free(memory);
  return true;
}

bool exports_policy_configure(policy_string_t *json, policy_string_t *error) {
  const char *mistake = read_params((const char *)json->ptr, json->len, &params);
  policy_string_free(json);
  if (mistake) *error = text("%s", mistake);
  return !mistake;
}

void exports_policy_describe(policy_description_t *description) { *description = describe(); }
