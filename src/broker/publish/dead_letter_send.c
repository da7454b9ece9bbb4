/* Sends dead letters, and tries again what no queue took. See dead_letter.h. */
#include "broker/publish/dead_letter_send.h"

#include <stdio.h>

#include "broker/publish/dead_letter_headers.h"
#include "broker/publish/offspring.h"
#include "broker/publish/publish.h"
#include "broker/store/paging.h"
#include "leveret/wire/cursor.h"

/* What one turn sends at most: each message counts one, and one for each queue that it goes to. */
#define SENT_AT_ONCE 400u

/* Chunks that are read at a time. */
#define READINGS_MAX 4u

/* How long held ones wait: from the last try, and when the topology has changed. */
#define RETRY_MS 1000u

#define RETRY_SOON_MS 50u

/* How many queues are tried in one call; when there are more, the calls come closer together. */
#define RETRY_QUEUES_MAX 100u

#define RETRY_MS_MIN 10u

static const char *const reasons[] = {
    [DEATH_REJECTED] = "rejected",
    [DEATH_EXPIRED] = "expired",
    [DEATH_MAXLEN] = "maxlen",
    [DEATH_DELIVERY_LIMIT] = "delivery_limit",
};

static bool goes_on(const struct queue *queue, const void *letter)
{
    return !death_cycles(letter, queue->endpoint.name);
}

/* Letters of the queue were dropped, since there would have been too many. */
static void note_dropped(struct vhost *vhost, struct queue *queue, size_t count)
{
    char text[REFUSAL_TEXT_MAX];
    queue->dying->dropped += count;
    vhost->counters.dead_letters_dropped += count;
    if (queue->dying->told || !vhost->options.warn)
        return;
    queue->dying->told = true;
    snprintf(text, sizeof text,
             "dead letters of queue '%.*s' are dropped: queues that dead-letter into each other "
             "would make more than %u of one message, or have passed it on more than %u times",
             BYTES_PRINT(queue->endpoint.name), OFFSPRING_MAX, GENERATIONS_MAX);
    vhost->options.warn(vhost->options.context, text);
}

/* Publishes; returns whether the message is done with here. */
static bool send(struct vhost *vhost, struct queue *queue, const struct message *message,
                 enum death reason)
{
    const struct queue_settings *settings = &queue->settings;
    struct death_notice notice = {
        .reason = reasons[reason],
        .queue = queue->endpoint.name,
        .at_s = vhost->store.call.now.wall_ms / 1000,
        .exchange = settings->dead_letter_exchange,
        .routing_key = settings->dead_letter_routing_key,
    };
    vhost->queues.dead_letters.sent_in_turn += 1;
    if (!dead_letter_wanted(queue))
        return true;
    if (notice.exchange.len > NAME_BYTES_MAX || notice.routing_key.len > NAME_BYTES_MAX)
        return !dead_letter_is_kept(queue); /* nowhere: names are no longer than that */
    struct message *letter = death_message(message, &notice);
    if (!letter)
        return !dead_letter_is_kept(queue);
    struct publishing publishing = {
        .context = letter, .offspring = 1, .again = dead_letter_is_kept(queue)};
    if (reason != DEATH_REJECTED) {
        publishing.passes = goes_on;
        publishing.offspring = offspring_of(message);
    }
    if (offspring_generation(letter) > GENERATIONS_MAX) {
        message_unref(&letter);
        note_dropped(vhost, queue, 1);
        return true;
    }
    publish_filtered(vhost, letter, &publishing);
    message_unref(&letter);
    if (publishing.dropped)
        note_dropped(vhost, queue, publishing.dropped);
    vhost->queues.dead_letters.sent_in_turn += (unsigned)publishing.routed;
    if (!dead_letter_is_kept(queue))
        return true;
    if (publishing.taken)
        vhost->counters.dead_letters_confirmed[queue_counted_type(queue)]++;
    return publishing.taken;
}

/* No queue has taken the first one: it goes behind the others, and all wait. */
static void hold(struct vhost *vhost, struct deaths *deaths)
{
    struct dead_letters *letters = &vhost->queues.dead_letters;
    deaths_add(deaths, deaths_take(deaths));
    deaths->retried = true;
    deaths_move(deaths, DEATHS_HELD);
    letters->version = topology_version(vhost->topology);
    if (letters->retry_ms == UINT64_MAX)
        letters->retry_ms = vhost->store.call.now.steady_ms + RETRY_MS;
    paging_passed(deaths->chunk->lane, deaths->chunk->number);
}

/* The first one has been sent, or dropped. */
static void finish(struct vhost *vhost, struct deaths *deaths)
{
    struct chunk *chunk = deaths->chunk;
    struct lane *lane = chunk->lane;
    uint64_t number = chunk->number;
    struct place place = {chunk, deaths_take(deaths).slot};
    if (deaths->retried) /* the way is free: the next ones at once */
        vhost->queues.dead_letters.retry_ms = vhost->store.call.now.steady_ms;
    deaths->dying->count--;
    vhost->queues.dead_letters.count--;
    bool last = deaths->next == deaths->count;
    if (last)
        deaths_free(deaths);
    struct message *message = lane_discard(lane, place);
    message_unref(&message);
    if (last)
        paging_passed(lane, number); /* it may have been read for this alone */
}

static void read_some(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->queues.dead_letters;
    struct deaths *deaths;
    while (letters->readings < READINGS_MAX && (deaths = TAILQ_FIRST(&letters->unread))) {
        bool failed = deaths->chunk->lane->failed;
        deaths_move(deaths, failed ? DEATHS_UNLISTED : DEATHS_READING);
        if (!failed)
            paging_read(deaths->chunk);
    }
}

bool dead_letters_send(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->queues.dead_letters;
    struct deaths *deaths;
    unsigned before = letters->sent_in_turn;
    while (letters->sent_in_turn < SENT_AT_ONCE && (deaths = TAILQ_FIRST(&letters->due))) {
        struct chunk *chunk =
            deaths->chunk; /* NOLINT(clang-analyzer-unix.Malloc) as in dispatch.c */
        if (!chunk_in_memory(chunk)) {
            deaths_move(deaths, DEATHS_UNREAD);
            continue;
        }
        struct dead dead = deaths->entries[deaths->next];
        struct message *message = message_ref(chunk_message(chunk, dead.slot));
        /* Its way may lead back into this queue, and make more dead letters of this chunk. */
        bool done = send(vhost, chunk->lane->queue, message, dead.reason);
        message_unref(&message);
        if (done)
            finish(vhost, deaths);
        else
            hold(vhost, deaths);
    }
    read_some(vhost);
    if (!TAILQ_EMPTY(&letters->holding) && letters->version != topology_version(vhost->topology) &&
        letters->retry_ms > vhost->store.call.now.steady_ms + RETRY_SOON_MS)
        letters->retry_ms = vhost->store.call.now.steady_ms + RETRY_SOON_MS;
    return letters->sent_in_turn > before;
}

void dead_letters_tick(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->queues.dead_letters;
    struct dying *dying, *last = TAILQ_LAST(&letters->holding, dying_list);
    if (letters->retry_ms > vhost->store.call.now.steady_ms)
        return;
    uint64_t pause_ms = RETRY_MS;
    if (letters->holding_count > RETRY_QUEUES_MAX)
        pause_ms = RETRY_MS * RETRY_QUEUES_MAX / letters->holding_count;
    if (pause_ms < RETRY_MS_MIN)
        pause_ms = RETRY_MS_MIN;
    for (unsigned i = 0; i < RETRY_QUEUES_MAX && (dying = TAILQ_FIRST(&letters->holding)); i++) {
        TAILQ_REMOVE(&letters->holding, dying, link);
        TAILQ_INSERT_TAIL(&letters->holding, dying, link);
        deaths_move(TAILQ_FIRST(&dying->held), DEATHS_DUE);
        if (dying == last)
            break;
    }
    letters->retry_ms =
        TAILQ_EMPTY(&letters->holding) ? UINT64_MAX : vhost->store.call.now.steady_ms + pause_ms;
}

uint64_t dead_letters_deadline_ms(const struct vhost *vhost)
{
    const struct dead_letters *letters = &vhost->queues.dead_letters;
    return TAILQ_EMPTY(&letters->due) ? letters->retry_ms : vhost->store.call.now.steady_ms;
}
