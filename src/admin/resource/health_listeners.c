/* Part of the api: health checks of listeners. */
#include "admin/resource/health.h"

#include <stdlib.h>
#include <string.h>

#include "admin/http/http.h"
#include "admin/json/answer.h"
#include "leveret/base/number.h"

struct service {
    const char *protocol;
    uint16_t port;
};

static size_t listening(const struct admin *admin, struct service *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < admin->options.listener_count && n + 2 < max; i++)
        out[n++] = (struct service){admin->options.listeners[i].protocol,
                                    admin->options.listeners[i].port};
    if (admin->server)
        out[n++] = (struct service){"http", http_port(admin->server)};
    if (admin->metrics_server)
        out[n++] = (struct service){"http/prometheus", http_port(admin->metrics_server)};
    return n;
}

/* Listeners that are looked at; those beyond are taken for missing. */
#define LISTENING_MAX 64u

static void check_port(struct request *r)
{
    struct service all[LISTENING_MAX];
    size_t n = listening(r->admin, all, LISTENING_MAX);
    struct answer a = {0};
    uint64_t port;
    if (!number_read((const char *)r->args[0].at, UINT16_MAX, &port)) {
        respond_bad_request(r, "Invalid port");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (all[i].port != port)
            continue;
        answer_object(&a, NULL);
        answer_text(&a, "status", "ok");
        answer_uint(&a, "port", port);
        answer_end(&a);
        respond_json(r, 200, &a);
        return;
    }
    health_begin_failed(&a, "No active listener");
    answer_uint(&a, "missing", port);
    answer_array(&a, "ports");
    for (size_t i = 0; i < n; i++)
        answer_uint(&a, NULL, all[i].port);
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 503, &a);
}

/* The name that listeners have for a protocol that has several names. */
static const char *protocol_of(const char *asked)
{
    bool amqp = strcmp(asked, "amqp091") == 0 || strcmp(asked, "amqp0.9.1") == 0;
    return amqp ? "amqp" : asked;
}

static bool listens(const struct service *all, size_t n, const char *asked)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].protocol, protocol_of(asked)) == 0)
            return true;
    return false;
}

static void write_protocols(struct answer *a, const struct service *all, size_t n)
{
    answer_array(a, "protocols");
    for (size_t i = 0; i < n; i++)
        answer_text(a, NULL, all[i].protocol);
    answer_end(a);
}

/* The path may name several protocols, separated by commas; there must be a listener for each. As
 * "protocol" the answer tells what was asked for, as in RabbitMQ 3; as "protocols" it tells all
 * that are listened for, as in RabbitMQ 4. */
static void check_protocol(struct request *r)
{
    struct service all[LISTENING_MAX];
    size_t n = listening(r->admin, all, LISTENING_MAX);
    struct answer failed = {0}, ok = {0};
    char *asked = strdup((const char *)r->args[0].at), *rest = asked, *one;
    size_t missing = 0;
    if (!asked) {
        respond_no_room(r);
        return;
    }
    answer_object(&ok, NULL);
    answer_text(&ok, "status", "ok");
    answer_text(&ok, "protocol", protocol_of(asked));
    write_protocols(&ok, all, n);
    answer_end(&ok);
    health_begin_failed(&failed, "No active listener");
    answer_array(&failed, "missing");
    while ((one = strsep(&rest, ",")))
        if (!listens(all, n, one)) {
            answer_text(&failed, NULL, one);
            missing++;
        }
    answer_end(&failed);
    write_protocols(&failed, all, n);
    answer_end(&failed);
    free(asked);
    answer_free(missing ? &ok : &failed);
    respond_json(r, missing ? 503 : 200, missing ? &failed : &ok);
}

/* ---- Routes. */

const struct route api_health_listeners[] = {
    {METHOD_GET, "/api/health/checks/port-listener/:p", check_port, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/protocol-listener/:p", check_protocol, ACCESS_USER,
     BODY_SMALL},
    ROUTES_END,
};
