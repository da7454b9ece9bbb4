/* What the files of session/ share: a session, its channels, and who does what to them.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_INTERNAL_H
#define LEVERET_SESSION_INTERNAL_H

#include <sys/queue.h>

#include "leveret/base/map.h"
#include "leveret/base/random.h"
#include "leveret/base/text.h"
#include "leveret/net/connection.h"
#include "leveret/session/session.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/method.h"
#include "leveret/wire/reply.h"

#define SESSION_MAGIC 0x5e5510beu

/* Without these a method or header frame is not one: class and method; class, weight, body size. */
#define METHOD_NUMBERS_BYTES 4u
#define CONTENT_HEADER_BYTES 12u

/* Frames kept for a connection's channels that wait for an answer or are held, in bytes; beyond,
 * the connection is not read. The second while the node's kind "connection_readers" is at its
 * limit. */
#define BACKLOG_BYTES_MAX   (256u << 10)
#define BACKLOG_BYTES_SHORT (16u << 10)
/* How long a client may take to answer connection.close. */
#define CLOSE_OK_TIMEOUT_MS 10000u
/* How long what is queued may take to leave once a connection is over. */
#define CLOSE_LINGER_MS 2000u
/* How long a refused login waits, for a client that cannot be told. */
#define REFUSED_DELAY_MS 1000u
/* Consumers of one channel; one more is refused with 530 NOT_ALLOWED, as with RabbitMQ's
 * consumer_max_per_channel. */
#define CONSUMERS_PER_CHANNEL_MAX 65535u

/* What a connection and a channel are counted as (net, session, link and the core's side of them,
 * in bytes), so that many of them are refused before they fill the memory. */
#define SESSION_COST_BYTES 2560u
#define CHANNEL_COST_BYTES 1024u
/* Connections that have not opened a vhost yet, of one worker: in all, and from one address. One
 * more, and the oldest of them is closed: clients take milliseconds, who fills the room does not.
 */
#define UNOPENED_MAX             2048u
#define UNOPENED_PER_ADDRESS_MAX 1024u

/* Why a connection is not read. */
enum pause_reason {
    PAUSE_BACKLOG = 1, /* its channels' backlogs are full */
    PAUSE_MAILBOX = 4, /* the vhost's owner is behind */
    PAUSE_OUTPUT = 8,  /* it does not read what it asked for (answers, returns) */
    PAUSE_WORK = 16,   /* what it sent has cost much, and waits for its turns */
};

enum session_state {
    SESSION_OPENING,  /* before the protocol header */
    SESSION_STARTING, /* connection.start sent */
    SESSION_TUNING,   /* connection.tune sent */
    SESSION_TUNED,    /* tune-ok received, open due */
    SESSION_LATE,     /* log-in failed and the client is told so after a while */
    SESSION_REFUSED,  /* log-in failed and the client cannot be told: closed after a while */
    SESSION_RUNNING,  /* open-ok sent */
    SESSION_CLOSING,  /* we sent connection.close, close-ok is due */
    SESSION_LEAVING,  /* the client sent connection.close; the core has yet to let go */
    SESSION_ENDED,    /* nothing more is said; the socket closes */
};

enum session_channel_state {
    CHANNEL_OPENING, /* the core has yet to answer */
    CHANNEL_OPEN,
    CHANNEL_CLOSING, /* we sent channel.close, close-ok is due */
    CHANNEL_LEAVING, /* the client sent channel.close; the core has yet to let go */
    CHANNEL_CLOSED,  /* both sides are done, the core has yet to let go */
};

/* A message on its way in: method seen, header or body due. */
struct content {
    bool header_due, body_due;
    bool mandatory;
    uint8_t exchange_len, routing_key_len;
    char exchange[NAME_BYTES_MAX], routing_key[NAME_BYTES_MAX];
    struct message *message; /* once the header has come */
    uint64_t counted_bytes;  /* of it, in memory.content_bytes */
};

struct consumer_slot {
    char *tag; /* NULL: free */
    size_t tag_len;
    bool cancelling;    /* COMMAND_CANCEL is under way: the slot stays until its answer */
    bool quiet;         /* cancelled with no-wait: no cancel-ok */
    uint32_t next_free; /* of a free slot: the next one, or consumer_room at the end */
};

/* Frames that wait for their turn; see backlog.c. */
struct backlog {
    struct text frames;
    size_t at; /* what lies before has been taken */
};

/* A confirm not yet written: merged with what follows in the same turn. */
struct open_confirm {
    uint64_t upto;
    bool some, multiple, nack;
};

struct session_channel {
    struct session *session;
    uint16_t number;
    enum session_channel_state state;
    bool awaiting;           /* a command has been sent whose answer must come first */
    bool confirming;         /* in session->confirming */
    struct content *content; /* made with the first publish */
    struct backlog backlog;  /* frames that came while awaiting */
    struct backlog held;     /* publishes, while the gate is shut; hold.c */
    struct text last_queue;  /* the name declared last */
    struct consumer_slot *consumers;
    uint32_t consumer_room;
    uint32_t consumer_free;      /* the first free slot; consumer_room: there is none */
    struct map consumers_by_tag; /* to numbers, one up */
    struct open_confirm confirm;
    struct session_channel *next_confirming;
    struct loop_task replay;
    bool confirm_mode, tx_mode;
    bool tx_has_publishes; /* the core holds some for a transaction that is not over */
    bool holding;          /* held has frames: those that come may have to go behind them */
    bool hold_others;      /* held has more than publishes */
};

/* Whether the client is still to be told of its publishes: it may send channel.close right
 * after them. */
static inline bool session_channel_listens(const struct session_channel *channel)
{
    return channel->state == CHANNEL_OPEN || channel->state == CHANNEL_LEAVING;
}

struct permit_memory { /* the exchange last published to with permission */
    bool known;
    uint64_t version; /* of the directory that said so */
    uint8_t len;
    char exchange[NAME_BYTES_MAX];
};

struct session {
    uint32_t magic;
    enum session_state state;
    struct sessions *sessions;
    struct connection *connection;
    struct seat seat;  /* from connection.open on */
    struct link *link; /* from connection.open until EVENT_DETACHED */
    bool detaching;    /* link_close was called */
    bool socket_gone;
    uint64_t id;
    char *told_name; /* connection.created was told with it; NULL: it was not */
    char *user, *vhost;
    char *mechanism;
    struct text client_properties;
    bool can_blocked, can_cancel_notify, can_failure_close;
    uint16_t channel_max, heartbeat_s;
    uint32_t frame_max;
    uint64_t connected_wall_ms;
    struct session_channel **channels; /* by number */
    uint32_t channel_room, channel_count;
    size_t backlog_bytes;               /* of all channels */
    bool backlog_full;                  /* PAUSE_BACKLOG is on */
    uint32_t channels_holding;          /* publishes, since the gate is shut */
    struct session_channel *confirming; /* those with an open confirm */
    struct loop_task flush;
    uint32_t credit_due;     /* delivered bytes not given back to the core yet */
    const atomic_uint *gate; /* the vhost's, an enum publish_gate; open until there is a vhost */
    bool publishes;          /* it has published, or tried to: EVENT_GATE comes */
    bool blocked_sent;
    bool outruns;        /* consumers: EVENT_PACE */
    bool unread_answers; /* PAUSE_OUTPUT is on: backlogs wait too */
    bool close_due;      /* connection.close came and waits for what came before it */
    bool waits_for_work; /* PAUSE_WORK is on: likewise */
    struct permit_memory permit;
    struct timer *timer; /* handshake, close-ok */
    struct loop_task free_task;
    TAILQ_ENTRY(session) entry;
    struct unopened_address *unopened; /* the address that it counts for; NULL once open */
    TAILQ_ENTRY(session) unopened_entry, address_entry;
    TAILQ_ENTRY(session) mailbox_entry;
    bool waits_for_mailbox;
};

/* What a worker's sessions hold, told to the node's account once a turn; see session_memory.c. */
struct session_memory {
    struct account *account;
    uint64_t backlog_bytes, told_backlog_bytes;
    uint64_t content_bytes, told_content_bytes; /* of messages that have come in part */
    uint64_t content_bytes_max; /* what is left to this worker of the kind, as of the last turn */
    uint64_t weighed_bytes;     /* told when the node's memory was last weighed */
    bool short_of_readers;      /* the kind is at its limit */
    struct loop_task told;
};

/* Those that have not opened a vhost yet, oldest first; see entrance.c. */
struct entrance {
    TAILQ_HEAD(, session) all;
    size_t count;
    struct map addresses; /* to struct unopened_address */
    uint64_t logged_at_ms;
};

struct sessions {
    struct loop *loop;
    struct session_options options;
    struct session_memory memory;
    struct entrance entrance;
    struct net_worker *net;
    TAILQ_HEAD(session_list, session) all;
    struct session_list mailbox_waiters;
    struct timer *mailbox_timer;
    struct random_stream random;
    struct sessions_totals totals;
    struct text server_properties; /* as of properties_version of the directory */
    uint64_t properties_version;
    struct shutdown {
        bool under_way;
        struct loop *asker;
        void (*done)(void *context);
        void *context;
        struct timer *timer;
    } shutdown;
};

static inline enum publish_gate session_gate(const struct session *session)
{
    return (enum publish_gate)atomic_load_explicit(session->gate, memory_order_relaxed);
}

/* ---- session.c: life of a session, dispatch of frames. */
void session_new(struct sessions *sessions, int fd);
/* Sends a method on a channel. */
void session_send(struct session *session, uint16_t channel, const struct method *method);
/* Says goodbye with connection.close and a code from status; text without the code's name. method:
 * the one at fault, or 0. */
void session_fail(struct session *session, enum status status, enum method_id method,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same for a frame too short to be of its type, and for a payload that method_decode refused
 * with status. */
void session_fail_unknown_frame(struct session *session, enum frame_type type,
                                struct bytes payload);
void session_fail_method(struct session *session, enum status status, struct bytes payload,
                         const struct method *method);
/* Lets the core forget this connection; EVENT_DETACHED follows if it ever knew it. */
void session_detach(struct session *session);
/* No more words: closes the socket when what is queued has left. */
void session_end(struct session *session, uint32_t linger_ms);
/* The same for a client that closes and has its close-ok: it closes the socket, too. */
void session_leave(struct session *session);
/* Ends the session once socket and core are both through with it. */
void session_maybe_free(struct session *session);
const char *session_state_name(const struct session *session);

/* The end of a turn: open confirms and due credit. */
void session_credit(struct session *session);

/* ---- sessions.c */
void sessions_forget(struct session *session);

/* ---- entrance.c: connections that have not opened a vhost yet. */
void entrance_begin(struct entrance *entrance);
void entrance_end(struct entrance *entrance);
void entrance_add(struct session *session);
/* It has opened its vhost, or ends. */
void entrance_leave(struct session *session);

/* ---- session_memory.c: what the worker's sessions hold. */
void session_memory_begin(struct sessions *sessions, struct account *account);
void session_memory_end(struct sessions *sessions);
/* Something of struct session_memory has changed. */
void session_memory_changed(struct sessions *sessions);

/* ---- handshake.c: until open-ok, and class connection. */
bool handshake_begin(struct session *session);
/* Tells the client that its log-in failed, or closes without a word when it cannot be told. */
void handshake_refuse(struct session *session);
/* Any method on channel 0 while the session is not closing. */
void connection_class_method(struct session *session, const struct method *method);
/* Makes the server's properties once per worker. */
void handshake_server_properties(const struct session_options *options, struct text *out);

/* connection.close waited for what came before it, which has been taken. */
void connection_class_leave(struct session *session);

/* ---- session_channel.c: channels and their order of things. */
struct session_channel *session_channels_find(struct session *session, uint16_t number);
void session_channel_frame(struct session *session, const struct frame *frame,
                           struct buffer *owner);
/* channel.close with the code of status, or connection.close for statuses that are errors
 * of the connection. */
void session_channel_fail(struct session_channel *channel, enum status status,
                          enum method_id method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* connection.close: a method that only servers send, or of another place. */
void session_channel_fail_unexpected(struct session_channel *channel, enum method_id method);
void session_channel_write(struct session_channel *channel, const struct method *method);
/* Sends a command whose answer has to come before the channel goes on (unless no_wait). */
void session_channel_command(struct session_channel *channel, struct command *command);
/* Sends a command that is not answered. */
void session_channel_post(struct session_channel *channel, struct command *command);
void session_channel_replied(struct session_channel *channel);
/* What held the backlogs of a session's channels is over. */
void session_channels_go_on(struct session *session);
/* The gate has changed: what is held is taken anew. */
void session_channels_release(struct session *session);
/* Whether frames that came before a connection.close are still to be taken. */
bool session_channels_wait(struct session *session);
/* A frame of the backlog, in its turn. */
void session_channel_take(struct session_channel *channel, const struct frame *frame,
                          struct buffer *owner);
void session_channels_remove(struct session_channel **channel);
void session_channels_free(struct session *session);

/* ---- backlog.c: frames that wait. */
void backlog_add(struct session *session, struct backlog *backlog, const struct frame *frame);
static inline bool backlog_holds(const struct backlog *backlog)
{
    return backlog->frames.len > backlog->at;
}
/* Takes the first frame out; its payload lasts until the next backlog_add, backlog_put_first or
 * backlog_free. Errors: false when there is none. */
bool backlog_next(struct session *session, struct backlog *backlog, uint16_t channel,
                  struct frame *out);
/* Moves all of first, which is empty afterwards, before what backlog has. */
void backlog_put_first(struct backlog *backlog, struct backlog *first);
/* Forgets the frames. What backlog_next handed out stays valid as said there. */
void backlog_drop(struct session *session, struct backlog *backlog);
void backlog_free(struct session *session, struct backlog *backlog);

/* ---- hold.c: publishes while the gate is shut. */
/* Whether the frame has been kept, or its channel failed; else it is to be taken now. Asked when
 * the gate is shut or the channel is holding. */
bool hold_takes(struct session_channel *channel, const struct frame *frame);
/* The gate has changed: what is held goes first in the channel's backlog, to be taken anew. */
void hold_release(struct session_channel *channel);
void hold_drop(struct session_channel *channel);

/* ---- One thin file for each class: a method to a command. */
void exchange_class_method(struct session_channel *channel, const struct method *method);
void queue_class_method(struct session_channel *channel, const struct method *method);
void basic_class_method(struct session_channel *channel, const struct method *method);
void select_class_method(struct session_channel *channel,
                         const struct method *method); /* confirm, tx */
void channel_class_method(struct session_channel *channel, const struct method *method);

/* ---- entity_name.c: names of queues and exchanges as clients give them. */
#define NAME_ROOM (NAME_BYTES_MAX + 1)
/* Whether a name that will be kept and shown is UTF-8; else the connection has been failed. */
bool entity_name_check_text(struct session_channel *channel, struct bytes name);
/* The name without carriage returns and line feeds, as RabbitMQ reads the names in declarations,
 * deletions and bindings. A view of the name itself, or of room. */
struct bytes entity_name_strip(struct bytes name, uint8_t room[NAME_ROOM]);
/* An empty queue name means the one that the channel declared last. False: there is none, and the
 * channel has been failed (404). */
bool entity_name_resolve(struct session_channel *channel, struct bytes *queue,
                         enum method_id method);

/* ---- consumer_tags.c: the channel's consumer tags. */
bool consumer_tags_find(const struct session_channel *channel, struct bytes tag, uint32_t *out);
/* Takes a number for a new tag; an empty tag makes one. Errors: LIMIT. */
MUST_USE enum status consumer_tags_add(struct session_channel *channel, struct bytes tag,
                                       uint32_t *out);
void consumer_tags_remove(struct session_channel *channel, uint32_t consumer);
struct bytes consumer_tags_get(const struct session_channel *channel, uint32_t consumer);
void consumer_tags_free(struct session_channel *channel);

/* ---- content.c: frames of a publish to a message. */
void content_begin(struct session_channel *channel, const struct basic_publish *publish);
bool content_due(const struct session_channel *channel);
/* Another frame came where the content's header or body was due: fails the session. */
void content_missing(struct session_channel *channel);
void content_header(struct session_channel *channel, struct bytes payload);
/* A piece of a body frame; last_piece: the frame ends with it. */
void content_body(struct session_channel *channel, struct bytes piece, bool last_piece,
                  struct buffer *owner);
void content_free(struct session_channel *channel);

/* ---- deliver.c: messages to frames. */
void deliver_message(struct session *session, uint16_t channel, struct bytes tag,
                     uint64_t delivery_tag, bool redelivered, struct message *message);
void deliver_got(struct session *session, uint16_t channel, uint64_t delivery_tag, bool redelivered,
                 uint32_t left, struct message *message);
void deliver_return(struct session *session, uint16_t channel, enum status status,
                    struct message *message);

/* ---- confirm.c */
void confirm_add(struct session_channel *channel, uint64_t upto, bool multiple, bool nack);
/* Writes what the channel's client has been promised and not yet told, if anything, ahead of what
 * the caller writes next. */
void confirm_write(struct session_channel *channel);
void confirm_flush(struct session *session);
/* Takes the channel out of the list. */
void confirm_forget(struct session_channel *channel);

/* ---- session_event.c: what the core says. */
void session_event(void *context, const struct event *event);

/* ---- gate.c: holding publishers. */
void gate_published(struct session *session);
/* A channel has begun to hold. */
void gate_held(struct session *session);
/* The peer's end is looked for while an alarm keeps its connection from being read. */
void gate_watch_end(struct session *session);
void gate_event(struct session *session, enum publish_gate gate, const char *text);
void gate_pace(struct session *session, bool slow);
void gate_check_mailbox(struct sessions *sessions);
/* What the client sent has cost much: no more is read until it is told otherwise. */
void gate_hold(void *session, bool held);
/* The client has been sent something that it asked for; bytes have left. */
void gate_answered(struct session *session);
void gate_written(struct session *session);

/* The queue of direct replies; their names begin with it. */
#define REPLY_TO_QUEUE "amq.rabbitmq.reply-to"

/* ---- permit.c: may the user do this? On refusal the channel is failed and false returned. */
bool permit(struct session_channel *channel, enum permission permission, bool queue,
            struct bytes name, enum method_id method);
/* To bind to an exchange. */
/* Any of the three rights; the refusal tells of configure. */
bool permit_any(struct session_channel *channel, bool queue, struct bytes name,
                enum method_id method);
bool permit_source(struct session_channel *channel, struct bytes exchange, enum method_id method);
bool permit_publish(struct session_channel *channel, struct bytes exchange);
/* The exchanges that arguments of a declaration name: alternate-exchange, x-dead-letter-exchange.
 */
bool permit_arguments(struct session_channel *channel, bool queue, struct bytes name,
                      struct bytes arguments, enum method_id method);

/* ---- error_reply.c: statuses to AMQP's reply codes (AMQP 0-9-1, 1.2). */
uint16_t error_reply_code(enum status status);
/* Whether it closes the connection, not only the channel. */
bool error_reply_closes_connection(enum status status);
/* "NAME - text", cut to a short string, and UTF-8 whatever the text is; a view of out. */
#define ERROR_REPLY_TEXT_ROOM (NAME_BYTES_MAX + 1)
struct bytes error_reply_text(enum status status, const char *text,
                              char out[ERROR_REPLY_TEXT_ROOM]);

/* ---- session_tell.c: events. */

void session_tell_login(const struct session *session, const char *user, struct bytes mechanism,
                        bool good);
void session_tell_opened(struct session *session);
/* The name that the client gave its connection (client property connection_name), or "". */
struct bytes session_given_name(const struct session *session);
/* The connection is gone; told only when its beginning was. */
void session_tell_closed(const struct session *session);

#endif
