/* Conditions on the columns of rows, by which a list is filtered: where=COLUMN:TEST:VALUE in the
 * query, several times if several must hold. Thread: the main thread.
 *
 *   where=type:eq:quorum   where=messages_details.rate:gt:0   where=arguments.x-expires:has:
 *
 * eq and ne compare with the value as a text, or as a number where the column is one; a boolean is
 * 1 or 0. gt and lt compare numbers. has: the row has such a column, whatever its value. */
#ifndef LEVERET_ADMIN_CONDITIONS_H
#define LEVERET_ADMIN_CONDITIONS_H

#include "admin/json/answer.h"
#include "admin/json/columns.h"

struct request;

/* Conditions of one query; with more it is answered 400. */
#define CONDITIONS_MAX 8u

struct conditions;

/* Reads the query's conditions; *out is NULL when it has none. Returns false when one is malformed,
 * and has answered 400. */
bool conditions_read(struct request *request, struct conditions **out);
void conditions_free(struct conditions **conditions);

/* Returns true when all conditions hold for a row. render writes the row's fields into an answer;
 * it is called for each condition with an answer that captures one column. */
bool conditions_hold(const struct conditions *conditions,
                     void (*render)(void *context, struct answer *answer), void *context);

#endif
