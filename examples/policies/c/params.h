// What can be tuned.

#ifndef PARAMS_H
#define PARAMS_H

#include <stddef.h>
#include <stdint.h>

typedef struct params {
  uint32_t absence_confirmations;
  int64_t unreachable_after; // in milliseconds
} params_t;

#define DEFAULT_PARAMS {.absence_confirmations = 2, .unreachable_after = 15000}

// Reads the JSON of `params` into what is given, and returns what is wrong with it, or NULL. It refuses what it does not
// know, by name: a mistake must not pass for a default.
const char *read_params(const char *json, size_t length, params_t *params);

#endif
