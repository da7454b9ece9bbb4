/* How the answer of a command is printed. */
#ifndef LEVERETCTL_STYLE_H
#define LEVERETCTL_STYLE_H

#include <stdbool.h>

#include "ctl/output/table.h"

struct style {
    enum table_format format;
    bool rabbitmqctl; /* true when texts and values look as rabbitmqctl prints them */
    bool headings;    /* true when a line of headings stands above a listing */
    bool banner;      /* true when a line says what is about to be done, as rabbitmqctl does */
    bool person;      /* true when numbers are shortened for a person: 11.3 MB, 3 d 4 h */
    unsigned width;   /* columns of the terminal, at which aligned tables are cut; 0: never */
};

/* Whether the answer is JSON. */
static inline bool style_is_json(const struct style *style)
{
    return style->format == FORMAT_JSON || style->format == FORMAT_JSON_STREAM;
}

#endif
