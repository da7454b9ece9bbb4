/* Checks of the arguments that say how messages are deduplicated. Their texts are those of
 * RabbitMQ's plugin. See dedup_arguments.h. */
#include "broker/topology/dedup_arguments.h"

#include "leveret/base/number.h"

bool dedup_number(const struct field *field, uint64_t *out)
{
    int64_t integer;
    char text[24];
    if (field_integer(field, &integer)) {
        *out = integer > 0 ? (uint64_t)integer : 0;
        return integer > 0;
    }
    if (field->type != FIELD_STRING || field->value.bytes.len >= sizeof text)
        return false;
    memcpy(text, field->value.bytes.at, field->value.bytes.len);
    text[field->value.bytes.len] = 0;
    return number_read(text, INT64_MAX, out) && *out > 0;
}

bool dedup_asked(struct bytes arguments)
{
    struct field field;
    return table_find(arguments, "x-message-deduplication", &field) && field.type == FIELD_BOOL &&
           field.value.integer;
}

enum status dedup_check_exchange(struct bytes arguments, bool required, struct refusal *refusal)
{
    struct field field;
    uint64_t number;
    if (table_find(arguments, "x-message-deduplication", &field) && field.type != FIELD_BOOL)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, 'x-message-deduplication' must be a boolean");
    if (!required && !dedup_asked(arguments))
        return STATUS_OK;
    bool present = table_find(arguments, "x-cache-size", &field);
    if (present ? !dedup_number(&field, &number) : required)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Missing or invalid argument, 'x-cache-size' must be an integer greater than "
                      "0");
    if (table_find(arguments, "x-cache-ttl", &field) && !dedup_number(&field, &number))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, 'x-cache-ttl' must be an integer greater than 0");
    if (table_find(arguments, "x-cache-persistence", &field) &&
        (field.type != FIELD_STRING || (!bytes_equal_text(field.value.bytes, "disk") &&
                                        !bytes_equal_text(field.value.bytes, "memory"))))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, 'x-cache-persistence' must be either 'disk' or 'memory'");
    if (table_find(arguments, "x-deduplication-header", &field) && field.type != FIELD_STRING)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Invalid argument, 'x-deduplication-header' must be a string");
    return STATUS_OK;
}
