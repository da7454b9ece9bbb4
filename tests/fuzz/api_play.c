/* Plays HTTP requests against the API without a socket: see api_play.h. */
#include "api_play.h"

#include <stdlib.h>
#include <time.h>

#include "../unit/session_harness.h"
#include "admin/http/dispatch.h"
#include "admin/http/http.h"
#include "leveret/base/base64.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "leveret/net/tls.h"

/* A request that is not answered in this time never will be: a fault. */
#define ANSWER_SECONDS 25

struct api {
    struct harness *harness; /* one worker's loop */
    struct loop *loop;       /* the main thread's: links from it to the worker go by letters */
    struct sessions *sessions;
    struct admin *admin;
    struct log *log;
};

/* ---- http.h, played. */

struct http_connection {
    struct api_answer *answer;
    unsigned answers;
    bool streaming;
};

enum status http_new(struct admin *admin, const char *address, const struct http_limits *limits,
                     enum http_purpose purpose, struct tls *tls, const struct http_service *service,
                     struct http_server **out, char **error)
{
    (void)admin, (void)address, (void)limits, (void)purpose, (void)tls, (void)service, (void)error;
    *out = NULL;
    return STATUS_INTERNAL_ERROR;
}

void tls_certificate(const struct tls *tls, struct tls_certificate *out)
{
    (void)tls;
    *out = (struct tls_certificate){0};
}

void tls_each_cipher(void (*see)(void *context, const char *name), void *context)
{
    see(context, "none");
}

void http_free(struct http_server **server)
{
    *server = NULL;
}

uint16_t http_port(const struct http_server *server)
{
    (void)server;
    return 15672;
}

unsigned http_connections(const struct http_server *server)
{
    (void)server;
    return 1;
}

void http_forget(struct request *request)
{
    request->http = NULL;
}

static void begin(struct request *request, int code, const char *content_type)
{
    struct http_connection *c = request->http;
    if (!c)
        return;
    CHECK(c->answers++ == 0);
    c->answer->code = code;
    c->answer->json = content_type && strcmp(content_type, "application/json") == 0;
}

void http_send(struct request *request, int code, const char *content_type,
               const struct http_field *fields, struct text *body)
{
    struct http_connection *c = request->http;
    /* A name in a field of the head must not end it. */
    for (; fields && fields->name; fields++)
        CHECK(!strpbrk(fields->value, "\r\n"));
    begin(request, code, content_type);
    if (c && body)
        text_add_bytes(&c->answer->body, text_bytes(body));
    if (body)
        text_free(body);
    http_forget(request);
}

void http_stream_begin(struct request *request, int code, const char *content_type)
{
    begin(request, code, content_type);
    if (request->http)
        request->http->streaming = true;
    /* Such a stream has no end: its client leaves at once. */
    if (content_type && strcmp(content_type, "text/event-stream") == 0)
        http_forget(request);
}

bool http_is_streaming(const struct request *request)
{
    return request->http && request->http->streaming;
}

void http_stream_write(struct request *request, struct text *text)
{
    if (request->http)
        text_add_bytes(&request->http->answer->body, text_bytes(text));
    text_free(text);
}

bool http_stream_left(const struct request *request)
{
    return !request->http;
}

bool http_stream_full(const struct request *request)
{
    return request->http && request->http->answer->body.len % 2;
}

void http_stream_wait(struct request *request, void (*more)(struct request *request))
{
    request_later(request, more);
}

void http_stream_end(struct request *request, bool complete)
{
    CHECK(complete);
    http_forget(request);
}

/* ---- The API. */

static void settle(struct api *api)
{
    loop_stop(api->loop);
    loop_run(api->loop);
    harness_settle(api->harness);
}

static void play_listen(void *context, bool on, void (*done)(void *done_context, const char *error),
                        void *done_context)
{
    (void)context, (void)on;
    done(done_context, NULL);
}

static void play_stop(void *context)
{
    (void)context;
}

struct api *api_new(void)
{
    static struct admin_listener listeners[] = {{"amqp", "127.0.0.1", 5672}};
    struct api *api = mem_need(sizeof *api);
    char *error = NULL;
    api->harness = harness_new();
    CHECK(loop_new(&api->loop) == STATUS_OK);
    api->sessions = harness_sessions(api->harness);
    harness_log_in(api->harness, harness_connect(api->harness));
    CHECK(log_open("/dev/null", LOG_INFO, LOG_TEXT, &api->log) == STATUS_OK);
    struct admin_options options = {
        .control = {NULL, play_listen, play_stop},
        .log = api->log,
        .loop = api->loop,
        .limits = {.body_bytes_max = 1 << 20},
        .message_bytes_max = 1 << 20,
        .node = harness_options(api->harness)->node,
        .auth = harness_auth(api->harness),
        .sessions = &api->sessions,
        .workers = 1,
        .rabbitmq_version = "4.3.6",
        .leveret_version = "9.8.7",
        .product_name = "Leveret",
        .product_version = "9.8.7",
        .cluster_name = "test",
        .node_name = "leveret@test",
        .listeners = listeners,
        .listener_count = 1,
    };
    admin_history_default(&options.history);
    CHECK(admin_new(&options, &api->admin, &error) == STATUS_OK);
    return api;
}

void api_free(struct api **api)
{
    admin_free(&(*api)->admin);
    for (int i = 0; i < 4; i++)
        settle(*api);
    harness_free(&(*api)->harness);
    log_close(&(*api)->log);
    loop_free(&(*api)->loop);
    free(*api);
    *api = NULL;
}

static struct request *make_request(struct api *api, enum http_method method, struct bytes path,
                                    const char *user)
{
    struct text pair = {0}, header = {0};
    struct request *r = request_new(api->admin);
    const char *text = r->path = mem_need_text(path.at, path.len);
    char *query = strchr(text, '?');
    r->query = mem_need_text(query ? query + 1 : "", query ? strlen(query + 1) : 0);
    if (query)
        *query = '\0';
    r->method = method;
    r->loopback = true;
    text_printf(&pair, "%s:guest", user);
    text_printf(&header, "Basic ");
    base64_encode(&header, text_bytes(&pair));
    r->authorization = mem_need_text(header.at, header.len);
    text_free(&pair);
    text_free(&header);
    return r;
}

static void check_answer(const struct api_answer *answer)
{
    static const int codes[] = {200, 201, 204, 301, 304, 400, 401, 404, 405, 409, 412, 429, 503};
    struct value *value;
    char why[VALUE_WHY_MAX];
    bool known = false;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        known |= codes[i] == answer->code;
    CHECK(known);
    if (answer->json) {
        CHECK(value_parse(text_bytes(&answer->body), &value, why) == STATUS_OK);
        value_free(&value);
    }
}

/* A request that the loop begins, as it does when one has come over a socket. */
struct asking {
    struct loop_task task;
    struct request *request;
    struct bytes body;
};

static void ask(struct loop_task *task)
{
    struct asking *asking = container_of(task, struct asking, task);
    struct request *r = asking->request;
    if (!dispatch_begin(r))
        return;
    if (asking->body.len <= r->body_bytes_max)
        text_add_bytes(&r->body, asking->body);
    dispatch_handle(r);
}

void api_ask(struct api *api, enum http_method method, struct bytes path, struct bytes body,
             const char *user, struct api_answer *out)
{
    struct http_connection connection = {.answer = out};
    time_t end = time(NULL) + ANSWER_SECONDS;
    *out = (struct api_answer){0};
    struct request *r = make_request(api, method, path, user);
    r->http = &connection;
    struct asking asking = {.task.run = ask, .request = r, .body = body};
    loop_at_end(api->loop, PHASE_APPLY, &asking.task);
    while (api->admin->request_count) {
        CHECK(time(NULL) < end);
        settle(api);
    }
    CHECK(connection.answers == 1);
    check_answer(out);
}
