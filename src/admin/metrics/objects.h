/* Part of metrics: families with a line for each object, or with the sum over all of them. Thread:
 * the main thread. */
#ifndef LEVERET_ADMIN_OBJECTS_H
#define LEVERET_ADMIN_OBJECTS_H

#include "admin/http/request.h"
#include "admin/metrics/exposition.h"

struct totals;

/* Which families and objects are told. */
enum objects_how {
    OBJECTS_SUMS,   /* a line for each family */
    OBJECTS_ALL,    /* a line for each object, in all families */
    OBJECTS_CHOSEN, /* a line for each object, in the families that the query names with family=;
                       the query's vhost= and queue_filter= say of which objects */
};

/* Answers with out (which is taken) and these families behind it. totals, for OBJECTS_SUMS, lasts
 * for the call. Objects are gathered in portions; what the client has not taken yet holds up the
 * next one. */
void objects_write(struct request *request, struct exposition *out, enum objects_how how,
                   const struct totals *totals);

#endif
