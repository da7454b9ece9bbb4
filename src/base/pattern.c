/* The one user of PCRE2.
 *
 * Normal course: the JIT's code decides in well below a microsecond. What can go wrong: an
 * expression that backtracks for very long. The match stops at the limit, which counts as
 * no match. */
#include "leveret/base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "leveret/base/mem.h"

/* The default limit on the steps of one match, which then gives up: some milliseconds at most, and
 * a thousand times what an ordinary expression needs on a name of 255 bytes. */
#define MATCH_STEPS_MAX     100000u
#define MATCH_DEPTH_MAX     10000u
#define MATCH_HEAP_KIB_MAX  1024u
#define PATTERN_NESTING_MAX 100u

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static enum status compile(struct bytes text, const struct pattern_options *options,
                           pcre2_code **out, struct pattern_error *error)
{
    static const uint8_t nothing[1];
    int number = 0;
    size_t offset = 0;
    /* Names are bytes: a name that is not UTF-8 must be matched like any other, not cause
     * an error. */
    uint32_t flags = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
    if (options->caseless)
        flags |= PCRE2_CASELESS;
    pcre2_compile_context *how = pcre2_compile_context_create(NULL);
    if (!how)
        return STATUS_NO_MEMORY;
    pcre2_set_parens_nest_limit(how, PATTERN_NESTING_MAX);
    *out = pcre2_compile(text.len ? text.at : nothing, text.len, flags, &number, &offset, how);
    pcre2_compile_context_free(how);
    if (*out)
        return STATUS_OK;
    if (error) {
        error->at = offset;
        if (pcre2_get_error_message(number, (PCRE2_UCHAR *)error->reason, sizeof error->reason) < 0)
            snprintf(error->reason, sizeof error->reason, "error %d", number);
    }
    return STATUS_MALFORMED;
}

enum status pattern_new(struct bytes text, const struct pattern_options *options,
                        struct pattern **out, struct pattern_error *error)
{
    static const struct pattern_options usual;
    pcre2_code *code;
    if (!options)
        options = &usual;
    *out = NULL;
    if (error)
        *error = (struct pattern_error){.at = PATTERN_LEN_MAX};
    if (text.len > PATTERN_LEN_MAX) {
        if (error)
            snprintf(error->reason, sizeof error->reason, "longer than %u bytes", PATTERN_LEN_MAX);
        return STATUS_LIMIT;
    }
    enum status status = compile(text, options, &code, error);
    if (status != STATUS_OK)
        return status;
    struct pattern *pattern = mem_need(sizeof *pattern);
    pattern->code = code;
    pattern->limits = pcre2_match_context_create(NULL);
    if (!pattern->limits) {
        pattern_free(&pattern);
        return STATUS_NO_MEMORY;
    }
    pcre2_set_match_limit(pattern->limits,
                          options->steps_max ? options->steps_max : MATCH_STEPS_MAX);
    pcre2_set_depth_limit(pattern->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(pattern->limits, MATCH_HEAP_KIB_MAX);
    /* Where PCRE2 has no JIT (a hardened kernel, another CPU), the interpreter matches the same,
     * more slowly. */
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

enum pattern_result pattern_match(const struct pattern *pattern, struct bytes name)
{
    static const uint8_t nothing[1];
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    if (!found)
        return PATTERN_GAVE_UP;
    PCRE2_SPTR at = name.len ? name.at : nothing;
    int got = pcre2_match(pattern->code, at, name.len, 0, 0, found, pattern->limits);
    /* The JIT's own stack is small: a match that fills it is done again by the interpreter. */
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(pattern->code, at, name.len, 0, PCRE2_NO_JIT, found, pattern->limits);
    pcre2_match_data_free(found);
    if (got >= 0)
        return PATTERN_MATCH;
    return got == PCRE2_ERROR_NOMATCH ? PATTERN_NO_MATCH : PATTERN_GAVE_UP;
}
