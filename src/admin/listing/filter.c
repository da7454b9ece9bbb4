/* Filters by name: a substring, or a regular expression. */
#include "admin/listing/filter.h"

#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"

struct filter {
    char *part; /* what a name must contain; NULL: it must match pattern */
    struct pattern *pattern;
};

enum status filter_new(const char *pattern, bool regex, struct filter **out)
{
    static const struct pattern_options options = {.caseless = true};
    struct filter *f = mem_need(sizeof *f);
    if (!regex) {
        f->part = mem_need_text(pattern, strlen(pattern));
    } else if (pattern_new(bytes_of_text(pattern), &options, &f->pattern, NULL) != STATUS_OK) {
        filter_free(&f);
        return STATUS_MALFORMED;
    }
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

bool filter_fits(struct filter *filter, struct bytes name)
{
    return filter->part ? contains(name, filter->part) : pattern_matches(filter->pattern, name);
}

void filter_free(struct filter **filter)
{
    struct filter *f = *filter;
    *filter = NULL;
    if (!f)
        return;
    pattern_free(&f->pattern);
    free(f->part);
    free(f);
}
