/* One worker's sessions: accepting, listing, closing, shutting down.
 *
 * Normal course: another thread calls a function of session.h → a letter in the worker's mailbox →
 * the function of the same name with _letter does the work on the worker. What can go wrong: the
 * worker ends before it reads the letter: the function is called without a receiver and only frees
 * what the letter holds. */
#include "sessions_state.h"

#include <stdlib.h>
#include <unistd.h>

#include "gate.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "session_state.h"

static void mailbox_timer_due(void *context)
{
    gate_check_mailbox(context);
}

struct sessions *sessions_new(struct loop *loop, const struct session_options *options)
{
    struct sessions *sessions = mem_need(sizeof *sessions);
    sessions->loop = loop;
    sessions->options = *options;
    sessions->net = net_worker_new(loop, node_account(options->node));
    entrance_begin(&sessions->entrance);
    session_memory_begin(sessions, node_account(options->node));
    TAILQ_INIT(&sessions->all);
    TAILQ_INIT(&sessions->mailbox_waiters);
    sessions->mailbox_timer = timer_new(loop, mailbox_timer_due, sessions);
    random_bytes(&sessions->random, sizeof sessions->random);
    return sessions;
}

void sessions_free(struct sessions **at)
{
    struct sessions *sessions = *at;
    if (!sessions)
        return;
    *at = NULL;
    CHECK(TAILQ_EMPTY(&sessions->all));
    timer_free(&sessions->mailbox_timer);
    if (sessions->shutdown.timer)
        timer_free(&sessions->shutdown.timer);
    net_worker_free(&sessions->net);
    session_memory_end(sessions);
    entrance_end(&sessions->entrance);
    text_free(&sessions->server_properties);
    free(sessions);
}

/* ---- Changing limits. */

struct session_limits_letter {
    struct sessions *sessions;
    struct session_options options;
};

static void session_limits_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    const struct session_limits_letter *l = letter;
    if (!receiver)
        return;
    struct session_options *options = &l->sessions->options;
    options->channel_max = l->options.channel_max;
    options->frame_max = l->options.frame_max;
    options->heartbeat_s = l->options.heartbeat_s;
    options->handshake_timeout_ms = l->options.handshake_timeout_ms;
    options->tls_timeout_ms = l->options.tls_timeout_ms;
    options->message_bytes_max = l->options.message_bytes_max;
    options->output_bytes_max = l->options.output_bytes_max;
    options->first_frame_max = l->options.first_frame_max;
    options->consumers_max = l->options.consumers_max;
}

void sessions_set_limits(struct sessions *sessions, const struct session_options *options)
{
    struct session_limits_letter letter = {sessions, *options};
    loop_post(sessions->loop, session_limits_letter, &letter, sizeof letter);
}

/* ---- Accepting. */

struct accept_letter {
    struct sessions *sessions;
    int fd;
    struct tls *tls;
};

static void accept_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct accept_letter *l = letter;
    if (receiver && !l->sessions->shutdown.under_way) {
        session_new(l->sessions, l->fd, l->tls);
        return;
    }
    close(l->fd);
    quota_give(l->sessions->options.sockets);
}

void sessions_accept(struct sessions *sessions, int fd, struct tls *tls)
{
    struct accept_letter letter = {sessions, fd, tls};
    if (loop_current() == sessions->loop)
        accept_letter(sessions->loop, &letter, sizeof letter);
    else
        loop_post(sessions->loop, accept_letter, &letter, sizeof letter);
}

/* ---- Shutting down. */

struct done_letter {
    void (*done)(void *context);
    void *context;
};

static void done_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct done_letter *l = letter;
    if (receiver)
        l->done(l->context);
}

static void shutdown_done(struct sessions *sessions)
{
    struct shutdown *s = &sessions->shutdown;
    if (!s->done)
        return;
    struct done_letter letter = {s->done, s->context};
    s->done = NULL;
    if (s->timer)
        timer_clear(s->timer);
    loop_post(s->asker, done_letter, &letter, sizeof letter);
}

/* The time for the shutdown is over: closes the sessions that are left without another word. */
static void shutdown_late(void *context)
{
    struct sessions *sessions = context;
    struct session *session, *next;
    for (session = TAILQ_FIRST(&sessions->all); session; session = next) {
        next = TAILQ_NEXT(session, entry);
        session_end(session, 0);
        session_detach(session);
    }
}

struct shutdown_letter {
    struct sessions *sessions;
    struct loop *asker;
    void (*done)(void *context);
    void *context;
    uint32_t timeout_ms;
    char text[128];
};

static void shutdown_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct shutdown_letter *l = letter;
    if (!receiver)
        return;
    struct sessions *sessions = l->sessions;
    sessions->shutdown = (struct shutdown){true, l->asker, l->done, l->context, NULL};
    sessions->shutdown.timer = timer_new(sessions->loop, shutdown_late, sessions);
    timer_set(sessions->shutdown.timer, l->timeout_ms);
    struct session *session, *next;
    for (session = TAILQ_FIRST(&sessions->all); session; session = next) {
        next = TAILQ_NEXT(session, entry);
        if (session->state == SESSION_OPENING)
            session_end(session, 0);
        else
            session_fail(session, STATUS_CONNECTION_FORCED, 0, "%s", l->text);
    }
    if (TAILQ_EMPTY(&sessions->all))
        shutdown_done(sessions);
}

void sessions_shut_down(struct sessions *sessions, const char *text, uint32_t timeout_ms,
                        void (*done)(void *context), void *context)
{
    struct shutdown_letter letter = {.sessions = sessions,
                                     .asker = loop_current(),
                                     .done = done,
                                     .context = context,
                                     .timeout_ms = timeout_ms};
    CHECK(letter.asker);
    size_t len = strlen(text) < sizeof letter.text ? strlen(text) : sizeof letter.text - 1;
    memcpy(letter.text, text, len);
    loop_post(sessions->loop, shutdown_letter, &letter, sizeof letter);
}

void sessions_forget(struct session *session)
{
    struct sessions *sessions = session->sessions;
    session_sample_forget(session);
    TAILQ_REMOVE(&sessions->all, session, entry);
    if (session->waits_for_mailbox)
        TAILQ_REMOVE(&sessions->mailbox_waiters, session, mailbox_entry);
    sessions->totals.connections--;
    sessions->totals.closed++;
    if (sessions->shutdown.under_way && TAILQ_EMPTY(&sessions->all))
        shutdown_done(sessions);
}

/* ---- Questions. */

struct ask_letter {
    struct sessions *sessions;
    struct loop *asker;
    void (*work)(struct sessions *sessions, void *argument);
    struct done_letter answer;
};

static void ask_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct ask_letter *l = letter;
    if (!receiver)
        return;
    l->work(l->sessions, l->answer.context);
    loop_post(l->asker, done_letter, &l->answer, sizeof l->answer);
}

void sessions_ask(struct sessions *sessions,
                  void (*work)(struct sessions *sessions, void *argument),
                  void (*done)(void *argument), void *argument)
{
    struct ask_letter letter = {sessions, loop_current(), work, {done, argument}};
    CHECK(letter.asker);
    loop_post(sessions->loop, ask_letter, &letter, sizeof letter);
}

static void describe(const struct session *session, struct session_info *out)
{
    const struct connection_address *address = connection_address(session->connection);
    struct connection_counters counters;
    connection_counters(session->connection, &counters);
    *out = (struct session_info){
        .id = session->id,
        .name = bytes_of_text(connection_name(session->connection)),
        .user = bytes_of_text(session->user ? session->user : ""),
        .vhost = bytes_of_text(session->vhost ? session->vhost : ""),
        .client_properties = text_bytes(&session->client_properties),
        .peer_host = bytes_of_text(address->peer_host),
        .host = bytes_of_text(address->host),
        .mechanism = bytes_of_text(session->mechanism ? session->mechanism : ""),
        .tls = session->tls,
        .peer_port = address->peer_port,
        .port = address->port,
        .channels = (uint16_t)session->channel_count,
        .channel_max = session->channel_max,
        .heartbeat_s = session->heartbeat_s,
        .frame_max = session->frame_max,
        .connected_wall_ms = session->connected_wall_ms,
        .received_bytes = counters.received_bytes,
        .sent_bytes = counters.sent_bytes,
        .reads = counters.reads,
        .writes = counters.writes,
        .sampled_before = session->sampled.before,
        .send_pending_bytes = connection_output_bytes(session->connection),
        .state = session_state_name(session),
    };
}

void sessions_each(struct sessions *sessions,
                   void (*each)(void *context, const struct session_info *), void *context)
{
    struct session *session;
    TAILQ_FOREACH(session, &sessions->all, entry)
    {
        struct session_info info;
        if (session->socket_gone || session->state >= SESSION_ENDED)
            continue;
        describe(session, &info);
        each(context, &info);
    }
}

enum status sessions_close(struct sessions *sessions, struct bytes name, const char *reason)
{
    struct session *session;
    TAILQ_FOREACH(session, &sessions->all, entry)
    {
        /* The name of a session that is ending may belong to a new one already. */
        if (session->socket_gone || session->state >= SESSION_CLOSING ||
            !bytes_equal_text(name, connection_name(session->connection)))
            continue;
        session_fail(session, STATUS_CONNECTION_FORCED, 0, "%s", reason);
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

void sessions_totals(const struct sessions *sessions, struct sessions_totals *out)
{
    struct connection_counters counters;
    net_worker_counters(sessions->net, &counters);
    *out = sessions->totals;
    out->received_bytes = counters.received_bytes;
    out->sent_bytes = counters.sent_bytes;
    out->reads = counters.reads;
    out->writes = counters.writes;
}
