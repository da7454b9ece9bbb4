/* How the answer of a command is printed. */
#ifndef LEVERETCTL_STYLE_H
#define LEVERETCTL_STYLE_H

#include <stdbool.h>

#include "ctl/output/table.h"

struct style {
    enum table_format format;
    bool quiet; /* true when no line of headings is printed */
};

#endif
