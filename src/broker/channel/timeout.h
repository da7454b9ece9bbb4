/* Acknowledgement time-outs: when the deliveries are checked for those that the client has not
 * settled in time. The check is in command/timeout_check.c. Thread: the vhost's owner. */
#ifndef BROKER_TIMEOUT_H
#define BROKER_TIMEOUT_H

#include <stdint.h>

struct channels;

/* Sets the time of the next check, because there are unsettled deliveries; does nothing when there
 * is no time-out. */
void timeout_arm(struct channels *channels);
/* Takes note of the time-out of a queue or consumer; 0: it has none. */
void timeout_consider(struct channels *channels, uint64_t timeout_ms);
/* Sets the time-out for queues that have none of their own; 0: none. */
void timeout_set_default(struct channels *channels, uint64_t timeout_ms);

#endif
