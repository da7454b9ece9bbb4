/* Part of dead_letter (queue/dead_letter.h): sends dead letters, and sends those again that no
 * queue took. Thread: the vhost's owner. */
#ifndef BROKER_DEAD_LETTER_SEND_H
#define BROKER_DEAD_LETTER_SEND_H

#include <stdbool.h>
#include <stdint.h>

struct vhost;

/* Sends the dead letters that are due, a bounded amount in each turn, however many calls the turn
 * has. Returns true when it sent any. */
bool dead_letters_send(struct vhost *vhost);
/* Makes held dead letters due again, when it is time to try them. */
void dead_letters_tick(struct vhost *vhost);
/* The steady_ms at which dead letters are to be sent or tried again; UINT64_MAX: never. */
uint64_t dead_letters_deadline_ms(const struct vhost *vhost);

#endif
