/* Connections that have not opened a vhost yet.
 *
 * Normal course: a connection is accepted → it is added; connection.open succeeds, or the
 * connection ends → it leaves again, within milliseconds. What can go wrong: somebody opens
 * connections and does not log in: above UNOPENED_PER_ADDRESS_MAX the oldest of that address is
 * closed for the new one, above UNOPENED_MAX the oldest of all, so that a client that does log in
 * still gets in. A line in the log every LOG_EVERY_MS says how many were closed. */
#include "entrance.h"

#include <inttypes.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "session_state.h"
#include "sessions_state.h"

/* Connections of one worker that have not opened a vhost: in all, and from one address. For one
 * more the oldest of them is closed. */
#define UNOPENED_MAX             2048u
#define UNOPENED_PER_ADDRESS_MAX 1024u
/* Milliseconds between two lines in the log about connections that were closed for newer ones. */
#define LOG_EVERY_MS 10000u

struct unopened_address {
    TAILQ_HEAD(, session) sessions; /* oldest first */
    size_t count;
    char host[];
};

void entrance_begin(struct entrance *entrance)
{
    TAILQ_INIT(&entrance->all);
}

void entrance_end(struct entrance *entrance)
{
    map_free(&entrance->addresses);
}

static struct unopened_address *address_of(struct entrance *entrance, const char *host)
{
    struct unopened_address *address = map_get(&entrance->addresses, bytes_of_text(host));
    if (address)
        return address;
    size_t len = strlen(host);
    address = mem_need(sizeof *address + len + 1);
    memcpy(address->host, host, len);
    TAILQ_INIT(&address->sessions);
    map_put(&entrance->addresses, bytes_of_text(address->host), address);
    return address;
}

void entrance_leave(struct session *session)
{
    struct entrance *entrance = &session->sessions->entrance;
    struct unopened_address *address = session->unopened;
    if (!address)
        return;
    session->unopened = NULL;
    TAILQ_REMOVE(&entrance->all, session, unopened_entry);
    TAILQ_REMOVE(&address->sessions, session, address_entry);
    entrance->count--;
    if (--address->count > 0)
        return;
    map_remove(&entrance->addresses, bytes_of_text(address->host));
    free(address);
}

static void turn_away(struct session *session)
{
    struct sessions *sessions = session->sessions;
    struct entrance *entrance = &sessions->entrance;
    uint64_t now = loop_now_ms(sessions->loop);
    sessions->totals.refused++;
    if (!entrance->logged_at_ms || now - entrance->logged_at_ms >= LOG_EVERY_MS) {
        entrance->logged_at_ms = now;
        log_line(sessions->options.log, LOG_WARNING, "connection",
                 "%s: closed for newer ones: %zu connections have not logged in, %zu of them from "
                 "this address; %" PRIu64 " closed so far",
                 connection_name(session->connection), entrance->count, session->unopened->count,
                 sessions->totals.refused);
    }
    entrance_leave(session);
    session_end(session, 0);
    session_detach(session);
}

void entrance_add(struct session *session)
{
    struct entrance *entrance = &session->sessions->entrance;
    struct unopened_address *address =
        address_of(entrance, connection_address(session->connection)->peer_host);
    session->unopened = address;
    TAILQ_INSERT_TAIL(&entrance->all, session, unopened_entry);
    TAILQ_INSERT_TAIL(&address->sessions, session, address_entry);
    address->count++;
    entrance->count++;
    if (address->count > UNOPENED_PER_ADDRESS_MAX)
        turn_away(TAILQ_FIRST(&address->sessions));
    else if (entrance->count > UNOPENED_MAX)
        turn_away(TAILQ_FIRST(&entrance->all));
}
