/* How many messages dead-lettering may make of one: see offspring.h. */
#include "broker/publish/offspring.h"

#include "leveret/wire/properties.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

uint32_t offspring_of(const struct message *message)
{
    struct field field;
    int64_t count;
    if (!message->blind ||
        !table_find(properties_headers(message_properties(message)), OFFSPRING_HEADER, &field) ||
        !field_integer(&field, &count))
        return 1;
    return count < 1 ? 1 : count > (int64_t)OFFSPRING_MAX ? OFFSPRING_MAX : (uint32_t)count;
}

struct message *offspring_mark(const struct message *message, uint32_t count)
{
    static const char *const replaced[] = {OFFSPRING_HEADER, NULL};
    struct rewrite rewrite;
    if (!rewrite_begin(&rewrite, message))
        return NULL;
    rewrite_keep(&rewrite, replaced);
    table_put_i64(&rewrite.headers, OFFSPRING_HEADER, count);
    struct message *copy = rewrite_end(&rewrite, message);
    if (copy)
        copy->blind = true;
    return copy;
}

uint32_t offspring_generation(const struct message *letter)
{
    struct field deaths, element, reason;
    uint32_t generation = 0;
    if (!letter->has_headers ||
        !table_find(properties_headers(message_properties(letter)), "x-death", &deaths) ||
        deaths.type != FIELD_ARRAY)
        return 0;
    struct reader at = reader_of(deaths.value.bytes);
    while (array_next(&at, &element) && element.type == FIELD_TABLE &&
           !(table_find(element.value.bytes, "reason", &reason) && reason.type == FIELD_STRING &&
             bytes_equal_text(reason.value.bytes, "rejected")))
        generation++;
    return generation;
}
