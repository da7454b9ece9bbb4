/* Sends dead letters, and tries again what no queue took (dead_letter.h). Thread: the vhost's
 * owner. */
#ifndef BROKER_DEAD_LETTER_SEND_H
#define BROKER_DEAD_LETTER_SEND_H

#include <stdbool.h>
#include <stdint.h>

struct vhost;

/* Sends what is due, a bounded amount in each turn, in however many calls. Returns whether it sent
 * anything. */
bool dead_letters_send(struct vhost *vhost);
/* Tries again what is held, when it is time. */
void dead_letters_tick(struct vhost *vhost);
/* The steady_ms at which there is something to do; UINT64_MAX: never. */
uint64_t dead_letters_deadline_ms(const struct vhost *vhost);

#endif
