/* Consumers that wait together: until their channel or their peer may take more messages. Thread:
 * the vhost's owner. */
#ifndef BROKER_WAIT_H
#define BROKER_WAIT_H

#include <stdbool.h>
#include <sys/queue.h>

struct channels;
struct consumer;

TAILQ_HEAD(consumer_list, consumer);

struct consumer_wait {
    struct consumer_list blocked; /* by turn_link; the first is woken first */
    bool due; /* true: it stands in channels.waits_due, since there may be room now */
    TAILQ_ENTRY(consumer_wait) link;
};
TAILQ_HEAD(consumer_waits, consumer_wait);

void wait_init(struct consumer_wait *wait);
/* Tells that the channel or peer may take more: its consumers are woken before the call into the
 * core ends. Cheap when no consumer waits. */
void wait_over(struct channels *channels, struct consumer_wait *wait);
/* To be called before the channel or peer is freed. */
void wait_end(struct channels *channels, struct consumer_wait *wait);

#endif
