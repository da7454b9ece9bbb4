/* Clients publish. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "sim.h"

#define BODY_BYTES_MAX (1u << 20)

struct message *make_message(unsigned uid, const char *exchange, const char *key,
                             const struct text *headers, uint64_t ttl_ms)
{
    struct sim_message *entry = &here->messages[uid];
    static char body[BODY_BYTES_MAX];
    char expiration[24];
    struct properties properties = {.present = PROPERTY_DELIVERY_MODE};
    struct text encoded = {0};
    size_t size = (size_t)snprintf(body, sizeof body, "%u.%u ", uid, here->number);
    size_t more = chance(20) ? pick(600) : pick(20);
    if (here->world.heavy && chance(25)) /* some fill a chunk, which can then be paged out */
        more = 300000 + pick(700000);
    memset(body + size, '.', more);
    properties.delivery_mode = entry->persistent ? 2 : 1;
    if (entry->says_priority) {
        properties.present |= PROPERTY_PRIORITY;
        properties.priority = entry->priority;
    }
    if (ttl_ms != MESSAGE_NO_TTL) {
        snprintf(expiration, sizeof expiration, "%llu", (unsigned long long)ttl_ms);
        properties.present |= PROPERTY_EXPIRATION;
        properties.expiration = bytes_of_text(expiration);
    }
    if (entry->asks) {
        properties.present |= PROPERTY_REPLY_TO;
        properties.reply_to = BYTES_LITERAL("amq.rabbitmq.reply-to");
    }
    if (headers->len) {
        properties.present |= PROPERTY_HEADERS;
        properties.headers = text_bytes(headers);
    }
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), size + more);
    text_free(&encoded);
    entry->bytes = (uint32_t)(size + more);
    message->persistent = entry->persistent;
    message->priority = entry->priority;
    message->ttl_ms = ttl_ms;
    message->has_headers = headers->len != 0;
    ck_assert_int_eq(message_fill(message, NULL, (const uint8_t *)body, size + more), STATUS_OK);
    return message;
}

/* The queues that get a message of this exchange and key. A queue that does not exist counts only
 * when the message is routed later. */
static queue_mask route_of(unsigned x, unsigned key, bool loose)
{
    queue_mask mask = exchanges_route(x, key, loose), there = 0;
    for (unsigned q = 0; q < here->world.queue_count; q++)
        there |= loose || here->world.queues[q].exists ? MASK(q) : 0;
    return mask & there;
}

/* The headers that a headers exchange matches and that messages are deduplicated by. */
static void put_headers(struct text *headers, const struct sim_message *message, const char *key)
{
    char text[8];
    if (message->exchange == X_HEADERS) {
        table_put_string(headers, "key", bytes_of_text(key));
        table_put_i64(headers, "always", 1);
    }
    if (message->identifier) {
        snprintf(text, sizeof text, "i%u", message->identifier);
        table_put_string(headers, "x-deduplication-header", bytes_of_text(text));
    }
}

static void put_copies(struct text *headers, struct sim_message *message)
{
    size_t begin = array_begin(headers, chance(50) ? "CC" : "BCC");
    for (unsigned i = 0; i < 2; i++) {
        unsigned q = 1 + pick(here->world.queue_count - 1);
        struct field field = {.type = FIELD_STRING,
                              .value.bytes = bytes_of_text(here->world.queues[q].name)};
        array_put_field(headers, &field);
        message->targets |= message->loose || here->world.queues[q].exists ? MASK(q) : 0;
    }
    array_end(headers, begin);
}

static void set_expiry(struct sim_message *message, uint64_t ttl_ms)
{
    if (ttl_ms != MESSAGE_NO_TTL && !message->due_ms)
        message->expires_ms = here->h.now.wall_ms + ttl_ms;
    queue_mask targets = message->targets;
    if (targets && !message->one_of && !(targets & (targets - 1)) && !message->due_ms) {
        uint64_t queue_ttl_ms = here->world.queues[__builtin_ctz(targets)].ttl_ms;
        uint64_t expires_ms = here->h.now.wall_ms + queue_ttl_ms;
        if (queue_ttl_ms && (!message->expires_ms || expires_ms < message->expires_ms))
            message->expires_ms = expires_ms;
    }
}

/* True while the exchange, or one that it leads to, is being deleted; or when it has an alternate
 * exchange and its last queue may be deleted. */
static bool leads_to_leaving(unsigned x)
{
    return here->world.exchanges[x].leaving || (x == X_ALTERNATE && here->under_way) ||
           (x == X_CHAIN && here->world.exchanges[X_FANOUT].leaving);
}

/* A queue that is being deleted may or may not take the message. */
static void consider_leaving(struct sim_message *message)
{
    for (unsigned q = 0; q < here->world.queue_count && here->under_way; q++) {
        const struct sim_queue *queue = &here->world.queues[q];
        if (message->targets & MASK(q) && (queue->leaving || queue->fleeting))
            message->loose = message->unrouted = true;
    }
}

/* Sends the message; a full queue that refuses publishes does not take it. */
static void send(unsigned p, const struct command *command, unsigned uid, bool at_once)
{
    queue_mask targets = here->messages[uid].targets;
    unsigned first = targets ? (unsigned)__builtin_ctz(targets) : 0;
    uint64_t limit = UINT64_MAX, ignored, before = 0, portions = here->h.portions;
    if (first && at_once)
        before = check_room(first, &limit);
    harness_do(&here->h, (char)('A' + p), command);
    if (limit != UINT64_MAX && before >= limit && here->h.portions == portions &&
        check_room(first, &ignored) > before)
        sim_fail("message %u was taken by %s, which is full", uid, here->world.queues[first].name);
}

/* An exchange to publish to. */
static unsigned choose_exchange(const struct sim_channel *channel, unsigned x)
{
    if (!here->world.exchanges[x].exists || chance(40))
        return X_DEFAULT;
    bool unfit = channel->tx && (x == X_ALTERNATE || x == X_DEDUP);
    return unfit || leads_to_leaving(x) ? X_DEFAULT : x;
}

void publish(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    unsigned x = pick(X_COUNT), key = pick(KEYS), uid = ledger_new();
    struct sim_message *message = &here->messages[uid];
    struct text headers = {0};
    char key_text[8];
    x = choose_exchange(channel, x);
    const struct sim_exchange *exchange = &here->world.exchanges[x];
    message->loose = channel->tx || exchange->delays;
    message->persistent = chance(75);
    message->says_priority = here->world.priorities && chance(50);
    if (message->says_priority)
        message->priority = (uint8_t)pick(chance(80) ? 10 : 256);
    message->exchange = (uint8_t)x;
    message->identifier =
        (uint8_t)(here->world.identifiers && chance(40) ? 1 + pick(IDENTIFIERS - 1) : 0);
    message->mandatory = !message->identifier && chance(20);
    message->asks = chance(50) ? channel->asker : 0;
    snprintf(key_text, sizeof key_text, "k%u", key);
    if (x == X_DEFAULT) {
        unsigned q = 1 + pick(here->world.queue_count - 1);
        snprintf(key_text, sizeof key_text, "%s", here->world.queues[q].name);
        message->targets = message->loose || here->world.queues[q].exists ? MASK(q) : 0;
        if (chance(10))
            put_copies(&headers, message);
    } else {
        message->targets = route_of(x, key, message->loose);
        message->one_of = exchange->routing == ROUTE_ONE;
        /* A queue that is not bound now may not be bound in time. */
        message->unrouted = message->loose && route_of(x, key, false) != message->targets;
    }
    consider_leaving(message);
    put_headers(&headers, message, key_text);
    if (message->one_of && !(message->targets & (message->targets - 1)))
        message->one_of = false;
    if (exchange->delays && chance(80)) {
        uint64_t delay_ms = 1 + pick(chance(80) ? 3000 : 200000);
        table_put_i64(&headers, "x-delay", (int64_t)delay_ms);
        message->due_ms = here->h.now.wall_ms + delay_ms;
    }
    uint64_t ttl_ms = here->world.message_ttl && chance(30) ? 1 + pick(3000) : MESSAGE_NO_TTL;
    if (!channel->tx)
        set_expiry(message, ttl_ms);
    sim_trail("%s publish %u to '%s' '%s' targets %x%s%s due %llu ttl %lld i%u", who_of(p, c), uid,
              exchange->name, key_text, message->targets, message->one_of ? " one" : "",
              message->persistent ? " persistent" : "", (unsigned long long)message->due_ms,
              (long long)ttl_ms, message->identifier);
    struct command command = {.type = COMMAND_PUBLISH, .channel = (uint16_t)c};
    command.u.publish.mandatory = message->mandatory;
    command.u.publish.message = make_message(uid, exchange->name, key_text, &headers, ttl_ms);
    text_free(&headers);
    if (channel->tx || channel->confirm)
        uid_add(&channel->published, uid);
    if (!channel->tx)
        ledger_published(uid);
    send(p, &command, uid, !channel->tx);
}
