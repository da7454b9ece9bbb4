/* The one user of PCRE2.
 *
 * Normal course: the JIT's code decides in well below a microsecond. What can go wrong: an
 * expression that backtracks without end. It stops at the match limit and counts as "does not
 * match", so that a bad permission refuses and never holds up a worker. */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "leveret/base/mem.h"

/* Steps of the matcher: some milliseconds at worst, a thousand times what a sane permission needs
 * on a name of 255 bytes. */
#define MATCH_STEPS_MAX     100000u
#define MATCH_DEPTH_MAX     10000u
#define MATCH_HEAP_KIB_MAX  1024u
#define PATTERN_NESTING_MAX 100u

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static enum status explain(int number, size_t offset, const char *text, char **error)
{
    PCRE2_UCHAR8 reason[160];
    if (!error)
        return STATUS_MALFORMED;
    if (pcre2_get_error_message(number, reason, sizeof reason) < 0)
        snprintf((char *)reason, sizeof reason, "error %d", number);
    if (asprintf(error, "not a regular expression: '%.200s': %s at position %zu", text,
                 (const char *)reason, offset) < 0)
        *error = NULL;
    return STATUS_MALFORMED;
}

enum status pattern_new(const char *text, struct pattern **out, char **error)
{
    const char *source = *text ? text : "^$";
    size_t len = strlen(source), offset = 0;
    int number = 0;

    *out = NULL;
    if (error)
        *error = NULL;
    if (len > PATTERN_LEN_MAX) {
        if (error && asprintf(error, "a regular expression may have at most %u bytes, this has %zu",
                              PATTERN_LEN_MAX, len) < 0)
            *error = NULL;
        return STATUS_LIMIT;
    }
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    if (!how)
        return STATUS_NO_MEMORY;
    pcre2_set_parens_nest_limit(how, PATTERN_NESTING_MAX);
    /* Names are bytes: a name that is no UTF-8 must match or not, and never be an error. */
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)source, len,
                                     PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
                                     &number, &offset, how);
    pcre2_compile_context_free(how);
    if (!code)
        return explain(number, offset, text, error);

    struct pattern *pattern = mem_need(sizeof *pattern);
    pattern->code = code;
    pattern->limits = pcre2_match_context_create(NULL);
    if (!pattern->limits) {
        pattern_free(&pattern);
        return STATUS_NO_MEMORY;
    }
    pcre2_set_match_limit(pattern->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(pattern->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(pattern->limits, MATCH_HEAP_KIB_MAX);
    /* Without a JIT (a hardened kernel, another CPU) the interpreter does the same, slower. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *out = pattern;
    return STATUS_OK;
}

void pattern_free(struct pattern **pattern)
{
    struct pattern *p = *pattern;
    *pattern = NULL;
    if (!p)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

bool pattern_matches(const struct pattern *pattern, struct bytes name)
{
    static const uint8_t nothing[1];
    if (!pattern)
        return false;
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    if (!found)
        return false;
    PCRE2_SPTR at = name.len ? name.at : nothing;
    int got = pcre2_match(pattern->code, at, name.len, 0, 0, found, pattern->limits);
    /* The JIT has a stack of its own, and a small one. */
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(pattern->code, at, name.len, 0, PCRE2_NO_JIT, found, pattern->limits);
    pcre2_match_data_free(found);
    return got >= 0;
}
