/* A channel under load: a publisher or a consumer. It decides what may be sent and counts what
 * comes; the bytes go through its connection (peer.h). Thread: the one load thread that owns the
 * connection. */
#ifndef LEVERET_PERF_LANE_H
#define LEVERET_PERF_LANE_H

#include "run.h"

enum lane_kind { LANE_PUBLISHER, LANE_CONSUMER };

enum lane_state {
    LANE_WAITING, /* publisher: until run->go; consumer: until consume-ok */
    LANE_LOADING,
    LANE_SYNCING, /* publisher: all is sent, the broker has not said that it has taken it */
    LANE_DONE
};

/* Bytes that are offered to the socket at a time. */
#define LANE_CHUNK (128ul * 1024)

struct lane {
    enum lane_kind kind;
    enum lane_state state;
    uint16_t channel;
    unsigned index; /* among the lanes of its kind */
    struct run *run;
    struct figures *figures;

    /* The message under way on this channel, delivered or returned. */
    uint64_t body_left;
    uint64_t stamp_ns; /* 0: none */
    bool returned;     /* it is not a delivery */

    /* Publisher: whole messages ready to be sent, stride bytes each. */
    uint8_t *block;
    size_t stride, stamp_at; /* of the stamp from a message's beginning; 0: no stamp */
    uint32_t block_count, block_next;
    uint64_t queued, sent,
        limit; /* messages: given to the socket's queue, taken by the kernel, at most */
    uint64_t start_ns;
    /* Confirms: a ring of the times of publishing, 0 once confirmed; tags low to next - 1. */
    uint64_t *ring;
    uint64_t ring_mask, low, next, unconfirmed;
    unsigned window; /* unconfirmed or uncommitted at most; 0: no end, and no ring */
    bool committing; /* commit-ok is due */

    /* Consumer. */
    uint64_t received, tag;
    unsigned unacked;
    unsigned uncommitted; /* acks */
};

/* Sets up a zeroed lane. */
void publisher_init(struct lane *lane, uint32_t frame_max);
void consumer_init(struct lane *lane);
void lane_clear(struct lane *lane);

/* Publisher: how many messages may be sent now. When none and it is only a matter of time,
 * *wake_ns is lowered to that time. */
uint64_t publisher_allowance(struct lane *lane, uint64_t now_ns, uint64_t *wake_ns);
/* Up to count messages (at most a chunk) ready to be sent; valid until the next call. */
struct bytes publisher_take(struct lane *lane, uint64_t count, uint64_t now_ns);
/* bytes more of them are with the kernel. left: bytes of the last take that are not. */
void publisher_sent(struct lane *lane, size_t left);
/* Nothing may be sent now. A transaction that is full is committed; when all that should be is
 * sent, queues the question whether it was taken. */
void publisher_idle(struct lane *lane, struct client *client, uint64_t now_ns);
void publisher_confirmed(struct lane *lane, uint64_t tag, bool multiple, bool nack,
                         uint64_t now_ns);
void publisher_committed(struct lane *lane, uint64_t now_ns);
void publisher_synced(struct lane *lane, uint64_t now_ns);

/* Consumer: queues qos and consume. */
void consumer_begin(struct lane *lane, struct client *client);
void consumer_accepted(struct lane *lane);
/* A message has come whole. Queues an ack when one is due, and a commit. */
void consumer_received(struct lane *lane, struct client *client, uint64_t now_ns);

#endif
