/* An AMQP connection for a load tool: opened and set up by calls that wait, then used without
 * waiting by the loop that puts load on it (peer.h), with the same buffers.
 *
 * Thread: one at a time. */
#ifndef LEVERET_PERF_CLIENT_H
#define LEVERET_PERF_CLIENT_H

#include <stdbool.h>

#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/wire/method.h"
#include "secure.h"
#include "target.h"

#define CLIENT_WHY_MAX    300u
#define CLIENT_TIMEOUT_S  60u   /* longest wait for an answer; then the call fails */
#define CLIENT_ROOM_SMALL 8192u /* bytes of input that a connection without load has room for */
/* Bytes of input that a connection under load has room for. */
#define CLIENT_ROOM_LOAD (256ul * 1024)
#define CLIENT_FRAME_MAX 131072ul

struct client {
    int fd;
    struct secure_stream *secure; /* NULL: the socket is plain */
    uint32_t frame_max;           /* as negotiated, overhead included */
    uint16_t channel_max;
    uint8_t *in; /* input that was not used yet: in_len bytes at in + in_from */
    size_t in_from, in_len, in_room;
    struct text out;          /* methods that are queued and not sent yet */
    char why[CLIENT_WHY_MAX]; /* a text that says what went wrong */
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

/* Queues a method in client->out; client_flush sends all queued methods, waiting for the socket. */
void client_queue(struct client *client, uint16_t channel, const struct method *method);
MUST_USE enum status client_flush(struct client *client);

MUST_USE enum status client_open_channel(struct client *client, uint16_t channel);

/* As recv and send with MSG_DONTWAIT, by TLS where that is spoken. */
ssize_t client_read(struct client *client, void *at, size_t bytes);
ssize_t client_write(struct client *client, const void *at, size_t bytes);

/* Gives the input room for at least in_room bytes. */
void client_grow(struct client *client, size_t in_room);
/* Moves unused input to the beginning of the room. */
void client_compact(struct client *client);

/* Frees the client; when polite, closes the connection first and waits for the answer, dropping all
 * that arrives before it. */
void client_close(struct client **client, bool polite);

#endif
