/* Exchanges of type x-delayed-message: another type's bindings and routes, and a wait before.
 * Thread: the vhost's owner.
 *
 * Normal course: a message without x-delay is routed by the inner type (argument x-delayed-type) as
 * if the exchange were of that type. One with x-delay is reported by routing_keep; whoever routes
 * gives it to delay.c, which hands it back at its time with x-delay made negative, and then it is
 * routed by the bindings of that time.
 *
 * What can go wrong: no inner type, an unknown one, the type itself: refused at declaration. An
 * x-delay that is no number, is not positive or is too large: routed at once. */
#include <math.h>

#include "delayed.h"
#include "leveret/base/number.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "routing.h"

#define HEADER "x-delay"

/* ---- The header. */

static int64_t number_of_digits(struct bytes digits)
{
    char text[16];
    uint64_t number;
    if (digits.len >= sizeof text)
        return 0;
    memcpy(text, digits.at, digits.len);
    text[digits.len] = 0;
    return number_read(text, DELAY_MAX_MS, &number) ? (int64_t)number : 0;
}

static int64_t number_of(const struct field *field)
{
    int64_t integer = 0;
    if (field_integer(field, &integer))
        return integer;
    if (field->type == FIELD_STRING)
        return number_of_digits(field->value.bytes);
    if ((field->type == FIELD_FLOAT || field->type == FIELD_DOUBLE) && field->value.real >= 1 &&
        field->value.real <= DELAY_MAX_MS)
        return (int64_t)trunc(field->value.real);
    return 0;
}

uint32_t delayed_ms(const struct message *message)
{
    struct field field;
    if (!message || !message->has_headers || !table_find(message_headers(message), HEADER, &field))
        return 0;
    int64_t delay_ms = number_of(&field);
    return delay_ms > 0 && delay_ms <= DELAY_MAX_MS ? (uint32_t)delay_ms : 0;
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
    struct properties properties;
    struct text headers = {0}, encoded = {0};
    struct bytes key;
    struct field field;
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        return NULL;
    struct reader at = reader_of(properties.headers);
    while (table_next(&at, &key, &field))
        if (!bytes_equal_text(key, HEADER))
            table_put_field(&headers, key, &field);
        else
            put_negative(&headers, number_of(&field));
    properties.headers = text_bytes(&headers);
    properties_encode(&properties, &encoded);
    struct message *copy = message_with_properties(message, text_bytes(&encoded));
    text_free(&headers);
    text_free(&encoded);
    return copy;
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
    if (!routing->input->at_once && delayed_ms(routing->input->message))
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
