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
    c->done(c->context, admin->closed ? NULL : &c->totals);
    for (size_t i = 0; i < c->totals.vhost_count; i++)
        free(c->totals.vhosts[i].name);
    free(c->totals.vhosts);
    free(c->totals.mailbox_depths);
    free(c);
    admin_unref(admin);
}

static void add_vhost(struct totals *t, const struct vhost_sum *v)
{
    t->all.queues += v->totals.queues;
    t->all.exchanges += v->totals.exchanges;
    t->all.bindings += v->totals.bindings;
    t->all.consumers += v->totals.consumers;
    t->all.channels += v->totals.channels;
    t->all.peers += v->totals.peers;
    t->all.messages_ready += v->totals.messages_ready;
    t->all.messages_unacknowledged += v->totals.messages_unacknowledged;
    counters_add_rates(&t->all.rates, &v->totals.rates);
    counters_add(&t->all.counters, &v->totals.counters);
    t->journal.batches += v->journal.batches;
    t->journal.syncs_failed += v->journal.syncs_failed;
    t->journal.bytes_written += v->journal.bytes_written;
    t->journal.blocks_written += v->journal.blocks_written;
    t->journal.pages_in += v->journal.pages_in;
    t->journal.pages_out += v->journal.pages_out;
    t->journal.commit_us_sum += v->journal.commit_us_sum;
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
    add_vhost(&c->totals, v);
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
    struct sessions_totals *sum = &c->totals.sessions;
    sum->connections += c->worker.connections;
    sum->opened += c->worker.opened;
    sum->closed += c->worker.closed;
    sum->channels += c->worker.channels;
    sum->channels_opened += c->worker.channels_opened;
    sum->channels_closed += c->worker.channels_closed;
    sum->refused += c->worker.refused;
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
