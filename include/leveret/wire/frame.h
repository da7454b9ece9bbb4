/* Frames (AMQP 0-9-1, 4.2.3): a header of 7 bytes, the payload, the end octet 0xCE. Thread: any.
 *
 * The parser takes the bytes that have arrived so far. It returns method, header and heartbeat
 * frames whole. It returns a body frame in the pieces in which it arrives, so that a large body is
 * never collected in one place. */
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
/* The bytes by which a client's frame may exceed frame_max; a longer frame is an error. Many
 * clients split bodies into payloads of frame_max bytes and forget the overhead, and RabbitMQ
 * accepts these frames too. */
#define FRAME_EXCESS_BYTES FRAME_OVERHEAD_BYTES

/* The 8 bytes that a client opens a connection with (4.2.2), and that the broker answers a wrong
 * opening with. */
#define PROTOCOL_HEADER_BYTES 8u
extern const uint8_t protocol_header[PROTOCOL_HEADER_BYTES]; /* "AMQP" 0 0 9 1 */
/* Whether the 8 bytes at header are an opening that Leveret accepts: AMQP 0 0 9 1 or AMQP 1 1
 * 0 9. */
bool protocol_header_accepted(const uint8_t *header);

/* The state of one connection's parser between calls. At first all is zero but frame_max. */
struct frame_parser {
    /* The largest frame, overhead included, as negotiated, in bytes. A frame that is longer by at
     * most FRAME_EXCESS_BYTES is still taken. 0: no limit. */
    uint32_t frame_max;
    uint32_t body_left; /* payload bytes that are still to come of the current body frame */
    bool in_body;       /* true while a part of a body frame, or its end octet, is still to come */
    uint16_t body_channel;
};

enum frame_fault {
    FRAME_TOO_LARGE, /* number: bytes of its payload */
    FRAME_END_WRONG, /* number: the octet in the place of FRAME_END */
    FRAME_UNKNOWN,   /* a type that AMQP does not have, or a heartbeat with a payload */
};

struct frame {
    enum frame_type type;
    uint16_t channel;
    struct bytes payload; /* of FRAME_BODY it may be a part; valid as long as the input */
    bool
        last_piece; /* true when the frame ends with this piece; can be false only for FRAME_BODY */
    /* Set only for a frame that is refused (FRAME_ERROR); type may then be any octet. */
    enum frame_fault fault;
    uint32_t number;
};

/* Takes the next frame, or the next piece of a body frame, from *input, which then begins behind
 * it. STATUS_OK: *out is set. STATUS_AGAIN: more input is needed; the rest of *input (at most
 * frame_max and FRAME_EXCESS_BYTES) must be offered again together with the bytes that follow. A
 * body frame's piece may be empty only when it is the last one. Errors: FRAME_ERROR: *out says what
 * is wrong with it. */
MUST_USE enum status frame_next(struct frame_parser *parser, struct bytes *input,
                                struct frame *out);

/* Writes a description of a bad frame as RabbitMQ does, zero-ended: of a frame that frame_next
 * refused, "type 2, all octets = <<>>: {frame_too_large,5000,4088}"; of a frame that was not
 * expected, "type 8, all octets = <<>>". */
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
