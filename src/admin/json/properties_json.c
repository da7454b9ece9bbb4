/* Part of answer and form: message properties. A table says where each property that is a text or a
 * number stands; headers, which are a table, are read and written apart. */
#include "admin/json/properties_json.h"

#include <stddef.h>

#include "admin/json/arguments.h"

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

void answer_properties(struct answer *answer, const char *key, const struct properties *properties)
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

static void read_field(struct form *form, size_t i, char *at)
{
    switch (fields[i].shape) {
    case SHAPE_TEXT:
        *(struct bytes *)(void *)at = form_name(form, fields[i].name, bytes_of("", 0));
        break;
    case SHAPE_OCTET:
        *(uint8_t *)at = (uint8_t)form_int(form, fields[i].name, 0, 0, UINT8_MAX);
        break;
    case SHAPE_TIMESTAMP:
        *(uint64_t *)(void *)at = (uint64_t)form_int(form, fields[i].name, 0, 0, INT64_MAX);
        break;
    }
}

void form_properties(struct form *form, const char *key, struct properties *out,
                     struct text *headers)
{
    struct form given = form_of(form_map(form, key));
    *out = (struct properties){0};
    *headers = (struct text){0};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!form_has(&given, fields[i].name))
            continue;
        read_field(&given, i, (char *)out + fields[i].offset);
        out->present |= fields[i].bit;
    }
    if (form_has(&given, "headers")) {
        form_table(&given, "headers", headers);
        out->headers = text_bytes(headers);
        out->present |= PROPERTY_HEADERS;
    }
    if (!form_ok(&given))
        form_refuse(form, key, "%s", given.wrong);
}
