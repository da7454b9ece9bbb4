/* The admin: how it begins and ends. */
#include "leveret/admin/admin.h"

#include <stdlib.h>
#include <string.h>

#include "admin/definitions/definitions.h"
#include "admin/history/archive.h"
#include "admin/http/admin_state.h"
#include "admin/http/body.h"
#include "admin/http/dispatch.h"
#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/http/tickets.h"
#include "admin/http/turns.h"
#include "admin/http/upload.h"
#include "admin/moving/move_task.h"
#include "admin/page/page.h"
#include "admin/route_table.h"
#include "admin/sampling/sampler.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

/* Connections that the control socket takes at once; see http_limits. */
#define CONTROL_CONNECTIONS_MAX 32u

/* ---- Made and freed. */

/* The broker starts without the control socket when it cannot be opened: nothing but leveretctl on
 * this machine needs it. */
static void open_control(struct admin *admin, const struct http_service *service)
{
    const struct admin_options *o = &admin->options;
    struct http_limits limits = o->limits;
    char *error = NULL;
    if (!o->control_path)
        return;
    limits.connections = limits.connections_per_address = CONTROL_CONNECTIONS_MAX;
    if (http_new(admin, o->control_path, &limits, HTTP_CONTROL, NULL, service,
                 &admin->control_server, &error) != STATUS_OK)
        log_line(o->log, LOG_WARNING, "http", "no control socket: %.500s", error ? error : "");
    free(error);
}

static enum status open_servers(struct admin *admin, const struct http_service *service,
                                char **error)
{
    const struct admin_options *o = &admin->options;
    const struct {
        const char *address;
        const struct http_limits *limits;
        enum http_purpose purpose;
        struct tls *tls;
        struct http_server **server;
    } servers[] = {
        {o->address, &o->limits, HTTP_API, NULL, &admin->server},
        {o->tls_address, &o->limits, HTTP_API, o->tls, &admin->tls_server},
        {o->metrics_address, &o->metrics_limits, HTTP_METRICS, NULL, &admin->metrics_server},
        {o->metrics_tls_address, &o->metrics_limits, HTTP_METRICS, o->metrics_tls,
         &admin->metrics_tls_server},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof servers / sizeof *servers && status == STATUS_OK; i++)
        if (servers[i].address)
            status = http_new(admin, servers[i].address, servers[i].limits, servers[i].purpose,
                              servers[i].tls, service, servers[i].server, error);
    return status;
}

/* Says where the page is, if there is one. */
static void tell_page(const struct admin *admin, const char *scheme,
                      const struct http_server *server)
{
    const struct admin_options *o = &admin->options;
    if (server && web_is_built())
        log_line(o->log, LOG_INFO, "http",
                 "the page is at %s://localhost:%u%s/, for users with one of the tags "
                 "administrator, monitoring, policymaker and management",
                 scheme, http_port(server), o->path_prefix ? o->path_prefix : "");
}

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
    struct archive_options archive_options;
    sampler_options(options, admin->account, &archive_options);
    admin->archive = archive_new(&archive_options);
    admin->turns = turns_new(options->loop);
    admin->moves = tasks_new(admin);
    admin->tickets = tickets_new(options->login_life_ms);
    admin->sampler = sampler_new(admin);
    status = open_servers(admin, &service, error);
    if (status != STATUS_OK) {
        admin_free(&admin);
        return status;
    }
    open_control(admin, &service);
    if (admin->server)
        log_line(options->log, LOG_INFO, "http", "HTTP API on port %u", http_port(admin->server));
    if (admin->metrics_server)
        log_line(options->log, LOG_INFO, "http", "metrics on port %u",
                 http_port(admin->metrics_server));
    if (admin->tls_server)
        log_line(options->log, LOG_INFO, "http", "HTTPS API on port %u",
                 http_port(admin->tls_server));
    if (admin->metrics_tls_server)
        log_line(options->log, LOG_INFO, "http", "metrics by HTTPS on port %u",
                 http_port(admin->metrics_tls_server));
    tell_page(admin, "http", admin->server);
    tell_page(admin, "https", admin->tls_server);
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
    http_free(&a->control_server);
    http_free(&a->server);
    http_free(&a->metrics_server);
    http_free(&a->tls_server);
    http_free(&a->metrics_tls_server);
    sampler_free(&a->sampler);
    archive_free(&a->archive);
    tasks_free(&a->moves);
    turns_free(&a->turns);
    tickets_free(&a->tickets);
    admin_unref(a);
}

void admin_import(struct admin *admin, struct text *json,
                  void (*done)(void *context, int code, const char *reason), void *context)
{
    struct request *r = request_new(admin);
    r->heard = done;
    r->heard_context = context;
    r->query = mem_need_text("", 0);
    r->body = *json;
    *json = (struct text){0};
    body_parse(r, import_all);
}

enum status admin_definitions_look(struct bytes json, bool *users, char **error)
{
    struct value *root;
    char why[VALUE_WHY_MAX];
    enum status status = value_parse(upload_json(NULL, json), &root, why);
    *users = status == STATUS_OK && value_count(value_get(root, "users")) > 0;
    if (status == STATUS_OK)
        value_free(&root);
    else
        *error = mem_need_text(why, strlen(why));
    return status;
}

void admin_set_metrics_login(struct admin *admin, bool login)
{
    admin->options.metrics_login = login;
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->server ? http_port(admin->server) : 0;
}

uint16_t admin_metrics_port(const struct admin *admin)
{
    return admin->metrics_server ? http_port(admin->metrics_server) : 0;
}

uint16_t admin_tls_port(const struct admin *admin)
{
    return admin->tls_server ? http_port(admin->tls_server) : 0;
}
