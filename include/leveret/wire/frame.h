/* Frames (AMQP 0-9-1, 4.2.3): a header of 7 bytes, the payload, the end octet 0xCE. Thread: any.
 *
 * Parsing takes what has arrived so far. Method, header and heartbeat frames are handed out whole;
 * a body frame is handed out in the pieces in which it arrives, so that a large body is never
 * gathered in one place. */
#ifndef LEVERET_WIRE_FRAME_H
#define LEVERET_WIRE_FRAME_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/wire/cursor.h"

enum frame_type { FRAME_METHOD = 1, FRAME_HEADER = 2, FRAME_BODY = 3, FRAME_HEARTBEAT = 8 };

#define FRAME_HEADER_BYTES   7u
#define FRAME_END_BYTES      1u
#define FRAME_OVERHEAD_BYTES (FRAME_HEADER_BYTES + FRAME_END_BYTES)
#define FRAME_END            0xCEu
#define FRAME_MAX_MIN        4096u /* the least frame_max a peer may ask for */
/* How much longer than frame_max a frame from a client may be: many clients split bodies into
 * payloads of frame_max bytes and forget the overhead. RabbitMQ takes these, too. */
#define FRAME_EXCESS_BYTES FRAME_OVERHEAD_BYTES

/* The 8 bytes that open a connection (4.2.2), and those that answer a wrong opening. */
#define PROTOCOL_HEADER_BYTES 8u
extern const uint8_t protocol_header[PROTOCOL_HEADER_BYTES]; /* "AMQP" 0 0 9 1 */
/* Whether the 8 bytes at header are an opening that we speak: AMQP 0 0 9 1 or AMQP 1 1 0 9. */
bool protocol_header_accepted(const uint8_t *header);

/* What one connection's parser has to remember between calls. All zeros but frame_max to begin. */
struct frame_parser {
    /* The largest frame, overhead included, as negotiated; a longer one by at most
     * FRAME_EXCESS_BYTES is taken all the same. 0: no limit. */
    uint32_t frame_max;
    uint32_t body_left; /* payload bytes still to come of the body frame under way */
    bool in_body;       /* a body frame's payload or its end octet is still due */
    uint16_t body_channel;
};

enum frame_fault {
    FRAME_TOO_LARGE, /* number: its payload's bytes */
    FRAME_END_WRONG, /* number: the octet that stands where FRAME_END should */
    FRAME_UNKNOWN,   /* a type that is none of AMQP's, or a heartbeat with a payload */
};

struct frame {
    enum frame_type type;
    uint16_t channel;
    struct bytes payload; /* for FRAME_BODY possibly a part of it; valid as long as the input */
    bool last_piece;      /* the frame ends with this piece; always true but for FRAME_BODY */
    /* Of a frame that is refused (FRAME_ERROR) only; type may then be any octet. */
    enum frame_fault fault;
    uint32_t number;
};

/* Takes the next frame, or piece of a body frame, from *input and moves it forwards.
 * STATUS_OK: *out is set. STATUS_AGAIN: more input is needed; what is left in *input (at most
 * frame_max and FRAME_EXCESS_BYTES) must be offered again together with what follows. A body
 * frame's piece may be empty only when it is the last one.
 * Errors: FRAME_ERROR: *out says what is wrong with it. */
MUST_USE enum status frame_next(struct frame_parser *parser, struct bytes *input,
                                struct frame *out);

/* The reason in RabbitMQ's words, zero-ended: of a frame that frame_next refused, "type 2, all
 * octets = <<>>: {frame_too_large,5000,4088}"; of one that came where it should not, "type 8, all
 * octets = <<>>". */
#define FRAME_TEXT_ROOM 160u
void frame_fault_print(const struct frame_parser *parser, const struct frame *bad,
                       char out[FRAME_TEXT_ROOM]);
void frame_octets_print(const struct frame *frame, char out[FRAME_TEXT_ROOM]);

/* Writes the 7 bytes of a frame header. */
static inline void frame_put_header(uint8_t *at, enum frame_type type, uint16_t channel,
                                    uint32_t payload_bytes)
{
    uint16_t c = __builtin_bswap16(channel);
    uint32_t n = __builtin_bswap32(payload_bytes);
    at[0] = (uint8_t)type;
    memcpy(at + 1, &c, sizeof c);
    memcpy(at + 3, &n, sizeof n);
}

#endif
