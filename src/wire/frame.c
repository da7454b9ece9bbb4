/* Cuts the bytes that arrive into frames.
 *
 * The normal course: the 7 bytes of a frame's header are read; a method, header or heartbeat frame
 * waits until it is complete and is returned; a body frame's payload is returned as it arrives, and
 * the parser remembers how much is still to come.
 *
 * What can go wrong: an unknown type, a frame that is longer than frame_max and FRAME_EXCESS_BYTES,
 * a wrong end octet, a heartbeat with a payload. Each is a FRAME_ERROR, after which the parser
 * cannot go on, since it does not know where the next frame begins. The length is checked before
 * the parser waits for that many bytes. */
#include "leveret/wire/frame.h"

const uint8_t protocol_header[PROTOCOL_HEADER_BYTES] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

bool protocol_header_accepted(const uint8_t *header)
{
    /* Some clients that speak 0-9-1 still send 1 1 0 9. */
    static const uint8_t old[PROTOCOL_HEADER_BYTES] = {'A', 'M', 'Q', 'P', 1, 1, 0, 9};

    return memcmp(header, protocol_header, PROTOCOL_HEADER_BYTES) == 0 ||
           memcmp(header, old, PROTOCOL_HEADER_BYTES) == 0;
}

static inline void advance(struct bytes *input, size_t len)
{
    input->at += len;
    input->len -= len;
}

static bool type_known(uint8_t type)
{
    return type == FRAME_METHOD || type == FRAME_HEADER || type == FRAME_BODY ||
           type == FRAME_HEARTBEAT;
}

static enum status fault(struct frame *out, enum frame_fault fault, uint32_t number)
{
    out->fault = fault;
    out->number = number;
    return STATUS_FRAME_ERROR;
}

/* first: no piece of this frame has been returned yet. */
static inline enum status body_piece(struct frame_parser *parser, bool first, struct bytes *input,
                                     struct frame *out)
{
    bool whole =
        input->len >
        parser->body_left; /* true when all of the payload and the end octet have arrived */
    size_t len = whole ? parser->body_left : input->len;

    if (input->len == 0)
        return STATUS_AGAIN;
    out->type = FRAME_BODY;
    out->channel = parser->body_channel;
    out->payload = bytes_of(input->at, len);
    out->last_piece = whole;
    if (whole && input->at[len] != FRAME_END) {
        parser->in_body = !first;
        return fault(out, FRAME_END_WRONG, input->at[len]);
    }
    parser->body_left -= (uint32_t)len;
    parser->in_body = !whole;
    advance(input, whole ? len + FRAME_END_BYTES : len);
    return STATUS_OK;
}

enum status frame_next(struct frame_parser *parser, struct bytes *input, struct frame *out)
{
    if (parser->in_body)
        return body_piece(parser, false, input, out);
    if (input->len < FRAME_HEADER_BYTES)
        return STATUS_AGAIN;

    struct reader r = reader_of(*input);
    uint8_t type = read_u8(&r);
    uint16_t channel = read_u16(&r);
    uint32_t len = read_u32(&r);

    out->type = (enum frame_type)type;
    out->channel = channel;
    /* With its overhead it is at most frame_max + FRAME_EXCESS_BYTES. */
    _Static_assert(FRAME_EXCESS_BYTES == FRAME_OVERHEAD_BYTES, "payloads of frame_max bytes pass");
    if (parser->frame_max > 0 && len > parser->frame_max) {
        out->payload = bytes_of(NULL, 0);
        return fault(out, FRAME_TOO_LARGE, len);
    }
    if (type == FRAME_BODY) {
        advance(input, FRAME_HEADER_BYTES);
        parser->in_body = true;
        parser->body_left = len;
        parser->body_channel = channel;
        return body_piece(parser, true, input, out);
    }
    if (reader_left(&r) < (uint64_t)len + FRAME_END_BYTES)
        return STATUS_AGAIN;
    out->payload = bytes_of(r.at, len);
    out->last_piece = true;
    if (r.at[len] != FRAME_END)
        return fault(out, FRAME_END_WRONG, r.at[len]);
    if (!type_known(type) || (type == FRAME_HEARTBEAT && len > 0))
        return fault(out, FRAME_UNKNOWN, type);
    advance(input, FRAME_OVERHEAD_BYTES + (size_t)len);
    return STATUS_OK;
}
