/* Messages that are moved: see moved_message.h. */
#include "broker/publish/moved_message.h"

#include <stdio.h>

#include "broker/publish/dead_letter_headers.h"
#include "broker/publish/offspring.h"
#include "broker/topology/own_headers.h"
#include "leveret/base/number.h"
#include "leveret/broker/publication.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

/* Bytes of an expiration, with its zero; a longer one is no number that the broker reads. */
#define EXPIRATION_BYTES_MAX 24u

static bool find_string(struct bytes table, const char *key, struct bytes *out)
{
    struct field field;
    if (!table_find(table, key, &field) || field.type != FIELD_STRING)
        return false;
    *out = field.value.bytes;
    return true;
}

/* ---- Where a dead letter came from. */

/* Whether an element of x-death is the record of the first death. */
static bool is_first(const struct field *element, struct bytes queue, struct bytes reason)
{
    struct bytes its_queue, its_reason;
    return element->type == FIELD_TABLE && find_string(element->value.bytes, "queue", &its_queue) &&
           find_string(element->value.bytes, "reason", &its_reason) &&
           bytes_equal(its_queue, queue) && bytes_equal(its_reason, reason);
}

static void read_first(struct bytes death, struct origin *out)
{
    struct field field;
    if (table_find(death, "routing-keys", &field) && field.type == FIELD_ARRAY)
        out->keys = field.value.bytes;
    (void)find_string(death, "exchange", &out->exchange);
    (void)find_string(death, "original-expiration", &out->expiration);
}

bool letter_origin(const struct message *message, struct origin *out)
{
    struct bytes headers = properties_headers(message_properties(message)), reason;
    struct field deaths, element;
    *out = (struct origin){0};
    if (!message->has_headers || table_find(headers, DEATHS_DISOWNED_HEADER, &element) ||
        !find_string(headers, "x-first-death-queue", &out->queue) ||
        !find_string(headers, "x-first-death-reason", &reason) ||
        !table_find(headers, "x-death", &deaths) || deaths.type != FIELD_ARRAY)
        return false;
    struct reader at = reader_of(deaths.value.bytes);
    while (array_next(&at, &element)) {
        if (!is_first(&element, out->queue, reason))
            continue;
        read_first(element.value.bytes, out);
        return true;
    }
    return false;
}

bool letter_key(const struct origin *origin, struct bytes *key)
{
    struct field field;
    struct reader at = reader_of(origin->keys);
    if (!array_next(&at, &field) || field.type != FIELD_STRING)
        return false;
    *key = field.value.bytes;
    return true;
}

/* ---- The new message. */

/* Writes the origin's routing keys but the first as the header CC. */
static void write_copies(struct text *headers, const struct origin *origin)
{
    struct text keys = {0};
    struct field field;
    struct reader at = reader_of(origin->keys);
    if (!array_next(&at, &field) || table_find(text_bytes(headers), "CC", &field))
        return;
    while (array_next(&at, &field))
        if (field.type == FIELD_STRING)
            array_put_field(&keys, &field);
    field = (struct field){.type = FIELD_ARRAY, .value.bytes = text_bytes(&keys)};
    if (keys.len)
        table_put_field(headers, BYTES_LITERAL("CC"), &field);
    text_free(&keys);
}

/* How often the message has been moved; a header of another type counts as 0. */
static int64_t times_moved(struct bytes headers)
{
    struct field field;
    int64_t count;
    bool is = table_find(headers, REDRIVEN_HEADER, &field) && field_integer(&field, &count) &&
              count > 0 && count < INT64_MAX;
    return is ? count : 0;
}

/* Reads an expiration, in milliseconds. */
static bool read_expiration(struct bytes text, uint64_t *ms)
{
    char zero_ended[EXPIRATION_BYTES_MAX];
    if (!text.at || text.len >= sizeof zero_ended)
        return false;
    snprintf(zero_ended, sizeof zero_ended, "%.*s", BYTES_PRINT(text));
    return number_read(zero_ended, EXPIRATION_MS_MAX, ms);
}

struct message *moved_message(const struct message *message, const struct moved_form *form)
{
    static const char *const replaced[] = {REDRIVEN_HEADER, OFFSPRING_HEADER, NULL};
    struct rewrite rewrite;
    struct text encoded = {0};
    uint64_t ttl_ms = message->ttl_ms;
    if (!rewrite_begin(&rewrite, message))
        return message_readdressed(message, form->exchange, form->routing_key,
                                   message_properties(message));
    int64_t times = times_moved(rewrite.properties.headers);
    rewrite_keep(&rewrite, replaced);
    if (form->origin && form->copies)
        write_copies(&rewrite.headers, form->origin);
    table_put_i64(&rewrite.headers, REDRIVEN_HEADER, times + 1);
    struct properties properties = rewrite.properties;
    properties.headers = text_bytes(&rewrite.headers);
    properties.present |= PROPERTY_HEADERS;
    if (form->origin && form->restore_expiration &&
        read_expiration(form->origin->expiration, &ttl_ms)) {
        properties.present |= PROPERTY_EXPIRATION;
        properties.expiration = form->origin->expiration;
    }
    properties_encode(&properties, &encoded);
    struct message *moved =
        message_readdressed(message, form->exchange, form->routing_key, text_bytes(&encoded));
    text_free(&encoded);
    text_free(&rewrite.headers);
    if (moved) {
        moved->ttl_ms = ttl_ms;
        moved->has_headers = true;
    }
    return moved;
}
