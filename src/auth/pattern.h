/* Regular expressions of permissions (PCRE2), compiled once, matched with limits. Any thread; a
 * compiled pattern is read-only. */
#ifndef AUTH_PATTERN_H
#define AUTH_PATTERN_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct pattern;

/* Longest expression taken, bytes. */
#define PATTERN_LEN_MAX 4096u

/* Compiles text; the empty one matches only the empty name, as in RabbitMQ.
 * Errors: MALFORMED, with a sentence in *error (free it; error may be NULL), LIMIT (too long). */
MUST_USE enum status pattern_new(const char *text, struct pattern **out, char **error);
void pattern_free(struct pattern **pattern);

/* Whether the expression matches somewhere in name. An expression that runs into the limits, and a
 * NULL pattern, do not match. */
bool pattern_matches(const struct pattern *pattern, struct bytes name);

#endif
