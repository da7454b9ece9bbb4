/* A session: one AMQP connection from its first byte to its last. Here are its layout, which only
 * files of session/ may read, and the functions of session.c.
 *
 * Thread: the worker that the connection was accepted for. */
#ifndef LEVERET_SESSION_SESSION_STATE_H
#define LEVERET_SESSION_SESSION_STATE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "leveret/base/text.h"
#include "leveret/net/connection.h"
#include "leveret/session/session.h"
#include "leveret/wire/method.h"
#include "permit.h"
#include "session_sample.h"
#include "topics.h"

#define SESSION_MAGIC 0x5e5510beu

/* Milliseconds that queued output may take to leave after the last word on a connection. What has
 * not left by then is dropped with the socket. */
#define CLOSE_LINGER_MS 2000u

/* Why a connection is not read. The values are bits, for connection_pause. */
enum pause_reason {
    PAUSE_BACKLOG = 1, /* the backlogs of its channels are full */
    PAUSE_MAILBOX = 4, /* the owner of its vhost has too many letters waiting */
    PAUSE_OUTPUT = 8,  /* the client does not read the answers and returns that it caused */
    PAUSE_WORK = 16,   /* the client's commands cost much and wait for their turns */
};

enum session_state {
    SESSION_OPENING,  /* the protocol header has not come */
    SESSION_STARTING, /* connection.start is sent, start-ok has not come */
    SESSION_TUNING,   /* connection.tune is sent, tune-ok has not come */
    SESSION_TUNED,    /* tune-ok has come, connection.open has not */
    SESSION_LATE,     /* the log-in failed; the client is told so when the timer runs out */
    SESSION_REFUSED,  /* the log-in failed and the client cannot be told: closed by the timer */
    SESSION_RUNNING,  /* open-ok is sent */
    SESSION_CLOSING,  /* the broker sent connection.close, close-ok has not come */
    SESSION_LEAVING,  /* the client sent connection.close; the core has not let go yet */
    SESSION_ENDED,    /* nothing more is said; the socket closes */
};

struct session_channel;

struct session {
    uint32_t magic;
    enum session_state state;
    struct sessions *sessions;
    struct connection *connection; /* NULL when socket_gone */
    struct seat seat;              /* taken with connection.open */
    struct link *link;             /* from connection.open until EVENT_DETACHED; else NULL */
    bool detaching;                /* link_close was called */
    bool socket_gone;              /* the connection has called closed() */
    uint64_t id;
    char *told_name; /* the name in the event connection.created; NULL when none was sent */
    char *user, *vhost;
    char *mechanism;
    struct tls_facts *tls;         /* NULL: it speaks no TLS, or has not shaken hands */
    struct text client_properties; /* a table's contents */
    /* Capabilities that the client announced in start-ok. */
    bool can_blocked, can_cancel_notify, can_failure_close;
    uint16_t channel_max, heartbeat_s;
    uint32_t frame_max;
    uint64_t connected_wall_ms;
    struct session_sampled sampled;
    struct session_channel **channels; /* by number; NULL for a number without a channel */
    uint32_t channel_room;             /* numbers that channels has room for */
    uint32_t channel_count;
    size_t backlog_bytes;               /* in the backlogs of all channels */
    bool backlog_full;                  /* PAUSE_BACKLOG is set */
    uint32_t channels_holding;          /* channels that hold publishes: see hold.h */
    struct session_channel *confirming; /* list of the channels with an open confirm */
    struct loop_task flush;             /* in PHASE_COMMIT: writes confirms, gives credit back */
    uint32_t credit_due;                /* bytes delivered and not given back to the core yet */
    const atomic_uint *gate;            /* an enum publish_gate: the vhost's, or one always open */
    bool publishes;                     /* it has published or tried to, so EVENT_GATE comes */
    bool blocked_sent;                  /* connection.blocked was sent, and unblocked not since */
    bool outruns;                       /* its publishes outrun their consumers (EVENT_PACE) */
    bool unread_answers;                /* PAUSE_OUTPUT is set; backlogs are not replayed either */
    bool close_due;      /* connection.close came; frames that came before it are still waiting */
    bool waits_for_work; /* PAUSE_WORK is set; backlogs are not replayed either */
    struct permit_memory permit;
    struct topics topics;
    struct timer *timer; /* for the handshake, then for close-ok */
    struct loop_task free_task;
    TAILQ_ENTRY(session) entry;
    struct unopened_address *unopened; /* the client's address; NULL once a vhost is open */
    TAILQ_ENTRY(session) unopened_entry, address_entry;
    TAILQ_ENTRY(session) mailbox_entry;
    bool waits_for_mailbox; /* PAUSE_MAILBOX is set, and it is in sessions->mailbox_waiters */
};

static inline enum publish_gate session_gate(const struct session *session)
{
    return (enum publish_gate)atomic_load_explicit(session->gate, memory_order_relaxed);
}

/* Makes a session for an accepted socket. When memory for connections is used up it closes the
 * socket instead. */
void session_new(struct sessions *sessions, int fd, struct tls *tls);

/* Sends a method on a channel. */
void session_send(struct session *session, uint16_t channel, const struct method *method);

/* Sends connection.close with the reply code of status and the formatted text, and detaches from
 * the core. method: the method at fault, or 0. Does nothing when a close was sent or has come. */
void session_fail(struct session *session, enum status status, enum method_id method,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* session_fail for a frame whose payload is too short for its type. */
void session_fail_unknown_frame(struct session *session, enum frame_type type,
                                struct bytes payload);
/* session_fail for a payload that method_decode refused with status. method: as method_decode left
 * it. */
void session_fail_method(struct session *session, enum status status, struct bytes payload,
                         const struct method *method);

/* Lets the core forget the connection. EVENT_DETACHED follows when the session has a link. */
void session_detach(struct session *session);
/* Says nothing more: closes the socket when queued output has left, after linger_ms at the latest.
 */
void session_end(struct session *session, uint32_t linger_ms);
/* session_end for a client that sent connection.close and has its close-ok: the client closes the
 * socket. */
void session_leave(struct session *session);
/* Frees the session at the end of the turn when both its socket and its link are gone. */
void session_maybe_free(struct session *session);

/* "running", "blocked" …: for listings. A static string. */
const char *session_state_name(const struct session *session);

#endif
