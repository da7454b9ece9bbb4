/* Messages as JSON. */
#include "admin/resource/message_json.h"

#include "admin/json/properties_json.h"
#include "leveret/base/base64.h"
#include "leveret/base/utf8.h"

static void write_payload(struct answer *a, const struct message *message,
                          const struct message_shape *shape)
{
    struct text payload = {0}, encoded = {0};
    if (shape->no_payload) {
        answer_null(a, "payload");
        return;
    }
    for (uint32_t i = 0; i < message_body_pieces(message) && payload.len < shape->truncate; i++) {
        struct bytes piece = message_body_piece(message, i);
        if (piece.len > shape->truncate - payload.len)
            piece.len = (size_t)(shape->truncate - payload.len);
        text_add_bytes(&payload, piece);
    }
    bool base64 = shape->base64 || !utf8_valid(text_bytes(&payload));
    if (base64)
        base64_encode(&encoded, text_bytes(&payload));
    answer_bytes(a, "payload", text_bytes(base64 ? &encoded : &payload));
    answer_text(a, "payload_encoding", base64 ? "base64" : "string");
    text_free(&payload);
    text_free(&encoded);
}

void message_json_write(struct answer *answer, const struct message *message,
                        const struct message_shape *shape)
{
    struct properties p;
    if (properties_decode(message_properties(message), &p) != STATUS_OK)
        p = (struct properties){0};
    answer_uint(answer, "payload_bytes", message->body_bytes);
    answer_bytes(answer, "exchange", message_exchange(message));
    answer_bytes(answer, "routing_key", message_routing_key(message));
    answer_properties(answer, "properties", &p);
    write_payload(answer, message, shape);
}
