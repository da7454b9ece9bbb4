/* Argument tables of declarations. Thread: the vhost's owner; no state. */
#ifndef BROKER_ARGUMENTS_H
#define BROKER_ARGUMENTS_H

#include "leveret/base/text.h"

/* The contents of a checked table with its fields in order of their keys, so that two tables that
 * say the same are the same bytes. Returns a view of contents when it is in order already, of
 * scratch otherwise. */
struct bytes arguments_sorted(struct bytes contents, struct text *scratch);

#endif
