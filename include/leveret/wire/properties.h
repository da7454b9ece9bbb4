/* The content header of class basic (AMQP 0-9-1, 4.2.6.1 and 1.8). Thread: any. */
#ifndef LEVERET_WIRE_PROPERTIES_H
#define LEVERET_WIRE_PROPERTIES_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* Bits of the property flags, in the order of the list. */
enum property {
    PROPERTY_CONTENT_TYPE = 1 << 15,
    PROPERTY_CONTENT_ENCODING = 1 << 14,
    PROPERTY_HEADERS = 1 << 13,
    PROPERTY_DELIVERY_MODE = 1 << 12,
    PROPERTY_PRIORITY = 1 << 11,
    PROPERTY_CORRELATION_ID = 1 << 10,
    PROPERTY_REPLY_TO = 1 << 9,
    PROPERTY_EXPIRATION = 1 << 8,
    PROPERTY_MESSAGE_ID = 1 << 7,
    PROPERTY_TIMESTAMP = 1 << 6,
    PROPERTY_TYPE = 1 << 5,
    PROPERTY_USER_ID = 1 << 4,
    PROPERTY_APP_ID = 1 << 3,
    PROPERTY_CLUSTER_ID = 1 << 2,
};

/* Decoded properties: views into the encoded ones. A field whose bit is not in `present`
 * is zero. */
struct properties {
    uint16_t present;
    struct bytes content_type, content_encoding;
    struct bytes headers; /* a table's contents */
    uint8_t delivery_mode, priority;
    struct bytes correlation_id, reply_to, expiration, message_id;
    uint64_t timestamp; /* seconds */
    struct bytes type, user_id, app_id, cluster_id;
};

/* The payload of a content header frame. */
struct content_header {
    uint16_t class_id;
    uint64_t body_bytes;
    struct bytes properties; /* flags and list, undecoded */
};

/* Decodes a content header, but not its properties. Errors: MALFORMED. */
MUST_USE enum status properties_header_decode(struct bytes payload, struct content_header *out);

/* Decodes and checks flags and list, the headers table included; nothing may follow the list.
 * Errors: MALFORMED, LIMIT (depth). */
MUST_USE enum status properties_decode(struct bytes encoded, struct properties *out);

/* The contents of the headers table, found without decoding the rest; empty when there is none. The
 * list must have been checked by properties_decode. Valid as long as encoded. */
struct bytes properties_headers(struct bytes encoded);

/* Appends flags and list. Short strings must have at most NAME_BYTES_MAX bytes; a CHECK aborts on a
 * longer one, so a caller must check strings that do not come from properties_decode. */
void properties_encode(const struct properties *properties, struct text *out);

#endif
