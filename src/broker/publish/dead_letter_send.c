/* Part of dead_letter (queue/dead_letter.h): sends dead letters, and sends those again that no
 * queue took. See dead_letter_send.h. */
#include "broker/publish/dead_letter_send.h"

#include <stdio.h>

#include "broker/publish/dead_letter_headers.h"
#include "broker/publish/offspring.h"
#include "broker/publish/publish.h"
#include "broker/store/paging.h"
#include "leveret/wire/cursor.h"

/* Limits what one turn sends: each dead letter counts one, and one more for each queue that gets
 * it. Letters above it are sent in the next turn. */
#define SENT_AT_ONCE 400u

/* Chunks with dead letters that are read from disk at the same time; more chunks wait until one of
 * these has been read. */
#define READINGS_MAX 4u

/* Milliseconds from one try of held dead letters to the next. */
#define RETRY_MS 1000u

/* Milliseconds from a change of the topology to the next try, unless that comes sooner anyway. */
#define RETRY_SOON_MS 50u

/* Queues whose held dead letters are tried in one call. With more queues the calls come closer
 * together, so that each queue still has its turn once every RETRY_MS. */
#define RETRY_QUEUES_MAX 100u

/* Milliseconds from one such call to the next at least: with very many queues each of them is tried
 * less often. */
#define RETRY_MS_MIN 10u

static const char *const reasons[] = {
    [DEATH_REJECTED] = "rejected",
    [DEATH_EXPIRED] = "expired",
    [DEATH_MAXLEN] = "maxlen",
    [DEATH_DELIVERY_LIMIT] = "delivery_limit",
};

static bool goes_on(const struct queue *queue, const void *letter)
{
    return !dead_letter_cycles(letter, queue->endpoint.name);
}

/* Counts dead letters of the queue that were dropped because there would have been too many of one
 * message (offspring.h), and warns of the first one of each queue. */
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

/* Publishes the dead letter of a message. Returns true when the message may leave its queue, false
 * when it is to be held and tried again. */
static bool send(struct vhost *vhost, struct queue *queue, const struct message *message,
                 enum death reason)
{
    const struct queue_settings *settings = &queue->settings;
    struct dead_letter_details details = {
        .reason = reasons[reason],
        .queue = queue->endpoint.name,
        .at_s = vhost->store.call.now.wall_ms / 1000,
        .exchange = settings->dead_letter_exchange,
        .routing_key = settings->dead_letter_routing_key,
    };
    vhost->queues.dead_letters.sent_in_turn += 1;
    if (!dead_letter_wanted(queue))
        return true;
    if (details.exchange.len > NAME_BYTES_MAX || details.routing_key.len > NAME_BYTES_MAX)
        return !dead_letter_is_kept(queue); /* no exchange has such a name: it goes nowhere */
    struct message *letter = dead_letter_message(message, &details);
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

/* No queue has taken the first of the chunk's dead letters: it is put behind the others, and all of
 * them wait for the next try. */
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

/* The first of the chunk's dead letters has been sent or dropped: its message leaves the queue. */
static void finish(struct vhost *vhost, struct deaths *deaths)
{
    struct chunk *chunk = deaths->chunk;
    struct lane *lane = chunk->lane;
    uint64_t number = chunk->number;
    struct place place = {chunk, deaths_take(deaths).slot};
    if (deaths->retried) /* a queue takes them again: the other held ones are tried at once */
        vhost->queues.dead_letters.retry_ms = vhost->store.call.now.steady_ms;
    deaths->dying->count--;
    vhost->queues.dead_letters.count--;
    bool last = deaths->next == deaths->count;
    if (last)
        deaths_free(deaths);
    struct message *message = lane_discard(lane, place);
    message_unref(&message);
    if (last)
        paging_passed(lane, number); /* the chunk may have been read for these letters alone */
}

/* Asks the journal for chunks whose dead letters are not in memory. */
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
            deaths->chunk; /* NOLINT(clang-analyzer-unix.Malloc) as in queue/dispatch.c */
        if (!chunk_in_memory(chunk)) {
            deaths_move(deaths, DEATHS_UNREAD);
            continue;
        }
        struct dead dead = deaths->entries[deaths->next];
        struct message *message = message_ref(chunk_message(chunk, dead.slot));
        /* The letter may go back into this queue, and add dead letters to this chunk. */
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
