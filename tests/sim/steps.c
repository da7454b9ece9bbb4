/* What clients, time and the machine do: one thing a step. The ledger hears of a command before the
 * core does, since what comes of it may come before the call returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "sim.h"

static const char *who_of(unsigned p, unsigned c)
{
    static char names[4][8];
    static unsigned at;
    char *name = names[at++ % 4];
    snprintf(name, sizeof names[0], "%c%u", (char)('A' + p), c);
    return name;
}

/* ---- Ends. */

static void consumer_over(unsigned p, unsigned c, unsigned q)
{
    struct sim_queue *queue = &sim.world.queues[q];
    if (!sim.channels[p][c].consuming[q])
        return;
    sim.channels[p][c].consuming[q] = false;
    queue->consumers--;
    if (queue->active_peer == (int)p && queue->active_channel == (int)c)
        queue->active_peer = -1;
}

/* All that is out on the channel goes back; consumers end. */
static void release(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    while (channel->tx_handles.count) {
        struct handle handle = handle_take(&channel->tx_handles, 0);
        handle_add(&channel->handles, &handle);
    }
    while (channel->handles.count) {
        struct handle handle = handle_take(&channel->handles, channel->handles.count - 1);
        ledger_end(channel, &handle, END_REQUEUE);
    }
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        consumer_over(p, c, q);
    for (unsigned i = 0; channel->tx && i < channel->published.count; i++)
        sim.messages[channel->published.at[i]].targets = 0;
    channel->published.count = channel->tx ? 0 : channel->published.count;
    channel->gets = 0;
}

static void forget(struct sim_channel *channel)
{
    channel->handles.count = channel->tx_handles.count = 0;
    channel->published.count = channel->committed.count = 0;
    channel->open = channel->confirm = channel->tx = channel->failed = channel->committing = false;
    memset(channel->consuming, 0, sizeof channel->consuming);
    channel->gets = 0;
    channel->answered = 0;
}

static void close_channel(unsigned p, unsigned c)
{
    sim_trail("%s close", who_of(p, c));
    release(p, c);
    sim.may_fail = true;
    do_close(&sim.h, who_of(p, c));
    sync_all();
    sim.may_fail = false;
    forget(&sim.channels[p][c]);
}

void open_all(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct sim_channel *channel = &sim.channels[p][c];
            if (channel->open && channel->failed)
                close_channel(p, c);
            if (channel->open)
                continue;
            do_open(&sim.h, who_of(p, c));
            channel->open = true;
            channel->tx = p + c > 1 && chance(20);
            channel->confirm = !channel->tx && chance(80);
            if (channel->tx || channel->confirm)
                do_plain(&sim.h, who_of(p, c),
                         channel->tx ? COMMAND_TX_SELECT : COMMAND_CONFIRM_SELECT);
            if (p + c > 1 && chance(70))
                do_qos(&sim.h, who_of(p, c), (uint16_t)pick(15), chance(30));
        }
}

/* ---- Events. */

static void confirmed(struct sim_channel *channel, uint64_t upto, bool multiple, bool nack)
{
    if (upto <= channel->answered || upto > channel->published.count)
        sim_fail("confirm of %llu after %llu, of %u", (unsigned long long)upto,
                 (unsigned long long)channel->answered, channel->published.count);
    if (!multiple && upto != channel->answered + 1)
        sim_fail("confirm of %llu alone after %llu", (unsigned long long)upto,
                 (unsigned long long)channel->answered);
    while (channel->answered < upto)
        ledger_answered(channel->published.at[channel->answered++], nack);
}

static void failed(int p, unsigned c, const struct event *event)
{
    struct sim_channel *channel = &sim.channels[p][c];
    bool timeout = strstr(event->u.reply.text, "timed out");
    if (!sim.may_fail && !timeout && !channel->failed && !channel->committing)
        sim_fail("%s fails: %s", who_of((unsigned)p, c), event->u.reply.text);
    sim_trail("%s failed: %.100s", who_of((unsigned)p, c), event->u.reply.text);
    channel->failed = true;
    channel->committed.count = 0;
    release((unsigned)p, c);
}

static void replied(int p, unsigned c, const struct event *event)
{
    struct sim_channel *channel = &sim.channels[p][c];
    if (event->u.reply.status) {
        failed(p, c, event);
        return;
    }
    if (event->u.reply.command == COMMAND_TX_COMMIT) {
        channel->committing = false;
        for (unsigned i = 0; i < channel->committed.count; i++)
            ledger_answered(channel->committed.at[i], false);
        channel->committed.count = 0;
    }
    if (event->u.reply.command != COMMAND_GET)
        return;
    if (channel->gets == 0)
        sim_fail("%s: a get is answered twice", who_of((unsigned)p, c));
    channel->gets--;
}

static int queue_of_got(const struct sim_channel *channel)
{
    (void)channel;
    return sim.got_queue;
}

static void delivered(int p, const struct event *event)
{
    unsigned q = event->u.deliver.consumer / 2, c = event->channel;
    struct sim_queue *queue = &sim.world.queues[q];
    const struct sim_channel *channel = &sim.channels[p][c];
    if (!channel->consuming[q])
        sim_fail("%s: a delivery of %s, which it does not consume", who_of((unsigned)p, c),
                 queue->name);
    if (queue->single && queue->active_peer >= 0 &&
        (queue->active_peer != p || queue->active_channel != (int)c) &&
        sim.channels[queue->active_peer][queue->active_channel].consuming[q])
        sim_fail("%s delivers to %s while %s is active", queue->name, who_of((unsigned)p, c),
                 who_of((unsigned)queue->active_peer, (unsigned)queue->active_channel));
    queue->active_peer = p;
    queue->active_channel = (int)c;
    sim.owed[p] += delivery_bytes(event->u.deliver.message);
    ledger_delivered(p, c, q, event, event->u.deliver.message, event->u.deliver.tag,
                     event->u.deliver.redelivered, event->u.deliver.consumer % 2 == 0);
}

void on_event(void *context, char letter, const struct event *event)
{
    int p = letter - 'A';
    unsigned c = event->channel;
    struct sim_channel *channel = &sim.channels[p][c];
    (void)context;
    switch (event->type) {
    case EVENT_REPLY:
        replied(p, c, event);
        if (event->u.reply.command == COMMAND_GET && event->got.message)
            ledger_delivered(p, c, (unsigned)queue_of_got(channel), event, event->got.message,
                             event->got.tag, event->got.redelivered, false);
        break;
    case EVENT_DELIVER:
        delivered(p, event);
        break;
    case EVENT_CONFIRM:
        confirmed(channel, event->u.confirm.upto, event->u.confirm.multiple, event->u.confirm.nack);
        break;
    case EVENT_CANCELLED:
        consumer_over((unsigned)p, c, event->u.cancelled.consumer / 2);
        break;
    case EVENT_RETURN: {
        unsigned long uid =
            strtoul((const char *)message_body_piece(event->u.returned.message, 0).at, NULL, 10);
        if (uid >= sim.message_count || !sim.messages[uid].mandatory ||
            (sim.messages[uid].targets && !sim.messages[uid].loose))
            sim_fail("message %lu came back", uid);
        if (sim.messages[uid].returned)
            sim_fail("message %lu came back twice", uid);
        sim.messages[uid].returned = true;
        break;
    }
    default:
        break;
    }
}

/* ---- Publishing. */

static struct message *make_message(unsigned uid, const char *exchange, const char *key,
                                    const struct text *headers, uint64_t ttl_ms)
{
    const struct sim_message *entry = &sim.messages[uid];
    char body[700], expiration[24];
    struct properties properties = {.present = PROPERTY_DELIVERY_MODE};
    struct text encoded = {0};
    size_t size = (size_t)snprintf(body, sizeof body, "%u ", uid);
    size_t more = chance(20) ? pick(600) : pick(20);
    memset(body + size, '.', more);
    properties.delivery_mode = entry->persistent ? 2 : 1;
    if (entry->priority) {
        properties.present |= PROPERTY_PRIORITY;
        properties.priority = entry->priority;
    }
    if (ttl_ms != MESSAGE_NO_TTL) {
        snprintf(expiration, sizeof expiration, "%llu", (unsigned long long)ttl_ms);
        properties.present |= PROPERTY_EXPIRATION;
        properties.expiration = bytes_of_text(expiration);
    }
    if (headers->len) {
        properties.present |= PROPERTY_HEADERS;
        properties.headers = text_bytes(headers);
    }
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), size + more);
    text_free(&encoded);
    message->persistent = entry->persistent;
    message->priority = entry->priority;
    message->ttl_ms = ttl_ms;
    message->has_headers = headers->len != 0;
    ck_assert_int_eq(message_fill(message, NULL, (const uint8_t *)body, size + more), STATUS_OK);
    return message;
}

/* Which queues get a message of this exchange and key; queues that are not there do not, but when
 * it is routed later. */
static queue_mask route_of(unsigned x, unsigned key, bool loose)
{
    const struct sim_exchange *exchanges = sim.world.exchanges;
    queue_mask mask = exchanges[x].keys[exchanges[x].routing ? 0 : key], there = 0;
    if (x == X_CHAIN && key == 0)
        mask |= exchanges[X_FANOUT].keys[0];
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        there |= loose || sim.world.queues[q].exists ? MASK(q) : 0;
    mask &= there;
    if (x == X_ALTERNATE && !mask)
        mask = exchanges[X_FANOUT].keys[0] & there;
    return mask;
}

static void put_copies(struct text *headers, struct sim_message *message)
{
    size_t begin = array_begin(headers, chance(50) ? "CC" : "BCC");
    for (unsigned i = 0; i < 2; i++) {
        unsigned q = 1 + pick(sim.world.queue_count - 1);
        struct field field = {.type = FIELD_STRING,
                              .value.bytes = bytes_of_text(sim.world.queues[q].name)};
        array_put_field(headers, &field);
        message->targets |= message->loose || sim.world.queues[q].exists ? MASK(q) : 0;
    }
    array_end(headers, begin);
}

static void set_expiry(struct sim_message *message, uint64_t ttl_ms)
{
    if (ttl_ms != MESSAGE_NO_TTL && !message->due_ms)
        message->expires_ms = sim.h.now.wall_ms + ttl_ms;
    queue_mask targets = message->targets;
    if (targets && !message->one_of && !(targets & (targets - 1)) && !message->due_ms) {
        uint64_t queue_ttl_ms = sim.world.queues[__builtin_ctz(targets)].ttl_ms;
        uint64_t expires_ms = sim.h.now.wall_ms + queue_ttl_ms;
        if (queue_ttl_ms && (!message->expires_ms || expires_ms < message->expires_ms))
            message->expires_ms = expires_ms;
    }
}

static void publish(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    unsigned x = pick(X_COUNT), key = pick(KEYS), uid = ledger_new();
    struct sim_message *message = &sim.messages[uid];
    struct text headers = {0};
    char key_text[8];
    if (!sim.world.exchanges[x].used || chance(40))
        x = X_DEFAULT;
    if (channel->tx && x == X_ALTERNATE)
        x = X_DEFAULT;
    const struct sim_exchange *exchange = &sim.world.exchanges[x];
    message->loose = channel->tx || exchange->delays;
    message->persistent = chance(75);
    message->priority = (uint8_t)(chance(40) ? pick(10) : 0);
    message->mandatory = chance(20);
    snprintf(key_text, sizeof key_text, "k%u", key);
    if (x == X_DEFAULT) {
        unsigned q = 1 + pick(sim.world.queue_count - 1);
        snprintf(key_text, sizeof key_text, "%s", sim.world.queues[q].name);
        message->targets = message->loose || sim.world.queues[q].exists ? MASK(q) : 0;
        if (chance(10))
            put_copies(&headers, message);
    } else {
        message->targets = route_of(x, key, message->loose);
        message->one_of = exchange->routing == ROUTE_ONE;
    }
    if (message->one_of && !(message->targets & (message->targets - 1)))
        message->one_of = false;
    if (exchange->delays && chance(80)) {
        uint64_t delay_ms = 1 + pick(chance(80) ? 3000 : 200000);
        table_put_i64(&headers, "x-delay", (int64_t)delay_ms);
        message->due_ms = sim.h.now.wall_ms + delay_ms;
    }
    uint64_t ttl_ms = sim.world.message_ttl && chance(30) ? 1 + pick(3000) : MESSAGE_NO_TTL;
    if (!channel->tx)
        set_expiry(message, ttl_ms);
    sim_trail("%s publish %u to '%s' '%s' targets %x%s%s due %llu ttl %lld", who_of(p, c), uid,
              exchange->name, key_text, message->targets, message->one_of ? " one" : "",
              message->persistent ? " persistent" : "", (unsigned long long)message->due_ms,
              (long long)ttl_ms);
    struct command command = {.type = COMMAND_PUBLISH, .channel = (uint16_t)c};
    command.u.publish.mandatory = message->mandatory;
    command.u.publish.message = make_message(uid, exchange->name, key_text, &headers, ttl_ms);
    text_free(&headers);
    if (channel->tx || channel->confirm)
        uid_add(&channel->published, uid);
    if (!channel->tx)
        ledger_published(uid);
    uint64_t limit = UINT64_MAX, ignored, before = 0;
    unsigned first = message->targets ? (unsigned)__builtin_ctz(message->targets) : 0;
    if (first && !channel->tx)
        before = check_room(first, &limit);
    harness_do(&sim.h, (char)('A' + p), &command);
    if (limit != UINT64_MAX && before >= limit && check_room(first, &ignored) > before)
        sim_fail("message %u was taken by %s, which is full", uid, sim.world.queues[first].name);
}

/* ---- Consuming. */

static void consume(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &sim.channels[p][c];
    struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists || (queue->exclusive && p != 0))
        return;
    if (channel->consuming[q]) {
        sim_trail("%s cancel %s", who_of(p, c), queue->name);
        consumer_over(p, c, q);
        do_cancel(&sim.h, who_of(p, c), q * 2);
        do_cancel(&sim.h, who_of(p, c), q * 2 + 1);
        return;
    }
    bool acks = chance(85);
    sim_trail("%s consume %s%s", who_of(p, c), queue->name, acks ? "" : " no-ack");
    channel->consuming[q] = true;
    queue->consumers++;
    do_consume(&sim.h, who_of(p, c), queue->name, q * 2 + acks, acks ? "a" : "", (int)pick(3));
}

/* More may come before the call returns. */
static void give_credit(unsigned p, unsigned c)
{
    uint32_t bytes = (uint32_t)sim.owed[p];
    sim.owed[p] = 0;
    do_credit(&sim.h, who_of(p, c), bytes);
}

static bool gets_wait(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            if (sim.channels[p][c].gets)
                return true;
    return false;
}

static void get(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &sim.channels[p][c];
    const struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists || (queue->exclusive && p != 0) || (queue->single && queue->keeps_all) ||
        gets_wait())
        return;
    sim_trail("%s get %s", who_of(p, c), queue->name);
    sim.got_queue = (int)q;
    channel->gets++;
    sim.may_fail = true; /* it may go meanwhile */
    do_get(&sim.h, who_of(p, c), queue->name, "a");
    for (unsigned i = 0; channel->gets && i < 10; i++) {
        /* Lent already, or waiting for a page or for answers before it: until it is here, nothing
         * else. */
        harness_sync(&sim.h);
        pass(0);
    }
    sim.may_fail = false;
}

static void settle(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    struct handles *handles = &channel->handles;
    if (handles->count == 0)
        return;
    unsigned at = pick(handles->count < 20 ? handles->count : 20), dice = pick(10);
    bool multiple = chance(30);
    int how = dice < 5 ? END_ACK : dice < 7 ? END_REJECT : END_REQUEUE;
    uint64_t tag = handles->at[at].tag;
    sim_trail("%s %s %llu%s (message %u of %s)", who_of(p, c),
              how == END_ACK      ? "ack"
              : how == END_REJECT ? "reject"
                                  : "requeue",
              (unsigned long long)tag, multiple ? " multiple" : "", handles->at[at].uid,
              sim.world.queues[handles->at[at].queue].name);
    for (unsigned i = multiple ? 0 : at; i <= at; i++) {
        struct handle handle = handle_take(handles, multiple ? 0 : at);
        handle.how = (uint8_t)how;
        if (channel->tx)
            handle_add(&channel->tx_handles, &handle);
        else
            ledger_end(channel, &handle, how);
    }
    if (how == END_ACK)
        do_ack(&sim.h, who_of(p, c), tag, multiple);
    else
        do_nack(&sim.h, who_of(p, c), tag, multiple, how == END_REQUEUE);
}

static void tx_end(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    if (chance(30)) {
        sim_trail("%s rollback", who_of(p, c));
        for (unsigned i = 0; i < channel->published.count; i++)
            sim.messages[channel->published.at[i]].targets = 0;
        channel->published.count = 0;
        while (channel->tx_handles.count) {
            struct handle handle = handle_take(&channel->tx_handles, 0);
            handle_add(&channel->handles, &handle);
        }
        do_plain(&sim.h, who_of(p, c), COMMAND_TX_ROLLBACK);
        return;
    }
    sim_trail("%s commit", who_of(p, c));
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (sim.world.queues[q].may_refuse) { /* a failure is to be told at once */
            harness_sync(&sim.h);
            break;
        }
    for (unsigned i = 0; i < channel->published.count; i++) {
        struct sim_message *message = &sim.messages[channel->published.at[i]];
        ledger_published(channel->published.at[i]);
        uid_add(&channel->committed, channel->published.at[i]);
        if (message->loose) /* what it would be at once is of no use */
            message->expires_ms = 0;
    }
    channel->published.count = 0;
    channel->committing = true;
    while (channel->tx_handles.count) {
        struct handle handle = handle_take(&channel->tx_handles, 0);
        ledger_end(channel, &handle, handle.how);
    }
    do_plain(&sim.h, who_of(p, c), COMMAND_TX_COMMIT);
}

static void recover(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    sim_trail("%s recover", who_of(p, c));
    while (channel->handles.count) {
        struct handle handle = handle_take(&channel->handles, 0);
        ledger_end(channel, &handle, END_REQUEUE);
    }
    do_plain(&sim.h, who_of(p, c), COMMAND_RECOVER);
}

/* ---- Larger things. */

static void detach(unsigned p)
{
    sim_trail("%c vanishes", (char)('A' + p));
    for (unsigned c = 1; c <= CHANNELS; c++)
        release(p, c);
    harness_detach(&sim.h, (char)('A' + p));
    sim.owed[p] = 0;
    for (unsigned c = 1; c <= CHANNELS; c++)
        forget(&sim.channels[p][c]);
    world_look();
    open_all();
}

static void crash(void)
{
    sim_trail("crash");
    sim.crashes++;
    ledger_crashed();
    for (unsigned p = 0; p < PEERS; p++) {
        sim.owed[p] = 0;
        for (unsigned c = 1; c <= CHANNELS; c++)
            forget(&sim.channels[p][c]);
    }
    harness_crash(&sim.h);
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (!sim.world.queues[q].stored)
            sim.world.queues[q].exists = false;
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        sim.world.policies[p].set =
            vhost_find_policy(sim.h.vhost, sim.world.policies[p].operator_policy,
                              bytes_of_text(sim.world.policies[p].name), &(struct policy_info){0});
    world_look();
    open_all();
    world_declare();
    sync_all();
}

void sync_all(void)
{
    harness_sync(&sim.h);
    pass(0);
    harness_sync(&sim.h);
    ledger_synced();
}

/* Time goes by, and the core does what is due. */
void pass(uint64_t ms)
{
    if (ms && sim.world.time_outs) /* or the answer that tells of one would wait for others */
        harness_sync(&sim.h);
    sim.h.now.steady_ms += ms;
    sim.h.now.wall_ms += ms;
    unsigned ticks = 0;
    while (vhost_deadline_ms(sim.h.vhost) <= sim.h.now.steady_ms) {
        vhost_tick(sim.h.vhost, sim.h.now);
        if (++ticks > 10000)
            sim_fail("something is due, and no tick does it");
        if (ticks % 100 == 0)
            harness_sync(&sim.h);
    }
}

static void empty_queue(unsigned q)
{
    struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists)
        return;
    if (chance(50)) {
        sim_trail("purge %s", queue->name);
        ledger_queue_emptied(q, false);
        do_purge(&sim.h, "A1", queue->name);
        return;
    }
    if (q == 0 || gets_wait())
        return;
    sim_trail("delete %s", queue->name);
    world_queue_gone(q);
    do_delete(&sim.h, "A1", queue->name, "");
    world_declare();
}

static void bad_tag(unsigned p, unsigned c)
{
    sim_trail("%s acks what it has not got", who_of(p, c));
    sim.may_fail = true;
    release(p, c); /* the answer may come later */
    do_ack(&sim.h, who_of(p, c), 99999999, false);
    close_channel(p, c);
    open_all();
}

void step(void)
{
    unsigned p = pick(PEERS), c = 1 + pick(CHANNELS), q = pick(sim.world.queue_count);
    struct sim_channel *channel = &sim.channels[p][c];
    unsigned what = pick(1000);
    sim.steps++;
    if (channel->tx && chance(10) && !channel->gets) {
        if (!channel->committing)
            tx_end(p, c);
    } else if (what < 330) {
        publish(p, c);
    } else if (what < 350) {
        for (unsigned i = pick(60); i; i--)
            publish(p, c);
    } else if (what < 620) {
        settle(p, c);
    } else if (what < 660) {
        get(p, c, q);
    } else if (what < 730) {
        consume(p, c, q);
    } else if (what < 780) {
        give_credit(p, c);
    } else if (what < 850) {
        harness_turn(&sim.h);
    } else if (what < 890) {
        harness_disk(&sim.h);
    } else if (what < 900) {
        sim_trail("sync");
        sync_all();
        check_quiet();
    } else if (what < 940) {
        uint64_t ms = chance(80) ? pick(50) : pick(2000);
        sim_trail("%llu ms go by", (unsigned long long)ms);
        pass(ms);
    } else if (what < 950) {
        recover(p, c);
    } else if (what < 958) {
        if (p + c > 1) {
            close_channel(p, c);
            open_all();
        }
    } else if (what < 962) {
        detach(p);
    } else if (what < 965) {
        bad_tag(p, c);
    } else if (what < 972) {
        empty_queue(q);
    } else if (what < 980) {
        if (sim.world.policy_count)
            policy_toggle(pick(sim.world.policy_count));
    } else if (what < 990) {
        do_qos(&sim.h, who_of(p, c), (uint16_t)pick(20), chance(30));
    } else if (pick(30) < sim.world.crashes) {
        crash();
    }
    world_look();
    bool failed = false;
    for (p = 0; p < PEERS; p++)
        for (c = 1; c <= CHANNELS; c++)
            failed |= sim.channels[p][c].failed;
    if (failed)
        open_all();
    if (!sim.world.queues[sim.world.queue_count - 1].exists || chance(3))
        world_declare();
}

/* ---- The end of a world: everybody goes, time goes by, and all that is left is taken out. */

static bool drain_round(bool time)
{
    struct vhost_totals totals;
    world_look();
    world_declare();
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (!sim.channels[0][1].consuming[q]) {
            sim.channels[0][1].consuming[q] = true;
            sim.world.queues[q].consumers++;
            do_consume(&sim.h, "A1", sim.world.queues[q].name, q * 2, "", 0);
        }
    sync_all();
    give_credit(0, 1);
    if (time)
        pass(1000);
    vhost_totals(sim.h.vhost, &totals);
    return totals.messages_ready + totals.messages_unacknowledged != 0;
}

void drain(void)
{
    sim_trail("drain");
    for (unsigned p = 0; p < PEERS; p++)
        detach(p);
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        if (sim.world.policies[p].set)
            policy_toggle(p);
    world_declare();
    sync_all();
    for (int i = 0; i < 8; i++) {
        pass(i < 4 ? 2000 : 60000);
        sync_all();
    }
    /* All at once: what one holds may wait for room in another. */
    for (int i = 0; drain_round(i % 8 == 7); i++)
        if (i == 2000) {
            struct queue_info info[QUEUES_MAX];
            uint64_t after = 0;
            size_t count = vhost_list_queues(sim.h.vhost, &after, info, QUEUES_MAX);
            for (size_t q = 0; q < count; q++)
                sim_trail("%.*s has %llu ready, %llu unsettled, %llu dead",
                          BYTES_PRINT(info[q].name), (unsigned long long)info[q].messages_ready,
                          (unsigned long long)info[q].messages_unacknowledged,
                          (unsigned long long)info[q].messages_dlx);
            sim_fail("queues cannot be emptied");
        }
}
