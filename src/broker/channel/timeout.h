/* When deliveries are looked through for those that nobody has settled in time. What is done with
 * them: command/timeout_check.h. Thread: the vhost's owner. */
#ifndef BROKER_TIMEOUT_H
#define BROKER_TIMEOUT_H

#include <stdint.h>

struct channels;

/* Deliveries are out: sets timeout_check_ms, if there is a time-out. */
void timeout_arm(struct channels *channels);
/* There is something with a time-out of its own; 0: none. */
void timeout_consider(struct channels *channels, uint64_t timeout_ms);
/* Another time-out for the queues that set none; 0: none. */
void timeout_set_default(struct channels *channels, uint64_t timeout_ms);

#endif
