/* The columns of a listing: where a value comes from, and what it is a measure of. */
#ifndef LEVERETCTL_COLUMN_H
#define LEVERETCTL_COLUMN_H

#include "ctl/output/style.h"
#include "ctl/output/value.h"

enum column_kind {
    COLUMN_PLAIN,
    COLUMN_BYTES,    /* a number of bytes */
    COLUMN_RATE,     /* a number a second */
    COLUMN_DURATION, /* milliseconds */
    COLUMN_TIME,     /* milliseconds since 1970 */
    /* What rabbitmqctl prints in forms of Erlang or as JSON in a text. */
    COLUMN_TERM, /* a table of arguments */
    COLUMN_LIST, /* a list of words */
    COLUMN_JSON  /* a definition or a value of a parameter */
};

struct column {
    const char *heading;
    const char *path; /* the member of the object, as value_get takes it */
};

enum column_kind column_kind_of(const char *path);

/* Adds the value as the style shows a cell of this kind. */
void column_show(const struct style *style, enum column_kind kind, const struct value *value,
                 struct text *out);

/* The value as the style has it in JSON; the caller frees it. */
struct value *column_json(const struct style *style, enum column_kind kind,
                          const struct value *value);

#endif
