/* Part of queue (queue.h): how a message comes into a queue.
 *
 * Normal course: it goes straight to a consumer when no other message is ready, and else behind the
 * others. What can go wrong: it is a duplicate (dedup/dedup.h), or the queue is at its length limit
 * and refuses it. */
#include "broker/queue/queue.h"

#include "broker/queue/dead_letter.h"
#include "broker/queue/queues.h"

/* Delivers a message straight to a consumer. Unless the consumer has no_ack, the message is stored
 * as unsettled, since it may come back. */
static void publish_to(struct queue *queue, struct consumer *consumer, struct message *message,
                       uint64_t expires_ms, uint64_t *needed)
{
    if (consumer->no_ack) {
        consumer_deliver(consumer, message, NULL, 0, false);
        return;
    }
    struct lane *lane = queue_lane_for(queue, message);
    struct place place = lane_store(lane, message, expires_ms, STORED_UNSETTLED, needed);
    queue->expiring |= expires_ms != 0;
    consumer_deliver(consumer, message, lane, place_seq(place), false);
}

/* Stores a message behind those of its priority, which may make it the new head of the queue. */
static void store(struct queue *queue, struct message *message, uint64_t expires_ms,
                  uint64_t *needed)
{
    bool head = queue->stock.ready == 0;
    struct lane *lane = queue_lane_for(queue, message);
    bool above = queue_lane_overtakes(lane);
    lane_store(lane, message, expires_ms, STORED_READY, needed);
    queue_lane_ready(lane);
    if (above) { /* consumers may be waiting for the former head to be read from disk */
        head = true;
        queue_schedule(queue);
    }
    if (expires_ms)
        queue_expiry_stored(lane, expires_ms, head);
    if (__builtin_expect(queue_limited(queue), 0))
        length_enforce(queue);
}

/* Refuses a message at the length limit, and dead-letters it if the queue does that. For this it
 * has to be in the queue; since it is stored and settled in one batch, the journal does not write
 * it. */
static void refuse_message(struct queue *queue, struct message *message)
{
    uint64_t needed = 0;
    if (!length_passes_on(queue))
        return;
    struct lane *lane = queue_lane_for(queue, message);
    struct place place = lane_store(lane, message, 0, STORED_UNSETTLED, &needed);
    dead_letter(lane, place, DEATH_MAXLEN);
}

/* Takes a message that is no duplicate. Returns false when the queue refuses it. */
static bool take_in(struct queue *queue, struct message *message, uint64_t *needed)
{
    uint64_t expires_ms = 0;
    bool at_once = false;
    if (queue->settings.message_ttl_ms != SETTING_NONE || message->ttl_ms != MESSAGE_NO_TTL)
        expires_ms = queue_expiry_of(queue, message, &at_once);
    queue->rates.publish++;
    if (__builtin_expect(queue_limited(queue), 0) && length_refuses(queue, message->body_bytes)) {
        queue->times.idle_since_wall_ms = queue->set->store->call.now.wall_ms;
        refuse_message(queue, message);
        return false;
    }
    struct consumer *consumer = queue->stock.ready == 0 ? consumer_next(queue) : NULL;
    queue->times.idle_since_wall_ms = queue->set->store->call.now.wall_ms;
    if (consumer) {
        publish_to(queue, consumer, message, expires_ms, needed);
        return true;
    }
    if (!at_once || dead_letter_wanted(queue))
        store(queue, message, expires_ms, needed);
    else
        dead_letter_count(queue, DEATH_EXPIRED, 1);
    if (at_once && queue->expiring)
        queue_expire(queue, EXPIRE_AT_ONCE);
    return true;
}

bool queue_publish(struct queue *queue, struct message *message, uint64_t *needed)
{
    if (__builtin_expect(queue->dedup != NULL, 0) && dedup_knows(queue->dedup, message, needed))
        return true; /* a duplicate: the first one was taken */
    bool taken = take_in(queue, message, needed);
    if (__builtin_expect(queue->dedup != NULL, 0) && taken)
        dedup_remember(queue->dedup, message);
    return taken;
}
