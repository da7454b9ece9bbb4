/* Headers of dead letters: see death.h.
 *
 * Normal course: headers are collected, x-death is replaced by one whose first element is this
 * death, and all are written again, sorted by key as RabbitMQ does. What can go wrong: headers of
 * these names that a client or an older broker made: x-death that is no array is begun anew;
 * several entries of one queue and reason become one; elements that are no tables stay as they are.
 */
#include "broker/publish/dead_letter_headers.h"

#include <stdlib.h>

#include "broker/publish/offspring.h"
#include "broker/topology/copies.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

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

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* By key; of one key, in the order that they came in. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_bytes(a->key, b->key);
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

/* An entry of x-death, or what a client put there. A broker older than RabbitMQ 3.6 writes an entry
 * for each death and no count: those of one queue and reason are one here. */
struct record {
    struct field element;
    struct field queue, reason; /* FIELD_VOID: it does not say, or is no table */
    size_t index;               /* in the array */
    size_t same; /* entries of its queue and reason; 0: an earlier one stands for it */
};

static struct field said(const struct field *element, const char *key)
{
    struct field field, none = {.type = FIELD_VOID};
    bool is = element->type == FIELD_TABLE && table_find(element->value.bytes, key, &field) &&
              field.type == FIELD_STRING;
    return is ? field : none;
}

static int compare_said(const struct field *a, const struct field *b)
{
    if (a->type != b->type)
        return a->type == FIELD_VOID ? -1 : 1;
    return a->type == FIELD_VOID ? 0 : compare_bytes(a->value.bytes, b->value.bytes);
}

static int compare_groups(const struct record *a, const struct record *b)
{
    bool table = a->element.type == FIELD_TABLE;
    if (table != (b->element.type == FIELD_TABLE))
        return table ? 1 : -1;
    int order = table ? compare_said(&a->queue, &b->queue) : 0;
    return order ? order : table ? compare_said(&a->reason, &b->reason) : 0;
}

static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = compare_groups(a, b);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int compare_places(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    return (a->index > b->index) - (a->index < b->index);
}

/* The first entry of each queue and reason stands for all of them. Sorted rather than compared each
 * with each: a client may have written any number. */
static void group(struct record *records, size_t count)
{
    qsort(records, count, sizeof *records, compare_records);
    struct record *first = records;
    for (size_t i = 0; i < count; i++) {
        bool begins = i == 0 || records[i].element.type != FIELD_TABLE ||
                      compare_groups(first, &records[i]) != 0;
        if (begins)
            first = &records[i];
        first->same = begins ? 1 : first->same + 1;
        if (!begins)
            records[i].same = 0;
    }
    qsort(records, count, sizeof *records, compare_places);
}

/* A new block, or NULL when there are none. */
static struct record *records_of(struct bytes array, size_t *count)
{
    struct record *records = NULL;
    struct field element;
    size_t room = 0;
    struct reader at = reader_of(array);
    for (*count = 0; array_next(&at, &element); ++*count) {
        if (*count == room) {
            room = room ? room * 2 : 16;
            records = mem_need_array(records, room, sizeof *records);
        }
        records[*count] = (struct record){.element = element,
                                          .queue = said(&element, "queue"),
                                          .reason = said(&element, "reason"),
                                          .index = *count};
    }
    if (records)
        group(records, *count);
    return records;
}

static bool same_death(const struct record *record, const struct death_notice *notice)
{
    return record->element.type == FIELD_TABLE && record->same &&
           record->queue.type == FIELD_STRING && record->reason.type == FIELD_STRING &&
           bytes_equal(record->queue.value.bytes, notice->queue) &&
           bytes_equal_text(record->reason.value.bytes, notice->reason);
}

/* The fields of a death that has happened before, with more of it; the rest as it was. Entries
 * without a count are one death each; a count that is no number counts for nothing. */
static void collect_again(struct entries *fields, const struct record *record, int64_t more)
{
    struct field count = {.type = FIELD_I64}, value;
    struct bytes key, table = record->element.value.bytes;
    struct reader at = reader_of(table);
    if (!table_find(table, "count", &value))
        count.value.integer = (int64_t)record->same;
    else if (!field_integer(&value, &count.value.integer))
        count.value.integer = 0;
    count.value.integer =
        count.value.integer > INT64_MAX - more ? INT64_MAX : count.value.integer + more;
    while (table_next(&at, &key, &value))
        if (!bytes_equal_text(key, "count"))
            add(fields, key, &value);
    add(fields, bytes_of_text("count"), &count);
}

static void write_again(struct text *out, const struct record *record, int64_t more)
{
    struct entries fields = {0};
    collect_again(&fields, record, more);
    sort_and_write(&fields, out);
    free(fields.at);
}

/* An entry that stays. One that stands for several and counts nothing says how many. */
static void write_kept(struct text *out, const struct record *record)
{
    struct field count;
    if (record->element.type != FIELD_TABLE ||
        table_find(record->element.value.bytes, "count", &count)) {
        array_put_field(out, &record->element);
        return;
    }
    size_t table = array_put_table_begin(out);
    write_again(out, record, 0);
    table_end(out, table);
}

/* The contents of the new x-death; old: those of the one on record, NULL: there is none. */
static void write_deaths(struct text *out, const struct bytes *old, struct entries *first,
                         const struct death_notice *notice)
{
    size_t count = 0, before = 0;
    struct record *records = old ? records_of(*old, &count) : NULL;
    while (before < count && !same_death(&records[before], notice))
        before++;
    size_t table = array_put_table_begin(out);
    if (before < count)
        write_again(out, &records[before], 1);
    else if (old)
        sort_and_write(first, out);
    else
        write_unsorted(first, out);
    table_end(out, table);
    for (size_t i = 0; i < count; i++)
        if (records[i].same && i != before)
            write_kept(out, &records[i]);
    free(records);
}

/* ---- All headers. */

/* Headers that tell of one death. */
struct epitaph {
    const char *reason, *queue, *exchange;
};
static const struct epitaph first_death = {"x-first-death-reason", "x-first-death-queue",
                                           "x-first-death-exchange"};
static const struct epitaph last_death = {"x-last-death-reason", "x-last-death-queue",
                                          "x-last-death-exchange"};

static void add_epitaph(struct entries *entries, const struct epitaph *epitaph,
                        const struct message *message, const struct death_notice *notice)
{
    const struct field reason = string_field(bytes_of_text(notice->reason));
    const struct field queue = string_field(notice->queue);
    const struct field exchange = string_field(message_exchange(message));
    add(entries, bytes_of_text(epitaph->reason), &reason);
    add(entries, bytes_of_text(epitaph->queue), &queue);
    add(entries, bytes_of_text(epitaph->exchange), &exchange);
}

static bool is_of_epitaph(struct bytes key, const struct epitaph *epitaph)
{
    return bytes_equal_text(key, epitaph->reason) || bytes_equal_text(key, epitaph->queue) ||
           bytes_equal_text(key, epitaph->exchange);
}

/* Whether what the headers say of deaths is a client's word that is not trusted. */
static bool disowned(const struct message *message)
{
    struct field field;
    return message->blind && table_find(properties_headers(message_properties(message)),
                                        DEATHS_DISOWNED_HEADER, &field);
}

static void write_headers(struct text *out, const struct message *message,
                          const struct properties *properties, const struct death_notice *notice)
{
    struct entries entries = {0}, death = {0};
    struct text keys = {0}, deaths = {0};
    struct field value, recorded;
    struct bytes key, headers = properties->headers;
    bool known = table_find(headers, "x-death", &recorded) && !disowned(message);
    struct reader at = reader_of(headers);
    while (table_next(&at, &key, &value)) {
        bool replaced =
            bytes_equal_text(key, "x-death") || bytes_equal_text(key, OFFSPRING_HEADER) ||
            bytes_equal_text(key, DEATHS_DISOWNED_HEADER) || is_of_epitaph(key, &last_death) ||
            (!known && is_of_epitaph(key, &first_death)) ||
            (notice->routing_key.at &&
             (bytes_equal_text(key, "CC") || bytes_equal_text(key, "BCC")));
        if (!replaced)
            add(&entries, key, &value);
    }
    if (!known)
        add_epitaph(&entries, &first_death, message, notice);
    add_epitaph(&entries, &last_death, message, notice);
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
        letter->blind = false;
        if (message->blind && !notice->routing_key.at)
            copies_note_blind(letter); /* by BCC, not for what the broker notes for itself */
    }
    return letter;
}

enum status deaths_disown(struct message **message)
{
    struct rewrite rewrite;
    struct field field;
    if (!(*message)->has_headers ||
        !table_find(properties_headers(message_properties(*message)), "x-death", &field) ||
        !rewrite_begin(&rewrite, *message))
        return STATUS_OK;
    text_add_bytes(&rewrite.headers, rewrite.properties.headers);
    table_put_bool(&rewrite.headers, DEATHS_DISOWNED_HEADER, true);
    struct message *noted = rewrite_end(&rewrite, *message);
    if (!noted)
        return STATUS_NO_MEMORY;
    noted->blind = true;
    message_unref(message);
    *message = noted;
    return STATUS_OK;
}

/* ---- Cycles. */

bool death_cycles(const struct message *letter, struct bytes queue)
{
    struct field deaths, element;
    if (!table_find(properties_headers(message_properties(letter)), "x-death", &deaths) ||
        deaths.type != FIELD_ARRAY)
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
