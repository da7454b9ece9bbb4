/* A channel of a session: its state, and the order in which its frames are taken and answered.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_SESSION_CHANNEL_H
#define LEVERET_SESSION_SESSION_CHANNEL_H

#include "backlog.h"
#include "confirm.h"
#include "consumer_tags.h"
#include "leveret/base/text.h"
#include "leveret/broker/command.h"
#include "leveret/runtime/loop.h"
#include "leveret/wire/method.h"

struct content;
struct session;

enum session_channel_state {
    CHANNEL_OPENING, /* the core has not answered COMMAND_CHANNEL_OPEN yet */
    CHANNEL_OPEN,
    CHANNEL_CLOSING, /* the broker sent channel.close, close-ok has not come */
    CHANNEL_LEAVING, /* the client sent channel.close; the core has not let go yet */
    CHANNEL_CLOSED,  /* close-ok was sent or has come; the core has not let go yet */
};

struct session_channel {
    struct session *session;
    uint16_t number;
    enum session_channel_state state;
    bool awaiting;           /* the core has yet to answer a command; frames wait in backlog */
    bool confirming;         /* it is in the list session->confirming */
    struct content *content; /* made with the first publish; NULL before */
    struct backlog backlog;  /* frames that came while awaiting */
    struct backlog held;     /* publishes that wait for the gate: see hold.h */
    struct text last_queue;  /* the queue name that an empty one stands for */
    struct consumer_tags consumers;
    struct open_confirm confirm;
    struct session_channel *next_confirming;
    struct loop_task replay; /* in PHASE_APPLY: takes the frames of backlog */
    bool confirm_mode, tx_mode;
    bool tx_has_publishes; /* the core holds publishes for a transaction that is not over */
    bool holding;          /* held has frames, and later frames may have to wait behind them */
    bool hold_others;      /* held has other methods than basic.publish, too */
};

/* Whether the client still wants confirms and returns: yes, too, after it has sent channel.close,
 * which may come right behind its publishes. */
static inline bool session_channel_listens(const struct session_channel *channel)
{
    return channel->state == CHANNEL_OPEN || channel->state == CHANNEL_LEAVING;
}

/* A frame of the connection on another channel than 0. owner: the block in which its payload lies.
 */
void session_channel_frame(struct session *session, const struct frame *frame,
                           struct buffer *owner);

/* Sends a method to the client. */
void session_channel_write(struct session_channel *channel, const struct method *method);
/* Sends a command to the core. Unless it has no_wait, frames of the channel wait for its answer. */
void session_channel_command(struct session_channel *channel, struct command *command);
/* Sends a command to the core that has no answer. */
void session_channel_post(struct session_channel *channel, struct command *command);
/* The core has answered, and the client has been told: the channel goes on. */
void session_channel_replied(struct session_channel *channel);

/* Sends channel.close with the reply code of status and the formatted text, or connection.close
 * when the code is one that ends the connection. method: the method at fault, or 0. */
void session_channel_fail(struct session_channel *channel, enum status status,
                          enum method_id method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Sends connection.close for a method that only servers send, or that belongs elsewhere. */
void session_channel_fail_unexpected(struct session_channel *channel, enum method_id method);
/* The client has sent channel.close: it has its close-ok when the core has let go. */
void session_channel_leave(struct session_channel *channel);

#endif
