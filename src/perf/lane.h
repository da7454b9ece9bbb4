/* A channel under load: a publisher or a consumer. It decides which messages may be sent and counts
 * those that arrive; its connection (peer.h) carries the bytes. Thread: the one load thread that
 * owns the connection. */
#ifndef LEVERET_PERF_LANE_H
#define LEVERET_PERF_LANE_H

#include "run.h"

enum lane_kind { LANE_PUBLISHER, LANE_CONSUMER };

enum lane_state {
    LANE_WAITING, /* publisher: until run->go; consumer: until consume-ok */
    LANE_LOADING,
    LANE_SYNCING, /* publisher: all is sent, but the broker has not said that it has taken it */
    LANE_DONE
};

/* The bytes that are written to the socket at once. */
#define LANE_CHUNK (128ul * 1024)

struct lane {
    enum lane_kind kind;
    enum lane_state state;
    uint16_t channel;
    unsigned index; /* number among the lanes of its kind */
    struct run *run;
    struct figures *figures;

    /* The message that is being received on this channel, a delivery or a returned one. */
    uint64_t body_left;
    uint64_t stamp_ns; /* 0: none */
    bool returned;     /* true for a returned message */

    /* Publisher: messages prepared as bytes, stride bytes each. */
    uint8_t *block;
    size_t stride, stamp_at; /* stamp_at: offset of the time stamp in a message; 0: none */
    uint32_t block_count, block_next;
    uint64_t queued, sent,
        limit; /* messages: given to the socket, taken by the kernel, and the most to send */
    uint64_t start_ns;
    /* Confirms: a ring of the times of publishing, for tags from low to next - 1; 0
     * once confirmed. */
    uint64_t *ring;
    uint64_t ring_mask, low, next, unconfirmed;
    unsigned window; /* most messages unconfirmed or uncommitted; 0: no limit, and no ring */
    bool committing; /* true while commit-ok is still to come */

    /* Consumer. */
    uint64_t received, tag;
    unsigned unacked;
    unsigned uncommitted; /* acks that are not committed */
};

/* Sets up a zeroed lane. */
void publisher_init(struct lane *lane, uint32_t frame_max);
void consumer_init(struct lane *lane);
void lane_clear(struct lane *lane);

/* Publisher: the number of messages that may be sent now. When the rate allows none yet, *wake_ns
 * is lowered to the time when it does. */
uint64_t publisher_allowance(struct lane *lane, uint64_t now_ns, uint64_t *wake_ns);
/* The bytes of up to count messages (at most LANE_CHUNK), valid until the next call. */
struct bytes publisher_take(struct lane *lane, uint64_t count, uint64_t now_ns);
/* Notes what the kernel has taken. left: bytes of the last publisher_take that it has not. */
void publisher_sent(struct lane *lane, size_t left);
/* Called when nothing may be sent now: commits a full transaction, and, when all messages are sent,
 * queues a call whose answer shows that the broker has taken them. */
void publisher_idle(struct lane *lane, struct client *client, uint64_t now_ns);
void publisher_confirmed(struct lane *lane, uint64_t tag, bool multiple, bool nack,
                         uint64_t now_ns);
void publisher_committed(struct lane *lane, uint64_t now_ns);
void publisher_synced(struct lane *lane, uint64_t now_ns);

/* Consumer: queues basic.qos and basic.consume. */
void consumer_begin(struct lane *lane, struct client *client);
void consumer_accepted(struct lane *lane);
/* Counts a message that was received completely; queues an ack and a commit when they are due. */
void consumer_received(struct lane *lane, struct client *client, uint64_t now_ns);

#endif
