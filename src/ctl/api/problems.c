/* Entries of a file of definitions that the broker tells of: see problems.h. */
#include "ctl/api/problems.h"

#include "ctl/output/complain.h"
#include "ctl/output/value.h"

static void add_name(struct text *out, const char *before, const struct value *name)
{
    if (name)
        text_printf(out, "%s'%.*s'", before, BYTES_PRINT(value_bytes(name)));
}

void problems_complain(const struct value *answer, const char *key, const char *key_more,
                       const char *before)
{
    const struct value *list = value_get(answer, key), *more = value_get(answer, key_more);
    struct text line = {0};
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *one = value_at(list, i);
        line.len = 0;
        value_show(value_get(one, "path"), &line);
        add_name(&line, " ", value_get(one, "name"));
        add_name(&line, " in virtual host ", value_get(one, "vhost"));
        text_printf(&line, ": ");
        value_show(value_get(one, "why"), &line);
        complain("%s: %.*s", before, BYTES_PRINT(text_bytes(&line)));
    }
    if (more)
        complain("%s: %.0f more", before, value_number(more));
    text_free(&line);
}
