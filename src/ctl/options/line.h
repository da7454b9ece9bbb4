/* The command line, taken apart. */
#ifndef LEVERETCTL_LINE_H
#define LEVERETCTL_LINE_H

#include "ctl/options/options.h"

/* What the line says of settings; it is applied after the other sources. */
struct line {
    char *set[OPTION_IDS]; /* a setting's value as it stands in argv; NULL: not given */
};

/* Parses argv into the options' values and arguments, and into *line. Returns false after printing
 * an error. */
bool line_parse(struct options *options, struct line *line, const struct options_reader *reader,
                int argc, char **argv);

#endif
