/* Class connection (AMQP 0-9-1, 1.4), on channel 0. The methods of the handshake are in
 * handshake.c.
 *
 * Normal course: connection.close comes → the frames that came before it are taken → the core lets
 * go of the connection, so that its exclusive queues are gone → close-ok, in session_event.c. What
 * can go wrong: publishes are held because of an alarm, which may last: they are dropped. */
#include "connection_class.h"

#include <inttypes.h>

#include "confirm.h"
#include "handshake.h"
#include "session_channels.h"
#include "sessions_state.h"

/* Says in the log how many channels lose the publishes that they hold. Nothing was promised for
 * these, and a client that can be told that it is blocked was told so. */
static void log_dropped(const struct session *session)
{
    if (session->channels_holding)
        log_line(session->sessions->options.log, LOG_WARNING, "connection",
                 "%s user=%s: closed by the client during an alarm: publishes that were held on "
                 "%" PRIu32 " channels are dropped",
                 connection_name(session->connection), session->user, session->channels_holding);
}

void connection_class_leave(struct session *session)
{
    if (session->state != SESSION_RUNNING)
        return;
    session->close_due = false;
    log_dropped(session);
    confirm_flush(session);
    session->state = SESSION_LEAVING;
    session_detach(session); /* close-ok follows EVENT_DETACHED */
}

static void close_connection(struct session *session, const struct method *method)
{
    const struct connection_close *m = &method->u.connection_close;
    log_line(session->sessions->options.log, LOG_INFO, "connection",
             "%s user=%s: closed by the client (%u %.*s)", connection_name(session->connection),
             session->user ? session->user : "", m->reply_code, BYTES_PRINT(m->reply_text));
    if (session->state == SESSION_RUNNING) {
        session->close_due = true;
        if (!session_channels_wait(session))
            connection_class_leave(session);
        return;
    }
    session->state = SESSION_LEAVING;
    const struct method ok = {.id = METHOD_CONNECTION_CLOSE_OK};
    session_send(session, 0, &ok);
    session_end(session, CLOSE_LINGER_MS);
}

/* connection.update-secret renews a token that runs out. Passwords do not run out: the new secret
 * is acknowledged and not looked at. */
static void update_secret(struct session *session)
{
    const struct method ok = {.id = METHOD_CONNECTION_UPDATE_SECRET_OK};
    session_send(session, 0, &ok);
}

void connection_class_method(struct session *session, const struct method *method)
{
    if (method->id == METHOD_CONNECTION_CLOSE)
        close_connection(session, method);
    else if (method->id == METHOD_CONNECTION_UPDATE_SECRET && session->state == SESSION_RUNNING)
        update_secret(session);
    else
        handshake_method(session, method);
}
