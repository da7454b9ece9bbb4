/* evhttp: the one file that includes it.
 *
 * Normal course: the listening sockets are made here and given to evhttp; a whole request arrives
 * in on_request, becomes a struct request and goes to route_request; http_send answers it. What
 * can go wrong: the address is in use (http_new says so); no descriptors are left (accepting
 * pauses until http_resume); the client leaves before its answer (evhttp keeps the request until
 * it is answered: reading is off meanwhile, so it notices when writing); too many requests under
 * way (503 at once). */
#include "http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "route.h"

#define SOCKETS_MAX       4
#define HEADERS_BYTES_MAX 65536
#define TIMEOUT_S         60

struct http_server {
    struct admin *admin;
    struct evhttp *http;
    struct evconnlistener *listeners[SOCKETS_MAX];
    size_t listener_count;
    uint16_t port;
    bool metrics_only;
};

/* ---- A request in. */

static const struct {
    enum evhttp_cmd_type type;
    enum method method;
} methods[] = {
    {EVHTTP_REQ_GET, METHOD_GET},   {EVHTTP_REQ_PUT, METHOD_PUT},
    {EVHTTP_REQ_POST, METHOD_POST}, {EVHTTP_REQ_DELETE, METHOD_DELETE},
    {EVHTTP_REQ_HEAD, METHOD_HEAD}, {EVHTTP_REQ_OPTIONS, METHOD_OPTIONS},
};

static enum method method_of(struct evhttp_request *http)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].type == evhttp_request_get_command(http))
            return methods[i].method;
    return METHOD_OTHER;
}

static void fill_peer(struct request *r, struct evhttp_request *http)
{
    char *host = NULL;
    uint16_t port;
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    if (connection)
        evhttp_connection_get_peer(connection, &host, &port);
    snprintf(r->peer, sizeof r->peer, "%s", host ? host : "?");
    r->loopback = strncmp(r->peer, "127.", 4) == 0 || strcmp(r->peer, "::1") == 0 ||
                  strncmp(r->peer, "::ffff:127.", 11) == 0;
}

static char *header_copy(struct evhttp_request *http, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(http), name);
    return value ? mem_need_text(value, strlen(value)) : NULL;
}

static void on_request(struct evhttp_request *http, void *context)
{
    struct http_server *server = context;
    struct admin *admin = server->admin;
    if (admin->request_count >= REQUESTS_MAX) {
        evhttp_send_reply(http, 503, "Service Unavailable", NULL);
        return;
    }
    const char *uri = evhttp_request_get_uri(http);
    /* An absolute URI (a proxy's form) is cut down to its path. */
    const char *scheme = strstr(uri, "://");
    if (uri[0] != '/' && scheme)
        uri = scheme + 3 + strcspn(scheme + 3, "/");
    size_t path_len = strcspn(uri, "?");
    struct request *r = request_new(admin);
    r->http = http;
    r->method = method_of(http);
    r->path = mem_need_text(uri, path_len);
    const char *query = uri[path_len] == '?' ? uri + path_len + 1 : "";
    r->query = mem_need_text(query, strcspn(query, "#"));
    r->authorization = header_copy(http, "Authorization");
    r->reason = header_copy(http, "X-Reason");
    fill_peer(r, http);
    r->on_metrics_port = server->metrics_only;
    struct evbuffer *body = evhttp_request_get_input_buffer(http);
    size_t len = evbuffer_get_length(body);
    if (len) {
        evbuffer_remove(body, text_reserve(&r->body, len), len);
        r->body.len = len;
    }
    route_request(r);
}

/* ---- An answer out. */

static const struct {
    int code;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *reason_of(int code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return "Unknown";
}

static void release(const void *at, size_t len, void *context)
{
    (void)len;
    (void)context;
    free((void *)(uintptr_t)at);
}

/* The body's bytes move into out without being copied. */
static bool add_body(struct evbuffer *out, struct text *body)
{
    if (!out || !body || !body->at)
        return true;
    if (evbuffer_add_reference(out, body->at, body->len, release, NULL) != 0)
        return false;
    *body = (struct text){0};
    return true;
}

void http_send(struct request *request, int code, const char *content_type, const char *header,
               const char *header_value, struct text *body)
{
    struct evhttp_request *http = request->http;
    request->http = NULL;
    if (http) {
        struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
        struct evbuffer *out = evbuffer_new();
        char length[24];
        evhttp_add_header(headers, "Cache-Control", "no-cache");
        if (content_type)
            evhttp_add_header(headers, "Content-Type", content_type);
        if (header)
            evhttp_add_header(headers, header, header_value);
        if (request->method == METHOD_HEAD) {
            snprintf(length, sizeof length, "%zu", body ? body->len : 0);
            evhttp_add_header(headers, "Content-Length", length);
        } else if (!add_body(out, body)) {
            code = 500;
        }
        evhttp_send_reply(http, code, reason_of(code), out);
        if (out)
            evbuffer_free(out);
    }
    if (body)
        text_free(body);
}

/* ---- Sockets. */

void http_resume(struct http_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        evconnlistener_enable(server->listeners[i]);
}

/* Out of descriptors, most likely: without a pause the loop would spin. The context is evhttp's. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)context;
    evconnlistener_disable(listener);
}

/* A listening socket, or -1 with errno. */
static int listen_on(const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address->ai_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 1024) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void remember_port(struct http_server *server, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {0}};
    socklen_t len = sizeof address;
    if (server->port || getsockname(fd, &address.any, &len) != 0)
        return;
    server->port =
        ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Whether the machine merely has no IPv6. */
static bool family_missing(const struct addrinfo *address)
{
    return address->ai_family == AF_INET6 &&
           (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL || errno == EPROTONOSUPPORT);
}

static enum status bind_all(struct http_server *server, struct addrinfo *addresses)
{
    for (struct addrinfo *a = addresses; a && server->listener_count < SOCKETS_MAX;
         a = a->ai_next) {
        /* "0" on all addresses: the second family takes the port that the first was given. */
        if (a->ai_family == AF_INET6 && server->port)
            ((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_port = htons(server->port);
        int fd = listen_on(a);
        if (fd < 0 && family_missing(a))
            continue;
        struct evhttp_bound_socket *bound =
            fd < 0 ? NULL : evhttp_accept_socket_with_handle(server->http, fd);
        if (!bound) {
            if (fd >= 0)
                close(fd);
            return STATUS_IO;
        }
        remember_port(server, fd);
        struct evconnlistener *listener = evhttp_bound_socket_get_listener(bound);
        evconnlistener_set_error_cb(listener, on_accept_error);
        server->listeners[server->listener_count++] = listener;
    }
    return server->listener_count ? STATUS_OK : STATUS_IO;
}

/* Cuts "host:port", "[host]:port" or "port" apart; the host is NULL for all addresses. */
static bool split_address(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    if (!colon) {
        host[0] = '\0';
        *port = address;
    } else {
        size_t len = (size_t)(colon - address);
        if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
            address++;
            len -= 2;
        }
        if (len == 0 || len >= 256)
            return false;
        memcpy(host, address, len);
        host[len] = '\0';
        *port = colon + 1;
    }
    uint64_t number;
    return number_read(*port, UINT16_MAX, &number);
}

static enum status failed(char **error, enum status status, const char *address, const char *why)
{
    struct text text = {0};
    text_printf(&text, "cannot listen for HTTP on %s: %s", address, why);
    *error = mem_need_text(text.at, text.len);
    text_free(&text);
    return status;
}

static enum status listen_at(struct http_server *server, const char *address, char **error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char host[256];
    const char *port;
    if (!split_address(address, host, &port))
        return failed(error, STATUS_MALFORMED, address, "not an address");
    int code = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (code != 0)
        return failed(error, STATUS_IO, address, gai_strerror(code));
    enum status status = bind_all(server, found);
    freeaddrinfo(found);
    return status == STATUS_OK ? STATUS_OK : failed(error, status, address, strerror(errno));
}

enum status http_new(struct admin *admin, const char *address, bool metrics_only,
                     struct http_server **out, char **error)
{
    struct http_server *server = mem_need(sizeof *server);
    server->admin = admin;
    server->metrics_only = metrics_only;
    server->http = evhttp_new(loop_event_base(admin->options.loop));
    if (!server->http) {
        http_free(&server);
        return failed(error, STATUS_NO_MEMORY, address, "out of memory");
    }
    evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(server->http, BODY_BYTES_MAX);
    evhttp_set_timeout(server->http, TIMEOUT_S);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_POST |
                                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD |
                                                 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_gencb(server->http, on_request, server);
    enum status status = listen_at(server, address, error);
    if (status != STATUS_OK) {
        http_free(&server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

void http_free(struct http_server **server)
{
    struct http_server *s = *server;
    *server = NULL;
    if (!s)
        return;
    if (s->http)
        evhttp_free(s->http);
    free(s);
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}
