/* Exchanges of type x-recent-history: every binding matches, and a new one gets the last messages,
 * which history.h keeps. */
#include "broker/topology/exchange_history.h"

#include "broker/topology/routing.h"
#include "leveret/wire/table.h"

#define ARGUMENT "x-recent-history-length"

static enum status history_validate(struct bytes arguments, struct refusal *refusal)
{
    struct field field;
    int64_t length;
    struct text value = {0};
    if (!table_find(arguments, ARGUMENT, &field))
        return STATUS_OK;
    bool number = field_integer(&field, &length);
    if (number && length > 0 && length <= HISTORY_LENGTH_MAX)
        return STATUS_OK;
    field_print_term(&value, &field);
    enum status status =
        number && length > 0
            ? refuse(refusal, STATUS_PRECONDITION_FAILED,
                     "Invalid argument %.*s, '" ARGUMENT "' may be at most %u",
                     BYTES_PRINT(text_bytes(&value)), HISTORY_LENGTH_MAX)
            : refuse(refusal, STATUS_PRECONDITION_FAILED,
                     "Invalid argument %.*s, '" ARGUMENT "' must be a positive integer",
                     BYTES_PRINT(text_bytes(&value)));
    text_free(&value);
    return status;
}

uint32_t exchange_history_length(struct bytes arguments)
{
    struct field field;
    int64_t length;
    if (!table_find(arguments, ARGUMENT, &field) || !field_integer(&field, &length))
        return HISTORY_LENGTH;
    return (uint32_t)length;
}

static void history_route(struct exchange *exchange, struct routing *routing)
{
    exchange_type_fanout.route(exchange, routing);
    routing_keep_history(routing, exchange);
}

const struct exchange_type exchange_type_history = {
    .name = "x-recent-history",
    .by_key = true,
    .validate = history_validate,
    .route = history_route,
};
