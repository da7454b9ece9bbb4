/* An AMQP connection as a load tool needs it: opened and set up with calls that wait, then handed
 * over to the loop that loads it without waiting (peer.h), which uses the same buffers.
 *
 * Thread: one at a time. */
#ifndef LEVERET_PERF_CLIENT_H
#define LEVERET_PERF_CLIENT_H

#include <stdbool.h>

#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/wire/method.h"
#include "target.h"

#define CLIENT_WHY_MAX    300u
#define CLIENT_TIMEOUT_S  60u            /* the longest wait for an answer */
#define CLIENT_ROOM_SMALL 8192u          /* input room of a connection that is only set up */
#define CLIENT_ROOM_LOAD  (256ul * 1024) /* … and of one under load */
#define CLIENT_FRAME_MAX  131072ul

struct client {
    int fd;
    uint32_t frame_max; /* as negotiated, overhead included */
    uint16_t channel_max;
    uint8_t *in; /* input that came and was not used yet: in_len bytes at in + in_from */
    size_t in_from, in_len, in_room;
    struct text out;          /* queued methods that were not sent yet */
    char why[CLIENT_WHY_MAX]; /* what went wrong, in words */
};

/* Connects, logs in, opens the vhost. Heartbeats are off. On an error *out is NULL and why says
 * what went wrong. Errors: IO, CLOSED (refused by the broker), MALFORMED. */
MUST_USE enum status client_open(const struct target *target, struct client **out,
                                 char why[CLIENT_WHY_MAX]);

/* Sends what is queued and request, and waits for a method with the id reply_id on that channel.
 * *reply (may be NULL) has views that are valid until the next call. Errors: IO, MALFORMED; CLOSED:
 * the broker closed channel or connection; client->why says why. */
MUST_USE enum status client_call(struct client *client, uint16_t channel,
                                 const struct method *request, enum method_id reply_id,
                                 struct method *reply);

/* Queues a method in client->out; client_flush sends what is queued, waiting. */
void client_queue(struct client *client, uint16_t channel, const struct method *method);
MUST_USE enum status client_flush(struct client *client);

MUST_USE enum status client_open_channel(struct client *client, uint16_t channel);

/* Gives the input at least this much room. */
void client_grow(struct client *client, size_t in_room);
/* Moves unused input to the beginning of the room. */
void client_compact(struct client *client);

/* Says goodbye when polite, waiting for the answer (and dropping what comes before it), and frees.
 */
void client_close(struct client **client, bool polite);

#endif
