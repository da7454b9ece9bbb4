/* The header x-delay: how long a message asks to be kept, and what becomes of it. The type
 * x-delayed-message is in exchange_delayed.c, what waits is in delay.h. Thread: any. */
#ifndef BROKER_DELAYED_H
#define BROKER_DELAYED_H

#include "leveret/base/message.h"

/* The longest delay, a hundred years in milliseconds: a client's message that asks for more is
 * refused, another (a dead letter) waits so long. */
#define DELAY_MAX_MS UINT64_C(3155760000000)

/* How long the message asks to be kept, 0: not at all, DELAY_MAX_MS: that or more. A header that is
 * an integer, a string of digits or a float; negative is not at all. */
uint64_t delayed_ms(const struct message *message);

/* Why x-delay is nothing to wait for, zero-ended in why: it is no number, or too large. False: it
 * is well, or not there. */
#define DELAYED_WHY_MAX 96u
bool delayed_malformed(const struct message *message, char why[DELAYED_WHY_MAX]);

/* The message as it comes out of its wait: x-delay is negative, so that nobody delays it again and
 * consumers can tell. One reference for the caller. Errors: NULL when there is no memory. */
struct message *delayed_over(const struct message *message) __attribute__((warn_unused_result));

#endif
