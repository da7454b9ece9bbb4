/* Dead letters: see dead_letter.h.
 *
 * A chunk's dead letters are kept beside it, four bytes each, in the order of their deaths. As one
 * they stand in the list that says what they wait for: to be sent (vhost), to be read (vhost), or
 * that a queue takes them (their queue). One that was not taken holds up those behind it in its
 * chunk, and goes behind them for the next time. */
#include "broker/queue/dead_letter.h"

#include "broker/publish/dead_letter_headers.h"
#include "broker/publish/offspring.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

#include <stdio.h>

/* What one turn sends at most: each message counts one, and one for each queue that it goes to. */
#define SENT_AT_ONCE 400u
/* Due dead letters above which what can wait does not make more. */
#define CROWD 4000u
/* Chunks that are read at a time. */
#define READINGS_MAX 4u
/* How long held ones wait: from the last try, and when the topology has changed. */
#define RETRY_MS      1000u
#define RETRY_SOON_MS 50u
/* How many queues are tried in one call; when there are more, the calls come closer together. */
#define RETRY_QUEUES_MAX 100u
#define RETRY_MS_MIN     10u

enum deaths_state { DEATHS_UNLISTED, DEATHS_DUE, DEATHS_UNREAD, DEATHS_READING, DEATHS_HELD };

struct dead {
    uint16_t slot;
    uint8_t reason; /* enum death */
};

struct deaths {
    struct chunk *chunk;
    struct dying *dying;
    TAILQ_ENTRY(deaths) link; /* by state */
    uint8_t state;            /* enum deaths_state */
    bool retried;             /* was held before */
    uint16_t next, count;     /* entries[next .. count) wait */
    uint16_t room;
    struct dead *entries;
};

static const char *const reasons[] = {
    [DEATH_REJECTED] = "rejected",
    [DEATH_EXPIRED] = "expired",
    [DEATH_MAXLEN] = "maxlen",
    [DEATH_DELIVERY_LIMIT] = "delivery_limit",
};

void dead_letters_init(struct dead_letters *letters)
{
    TAILQ_INIT(&letters->due);
    TAILQ_INIT(&letters->unread);
    TAILQ_INIT(&letters->reading);
    TAILQ_INIT(&letters->holding);
    letters->retry_ms = UINT64_MAX;
}

/* ---- Where messages of a queue go. */

/* Kept until a queue has taken them. As in RabbitMQ, only a queue that refuses what is too much can
 * do that: one that drops its head would lose what it keeps. */
static bool at_least_once(const struct queue *queue)
{
    return queue->settings.at_least_once && queue->settings.overflow == OVERFLOW_REJECT_PUBLISH;
}

bool dead_letter_wanted(const struct queue *queue)
{
    const struct queue_settings *settings = &queue->settings;
    if (!settings->dead_letter_exchange.at)
        return false;
    return at_least_once(queue) ||
           topology_exchange(queue->vhost->topology, settings->dead_letter_exchange);
}

void dead_letter_count(const struct queue *queue, enum death reason, uint64_t messages)
{
    enum counted_strategy strategy = !dead_letter_wanted(queue) ? COUNTED_DISABLED
                                     : at_least_once(queue)     ? COUNTED_AT_LEAST_ONCE
                                                                : COUNTED_AT_MOST_ONCE;
    struct counters *counters = &queue->vhost->counters;
    counters->dead_lettered[queue_counted_type(queue)][strategy][reason] += messages;
}

bool dead_letter_crowded(const struct queue *queue)
{
    return queue->vhost->dead_letters.due_count >= CROWD && dead_letter_wanted(queue);
}

/* ---- Lists. */

static struct deaths_list *list_of(struct deaths *deaths)
{
    struct dead_letters *letters = &deaths->chunk->lane->vhost->dead_letters;
    struct deaths_list *lists[] = {
        [DEATHS_UNLISTED] = NULL,
        [DEATHS_DUE] = &letters->due,
        [DEATHS_UNREAD] = &letters->unread,
        [DEATHS_READING] = &letters->reading,
        [DEATHS_HELD] = &deaths->dying->held,
    };
    return lists[deaths->state];
}

/* The one place where deaths change lists, and what is counted by list. */
static void move(struct deaths *deaths, enum deaths_state state)
{
    struct dead_letters *letters = &deaths->chunk->lane->vhost->dead_letters;
    struct dying *dying = deaths->dying;
    unsigned waiting = deaths->count - deaths->next;
    bool held = !TAILQ_EMPTY(&dying->held);
    if (deaths->state)
        TAILQ_REMOVE(list_of(deaths), deaths, link);
    letters->due_count -= deaths->state == DEATHS_DUE ? waiting : 0;
    letters->readings -= deaths->state == DEATHS_READING;
    deaths->state = (uint8_t)state;
    letters->due_count += state == DEATHS_DUE ? waiting : 0;
    letters->readings += state == DEATHS_READING;
    if (state)
        TAILQ_INSERT_TAIL(list_of(deaths), deaths, link);
    bool holds = !TAILQ_EMPTY(&dying->held);
    if (holds && !held) {
        TAILQ_INSERT_TAIL(&letters->holding, dying, link);
        letters->holding_count++;
    } else if (held && !holds) {
        TAILQ_REMOVE(&letters->holding, dying, link);
        letters->holding_count--;
    }
}

static struct deaths *deaths_of(struct queue *queue, struct chunk *chunk)
{
    if (!queue->dying) {
        queue->dying = mem_need(sizeof *queue->dying);
        queue->dying->queue = queue;
        TAILQ_INIT(&queue->dying->held);
    }
    if (!chunk->deaths) {
        chunk->deaths = mem_need(sizeof *chunk->deaths);
        chunk->deaths->chunk = chunk;
        chunk->deaths->dying = queue->dying;
    }
    return chunk->deaths;
}

static void free_deaths(struct deaths *deaths)
{
    move(deaths, DEATHS_UNLISTED);
    deaths->chunk->deaths = NULL;
    free(deaths->entries);
    free(deaths);
}

static void add(struct deaths *deaths, struct dead dead)
{
    if (deaths->count == deaths->room && deaths->next) {
        deaths->count = (uint16_t)(deaths->count - deaths->next);
        memmove(deaths->entries, deaths->entries + deaths->next,
                deaths->count * sizeof *deaths->entries);
        deaths->next = 0;
    } else if (deaths->count == deaths->room) {
        deaths->room = (uint16_t)(deaths->room ? deaths->room * 2 : 4);
        deaths->entries = mem_need_array(deaths->entries, deaths->room, sizeof *deaths->entries);
    }
    deaths->entries[deaths->count++] = dead;
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->vhost->dead_letters.due_count++;
}

/* The first one leaves. */
static struct dead take(struct deaths *deaths)
{
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->vhost->dead_letters.due_count--;
    return deaths->entries[deaths->next++];
}

void dead_letter(struct lane *lane, struct place place, enum death reason)
{
    struct queue *queue = lane->queue;
    if (queue)
        dead_letter_count(queue, reason, 1);
    if (!queue || !dead_letter_wanted(queue)) {
        struct message *message = lane_discard(lane, place);
        message_unref(&message);
        return;
    }
    if (bit_test(place.chunk->ready_bits, place.slot))
        lane_hold(lane, place);
    lane->vhost->journalled |= bit_test(place.chunk->durable_bits, place.slot);
    struct deaths *deaths = deaths_of(queue, place.chunk);
    add(deaths, (struct dead){(uint16_t)place.slot, (uint8_t)reason});
    queue->dying->count++;
    lane->vhost->dead_letters.count++;
    if (deaths->state == DEATHS_UNLISTED)
        move(deaths, DEATHS_DUE);
}

void dead_letter_paged_in(struct chunk *chunk)
{
    struct deaths *deaths = chunk->deaths;
    if (deaths && (deaths->state == DEATHS_READING || deaths->state == DEATHS_UNREAD))
        move(deaths, DEATHS_DUE);
}

void dead_letter_failed(struct lane *lane)
{
    for (uint64_t i = 0; i < lane->ring_count; i++) {
        struct chunk *chunk = lane_chunk(lane, lane->base + i);
        if (chunk && chunk->deaths && !chunk_in_memory(chunk))
            move(chunk->deaths, DEATHS_UNLISTED);
    }
}

void dead_letter_forget(struct chunk *chunk)
{
    struct deaths *deaths = chunk->deaths;
    unsigned waiting = deaths->count - deaths->next;
    deaths->dying->count -= waiting;
    chunk->lane->vhost->dead_letters.count -= waiting;
    for (unsigned i = 0; i < waiting; i++)
        lane_forget_unsettled(chunk->lane);
    free_deaths(deaths);
}

/* ---- Sending. */

static bool goes_on(const struct queue *queue, const void *letter)
{
    return !death_cycles(letter, queue->endpoint.name);
}

/* Letters of the queue were dropped, since there would have been too many. */
static void note_dropped(struct queue *queue, size_t count)
{
    struct vhost *vhost = queue->vhost;
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
static bool send(struct queue *queue, const struct message *message, enum death reason)
{
    const struct queue_settings *settings = &queue->settings;
    struct death_notice notice = {
        .reason = reasons[reason],
        .queue = queue->endpoint.name,
        .at_s = queue->vhost->now.wall_ms / 1000,
        .exchange = settings->dead_letter_exchange,
        .routing_key = settings->dead_letter_routing_key,
    };
    queue->vhost->dead_letters.sent_in_turn += 1;
    if (!dead_letter_wanted(queue))
        return true;
    if (notice.exchange.len > UINT8_MAX || notice.routing_key.len > UINT8_MAX)
        return !at_least_once(queue); /* nowhere: names are no longer than that */
    struct message *letter = death_message(message, &notice);
    if (!letter)
        return !at_least_once(queue);
    struct publishing publishing = {
        .context = letter, .offspring = 1, .again = at_least_once(queue)};
    if (reason != DEATH_REJECTED) {
        publishing.passes = goes_on;
        publishing.offspring = offspring_of(message);
    }
    if (offspring_generation(letter) > GENERATIONS_MAX) {
        message_unref(&letter);
        note_dropped(queue, 1);
        return true;
    }
    publish_filtered(queue->vhost, letter, &publishing);
    message_unref(&letter);
    if (publishing.dropped)
        note_dropped(queue, publishing.dropped);
    queue->vhost->dead_letters.sent_in_turn += (unsigned)publishing.routed;
    if (!at_least_once(queue))
        return true;
    if (publishing.taken)
        queue->vhost->counters.dead_letters_confirmed[queue_counted_type(queue)]++;
    return publishing.taken;
}

/* No queue has taken the first one: it goes behind the others, and all wait. */
static void hold(struct deaths *deaths)
{
    struct vhost *vhost = deaths->chunk->lane->vhost;
    struct dead_letters *letters = &vhost->dead_letters;
    add(deaths, take(deaths));
    deaths->retried = true;
    move(deaths, DEATHS_HELD);
    letters->version = topology_version(vhost->topology);
    if (letters->retry_ms == UINT64_MAX)
        letters->retry_ms = vhost->now.steady_ms + RETRY_MS;
    paging_passed(deaths->chunk->lane, deaths->chunk->number);
}

/* The first one has been sent, or dropped. */
static void finish(struct deaths *deaths)
{
    struct chunk *chunk = deaths->chunk;
    struct lane *lane = chunk->lane;
    struct vhost *vhost = lane->vhost;
    uint64_t number = chunk->number;
    struct place place = {chunk, take(deaths).slot};
    if (deaths->retried) /* the way is free: the next ones at once */
        vhost->dead_letters.retry_ms = vhost->now.steady_ms;
    deaths->dying->count--;
    vhost->dead_letters.count--;
    bool last = deaths->next == deaths->count;
    if (last)
        free_deaths(deaths);
    struct message *message = lane_discard(lane, place);
    message_unref(&message);
    if (last)
        paging_passed(lane, number); /* it may have been read for this alone */
}

static void read_some(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->dead_letters;
    struct deaths *deaths;
    while (letters->readings < READINGS_MAX && (deaths = TAILQ_FIRST(&letters->unread))) {
        bool failed = deaths->chunk->lane->failed;
        move(deaths, failed ? DEATHS_UNLISTED : DEATHS_READING);
        if (!failed)
            paging_read(deaths->chunk);
    }
}

bool dead_letters_send(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->dead_letters;
    struct deaths *deaths;
    unsigned before = letters->sent_in_turn;
    while (letters->sent_in_turn < SENT_AT_ONCE && (deaths = TAILQ_FIRST(&letters->due))) {
        struct chunk *chunk =
            deaths->chunk; /* NOLINT(clang-analyzer-unix.Malloc) as in dispatch.c */
        if (!chunk_in_memory(chunk)) {
            move(deaths, DEATHS_UNREAD);
            continue;
        }
        struct dead dead = deaths->entries[deaths->next];
        struct message *message = message_ref(chunk_message(chunk, dead.slot));
        /* Its way may lead back into this queue, and make more dead letters of this chunk. */
        bool done = send(chunk->lane->queue, message, dead.reason);
        message_unref(&message);
        if (done)
            finish(deaths);
        else
            hold(deaths);
    }
    read_some(vhost);
    if (!TAILQ_EMPTY(&letters->holding) && letters->version != topology_version(vhost->topology) &&
        letters->retry_ms > vhost->now.steady_ms + RETRY_SOON_MS)
        letters->retry_ms = vhost->now.steady_ms + RETRY_SOON_MS;
    return letters->sent_in_turn > before;
}

void dead_letters_tick(struct vhost *vhost)
{
    struct dead_letters *letters = &vhost->dead_letters;
    struct dying *dying, *last = TAILQ_LAST(&letters->holding, dying_list);
    if (letters->retry_ms > vhost->now.steady_ms)
        return;
    uint64_t pause_ms = RETRY_MS;
    if (letters->holding_count > RETRY_QUEUES_MAX)
        pause_ms = RETRY_MS * RETRY_QUEUES_MAX / letters->holding_count;
    if (pause_ms < RETRY_MS_MIN)
        pause_ms = RETRY_MS_MIN;
    for (unsigned i = 0; i < RETRY_QUEUES_MAX && (dying = TAILQ_FIRST(&letters->holding)); i++) {
        TAILQ_REMOVE(&letters->holding, dying, link);
        TAILQ_INSERT_TAIL(&letters->holding, dying, link);
        move(TAILQ_FIRST(&dying->held), DEATHS_DUE);
        if (dying == last)
            break;
    }
    letters->retry_ms =
        TAILQ_EMPTY(&letters->holding) ? UINT64_MAX : vhost->now.steady_ms + pause_ms;
}

uint64_t dead_letters_deadline_ms(const struct vhost *vhost)
{
    const struct dead_letters *letters = &vhost->dead_letters;
    return TAILQ_EMPTY(&letters->due) ? letters->retry_ms : vhost->now.steady_ms;
}
