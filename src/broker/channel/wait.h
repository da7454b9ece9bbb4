/* Consumers that wait for one thing which they share: what their channel or their peer may take.
 * Thread: the vhost's owner. */
#ifndef BROKER_WAIT_H
#define BROKER_WAIT_H

#include <stdbool.h>
#include <sys/queue.h>

struct channels;
struct consumer;

TAILQ_HEAD(consumer_list, consumer);

struct consumer_wait {
    struct consumer_list blocked; /* by turn_link; the first one is next */
    bool due;                     /* true: it stands in channels.waits_due, there may be room */
    TAILQ_ENTRY(consumer_wait) link;
};
TAILQ_HEAD(consumer_waits, consumer_wait);

void wait_init(struct consumer_wait *wait);
/* What a channel's or peer's consumers wait for may be there: they are woken before the call into
 * the core ends. Cheap when nobody waits. */
void wait_over(struct channels *channels, struct consumer_wait *wait);
/* The channel or peer goes. */
void wait_end(struct channels *channels, struct consumer_wait *wait);

#endif
