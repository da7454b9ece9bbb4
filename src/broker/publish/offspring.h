/* How many messages dead-lettering may make of one. Queues that dead-letter into each other would
 * otherwise make as many of one message as there are ways through them, which is the factorial of
 * their number; RabbitMQ's rule (death_cycles) only keeps each of these ways from going in a
 * circle.
 *
 * Normal course: a dead letter that goes to one queue is left alone. One that goes to several
 * notes in a header how many there are of its original by then: the product of what each death on
 * its way was multiplied by. The header stays with the stored message and is not shown to who
 * receives it, like BCC. A rejection is a client's doing and begins anew.
 * What can go wrong: no more may be made. Then the letter goes to as many queues as may have it,
 * at least to one; and one that has died too often by itself goes to none. Both are counted and
 * told once for each queue.
 *
 * Pure functions; any thread. */
#ifndef BROKER_OFFSPRING_H
#define BROKER_OFFSPRING_H

#include "broker/topology/own_headers.h"
#include "leveret/base/message.h"

/* Messages that there may be of one original, after each of its deaths. */
#define OFFSPRING_MAX 1000u
/* Deaths one after the other without a client's doing; the letter of the next one is dropped. */
#define GENERATIONS_MAX 64u

/* How many there are of the message's original; 1 when nothing says so. */
uint32_t offspring_of(const struct message *message);
/* A copy of the message that notes how many; the caller's. Errors: NULL when there is no memory. */
struct message *offspring_mark(const struct message *message, uint32_t count)
    __attribute__((warn_unused_result));
/* The deaths of a dead letter since a client last published or rejected it. */
uint32_t offspring_generation(const struct message *letter);

#endif
