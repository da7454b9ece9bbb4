/* The admin: how it begins and ends, and the samples that it takes for rates. */
#include "leveret/admin/admin.h"

#include <stdlib.h>

#include "admin/definitions/definitions.h"
#include "admin/http/admin_state.h"
#include "admin/http/body.h"
#include "admin/http/dispatch.h"
#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/http/turns.h"
#include "admin/listing/samples.h"
#include "admin/listing/stats.h"
#include "admin/metrics/totals.h"
#include "admin/route_table.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

/* ---- Samples. Rates need a look at all counters every SAMPLE_PERIOD_MS, whether a client asks or
 * not. */

static void look(struct admin *admin, const char *kind, struct bytes vhost,
                 const struct vhost_totals *totals)
{
    uint64_t values[STATS_COUNT + 3];
    double rates[STATS_COUNT + 3];
    struct text key = {0};
    stats_values(&totals->rates, values);
    values[STATS_COUNT] = totals->messages_ready;
    values[STATS_COUNT + 1] = totals->messages_unacknowledged;
    values[STATS_COUNT + 2] = totals->messages_ready + totals->messages_unacknowledged;
    samples_key(&key, kind, vhost, bytes_of("", 0));
    samples_look(admin->samples, text_bytes(&key), loop_now_ms(admin->options.loop), values,
                 STATS_COUNT + 3, rates);
    text_free(&key);
}

static void sampled(void *context, const struct totals *totals)
{
    struct admin *admin = context;
    if (!totals)
        return;
    look(admin, "overview", bytes_of("", 0), &totals->all);
    for (size_t i = 0; i < totals->vhost_count; i++)
        look(admin, "vhost", bytes_of_text(totals->vhosts[i].name), &totals->vhosts[i].totals);
    samples_sweep(admin->samples, loop_now_ms(admin->options.loop));
    timer_set(admin->sampler, SAMPLE_PERIOD_MS);
}

static void sample(void *context)
{
    struct admin *admin = context;
    totals_count(admin, sampled, admin);
}

/* ---- Made and freed. */

enum status admin_new(const struct admin_options *options, struct admin **out, char **error)
{
    static const struct http_service service = {dispatch_begin, dispatch_handle};
    struct admin *admin = mem_need(sizeof *admin);
    enum status status = STATUS_OK;
    admin->options = *options;
    admin->account = node_account(options->node);
    admin->refs = 1;
    admin->started_wall_ms = clock_wall_ms();
    admin->route_tables = route_tables;
    admin->samples = samples_new();
    admin->turns = turns_new(options->loop);
    admin->sampler = timer_new(options->loop, sample, admin);
    if (options->address)
        status = http_new(admin, options->address, &options->limits, false, &service,
                          &admin->server, error);
    if (status == STATUS_OK && options->metrics_address)
        status = http_new(admin, options->metrics_address, &options->metrics_limits, true, &service,
                          &admin->metrics_server, error);
    if (status != STATUS_OK) {
        admin_free(&admin);
        return status;
    }
    if (admin->server)
        log_line(options->log, LOG_INFO, "http", "HTTP API on port %u", http_port(admin->server));
    if (admin->metrics_server)
        log_line(options->log, LOG_INFO, "http", "metrics on port %u",
                 http_port(admin->metrics_server));
    timer_set(admin->sampler, 1);
    *out = admin;
    return STATUS_OK;
}

void admin_free(struct admin **admin)
{
    struct admin *a = *admin;
    *admin = NULL;
    if (!a)
        return;
    a->closed = true;
    body_end(a);
    /* A request that an owner has is freed when the owner answers; all others here. */
    struct request *next;
    for (struct request *r = a->requests; r; r = next) {
        next = r->next;
        http_forget(r);
        if (!r->asking)
            request_free(r);
    }
    http_free(&a->server);
    http_free(&a->metrics_server);
    timer_free(&a->sampler);
    samples_free(&a->samples);
    turns_free(&a->turns);
    admin_unref(a);
}

void admin_import(struct admin *admin, struct text *json,
                  void (*done)(void *context, int code, const char *reason), void *context)
{
    struct request *r = request_new(admin);
    r->heard = done;
    r->heard_context = context;
    r->body = *json;
    *json = (struct text){0};
    body_parse(r, import_all);
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->server ? http_port(admin->server) : 0;
}

uint16_t admin_metrics_port(const struct admin *admin)
{
    return admin->metrics_server ? http_port(admin->metrics_server) : 0;
}
