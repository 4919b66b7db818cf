#include "params.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

// A flat JSON object is all that is read: {"key": 2, "other": "15s"}.
typedef struct cursor {
  const char *at, *end;
} cursor_t;

typedef struct slice {
  const char *start;
  size_t length;
} slice_t;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool take(cursor_t *cursor, char wanted) {
  while (cursor->at < cursor->end && is_space(*cursor->at)) cursor->at++;
  if (cursor->at == cursor->end || *cursor->at != wanted) return false;
  cursor->at++;
  return true;
}

// A text without escapes: no key or value of this policy has one.
static bool take_text(cursor_t *cursor, slice_t *text) {
  if (!take(cursor, '"')) return false;
  text->start = cursor->at;
  while (cursor->at < cursor->end && *cursor->at != '"' && *cursor->at != '\\') cursor->at++;
  text->length = cursor->at - text->start;
  return take(cursor, '"');
}

// A number of at most nine digits.
static bool take_number(cursor_t *cursor, uint32_t *number) {
  const char *start = cursor->at;
  for (*number = 0; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
    if (cursor->at - start == 9) return false;
    *number = *number * 10 + (*cursor->at - '0');
  }
  return cursor->at > start;
}

static bool is(slice_t text, const char *word) {
  return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

static bool take_duration(cursor_t *cursor, int64_t *millis) {
  static const struct { const char *name; int64_t millis; } units[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
  slice_t text;
  if (!take_text(cursor, &text)) return false;
  cursor_t within = {text.start, text.start + text.length};
  *millis = 0;
  do {  // one number with its unit after the other, as in 4h59m
    uint32_t number;
    if (!take_number(&within, &number)) return false;
    slice_t unit = {within.at, 0};
    while (within.at < within.end && *within.at >= 'a' && *within.at <= 'z') within.at++, unit.length++;
    size_t i = 0;
    while (i < sizeof units / sizeof *units && !is(unit, units[i].name)) i++;
    if (i == sizeof units / sizeof *units) return false;
    *millis += number * units[i].millis;
  } while (within.at < within.end);
  return true;
}

// A value ends where the next one, or the object's end, comes.
static bool ends(cursor_t cursor) { return take(&cursor, ',') || take(&cursor, '}'); }

static const char *read_one(cursor_t *cursor, slice_t key, params_t *params) {
  while (cursor->at < cursor->end && is_space(*cursor->at)) cursor->at++;
  if (is(key, "absence_confirmations")) {
    bool read = take_number(cursor, &params->absence_confirmations) && ends(*cursor);
    return read && params->absence_confirmations > 0 ? NULL : "absence_confirmations is not a whole number of 1 or more";
  }
  if (is(key, "unreachable_after")) {
    bool read = take_duration(cursor, &params->unreachable_after) && ends(*cursor);
    return read ? NULL : "unreachable_after is not a duration such as \"15s\" (units: ms, s, m, h, d)";
  }
  static char mistake[1280];
  snprintf(mistake, sizeof mistake, "there is no parameter `%.*s`; known are %s", (int)key.length, key.start,
           parameter_names());
  return mistake;
}

const char *read_params(const char *json, size_t length, params_t *params) {
  cursor_t cursor = {json, json + length};
  if (!take(&cursor, '{')) return "the parameters are no JSON object";
  if (take(&cursor, '}')) return NULL;
  do {
    slice_t key;
    if (!take_text(&cursor, &key) || !take(&cursor, ':')) return "the parameters are no JSON object";
    const char *mistake = read_one(&cursor, key, params);
    if (mistake) return mistake;
  } while (take(&cursor, ','));
  return take(&cursor, '}') ? NULL : "the parameters are no JSON object";
}
