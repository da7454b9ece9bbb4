/* Part of delay (delay/delay.h): messages that wait in exchanges are published when they are due,
 * and read into memory before that. Thread: the vhost's owner. */
#ifndef BROKER_DELAY_FIRE_H
#define BROKER_DELAY_FIRE_H

#include <stdint.h>

struct vhost;

/* Publishes messages that are due, and prepares buckets that will be due soon; a bounded amount of
 * each. Only for a vhost in which a message has waited (delays.any). */
void delays_tick(struct vhost *vhost);
/* The steady_ms at which delays_tick has something to do; UINT64_MAX: never. */
uint64_t delays_deadline_ms(const struct vhost *vhost);

#endif
