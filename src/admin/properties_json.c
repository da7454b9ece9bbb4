/* One table of the properties that are texts or numbers; headers apart. */
#include "properties_json.h"

#include <stddef.h>

#include "arguments.h"

enum shape { SHAPE_TEXT, SHAPE_OCTET, SHAPE_TIMESTAMP };

static const struct {
    const char *name;
    uint16_t bit;
    enum shape shape;
    size_t offset;
} fields[] = {
    {"content_type", PROPERTY_CONTENT_TYPE, SHAPE_TEXT, offsetof(struct properties, content_type)},
    {"content_encoding", PROPERTY_CONTENT_ENCODING, SHAPE_TEXT,
     offsetof(struct properties, content_encoding)},
    {"delivery_mode", PROPERTY_DELIVERY_MODE, SHAPE_OCTET,
     offsetof(struct properties, delivery_mode)},
    {"priority", PROPERTY_PRIORITY, SHAPE_OCTET, offsetof(struct properties, priority)},
    {"correlation_id", PROPERTY_CORRELATION_ID, SHAPE_TEXT,
     offsetof(struct properties, correlation_id)},
    {"reply_to", PROPERTY_REPLY_TO, SHAPE_TEXT, offsetof(struct properties, reply_to)},
    {"expiration", PROPERTY_EXPIRATION, SHAPE_TEXT, offsetof(struct properties, expiration)},
    {"message_id", PROPERTY_MESSAGE_ID, SHAPE_TEXT, offsetof(struct properties, message_id)},
    {"timestamp", PROPERTY_TIMESTAMP, SHAPE_TIMESTAMP, offsetof(struct properties, timestamp)},
    {"type", PROPERTY_TYPE, SHAPE_TEXT, offsetof(struct properties, type)},
    {"user_id", PROPERTY_USER_ID, SHAPE_TEXT, offsetof(struct properties, user_id)},
    {"app_id", PROPERTY_APP_ID, SHAPE_TEXT, offsetof(struct properties, app_id)},
    {"cluster_id", PROPERTY_CLUSTER_ID, SHAPE_TEXT, offsetof(struct properties, cluster_id)},
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

void properties_write(struct answer *answer, const char *key, const struct properties *properties)
{
    if (!properties->present) {
        if (answer_array(answer, key))
            answer_end(answer);
        return;
    }
    if (!answer_object(answer, key))
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *at = (const char *)properties + fields[i].offset;
        if (!(properties->present & fields[i].bit))
            continue;
        if (fields[i].shape == SHAPE_TEXT)
            answer_bytes(answer, fields[i].name, *(const struct bytes *)(const void *)at);
        else if (fields[i].shape == SHAPE_OCTET)
            answer_uint(answer, fields[i].name, *(const uint8_t *)at);
        else
            answer_uint(answer, fields[i].name, *(const uint64_t *)(const void *)at);
    }
    if (properties->present & PROPERTY_HEADERS)
        arguments_write(answer, "headers", properties->headers);
    answer_end(answer);
}

static bool read_field(size_t i, const struct value *value, char *at)
{
    int64_t number = value_int(value);
    if (fields[i].shape == SHAPE_TEXT) {
        struct bytes text = value_bytes(value);
        if (value_kind_of(value) != VALUE_TEXT || text.len > 255)
            return false;
        *(struct bytes *)(void *)at = text;
        return true;
    }
    if (value_kind_of(value) != VALUE_INT || number < 0)
        return false;
    if (fields[i].shape == SHAPE_TIMESTAMP) {
        *(uint64_t *)(void *)at = (uint64_t)number;
        return true;
    }
    *(uint8_t *)at = (uint8_t)number;
    return number <= 255;
}

enum status properties_read(const struct value *object, struct properties *out,
                            struct text *headers, const char **wrong, const char **what)
{
    *out = (struct properties){0};
    *headers = (struct text){0};
    *wrong = "properties";
    *what = "not_object";
    if (value_kind_of(object) == VALUE_LIST && value_count(object) == 0)
        return STATUS_OK; /* as we print none at all */
    if (value_kind_of(object) != VALUE_MAP)
        return STATUS_MALFORMED;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct value *value = value_get(object, fields[i].name);
        if (!value)
            continue;
        if (!read_field(i, value, (char *)out + fields[i].offset)) {
            *wrong = fields[i].name;
            *what = fields[i].shape == SHAPE_TEXT ? "not_string" : "not_int";
            return STATUS_MALFORMED;
        }
        out->present |= fields[i].bit;
    }
    const struct value *table = value_get(object, "headers");
    if (!table)
        return STATUS_OK;
    *wrong = "headers";
    if (arguments_read(table, headers) != STATUS_OK) {
        text_free(headers);
        return STATUS_MALFORMED;
    }
    out->headers = text_bytes(headers);
    out->present |= PROPERTY_HEADERS;
    return STATUS_OK;
}
