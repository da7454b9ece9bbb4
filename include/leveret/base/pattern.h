/* Regular expressions (PCRE2) that users bring: compiled once, matched with limits on the work, so
 * that a bad one never holds up a worker. Any thread; a compiled pattern is read-only. */
#ifndef LEVERET_BASE_PATTERN_H
#define LEVERET_BASE_PATTERN_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct pattern;

/* Longest expression taken, bytes. */
#define PATTERN_LEN_MAX 4096u

struct pattern_options {
    bool caseless;
    uint32_t steps_max; /* of one match; 0: some milliseconds' worth */
};

/* What is wrong with an expression. */
struct pattern_error {
    char reason[160]; /* PCRE2's words: "missing closing parenthesis" */
    size_t at;        /* byte */
};

/* Compiles text. options may be NULL: none; error too. Errors: MALFORMED, with *error; LIMIT (too
 * long), NO_MEMORY. */
MUST_USE enum status pattern_new(struct bytes text, const struct pattern_options *options,
                                 struct pattern **out, struct pattern_error *error);
void pattern_free(struct pattern **pattern);

enum pattern_result { PATTERN_NO_MATCH, PATTERN_MATCH, PATTERN_GAVE_UP };

/* Whether the expression matches somewhere in name; GAVE_UP: it ran into the limits. */
enum pattern_result pattern_match(const struct pattern *pattern, struct bytes name);

/* The same, where giving up, and a NULL pattern, are no match. */
static inline bool pattern_matches(const struct pattern *pattern, struct bytes name)
{
    return pattern && pattern_match(pattern, name) == PATTERN_MATCH;
}

#endif
