// What the policy says about itself.

#ifndef RULES_H
#define RULES_H

#include "policy.h"

policy_description_t describe(void);

// The names of its parameters, one after the other: "absence_confirmations, unreachable_after".
const char *parameter_names(void);

#endif
