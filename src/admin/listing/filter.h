/* A filter by name: a part of the name, or a regular expression, both regardless of case. Thread:
 * any one. */
#ifndef LEVERET_ADMIN_FILTER_H
#define LEVERET_ADMIN_FILTER_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct filter;

/* Errors: MALFORMED: pattern is to be a regular expression (regex), and is none. */
MUST_USE enum status filter_new(const char *pattern, bool regex, struct filter **out);
bool filter_fits(struct filter *filter, struct bytes name);
void filter_free(struct filter **filter);

#endif
