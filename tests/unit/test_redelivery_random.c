/* Random conversations on queues with priorities, delivery limits and single active consumers,
 * against a model. After each event:
 *   the message delivered is the model's head: of the ready messages with the highest priority the
 * one that was published first; with a single active consumer only the active one gets it;
 * redelivered, x-acquired-count and x-delivery-count are what the model counted, over restarts too;
 * messages that came back too often are in the dead-letter queue, in the order of their deaths. The
 * seed is printed; LEVERET_SEED and LEVERET_STEPS set it and the number of steps. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

#define QUEUES    4u
#define CHANNELS  6u /* three of peer A, three of peer B */
#define CONSUMERS 2u /* of each channel */
#define UNLIMITED 1000000u
#define STEPS     40000u

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("step %u: %s", step, #condition);                                         \
    } while (0)

static const struct kind {
    const char *name;
    bool quorum, single_active;
    unsigned max_priority, limit;
    bool unsaid; /* true: the limit is the broker's default, for which failures alone count */
} kinds[QUEUES] = {
    {"plain", false, false, 0, UNLIMITED, false},
    {"levels", false, true, 255, 3, false},
    {"quorum", true, false, 0, 20, true},
    {"single", true, true, 0, 2, false},
};

enum state { READY, OUT, GONE };

struct item {
    uint8_t state, level;
    bool durable, persistent, redelivered;
    unsigned returns, failures;
};

struct model_consumer {
    bool there, acks;
    unsigned queue, channel;
    int priority;
    uint64_t order;   /* consumers that wait to become active do so in this order */
    uint64_t arrival; /* the consumer's number, from 1 */
};

struct held {
    uint64_t tag;
    unsigned queue, item;
    uint64_t arrival; /* the number of the consumer that got it; 0: it answered a get */
};

static struct harness h;
static struct random_stream stream;
static unsigned step;
static struct item *items[QUEUES];
static unsigned count[QUEUES], low[QUEUES], dead, dead_transient;
static struct model_consumer consumers[CHANNELS][CONSUMERS];
static int active[QUEUES]; /* channel * CONSUMERS + index; -1: none */
/* True: a consumer with a higher priority came, and the active one gives way to it when it has
 * settled its deliveries. */
static bool fading[QUEUES];
static uint64_t arrivals = 1;
static struct held *held[CHANNELS];
static unsigned held_count[CHANNELS];
static uint64_t tags[CHANNELS];
static bool waiting[CHANNELS]; /* true: a get has no answer yet */

static unsigned below(unsigned limit)
{
    return (unsigned)(random_next(&stream) % limit);
}

static const char *who(unsigned channel)
{
    static char text[3];
    text[0] = channel < 3 ? 'A' : 'B';
    text[1] = (char)('1' + channel % 3);
    return text;
}

/* ---- The model. */

static struct item *model_head(unsigned queue)
{
    struct item *head = NULL;
    while (low[queue] < count[queue] && items[queue][low[queue]].state == GONE)
        low[queue]++;
    for (unsigned i = low[queue]; i < count[queue]; i++) {
        struct item *item = &items[queue][i];
        if (item->state == READY && (!head || item->level > head->level))
            head = item;
    }
    return head;
}

static unsigned counted(unsigned queue, const struct item *item)
{
    return kinds[queue].unsaid ? item->failures : item->returns;
}

static void model_return(unsigned queue, unsigned index, bool failure)
{
    struct item *item = &items[queue][index];
    item->returns++;
    item->failures += failure;
    if (counted(queue, item) > kinds[queue].limit) {
        item->state = GONE;
        dead++;
        dead_transient += !item->persistent;
        return;
    }
    item->state = READY;
    item->redelivered = true;
}

/* Makes the consumer with the highest priority the active one; of several the one that waits
 * longest. */
static void activate_best(unsigned queue)
{
    const struct model_consumer *best = NULL;
    active[queue] = -1;
    fading[queue] = false;
    for (unsigned c = 0; c < CHANNELS * CONSUMERS; c++) {
        const struct model_consumer *other = &consumers[c / CONSUMERS][c % CONSUMERS];
        if (!other->there || other->queue != queue ||
            (best && (other->priority < best->priority ||
                      (other->priority == best->priority && other->order > best->order))))
            continue;
        best = other;
        active[queue] = (int)c;
    }
}

static struct model_consumer *active_of(unsigned queue)
{
    unsigned at = (unsigned)active[queue];
    return &consumers[at / CONSUMERS][at % CONSUMERS];
}

static bool holds_something(const struct model_consumer *consumer)
{
    for (unsigned i = 0; i < held_count[consumer->channel]; i++)
        if (held[consumer->channel][i].arrival == consumer->arrival)
            return true;
    return false;
}

/* A fading consumer gives way when it has no unsettled delivery any more, if a better one is still
 * there. */
static void model_settled(void)
{
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        if (!fading[queue] || holds_something(active_of(queue)))
            continue;
        struct model_consumer *was = active_of(queue);
        bool outranked = false;
        for (unsigned c = 0; c < CHANNELS * CONSUMERS; c++) {
            const struct model_consumer *other = &consumers[c / CONSUMERS][c % CONSUMERS];
            outranked |= other->there && other->queue == queue && other->priority > was->priority;
        }
        fading[queue] = false;
        if (!outranked)
            continue;
        was->order = arrivals++;
        activate_best(queue);
    }
}

/* A new consumer becomes active, or lets the active one fade, or waits. */
static void model_join(struct model_consumer *consumer)
{
    unsigned queue = consumer->queue;
    if (!kinds[queue].single_active)
        return;
    if (active[queue] < 0)
        activate_best(queue);
    else if (kinds[queue].quorum && consumer->priority > active_of(queue)->priority)
        fading[queue] = true;
    model_settled();
}

static void model_leave(unsigned channel, unsigned index)
{
    struct model_consumer *consumer = &consumers[channel][index];
    consumer->there = false;
    if (active[consumer->queue] == (int)(channel * CONSUMERS + index))
        activate_best(consumer->queue);
}

static void model_close(unsigned channel)
{
    for (unsigned i = 0; i < held_count[channel]; i++)
        model_return(held[channel][i].queue, held[channel][i].item, true);
    held_count[channel] = 0;
    for (unsigned i = 0; i < CONSUMERS; i++)
        if (consumers[channel][i].there)
            model_leave(channel, i);
    tags[channel] = 0;
    waiting[channel] = false;
}

/* ---- Deliveries. */

static void check_message(const struct message *message, unsigned channel, uint64_t tag,
                          bool redelivered, bool acks, uint64_t arrival)
{
    struct bytes body = message_body_piece(message, 0);
    unsigned queue = body.at[0] - '0';
    char text[20] = {0};
    uint64_t number;
    struct properties properties;
    struct field field = {0};
    memcpy(text, body.at + 1, body.len - 1);
    MUST(queue < QUEUES && number_read(text, UINT32_MAX, &number));
    struct item *item = &items[queue][number];
    MUST(item->state == READY);
    MUST(item == model_head(queue));
    MUST(item->redelivered == redelivered);
    MUST(properties_decode(message_properties(message), &properties) == STATUS_OK);
    unsigned shown = kinds[queue].limit == UNLIMITED ? 0 : counted(queue, item);
    MUST(table_find(properties.headers, "x-delivery-count", &field) == (shown > 0));
    MUST(!shown || field.value.integer == shown);
    shown = kinds[queue].limit == UNLIMITED ? 0 : item->returns;
    MUST(table_find(properties.headers, "x-acquired-count", &field) == (shown > 0));
    MUST(!shown || field.value.integer == shown);
    MUST(tag == ++tags[channel]);
    item->state = acks ? OUT : GONE;
    if (acks)
        held[channel][held_count[channel]++] = (struct held){tag, queue, (unsigned)number, arrival};
}

static void on_event(void *context, char peer, const struct event *event)
{
    unsigned channel = (peer == 'A' ? 0 : 3) + (event->channel ? event->channel - 1u : 0);
    (void)context;
    if (peer == 'C') /* this peer only publishes and declares */
        MUST(event->type != EVENT_REPLY || event->u.reply.status == STATUS_OK);
    else if (event->type == EVENT_DELIVER) {
        const struct model_consumer *consumer = &consumers[channel][event->u.deliver.consumer];
        MUST(consumer->there);
        int self = (int)(channel * CONSUMERS + event->u.deliver.consumer);
        MUST(!kinds[consumer->queue].single_active ||
             (active[consumer->queue] == self && !fading[consumer->queue]));
        check_message(event->u.deliver.message, channel, event->u.deliver.tag,
                      event->u.deliver.redelivered, consumer->acks, consumer->arrival);
    } else if (event->type == EVENT_REPLY) {
        MUST(event->u.reply.status == STATUS_OK);
        if (event->u.reply.command != COMMAND_GET || channel >= CHANNELS || !waiting[channel])
            return;
        waiting[channel] = false;
        if (!event->u.reply.empty)
            check_message(event->got.message, channel, event->got.tag, event->got.redelivered, true,
                          0);
    }
}

/* ---- Steps. */

static void open_all(void)
{
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        do_open(&h, who(channel));
        do_qos(&h, who(channel), (uint16_t)(1 + below(6)), false);
    }
    do_open(&h, "C1");
}

static void declare(unsigned queue)
{
    const struct kind *kind = &kinds[queue];
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type",
                     bytes_of_text(kind->quorum ? "quorum" : "classic"));
    if (kind->max_priority)
        table_put_i32(&arguments, "x-max-priority", (int32_t)kind->max_priority);
    if (kind->limit != UNLIMITED && !kind->unsaid)
        table_put_i32(&arguments, "x-delivery-limit", (int32_t)kind->limit);
    table_put_bool(&arguments, "x-single-active-consumer", kind->single_active);
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("dead"));
    do_declare_args(&h, "C1", kind->name, "d", &arguments);
    text_free(&arguments);
}

static void publish(void)
{
    unsigned queue = below(QUEUES), level = below(kinds[queue].quorum ? 40 : 300);
    char body[20];
    if (count[queue] == STEPS)
        return;
    struct item *item = &items[queue][count[queue]];
    bool persistent = below(4) > 0;
    snprintf(body, sizeof body, "%u%u", queue, count[queue]++);
    *item = (struct item){
        .state = READY, .persistent = persistent, .durable = persistent || kinds[queue].quorum};
    level = level > 255 ? 0 : level;
    bool said = below(4) > 0;
    if (kinds[queue].quorum)
        item->level = (uint8_t)(!said ? 4 : level < 31 ? level : 31);
    else
        item->level =
            (uint8_t)(level < kinds[queue].max_priority ? level : kinds[queue].max_priority);
    if (!said && !kinds[queue].quorum)
        item->level = 0;
    if (said)
        do_publish_priority(&h, "C1", kinds[queue].name, body, (uint8_t)level,
                            persistent ? "p" : "");
    else
        do_publish(&h, "C1", "", kinds[queue].name, body, persistent ? "p" : "");
}

static void consume_or_cancel(void)
{
    unsigned channel = below(CHANNELS), index = below(CONSUMERS);
    struct model_consumer *consumer = &consumers[channel][index];
    if (consumer->there) {
        model_leave(channel, index);
        do_cancel(&h, who(channel), index);
        return;
    }
    unsigned queue = below(QUEUES);
    *consumer = (struct model_consumer){.there = true,
                                        .acks = below(8) > 0,
                                        .queue = queue,
                                        .channel = channel,
                                        .priority = (int)below(3) - 1,
                                        .order = arrivals++};
    consumer->arrival = arrivals++;
    model_join(consumer);
    do_consume(&h, who(channel), kinds[queue].name, index, consumer->acks ? "a" : "",
               consumer->priority);
}

static void get(void)
{
    unsigned channel = below(CHANNELS), queue = below(QUEUES);
    if (waiting[channel] || (kinds[queue].quorum && kinds[queue].single_active))
        return;
    harness_sync(&h); /* an answer that waits for the disk would come after later deliveries */
    waiting[channel] = true;
    do_get(&h, who(channel), kinds[queue].name, "a");
    for (int i = 0; waiting[channel] && i < 20; i++)
        harness_sync(&h);
    MUST(!waiting[channel]);
}

static void settle(void)
{
    unsigned channel = below(CHANNELS);
    if (!held_count[channel])
        return;
    unsigned at = below(held_count[channel]);
    bool reject = below(3) == 0, multiple = !reject && below(4) == 0, ack = below(3) == 0;
    uint64_t tag = held[channel][at].tag;
    unsigned kept = 0;
    for (unsigned i = 0; i < held_count[channel]; i++) {
        struct held *one = &held[channel][i];
        if (multiple ? one->tag > tag : one->tag != tag)
            held[channel][kept++] = *one;
        else if (ack)
            items[one->queue][one->item].state = GONE;
        else
            model_return(one->queue, one->item, reject);
    }
    held_count[channel] = kept;
    model_settled();
    if (ack)
        do_ack(&h, who(channel), tag, multiple);
    else if (reject)
        do_reject(&h, who(channel), tag, true);
    else
        do_nack(&h, who(channel), tag, multiple, true);
}

static void close_one(void)
{
    unsigned channel = below(CHANNELS);
    model_close(channel);
    do_close(&h, who(channel));
    harness_sync(&h); /* close-ok may wait for the disk */
    do_open(&h, who(channel));
    do_qos(&h, who(channel), (uint16_t)(1 + below(6)), false);
}

static void detach(void)
{
    unsigned first = below(2) * 3;
    for (unsigned channel = first; channel < first + 3; channel++)
        model_close(channel);
    harness_detach(&h, first ? 'B' : 'A');
    for (unsigned channel = first; channel < first + 3; channel++)
        do_open(&h, who(channel));
}

static void recover(void)
{
    unsigned channel = below(CHANNELS);
    for (unsigned i = 0; i < held_count[channel]; i++)
        model_return(held[channel][i].queue, held[channel][i].item, false);
    held_count[channel] = 0;
    model_settled();
    do_plain(&h, who(channel), COMMAND_RECOVER);
}

static void restart(void)
{
    for (int i = 0; i < 20; i++) /* messages may have to be read from disk before */
        harness_sync(&h);
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        held_count[channel] = 0;
        tags[channel] = 0;
        waiting[channel] = false;
        memset(consumers[channel], 0, sizeof consumers[channel]);
    }
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        active[queue] = -1;
        fading[queue] = false;
        for (unsigned i = 0; i < count[queue]; i++) {
            struct item *item = &items[queue][i];
            if (item->state == GONE)
                continue;
            if (!item->durable)
                item->state = GONE;
            else if (item->state == OUT)
                model_return(queue, i, true);
        }
    }
    harness_crash(&h);
    open_all();
    harness_pass(&h, 0); /* messages that came back too often are read from disk */
    harness_sync(&h);
}

static void empty_queues(void)
{
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        do_purge(&h, "C1", kinds[queue].name);
        for (unsigned i = 0; i < count[queue]; i++)
            if (items[queue][i].state == READY)
                items[queue][i].state = GONE;
    }
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = otherwise;
    if (text)
        CHECK(number_read(text, UINT64_MAX, &number));
    return number;
}

/* Checks that each queue has as many messages, ready and unacknowledged, as the model. */
static void check_depths(void)
{
    struct queue_info info;
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        unsigned ready = 0, out = 0;
        for (unsigned i = low[queue]; i < count[queue]; i++) {
            ready += items[queue][i].state == READY;
            out += items[queue][i].state == OUT;
        }
        MUST(vhost_find_queue(h.vhost, bytes_of_text(kinds[queue].name), &info));
        MUST(info.messages_ready == ready && info.messages_unacknowledged == out);
    }
}

START_TEST(random_redelivery)
{
    uint64_t seed = number_from("LEVERET_SEED", 20261122), restarts = 0;
    unsigned steps = (unsigned)number_from("LEVERET_STEPS", STEPS);
    struct queue_info info;
    stream.state = seed;
    h.portion = _i == 0 ? 0 : 100; /* 0: no portions; 100: longer commands are done in portions */
    harness_open(&h);
    h.quiet = true;
    h.watch = on_event;
    open_all();
    do_declare(&h, "C1", "dead", "d");
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        items[queue] = mem_need(STEPS * sizeof *items[queue]);
        active[queue] = -1;
        declare(queue);
    }
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        held[channel] = mem_need((size_t)QUEUES * STEPS * sizeof *held[channel]);
    harness_sync(&h);
    for (step = 0; step < steps; step++) {
        unsigned dice = below(1000);
        if (dice < 300)
            publish();
        else if (dice < 420)
            consume_or_cancel();
        else if (dice < 470)
            get();
        else if (dice < 870)
            settle();
        else if (dice < 890)
            close_one();
        else if (dice < 895)
            recover();
        else if (dice < 898)
            detach();
        else if (dice < 900)
            harness_pass(&h, 1000);
        else if (dice < 902)
            empty_queues();
        else if (dice < 903) {
            restart();
            restarts++;
        } else
            harness_sync(&h);
        do_credit(&h, "A1", 1 << 20);
        do_credit(&h, "B1", 1 << 20);
        /* A message counts in its queue until its dead letter has been sent, for which it may have
         * to be read from disk. */
        if (step % 50 == 0)
            harness_sync(&h);
        if (step % 50 == 0)
            check_depths();
    }
    harness_sync(&h);
    printf("seed %llu: %u steps, %u dead letters, %llu restarts\n", (unsigned long long)seed, steps,
           dead, (unsigned long long)restarts);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("dead"), &info));
    ck_assert_uint_le(info.messages_ready, dead);
    ck_assert_uint_ge(info.messages_ready, dead - dead_transient);
    for (unsigned queue = 0; queue < QUEUES; queue++)
        free(items[queue]);
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        free(held[channel]);
    harness_close(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redelivery_random");
    TCase *tests = tcase_create("redelivery_random");
    tcase_set_timeout(tests, 1200);
    tcase_add_loop_test(tests, random_redelivery, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
