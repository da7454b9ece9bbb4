/* The bounds of dead-lettering: see offspring.h. */
#include "offspring.h"

#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "route.h"

uint32_t offspring_of(const struct message *message)
{
    struct field field;
    int64_t count;
    if (!message->blind || !table_find(message_headers(message), OFFSPRING_HEADER, &field) ||
        !field_integer(&field, &count))
        return 1;
    return count < 1 ? 1 : count > (int64_t)OFFSPRING_MAX ? OFFSPRING_MAX : (uint32_t)count;
}

struct message *offspring_mark(const struct message *message, uint32_t count)
{
    struct properties properties;
    struct text headers = {0}, encoded = {0};
    struct field field;
    struct bytes key;
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        return NULL;
    struct reader at = reader_of(properties.headers);
    while (table_next(&at, &key, &field))
        if (!bytes_equal_text(key, OFFSPRING_HEADER))
            table_put_field(&headers, key, &field);
    field = (struct field){.type = FIELD_I64, .value.integer = count};
    table_put_field(&headers, bytes_of_text(OFFSPRING_HEADER), &field);
    properties.headers = text_bytes(&headers);
    properties.present |= PROPERTY_HEADERS;
    properties_encode(&properties, &encoded);
    struct message *copy = message_with_properties(message, text_bytes(&encoded));
    text_free(&headers);
    text_free(&encoded);
    if (copy)
        copy->has_headers = copy->blind = true;
    return copy;
}

uint32_t offspring_generation(const struct message *letter)
{
    struct field deaths, element, reason;
    uint32_t generation = 0;
    if (!letter->has_headers || !table_find(message_headers(letter), "x-death", &deaths) ||
        deaths.type != FIELD_ARRAY)
        return 0;
    struct reader at = reader_of(deaths.value.bytes);
    while (array_next(&at, &element) && element.type == FIELD_TABLE &&
           !(table_find(element.value.bytes, "reason", &reason) && reason.type == FIELD_STRING &&
             bytes_equal_text(reason.value.bytes, "rejected")))
        generation++;
    return generation;
}
