// What the policy concludes, natively. Once a build has written build/policy.h:
//
//     cc -std=c11 -Wall -Wno-attributes -Ibuild -I. test/test.c *.c build/policy.c -o build/test && build/test

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

// What is there only within a module: the object that carries its types, and the engine's side of `output`.
void __component_type_object_force_link_policy(void) {}
void __wasm_import_steadfast_policy_output_print(uint8_t *text, size_t length) { fwrite(text, 1, length, stderr); }

#define NOW 1767225600000ll
#define HOUR (NOW - 3600000)

// A job that ran since an hour, and what Flink says of it now. A call owns what it is given.
static policy_snapshot_t snapshot(uint8_t answer, int64_t asked_at) {
  policy_snapshot_t snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  snapshot.now = NOW;
  snapshot.engine_since = HOUR;
  snapshot.job.state = STEADFAST_JOB_STATE_RUNNING;
  snapshot.job.confidence = STEADFAST_CONFIDENCE_CONFIRMED;
  snapshot.job.since = HOUR;
  snapshot.job.incarnation.attempt = 1;
  snapshot.job.incarnation.started_at.is_some = true;
  snapshot.job.incarnation.started_at.val = HOUR;
  snapshot.flink.is_some = true;
  snapshot.flink.val.answer.tag = answer;
  snapshot.flink.val.looks.asked_at = snapshot.flink.val.looks.observed_at = asked_at;
  snapshot.timing.poll = 5000;
  snapshot.timing.terminal_poll = snapshot.timing.validate = 60000;
  return snapshot;
}

static policy_decision_t decide(policy_snapshot_t snapshot, policy_list_u8_t memory) {
  policy_decision_t decision;
  policy_string_t error;
  assert(exports_policy_decide(&snapshot, &memory, &decision, &error));
  return decision;
}

static bool is(policy_string_t text, const char *word) {
  return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static void an_error_changes_nothing(void) {
  policy_decision_t decision = decide(snapshot(STEADFAST_FLINK_ANSWER_UNKNOWN, NOW), (policy_list_u8_t){0});
  assert(decision.state == STEADFAST_JOB_STATE_RUNNING && decision.confidence == STEADFAST_CONFIDENCE_STALE);
}

static void a_job_is_lost_after_the_second_answer_without_it(void) {
  policy_decision_t first = decide(snapshot(STEADFAST_FLINK_ANSWER_ABSENT, NOW - 5000), (policy_list_u8_t){0});
  assert(first.state == STEADFAST_JOB_STATE_RUNNING && is(first.rule, "missing"));
  policy_decision_t second = decide(snapshot(STEADFAST_FLINK_ANSWER_ABSENT, NOW), first.memory);
  assert(second.state == STEADFAST_JOB_STATE_LOST && second.alerts.len == 1 && is(second.alerts.ptr[0].name, "JobLost"));
}

static void nothing_is_lost_before_it_was_seen_to_run(void) {
  policy_list_u8_t memory = {0};
  for (int64_t ago = 20000; ago >= 0; ago -= 10000) {
    policy_snapshot_t redeployed = snapshot(STEADFAST_FLINK_ANSWER_ABSENT, NOW - ago);
    redeployed.job.incarnation.attempt = 2;
    redeployed.job.incarnation.started_at.is_some = false;
    policy_decision_t decision = decide(redeployed, memory);
    memory = decision.memory;
    assert(is(decision.rule, "unseen"));
  }
}

static void (*const tests[])(void) = {
    an_error_changes_nothing,
    a_job_is_lost_after_the_second_answer_without_it,
    nothing_is_lost_before_it_was_seen_to_run,
};

int main(void) {
  size_t count = sizeof tests / sizeof *tests;
  for (size_t i = 0; i < count; i++) tests[i]();
  printf("%zu tests passed\n", count);
}
