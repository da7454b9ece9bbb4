/* A message that goes to very many queues is given to some of them in each call, so that a fanout
 * exchange with 100,000 queues does not keep its worker busy for the whole time that they take.
 * Thread: the vhost's owner.
 *
 * Normal course: the message is routed at once, and the numbers of its queues are noted; each call
 * gives the message to some of them; after the last queue the message is confirmed. The channel's
 * next command waits until then, so its messages keep their order in each queue. What can go wrong:
 * a queue is deleted meanwhile: it is left out, as if it had been deleted before. The channel ends:
 * the queues that have not got the message yet do not get it, and it is not confirmed. */
#ifndef BROKER_SPREAD_H
#define BROKER_SPREAD_H

#include "broker/vhost_state.h"

/* Begins to give the message to the queues of its route, if these are more than one call may serve.
 * Returns whether they are; if so, channel->spread is not NULL until all queues have got the
 * message. */
bool spread_begin(struct channel *channel, struct message *message,
                  const struct route_result *result, uint64_t needed);
/* Gives the message of channel->spread to more queues. */
void spread_go_on(struct channel *channel);
/* Frees channel->spread, if there is one: its message goes to no more queues. */
void spread_free(struct channel *channel);

#endif
