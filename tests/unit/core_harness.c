/* Drives a vhost without a broker around it: see core_harness.h. */
#include "core_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static const char *const command_names[] = {
    [COMMAND_CHANNEL_OPEN] = "open",
    [COMMAND_CHANNEL_CLOSE] = "close",
    [COMMAND_CREDIT] = "credit",
    [COMMAND_CONFIRM_SELECT] = "confirm-select",
    [COMMAND_TX_SELECT] = "tx-select",
    [COMMAND_TX_COMMIT] = "commit",
    [COMMAND_TX_ROLLBACK] = "rollback",
    [COMMAND_EXCHANGE_DECLARE] = "exchange",
    [COMMAND_EXCHANGE_DELETE] = "exchange-delete",
    [COMMAND_EXCHANGE_BIND] = "exchange-bind",
    [COMMAND_EXCHANGE_UNBIND] = "exchange-unbind",
    [COMMAND_QUEUE_DECLARE] = "declare",
    [COMMAND_QUEUE_DELETE] = "delete",
    [COMMAND_QUEUE_PURGE] = "purge",
    [COMMAND_QUEUE_PAUSE] = "pause",
    [COMMAND_QUEUE_BIND] = "bind",
    [COMMAND_QUEUE_UNBIND] = "unbind",
    [COMMAND_TOPIC_CHECK] = "topic check",
    [COMMAND_PUBLISH] = "publish",
    [COMMAND_CONSUME] = "consume",
    [COMMAND_CANCEL] = "cancel",
    [COMMAND_GET] = "get",
    [COMMAND_PEEK] = "peek",
    [COMMAND_MOVE] = "move",
    [COMMAND_DROP_MESSAGE] = "drop",
    [COMMAND_QOS] = "qos",
    [COMMAND_RECOVER] = "recover",
    [COMMAND_ACK] = "ack",
    [COMMAND_NACK] = "nack",
    [COMMAND_REJECT] = "reject",
    [COMMAND_POLICY_PUT] = "policy-put",
    [COMMAND_POLICY_DELETE] = "policy-delete",
    [COMMAND_NONE] = "none",
};

/* ---- Events to text. */

static void add_body(struct text *lines, const struct message *message)
{
    if (message_body_pieces(message) == 0) {
        text_printf(lines, "(empty)");
        return;
    }
    struct bytes piece = message_body_piece(message, 0);
    if (piece.len > 40)
        piece.len = 40;
    text_add_bytes(lines, piece);
}

static void add_marks(struct text *lines, const struct message *message, bool redelivered)
{
    struct properties properties;
    struct field count, acquired;
    if (redelivered)
        text_printf(lines, " redelivered");
    if (!message->has_headers ||
        properties_decode(message_properties(message), &properties) != STATUS_OK)
        return;
    if (!table_find(properties.headers, "x-delivery-count", &count))
        count.type = FIELD_VOID;
    else
        text_printf(lines, " count %lld", (long long)count.value.integer);
    if (!table_find(properties.headers, "x-acquired-count", &acquired))
        text_printf(lines, "%s", count.type == FIELD_VOID ? "" : " not acquired");
    else if (count.type == FIELD_VOID || acquired.value.integer != count.value.integer)
        text_printf(lines, " acquired %lld", (long long)acquired.value.integer);
}

static void add_reply(struct text *lines, const struct event *event)
{
    const char *command = command_names[event->u.reply.command];
    if (event->u.reply.status) {
        text_printf(lines, " fail %s %s %s", command, status_name(event->u.reply.status),
                    event->u.reply.text);
        return;
    }
    if (event->u.reply.command == COMMAND_GET) {
        if (event->u.reply.empty) {
            text_printf(lines, " empty");
            return;
        }
        text_printf(lines, " got t%llu ", (unsigned long long)event->got.tag);
        add_body(lines, event->got.message);
        text_printf(lines, " left %u", event->u.reply.messages);
        add_marks(lines, event->got.message, event->got.redelivered);
        return;
    }
    text_printf(lines, " ok %s", command);
    if (event->u.reply.command == COMMAND_QUEUE_DECLARE)
        text_printf(lines, " %.*s %u %u", BYTES_PRINT(event->u.reply.name), event->u.reply.messages,
                    event->u.reply.consumers);
    else if (event->u.reply.command == COMMAND_QUEUE_DELETE ||
             event->u.reply.command == COMMAND_QUEUE_PURGE)
        text_printf(lines, " %u", event->u.reply.messages);
    else if (event->u.reply.command == COMMAND_CONSUME || event->u.reply.command == COMMAND_CANCEL)
        text_printf(lines, " c%u", event->u.reply.consumer);
}

static const char *const skips[] = {
    [MOVE_NO_DEAD_LETTER] = "no dead letter", [MOVE_NO_QUEUE] = "no queue",
    [MOVE_NO_EXCHANGE] = "no exchange",       [MOVE_NO_ROUTE] = "no route",
    [MOVE_SAME_QUEUE] = "same queue",         [MOVE_NOT_ALLOWED] = "not allowed",
};

static void add_event(struct text *lines, char peer, const struct event *event)
{
    text_printf(lines, "%c", peer);
    if (event->channel)
        text_printf(lines, "%u", event->channel);
    switch (event->type) {
    case EVENT_REPLY:
        add_reply(lines, event);
        break;
    case EVENT_DELIVER:
        text_printf(lines, " deliver c%u t%llu ", event->u.deliver.consumer,
                    (unsigned long long)event->u.deliver.tag);
        add_body(lines, event->u.deliver.message);
        add_marks(lines, event->u.deliver.message, event->u.deliver.redelivered);
        break;
    case EVENT_PEEKED: {
        const struct peeked *peeked = event->u.peeked.peeked;
        static const char *const states[] = {[MESSAGE_STATE_READY] = "ready",
                                             [MESSAGE_STATE_UNACKED] = "unacked",
                                             [MESSAGE_STATE_DYING] = "dying"};
        text_printf(lines, " peeked %llu ", (unsigned long long)peeked->position);
        add_body(lines, peeked->message);
        text_printf(lines, " %s", states[peeked->state]);
        if (peeked->redelivered)
            text_printf(lines, " redelivered");
        if (peeked->returns)
            text_printf(lines, " count %u", peeked->returns);
        if (peeked->expires_ms)
            text_printf(lines, " expires");
        if (peeked->delivery_tag)
            text_printf(lines, " by %.*s%u %.*s t%llu", BYTES_PRINT(peeked->peer_name),
                        peeked->channel, BYTES_PRINT(peeked->consumer_tag),
                        (unsigned long long)peeked->delivery_tag);
        break;
    }
    case EVENT_MOVED: {
        const struct moved *moved = event->u.moved.moved;
        text_printf(lines, " moved %u left %llu", moved->moved, (unsigned long long)moved->left);
        for (unsigned i = 0; i < MOVE_SKIPS; i++)
            if (moved->skipped[i])
                text_printf(lines, " skipped %s %u", skips[i], moved->skipped[i]);
        text_printf(lines, "%s%s", moved->done ? " done" : "", moved->blocked ? " blocked" : "");
        break;
    }
    case EVENT_RETURN:
        text_printf(lines, " return ");
        add_body(lines, event->u.returned.message);
        text_printf(lines, " %s", status_name(event->u.returned.status));
        break;
    case EVENT_CONFIRM:
        text_printf(lines, " confirm %llu%s%s", (unsigned long long)event->u.confirm.upto,
                    event->u.confirm.multiple ? " multiple" : "",
                    event->u.confirm.nack ? " nack" : "");
        break;
    case EVENT_CANCELLED:
        text_printf(lines, " cancelled c%u", event->u.cancelled.consumer);
        break;
    case EVENT_PACE:
        text_printf(lines, " pace %s", event->u.pace.slow ? "slow" : "free");
        break;
    case EVENT_GATE: /* the host makes it, never the core */
        break;
    case EVENT_DETACHED:
        text_printf(lines, " detached");
        break;
    }
    text_printf(lines, "\n");
}

static void on_event(void *context, void *owner, const struct event *event)
{
    struct harness *h = context;
    char peer = *(char *)owner;
    if (h->watch)
        h->watch(h->watch_context, peer, event);
    if (!h->quiet)
        add_event(&h->lines, peer, event);
}

const char *harness_take(struct harness *h)
{
    free(h->taken);
    text_add(&h->lines, "", 1);
    h->taken = (char *)h->lines.at;
    h->lines = (struct text){0};
    return h->taken;
}

/* ---- Life. */

static void on_committed(void *context, uint64_t batch)
{
    struct harness *h = context;
    vhost_committed(h->vhost, batch, h->now);
}

static void on_paged_in(void *context, struct journal_page *page)
{
    struct harness *h = context;
    h->pages_in++;
    if (h->break_pages)
        page->status = STATUS_CORRUPT;
    vhost_paged_in(h->vhost, page, h->now);
}

static void on_paged_out(void *context, struct journal_lane *lane, uint64_t chunk,
                         enum status status)
{
    struct harness *h = context;
    if (status)
        h->pages_out_failed++;
    else
        h->pages_out++;
    vhost_paged_out(h->vhost, lane, chunk, status);
}

static void on_stalled(void *context, struct journal_lane *lane, enum status status)
{
    vhost_stalled(((struct harness *)context)->vhost, lane, status);
}

static void on_health(void *context, enum status status, const char *text)
{
    (void)text;
    ((struct harness *)context)->health = status;
}

#ifdef HARNESS_LEVELDB

static void on_wake(void *context)
{
    (void)context; /* polled */
}

static void open_disk(struct harness *h)
{
    char name[200];
    const char *parent = getenv("TMPDIR");
    snprintf(name, sizeof name, "%s/leveret-core-XXXXXX", parent ? parent : "/tmp");
    CHECK(mkdtemp(name));
    h->directory = mem_need_text(name, strlen(name));
    h->threads = journal_threads_new(1, NULL);
}

static void close_disk(struct harness *h)
{
    char command[256];
    journal_threads_free(&h->threads);
    snprintf(command, sizeof command, "rm -rf '%s'", h->directory);
    CHECK(system(command) == 0);
    free(h->directory);
}

static struct journal *open_journal(struct harness *h, const struct journal_callbacks *callbacks)
{
    char path[256];
    snprintf(path, sizeof path, "%s/db", h->directory);
    struct journal_leveldb_options options = {.path = path, .threads = h->threads, .wake = on_wake};
    return journal_leveldb_new(&options, callbacks);
}

static bool threads_rest(const struct harness *h)
{
    struct journal_figures figures;
    journal_leveldb_figures(h->journal, &figures);
    return figures.jobs == 0;
}

/* Waits until the journal's threads have done and reported all that was handed to them, however
 * long that takes. */
static void work_disk(struct harness *h)
{
    uint64_t wanted = journal_filling(h->journal) - 1;
    for (;;) {
        bool rested = threads_rest(h); /* true: the next poll reports all that they did */
        journal_poll(h->journal);
        if (rested && threads_rest(h) && journal_committed(h->journal) >= wanted)
            return;
        usleep(50);
    }
}

#else

static void open_disk(struct harness *h)
{
    h->disk = journal_memory_disk_new();
}

static void close_disk(struct harness *h)
{
    journal_memory_disk_free(&h->disk);
}

static struct journal *open_journal(struct harness *h, const struct journal_callbacks *callbacks)
{
    return journal_memory_new(h->disk, callbacks, false);
}

static void work_disk(struct harness *h)
{
    journal_memory_sync(h->journal);
    journal_poll(h->journal);
}

#endif

void harness_disk(struct harness *h)
{
    if (!h->halted)
        work_disk(h);
}

static void start(struct harness *h)
{
    h->halted = false;
    struct journal_callbacks callbacks = {h,         on_committed, on_paged_in, on_paged_out,
                                          on_health, on_stalled};
    h->journal = open_journal(h, &callbacks);
    struct vhost_options options = {
        .name = bytes_of_text(h->name ? h->name : "/"),
        .journal = h->journal,
        .random_seed = h->random_seed++,
        .event = on_event,
        .context = h,
        .limits = {.resident_bytes_max = h->resident_bytes_max,
                   .message_bytes_max = 1 << 20,
                   .consumer_timeout_ms = h->consumer_timeout_ms},
        .peer_window_bytes = h->window_bytes,
        .dialect = h->dialect,
        .portion = h->portion,
        .account = h->account,
        .warn = h->warn,
    };
    h->vhost = vhost_new(&options);
    char *error = NULL;
    enum status status = vhost_recover(h->vhost, h->now, &error);
    ck_assert_msg(status == STATUS_OK, "recovery: %s", error);
}

void harness_open(struct harness *h)
{
    if (!h->resident_bytes_max)
        h->resident_bytes_max = 64 << 20;
    if (!h->window_bytes)
        h->window_bytes = 1 << 20;
    if (!h->random_seed)
        h->random_seed = 7;
    open_disk(h);
    h->now = (struct moment){.steady_ms = 1000, .wall_ms = 1700000000000};
    for (int i = 0; i < PEERS_MAX; i++)
        h->letters[i] = (char)('A' + i);
    start(h);
}

static void stop(struct harness *h)
{
    vhost_free(&h->vhost);
    journal_free(&h->journal);
    memset(h->peers, 0, sizeof h->peers);
}

void harness_close(struct harness *h)
{
    if (h->vhost)
        harness_remove(h);
    text_free(&h->lines);
    free(h->taken);
    *h = (struct harness){0};
}

void harness_crash(struct harness *h)
{
    stop(h);
    start(h);
}

void harness_remove(struct harness *h)
{
    stop(h);
    close_disk(h);
}

void harness_make(struct harness *h)
{
    open_disk(h);
    start(h);
}

void harness_turn(struct harness *h)
{
    if (h->halted)
        return;
    vhost_flush(h->vhost, h->now);
    if (!vhost_holds_batch(h->vhost))
        journal_flush(h->journal);
}

void harness_sync(struct harness *h)
{
    for (int i = 0; i < 6; i++) {
        harness_turn(h);
        harness_disk(h);
    }
    if (!h->halted)
        vhost_flush(h->vhost, h->now);
}

void harness_pass(struct harness *h, uint64_t ms)
{
    h->now.steady_ms += ms;
    h->now.wall_ms += ms;
    while (vhost_deadline_ms(h->vhost) <= h->now.steady_ms)
        vhost_tick(h->vhost, h->now);
}

void harness_attach(struct harness *h, char peer)
{
    if (h->halted)
        return;
    char name[] = {'p', 'e', 'e', 'r', ' ', peer, 0};
    struct peer_options options = {
        .owner = &h->letters[peer - 'A'],
        .name = bytes_of_text(name),
        .user = bytes_of_text("guest"),
        .notify_cancel = h->notify_cancel,
    };
    h->peers[peer - 'A'] = vhost_attach(h->vhost, &options, h->now);
}

/* The harness calls this between two portions of a command. Each portion has a turn of its own. */
static void stop_between(struct harness *h)
{
    h->portions++;
    vhost_flush(h->vhost, h->now);
    if (h->between)
        h->between(h);
}

void harness_detach(struct harness *h, char peer)
{
    while (!h->halted) {
        if (!vhost_detach(h->vhost, h->peers[peer - 'A'], h->now).unfinished) {
            h->peers[peer - 'A'] = NULL;
            return;
        }
        stop_between(h);
    }
}

static void drop(const struct command *command)
{
    struct message *message = command->type == COMMAND_PUBLISH ? command->u.publish.message : NULL;
    message_unref(&message);
}

void harness_do(struct harness *h, char peer, const struct command *command)
{
    if (h->halted) {
        drop(command);
        return;
    }
    CHECK(h->peers[peer - 'A']);
    if (h->watch_command)
        h->watch_command(h->watch_context, peer, command);
    struct applied applied = vhost_apply(h->vhost, h->peers[peer - 'A'], command, h->now);
    h->units += applied.units;
    while (applied.unfinished) {
        stop_between(h);
        if (h->halted)
            return;
        applied = vhost_go_on(h->vhost, h->peers[peer - 'A'], command, h->now);
        h->units += applied.units;
    }
}
