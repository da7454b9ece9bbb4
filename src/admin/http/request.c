/* A request's life: its query, its questions to owners, its end. */
#include "admin/http/request.h"

#include <stdlib.h>

#include "admin/http/events.h"
#include "admin/http/http.h"
#include "admin/http/respond.h"
#include "admin/http/turns.h"
#include "admin/json/url.h"
#include "leveret/base/account.h"
#include "leveret/base/mem.h"

struct request *request_new(struct admin *admin)
{
    struct request *r = mem_need(sizeof *r);
    r->admin = admin;
    admin_ref(admin);
    r->next = admin->requests;
    r->link = &admin->requests;
    if (r->next)
        r->next->link = &r->next;
    admin->requests = r;
    admin->request_count++;
    return r;
}

void request_free(struct request *request)
{
    struct admin *admin = request->admin;
    http_forget(request);
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    admin->request_count--;
    if (request->client)
        request->close_client(request);
    events_free(&request->events);
    timer_free(&request->timer);
    turns_give(request);
    if (request->free_work)
        request->free_work(request->work);
    for (size_t i = 0; i < REQUEST_ARGS_MAX; i++) {
        free((void *)(uintptr_t)request->args[i].at);
        free((void *)(uintptr_t)request->raw_args[i].at);
    }
    if (request->json)
        value_free(&request->json);
    account_add(admin->account, ACCOUNT_HTTP_REQUESTS, -(int64_t)request->json_bytes);
    text_free(&request->body);
    free(request->path);
    free(request->query);
    free(request->authorization);
    free(request->content_type);
    free(request->accept);
    free(request->origin);
    free(request->cookie);
    free(request->if_none_match);
    free(request->reason);
    free(request);
    admin_unref(admin);
}

char *request_query_next(const char **from, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *at = *from; *at;) {
        size_t len = strcspn(at, "&");
        if (len >= name_len && memcmp(at, name, name_len) == 0 &&
            (len == name_len || at[name_len] == '=')) {
            size_t skip = len == name_len ? name_len : name_len + 1;
            *from = at + len + (at[len] == '&');
            return url_decode(bytes_of(at + skip, len - skip), true, NULL);
        }
        at += len + (at[len] == '&');
    }
    return NULL;
}

char *request_query(const struct request *request, const char *name)
{
    const char *from = request->query;
    return request_query_next(&from, name);
}

bool request_query_has(const struct request *request, const char *name, const char *value)
{
    const char *from = request->query;
    char *have;
    bool found = false;
    while (!found && (have = request_query_next(&from, name))) {
        found = strcmp(have, value) == 0;
        free(have);
    }
    return found;
}

bool request_query_true(const struct request *request, const char *name)
{
    char *value = request_query(request, name);
    bool is = value && strcmp(value, "true") == 0;
    free(value);
    return is;
}

bool request_ranges(struct request *request)
{
    for (unsigned i = 0; i < RANGE_KINDS; i++) {
        char *age = request_query(request, range_age_names[i]);
        char *incr = request_query(request, range_incr_names[i]);
        bool good = range_read(age, incr, &request->ranges.of[i]) == STATUS_OK;
        if (!good)
            respond_bad_request(request, "Invalid range parameters: age %.40s, incr %.40s",
                                age ? age : "undefined", incr ? incr : "undefined");
        free(age);
        free(incr);
        if (!good)
            return false;
    }
    return true;
}

bool request_changes(const struct request *request)
{
    return request->method == METHOD_PUT || request->method == METHOD_POST ||
           request->method == METHOD_DELETE;
}

struct bytes request_vhost(const struct request *request)
{
    return request->args[0];
}

struct bytes request_exchange(const struct request *request, unsigned arg)
{
    struct bytes name = request->args[arg];
    return bytes_equal_text(name, "amq.default") ? bytes_of("", 0) : name;
}

bool request_names_node(struct request *request, struct bytes name)
{
    if (bytes_equal_text(name, request->admin->options.node_name))
        return true;
    respond_not_found(request);
    return false;
}

/* ---- Questions to owners. */

static void on_vhost(struct vhost *vhost, void *argument)
{
    struct request *r = argument;
    r->ask_vhost(vhost, r->ask_argument);
}

static void on_sessions(struct sessions *sessions, void *argument)
{
    struct request *r = argument;
    r->ask_sessions(sessions, r->ask_argument);
}

static void on_done(void *argument)
{
    struct request *r = argument;
    r->asking = false;
    if (r->admin->closed)
        request_free(r);
    else
        r->asked(r);
}

enum status request_try(struct request *request, struct bytes vhost,
                        void (*ask)(struct vhost *vhost, void *argument), void *argument,
                        void (*done)(struct request *request))
{
    request->ask_vhost = ask;
    request->ask_argument = argument;
    request->asked = done;
    request->asking = true;
    enum status status =
        node_ask_vhost(request->admin->options.node, vhost, on_vhost, on_done, request);
    if (status != STATUS_OK)
        request->asking = false;
    return status;
}

bool request_ask(struct request *request, struct bytes vhost,
                 void (*ask)(struct vhost *vhost, void *argument), void *argument,
                 void (*done)(struct request *request))
{
    if (request_try(request, vhost, ask, argument, done) == STATUS_OK)
        return true;
    respond_vhost_missing(request, vhost);
    return false;
}

void request_ask_sessions(struct request *request, unsigned worker,
                          void (*ask)(struct sessions *sessions, void *argument), void *argument,
                          void (*done)(struct request *request))
{
    request->ask_sessions = ask;
    request->ask_argument = argument;
    request->asked = done;
    request->asking = true;
    sessions_ask(request->admin->options.sessions[worker], on_sessions, on_done, request);
}

static void later_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct request *r;
    (void)bytes;
    memcpy(&r, letter, sizeof r);
    if (receiver)
        on_done(r);
}

void request_later(struct request *request, void (*next)(struct request *request))
{
    request->asked = next;
    request->asking = true;
    loop_post(request->admin->options.loop, later_letter, &request, sizeof request);
}

void *request_work(struct request *request, size_t bytes, void (*free_work)(void *work))
{
    if (request->free_work)
        request->free_work(request->work);
    request->work = mem_need(bytes);
    request->free_work = free_work;
    return request->work;
}
