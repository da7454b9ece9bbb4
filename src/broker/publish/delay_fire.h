/* What waits in exchanges (delay.h) comes out when it is due, and is got ready before. Thread: the
 * vhost's owner. */
#ifndef BROKER_DELAY_FIRE_H
#define BROKER_DELAY_FIRE_H

#include <stdint.h>

struct vhost;

/* Routes what is due and gets ready what will be, a bounded amount. For a vhost in which something
 * has waited (delays.any). */
void delays_tick(struct vhost *vhost);
/* The steady_ms at which delays_tick has something to do; UINT64_MAX: never. */
uint64_t delays_deadline_ms(const struct vhost *vhost);

#endif
