/* Part of session_state.h: a session's life, and the dispatch of its frames.
 *
 * Normal course: a socket is accepted → handshake.c → frames go to session_channel.c, methods on
 * channel 0 to connection_class.c → the client closes: the core lets go of everything (so that
 * exclusive queues are gone), close-ok, the socket closes. What can go wrong: an error of the
 * connection: connection.close is sent, the core lets go, close-ok is awaited for
 * CLOSE_OK_TIMEOUT_MS; the socket fails: the core lets go; the worker shuts down: 320. A session is
 * freed when both its socket and its link are gone, at the end of the turn. */
#include "session_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "confirm.h"
#include "connection_class.h"
#include "error_reply.h"
#include "gate.h"
#include "handshake.h"
#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "session_channels.h"
#include "session_tell.h"
#include "sessions_state.h"

/* Bytes that are reserved for a method; when it does not fit, twice as many, and so on. */
#define METHOD_ROOM 1024u
/* Bytes of a method frame's payload before its arguments: class and method. A shorter payload is no
 * method. */
#define METHOD_NUMBERS_BYTES 4u
/* Milliseconds that a client may take to answer connection.close; then its socket is closed. */
#define CLOSE_OK_TIMEOUT_MS 10000u

const char *session_state_name(const struct session *session)
{
    switch (session->state) {
    case SESSION_RUNNING:
        if (session_gate(session) >= GATE_ALARM)
            return session->publishes ? "blocked" : "blocking";
        return session->channels_holding ? "flow" : "running";
    case SESSION_OPENING:
    case SESSION_STARTING:
        return "starting";
    case SESSION_TUNING:
        return "tuning";
    case SESSION_TUNED:
        return "opening";
    default:
        return "closing";
    }
}

void session_send(struct session *session, uint16_t channel, const struct method *method)
{
    size_t room = METHOD_ROOM;
    for (;;) {
        uint8_t *at = connection_reserve(session->connection, room + FRAME_OVERHEAD_BYTES);
        size_t len = method_encode(method, at + FRAME_HEADER_BYTES, room);
        if (len) {
            frame_put_header(at, FRAME_METHOD, channel, (uint32_t)len);
            at[FRAME_HEADER_BYTES + len] = FRAME_END;
            connection_commit(session->connection, len + FRAME_OVERHEAD_BYTES);
            return;
        }
        CHECK(room * 2 + FRAME_OVERHEAD_BYTES <= CONNECTION_RESERVE_MAX);
        room *= 2;
    }
}

/* ---- Ends. */

void session_detach(struct session *session)
{
    if (!session->link || session->detaching)
        return;
    session->detaching = true;
    gate_hold(session, false); /* so that close-ok is read */
    link_close(session->link); /* may hand out EVENT_DETACHED at once */
}

void session_end(struct session *session, uint32_t linger_ms)
{
    session->state = SESSION_ENDED;
    timer_clear(session->timer);
    if (!session->socket_gone)
        connection_close(session->connection, linger_ms);
}

void session_leave(struct session *session)
{
    session->state = SESSION_ENDED;
    timer_clear(session->timer);
    if (!session->socket_gone)
        connection_await_end(session->connection, CLOSE_LINGER_MS);
}

void session_fail(struct session *session, enum status status, enum method_id method,
                  const char *format, ...)
{
    char text[512], reply[ERROR_REPLY_TEXT_ROOM];
    if (session->state >= SESSION_CLOSING)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool by_order = status == STATUS_CONNECTION_FORCED;
    log_line(session->sessions->options.log, by_order ? LOG_INFO : LOG_ERROR, "connection",
             "%s user=%s: closed with %u: %s", connection_name(session->connection),
             session->user ? session->user : "", error_reply_code(status), text);
    confirm_flush(session);
    struct method m = {.id = METHOD_CONNECTION_CLOSE};
    m.u.connection_close.reply_code = error_reply_code(status);
    m.u.connection_close.reply_text = error_reply_text(status, text, reply);
    m.u.connection_close.class_id = METHOD_CLASS(method);
    m.u.connection_close.method_id = METHOD_NUMBER(method);
    session_send(session, 0, &m);
    session->state = SESSION_CLOSING;
    timer_set(session->timer, CLOSE_OK_TIMEOUT_MS);
    /* close-ok has to be read, whatever the session waits for. */
    connection_resume(session->connection, PAUSE_BACKLOG | PAUSE_MAILBOX | PAUSE_OUTPUT);
    session_detach(session);
}

void session_fail_unknown_frame(struct session *session, enum frame_type type, struct bytes payload)
{
    const struct frame_parser parser = {0};
    const struct frame bad = {.type = type, .payload = payload, .fault = FRAME_UNKNOWN};
    char text[FRAME_TEXT_ROOM];
    frame_fault_print(&parser, &bad, text);
    session_fail(session, STATUS_FRAME_ERROR, 0, "%s", text);
}

void session_fail_method(struct session *session, enum status status, struct bytes payload,
                         const struct method *method)
{
    if (payload.len < METHOD_NUMBERS_BYTES)
        session_fail_unknown_frame(session, FRAME_METHOD, payload);
    else if (status == STATUS_NOT_FOUND)
        session_fail(session, STATUS_COMMAND_INVALID, 0, "unknown method %u.%u",
                     METHOD_CLASS(method->id), METHOD_NUMBER(method->id));
    else
        session_fail(session, STATUS_SYNTAX_ERROR, method->id, "malformed arguments of %s",
                     method_name(method->id));
}

static void free_session(struct loop_task *task)
{
    struct session *session = container_of(task, struct session, free_task);
    sessions_forget(session);
    entrance_leave(session);
    account_add(session->sessions->memory.account, ACCOUNT_CONNECTIONS,
                -(int64_t)(SESSION_COST_BYTES + session->client_properties.room +
                           (session->tls ? sizeof *session->tls : 0)));
    session_channels_free(session);
    loop_task_cancel(session->sessions->loop, &session->flush);
    timer_free(&session->timer);
    seat_leave(session->sessions->options.auth, &session->seat);
    text_free(&session->client_properties);
    session_tell_closed(session);
    topics_free(&session->topics);
    free(session->told_name);
    free(session->user);
    free(session->vhost);
    free(session->mechanism);
    free(session->tls);
    session->magic = 0;
    free(session);
}

void session_maybe_free(struct session *session)
{
    if (session->socket_gone && !session->link)
        loop_at_end(session->sessions->loop, PHASE_FREE, &session->free_task);
}

/* ---- The end of a turn. */

/* Gives credit back for deliveries whose bytes have left. */
static void give_credit(struct session *session)
{
    if (!session->credit_due || !session->link || session->detaching)
        return;
    if (!session->socket_gone &&
        connection_output_bytes(session->connection) > session->sessions->options.output_bytes_max)
        return;
    struct command c = {.type = COMMAND_CREDIT};
    c.u.credit.bytes = session->credit_due;
    session->credit_due = 0;
    link_send(session->link, &c);
}

static void end_of_turn(struct loop_task *task)
{
    struct session *session = container_of(task, struct session, flush);
    confirm_flush(session);
    give_credit(session);
}

/* ---- What the connection says. */

/* How a client of TLS begins: a handshake record of some version 3 (RFC 8446, 5.1). */
#define TLS_RECORD 0x16
#define TLS_MAJOR  0x03

/* Keeps what listings tell of the connection's TLS. */
static void note_tls(struct session *session)
{
    struct tls_facts facts;
    if (!connection_tls(session->connection, &facts))
        return;
    session->tls = mem_need(sizeof *session->tls);
    *session->tls = facts;
    account_add(session->sessions->memory.account, ACCOUNT_CONNECTIONS, sizeof facts);
}

static bool opened(void *context, const uint8_t header[PROTOCOL_HEADER_BYTES])
{
    struct session *session = context;
    CHECK(session->magic == SESSION_MAGIC);
    if (header[0] == TLS_RECORD && header[1] == TLS_MAJOR) {
        log_line(session->sessions->options.log, LOG_ERROR, "connection",
                 "%s: the client speaks TLS, and this port does not (listeners.ssl)",
                 connection_name(session->connection));
        return false;
    }
    if (!protocol_header_accepted(header)) {
        log_line(session->sessions->options.log, LOG_ERROR, "connection",
                 "%s: not an AMQP 0-9-1 protocol header: %02x %02x %02x %02x %02x %02x %02x %02x",
                 connection_name(session->connection), header[0], header[1], header[2], header[3],
                 header[4], header[5], header[6], header[7]);
        return false;
    }
    note_tls(session);
    handshake_begin(session);
    return true;
}

static void take_method_zero(struct session *session, struct bytes payload)
{
    struct method m;
    enum status status = method_decode(payload, &m);
    if (session->state >= SESSION_CLOSING) {
        /* Everything is dropped, except close and close-ok. */
        if (status != STATUS_OK)
            return;
        if (m.id == METHOD_CONNECTION_CLOSE && session->state == SESSION_CLOSING) {
            const struct method ok = {.id = METHOD_CONNECTION_CLOSE_OK};
            session_send(session, 0, &ok);
        }
        if ((m.id == METHOD_CONNECTION_CLOSE || m.id == METHOD_CONNECTION_CLOSE_OK) &&
            session->state == SESSION_CLOSING)
            session_end(session, CLOSE_LINGER_MS);
        return;
    }
    if (status == STATUS_OK)
        connection_class_method(session, &m);
    else
        session_fail_method(session, status, payload, &m);
}

/* A frame whose type does not belong on its channel. */
static void fail_unexpected(struct session *session, const struct frame *frame)
{
    char text[FRAME_TEXT_ROOM];
    frame_octets_print(frame, text);
    session_fail(session, STATUS_UNEXPECTED_FRAME, 0, "%s", text);
}

/* A frame on channel 0, or of a connection that is not open, or behind connection.close. */
static __attribute__((noinline, cold)) void frame_aside(struct session *session,
                                                        const struct frame *frame)
{
    if (session->close_due)
        return; /* what comes behind connection.close is dropped */
    if (frame->type == FRAME_HEARTBEAT) {
        if (frame->channel != 0)
            fail_unexpected(session, frame);
    } else if (frame->channel == 0 && frame->type == FRAME_METHOD) {
        take_method_zero(session, frame->payload);
    } else if (frame->channel == 0) {
        fail_unexpected(session, frame);
    } else {
        session_fail(session, STATUS_CHANNEL_ERROR, 0, "frame on channel %u before connection.open",
                     frame->channel);
    }
}

static bool frame_came(void *context, const struct frame *frame, struct buffer *owner)
{
    struct session *session = context;
    CHECK(session->magic == SESSION_MAGIC);
    if (__builtin_expect(session->state == SESSION_RUNNING && frame->channel != 0 &&
                             frame->type != FRAME_HEARTBEAT && !session->close_due,
                         true))
        session_channel_frame(session, frame, owner);
    else
        frame_aside(session, frame);
    return session->state < SESSION_ENDED;
}

static void written(void *context, size_t bytes)
{
    (void)bytes;
    gate_written(context);
    give_credit(context);
}

static void failed(void *context, enum status status, const char *text)
{
    struct session *session = context;
    CHECK(session->magic == SESSION_MAGIC);
    if (status == STATUS_FRAME_ERROR && session->state < SESSION_CLOSING) {
        session_fail(session, STATUS_FRAME_ERROR, 0, "%s", text);
        session_end(session, CLOSE_LINGER_MS);
        return;
    }
    if (status == STATUS_MALFORMED)
        log_line(session->sessions->options.log, LOG_WARNING, "connection", "%s: %s",
                 connection_name(session->connection), text);
    else if (session->state < SESSION_CLOSING && session->state != SESSION_OPENING)
        log_line(session->sessions->options.log, LOG_WARNING, "connection",
                 "%s user=%s: ended without connection.close: %s",
                 connection_name(session->connection), session->user ? session->user : "", text);
    session_end(session, 0);
    session_detach(session);
}

static void closed(void *context)
{
    struct session *session = context;
    (void)session_sample_tell(session);
    session->socket_gone = true;
    session->connection = NULL;
    quota_give(session->sessions->options.sockets);
    session_detach(session);
    session_maybe_free(session);
}

/* How long the first part of the handshake may take. */
static uint32_t first_wait_ms(const struct sessions *sessions, const struct tls *tls)
{
    const struct session_options *options = &sessions->options;
    return tls && options->tls_timeout_ms && options->tls_timeout_ms < options->handshake_timeout_ms
               ? options->tls_timeout_ms
               : options->handshake_timeout_ms;
}

static void timer_due(void *context)
{
    struct session *session = context;
    if (session->state == SESSION_LATE) {
        handshake_refuse(session);
        return;
    }
    const struct session_options *options = &session->sessions->options;
    bool shaking =
        session->state == SESSION_OPENING && connection_shakes_hands(session->connection);
    uint64_t age_ms = clock_wall_ms() - session->connected_wall_ms;
    if (!shaking && session->state < SESSION_REFUSED && age_ms < options->handshake_timeout_ms) {
        timer_set(session->timer, options->handshake_timeout_ms - age_ms); /* TLS is over */
        return;
    }
    if (session->state < SESSION_REFUSED)
        log_line(options->log, LOG_WARNING, "connection", "%s: %shandshake took longer than %u ms",
                 connection_name(session->connection), shaking ? "TLS " : "",
                 shaking ? options->tls_timeout_ms : options->handshake_timeout_ms);
    session_end(session, 0);
    session_detach(session);
}

static const atomic_uint gate_open = GATE_OPEN;

/* Gives the session its connection, or closes the socket. */
static bool connect(struct session *session, int fd, struct tls *tls)
{
    static const struct connection_handler handler = {opened, frame_came, written, failed, closed};
    struct net_worker *net = session->sessions->net;
    session->connection = tls ? connection_new_tls(net, fd, tls, &handler, session)
                              : connection_new(net, fd, &handler, session);
    return session->connection != NULL;
}

void session_new(struct sessions *sessions, int fd, struct tls *tls)
{
    if (!account_take(sessions->memory.account, ACCOUNT_CONNECTIONS, SESSION_COST_BYTES)) {
        sessions->totals.refused++;
        close(fd);
        quota_give(sessions->options.sockets);
        return;
    }
    struct session *session = mem_need(sizeof *session);
    session->magic = SESSION_MAGIC;
    session->sessions = sessions;
    session->id = random_next(&sessions->random) >> 11;
    session->connected_wall_ms = clock_wall_ms();
    session->flush.run = end_of_turn;
    session->free_task.run = free_session;
    session->gate = &gate_open;
    if (!connect(session, fd, tls)) {
        free(session);
        account_add(sessions->memory.account, ACCOUNT_CONNECTIONS, -(int64_t)SESSION_COST_BYTES);
        quota_give(sessions->options.sockets);
        return;
    }
    session->timer = timer_new(sessions->loop, timer_due, session);
    timer_set(session->timer, first_wait_ms(sessions, tls));
    TAILQ_INSERT_TAIL(&sessions->all, session, entry);
    sessions->totals.connections++;
    sessions->totals.opened++;
    if (sessions->options.first_frame_max)
        connection_set_frame_max(session->connection, sessions->options.first_frame_max);
    entrance_add(session);
}
