/* How many messages dead-lettering may make of one. Queues that dead-letter into each other could
 * otherwise make as many messages of one as there are ways through them, which is the factorial of
 * their number; RabbitMQ's rule (dead_letter_cycles) only keeps each of these ways from going in a
 * circle. Thread: any; pure functions.
 *
 * Normal course: a dead letter that goes to one queue is left alone. A dead letter that goes to
 * several queues notes in a header how many messages there are of its original by then: each death
 * multiplies this number by the number of queues that the letter goes to. The header is stored with
 * the message and hidden from its receivers, like BCC. When a client rejects the message, counting
 * begins anew.
 *
 * What can go wrong: the number would exceed OFFSPRING_MAX. Then the letter goes to as many queues
 * as the limit allows, and to one at least. A letter that has died more than GENERATIONS_MAX times
 * without a client's doing goes to no queue. Letters dropped in these ways are counted; the first
 * one of each queue is logged. */
#ifndef BROKER_OFFSPRING_H
#define BROKER_OFFSPRING_H

#include "broker/topology/own_headers.h"
#include "leveret/base/message.h"

/* Messages that dead-lettering may make of one; queues beyond that do not get the letter. */
#define OFFSPRING_MAX 1000u
/* Deaths of a message one after the other without a client's doing; the dead letter of the next
 * death is dropped. */
#define GENERATIONS_MAX 64u

/* How many messages there are of this message's original; 1 when no header of the broker's says so.
 */
uint32_t offspring_of(const struct message *message);
/* A copy of the message that notes that there are `count` messages of its original. One reference
 * for the caller. Errors: NULL when there is no memory. */
struct message *offspring_mark(const struct message *message, uint32_t count)
    __attribute__((warn_unused_result));
/* How often a dead letter has died since a client last published or rejected it. */
uint32_t offspring_generation(const struct message *letter);

#endif
