/* Sorting tables by their keys. Thread: any; no state. */
#ifndef LEVERET_WIRE_TABLE_SORT_H
#define LEVERET_WIRE_TABLE_SORT_H

#include "leveret/base/text.h"

/* The contents of a checked table with its fields sorted by key, so that tables with the same
 * fields have the same bytes. Returns a view of contents when they are sorted already, of scratch
 * otherwise. */
struct bytes table_sorted(struct bytes contents, struct text *scratch);

#endif
