/* One vhost on its owner. See home.h.
 *
 * Normal course: a command is applied (link.c), and home_touched schedules the end of the turn.
 * There the core keeps the promises that need no disk, the journal takes its batch over, and the
 * timer is set to the core's deadline. When the batch is on disk a writer thread wakes the owner,
 * which calls journal_poll; that calls vhost_committed, and confirms leave.
 *
 * What can go wrong:
 *  - The journal cannot write: publishers are held, and told why, until it can.
 *  - The journal falls behind: publishers are not read until it has caught up.
 *  - The vhost's data are damaged: home_new fails, and the node may keep a home that is down. */
#include "home.h"

#include <stdio.h>
#include <string.h>

#include "data_dir.h"
#include "leveret/auth/topic_permissions.h"
#include "leveret/base/clock.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveret/journal/journal_memory.h"
#include "link.h"
#include "node_internal.h"

/* Bytes of deliveries that may be on their way to one connection. At the limit its consumers get no
 * more until the connection has written some. */
#define PEER_WINDOW_BYTES (1u << 20)

struct moment home_moment(const struct home *home)
{
    struct loop_time time = loop_time(home->owner);
    return (struct moment){time.steady_ms, time.wall_ms};
}

static void set_timer(struct home *home)
{
    uint64_t deadline = vhost_deadline_ms(home->vhost);
    if (deadline == UINT64_MAX) {
        timer_clear(home->timer);
        return;
    }
    uint64_t now = loop_now_ms(home->owner);
    timer_set(home->timer, deadline > now ? deadline - now : 0);
}

static void tick(struct home *home)
{
    home->tick_due = false;
    home_enter(home);
    struct applied applied = vhost_tick(home->vhost, home_moment(home));
    home_leave(home);
    home_touched(home);
    (void)share_spend(&home->sharer, applied.units, loop_now_ms(home->owner));
}

static bool sharer_go_on(struct sharer *sharer)
{
    struct home *home = container_of(sharer, struct home, sharer);
    bool due = home->tick_due;
    if (due)
        tick(home);
    return due;
}

static void sharer_over(struct sharer *sharer)
{
    (void)sharer;
}

/* A vhost that has much to do by itself waits in the line of clients whose commands cost much. */
static void timer_due(void *context)
{
    struct home *home = context;
    if (!home->vhost)
        return;
    if (home->sharer.waits)
        home->tick_due = true;
    else
        tick(home);
}

/* Tells the node's account how many bytes the vhost's messages take, and lets the node weigh its
 * memory when they have grown by NODE_WEIGH_BYTES. */
static void tell_memory(struct home *home, uint64_t bytes)
{
    if (bytes == home->told_bytes)
        return;
    account_tell(node_account(home->node), ACCOUNT_MESSAGES, &home->told_bytes, bytes);
    if (bytes < home->weighed_bytes)
        home->weighed_bytes = bytes;
    if (bytes - home->weighed_bytes < NODE_WEIGH_BYTES)
        return;
    home->weighed_bytes = bytes;
    node_weigh_memory(home->node);
}

static void end_of_turn(struct loop_task *task)
{
    struct home *home = container_of(task, struct home, commit);
    if (!home->vhost)
        return;
    if (!home->timer)
        home->timer = timer_new(home->owner, timer_due, home);
    home_enter(home);
    vhost_flush(home->vhost, home_moment(home));
    home_leave(home);
    if (!vhost_holds_batch(home->vhost))
        journal_flush(home->journal);
    if (home->memory_disk) {
        /* The memory journal has written the batch already, and has no thread to wake this loop. */
        home_enter(home);
        journal_poll(home->journal);
        home_leave(home);
    }
    tell_memory(home, vhost_resident_bytes(home->vhost));
    uint64_t unwritten = journal_unwritten_bytes(home->journal);
    unsigned gate = atomic_load_explicit(&home->gate, memory_order_relaxed);
    if ((gate == GATE_OPEN && unwritten > HOME_UNWRITTEN_BYTES_MAX) ||
        (gate == GATE_BUSY && unwritten < HOME_UNWRITTEN_BYTES_MAX / 2))
        home_weigh_gate(home);
    set_timer(home);
}

void home_touched(struct home *home)
{
    loop_at_end(home->owner, PHASE_COMMIT, &home->commit);
}

void home_weigh_gate(struct home *home)
{
    if (!home->vhost)
        return;
    uint64_t unwritten = journal_unwritten_bytes(home->journal);
    unsigned before = atomic_load_explicit(&home->gate, memory_order_relaxed);
    uint64_t limit = before == GATE_BUSY ? HOME_UNWRITTEN_BYTES_MAX / 2 : HOME_UNWRITTEN_BYTES_MAX;
    bool memory;
    const char *alarm = node_alarm_text(home->node, &memory);
    enum publish_gate gate = GATE_OPEN;
    const char *text = "";
    if (home->health != STATUS_OK) {
        gate = memory ? GATE_MEMORY : GATE_ALARM;
        text = home->health_text;
    } else if (alarm) {
        gate = memory ? GATE_MEMORY : GATE_ALARM;
        text = alarm;
    } else if (unwritten > limit) {
        gate = GATE_BUSY;
    }
    if (gate == before && strcmp(text, home->gate_text) == 0)
        return;
    atomic_store_explicit(&home->gate, gate, memory_order_relaxed);
    snprintf(home->gate_text, sizeof home->gate_text, "%s", text);
    links_tell_gate(home);
}

/* ---- The journal's callbacks. They run on the owner, from within journal_poll. */

static void committed(void *context, uint64_t batch)
{
    struct home *home = context;
    vhost_committed(home->vhost, batch, home_moment(home));
}

static void paged_in(void *context, struct journal_page *page)
{
    struct home *home = context;
    vhost_paged_in(home->vhost, page, home_moment(home));
}

static void paged_out(void *context, struct journal_lane *lane, uint64_t chunk, enum status status)
{
    struct home *home = context;
    vhost_paged_out(home->vhost, lane, chunk, status);
}

static void stalled(void *context, struct journal_lane *lane, enum status status)
{
    struct home *home = context;
    vhost_stalled(home->vhost, lane, status);
}

static void set_unwritable(struct home *home, bool on)
{
    if (atomic_exchange(&home->unwritable, on) != on)
        node_count_unwritable(home->node, on ? 1 : -1);
}

static void health(void *context, enum status status, const char *text)
{
    struct home *home = context;
    if (status == STATUS_OK)
        log_line(home->log, LOG_INFO, "journal", "vhost '%s': writing works again", home->name);
    else
        log_line(home->log, LOG_ERROR, "journal",
                 "vhost '%s': cannot write, publishers are blocked: %s", home->name, text);
    home->health = status;
    set_unwritable(home, status != STATUS_OK);
    snprintf(home->health_text, sizeof home->health_text, "disk: %s", status_text(status));
    home_weigh_gate(home);
}

static void poll_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct home *home;
    memcpy(&home, letter, sizeof home);
    if (!receiver || !home->vhost)
        return;
    home_enter(home);
    journal_poll(home->journal);
    home_leave(home);
    home_touched(home);
}

/* Called on any thread. */
static void wake(void *context)
{
    struct home *home = context;
    loop_post(home->owner, poll_letter, &home, sizeof home);
}

/* ---- Events. */

static void told(void *context, const char *event, struct bytes headers)
{
    struct home *home = context;
    node_announce(home->node, ANNOUNCE_EVENT, bytes_of_text(event), headers, bytes_of("", 0));
}

static void warn(void *context, const char *text)
{
    struct home *home = context;
    log_line(home->log, LOG_WARNING, "queue", "vhost '%s': %s", home->name, text);
}

static bool may_publish(void *context, const struct publish_question *question)
{
    const struct home *home = context;
    const struct auth *auth = node_auth(home->node);
    struct bytes vhost = bytes_of_text(home->name);
    const struct topic_use use = {.user = question->user,
                                  .vhost = vhost,
                                  .exchange = question->exchange,
                                  .routing_key = question->routing_key,
                                  .permission = PERMISSION_WRITE};
    return !auth ||
           (auth_allowed(auth, question->user, vhost, PERMISSION_WRITE, question->exchange) &&
            (!question->topic || auth_topic_allowed(auth, &use)));
}

static void listened(void *context, bool events, bool log)
{
    struct home *home = context;
    node_listened(home->node, events, log);
}

/* ---- Life. */

/* Makes a home that has no vhost and no journal yet. */
static struct home *begin(const struct home_options *options)
{
    struct home *home = mem_need(sizeof *home);
    home->node = options->node;
    home->owner = options->owner;
    home->log = options->log;
    home->name = mem_need_text(options->name.at, options->name.len);
    home->path = options->path ? mem_need_text(options->path, strlen(options->path)) : NULL;
    home->commit.run = end_of_turn;
    home->share = options->share;
    home->sharer.share = options->share;
    home->sharer.go_on = sharer_go_on;
    home->sharer.over = sharer_over;
    TAILQ_INIT(&home->links);
    return home;
}

struct home *home_new_down(const struct home_options *options, enum status status, char *reason)
{
    struct home *home = begin(options);
    home->down_status = status;
    home->down_reason = reason;
    return home;
}

enum status home_new(const struct home_options *options, struct home **out, char **error)
{
    struct home *home = begin(options);

    const struct journal_callbacks callbacks = {home,      committed, paged_in,
                                                paged_out, health,    stalled};
    if (home->path) {
        const struct journal_leveldb_options journal_options = {
            .path = home->path,
            .threads = options->threads,
            .log = options->log,
            .wake = wake,
            .wake_context = home,
        };
        home->journal = journal_leveldb_new(&journal_options, &callbacks);
    } else {
        home->memory_disk = journal_memory_disk_new();
        home->journal = journal_memory_new(home->memory_disk, &callbacks, true);
    }

    struct vhost_options vhost_options = {
        .name = options->name,
        .journal = home->journal,
        .event = link_event,
        .context = home,
        .limits = options->limits,
        .dialect = options->dialect,
        .peer_window_bytes = PEER_WINDOW_BYTES,
        .portion = HOME_PORTION_UNITS,
        .node_name = bytes_of_text(options->node_name),
        .announces = options->announces,
        .account = node_account(options->node),
        .census = options->census,
        .told = told,
        .warn = warn,
        .may_publish = may_publish,
        .listened = listened,
    };
    random_bytes(&vhost_options.random_seed, sizeof vhost_options.random_seed);
    home->vhost = vhost_new(&vhost_options);
    struct moment now = {clock_steady_ms(), clock_wall_ms()};
    enum status status = vhost_recover(home->vhost, now, error);
    if (status != STATUS_OK) {
        home_free(&home);
        return status;
    }
    home_weigh_gate(home);
    vhost_watch(home->vhost, node_watched(home->node));
    wake(home); /* recovery may have left work: the loop is to begin with it at once */
    *out = home;
    return STATUS_OK;
}

static void close_vhost(struct home *home)
{
    vhost_free(&home->vhost);
    tell_memory(home, 0);
    set_unwritable(home, false);
    if (home->journal)
        journal_free(&home->journal);
    if (home->memory_disk)
        journal_memory_disk_free(&home->memory_disk);
}

void home_free(struct home **home)
{
    struct home *h = *home;
    if (!h)
        return;
    *home = NULL;
    close_vhost(h);
    if (h->timer)
        timer_free(&h->timer);
    free(h->name);
    free(h->path);
    free(h->down_reason);
    free(h);
}

void home_end(struct home *home)
{
    if (!home->vhost && !home->down_reason)
        return;
    if (home->vhost) {
        links_detach(home);
        share_leave(&home->sharer);
        close_vhost(home);
    }
    loop_task_cancel(home->owner, &home->commit);
    if (home->timer)
        timer_free(&home->timer);
    if (home->path && data_dir_remove_vhost(home->path) != STATUS_OK)
        log_line(home->log, LOG_ERROR, "journal",
                 "vhost '%s' is deleted, but its data in %s could not be removed", home->name,
                 home->path);
    atomic_store(&home->ended, true);
}
