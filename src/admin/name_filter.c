/* Filters by name: a substring, or a regular expression by PCRE2 with limits on its work. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "listing.h"

#define MATCH_LIMIT 100000u

struct name_filter {
    char *part; /* NULL: a regular expression */
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

enum status name_filter_new(const char *pattern, bool regex, struct name_filter **out)
{
    int error;
    PCRE2_SIZE at;
    struct name_filter *f = mem_need(sizeof *f);
    if (!regex) {
        f->part = mem_need_text(pattern, strlen(pattern));
        *out = f;
        return STATUS_OK;
    }
    f->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_CASELESS, &error, &at,
                            NULL);
    if (f->code) {
        f->data = pcre2_match_data_create_from_pattern(f->code, NULL);
        f->limits = pcre2_match_context_create(NULL);
    }
    if (!f->data || !f->limits) {
        name_filter_free(&f);
        return STATUS_MALFORMED;
    }
    pcre2_set_match_limit(f->limits, MATCH_LIMIT);
    *out = f;
    return STATUS_OK;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool contains(struct bytes name, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= name.len; i++) {
        size_t n = 0;
        while (n < len && lower(name.at[i + n]) == lower((uint8_t)part[n]))
            n++;
        if (n == len)
            return true;
    }
    return false;
}

bool name_filter_fits(struct name_filter *filter, struct bytes name)
{
    if (filter->part)
        return contains(name, filter->part);
    return pcre2_match(filter->code, name.len ? name.at : (const uint8_t *)"", name.len, 0, 0,
                       filter->data, filter->limits) >= 0;
}

void name_filter_free(struct name_filter **filter)
{
    struct name_filter *f = *filter;
    *filter = NULL;
    if (!f)
        return;
    pcre2_match_context_free(f->limits);
    pcre2_match_data_free(f->data);
    pcre2_code_free(f->code);
    free(f->part);
    free(f);
}
