/* Random conversations against a model. After each event and each restart:
 *   a message is in exactly one place, and the ready message with the lowest place comes first;
 *   no confirmed message is lost, and none whose settlement was synced comes back;
 *   a message that was never delivered is not marked redelivered;
 *   each publish is confirmed once, in order;
 *   a transaction is on disk whole or not at all, and whole once it is answered.
 * The seed is printed; LEVERET_SEED and LEVERET_STEPS set it and the number of steps. */
#include <stdio.h>
#include <stdlib.h>

#include "core_random_model.h"

/* ---- Events. */

static void read_body(const struct message *message, unsigned *q, unsigned *index)
{
    char body[32] = {0};
    struct bytes piece = message_body_piece(message, 0);
    memcpy(body, piece.at, piece.len < 24 ? piece.len : 24);
    uint64_t numbers[2];
    const char *at = number_scan(body, &numbers[0]);
    MUST(at && *at == ':' && number_scan(at + 1, &numbers[1]));
    if (numbers[0] == QUEUES) {
        MUST(numbers[1] < tokens.count);
        const struct place *place = &tokens.at[numbers[1]];
        numbers[0] = place->queue;
        numbers[1] = place->item;
    }
    MUST(numbers[0] < QUEUES);
    MUST(numbers[1] < queues[numbers[0]].count);
    *q = (unsigned)numbers[0];
    *index = (unsigned)numbers[1];
}

/* Learns of a message that has survived a restart. */
static void survey(unsigned q, unsigned index, bool redelivered)
{
    struct item *item = &queues[q].items[index];
    MUST(q == survey_queue);
    MUST(!survey_any || index > survey_last);
    MUST(item->persistent);
    MUST(!item->settled_synced);
    MUST(!redelivered || item->delivered);
    survey_any = true;
    survey_last = index;
    set_state(q, index, UNSETTLED);
}

static void came_out(struct model_channel *channel, const struct message *message, uint64_t tag,
                     bool redelivered, bool no_ack)
{
    unsigned q, index;
    read_body(message, &q, &index);
    MUST(tag == channel->last_tag + 1);
    channel->last_tag = tag;
    delivered_events++;
    if (surveying) {
        survey(q, index, redelivered);
    } else {
        MUST(queues[q].items[index].state == READY);
        expire(q, index);
        MUST(first_ready(q) == index);
        MUST(!redelivered || queues[q].items[index].delivered);
        set_state(q, index, no_ack ? SETTLED : UNSETTLED);
    }
    queues[q].items[index].delivered = true;
    if (!no_ack)
        add_handle(channel, tag, q, index);
}

static void confirmed(struct model_channel *channel, uint64_t upto, bool multiple)
{
    MUST(upto > channel->confirmed);
    MUST(upto <= channel->publish_count);
    MUST(multiple || upto == channel->confirmed + 1);
    for (uint64_t i = channel->confirmed; i < upto; i++)
        if (channel->published[i].routed)
            queues[channel->published[i].queue].items[channel->published[i].item].confirmed = true;
    channel->confirmed = upto;
}

#define OPERATOR 'H' /* a peer that only changes policies */

/* Whether the consumer acknowledges: those with odd numbers do. */
static void on_event(void *context, char letter, const struct event *event)
{
    (void)context;
    if (letter == OPERATOR) {
        MUST(event->type != EVENT_REPLY || event->u.reply.status == STATUS_OK);
        return;
    }
    unsigned peer = (unsigned)(letter - 'A');
    struct model_channel *channel = &channels[peer][event->channel];
    switch (event->type) {
    case EVENT_DELIVER:
        owed[peer] += delivery_bytes(event->u.deliver.message);
        came_out(channel, event->u.deliver.message, event->u.deliver.tag,
                 event->u.deliver.redelivered, event->u.deliver.consumer % 2 == 0);
        break;
    case EVENT_REPLY:
        channel->gets -= event->u.reply.command == COMMAND_GET;
        if (event->u.reply.command == COMMAND_TX_COMMIT && event->u.reply.status == STATUS_OK)
            commit_answered(channel);
        if (event->u.reply.status != STATUS_OK && !failing)
            ck_abort_msg("%s", event->u.reply.text);
        if (event->u.reply.command == COMMAND_GET && event->got.message)
            came_out(channel, event->got.message, event->got.tag, event->got.redelivered, false);
        else if (event->u.reply.command == COMMAND_GET && event->u.reply.status == STATUS_OK &&
                 !surveying)
            MUST(event->u.reply.empty);
        break;
    case EVENT_CONFIRM:
        confirmed(channel, event->u.confirm.upto, event->u.confirm.multiple);
        break;
    case EVENT_CANCELLED:
        channel->consuming[event->u.cancelled.consumer / 2] = false;
        break;
    default:
        break;
    }
}

/* ---- Steps. */

static void open_channels(void)
{
    char who[8];
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            if (!channels[p][c].open) {
                who_of(p, c, who);
                channels[p][c].open = true;
                do_open(&h, who);
                channels[p][c].tx = p + c > 1 && pick(3) == 0;
                do_plain(&h, who, channels[p][c].tx ? COMMAND_TX_SELECT : COMMAND_CONFIRM_SELECT);
                do_qos(&h, who, (uint16_t)(pick(3) ? pick(20) : 0), false);
            }
}

static void declare_all(void)
{
    char name[8];
    for (unsigned q = 0; q < QUEUES; q++) {
        name_of(q, name);
        do_declare(&h, "A1", name, q < DURABLE ? "d" : "");
    }
}

static void note_published(struct model_channel *channel, unsigned q, unsigned item)
{
    if (channel->publish_count == channel->publish_room) {
        channel->publish_room = channel->publish_room ? channel->publish_room * 2 : 64;
        channel->published =
            mem_need_array(channel->published, channel->publish_room, sizeof *channel->published);
    }
    channel->published[channel->publish_count++] = (struct published){q, item, true, true};
}

static void publish_some(const char *who, struct model_channel *channel, unsigned q, unsigned count)
{
    char name[8], body[600];
    name_of(q, name);
    for (unsigned i = 0; i < count; i++) {
        bool persistent = pick(4) != 0;
        unsigned item = add_item(q, persistent && q < DURABLE);
        int len = snprintf(body, sizeof body, "%u:%u ", q, item);
        size_t size = (size_t)len + (size_t)pick(10) * pick(10) * pick(6);
        memset(body + len, '.', size - (size_t)len);
        note_published(channel, q, item);
        struct command command = {.type = COMMAND_PUBLISH, .channel = channel_of(who)};
        command.u.publish.message = harness_message("", name, body, size, persistent);
        if (EXPIRING >> q & 1 && pick(3)) {
            uint64_t ttl_ms = pick(10) ? pick(2000) : 0;
            command.u.publish.message->ttl_ms = ttl_ms;
            queues[q].items[item].expires_ms = h.now.wall_ms + ttl_ms;
        }
        bool at_once = command.u.publish.message->ttl_ms == 0;
        harness_do(&h, who[0], &command);
        if (at_once && queues[q].items[item].state == READY)
            set_state(q, item, SETTLED); /* no queue took it */
    }
}

/* The core does the parts of a commit one after the other, and serves consumers between them. A
 * transaction of this test that gives a message back therefore has no other part, so that the model
 * need not know when the message comes back. */
static void tx_publish_some(const char *who, struct model_channel *channel, unsigned q,
                            unsigned count)
{
    char name[8], body[64];
    name_of(q, name);
    for (unsigned i = 0; i < count && !channel->tx_requeues; i++) {
        bool persistent = pick(4) != 0;
        unsigned token = add_place(&tokens, q, persistent && q < DURABLE);
        add_place(&channel->tx_published, q, token);
        int len = snprintf(body, sizeof body, "%u:%u ", QUEUES, token);
        struct command command = {.type = COMMAND_PUBLISH, .channel = channel_of(who)};
        command.u.publish.message = harness_message("", name, body, (size_t)len, persistent);
        harness_do(&h, who[0], &command);
    }
}

static void tx_end(const char *who, struct model_channel *channel)
{
    if (pick(4)) {
        add_commit(channel);
        do_plain(&h, who, COMMAND_TX_COMMIT);
    } else {
        tx_forget(channel);
        do_plain(&h, who, COMMAND_TX_ROLLBACK);
    }
}

static void settle_some(const char *who, struct model_channel *channel)
{
    if (channel->handle_count == 0 || channel->tx_requeues)
        return;
    bool multiple = pick(3) == 0, ack = pick(3) != 0;
    bool requeue = pick(2) && channel->tx_published.count == 0 && channel->tx_handle_count == 0;
    unsigned at = pick(channel->handle_count < 30 ? channel->handle_count : 30);
    uint64_t tag = channel->handles[at].tag;
    for (unsigned i = multiple ? 0 : at; i <= at; i++) {
        if (channel->tx)
            tx_take(channel, multiple ? 0 : at, !ack && requeue);
        else
            end_handle(channel, multiple ? 0 : at, !ack && requeue);
    }
    if (ack)
        do_ack(&h, who, tag, multiple);
    else
        do_nack(&h, who, tag, multiple, requeue);
}

static void delete_queue(unsigned q)
{
    char name[8];
    name_of(q, name);
    harness_sync(&h); /* answers the get, unless the disk is slow */
    failing = true;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct model_channel *channel = &channels[p][c];
            for (unsigned i = 0; i < channel->handle_count; i++)
                channel->handles[i].gone |= channel->handles[i].queue == q;
            for (unsigned i = 0; i < channel->tx_handle_count; i++)
                channel->tx_handles[i].gone |= channel->tx_handles[i].queue == q;
        }
    for (unsigned i = 0; i < queues[q].count; i++) {
        set_state(q, i, SETTLED);
        queues[q].items[i].settled_synced = true;
    }
    do_delete(&h, "A1", name, "");
    failing = false;
    do_declare(&h, "A1", name, q < DURABLE ? "d" : "");
    harness_sync(&h);
}

static bool all_confirmed(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            if (channels[p][c].confirmed != channels[p][c].publish_count)
                return false;
    for (unsigned i = 0; i < commit_count; i++)
        if (commits[i].channel)
            return false;
    return true;
}

static void synced(void)
{
    harness_sync(&h);
#ifdef HARNESS_LEVELDB /* its threads are slow on a busy machine */
    for (int i = 0; i < 1000 && !all_confirmed(); i++)
        harness_sync(&h);
#endif
    MUST(all_confirmed());
    while (commit_count)
        commit_synced(commit_count - 1);
#ifndef HARNESS_LEVELDB /* its pages may take longer */
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            MUST(channels[p][c].gets == 0);
#endif
    for (unsigned q = 0; q < QUEUES; q++)
        for (unsigned i = 0; i < queues[q].count; i++)
            queues[q].items[i].settled_synced = queues[q].items[i].state == SETTLED;
}

/* Checks that the vhost's own numbers are those of the model. */
static void compare(void)
{
    uint64_t memory = 0;
    harness_pass(&h, 0);
    for (unsigned q = 0; q < QUEUES; q++) {
        struct queue_info info;
        expire(q, queues[q].count);
        char name[8];
        name_of(q, name);
        ck_assert(vhost_find_queue(h.vhost, bytes_of_text(name), &info));
        /* Messages that expired behind an unsettled delivery may have gone before it came back. */
        unsigned doubtful = 0;
        for (unsigned i = queues[q].low; i < queues[q].count && EXPIRING >> q & 1; i++)
            doubtful += queues[q].items[i].state == READY && expired(&queues[q].items[i]);
        ck_assert_uint_le(info.messages_ready, queues[q].ready);
        ck_assert_uint_ge(info.messages_ready + doubtful, queues[q].ready);
        ck_assert_uint_eq(info.messages_unacknowledged, queues[q].unsettled);
        memory += info.messages_ram;
    }
    if (memory == 0)
        ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}

static void crash(void)
{
    crashes++;
    for (unsigned p = 0; p < PEERS; p++) {
        owed[p] = 0;
        for (unsigned c = 1; c <= CHANNELS; c++)
            end_channel(&channels[p][c]);
    }
    commits_keep_live();
    for (unsigned q = 0; q < QUEUES; q++)
        for (unsigned i = 0; i < queues[q].count; i++)
            if (queues[q].items[i].state == READY)
                set_state(q, i, LOST);
    harness_crash(&h);
    surveying = true;
    open_channels();
    declare_all();
    for (unsigned q = 0; q < DURABLE; q++) {
        struct queue_info info;
        char name[8];
        name_of(q, name);
        survey_queue = q;
        survey_any = false;
        ck_assert(vhost_find_queue(h.vhost, bytes_of_text(name), &info));
        for (uint64_t i = 0; i < info.messages_ready; i++) {
            channels[0][1].gets++;
            do_get(&h, "A1", name, "a");
        }
        for (unsigned i = 0; i < 1000 && channels[0][1].gets; i++)
            harness_sync(&h);
        for (unsigned i = 0; i < queues[q].count; i++) {
            struct item *item = &queues[q].items[i];
            if (item->state == LOST) {
                MUST(!item->persistent || !item->confirmed || expired(item));
                item->settled_synced = item->lost = true;
                set_state(q, i, SETTLED);
            }
        }
    }
    commits_check();
    for (unsigned q = DURABLE; q < QUEUES; q++)
        for (unsigned i = 0; i < queues[q].count; i++)
            set_state(q, i, SETTLED);
    surveying = false;
    requeue_all(&channels[0][1]);
    do_plain(&h, "A1", COMMAND_RECOVER);
    harness_sync(&h);
    compare();
}

/* Sets, changes or clears a policy. Its settings make no difference in this test, but the queues
 * must take them over. */
static void change_policy(void)
{
    static const struct {
        const char *key;
        int64_t value;
    } settings[] = {{"max-length", 1000000000},
                    {"max-length-bytes", 1000000000000},
                    {"message-ttl", 300000000000},
                    {"expires", 300000000000},
                    {"consumer-timeout", 300000000000}};
    static const char *const patterns[] = {"", "^q", "[02468]$", "^nothing"};
    struct text definition = {0};
    struct policy_info info;
    char name[] = {'p', (char)('0' + pick(4)), '\0'};
    struct command command = {.type = COMMAND_POLICY_DELETE, .channel = 1};
    command.u.policy.operator_policy = pick(2);
    command.u.policy.name = bytes_of_text(name);
    if (pick(3)) {
        unsigned which = pick(command.u.policy.operator_policy ? 4 : 5);
        table_put_i64(&definition, settings[which].key, settings[which].value);
        command.type = COMMAND_POLICY_PUT;
        command.u.policy.pattern = bytes_of_text(patterns[pick(4)]);
        command.u.policy.priority = pick(3);
        command.u.policy.definition = text_bytes(&definition);
    } else if (!vhost_find_policy(h.vhost, command.u.policy.operator_policy, command.u.policy.name,
                                  &info)) {
        return;
    }
    if (!h.peers[OPERATOR - 'A'])
        do_open(&h, (const char[]){OPERATOR, '1', '\0'});
    harness_do(&h, OPERATOR, &command);
    text_free(&definition);
}

/* Consumes, gets or cancels on queue q; what: 650 to 779 of 1000. */
static void get_or_consume(const char *who, struct model_channel *channel, unsigned q,
                           unsigned what)
{
    char name[8];
    name_of(q, name);
    if (what < 700) {
        /* A get-ok behind a commit-ok that waits for the disk would come late, so the get waits
         * until the commit is answered, as most clients do. */
        if (!is_committing(channel)) {
            channel->gets++;
            do_get(&h, who, name, "a");
        }
    } else if (what < 740) {
        bool acks = pick(4);
        if (!channel->consuming[q])
            do_consume(&h, who, name, q * 2 + acks, acks ? "a" : "", (int)pick(3));
        channel->consuming[q] = true;
    } else {
        do_cancel(&h, who, q * 2);
        do_cancel(&h, who, q * 2 + 1);
        channel->consuming[q] = false;
    }
}

/* Ends the channel, by a close or by an error, or its connection; what: 989 to 995 of 1000. */
static void end_one(unsigned p, const char *who, struct model_channel *channel, unsigned what)
{
    if (what < 993) {
        give_back(channel);
        do_close(&h, who);
        harness_sync(&h);
        end_channel(channel);
    } else if (what < 995) {
        give_back(channel);
        failing = true;
        do_ack(&h, who, 999999999, false);
        do_close(&h, who);
        harness_sync(&h); /* close-ok may wait behind a commit-ok */
        failing = false;
        end_channel(channel);
    } else {
        for (unsigned i = 1; i <= CHANNELS; i++)
            give_back(&channels[p][i]);
        harness_detach(&h, (char)('A' + p));
        for (unsigned i = 1; i <= CHANNELS; i++)
            end_channel(&channels[p][i]);
        owed[p] = 0;
    }
    open_channels();
}

static void purge(const char *who, unsigned q)
{
    char name[8];
    name_of(q, name);
    while (queues[q].ready)
        set_state(q, first_ready(q), SETTLED);
    do_purge(&h, who, name);
}

static void step(void)
{
    unsigned p = pick(PEERS), c = 1 + pick(CHANNELS), q = pick(QUEUES);
    struct model_channel *channel = &channels[p][c];
    char who[8];
    who_of(p, c, who);
    unsigned what = pick(1000);
    if (channel->tx && channel->gets == 0 && pick(8) == 0) {
        tx_end(who, channel);
    } else if (what < 300) {
        (channel->tx ? tx_publish_some : publish_some)(who, channel, q, 1 + pick(3));
    } else if (what < 306) {
        (channel->tx ? tx_publish_some : publish_some)(who, channel, q, 300 + pick(1500));
    } else if (what < 650) {
        settle_some(who, channel);
    } else if (what < 780) {
        get_or_consume(who, channel, q, what);
    } else if (what < 850) {
        do_credit(&h, who, (uint32_t)owed[p]);
        owed[p] = 0;
    } else if (what < 930) {
        harness_turn(&h);
    } else if (what < 975) {
        harness_disk(&h);
    } else if (what < 985) {
        synced();
        compare();
    } else if (what < 989) {
        requeue_all(channel);
        do_plain(&h, who, COMMAND_RECOVER);
    } else if (what < 996) {
        end_one(p, who, channel, what);
    } else if (what < 997) {
        purge(who, q);
    } else if (what < 998) {
        change_policy();
        if (pick(4) == 0)
            delete_queue(q);
        else
            harness_pass(&h, pick(500));
    } else if (pick(4) == 0) {
        crash();
    }
}

START_TEST(random_conversations)
{
    const char *seed_text = getenv("LEVERET_SEED"), *steps_text = getenv("LEVERET_STEPS");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 20261121;
    unsigned long steps = steps_text ? strtoul(steps_text, NULL, 10) : STEPS;
    stream.state = seed;
    h.quiet = true;
    h.watch = on_event;
    h.resident_bytes_max = 400 << 10;
    h.window_bytes = 20000;
    h.portion = _i == 0 ? 0 : 20; /* 0: no portions; 20: longer commands are done in portions */
    harness_open(&h);
    open_channels();
    declare_all();
    harness_sync(&h);
    for (unsigned long i = 0; i < steps; i++)
        step();
    crash();
    printf("seed %llu: %lu steps, %lu deliveries, %lu commits, %lu restarts\n",
           (unsigned long long)seed, steps, delivered_events, commits_answered, crashes);
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            end_channel(&channels[p][c]);
    for (unsigned q = 0; q < QUEUES; q++)
        free(queues[q].items);
    free(tokens.at);
    free(commits);
    harness_close(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_random");
    TCase *tests = tcase_create("core_random");
    tcase_set_timeout(tests, 1200);
    tcase_add_loop_test(tests, random_conversations, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
