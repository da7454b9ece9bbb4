/* Regular expressions (PCRE2) that users write: compiled once, matched with a limit on the work, so
 * that a bad one never holds up a worker. Thread: any; a compiled pattern is read-only. */
#ifndef LEVERET_BASE_PATTERN_H
#define LEVERET_BASE_PATTERN_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct pattern;

/* Bytes of the longest expression; a longer one is refused with LIMIT. */
#define PATTERN_LEN_MAX 4096u

struct pattern_options {
    bool caseless;
    uint32_t steps_max; /* of one match, which then gives up; 0: 100,000, some milliseconds */
};

/* Why an expression was refused, and where. */
struct pattern_error {
    char reason[160]; /* PCRE2's words: "missing closing parenthesis" */
    size_t at;        /* offset in the expression, bytes */
};

/* Compiles text. options may be NULL (none are set), and so may error. Errors: MALFORMED, with
 * *error; LIMIT (too long), NO_MEMORY. */
MUST_USE enum status pattern_new(struct bytes text, const struct pattern_options *options,
                                 struct pattern **out, struct pattern_error *error);
void pattern_free(struct pattern **pattern);

enum pattern_result { PATTERN_NO_MATCH, PATTERN_MATCH, PATTERN_GAVE_UP };

/* Whether the expression matches somewhere in name. PATTERN_GAVE_UP: the match took more than
 * steps_max steps. */
enum pattern_result pattern_match(const struct pattern *pattern, struct bytes name);

/* The same, but giving up is no match, and a NULL pattern matches nothing. */
static inline bool pattern_matches(const struct pattern *pattern, struct bytes name)
{
    return pattern && pattern_match(pattern, name) == PATTERN_MATCH;
}

#endif
