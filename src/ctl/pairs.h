/* NAME=VALUE and NAME:=JSON of the command line as JSON objects. */
#ifndef LEVERETCTL_PAIRS_H
#define LEVERETCTL_PAIRS_H

#include "options.h"
#include "value.h"

/* Digits become a number, true and false themselves, the rest a text; after := stands any JSON.
 * NULL: it was said what is wrong. */
struct value *pairs_typed(const struct pairs *pairs);

/* A message's properties: texts, but for the three that are numbers. NULL: as above. */
struct value *pairs_properties(const struct pairs *pairs);

#endif
