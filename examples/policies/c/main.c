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

static bool is_deployed(const policy_snapshot_t *snapshot) {
  return snapshot->deployment.is_some && snapshot->deployment.val.answer.tag == STEADFAST_DEPLOYMENT_ANSWER_PRESENT;
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
  } else if (has_ended(job->state)) {
    decided(decision, job->state, job->confidence, "ended", "");
    decision->reason = (steadfast_reason_t){copied(job->reason.code), copied(job->reason.message)};
  } else if (job->state == STEADFAST_JOB_STATE_UNKNOWN || job->state == STEADFAST_JOB_STATE_STARTING) {
    if (is_deployed(snapshot)) {
      decided(decision, STEADFAST_JOB_STATE_STARTING, STEADFAST_CONFIDENCE_INFERRED, "starting", "Starting");
      decision->reason.message = text("the Deployment is there, and Flink does not list the job yet");
    } else {
      decided(decision, job->state, STEADFAST_CONFIDENCE_STALE, "unseen", "Unseen");
      decision->reason.message = text("nothing has shown the job yet");
    }
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

static void add_conditions(const policy_snapshot_t *snapshot, policy_decision_t *decision) {
  if (!snapshot->flink.is_some || has_ended(snapshot->job.state)) return;
  const steadfast_flink_evidence_t *flink = &snapshot->flink.val;
  if (flink->answer.tag != STEADFAST_FLINK_ANSWER_UNKNOWN || !flink->looks.unknown_since.is_some) return;
  if (snapshot->now - flink->looks.unknown_since.val < params.unreachable_after) return;
  steadfast_decided_condition_t *condition = malloc(sizeof *condition);
  condition->kind = STEADFAST_CONDITION_TYPE_FLINK_UNREACHABLE;
  condition->message = copied(flink->answer.val.unknown.message);
  decision->conditions = (steadfast_list_decided_condition_t){condition, 1};
}

bool exports_policy_decide(policy_snapshot_t *snapshot, policy_list_u8_t *memory, policy_decision_t *decision,
                           policy_string_t *error) {
  (void)error; // This policy always has an answer.
  memset(decision, 0, sizeof *decision);
  judge(snapshot, memory, decision);
  add_conditions(snapshot, decision);
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
