/* The channels of a session, by number. Gives its includers session_channel.h and session_state.h.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_SESSION_CHANNELS_H
#define LEVERET_SESSION_SESSION_CHANNELS_H

#include "session_channel.h"
#include "session_state.h"

/* NULL: the number has no channel. */
static inline struct session_channel *session_channels_find(const struct session *session,
                                                            uint16_t number)
{
    return number < session->channel_room ? session->channels[number] : NULL;
}

/* Makes the channel of a number that has none. Never NULL. The caller has taken its seat and its
 * share of the account, which session_channels_remove gives back. */
struct session_channel *session_channels_add(struct session *session, uint16_t number);
/* Frees the channel and what waits in it. */
void session_channels_remove(struct session_channel **channel);
/* Frees all of them. */
void session_channels_free(struct session *session);

/* Lets the channels take their backlogs again, after what kept the session from it is over. */
void session_channels_go_on(struct session *session);
/* The gate has changed: the frames that channels hold are taken anew. */
void session_channels_release(struct session *session);
/* Whether frames that came before a connection.close are still to be taken. During an alarm the
 * held ones are not: they are dropped. */
bool session_channels_wait(const struct session *session);

#endif
