/* Frames: what comes out does not depend on how the bytes came in. The first byte of the input
 * chooses frame_max and the size of the parts; the rest is parsed once whole, once in parts. */
#include "leveret/base/check.h"
#include "leveret/base/text.h"
#include "leveret/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that a run gave out, bodies joined: type, channel and payload of each frame. */
struct outcome {
    struct text seen;
    enum status end;
};

static void note(struct outcome *outcome, const struct frame *frame, bool *in_body)
{
    CHECK(frame->type == FRAME_BODY || frame->last_piece);
    CHECK(frame->last_piece || frame->payload.len > 0);
    if (!*in_body) {
        uint8_t head[3] = {(uint8_t)frame->type, (uint8_t)(frame->channel >> 8),
                           (uint8_t)frame->channel};
        text_add(&outcome->seen, head, sizeof head);
    }
    text_add_bytes(&outcome->seen, frame->payload);
    *in_body = !frame->last_piece;
}

static struct outcome parse(struct bytes data, uint32_t frame_max, size_t part)
{
    struct frame_parser parser = {.frame_max = frame_max};
    struct outcome outcome = {.end = STATUS_AGAIN};
    struct bytes input = {data.at, 0};
    struct frame frame;
    bool in_body = false;

    while (outcome.end == STATUS_AGAIN) {
        size_t left = data.len - (size_t)(input.at - data.at) - input.len;
        if (left == 0)
            break;
        input.len += left < part ? left : part;
        while ((outcome.end = frame_next(&parser, &input, &frame)) == STATUS_OK)
            note(&outcome, &frame, &in_body);
        CHECK(frame_max == 0 || outcome.end != STATUS_AGAIN ||
              input.len <= (uint64_t)frame_max + FRAME_EXCESS_BYTES);
    }
    if (outcome.end == STATUS_FRAME_ERROR) {
        char text[FRAME_TEXT_ROOM];
        frame_fault_print(&parser, &frame, text);
        CHECK(strlen(text) < FRAME_TEXT_ROOM - 1);
    }
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t limits[] = {0, 64, FRAME_MAX_MIN, UINT32_MAX};

    if (size < 1)
        return 0;
    uint32_t frame_max = limits[data[0] & 3];
    size_t part = 1 + (data[0] >> 2);
    struct bytes rest = bytes_of(data + 1, size - 1);
    struct outcome whole = parse(rest, frame_max, SIZE_MAX);
    struct outcome parts = parse(rest, frame_max, part);
    CHECK(whole.end == parts.end);
    /* On an error a body's bytes may have gone out before it was seen in the parts. */
    if (whole.end != STATUS_FRAME_ERROR)
        CHECK(bytes_equal(text_bytes(&whole.seen), text_bytes(&parts.seen)));
    text_free(&whole.seen);
    text_free(&parts.seen);
    if (rest.len >= PROTOCOL_HEADER_BYTES)
        (void)protocol_header_accepted(rest.at);
    return 0;
}
