/* The description of a bad frame, in the words of RabbitMQ, because operators search logs for them.
 * It shows at most the first OCTETS_SHOWN octets of a payload. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "leveret/wire/frame.h"

/* Octets of a payload that are shown; those behind them are not. */
#define OCTETS_SHOWN 16u

struct fault_text {
    char *at;
    size_t room, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct fault_text *line, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line->at + line->len, line->room - line->len, format, args);
    va_end(args);
    if (len > 0)
        line->len +=
            (size_t)len < line->room - line->len ? (size_t)len : line->room - line->len - 1;
}

/* The octet as it is written in an Erlang string. NULL when it cannot be: the whole binary is then
 * written as a list of numbers. */
static const char *escaped(uint8_t octet, char out[3])
{
    static const char controls[] = "btnvfr"; /* 8 to 13 */

    out[0] = '\\';
    out[1] = (char)octet;
    out[2] = '\0';
    if (octet == '"' || octet == '\\')
        return out;
    if (octet >= ' ' && octet <= '~')
        return out + 1;
    if (octet == 0x1b)
        out[1] = 'e';
    else if (octet >= '\b' && octet <= '\r')
        out[1] = controls[octet - '\b'];
    else
        return NULL;
    return out;
}

static bool is_text(struct bytes octets)
{
    char one[3];

    for (size_t i = 0; i < octets.len; i++)
        if (!escaped(octets.at[i], one))
            return false;
    return octets.len > 0;
}

static void add_binary(struct fault_text *line, struct bytes octets)
{
    char one[3];
    bool text = is_text(octets);

    add(line, text ? "<<\"" : "<<");
    for (size_t i = 0; i < octets.len; i++) {
        if (text)
            add(line, "%s", escaped(octets.at[i], one));
        else
            add(line, "%s%u", i ? "," : "", octets.at[i]);
    }
    add(line, text ? "\">>" : ">>");
}

static void add_octets(struct fault_text *line, unsigned type, struct bytes payload)
{
    bool all = payload.len <= OCTETS_SHOWN;

    add(line, "type %u, %s octets = ", type, all ? "all" : "first 16");
    add_binary(line, bytes_of(payload.at, all ? payload.len : OCTETS_SHOWN));
}

void frame_octets_print(const struct frame *frame, char out[FRAME_TEXT_ROOM])
{
    struct fault_text line = {out, FRAME_TEXT_ROOM, 0};

    add_octets(&line, frame->type, frame->payload);
}

void frame_fault_print(const struct frame_parser *parser, const struct frame *bad,
                       char out[FRAME_TEXT_ROOM])
{
    struct fault_text line = {out, FRAME_TEXT_ROOM, 0};

    if (bad->fault == FRAME_END_WRONG && parser->in_body)
        add(&line, "type %u",
            FRAME_BODY); /* no octets can be shown: its beginning was returned before */
    else
        add_octets(&line, bad->type, bad->payload);
    if (bad->fault == FRAME_TOO_LARGE)
        add(&line, ": {frame_too_large,%" PRIu32 ",%" PRIu32 "}", bad->number,
            parser->frame_max - FRAME_OVERHEAD_BYTES);
    else if (bad->fault == FRAME_END_WRONG)
        add(&line, ": {invalid_frame_end_marker,%" PRIu32 "}", bad->number);
    else
        add(&line, ": unknown_frame");
}
