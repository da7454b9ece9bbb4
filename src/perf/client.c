/* The waiting part of a connection: socket, handshake, calls.
 *
 * Normal course: client_open → client_call for each step of the setting up → the loop takes over →
 * client_close. What can go wrong: no answer within CLIENT_TIMEOUT_S, a channel.close or
 * connection.close in place of the answer; both end the call, with a text in client->why. */
#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveret/wire/frame.h"
#include "leveret/wire/table.h"

static enum status fail(struct client *client, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status fail(struct client *client, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->why, sizeof client->why, format, arguments);
    va_end(arguments);
    return status;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static enum status connect_to(struct client *client, const struct target *target)
{
    if (target->host[0] == '/') {
        client->fd = connect_unix(target->host);
        return client->fd >= 0 ? STATUS_OK
                               : fail(client, STATUS_IO, "%s: %s", target->host, strerror(errno));
    }
    /* A numeric address is tried first: looking up a name asks the kernel and reads files each
     * time. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(target->host, target->port, &hints, &found);
    if (error == EAI_NONAME) {
        hints.ai_flags = AI_ADDRCONFIG;
        error = getaddrinfo(target->host, target->port, &hints, &found);
    }
    if (error)
        return fail(client, STATUS_IO, "%s: %s", target->host, gai_strerror(error));
    int saved = 0;
    for (struct addrinfo *at = found; at && client->fd < 0; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            client->fd = fd;
            break;
        }
        saved = errno;
        if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(found);
    if (client->fd < 0)
        return fail(client, STATUS_IO, "%s port %s: %s", target->host, target->port,
                    strerror(saved));
    int on = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return STATUS_OK;
}

ssize_t client_read(struct client *client, void *at, size_t bytes)
{
    return client->secure ? secure_read(client->secure, at, bytes)
                          : recv(client->fd, at, bytes, MSG_DONTWAIT);
}

ssize_t client_write(struct client *client, const void *at, size_t bytes)
{
    return client->secure ? secure_write(client->secure, at, bytes)
                          : send(client->fd, at, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Waits for the socket. Returns false when nothing has come of it in CLIENT_TIMEOUT_S. */
static bool await_socket(const struct client *client, short events)
{
    struct pollfd wait = {.fd = client->fd, .events = events};
    return poll(&wait, 1, (int)CLIENT_TIMEOUT_S * 1000) != 0;
}

void client_compact(struct client *client)
{
    if (client->in_from && client->in_len)
        memmove(client->in, client->in + client->in_from, client->in_len);
    client->in_from = 0;
}

void client_grow(struct client *client, size_t in_room)
{
    client_compact(client);
    if (client->in_room >= in_room)
        return;
    client->in = mem_need_array(client->in, in_room, 1);
    client->in_room = in_room;
}

void client_queue(struct client *client, uint16_t channel, const struct method *method)
{
    /* All fields but tables have a limited length, and the only long tables that are sent are queue
     * arguments. */
    size_t room =
        4096 + (method->id == METHOD_QUEUE_DECLARE ? method->u.queue_declare.arguments.len : 0);
    uint8_t *at = text_reserve(&client->out, room + FRAME_OVERHEAD_BYTES);
    size_t len = method_encode(method, at + FRAME_HEADER_BYTES, room);
    frame_put_header(at, FRAME_METHOD, channel, (uint32_t)len);
    at[FRAME_HEADER_BYTES + len] = FRAME_END;
    client->out.len += len + FRAME_OVERHEAD_BYTES;
}

enum status client_flush(struct client *client)
{
    size_t done = 0;
    while (done < client->out.len) {
        ssize_t n = client_write(client, client->out.at + done, client->out.len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            if (!await_socket(client, POLLOUT))
                return fail(client, STATUS_IO, "the broker takes no more bytes");
        } else if (errno != EINTR) {
            return fail(client, STATUS_IO, "write: %s", strerror(errno));
        }
    }
    client->out.len = 0;
    return STATUS_OK;
}

/* Reads once, waiting for input. */
static enum status receive(struct client *client)
{
    client_compact(client);
    if (client->in_len == client->in_room)
        client_grow(client, client->in_room * 2);
    for (;;) {
        ssize_t n =
            client_read(client, client->in + client->in_len, client->in_room - client->in_len);
        if (n == 0)
            return fail(client, STATUS_CLOSED, "the broker closed the socket");
        if (n > 0) {
            client->in_len += (size_t)n;
            return STATUS_OK;
        }
        if (errno == EAGAIN && !await_socket(client, POLLIN))
            return fail(client, STATUS_IO, "no answer within %u s", CLIENT_TIMEOUT_S);
        if (errno != EINTR && errno != EAGAIN)
            return fail(client, STATUS_IO, "read: %s", strerror(errno));
    }
}

/* Returns the next whole frame, a view that is valid until the next read. */
static enum status next_frame(struct client *client, struct frame *out)
{
    for (;;) {
        const uint8_t *at = client->in + client->in_from;
        if (client->in_len >= 8 && at[0] == 'A')
            return fail(client, STATUS_MALFORMED, "the broker speaks another version of AMQP");
        if (client->in_len >= FRAME_HEADER_BYTES) {
            struct reader r = reader_of(bytes_of(at, FRAME_HEADER_BYTES));
            out->type = (enum frame_type)read_u8(&r);
            out->channel = read_u16(&r);
            size_t len = read_u32(&r);
            if (len > CLIENT_FRAME_MAX * 8)
                return fail(client, STATUS_MALFORMED, "a frame of %zu bytes", len);
            if (client->in_len >= len + FRAME_OVERHEAD_BYTES) {
                out->payload = bytes_of(at + FRAME_HEADER_BYTES, len);
                client->in_from += len + FRAME_OVERHEAD_BYTES;
                client->in_len -= len + FRAME_OVERHEAD_BYTES;
                return STATUS_OK;
            }
        }
        enum status status = receive(client);
        if (status)
            return status;
    }
}

/* Waits for a method, skipping others that the broker may send unasked. */
static enum status await(struct client *client, uint16_t channel, enum method_id id,
                         struct method *reply)
{
    for (;;) {
        struct frame frame = {0};
        enum status status = next_frame(client, &frame);
        if (status)
            return status;
        if (frame.type != FRAME_METHOD)
            continue;
        if (method_decode(frame.payload, reply))
            return fail(client, STATUS_MALFORMED, "a method that cannot be read: %s",
                        method_name(reply->id));
        if (reply->id == id && frame.channel == channel)
            return STATUS_OK;
        if (reply->id == METHOD_CHANNEL_CLOSE)
            return fail(client, STATUS_CLOSED, "%u %.*s", reply->u.channel_close.reply_code,
                        BYTES_PRINT(reply->u.channel_close.reply_text));
        if (reply->id == METHOD_CONNECTION_CLOSE)
            return fail(client, STATUS_CLOSED, "%u %.*s", reply->u.connection_close.reply_code,
                        BYTES_PRINT(reply->u.connection_close.reply_text));
    }
}

enum status client_call(struct client *client, uint16_t channel, const struct method *request,
                        enum method_id reply_id, struct method *reply)
{
    struct method unused;
    client_queue(client, channel, request);
    enum status status = client_flush(client);
    return status ? status : await(client, channel, reply_id, reply ? reply : &unused);
}

/* The client properties of connection.start-ok. */
static void put_properties(struct text *out)
{
    table_put_string(out, "product", BYTES_LITERAL("leveret-perf"));
    table_put_string(out, "platform", BYTES_LITERAL("C"));
    size_t capabilities = table_begin(out, "capabilities");
    table_put_bool(out, "publisher_confirms", true);
    table_put_bool(out, "basic.nack", true);
    table_put_bool(out, "connection.blocked", true);
    table_put_bool(out, "consumer_cancel_notify", true);
    table_put_bool(out, "authentication_failure_close", true);
    table_end(out, capabilities);
}

static void queue_start_ok(struct client *client, const struct target *target)
{
    char response[2 * TARGET_TEXT_MAX + 2];
    size_t user_len = strlen(target->user), password_len = strlen(target->password);
    response[0] = 0;
    memcpy(response + 1, target->user, user_len + 1);
    memcpy(response + user_len + 2, target->password, password_len);
    struct text properties = {0};
    put_properties(&properties);
    struct method method = {.id = METHOD_CONNECTION_START_OK};
    method.u.connection_start_ok = (struct connection_start_ok){
        .client_properties = text_bytes(&properties),
        .mechanism = BYTES_LITERAL("PLAIN"),
        .response = bytes_of(response, user_len + password_len + 2),
        .locale = BYTES_LITERAL("en_US"),
    };
    client_queue(client, 0, &method);
    text_free(&properties);
}

static enum status handshake(struct client *client, const struct target *target)
{
    struct method method;
    text_add(&client->out, protocol_header, PROTOCOL_HEADER_BYTES);
    enum status status = client_flush(client);
    if (!status)
        status = await(client, 0, METHOD_CONNECTION_START, &method);
    if (status)
        return status;
    queue_start_ok(client, target);
    status = client_flush(client);
    if (!status)
        status = await(client, 0, METHOD_CONNECTION_TUNE, &method);
    if (status)
        return status;
    struct connection_tune tune = method.u.connection_tune;
    client->channel_max = tune.channel_max ? tune.channel_max : UINT16_MAX;
    client->frame_max =
        tune.frame_max && tune.frame_max < CLIENT_FRAME_MAX ? tune.frame_max : CLIENT_FRAME_MAX;
    method.id = METHOD_CONNECTION_TUNE_OK;
    method.u.connection_tune_ok = (struct connection_tune_ok){
        .channel_max = tune.channel_max, .frame_max = client->frame_max, .heartbeat = 0};
    client_queue(client, 0, &method);
    method.id = METHOD_CONNECTION_OPEN;
    method.u.connection_open.virtual_host = bytes_of_text(target->vhost);
    return client_call(client, 0, &method, METHOD_CONNECTION_OPEN_OK, NULL);
}

enum status client_open(const struct target *target, struct client **out, char why[CLIENT_WHY_MAX])
{
    struct client *client = mem_need(sizeof *client);
    client->fd = -1;
    client_grow(client, CLIENT_ROOM_SMALL);
    enum status status = connect_to(client, target);
    const struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
    if (!status)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!status && target->secure) {
        client->secure =
            secure_open(target->secure, client->fd, target->host, client->why, sizeof client->why);
        status = client->secure ? STATUS_OK : STATUS_IO;
    }
    if (!status)
        status = handshake(client, target);
    if (status) {
        memcpy(why, client->why, CLIENT_WHY_MAX);
        client_close(&client, false);
    }
    *out = client;
    return status;
}

enum status client_open_channel(struct client *client, uint16_t channel)
{
    struct method method = {.id = METHOD_CHANNEL_OPEN};
    return client_call(client, channel, &method, METHOD_CHANNEL_OPEN_OK, NULL);
}

void client_close(struct client **pointer, bool polite)
{
    struct client *client = *pointer;
    *pointer = NULL;
    if (!client)
        return;
    if (polite) {
        struct method method = {.id = METHOD_CONNECTION_CLOSE};
        method.u.connection_close =
            (struct connection_close){.reply_code = 200, .reply_text = BYTES_LITERAL("goodbye")};
        /* The connection is freed whether or not the broker answered. */
        if (client_call(client, 0, &method, METHOD_CONNECTION_CLOSE_OK, NULL))
            client->why[0] = 0;
    }
    secure_close(&client->secure);
    if (client->fd >= 0)
        close(client->fd);
    text_free(&client->out);
    free(client->in);
    free(client);
}
