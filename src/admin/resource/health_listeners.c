/* Part of the api: health checks of listeners. */
#include "admin/resource/health.h"

#include <stdlib.h>
#include <string.h>

#include "admin/json/answer.h"
#include "admin/resource/details.h"
#include "admin/resource/listeners.h"
#include "leveret/base/clock.h"
#include "leveret/base/number.h"
#include "leveret/net/tls.h"

static void check_port(struct request *r)
{
    struct listening all[LISTENERS_MAX];
    size_t n = listeners_all(r->admin, all);
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
    bool amqps = strcmp(asked, "amqps") == 0 || strcmp(asked, "amqp/tls") == 0;
    return amqp ? "amqp" : amqps ? "amqp/ssl" : asked;
}

static bool listens(const struct listening *all, size_t n, const char *asked)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].protocol, protocol_of(asked)) == 0)
            return true;
    return false;
}

static void write_protocols(struct answer *a, const struct listening *all, size_t n)
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
    struct listening all[LISTENERS_MAX];
    size_t n = listeners_all(r->admin, all);
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

/* ---- Certificates. */

/* The seconds of a number of days, weeks, months (of 28 days, as in RabbitMQ) or years. Returns
 * false when the unit is none of these. */
static bool unit_seconds(const char *unit, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"day", 86400}, {"week", 7 * 86400}, {"month", 28 * 86400}, {"year", 365 * 86400}};
    size_t len = strlen(unit);
    if (len && unit[len - 1] == 's')
        len--;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) != len || memcmp(units[i].name, unit, len) != 0)
            continue;
        *out = units[i].seconds;
        return true;
    }
    return false;
}

static void write_certificate(struct answer *a, const struct listening *l,
                              const struct tls_certificate *certificate)
{
    answer_object(a, NULL);
    answer_text(a, "name", l->protocol);
    answer_text(a, "protocol", l->protocol);
    answer_text(a, "interface", l->address);
    answer_uint(a, "port", l->port);
    answer_text(a, "subject", certificate->subject);
    if (answer_array(a, "certfile_expires_on")) {
        api_time_write(a, NULL, (uint64_t)certificate->not_after_s * 1000);
        answer_end(a);
    }
    answer_end(a);
}

/* Fails when the certificate of a listener ends within the time, or has ended. */
static void check_certificates(struct request *r)
{
    struct listening all[LISTENERS_MAX];
    size_t n = listeners_all(r->admin, all), expiring = 0;
    struct answer a = {0};
    uint64_t number;
    int64_t unit;
    if (!number_read((const char *)r->args[0].at, INT32_MAX, &number) ||
        !unit_seconds((const char *)r->args[1].at, &unit)) {
        respond_bad_request(r,
                            "Invalid expiration unit, or no number: wanted is a number and days, "
                            "weeks, months or years");
        return;
    }
    int64_t until_s = (int64_t)(clock_wall_ms() / 1000) + (int64_t)number * unit;
    health_begin_failed(&a, "Certificates expiring");
    answer_array(&a, "expired");
    for (size_t i = 0; i < n; i++) {
        struct tls_certificate certificate;
        if (!all[i].tls)
            continue;
        tls_certificate(all[i].tls, &certificate);
        if (certificate.not_after_s > until_s)
            continue;
        write_certificate(&a, &all[i], &certificate);
        expiring++;
    }
    answer_end(&a);
    answer_end(&a);
    if (expiring) {
        respond_json(r, 503, &a);
        return;
    }
    answer_free(&a);
    health_respond_ok(r);
}

/* The certificates of all listeners. */
static void list_certificates(struct request *r)
{
    struct listening all[LISTENERS_MAX];
    size_t n = listeners_all(r->admin, all);
    struct answer a = {0};
    answer_array(&a, NULL);
    for (size_t i = 0; i < n; i++) {
        struct tls_certificate certificate;
        if (!all[i].tls)
            continue;
        tls_certificate(all[i].tls, &certificate);
        write_certificate(&a, &all[i], &certificate);
    }
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void write_cipher(void *answer, const char *name)
{
    answer_text(answer, NULL, name);
}

/* What the broker's TLS can do. */
static void show_tls(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_array(&a, "versions");
    answer_text(&a, NULL, "tlsv1.3");
    answer_text(&a, NULL, "tlsv1.2");
    answer_end(&a);
    answer_array(&a, "cipher_suites");
    tls_each_cipher(write_cipher, &a);
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* ---- Routes. */

const struct route api_health_listeners[] = {
    {METHOD_GET, "/api/health/checks/port-listener/:p", check_port, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/protocol-listener/:p", check_protocol, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/certificate-expiration/:n/:unit", check_certificates,
     ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/certificates", list_certificates, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/tls", show_tls, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
