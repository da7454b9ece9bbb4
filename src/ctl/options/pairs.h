/* NAME=VALUE and NAME:=JSON of the command line as JSON objects. */
#ifndef LEVERETCTL_PAIRS_H
#define LEVERETCTL_PAIRS_H

#include "ctl/options/options.h"
#include "ctl/output/value.h"

/* Makes an object of the pairs: digits become a number, true and false a boolean, other values a
 * text; after := any JSON may stand. Returns NULL after printing an error. */
struct value *pairs_typed(const struct pairs *pairs);

/* Makes a message's properties: three are numbers, the others texts. Returns NULL after printing an
 * error. */
struct value *pairs_properties(const struct pairs *pairs);

#endif
