/* Holding publishers: when the journal is behind (silently), when a resource is short
 * (connection.blocked), and when the vhost's owner has too many letters waiting.
 *
 * Only a connection that publishes is held: it stops being read after the publish that comes while
 * the gate is shut. One that only consumes is left alone.
 *
 * And holding whoever asks for more than it reads: deliveries are bounded by the core's window, but
 * answers of any kind and returned messages come at the client's own pace. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "leveret/base/mem.h"

#define MAILBOX_RETRY_MS 1u
/* Letters waiting for the owner at which a publisher that outruns consumers is not read: what these
 * ack waits behind them. */
#define OUTRUN_LETTERS_MAX 1024u
/* A connection that published this recently is held when the gate shuts, without waiting for the
 * next. */
#define PUBLISHES_MS 1000u

static void hold(struct session *session)
{
    if (session->gate == GATE_OPEN || session->state != SESSION_RUNNING)
        return;
    connection_pause(session->connection, PAUSE_GATE);
    if (session->gate == GATE_ALARM && session->can_blocked && !session->blocked_sent) {
        struct bytes reason = bytes_of_text(session->gate_text);
        if (reason.len > UINT8_MAX)
            reason.len = UINT8_MAX;
        const struct method m = {.id = METHOD_CONNECTION_BLOCKED,
                                 .u.connection_blocked = {.reason = reason}};
        session->blocked_sent = true;
        session_send(session, 0, &m);
    }
}

static void let_go(struct session *session)
{
    connection_resume(session->connection, PAUSE_GATE);
    if (!session->blocked_sent)
        return;
    const struct method m = {.id = METHOD_CONNECTION_UNBLOCKED};
    session->blocked_sent = false;
    session_send(session, 0, &m);
}

static void wait_for_mailbox(struct session *session)
{
    struct sessions *sessions = session->sessions;
    if (session->waits_for_mailbox)
        return;
    session->waits_for_mailbox = true;
    connection_pause(session->connection, PAUSE_MAILBOX);
    if (TAILQ_EMPTY(&sessions->mailbox_waiters))
        timer_set(sessions->mailbox_timer, MAILBOX_RETRY_MS);
    TAILQ_INSERT_TAIL(&sessions->mailbox_waiters, session, mailbox_entry);
}

static bool owner_behind(const struct session *session)
{
    const struct link *link = session->link;
    return link && (link_backlogged(link) ||
                    (session->outruns && link_letters(link) >= OUTRUN_LETTERS_MAX));
}

void gate_pace(struct session *session, bool slow)
{
    session->outruns = slow;
    if (!session->socket_gone)
        connection_slow(session->connection, slow);
}

void gate_check_mailbox(struct sessions *sessions)
{
    struct session *session, *next;
    for (session = TAILQ_FIRST(&sessions->mailbox_waiters); session; session = next) {
        next = TAILQ_NEXT(session, mailbox_entry);
        if (owner_behind(session))
            continue;
        TAILQ_REMOVE(&sessions->mailbox_waiters, session, mailbox_entry);
        session->waits_for_mailbox = false;
        if (!session->socket_gone)
            connection_resume(session->connection, PAUSE_MAILBOX);
    }
    if (!TAILQ_EMPTY(&sessions->mailbox_waiters))
        timer_set(sessions->mailbox_timer, MAILBOX_RETRY_MS);
}

void gate_published(struct session *session)
{
    session->last_publish_ms = loop_now_ms(session->sessions->loop);
    if (session->gate != GATE_OPEN)
        hold(session);
    if (owner_behind(session))
        wait_for_mailbox(session);
}

void gate_event(struct session *session, enum publish_gate gate, const char *text)
{
    free(session->gate_text);
    session->gate_text = mem_need_text(text ? text : "", text ? strlen(text) : 0);
    session->gate = gate;
    if (session->socket_gone)
        return;
    uint64_t now = loop_now_ms(session->sessions->loop);
    if (gate == GATE_OPEN)
        let_go(session);
    else if (session->last_publish_ms && now - session->last_publish_ms < PUBLISHES_MS)
        hold(session);
}

/* A client that writes on before it reads should not come to a standstill at once: the bound is
 * several times that of deliveries. */
#define ANSWERS_FACTOR 8u

static size_t answers_max(const struct session *session)
{
    return (size_t)session->sessions->options.output_bytes_max * ANSWERS_FACTOR;
}

void gate_answered(struct session *session)
{
    if (session->socket_gone || session->state != SESSION_RUNNING ||
        connection_output_bytes(session->connection) <= answers_max(session))
        return;
    session->unread_answers = true;
    connection_pause(session->connection, PAUSE_OUTPUT);
}

void gate_written(struct session *session)
{
    if (!session->unread_answers ||
        connection_output_bytes(session->connection) > answers_max(session) / 2)
        return;
    session->unread_answers = false;
    connection_resume(session->connection, PAUSE_OUTPUT);
    channels_go_on(session);
}
