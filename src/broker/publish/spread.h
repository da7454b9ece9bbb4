/* A message to very many queues: given to some of them in each call, so that a fanout exchange with
 * 100,000 queues does not keep a worker for the time that these take. Thread: the vhost's owner.
 *
 * Normal course: the route is worked out at once and noted as the queues' numbers; each call gives
 * the message to some of them; then it is confirmed. The channel's next command waits until then,
 * so its messages keep their order in each queue. What can go wrong: a queue is deleted meanwhile:
 * it is left out, as if it had been deleted before. The channel ends: the queues that have not got
 * the message do not get it, and it is not confirmed. */
#ifndef BROKER_SPREAD_H
#define BROKER_SPREAD_H

#include "broker/vhost_state.h"

/* Whether the route is that long: the message has begun to go along it then, and channel->spread is
 * not NULL unless it is through. */
bool spread_begin(struct channel *channel, struct message *message,
                  const struct route_result *result, uint64_t needed);
/* Goes on with it. */
void spread_go_on(struct channel *channel);
/* The channel's message, if there is one, goes to no more queues. */
void spread_free(struct channel *channel);

#endif
