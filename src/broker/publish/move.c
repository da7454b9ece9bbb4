/* Moving messages: see move.h. */
#include "broker/publish/move.h"

#include <stdlib.h>

#include "broker/publish/moved_message.h"
#include "broker/publish/publish.h"
#include "broker/store/page_reader.h"
#include "leveret/base/mem.h"
#include "leveret/broker/publication.h"

/* Chunks that are counted for one unit of work. */
#define CHUNKS_PER_UNIT 16u

/* The part of a lane that is to be looked at. */
struct stretch {
    struct lane *lane;
    uint64_t next, end; /* seqs */
};

struct moving {
    struct vhost *vhost;
    struct move_options options; /* its texts belong to the struct; queue is not used */
    struct text names;           /* those texts, one behind the other */
    struct bytes queue_name;
    uint64_t queue_number; /* in queues.roster */
    struct page_reader *reader;
    unsigned count, at; /* stretches[at .. count) are still to be looked at */
    struct stretch stretches[];
};

/* ---- Life. */

static void wake(struct page_reader *reader)
{
    struct moving *moving = reader->context;
    moving->options.wake(moving->options.context);
}

/* Copies the names that the options contain into moving->names, and points them there. */
static void copy_names(struct moving *moving)
{
    struct move_options *options = &moving->options;
    struct bytes *const names[] = {&moving->queue_name, &options->exchange, &options->routing_key,
                                   &options->to_queue, &options->user};
    size_t count = sizeof names / sizeof *names, at = 0;
    for (size_t i = 0; i < count; i++)
        text_add_bytes(&moving->names, *names[i]);
    for (size_t i = 0; i < count; i++) {
        if (names[i]->at)
            names[i]->at = moving->names.at ? moving->names.at + at : (const uint8_t *)"";
        at += names[i]->len;
    }
}

struct moving *move_begin(struct vhost *vhost, const struct move_options *options)
{
    struct lane *lanes[QUEUE_LANES_MAX];
    unsigned count = queue_lanes_in_order(options->queue, lanes);
    struct moving *moving = mem_need(sizeof *moving + count * sizeof *moving->stretches);
    moving->vhost = vhost;
    moving->options = *options;
    moving->queue_name = options->queue->endpoint.name;
    moving->queue_number = options->queue->number;
    copy_names(moving);
    moving->reader = page_reader_open(&vhost->store, wake, moving);
    for (unsigned i = 0; i < count; i++) {
        struct lane *lane = lanes[i];
        struct stretch all = {lane, lane->base * JOURNAL_CHUNK_SLOTS, lane_end(lane)};
        uint64_t only = options->only.seq;
        if (only && lane->number == options->only.lane)
            all = (struct stretch){lane, only, only < all.end ? only + 1 : only};
        if (!only || lane->number == options->only.lane)
            moving->stretches[moving->count++] = all;
    }
    return moving;
}

void move_end(struct moving **moving)
{
    if (!*moving)
        return;
    page_reader_close(&(*moving)->reader);
    text_free(&(*moving)->names);
    free(*moving);
    *moving = NULL;
}

/* ---- Where a message goes. */

/* What came of one message. */
enum tried { TRIED_MOVED, TRIED_REFUSED, TRIED_SKIPPED };

/* What is decided for a message. */
struct decision {
    enum move_skip skip; /* MOVE_SKIPS: it can be moved */
    struct queue *queue; /* the queue that it goes to; NULL: it goes to an exchange */
    struct moved_form form;
    struct origin origin;
};

static enum move_skip decide_queue(const struct moving *moving, struct bytes name,
                                   struct decision *out)
{
    out->queue = queues_find(&moving->vhost->queues, name);
    if (!out->queue)
        return MOVE_NO_QUEUE;
    return out->queue->number == moving->queue_number ? MOVE_SAME_QUEUE : MOVE_SKIPS;
}

static enum move_skip decide_exchange(const struct moving *moving, struct bytes exchange,
                                      struct bytes key, struct decision *out)
{
    out->form.exchange = exchange;
    out->form.routing_key = key;
    const struct exchange *to = topology_exchange(moving->vhost->topology, exchange);
    if (!to)
        return MOVE_NO_EXCHANGE;
    return to->internal ? MOVE_NOT_ALLOWED : MOVE_SKIPS;
}

static enum move_skip decide_origin(const struct moving *moving, struct decision *out)
{
    struct bytes key;
    if (moving->options.target == MOVE_TO_SOURCE)
        return decide_queue(moving, out->origin.queue, out);
    if (!out->origin.exchange.at || !letter_key(&out->origin, &key))
        return MOVE_NO_DEAD_LETTER;
    return decide_exchange(moving, out->origin.exchange, key, out);
}

static void decide(const struct moving *moving, const struct message *message, struct decision *out)
{
    const struct move_options *options = &moving->options;
    bool died = letter_origin(message, &out->origin);
    bool back = options->target == MOVE_TO_SOURCE || options->target == MOVE_TO_ORIGIN;
    out->queue = NULL;
    out->form = (struct moved_form){
        .exchange = message_exchange(message),
        .routing_key = message_routing_key(message),
        .origin = died ? &out->origin : NULL,
        .copies = options->target == MOVE_TO_ORIGIN,
        .restore_expiration = options->restore_expiration,
    };
    if (back && !died)
        out->skip = MOVE_NO_DEAD_LETTER;
    else if (back)
        out->skip = decide_origin(moving, out);
    else if (options->target == MOVE_TO_QUEUE)
        out->skip = decide_queue(moving, options->to_queue, out);
    else
        out->skip = decide_exchange(
            moving, options->exchange,
            options->routing_key.at ? options->routing_key : message_routing_key(message), out);
}

/* ---- May it go there? */

struct asking {
    const struct vhost_options *options;
    struct publish_question question;
    bool allowed; /* true: by all keys that were asked for */
};

static bool ask(void *context, struct bytes key)
{
    struct asking *asking = context;
    asking->question.routing_key = key;
    asking->allowed = asking->options->may_publish(asking->options->context, &asking->question);
    return asking->allowed;
}

/* Whether the user may publish the message, in its new form, where it is to go. */
static bool is_allowed(const struct moving *moving, const struct message *message,
                       const struct decision *decision)
{
    struct asking asking = {.options = &moving->vhost->options,
                            .question = {.user = moving->options.user}};
    if (moving->options.unchecked || !asking.options->may_publish)
        return true;
    if (decision->queue)
        return ask(&asking, decision->queue->endpoint.name);
    const struct exchange *exchange =
        topology_exchange(moving->vhost->topology, message_exchange(message));
    asking.question.exchange = message_exchange(message);
    asking.question.topic = exchange_routes_by_topic(exchange);
    publication_each_key(message, ask, &asking);
    return asking.allowed;
}

/* ---- Publishing. */

/* Whether the queue would refuse the message now. It is not given to it then, since some queues
 * dead-letter what they refuse. */
static bool refuses(const struct queue *queue, const struct message *message)
{
    return queue_limited(queue) && length_refuses(queue, message->body_bytes);
}

struct takers_check {
    const struct moving *moving;
    const struct message *message;
    bool *refused; /* set to true: a queue on the route refuses the message now */
    bool *same;    /* set to true: the queue that it is in is on the route */
};

static bool passes(const struct queue *queue, const void *context)
{
    const struct takers_check *check = context;
    bool same = queue->number == check->moving->queue_number;
    bool refused = !same && refuses(queue, check->message);
    *check->same |= same;
    *check->refused |= refused;
    return !same && !refused;
}

/* Publishes the message to an exchange. */
static enum tried to_exchange(const struct moving *moving, struct message *message,
                              struct decision *decision, uint64_t *needed)
{
    bool refused = false, same = false;
    const struct takers_check check = {moving, message, &refused, &same};
    struct publishing publishing = {.passes = passes, .context = &check, .again = true};
    publish_filtered(moving->vhost, message, &publishing);
    call_spend(&moving->vhost->store.call, publishing.routed * WORK_LETTER);
    if (publishing.needed > *needed)
        *needed = publishing.needed;
    if (publishing.taken)
        return TRIED_MOVED;
    decision->skip = same ? MOVE_SAME_QUEUE : MOVE_NO_ROUTE;
    return refused || publishing.routed ? TRIED_REFUSED : TRIED_SKIPPED;
}

/* Publishes the new form of the message at place, which is held meanwhile, so that nobody else
 * takes it. */
static enum tried publish_held(struct moving *moving, struct place place, struct message *message,
                               struct decision *decision, uint64_t *needed)
{
    struct lane *lane = place.chunk->lane;
    uint64_t seq = place_seq(place);
    enum tried tried = TRIED_MOVED;
    lane_hold(lane, place);
    if (!decision->queue)
        tried = to_exchange(moving, message, decision, needed);
    else if (!queue_publish(decision->queue, message, needed))
        tried = TRIED_REFUSED;
    place = lane_place(lane, seq);
    if (tried != TRIED_MOVED) {
        lane_unhold(lane, place);
        queue_lane_ready(lane);
        return tried;
    }
    struct message *taken = lane_discard(lane, place);
    message_unref(&taken);
    return tried;
}

static enum tried move_one(struct moving *moving, struct place place, struct message *message,
                           struct decision *decision, uint64_t *needed)
{
    decide(moving, message, decision);
    if (decision->skip != MOVE_SKIPS)
        return TRIED_SKIPPED;
    struct message *moved = moved_message(message, &decision->form);
    if (!moved)
        return TRIED_REFUSED; /* no memory: it is tried again */
    enum tried tried = TRIED_MOVED;
    if (!is_allowed(moving, moved, decision)) {
        decision->skip = MOVE_NOT_ALLOWED;
        tried = TRIED_SKIPPED;
    } else if (!moving->options.dry) {
        tried = decision->queue && refuses(decision->queue, moved)
                    ? TRIED_REFUSED
                    : publish_held(moving, place, moved, decision, needed);
    }
    message_unref(&moved);
    return tried;
}

/* ---- The walk. */

/* Goes to the next ready message of the queue. Returns false when there is none. */
static bool find_next(struct moving *moving, struct place *out)
{
    for (; moving->at < moving->count; moving->at++) {
        struct stretch *stretch = &moving->stretches[moving->at];
        struct lane *lane = stretch->lane;
        if (stretch->next < lane->base * JOURNAL_CHUNK_SLOTS)
            stretch->next = lane->base * JOURNAL_CHUNK_SLOTS;
        while (stretch->next < stretch->end) {
            uint64_t number = stretch->next / JOURNAL_CHUNK_SLOTS;
            struct chunk *chunk = lane_chunk(lane, number);
            unsigned slot = JOURNAL_CHUNK_SLOTS;
            if (chunk && chunk->ready)
                slot = bit_next(chunk->ready_bits, (unsigned)(stretch->next % JOURNAL_CHUNK_SLOTS));
            stretch->next = number * JOURNAL_CHUNK_SLOTS + slot;
            if (slot == JOURNAL_CHUNK_SLOTS || stretch->next >= stretch->end)
                continue;
            *out = (struct place){chunk, slot};
            return true;
        }
    }
    return false;
}

/* The queue, unless it was deleted. */
static struct queue *queue_now(const struct moving *moving)
{
    struct queue *queue = queues_find(&moving->vhost->queues, moving->queue_name);
    return queue && queue->number == moving->queue_number ? queue : NULL;
}

static enum move_step step(struct moving *moving, uint32_t *left, struct moved *out,
                           uint64_t *needed)
{
    struct place place;
    struct decision decision;
    uint64_t expires_ms;
    if (!find_next(moving, &place))
        return MOVE_DONE;
    if (!*left || !call_left(&moving->vhost->store.call, WORK_LETTER))
        return MOVE_MORE;
    enum page_turn turn = page_reader_turn(moving->reader, place.chunk);
    if (turn != PAGE_HERE)
        return turn == PAGE_COMES ? MOVE_READS : MOVE_DAMAGED;
    struct message *found = page_reader_message(moving->reader, place, &expires_ms);
    if (!found)
        return MOVE_DAMAGED;
    struct message *message = message_ref(found);
    uint64_t body_bytes = message->body_bytes;
    call_spend(&moving->vhost->store.call, WORK_LETTER);
    enum tried tried = move_one(moving, place, message, &decision, needed);
    message_unref(&message);
    if (tried == TRIED_REFUSED)
        return MOVE_BLOCKED;
    moving->stretches[moving->at].next++;
    --*left;
    if (tried == TRIED_SKIPPED) {
        out->skipped[decision.skip]++;
    } else {
        out->moved++;
        out->bytes += body_bytes;
    }
    return MOVE_MORE;
}

/* Ready messages of a stretch that are still to be looked at. */
static uint64_t left_in(const struct stretch *stretch, uint64_t *chunks)
{
    uint64_t sum = 0, next = stretch->next, base = stretch->lane->base * JOURNAL_CHUNK_SLOTS;
    for (next = next < base ? base : next; next < stretch->end;) {
        uint64_t number = next / JOURNAL_CHUNK_SLOTS;
        uint64_t behind = (number + 1) * JOURNAL_CHUNK_SLOTS;
        const struct chunk *chunk = lane_chunk(stretch->lane, number);
        bool whole = next == number * JOURNAL_CHUNK_SLOTS && behind <= stretch->end;
        ++*chunks;
        if (chunk && whole)
            sum += chunk->ready;
        for (; chunk && !whole && next < behind && next < stretch->end; next++)
            sum += bit_test(chunk->ready_bits, (unsigned)(next % JOURNAL_CHUNK_SLOTS));
        next = behind;
    }
    return sum;
}

static uint64_t count_left(struct moving *moving)
{
    uint64_t sum = 0, chunks = 0;
    for (unsigned i = moving->at; i < moving->count; i++)
        sum += left_in(&moving->stretches[i], &chunks);
    call_spend(&moving->vhost->store.call, chunks / CHUNKS_PER_UNIT);
    return sum;
}

enum move_step move_some(struct moving *moving, uint32_t max, struct moved *out, uint64_t *needed)
{
    struct queue *queue = queue_now(moving);
    enum move_step result = MOVE_MORE;
    uint32_t left = max;
    if (!queue)
        return MOVE_GONE;
    while (result == MOVE_MORE && left && call_left(&moving->vhost->store.call, WORK_LETTER))
        result = step(moving, &left, out, needed);
    if (result == MOVE_MORE && !left)
        result = step(moving, &left, out, needed); /* is there one more? */
    if (queue->expiring)
        queue_expire(queue, 0);
    out->left = count_left(moving);
    out->done = result == MOVE_DONE;
    out->blocked = result == MOVE_BLOCKED;
    return result;
}
