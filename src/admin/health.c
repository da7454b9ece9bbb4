/* Health checks: 200 {"status": "ok"} or 503 with what is wrong. */

#include "handlers.h"
#include "http.h"
#include "leveret/base/number.h"
#include "totals.h"

static void reply_ok(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_text(&a, "status", "ok");
    answer_end(&a);
    reply_json(r, 200, &a);
}

static void begin_failed(struct answer *a, const char *reason)
{
    answer_object(a, NULL);
    answer_text(a, "status", "failed");
    answer_text(a, "reason", reason);
}

static void write_alarm(struct request *r, struct answer *a, const char *resource)
{
    answer_object(a, NULL);
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "resource", resource);
    answer_end(a);
}

void api_health_alarms(struct request *r)
{
    struct answer a = {0};
    struct node_alarms alarms;
    node_alarms(r->admin->options.node, &alarms);
    if (!alarms.memory && !alarms.disk) {
        reply_ok(r);
        return;
    }
    begin_failed(&a, "There are alarms in effect on the node");
    answer_array(&a, "alarms");
    if (alarms.memory)
        write_alarm(r, &a, "memory");
    if (alarms.disk)
        write_alarm(r, &a, "disk");
    answer_end(&a);
    answer_end(&a);
    reply_json(r, 503, &a);
}

static void counted(struct request *r, const struct totals *totals)
{
    struct answer a = {0};
    size_t down = 0;
    begin_failed(&a, "Some virtual hosts are down, or cannot write");
    answer_array(&a, "virtual-hosts");
    for (size_t i = 0; i < totals->vhost_count; i++)
        if (!totals->vhosts[i].answered ||
            node_vhost_unwritable(r->admin->options.node, bytes_of_text(totals->vhosts[i].name))) {
            down++;
            answer_text(&a, NULL, totals->vhosts[i].name);
        }
    answer_end(&a);
    answer_end(&a);
    if (down) {
        reply_json(r, 503, &a);
    } else {
        answer_free(&a);
        reply_ok(r);
    }
}

/* Each vhost's owner has answered; so have all workers. */
void api_health_vhosts(struct request *r)
{
    totals_for(r, counted);
}

void api_health_service(struct request *r)
{
    totals_for(r, counted);
}

/* ---- Listeners. */

struct listening {
    const char *protocol;
    uint16_t port;
};

static size_t listening(const struct admin *admin, struct listening *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < admin->options.listener_count && n + 2 < max; i++)
        out[n++] = (struct listening){admin->options.listeners[i].protocol,
                                      admin->options.listeners[i].port};
    if (admin->server)
        out[n++] = (struct listening){"http", http_port(admin->server)};
    if (admin->metrics_server)
        out[n++] = (struct listening){"http/prometheus", http_port(admin->metrics_server)};
    return n;
}

#define LISTENING_MAX 64u

void api_health_port(struct request *r)
{
    struct listening all[LISTENING_MAX];
    size_t n = listening(r->admin, all, LISTENING_MAX);
    struct answer a = {0};
    uint64_t port;
    if (!number_read((const char *)r->args[0].at, UINT16_MAX, &port)) {
        reply_bad_request(r, "Invalid port");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (all[i].port != port)
            continue;
        answer_object(&a, NULL);
        answer_text(&a, "status", "ok");
        answer_uint(&a, "port", port);
        answer_end(&a);
        reply_json(r, 200, &a);
        return;
    }
    begin_failed(&a, "No active listener");
    answer_uint(&a, "missing", port);
    answer_array(&a, "ports");
    for (size_t i = 0; i < n; i++)
        answer_uint(&a, NULL, all[i].port);
    answer_end(&a);
    answer_end(&a);
    reply_json(r, 503, &a);
}

void api_health_protocol(struct request *r)
{
    struct listening all[LISTENING_MAX];
    size_t n = listening(r->admin, all, LISTENING_MAX);
    struct answer a = {0};
    const char *wanted = (const char *)r->args[0].at;
    if (strcmp(wanted, "amqp091") == 0 || strcmp(wanted, "amqp0.9.1") == 0)
        wanted = "amqp";
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].protocol, wanted) != 0)
            continue;
        answer_object(&a, NULL);
        answer_text(&a, "status", "ok");
        answer_text(&a, "protocol", wanted);
        answer_end(&a);
        reply_json(r, 200, &a);
        return;
    }
    begin_failed(&a, "No active listener");
    answer_text(&a, "missing", wanted);
    answer_array(&a, "protocols");
    for (size_t i = 0; i < n; i++)
        answer_text(&a, NULL, all[i].protocol);
    answer_end(&a);
    answer_end(&a);
    reply_json(r, 503, &a);
}

/* No listener has a certificate that could expire. */
void api_health_certificates(struct request *r)
{
    reply_ok(r);
}

void api_health_single_node(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_text(&a, "status", "ok");
    answer_text(&a, "reason", "single node cluster");
    answer_end(&a);
    reply_json(r, 200, &a);
}
