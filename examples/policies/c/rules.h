// What the policy says about itself.

#ifndef RULES_H
#define RULES_H

#include "policy.h"

policy_description_t describe(void);

#endif
