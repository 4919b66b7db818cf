#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const PARAMETERS[][4] = {
    {"absence_confirmations", "integer", "2", "answers in a row that must lack a job before it is lost"},
    {"unreachable_after", "duration", "\"15s\"", "time without an answer before a condition says so"},
};

static const char *const RULES[][4] = {
    {"flink", "Flink lists the job: its word is the state", "the cluster that runs a job knows it best",
     "another answer of Flink"},
    {"ended", "the job has ended and Flink no longer lists it: the end stands",
     "a Flink cluster may forget a job that has ended, and may go", "Flink listing the job again"},
    {"starting",
     "the job was not seen to run in this attempt, and its Deployment is new, not ready, or its Flink does not list it: it is starting",
     "a JobManager answers some time after its Deployment was made, and lists its job some time after that",
     "Flink listing the job"},
    {"unseen", "nothing has shown the job in this attempt yet: the state stays, stale",
     "what was not seen cannot be gone: after a redeployment, Flink's last answer is about the run before",
     "the Deployment, or Flink listing the job"},
    {"unknown", "Flink gave no answer that can be used: the state stays, stale",
     "an error says nothing about the job", "Flink's next answer"},
    {"missing", "fewer than `absence_confirmations` complete answers lack the job: the state stays, stale",
     "one answer may come from a JobManager that is still recovering", "more such answers, or Flink listing it"},
    {"lost", "`absence_confirmations` complete answers lack the job: it is lost",
     "a cluster that answers and does not know a job does not run it", "Flink listing the job again"},
};

#define LENGTH(table) (sizeof(table) / sizeof *(table))

const char *parameter_names(void) {
  static char names[1024];
  int length = 0;
  for (size_t i = 0; i < LENGTH(PARAMETERS) && length < (int)sizeof names; i++)
    length += snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", PARAMETERS[i][0]);
  return names;
}

policy_description_t describe(void) {
  policy_description_t description;
  policy_string_dup(&description.name, "starter");
  policy_string_dup(&description.version, "0.1.0");
  policy_string_dup(&description.summary, "Flink's word counts, an error changes nothing.");
  steadfast_parameter_t *parameters = malloc(sizeof *parameters * LENGTH(PARAMETERS));
  for (size_t i = 0; i < LENGTH(PARAMETERS); i++) {
    policy_string_dup(&parameters[i].name, PARAMETERS[i][0]);
    policy_string_dup(&parameters[i].kind, PARAMETERS[i][1]);
    policy_string_dup(&parameters[i].default_, PARAMETERS[i][2]);
    policy_string_dup(&parameters[i].help, PARAMETERS[i][3]);
  }
  description.parameters = (steadfast_list_parameter_t){parameters, LENGTH(PARAMETERS)};
  steadfast_rule_t *rules = malloc(sizeof *rules * LENGTH(RULES));
  for (size_t i = 0; i < LENGTH(RULES); i++) {
    policy_string_dup(&rules[i].name, RULES[i][0]);
    policy_string_dup(&rules[i].says, RULES[i][1]);
    policy_string_dup(&rules[i].because, RULES[i][2]);
    policy_string_dup(&rules[i].changed_by, RULES[i][3]);
  }
  description.rules = (steadfast_list_rule_t){rules, LENGTH(RULES)};
  return description;
}
