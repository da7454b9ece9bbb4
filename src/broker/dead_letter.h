/* Dead letters: what leaves a queue other than by an ack, and where it goes. Thread: the vhost's
 * owner. */
#ifndef BROKER_DEAD_LETTER_H
#define BROKER_DEAD_LETTER_H

#include "queue.h"

enum death { DEATH_REJECTED, DEATH_EXPIRED, DEATH_MAXLEN, DEATH_DELIVERY_LIMIT };

/* A message leaves its queue, ready or unsettled, for this reason: it goes to the dead-letter
 * exchange if the queue has one (before the call into the core ends), and is dropped if not. It may
 * be out of memory: then it goes when it has been read. */
void dead_letter(struct lane *lane, struct place place, enum death reason);

#endif
