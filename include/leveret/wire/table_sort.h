/* Tables in order of their keys. Thread: any; no state. */
#ifndef LEVERET_WIRE_TABLE_SORT_H
#define LEVERET_WIRE_TABLE_SORT_H

#include "leveret/base/text.h"

/* The contents of a checked table with its fields in order of their keys, so that two tables that
 * say the same are the same bytes. Returns a view of contents when it is in order already, of
 * scratch otherwise. */
struct bytes table_sorted(struct bytes contents, struct text *scratch);

#endif
