/* The sampler.
 *
 * Normal course: a timer fires at each multiple of SERIES_TICK_MS of the wall clock and begins a
 * round. Each worker is asked for its connections that have moved bytes, then each vhost's owner
 * for its objects that have changed, SAMPLES_AT_ONCE in a visit, and for the vhost's sums; at last
 * the node is looked at. Each visit looks at a bounded number of objects. What can go wrong: a
 * vhost is down or goes meanwhile: it has no sample. A round takes longer than an interval: the
 * next one begins at the next multiple after it; rates are growth by the time that has really
 * passed. */
#include "admin/sampling/sampler.h"

#include <stdlib.h>

#include "admin/listing/gather.h"
#include "admin/metrics/process.h"
#include "admin/metrics/totals.h"
#include "admin/sampling/broker_numbers.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

/* Samples that one visit brings at most. */
#define SAMPLES_AT_ONCE 500u
/* Rounds, in which every object that has a series comes; the others bring what has changed. */
#define FULL_ROUND 12u

struct sampler {
    struct admin *admin;
    struct archive *archive;
    struct timer *timer;
    bool ended;  /* sampler_free was called */
    bool visits; /* an owner has been asked, and has not answered yet */

    /* The round that is under way. */
    uint64_t tick;
    bool all;
    struct archive_place *place;
    unsigned worker_at;
    char **vhosts;
    size_t vhost_count, vhost_at;
    struct totals sums; /* of the whole round; only all, journal and sessions are used */
    struct fd_count fds;

    /* The visit that is under way. */
    struct session_walk sessions_walk;
    struct sample_walk walk;
    struct sessions_totals worker;
    struct vhost_totals vhost;
    size_t count;
    uint64_t at_ms; /* wall clock: when it looked */
    union {
        struct session_sample sessions[SAMPLES_AT_ONCE];
        struct object_sample objects[SAMPLES_AT_ONCE];
    } u;
};

static void next_worker(struct sampler *sampler);
static void next_vhost(struct sampler *sampler);
static void look_at_node(struct sampler *sampler);

static void drop(struct sampler *sampler)
{
    struct admin *admin = sampler->admin;
    gather_names_free(sampler->vhosts, sampler->vhost_count);
    fd_count_end(&sampler->fds);
    free(sampler);
    admin_unref(admin);
}

/* To be called when an owner has answered. Returns false when the sampler has ended meanwhile; it
 * is freed then. */
static bool goes_on(struct sampler *sampler)
{
    sampler->visits = false;
    if (!sampler->ended)
        return true;
    drop(sampler);
    return false;
}

/* ---- Connections. */

static void look_at_sessions(struct sessions *sessions, void *argument)
{
    struct sampler *sampler = argument;
    sampler->count =
        sessions_sample(sessions, &sampler->sessions_walk, sampler->u.sessions, SAMPLES_AT_ONCE);
    sampler->at_ms = loop_wall_ms(loop_current());
    if (sampler->sessions_walk.done)
        sessions_totals(sessions, &sampler->worker);
}

static void looked_at_sessions(void *argument)
{
    struct sampler *sampler = argument;
    if (!goes_on(sampler))
        return;
    for (size_t i = 0; i < sampler->count; i++) {
        const struct session_sample *s = &sampler->u.sessions[i];
        const uint64_t values[CONNECTION_NUMBERS] = {s->received_bytes, s->sent_bytes};
        const struct archive_object object = {
            ARCHIVE_CONNECTION, s->id, s->connected_wall_ms, s->changed, s->before, values, NULL};
        archive_add(sampler->archive, sampler->place, &object, sampler->at_ms);
    }
    if (sampler->sessions_walk.done) {
        totals_add_sessions(&sampler->sums.sessions, &sampler->worker);
        sampler->sessions_walk = (struct session_walk){.all = sampler->all};
        sampler->worker_at++;
    }
    next_worker(sampler);
}

static void next_worker(struct sampler *sampler)
{
    const struct admin_options *options = &sampler->admin->options;
    if (sampler->worker_at < options->workers) {
        sampler->visits = true;
        sessions_ask(options->sessions[sampler->worker_at], look_at_sessions, looked_at_sessions,
                     sampler);
        return;
    }
    archive_end_round(sampler->archive, sampler->place, sampler->at_ms);
    next_vhost(sampler);
}

/* ---- Vhosts. */

static void look_at_vhost(struct vhost *vhost, void *argument)
{
    struct sampler *sampler = argument;
    struct loop_time time = loop_time(loop_current());
    const struct moment now = {time.steady_ms, time.wall_ms};
    sampler->at_ms = now.wall_ms;
    sampler->count = vhost_sample(vhost, &sampler->walk, now, sampler->u.objects, SAMPLES_AT_ONCE);
    if (sampler->walk.done)
        vhost_totals(vhost, &sampler->vhost);
}

static void add_object(struct sampler *sampler, const struct object_sample *sample)
{
    static const enum archive_kind kinds[SAMPLED_OBJECTS] = {
        [SAMPLED_QUEUE] = ARCHIVE_QUEUE,
        [SAMPLED_EXCHANGE] = ARCHIVE_EXCHANGE,
        [SAMPLED_CHANNEL] = ARCHIVE_CHANNEL,
    };
    uint64_t values[TRACK_COLUMNS_MAX], born[VHOST_NUMBERS];
    const struct archive_object object = {kinds[sample->kind],
                                          sample->number,
                                          sample->born_wall_ms,
                                          sample->changed,
                                          sample->before,
                                          values,
                                          born};
    stats_born(sample->born_ready, born);
    if (sample->kind == SAMPLED_QUEUE)
        stats_of_queue(&sample->u.queue, values);
    else if (sample->kind == SAMPLED_EXCHANGE)
        memcpy(values, &sample->u.exchange, sizeof sample->u.exchange);
    else
        stats_values(&sample->u.channel, 0, 0, values);
    archive_add(sampler->archive, sampler->place, &object, sampler->at_ms);
}

/* All objects of the vhost have been looked at: now the vhost itself. */
static void end_vhost(struct sampler *sampler, struct bytes name)
{
    uint64_t values[VHOST_NUMBERS], born[VHOST_NUMBERS], received, sent;
    struct journal_figures journal;
    node_vhost_traffic(sampler->admin->options.node, name, &received, &sent);
    totals_values(&sampler->vhost, received, sent, values);
    stats_born(sampler->vhost.born_ready, born);
    const struct archive_object object = {.kind = ARCHIVE_VHOST,
                                          .born_ms = sampler->vhost.born_wall_ms,
                                          .changed = true,
                                          .values = values,
                                          .born = born};
    archive_add(sampler->archive, sampler->place, &object, sampler->at_ms);
    archive_end_round(sampler->archive, sampler->place, sampler->at_ms);
    totals_add(&sampler->sums.all, &sampler->vhost);
    if (node_journal_figures(sampler->admin->options.node, name, &journal))
        totals_add_journal(&sampler->sums.journal, &journal);
}

static void looked_at_vhost(void *argument)
{
    struct sampler *sampler = argument;
    if (!goes_on(sampler))
        return;
    for (size_t i = 0; i < sampler->count; i++)
        add_object(sampler, &sampler->u.objects[i]);
    if (sampler->walk.done) {
        end_vhost(sampler, bytes_of_text(sampler->vhosts[sampler->vhost_at]));
        sampler->walk = (struct sample_walk){.all = sampler->all};
        sampler->vhost_at++;
    }
    next_vhost(sampler);
}

static void next_vhost(struct sampler *sampler)
{
    for (; sampler->vhost_at < sampler->vhost_count; sampler->vhost_at++) {
        struct bytes name = bytes_of_text(sampler->vhosts[sampler->vhost_at]);
        if (sampler->walk.began_wall_ms == 0) {
            sampler->place = archive_place(sampler->archive, 'v', name);
            if (!archive_begin_round(sampler->archive, sampler->place, sampler->tick, sampler->all))
                continue;
        }
        if (node_ask_vhost(sampler->admin->options.node, name, look_at_vhost, looked_at_vhost,
                           sampler) != STATUS_OK) {
            sampler->walk = (struct sample_walk){.all = sampler->all};
            continue;
        }
        sampler->visits = true;
        return;
    }
    fd_count_begin(&sampler->fds);
    look_at_node(sampler);
}

/* ---- The node, and the end of the round. */

static void add_overview(struct sampler *sampler)
{
    uint64_t values[VHOST_NUMBERS], born[VHOST_NUMBERS];
    totals_values(&sampler->sums.all, 0, 0, values);
    stats_born(sampler->sums.all.born_ready, born);
    const struct archive_object object = {.kind = ARCHIVE_OVERVIEW,
                                          .born_ms = sampler->admin->started_wall_ms,
                                          .changed = true,
                                          .values = values,
                                          .born = born};
    archive_add(sampler->archive, sampler->place, &object, sampler->at_ms);
}

static void schedule(struct sampler *sampler)
{
    timer_set(sampler->timer, SERIES_TICK_MS - clock_wall_ms() % SERIES_TICK_MS);
}

/* Counts descriptors, a portion in each turn of the loop, then ends the round. */
static void look_at_node(struct sampler *sampler)
{
    uint64_t values[NODE_NUMBERS], born[NODE_NUMBERS], at_ms = clock_wall_ms();
    if (!fd_count_go_on(&sampler->fds)) {
        timer_set(sampler->timer, 0);
        return;
    }
    sampler->place = archive_place(sampler->archive, 'n', bytes_of("", 0));
    if (archive_begin_round(sampler->archive, sampler->place, sampler->tick, sampler->all)) {
        broker_numbers(sampler->admin, sampler->fds.count, &sampler->sums.sessions,
                       &sampler->sums.all.counters, &sampler->sums.journal, values);
        const struct archive_object node = broker_object(sampler->admin, values, born);
        archive_add(sampler->archive, sampler->place, &node, at_ms);
        add_overview(sampler);
        archive_end_round(sampler->archive, sampler->place, at_ms);
        archive_end_places(sampler->archive, sampler->tick);
    }
    fd_count_end(&sampler->fds);
    gather_names_free(sampler->vhosts, sampler->vhost_count);
    sampler->vhosts = NULL;
    sampler->vhost_count = 0;
    schedule(sampler);
}

static void begin_round(struct sampler *sampler)
{
    sampler->tick = clock_wall_ms() / SERIES_TICK_MS;
    sampler->all = sampler->tick % FULL_ROUND == 0;
    sampler->place = archive_place(sampler->archive, 'c', bytes_of("", 0));
    if (!archive_begin_round(sampler->archive, sampler->place, sampler->tick, sampler->all)) {
        schedule(sampler); /* the timer was early */
        return;
    }
    sampler->worker_at = 0;
    sampler->vhost_at = 0;
    sampler->vhosts = gather_vhost_names(sampler->admin, &sampler->vhost_count);
    sampler->sums = (struct totals){0};
    sampler->sessions_walk = (struct session_walk){.all = sampler->all};
    sampler->walk = (struct sample_walk){.all = sampler->all};
    next_worker(sampler);
}

static void timer_due(void *context)
{
    struct sampler *sampler = context;
    if (fd_count_is_open(&sampler->fds))
        look_at_node(sampler);
    else
        begin_round(sampler);
}

/* ---- Life. */

struct sampler *sampler_new(struct admin *admin)
{
    struct sampler *sampler = mem_need(sizeof *sampler);
    sampler->admin = admin;
    sampler->archive = admin->archive;
    sampler->timer = timer_new(admin->options.loop, timer_due, sampler);
    admin_ref(admin);
    timer_set(sampler->timer, 1);
    return sampler;
}

void sampler_free(struct sampler **sampler)
{
    struct sampler *s = *sampler;
    *sampler = NULL;
    if (!s)
        return;
    s->ended = true;
    timer_free(&s->timer); /* at once: after a start that failed no owner answers any more */
    if (!s->visits)
        drop(s);
}

void sampler_reset(struct admin *admin)
{
    archive_reset(admin->archive, clock_wall_ms());
}

void sampler_options(const struct admin_options *options, struct account *account,
                     struct archive_options *out)
{
    *out = (struct archive_options){.bytes_max = options->history.bytes_max, .account = account};
    for (unsigned i = 0; i < ARCHIVE_POLICIES; i++)
        for (unsigned t = 0; t < HISTORY_TRACKS_MAX && options->history.of[i][t].step_s; t++) {
            out->retention[i].tracks = t + 1;
            out->retention[i].of[t].step = options->history.of[i][t].step_s * 1000 / SERIES_TICK_MS;
            out->retention[i].of[t].keep = options->history.of[i][t].keep_s * 1000 / SERIES_TICK_MS;
        }
    stats_describe(out);
}
