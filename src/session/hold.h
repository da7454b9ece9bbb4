/* Publishes that are held while the gate of their vhost is shut, and the frames that may pass them.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_HOLD_H
#define LEVERET_SESSION_HOLD_H

#include <stdbool.h>

struct frame;
struct session_channel;

/* Keeps a frame that has to wait. To be called when the gate is shut or the channel is holding.
 * Returns false when the frame does not have to wait and is to be taken now; true when it was kept,
 * or when the channel has been failed because of it. */
bool hold_frame(struct session_channel *channel, const struct frame *frame);
/* After the gate has changed: moves the held frames to the beginning of the channel's backlog, to
 * be taken anew. */
void hold_release(struct session_channel *channel);
/* Forgets the held frames. */
void hold_drop(struct session_channel *channel);

#endif
