/* Part of dead_letter (queue/dead_letter.h): the headers of dead letters. See
 * dead_letter_headers.h.
 *
 * Normal course: the headers of the message are collected; x-death is replaced by a new x-death
 * whose first entry is this death; all headers are written again, sorted by key as RabbitMQ does.
 * What can go wrong: a client or an older broker wrote headers of these names. An x-death that is
 * not an array is replaced by a new one; several entries with the same queue and reason become one
 * entry; elements that are not tables stay as they are. */
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

/* Orders entries by key, and entries with the same key as they stood in the message. */
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

/* ---- The death that is being recorded. */

/* Writes the contents of the array routing-keys: the routing key that the message was published
 * with, then the keys in its header CC. The keys in BCC are left out. */
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

/* Collects the fields of the entry for a first death, in the order in which RabbitMQ writes them.
 */
static void collect_death(struct entries *fields, const struct message *message,
                          const struct properties *properties,
                          const struct dead_letter_details *details, const struct text *keys)
{
    const struct field count = {.type = FIELD_I64, .value.integer = 1};
    const struct field reason = string_field(bytes_of_text(details->reason));
    const struct field queue = string_field(details->queue);
    const struct field time = {.type = FIELD_TIMESTAMP, .value.timestamp = details->at_s};
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

/* ---- Deaths that the message has on record. */

static bool field_is(struct bytes table, const char *key, struct bytes value)
{
    struct field field;
    return table_find(table, key, &field) && field.type == FIELD_STRING &&
           bytes_equal(field.value.bytes, value);
}

/* An element of the x-death on record, which a client may have written. RabbitMQ before 3.6 wrote
 * an entry for each death, without a count: entries with the same queue and reason form a group,
 * and the first of them stands for the whole group. */
struct record {
    struct field element;
    struct field queue, reason; /* FIELD_VOID: the element has no such string, or is not a table */
    size_t index;               /* place of the element in the array */
    size_t same;                /* entries in its group; 0: an earlier entry stands for this one */
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

/* Sets `same` of each record. Sorts the records instead of comparing each with each, because a
 * client may have written any number of them. */
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

/* Reads the contents of an x-death. Returns a new block of *count records, or NULL when there are
 * none. */
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

static bool same_death(const struct record *record, const struct dead_letter_details *details)
{
    return record->element.type == FIELD_TABLE && record->same &&
           record->queue.type == FIELD_STRING && record->reason.type == FIELD_STRING &&
           bytes_equal(record->queue.value.bytes, details->queue) &&
           bytes_equal_text(record->reason.value.bytes, details->reason);
}

/* Collects the fields of an entry on record, with its count raised by `more`; all other fields stay
 * as they are. An entry without a count stands for as many deaths as its group has entries; a count
 * that is not a number is taken for 0. */
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

/* Writes an element that this death does not concern. An entry without a count is given one: the
 * number of entries in its group. */
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

/* Writes the contents of the new x-death. old: the contents of the x-death on record; NULL: there
 * is none. first: the fields for a first death, used when the queue and reason are not on record.
 */
static void write_deaths(struct text *out, const struct bytes *old, struct entries *first,
                         const struct dead_letter_details *details)
{
    size_t count = 0, before = 0;
    struct record *records = old ? records_of(*old, &count) : NULL;
    while (before < count && !same_death(&records[before], details))
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

/* The keys of the headers that describe a message's first or last death. */
struct epitaph {
    const char *reason, *queue, *exchange;
};
static const struct epitaph first_death = {"x-first-death-reason", "x-first-death-queue",
                                           "x-first-death-exchange"};
static const struct epitaph last_death = {"x-last-death-reason", "x-last-death-queue",
                                          "x-last-death-exchange"};

static void add_epitaph(struct entries *entries, const struct epitaph *epitaph,
                        const struct message *message, const struct dead_letter_details *details)
{
    const struct field reason = string_field(bytes_of_text(details->reason));
    const struct field queue = string_field(details->queue);
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

/* Whether a client wrote the message's x-death and the vhost does not trust it
 * (dead_letter_disown). */
static bool disowned(const struct message *message)
{
    struct field field;
    return message->blind && table_find(properties_headers(message_properties(message)),
                                        DEATHS_DISOWNED_HEADER, &field);
}

static void write_headers(struct text *out, const struct message *message,
                          const struct properties *properties,
                          const struct dead_letter_details *details)
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
            (details->routing_key.at &&
             (bytes_equal_text(key, "CC") || bytes_equal_text(key, "BCC")));
        if (!replaced)
            add(&entries, key, &value);
    }
    if (!known)
        add_epitaph(&entries, &first_death, message, details);
    add_epitaph(&entries, &last_death, message, details);
    write_keys(&keys, message, headers);
    collect_death(&death, message, properties, details, &keys);
    const struct bytes *old = known && recorded.type == FIELD_ARRAY ? &recorded.value.bytes : NULL;
    write_deaths(&deaths, old, &death, details);
    value = (struct field){.type = FIELD_ARRAY, .value.bytes = text_bytes(&deaths)};
    add(&entries, bytes_of_text("x-death"), &value);
    sort_and_write(&entries, out);
    text_free(&keys);
    text_free(&deaths);
    free(entries.at);
    free(death.at);
}

struct message *dead_letter_message(const struct message *message,
                                    const struct dead_letter_details *details)
{
    struct properties properties;
    struct text headers = {0}, encoded = {0};
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        properties = (struct properties){0};
    write_headers(&headers, message, &properties, details);
    properties.headers = text_bytes(&headers);
    properties.present |= PROPERTY_HEADERS;
    properties.present &= (uint16_t)~PROPERTY_EXPIRATION;
    properties_encode(&properties, &encoded);
    struct message *letter = message_readdressed(
        message, details->exchange,
        details->routing_key.at ? details->routing_key : message_routing_key(message),
        text_bytes(&encoded));
    text_free(&headers);
    text_free(&encoded);
    if (letter) {
        letter->ttl_ms = MESSAGE_NO_TTL;
        letter->has_headers = true;
        letter->blind = false;
        if (message->blind && !details->routing_key.at)
            copies_note_blind(letter); /* for its header BCC; the broker's own are gone */
    }
    return letter;
}

enum status dead_letter_disown(struct message **message)
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

bool dead_letter_cycles(const struct message *letter, struct bytes queue)
{
    struct field deaths, element;
    if (!table_find(properties_headers(message_properties(letter)), "x-death", &deaths) ||
        deaths.type != FIELD_ARRAY)
        return false;
    bool automatic = true;
    struct reader at = reader_of(deaths.value.bytes);
    while (array_next(&at, &element)) {
        /* An element that is not a table was written by a client: no automatic cycle. */
        automatic &= element.type == FIELD_TABLE &&
                     !field_is(element.value.bytes, "reason", BYTES_LITERAL("rejected"));
        if (element.type == FIELD_TABLE && field_is(element.value.bytes, "queue", queue))
            return automatic;
    }
    return false;
}
