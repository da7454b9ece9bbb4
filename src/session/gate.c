/* What keeps a connection waiting, besides its own backlogs (backlog.c).
 *
 * The gate for publishes is a vhost's; sessions read it before they take a publish. It is shut when
 * the journal is behind (clients are not told) and when memory or disk is short (clients are told
 * with connection.blocked). Then publishes are held (hold.c), and the connection is still read.
 *
 * Three things stop the reading of a connection. It publishes, and the owner of its vhost has too
 * many letters waiting (PAUSE_MAILBOX). It does not read what it caused: deliveries are bounded by
 * the core's window, but answers and returned messages are as many as the client asks for
 * (PAUSE_OUTPUT). Its commands cost much, and other clients have their turns first (PAUSE_WORK,
 * host/share.h). */
#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"
#include "session_channels.h"
#include "sessions_state.h"

/* Milliseconds between two looks at the mailboxes of owners that are behind. */
#define MAILBOX_RETRY_MS 1u
/* Letters that wait for the owner of a vhost. With so many, a connection whose publishes outrun
 * their consumers is not read: the consumers' acks are letters too, and wait behind the publishes.
 */
#define OUTRUN_LETTERS_MAX 1024u
/* Queued output of a connection with which it is no longer read, as a multiple of output_bytes_max,
 * which bounds deliveries. It is large, so that a client may send many requests before it reads an
 * answer. */
#define ANSWERS_FACTOR 8u

/* Sends connection.blocked, once, to a client that understands it. */
static void tell_blocked(struct session *session, const char *text)
{
    struct bytes reason = bytes_of_text(text);
    if (!session->can_blocked || session->blocked_sent || session->state != SESSION_RUNNING)
        return;
    if (reason.len > NAME_BYTES_MAX)
        reason.len = NAME_BYTES_MAX;
    const struct method m = {.id = METHOD_CONNECTION_BLOCKED,
                             .u.connection_blocked = {.reason = reason}};
    session->blocked_sent = true;
    session_send(session, 0, &m);
}

static void tell_unblocked(struct session *session)
{
    const struct method m = {.id = METHOD_CONNECTION_UNBLOCKED};
    if (!session->blocked_sent)
        return;
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

static void first_publish(struct session *session)
{
    session->publishes = true;
    if (session->link && !session->detaching)
        link_publishes(session->link);
}

void gate_published(struct session *session)
{
    if (__builtin_expect(!session->publishes, 0))
        first_publish(session);
    if (owner_behind(session))
        wait_for_mailbox(session);
}

void gate_held(struct session *session)
{
    if (!session->publishes)
        first_publish(session);
}

void gate_watch_end(struct session *session)
{
    connection_watch_end(session->connection, session->backlog_full && session->channels_holding &&
                                                  session_gate(session) >= GATE_ALARM);
}

void gate_event(struct session *session, enum publish_gate gate, const char *text)
{
    if (session->socket_gone)
        return;
    if (gate >= GATE_ALARM)
        tell_blocked(session, text ? text : "");
    else
        tell_unblocked(session);
    session_channels_release(session);
    gate_watch_end(session);
}

void gate_hold(void *context, bool held)
{
    struct session *session = context;
    session->waits_for_work = held && !session->detaching;
    if (session->socket_gone)
        return;
    if (session->waits_for_work) {
        connection_pause(session->connection, PAUSE_WORK);
        return;
    }
    connection_resume(session->connection, PAUSE_WORK);
    session_channels_go_on(session);
}

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
    session_channels_go_on(session);
}
