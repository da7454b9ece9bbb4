/* Exchanges of type x-delayed-message: they route by another type, after a delay. Thread: the
 * vhost's owner.
 *
 * Normal course: a message without x-delay is routed by the inner type (argument x-delayed-type) as
 * if the exchange were of that type. A message with x-delay is reported by routing_keep, and the
 * caller of the route gives it to delay.c. When its delay is over, delay.c hands it back with
 * x-delay negated, and it is routed by the bindings of that moment.
 *
 * What can go wrong: no inner type, an unknown one, or x-delayed-message itself: refused at
 * declaration. An x-delay that is not a number or too large: noted in the route, and the client's
 * publish is refused; a message from elsewhere (a dead letter) with too large a delay waits
 * DELAY_MAX_MS. An x-delay that is not positive: the message is routed at once, as are those that
 * have waited. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "broker/topology/delayed.h"
#include "broker/topology/routing.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

#define HEADER "x-delay"

/* ---- The header. */

/* Reads a sign and digits. A number beyond the range of int64_t becomes INT64_MAX or INT64_MIN. */
static bool number_of_digits(struct bytes text, int64_t *out)
{
    size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+');
    uint64_t value = 0;
    if (at == text.len)
        return false;
    for (size_t i = at; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value > INT64_MAX / 10 ? INT64_MAX : value * 10 + (text.at[i] - '0');
    }
    *out = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    if (text.at[0] == '-')
        *out = -*out;
    return true;
}

static bool number_of_real(double real, int64_t *out)
{
    if (!isfinite(real))
        return false;
    double whole = trunc(real), limit = 0x1p62;
    *out = (int64_t)(whole > limit ? limit : whole < -limit ? -limit : whole);
    return true;
}

/* Whether the value is a number; *out is then that number. */
static bool number_of(const struct field *field, int64_t *out)
{
    if (field_integer(field, out))
        return true;
    if (field->type == FIELD_STRING || field->type == FIELD_BYTES)
        return number_of_digits(field->value.bytes, out);
    if (field->type == FIELD_FLOAT || field->type == FIELD_DOUBLE)
        return number_of_real(field->value.real, out);
    return false;
}

static bool find_header(const struct message *message, struct field *out)
{
    return message && message->has_headers &&
           table_find(properties_headers(message_properties(message)), HEADER, out);
}

uint64_t delayed_ms(const struct message *message)
{
    struct field field;
    int64_t delay_ms;
    if (!find_header(message, &field) || !number_of(&field, &delay_ms) || delay_ms < 0)
        return 0;
    return (uint64_t)delay_ms < DELAY_MAX_MS ? (uint64_t)delay_ms : DELAY_MAX_MS;
}

bool delayed_malformed(const struct message *message, char why[DELAYED_WHY_MAX])
{
    struct field field;
    int64_t delay_ms;
    if (!find_header(message, &field))
        return false;
    if (!number_of(&field, &delay_ms))
        snprintf(why, DELAYED_WHY_MAX, "it is no number but of type %s",
                 field_type_name(field.type));
    else if (delay_ms > (int64_t)DELAY_MAX_MS)
        snprintf(why, DELAYED_WHY_MAX, "it is larger than %" PRIu64 " ms", DELAY_MAX_MS);
    else
        return false;
    return true;
}

static void put_negative(struct text *headers, int64_t delay_ms)
{
    if (delay_ms <= INT32_MAX)
        table_put_i32(headers, HEADER, (int32_t)-delay_ms);
    else
        table_put_i64(headers, HEADER, -delay_ms);
}

struct message *delayed_over(const struct message *message)
{
    struct rewrite rewrite;
    struct bytes key;
    struct field field;
    int64_t delay_ms;
    if (!rewrite_begin(&rewrite, message))
        return NULL;
    struct reader at = reader_of(rewrite.properties.headers);
    while (table_next(&at, &key, &field))
        if (!bytes_equal_text(key, HEADER))
            table_put_field(&rewrite.headers, key, &field);
        else
            put_negative(&rewrite.headers,
                         number_of(&field, &delay_ms) && delay_ms > 0 ? delay_ms : 0);
    return rewrite_end(&rewrite, message);
}

/* ---- The type. */

static const struct exchange_type *inner_type(struct bytes arguments)
{
    struct field field;
    if (!table_find(arguments, "x-delayed-type", &field) || field.type != FIELD_STRING)
        return NULL;
    return exchange_type_find(field.value.bytes);
}

static enum status delayed_validate(struct bytes arguments, struct refusal *refusal)
{
    struct field field;
    if (!table_find(arguments, "x-delayed-type", &field) || field.type != FIELD_STRING)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, 'x-delayed-type' must be an existing exchange type");
    const struct exchange_type *inner = inner_type(arguments);
    if (!inner)
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "unknown exchange type '%.*s'",
                      BYTES_PRINT(field.value.bytes));
    if (inner == &exchange_type_delayed)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, '%s' can't be used for 'x-delayed-type'", inner->name);
    return inner->validate ? inner->validate(arguments, refusal) : STATUS_OK;
}

static enum status delayed_validate_binding(struct bytes exchange_arguments,
                                            struct bytes routing_key, struct bytes arguments,
                                            struct refusal *refusal)
{
    const struct exchange_type *inner = inner_type(exchange_arguments);
    return inner && inner->validate_binding
               ? inner->validate_binding(exchange_arguments, routing_key, arguments, refusal)
               : STATUS_OK;
}

static void delayed_open(struct exchange *exchange)
{
    exchange->inner = inner_type(exchange->arguments);
    if (exchange->inner->open)
        exchange->inner->open(exchange);
}

static void delayed_close(struct exchange *exchange)
{
    if (exchange->inner->close)
        exchange->inner->close(exchange);
}

static void delayed_bind(struct exchange *exchange, struct binding *binding)
{
    if (exchange->inner->bind)
        exchange->inner->bind(exchange, binding);
}

static void delayed_unbind(struct exchange *exchange, struct binding *binding)
{
    if (exchange->inner->unbind)
        exchange->inner->unbind(exchange, binding);
}

static void delayed_route(struct exchange *exchange, struct routing *routing)
{
    const struct message *message = routing->input->message;
    char why[DELAYED_WHY_MAX];
    uint64_t delay_ms = routing->input->at_once ? 0 : delayed_ms(message);
    if (!routing->input->at_once && (delay_ms == 0 || delay_ms == DELAY_MAX_MS))
        routing->result->delay_malformed |= delayed_malformed(message, why);
    if (delay_ms)
        routing_keep(routing, exchange);
    else
        exchange->inner->route(exchange, routing);
}

const struct exchange_type exchange_type_delayed = {
    .name = "x-delayed-message",
    .validate = delayed_validate,
    .validate_binding = delayed_validate_binding,
    .open = delayed_open,
    .close = delayed_close,
    .bind = delayed_bind,
    .unbind = delayed_unbind,
    .route = delayed_route,
};
