/* Listening sockets.
 *
 * Normal course: the address is taken apart; a socket is made for each family of addresses, and
 * watched; when one is readable up to ACCEPTS_MAX connections are accepted and handed over. What
 * can go wrong: the address is in use or malformed (listener_new says so); there is no file
 * descriptor or memory for one more connection: accepting pauses for PAUSE_MS, a line is logged at
 * most every LOG_EVERY_MS, and clients wait in the kernel's queue; a client has gone before it was
 * accepted, which is no error. */
#include "leveret/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "leveret/base/bytes.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/net/address.h"
#include "listener_place.h"

/* Sockets of a listener: one for IPv4, one for IPv6. Other addresses of a name are left out. */
#define SOCKETS_MAX 2
/* Connections that wait in the kernel's queue of a socket. One more has to try again (listen(2)).
 */
#define BACKLOG 4096
/* Connections that are accepted on one socket in a turn. Others wait for the next one. */
#define ACCEPTS_MAX 64
/* Milliseconds without accepting after the process has run out of descriptors or memory. */
#define PAUSE_MS 200u
/* Milliseconds between two lines in the log about that. */
#define LOG_EVERY_MS 10000u
/* Tries to find a port, for port 0, that is free for IPv4 and IPv6. Then it is an error. */
#define PORT_TRIES 100

struct listener_socket {
    struct listener *listener;
    int fd;
    struct watch *watch;
};

struct listener {
    struct loop *loop;
    struct log *log;
    void (*accepted)(void *context, int fd);
    void *context;
    unsigned count;
    struct listener_socket sockets[SOCKETS_MAX];
    uint16_t port;
    struct timer *pause;
    uint64_t logged_at_ms;
    char *address;      /* as it was given */
    char *path;         /* of a Unix socket, whose file is removed at the end; else NULL */
    bool only_own_user; /* true when a Unix socket gets the mode 0600 */
    dev_t device;
    ino_t inode;
    char name[256];
};

/* Writes the formatted sentence to *error, in place of one that is there, and returns status. */
static enum status explain(enum status status, char **error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status explain(enum status status, char **error, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    free(*error);
    *error = mem_need_text(text, strlen(text));
    return status;
}

/* ---- Accepting */

static void set_watches(struct listener *listener, enum watch_events wanted)
{
    for (unsigned i = 0; i < listener->count; i++)
        watch_set(listener->sockets[i].watch, wanted);
}

static void on_pause_over(void *context)
{
    set_watches(context, WATCH_READ);
}

static void pause_accepting(struct listener *listener, int error)
{
    uint64_t now = loop_now_ms(listener->loop);
    if (!listener->logged_at_ms || now - listener->logged_at_ms >= LOG_EVERY_MS) {
        listener->logged_at_ms = now;
        log_line(listener->log, LOG_ERROR, "listener",
                 "%s: no more connections can be accepted: %s; raise the limit of open files "
                 "(ulimit -n, LimitNOFILE=) or close connections; trying again every %u ms",
                 listener->name, strerrordesc_np(error), PAUSE_MS);
    }
    set_watches(listener, WATCH_NONE);
    timer_set(listener->pause, PAUSE_MS);
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_socket(void *context, enum watch_events what)
{
    struct listener_socket *listening = context;
    struct listener *listener = listening->listener;
    (void)what;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && is_shortage(errno)) {
            pause_accepting(listener, errno);
            return;
        }
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (fd < 0)
            continue; /* a failure of the client or its network (ECONNABORTED …, accept(2)) */
        listener->accepted(listener->context, fd);
    }
}

/* ---- Addresses */

static struct sockaddr_in ipv4(struct in_addr ip, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = ip, .sin_port = htons(port)};
}

static struct sockaddr_in6 ipv6(struct in6_addr ip, uint16_t port)
{
    return (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_addr = ip, .sin6_port = htons(port)};
}

/* ---- Opening */

/* Opens a listening socket and returns it, or -1 with errno set. */
static int open_socket(const void *address, socklen_t len, bool only_own_user)
{
    const struct sockaddr *at = address;
    int on = 1;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool ok = true;
    if (at->sa_family != AF_UNIX)
        ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    /* Accepted sockets inherit it, so it does not have to be set for each of them. */
    if (at->sa_family != AF_UNIX)
        ok = ok && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
    if (at->sa_family == AF_INET6)
        ok = ok && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    /* The file that bind makes of a Unix socket has the mode of the socket itself. */
    if (only_own_user)
        ok = ok && fchmod(fd, S_IRUSR | S_IWUSR) == 0;
    if (ok && bind(fd, at, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Adds a listening socket to the listener, and its address to the listener's name. */
static void add_socket(struct listener *listener, int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    char host[64], text[96];
    bool loopback;
    CHECK(listener->count < SOCKETS_MAX);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    address_text(&address, len, host, &listener->port, &loopback);
    address_join(host, listener->port, text, sizeof text);
    size_t used = strlen(listener->name);
    if (listener->path)
        snprintf(listener->name, sizeof listener->name, "unix:%s", listener->path);
    else
        snprintf(listener->name + used, sizeof listener->name - used, "%s%s", used ? ", " : "",
                 text);
    struct listener_socket *listening = &listener->sockets[listener->count++];
    listening->listener = listener;
    listening->fd = fd;
    listening->watch = watch_new(listener->loop, fd, on_socket, listening);
}

static void drop_sockets(struct listener *listener)
{
    while (listener->count > 0) {
        struct listener_socket *listening = &listener->sockets[--listener->count];
        watch_free(&listening->watch);
        close(listening->fd);
    }
    listener->name[0] = '\0';
}

/* Opens a socket for each address of a name, such as "localhost". */
static enum status open_resolved(struct listener *listener, const struct listener_place *place,
                                 char **error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof port, "%u", place->port);
    /* The resolver would take "1.2.3" for an address; here it is an error. */
    if (place->host[strspn(place->host, "0123456789.:")] == '\0' ||
        getaddrinfo(place->host, port, &hints, &found) != 0)
        return explain(STATUS_MALFORMED, error,
                       "'%s' is no IPv4 or IPv6 address, and no name of one", place->host);
    enum status status = STATUS_OK;
    for (const struct addrinfo *a = found; a && listener->count < SOCKETS_MAX; a = a->ai_next) {
        /* With port 0 the second address takes the port that the first one was given. */
        if (a->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_port =
                htons(listener->port ? listener->port : place->port);
        else
            ((struct sockaddr_in *)(void *)a->ai_addr)->sin_port =
                htons(listener->port ? listener->port : place->port);
        int fd = open_socket(a->ai_addr, a->ai_addrlen, false);
        if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && a->ai_next)
            continue; /* the machine does not have this family of addresses */
        if (fd < 0) {
            status = explain(STATUS_IO, error, "cannot listen on %s port %u: %s", place->host,
                             place->port, strerrordesc_np(errno));
            break;
        }
        add_socket(listener, fd);
    }
    freeaddrinfo(found);
    return status;
}

static enum status open_named(struct listener *listener, const struct listener_place *place,
                              char **error)
{
    struct in_addr v4;
    struct in6_addr v6;
    int fd;
    if (inet_pton(AF_INET, place->host, &v4) == 1) {
        struct sockaddr_in address = ipv4(v4, place->port);
        fd = open_socket(&address, sizeof address, false);
    } else if (inet_pton(AF_INET6, place->host, &v6) == 1) {
        struct sockaddr_in6 address = ipv6(v6, place->port);
        fd = open_socket(&address, sizeof address, false);
    } else {
        return open_resolved(listener, place, error);
    }
    if (fd < 0)
        return explain(STATUS_IO, error, "cannot listen on %s port %u: %s", place->host,
                       place->port, strerrordesc_np(errno));
    add_socket(listener, fd);
    return STATUS_OK;
}

/* Opens a socket for all IPv4 addresses and one for all IPv6 addresses, on the same port. */
static enum status open_all(struct listener *listener, uint16_t port, char **error)
{
    struct sockaddr_in6 v6 = ipv6(in6addr_any, port);
    int fd = open_socket(&v6, sizeof v6, false);
    bool no_ipv6 = fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
    if (fd < 0 && !no_ipv6)
        return explain(STATUS_IO, error, "cannot listen on port %u (IPv6): %s", port,
                       strerrordesc_np(errno));
    uint16_t chosen = port;
    if (fd >= 0) {
        add_socket(listener, fd);
        chosen = listener->port;
    }
    struct sockaddr_in v4 = ipv4((struct in_addr){htonl(INADDR_ANY)}, chosen);
    fd = open_socket(&v4, sizeof v4, false);
    if (fd < 0 && errno == EAFNOSUPPORT && !no_ipv6)
        return STATUS_OK;
    if (fd < 0)
        return explain(STATUS_IO, error, "cannot listen on port %u: %s", chosen,
                       strerrordesc_np(errno));
    add_socket(listener, fd);
    return STATUS_OK;
}

static enum status open_everywhere(struct listener *listener, uint16_t port, char **error)
{
    /* A port that is free for one family, which the kernel has chosen, may be in use for the other.
     */
    enum status status = open_all(listener, port, error);
    for (int i = 1; i < PORT_TRIES && status != STATUS_OK && port == 0; i++) {
        drop_sockets(listener);
        status = open_all(listener, port, error);
    }
    return status;
}

/* Whether somebody answers on the Unix socket at address. */
static bool unix_socket_lives(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* not known: then the file is not removed */
    bool lives =
        connect(fd, (const struct sockaddr *)(const void *)address, sizeof *address) == 0 ||
        errno != ECONNREFUSED;
    close(fd);
    return lives;
}

static enum status open_unix(struct listener *listener, const char *path, char **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat there;
    memcpy(address.sun_path, path, strlen(path));
    if (lstat(path, &there) == 0) {
        if (!S_ISSOCK(there.st_mode))
            return explain(STATUS_IO, error, "cannot listen on %s: it exists and is no socket",
                           path);
        if (unix_socket_lives(&address))
            return explain(STATUS_IO, error, "cannot listen on %s: another process does", path);
        (void)unlink(path);
    }
    int fd = open_socket(&address, sizeof address, listener->only_own_user);
    if (fd < 0)
        return explain(STATUS_IO, error, "cannot listen on %s: %s", path, strerrordesc_np(errno));
    listener->path = mem_need_text(path, strlen(path));
    if (lstat(path, &there) == 0) {
        listener->device = there.st_dev;
        listener->inode = there.st_ino;
    }
    add_socket(listener, fd);
    return STATUS_OK;
}

/* Closes the sockets, and removes the file of a Unix socket, if it is its own: another process may
 * have put its own there meanwhile. */
static void close_sockets(struct listener *listener)
{
    struct stat there;
    drop_sockets(listener);
    if (listener->path && lstat(listener->path, &there) == 0 && there.st_dev == listener->device &&
        there.st_ino == listener->inode)
        (void)unlink(listener->path);
    free(listener->path);
    listener->path = NULL;
}

/* ---- The contract */

static struct listener *listener_make(struct loop *loop, const char *address,
                                      void (*accepted)(void *context, int fd), void *context,
                                      struct log *log)
{
    struct listener *listener = mem_need(sizeof *listener);
    listener->address = mem_need_text(address, strlen(address));
    listener->loop = loop;
    listener->log = log;
    listener->accepted = accepted;
    listener->context = context;
    listener->pause = timer_new(loop, on_pause_over, listener);
    return listener;
}

static enum status open_place(struct listener *listener, const struct listener_place *place,
                              char **error)
{
    if (place->path)
        return open_unix(listener, place->path, error);
    if (place->host[0])
        return open_named(listener, place, error);
    return open_everywhere(listener, place->port, error);
}

/* Ends what the two functions below begin; status says whether the sockets are open. */
static enum status listener_made(struct listener *listener, enum status status,
                                 struct listener **out, char **error)
{
    if (status != STATUS_OK) {
        listener_free(&listener);
        return status;
    }
    free(*error); /* of a port that was tried and not free */
    *error = NULL;
    set_watches(listener, WATCH_READ);
    *out = listener;
    return STATUS_OK;
}

enum status listener_new(struct loop *loop, const char *address,
                         void (*accepted)(void *context, int fd), void *context, struct log *log,
                         struct listener **out, char **error)
{
    struct listener_place place;
    *out = NULL;
    *error = NULL;
    if (!listener_place_read(address, &place))
        return explain(STATUS_MALFORMED, error,
                       "'%s' is no address to listen on: wanted is PORT, ADDRESS:PORT, "
                       "[IPV6-ADDRESS]:PORT or unix:/PATH",
                       address);
    struct listener *listener = listener_make(loop, address, accepted, context, log);
    return listener_made(listener, open_place(listener, &place, error), out, error);
}

enum status listener_new_private(struct loop *loop, const char *path,
                                 void (*accepted)(void *context, int fd), void *context,
                                 struct log *log, struct listener **out, char **error)
{
    *out = NULL;
    *error = NULL;
    if (!*path || strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return explain(STATUS_MALFORMED, error, "the path of a Unix socket is empty or too long");
    struct listener *listener = listener_make(loop, path, accepted, context, log);
    listener->only_own_user = true;
    return listener_made(listener, open_unix(listener, path, error), out, error);
}

void listener_suspend(struct listener *listener)
{
    char name[sizeof listener->name];
    timer_clear(listener->pause);
    memcpy(name, listener->name, sizeof name);
    close_sockets(listener);
    memcpy(listener->name, name, sizeof name);
}

enum status listener_resume(struct listener *listener, char **error)
{
    struct listener_place place;
    char name[sizeof listener->name];
    *error = NULL;
    if (listener->count)
        return STATUS_OK;
    CHECK(listener_place_read(listener->address, &place)); /* it was read before */
    place.port = listener->port;
    memcpy(name, listener->name, sizeof name);
    listener->name[0] = '\0';
    enum status status = open_place(listener, &place, error);
    if (status != STATUS_OK) {
        drop_sockets(listener);
        memcpy(listener->name, name, sizeof name);
        return status;
    }
    free(*error);
    *error = NULL;
    set_watches(listener, WATCH_READ);
    return STATUS_OK;
}

static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* Accepted sockets inherit what is set on the listening one. */
static bool tune(int fd, bool is_unix, const struct listener_options *o)
{
    if (o->backlog && listen(fd, o->backlog) != 0)
        return false;
    return is_unix ||
           (set_option(fd, IPPROTO_TCP, TCP_NODELAY, o->nodelay) &&
            set_option(fd, SOL_SOCKET, SO_KEEPALIVE, o->keepalive) &&
            (!o->send_bytes || set_option(fd, SOL_SOCKET, SO_SNDBUF, o->send_bytes)) &&
            (!o->receive_bytes || set_option(fd, SOL_SOCKET, SO_RCVBUF, o->receive_bytes)) &&
            (!o->send_timeout_ms ||
             set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)o->send_timeout_ms)));
}

enum status listener_tune(struct listener *listener, const struct listener_options *options)
{
    for (unsigned i = 0; i < listener->count; i++)
        if (!tune(listener->sockets[i].fd, listener->path != NULL, options))
            return STATUS_IO;
    return STATUS_OK;
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

const char *listener_name(const struct listener *listener)
{
    return listener->name;
}

void listener_free(struct listener **listener)
{
    struct listener *l = *listener;
    *listener = NULL;
    if (!l)
        return;
    close_sockets(l);
    timer_free(&l->pause);
    free(l->address);
    free(l);
}
