/* A consumer: counts deliveries and measures how long they took. It acknowledges after a number of
 * deliveries and commits after a number of acks, without waiting for commit-ok. */
#include "lane.h"
#include "leveret/wire/frame.h"
#include "topology.h"

#define STAMP_AGE_MAX_NS                                                                           \
    (3600ull *                                                                                     \
     1000000000ull) /* a stamp that is older was not made on this machine, and is not counted */

void consumer_init(struct lane *lane)
{
    uint64_t limit = lane->run->options->cmessages;
    lane->limit = limit ? limit : UINT64_MAX;
}

void consumer_begin(struct lane *lane, struct client *client)
{
    const struct options *options = lane->run->options;
    struct method method = {.id = METHOD_BASIC_QOS};
    if (options->prefetch) {
        method.u.basic_qos = (struct basic_qos){.prefetch_count = (uint16_t)options->prefetch};
        client_queue(client, lane->channel, &method);
    }
    char queue[TOPOLOGY_NAME_MAX];
    topology_queue(options, lane->index % options->queues, queue);
    method = (struct method){.id = METHOD_BASIC_CONSUME};
    method.u.basic_consume = (struct basic_consume){
        .queue = bytes_of_text(queue),
        .no_ack = options->auto_ack,
    };
    client_queue(client, lane->channel, &method);
}

void consumer_accepted(struct lane *lane)
{
    lane->state = LANE_LOADING;
    atomic_fetch_add(&lane->run->consuming, 1);
}

static void queue_ack(struct lane *lane, struct client *client)
{
    enum { PAYLOAD = 13, LEN = PAYLOAD + FRAME_OVERHEAD_BYTES };
    uint8_t *at = text_reserve(&client->out, LEN);
    frame_put_header(at, FRAME_METHOD, lane->channel, PAYLOAD);
    struct writer w = writer_of(at + FRAME_HEADER_BYTES, PAYLOAD + FRAME_END_BYTES);
    write_u32(&w, METHOD_BASIC_ACK);
    write_u64(&w, lane->tag);
    write_u8(&w, lane->unacked > 1);
    write_u8(&w, FRAME_END);
    client->out.len += LEN;
    lane->unacked = 0;
}

static void count_ack(struct lane *lane, struct client *client, bool last)
{
    const struct method commit = {.id = METHOD_TX_COMMIT};
    unsigned tx = lane->run->options->tx;
    if (!tx || (++lane->uncommitted < tx && !last))
        return;
    lane->uncommitted = 0;
    client_queue(client, lane->channel, &commit);
}

void consumer_received(struct lane *lane, struct client *client, uint64_t now_ns)
{
    const struct options *options = lane->run->options;
    if (lane->stamp_ns && lane->stamp_ns <= now_ns && now_ns - lane->stamp_ns < STAMP_AGE_MAX_NS)
        histogram_record(&lane->figures->latency, now_ns - lane->stamp_ns, 1);
    lane->received++;
    bool last = lane->received == lane->limit;
    if (!options->auto_ack && (++lane->unacked >= options->ack_every || last)) {
        queue_ack(lane, client);
        count_ack(lane, client, last);
    }
    if (last) {
        lane->state = LANE_DONE;
        atomic_fetch_add(&lane->run->consumed, 1);
    }
}
