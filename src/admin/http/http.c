/* The HTTP server: its sockets, which of them become connections, and a connection's life.
 *
 * Normal course: the listener hands over a socket, which becomes a connection; http_input.c reads
 * it and http_output.c writes to it. What can go wrong: there are as many connections as there may
 * be, in all or from the client's address (the one that has been idle longest is closed; when none
 * is idle the new socket is answered 503 and closed); a client is slower than it may be (its
 * connection is closed). */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/http/http_internal.h"
#include "admin/http/pack.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* The log says at most this often, in milliseconds, that a connection was refused. */
#define FULL_LOG_MS 10000u

/* ---- A connection's life. */

void http_connection_count(struct http_connection *c)
{
    const struct request *r = c->request;
    size_t in = sizeof *c + c->in.room + (r ? sizeof *r + r->body.room : 0);
    account_add(c->server->admin->account, ACCOUNT_HTTP_REQUESTS,
                (int64_t)in - (int64_t)c->held_in);
    size_t out = c->out_bytes + c->unpacked.room + (c->packer ? PACK_HELD_BYTES : 0);
    account_add(c->server->admin->account, ACCOUNT_HTTP_ANSWERS,
                (int64_t)out - (int64_t)c->held_out);
    c->held_in = in;
    c->held_out = out;
}

static void forget(struct http_connection *c)
{
    struct account *account = c->server->admin->account;
    account_add(account, ACCOUNT_HTTP_REQUESTS, -(int64_t)c->held_in);
    account_add(account, ACCOUNT_HTTP_ANSWERS, -(int64_t)c->held_out);
    LIST_REMOVE(c, entry);
    c->server->connection_count--;
    watch_free(&c->watch);
    timer_free(&c->timer);
    c->transport.ops->close(&c->transport);
    http_output_clear(c);
    text_free(&c->in);
}

static void free_now(struct loop_task *task)
{
    struct http_connection *c = container_of(task, struct http_connection, free_task);
    struct request *request = c->request, *streamer = c->streamer;
    void (*more)(struct request *) = c->more;
    bool half = c->input == INPUT_BODY;
    c->magic = 0;
    free(c);
    if (request) {
        request->http = NULL;
        if (half)
            request_free(request);
    }
    if (streamer) {
        streamer->http = NULL;
        if (more)
            more(streamer);
    }
}

void http_connection_close(struct http_connection *c)
{
    if (c->fd < 0)
        return;
    loop_task_cancel(c->server->loop, &c->write_task);
    forget(c);
    c->fd = -1;
    loop_at_end(c->server->loop, PHASE_FREE, &c->free_task);
}

static void on_socket(void *context, enum watch_events what)
{
    struct http_connection *c = context;
    CHECK(c->magic == HTTP_CONNECTION_MAGIC);
    if (what & WATCH_WRITE)
        loop_at_end(c->server->loop, PHASE_WRITE, &c->write_task);
    if (what & WATCH_READ || (what & WATCH_WRITE && c->transport.wants_write))
        http_input_readable(c);
}

static void on_timer(void *context)
{
    struct http_connection *c = context;
    CHECK(c->magic == HTTP_CONNECTION_MAGIC);
    if (c->timer_writes)
        http_output_late(c);
    else
        http_input_late(c);
}

static uint64_t turn_now(void *context)
{
    return loop_now_ms(context);
}

static void connection_start(struct http_server *server, int fd,
                             const struct connection_address *address)
{
    struct transport transport = transport_plain(fd);
    if (server->tls &&
        !tls_transport(server->tls, fd, &server->tls_turn, turn_now, server->loop, &transport))
        return;
    struct http_connection *c = mem_need(sizeof *c);
    c->transport = transport;
    c->magic = HTTP_CONNECTION_MAGIC;
    c->server = server;
    c->fd = fd;
    c->address = *address;
    c->write_task.run = http_output_run;
    c->free_task.run = free_now;
    STAILQ_INIT(&c->pieces);
    LIST_INSERT_HEAD(&server->connections, c, entry);
    server->connection_count++;
    c->watch = watch_new(server->loop, fd, on_socket, c);
    c->timer = timer_new(server->loop, on_timer, c);
    http_input_enter(c, INPUT_HEAD);
    if (server->tls)
        timer_set(c->timer, server->limits.request_ms); /* for the handshake */
    http_connection_count(c);
}

/* ---- Which sockets become connections. */

static bool is_idle(const struct http_connection *c)
{
    return c->input == INPUT_LINGER ||
           (c->input == INPUT_HEAD && !c->request && !c->streamer && c->out_bytes == 0);
}

static unsigned count_of(const struct http_server *server, const char *host)
{
    const struct http_connection *c;
    unsigned count = 0;
    LIST_FOREACH(c, &server->connections, entry)
    count += strcmp(c->address.peer_host, host) == 0;
    return count;
}

/* Closes the connection that has been idle longest, of those from the host or (NULL) of all.
 * Returns false when none is idle. */
static bool make_room(struct http_server *server, const char *host)
{
    struct http_connection *c, *oldest = NULL;
    LIST_FOREACH(c, &server->connections, entry)
    {
        if (!is_idle(c) || (host && strcmp(c->address.peer_host, host) != 0))
            continue;
        if (!oldest || c->since_ms <= oldest->since_ms)
            oldest = c;
    }
    if (!oldest)
        return false;
    http_connection_close(oldest);
    return true;
}

static bool has_room(struct http_server *server, const char *host)
{
    const struct http_limits *limits = &server->limits;
    if (count_of(server, host) >= limits->connections_per_address && !make_room(server, host))
        return false;
    return server->connection_count < limits->connections || make_room(server, NULL);
}

static void log_full(struct http_server *server, const char *host)
{
    uint64_t now = loop_now_ms(server->loop);
    if (server->full_logged_ms && now - server->full_logged_ms < FULL_LOG_MS)
        return;
    server->full_logged_ms = now;
    log_line(server->admin->options.log, LOG_WARNING, "http",
             "port %u: a connection from %s was refused: there are %u, of at most %u, and at most "
             "%u from one address",
             http_port(server), host, server->connection_count, server->limits.connections,
             server->limits.connections_per_address);
}

static void turn_away(struct http_server *server, int fd, const char *host)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\n\r\n";
    log_full(server, host);
    if (server->tls) {
        close(fd);
        return;
    }
    (void)!recv(fd, server->scratch, sizeof server->scratch, MSG_DONTWAIT);
    (void)!send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

/* Whether the process on the other end of a Unix socket is root's, or of this process's user. The
 * mode of the socket's file says the same; this holds when somebody has changed the mode. */
static bool is_own_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void accepted(void *context, int fd)
{
    struct http_server *server = context;
    struct connection_address address;
    if (server->purpose == HTTP_CONTROL && !is_own_user(fd)) {
        close(fd);
        return;
    }
    address_of_socket(fd, &address);
    if (has_room(server, address.peer_host))
        connection_start(server, fd, &address);
    else
        turn_away(server, fd, address.peer_host);
}

/* ---- Made and freed. */

enum status http_new(struct admin *admin, const char *address, const struct http_limits *limits,
                     enum http_purpose purpose, struct tls *tls, const struct http_service *service,
                     struct http_server **out, char **error)
{
    struct http_server *server = mem_need(sizeof *server);
    server->admin = admin;
    server->loop = admin->options.loop;
    server->limits = *limits;
    server->purpose = purpose;
    server->tls = tls;
    server->service = *service;
    LIST_INIT(&server->connections);
    enum status status = (purpose == HTTP_CONTROL ? listener_new_private : listener_new)(
        server->loop, address, accepted, server, admin->options.log, &server->listener, error);
    if (status == STATUS_OK) {
        *out = server;
        return STATUS_OK;
    }
    free(server);
    struct text text = {0};
    text_printf(&text, "HTTP: %s", *error);
    free(*error);
    *error = mem_need_text(text.at, text.len);
    text_free(&text);
    return status;
}

void http_free(struct http_server **server)
{
    struct http_server *s = *server;
    struct http_connection *next;
    *server = NULL;
    if (!s)
        return;
    listener_free(&s->listener);
    for (struct http_connection *c = LIST_FIRST(&s->connections); c; c = next) {
        next = LIST_NEXT(c, entry);
        loop_task_cancel(s->loop, &c->write_task);
        forget(c);
        free(c); /* admin_free frees its request */
    }
    free(s);
}

bool http_speaks_tls(const struct http_server *server)
{
    return server->tls != NULL;
}

uint16_t http_port(const struct http_server *server)
{
    return listener_port(server->listener);
}

unsigned http_connections(const struct http_server *server)
{
    return server->connection_count;
}
