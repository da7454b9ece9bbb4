/* Listening: sockets for AMQP, and what happens to a connection that arrives.
 *
 * Normal course: each address of the settings is opened on the first worker's loop; a connection
 * goes to the workers in turn. What can go wrong: an address cannot be opened: the start fails with
 * a sentence that names the key; there are no descriptors left: the connection is closed, and a
 * line of the log says so. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveretd/settings/literal.h"
#include "server.h"

/* Milliseconds between two lines that say that no more connections are taken. */
#define FULL_LOG_MS 10000u

static void log_full(struct server *server)
{
    uint64_t now = loop_now_ms(workers_loop(server->workers, 0));
    if (server->full_logged_ms && now - server->full_logged_ms < FULL_LOG_MS)
        return;
    server->full_logged_ms = now;
    log_line(
        server->log, LOG_ERROR, "listener",
        "no more connections are taken: %u are open, the rest of the open files is kept for the "
        "journal and the API; raise the limit of open files (ulimit -n, LimitNOFILE=) or close "
        "connections",
        (unsigned)atomic_load(&server->amqp_sockets.max));
}

/* Called on the first worker. A connection that stays on it need not be sent to another loop. */
void server_accept(struct server *server, struct kept accepted)
{
    sessions_accept(server->sessions[server->next_session], accepted.fd, accepted.tls);
    server->next_session = (server->next_session + 1) % server->sessions_made;
}

static void take(struct server *server, struct kept accepted)
{
    if (!quota_take(&server->amqp_sockets)) {
        close(accepted.fd);
        log_full(server);
        return;
    }
    if (server->open)
        server_accept(server, accepted);
    else
        load_keep(server, accepted);
}

static void accepted(void *context, int fd)
{
    take(context, (struct kept){fd, NULL});
}

static void accepted_tls(void *context, int fd)
{
    struct server *server = context;
    take(server, (struct kept){fd, server->tls.tls[TLS_FOR_AMQP]});
}

/* The API shows each address by itself, without port and brackets. */
static void add_listener_info(struct server *server, const char *protocol, const char *name,
                              size_t len, uint16_t port)
{
    size_t at = server->listener_info_count++;
    if (len >= 2 && name[0] == '[' && name[len - 1] == ']')
        name++, len -= 2;
    server->listener_names = mem_need_array(server->listener_names, at + 1, sizeof(char *));
    server->listener_infos =
        mem_need_array(server->listener_infos, at + 1, sizeof *server->listener_infos);
    server->listener_names[at] = mem_need_text(name, len);
    server->listener_infos[at] =
        (struct admin_listener){protocol, server->listener_names[at], port};
}

/* The name of a listener is its addresses; the path of a Unix socket has no port to cut off. */
static void add_listener_infos(struct server *server, const char *protocol,
                               const struct listener *listener)
{
    uint16_t port = listener_port(listener);
    const char *name = listener_name(listener);
    if (port == 0) {
        add_listener_info(server, protocol, name, strlen(name), port);
        return;
    }
    while (*name) {
        size_t len = strcspn(name, ",");
        const char *colon = memrchr(name, ':', len);
        add_listener_info(server, protocol, name, colon ? (size_t)(colon - name) : len, port);
        name += len;
        name += strspn(name, ", ");
    }
}

/* A value that the kernel refuses prevents no start: it bounds nothing. */
static void tune_listener(struct server *server, struct listener *listener)
{
    const struct settings *settings = server->settings;
    const struct listener_options options = {
        .backlog = (int)settings->tcp_backlog,
        .nodelay = settings->tcp_nodelay,
        .keepalive = settings->tcp_keepalive,
        .send_bytes = (int)settings->tcp_send_bytes,
        .receive_bytes = (int)settings->tcp_receive_bytes,
        .send_timeout_ms = (unsigned)settings->tcp_send_timeout_ms,
    };
    if (listener_tune(listener, &options) != STATUS_OK)
        log_line(server->log, LOG_WARNING, "listener",
                 "%s: the kernel refuses one of tcp_listen_options: %s", listener_name(listener),
                 strerrordesc_np(errno));
}

/* The key whose value is this address, for an error; that of the default address when none was set.
 */
static void key_of_address(const struct setting_names *listeners, const char *family,
                           const char *address, char *out, size_t room)
{
    snprintf(out, room, "%s.default", family);
    for (size_t i = 0; i < listeners->count; i++) {
        const struct setting_name *item = &listeners->items[i];
        char *made;
        if (!literal_address(item->value, &made) && made && strcmp(made, address) == 0)
            snprintf(out, room, "%s.%s", family, item->name);
        free(made);
    }
    if (strncmp(address, "unix:", strlen("unix:")) == 0)
        snprintf(out, room, "listeners.unix");
}

/* A kind of listeners. */
struct listener_kind {
    const char *family, *protocol;
    const struct setting_names *settings;
    void (*accepted)(void *context, int fd);
};

/* Puts the key before the sentence that says why its address cannot be opened. */
static void name_the_key(const struct listener_kind *kind, const char *address, enum status status,
                         char **error)
{
    char key[300], *sentence = *error;
    key_of_address(kind->settings, kind->family, address, key, sizeof key);
    if (asprintf(error, "%s: %s", key, sentence ? sentence : status_text(status)) < 0)
        *error = NULL;
    free(sentence);
}

/* Opens the addresses, a NULL-ended list, which it frees. */
static enum status open_all(struct server *server, const struct listener_kind *kind,
                            char **addresses, char **error)
{
    enum status status = STATUS_OK;
    size_t count = 0;

    while (addresses[count])
        count++;
    server->listeners = mem_need_array(server->listeners, server->listener_count + count + 1,
                                       sizeof *server->listeners);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct listener *listener;
        status = listener_new(workers_loop(server->workers, 0), addresses[i], kind->accepted,
                              server, server->log, &listener, error);
        if (status != STATUS_OK) {
            name_the_key(kind, addresses[i], status, error);
            break;
        }
        server->listeners[server->listener_count++] = listener;
        tune_listener(server, listener);
        add_listener_infos(server, kind->protocol, listener);
    }
    settings_free_list(&addresses);
    return status;
}

enum status server_start_listeners(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    const struct listener_kind plain = {"listeners.tcp", "amqp", &settings->listeners, accepted};
    const struct listener_kind tls = {"listeners.ssl", "amqp/ssl", &settings->tls_listeners,
                                      accepted_tls};
    enum status status = open_all(server, &plain, settings_addresses(settings), error);
    if (status == STATUS_OK && server->tls.tls[TLS_FOR_AMQP])
        status = open_all(server, &tls, settings_tls_addresses(settings), error);
    return status;
}

/* ---- Closed and opened again while the broker runs. */

/* From the main thread to the first worker, and back with an error. */
struct listen_letter {
    struct server *server;
    void (*done)(void *context, const char *error);
    void *context;
    bool on;
    char error[160]; /* empty: none */
};

static void answer_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct listen_letter l;
    (void)bytes;
    memcpy(&l, letter, sizeof l);
    if (receiver)
        l.done(l.context, l.error[0] ? l.error : NULL);
}

static void listen_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct listen_letter l;
    (void)bytes;
    memcpy(&l, letter, sizeof l);
    struct server *server = l.server;
    /* Without a loop, or once the listeners are gone, the broker ends. */
    for (size_t i = 0; receiver && i < server->listener_count; i++) {
        char *error = NULL;
        if (!l.on)
            listener_suspend(server->listeners[i]);
        else if (listener_resume(server->listeners[i], &error) == STATUS_OK)
            tune_listener(server, server->listeners[i]);
        else
            snprintf(l.error, sizeof l.error, "%s", error ? error : "cannot listen");
        free(error);
    }
    if (receiver)
        loop_post(server->loop, answer_letter, &l, sizeof l);
}

void server_listen(void *context, bool on, void (*done)(void *done_context, const char *error),
                   void *done_context)
{
    struct server *server = context;
    const struct listen_letter l = {server, done, done_context, on, ""};
    loop_post(workers_loop(server->workers, 0), listen_letter, &l, sizeof l);
}
