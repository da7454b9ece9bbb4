/* Headers of dead letters: see death.h.
 *
 * Normal course: headers are collected, x-death is replaced by one whose first element is this
 * death, and all are written again, sorted by key as RabbitMQ does. What can go wrong: headers of
 * these names that a client has made up: x-death that is no array is begun anew; elements that are
 * no tables, or have odd fields, stay as they are. */
#include "death.h"

#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "route.h"

struct entry {
    struct bytes key;
    struct field value;
};

struct entries {
    struct entry *at;
    size_t count, room;
};

static void add(struct entries *entries, struct bytes key, const struct field *value)
{
    if (entries->count == entries->room) {
        entries->room = entries->room ? entries->room * 2 : 16;
        entries->at = mem_need_array(entries->at, entries->room, sizeof *entries->at);
    }
    entries->at[entries->count++] = (struct entry){key, *value};
}

/* By key; of one key, in the order that they came in. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    size_t shorter = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = shorter ? memcmp(a->key.at, b->key.at, shorter) : 0;
    if (order == 0)
        order = (a->key.len > b->key.len) - (a->key.len < b->key.len);
    return order ? order : (a->key.at > b->key.at) - (a->key.at < b->key.at);
}

static void sort_and_write(struct entries *entries, struct text *out)
{
    if (entries->count > 1)
        qsort(entries->at, entries->count, sizeof *entries->at, compare);
    for (size_t i = 0; i < entries->count; i++)
        table_put_field(out, entries->at[i].key, &entries->at[i].value);
}

static struct field string_field(struct bytes value)
{
    return (struct field){.type = FIELD_STRING, .value.bytes = value};
}

/* ---- The death under way. */

/* The contents of an array: the key that the message was published with, then its copies', but not
 * those of blind ones. */
static void write_keys(struct text *out, const struct message *message, struct bytes headers)
{
    struct field array, key = string_field(message_routing_key(message));
    array_put_field(out, &key);
    if (!table_find(headers, "CC", &array) || array.type != FIELD_ARRAY)
        return;
    struct reader at = reader_of(array.value.bytes);
    while (array_next(&at, &key))
        if (key.type == FIELD_STRING)
            array_put_field(out, &key);
}

/* The fields of a first death, in the order in which RabbitMQ writes them. */
static void collect_death(struct entries *fields, const struct message *message,
                          const struct properties *properties, const struct death_notice *notice,
                          const struct text *keys)
{
    const struct field count = {.type = FIELD_I64, .value.integer = 1};
    const struct field reason = string_field(bytes_of_text(notice->reason));
    const struct field queue = string_field(notice->queue);
    const struct field time = {.type = FIELD_TIMESTAMP, .value.timestamp = notice->at_s};
    const struct field exchange = string_field(message_exchange(message));
    const struct field array = {.type = FIELD_ARRAY, .value.bytes = text_bytes(keys)};
    add(fields, bytes_of_text("count"), &count);
    add(fields, bytes_of_text("reason"), &reason);
    add(fields, bytes_of_text("queue"), &queue);
    add(fields, bytes_of_text("time"), &time);
    add(fields, bytes_of_text("exchange"), &exchange);
    add(fields, bytes_of_text("routing-keys"), &array);
    if (properties->present & PROPERTY_EXPIRATION) {
        const struct field expiration = string_field(properties->expiration);
        add(fields, bytes_of_text("original-expiration"), &expiration);
    }
}

static void write_unsorted(const struct entries *fields, struct text *out)
{
    for (size_t i = 0; i < fields->count; i++)
        table_put_field(out, fields->at[i].key, &fields->at[i].value);
}

/* ---- Deaths on record. */

static bool field_is(struct bytes table, const char *key, struct bytes value)
{
    struct field field;
    return table_find(table, key, &field) && field.type == FIELD_STRING &&
           bytes_equal(field.value.bytes, value);
}

static bool same_death(const struct field *element, const struct death_notice *notice)
{
    return element->type == FIELD_TABLE && field_is(element->value.bytes, "queue", notice->queue) &&
           field_is(element->value.bytes, "reason", bytes_of_text(notice->reason));
}

/* The fields of a death that has happened before: one more of it, the rest as it was. */
static void collect_again(struct entries *fields, struct bytes table)
{
    struct field count = {.type = FIELD_I64, .value.integer = 0}, value;
    struct bytes key;
    struct reader at = reader_of(table);
    if (table_find(table, "count", &value) && field_integer(&value, &count.value.integer) &&
        count.value.integer == INT64_MAX)
        count.value.integer--;
    count.value.integer++;
    while (table_next(&at, &key, &value))
        if (!bytes_equal_text(key, "count"))
            add(fields, key, &value);
    add(fields, bytes_of_text("count"), &count);
}

/* The contents of the new x-death; old: those of the one on record, NULL: there is none. */
static void write_deaths(struct text *out, const struct bytes *old, struct entries *first,
                         const struct death_notice *notice)
{
    struct entries again = {0};
    struct field element;
    bool before = false;
    struct reader at = reader_of(old ? *old : (struct bytes){0});
    while (!before && old && array_next(&at, &element))
        before = same_death(&element, notice);
    size_t table = array_put_table_begin(out);
    if (before) {
        collect_again(&again, element.value.bytes);
        sort_and_write(&again, out);
    } else if (old) {
        sort_and_write(first, out);
    } else {
        write_unsorted(first, out);
    }
    table_end(out, table);
    at = reader_of(old ? *old : (struct bytes){0});
    while (old && array_next(&at, &element))
        if (!same_death(&element, notice))
            array_put_field(out, &element);
    free(again.at);
}

/* ---- All headers. */

static void add_first_death(struct entries *entries, const struct message *message,
                            const struct death_notice *notice)
{
    const struct field reason = string_field(bytes_of_text(notice->reason));
    const struct field queue = string_field(notice->queue);
    const struct field exchange = string_field(message_exchange(message));
    add(entries, bytes_of_text("x-first-death-reason"), &reason);
    add(entries, bytes_of_text("x-first-death-queue"), &queue);
    add(entries, bytes_of_text("x-first-death-exchange"), &exchange);
}

static bool is_first_death(struct bytes key)
{
    return bytes_equal_text(key, "x-first-death-reason") ||
           bytes_equal_text(key, "x-first-death-queue") ||
           bytes_equal_text(key, "x-first-death-exchange");
}

static void write_headers(struct text *out, const struct message *message,
                          const struct properties *properties, const struct death_notice *notice)
{
    struct entries entries = {0}, death = {0};
    struct text keys = {0}, deaths = {0};
    struct field value, recorded;
    struct bytes key, headers = properties->headers;
    bool known = table_find(headers, "x-death", &recorded);
    struct reader at = reader_of(headers);
    while (table_next(&at, &key, &value)) {
        bool replaced = bytes_equal_text(key, "x-death") || (!known && is_first_death(key)) ||
                        (notice->routing_key.at &&
                         (bytes_equal_text(key, "CC") || bytes_equal_text(key, "BCC")));
        if (!replaced)
            add(&entries, key, &value);
    }
    if (!known)
        add_first_death(&entries, message, notice);
    write_keys(&keys, message, headers);
    collect_death(&death, message, properties, notice, &keys);
    const struct bytes *old = known && recorded.type == FIELD_ARRAY ? &recorded.value.bytes : NULL;
    write_deaths(&deaths, old, &death, notice);
    value = (struct field){.type = FIELD_ARRAY, .value.bytes = text_bytes(&deaths)};
    add(&entries, bytes_of_text("x-death"), &value);
    sort_and_write(&entries, out);
    text_free(&keys);
    text_free(&deaths);
    free(entries.at);
    free(death.at);
}

struct message *death_message(const struct message *message, const struct death_notice *notice)
{
    struct properties properties;
    struct text headers = {0}, encoded = {0};
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        properties = (struct properties){0};
    write_headers(&headers, message, &properties, notice);
    properties.headers = text_bytes(&headers);
    properties.present |= PROPERTY_HEADERS;
    properties.present &= (uint16_t)~PROPERTY_EXPIRATION;
    properties_encode(&properties, &encoded);
    struct message *letter = message_readdressed(
        message, notice->exchange,
        notice->routing_key.at ? notice->routing_key : message_routing_key(message),
        text_bytes(&encoded));
    text_free(&headers);
    text_free(&encoded);
    if (letter) {
        letter->ttl_ms = MESSAGE_NO_TTL;
        letter->has_headers = true;
        letter->blind = message->blind && !notice->routing_key.at;
    }
    return letter;
}

/* ---- Cycles. */

bool death_cycles(const struct message *letter, struct bytes queue)
{
    struct field deaths, element;
    if (!table_find(message_headers(letter), "x-death", &deaths) || deaths.type != FIELD_ARRAY)
        return false;
    bool automatic = true;
    struct reader at = reader_of(deaths.value.bytes);
    while (array_next(&at, &element)) {
        /* What is no table has been put there by a client: then it is not going by itself. */
        automatic &= element.type == FIELD_TABLE &&
                     !field_is(element.value.bytes, "reason", BYTES_LITERAL("rejected"));
        if (element.type == FIELD_TABLE && field_is(element.value.bytes, "queue", queue))
            return automatic;
    }
    return false;
}
