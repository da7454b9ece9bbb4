/* Counting sums: each vhost's owner and each worker is visited once, one after the other. */
#include "admin/metrics/totals.h"

#include <stdlib.h>

#include "admin/listing/gather.h"
#include "leveret/base/mem.h"

struct counting {
    struct totals totals;
    struct admin *admin;
    void (*done)(void *context, const struct totals *totals);
    void *context;
    size_t vhost_at;
    unsigned worker_at;
    struct sessions_totals worker;
};

static void next_vhost(struct counting *c);
static void next_worker(struct counting *c);

static void finish(struct counting *c)
{
    struct admin *admin = c->admin;
    c->totals.messages = c->totals.all.messages_ready + c->totals.all.messages_unacknowledged;
    c->done(c->context, admin->closed ? NULL : &c->totals);
    for (size_t i = 0; i < c->totals.vhost_count; i++)
        free(c->totals.vhosts[i].name);
    free(c->totals.vhosts);
    free(c->totals.mailbox_depths);
    free(c);
    admin_unref(admin);
}

/* ---- Sums. */

void totals_add(struct vhost_totals *sum, const struct vhost_totals *more)
{
    sum->queues += more->queues;
    sum->exchanges += more->exchanges;
    sum->bindings += more->bindings;
    sum->consumers += more->consumers;
    sum->channels += more->channels;
    sum->peers += more->peers;
    sum->messages_ready += more->messages_ready;
    sum->messages_unacknowledged += more->messages_unacknowledged;
    sum->disk_reads += more->disk_reads;
    sum->disk_writes += more->disk_writes;
    sum->born_ready += more->born_ready;
    counters_add_rates(&sum->rates, &more->rates);
    counters_add(&sum->counters, &more->counters);
}

void totals_add_journal(struct journal_figures *sum, const struct journal_figures *more)
{
    sum->batches += more->batches;
    sum->syncs_failed += more->syncs_failed;
    sum->bytes_written += more->bytes_written;
    sum->blocks_written += more->blocks_written;
    sum->pages_in += more->pages_in;
    sum->pages_out += more->pages_out;
    sum->commit_us_sum += more->commit_us_sum;
    sum->io.reads += more->io.reads;
    sum->io.read_bytes += more->io.read_bytes;
    sum->io.read_us += more->io.read_us;
    sum->io.writes += more->io.writes;
    sum->io.write_bytes += more->io.write_bytes;
    sum->io.write_us += more->io.write_us;
    sum->io.syncs += more->io.syncs;
    sum->io.sync_us += more->io.sync_us;
}

void totals_add_sessions(struct sessions_totals *sum, const struct sessions_totals *more)
{
    sum->connections += more->connections;
    sum->opened += more->opened;
    sum->closed += more->closed;
    sum->channels += more->channels;
    sum->channels_opened += more->channels_opened;
    sum->channels_closed += more->channels_closed;
    sum->refused += more->refused;
    sum->received_bytes += more->received_bytes;
    sum->sent_bytes += more->sent_bytes;
    sum->reads += more->reads;
    sum->writes += more->writes;
}

void totals_values(const struct vhost_totals *totals, uint64_t received_bytes, uint64_t sent_bytes,
                   uint64_t values[VHOST_NUMBERS])
{
    stats_values(&totals->rates, totals->disk_reads, totals->disk_writes, values);
    values[NUMBER_READY] = totals->messages_ready;
    values[NUMBER_UNACKNOWLEDGED] = totals->messages_unacknowledged;
    values[NUMBER_MESSAGES] = totals->messages_ready + totals->messages_unacknowledged;
    values[NUMBER_RECEIVED] = received_bytes;
    values[NUMBER_SENT] = sent_bytes;
}

void totals_tell(const struct request *request, struct bytes vhost,
                 const struct vhost_totals *totals, const uint64_t values[VHOST_NUMBERS],
                 unsigned wanted, uint64_t end_ms, struct told *out)
{
    uint64_t born[VHOST_NUMBERS];
    const struct archive_object object = {
        .kind = ARCHIVE_VHOST, .born_ms = totals->born_wall_ms, .values = values, .born = born};
    stats_born(totals->born_ready, born);
    stats_tell_until(request, 'v', vhost, &object, wanted, end_ms, out);
}

/* ---- Vhosts. */

static void count_vhost(struct vhost *vhost, void *argument)
{
    struct counting *c = argument;
    struct vhost_sum *v = &c->totals.vhosts[c->vhost_at];
    v->answered = true;
    vhost_totals(vhost, &v->totals);
}

static void counted_vhost(void *argument)
{
    struct counting *c = argument;
    if (c->admin->closed) {
        finish(c);
        return;
    }
    struct vhost_sum *v = &c->totals.vhosts[c->vhost_at++];
    v->journalled =
        node_journal_figures(c->admin->options.node, bytes_of_text(v->name), &v->journal);
    if (!v->journalled)
        v->journal = (struct journal_figures){0};
    totals_add(&c->totals.all, &v->totals);
    totals_add_journal(&c->totals.journal, &v->journal);
    next_vhost(c);
}

static void next_vhost(struct counting *c)
{
    for (; c->vhost_at < c->totals.vhost_count; c->vhost_at++)
        if (node_ask_vhost(c->admin->options.node,
                           bytes_of_text(c->totals.vhosts[c->vhost_at].name), count_vhost,
                           counted_vhost, c) == STATUS_OK)
            return;
    next_worker(c);
}

/* ---- Workers. */

static void count_worker(struct sessions *sessions, void *argument)
{
    struct counting *c = argument;
    sessions_totals(sessions, &c->worker);
    c->totals.mailbox_depths[c->worker_at] = loop_mailbox_depth(loop_current());
}

static void counted_worker(void *argument)
{
    struct counting *c = argument;
    totals_add_sessions(&c->totals.sessions, &c->worker);
    c->worker_at++;
    next_worker(c);
}

static void next_worker(struct counting *c)
{
    if (!c->admin->closed && c->worker_at < c->totals.workers)
        sessions_ask(c->admin->options.sessions[c->worker_at], count_worker, counted_worker, c);
    else
        finish(c);
}

void totals_count(struct admin *admin, void (*done)(void *context, const struct totals *totals),
                  void *context)
{
    struct counting *c = mem_need(sizeof *c);
    size_t count;
    char **names = gather_vhost_names(admin, &count);
    c->admin = admin;
    c->done = done;
    c->context = context;
    c->totals.workers = admin->options.workers;
    c->totals.mailbox_depths = mem_need((admin->options.workers + 1) * sizeof(size_t));
    c->totals.vhosts = mem_need((count + 1) * sizeof *c->totals.vhosts);
    c->totals.vhost_count = count;
    for (size_t i = 0; i < count; i++)
        c->totals.vhosts[i].name = names[i];
    free(names);
    admin_ref(admin);
    next_vhost(c);
}

/* ---- For requests. */

struct waiting {
    struct request *request;
    void (*done)(struct request *request, const struct totals *totals);
};

static void counted(void *context, const struct totals *totals)
{
    struct waiting waiting = *(struct waiting *)context;
    free(context);
    waiting.request->asking = false;
    if (totals)
        waiting.done(waiting.request, totals);
    else
        request_free(waiting.request);
}

void totals_for(struct request *request,
                void (*done)(struct request *request, const struct totals *totals))
{
    struct waiting *waiting = mem_need(sizeof *waiting);
    *waiting = (struct waiting){request, done};
    request->asking = true;
    totals_count(request->admin, counted, waiting);
}
