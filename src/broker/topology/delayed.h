/* The header x-delay: how long a message is to be delayed, and what the header says afterwards.
 * exchange_delayed.c has the type x-delayed-message, delay.h the messages that wait.
 * Thread: any. */
#ifndef BROKER_DELAYED_H
#define BROKER_DELAYED_H

#include "leveret/base/message.h"

/* The longest delay, in milliseconds: a hundred years. A client's message with a longer one is
 * refused; another message (a dead letter) waits DELAY_MAX_MS. */
#define DELAY_MAX_MS UINT64_C(3155760000000)

/* The message's delay, at most DELAY_MAX_MS; 0 when it has none. x-delay may be an integer, a
 * string of digits or a float; a negative one is no delay. */
uint64_t delayed_ms(const struct message *message);

/* Whether x-delay is not a number or too large; why then says which, zero-ended. False when the
 * header is good or missing. */
#define DELAYED_WHY_MAX 96u
bool delayed_malformed(const struct message *message, char why[DELAYED_WHY_MAX]);

/* The message after its delay: x-delay is negated, so that no exchange delays it again and
 * consumers can see that it was delayed. One reference for the caller. Errors: NULL when there is
 * no memory. */
struct message *delayed_over(const struct message *message) __attribute__((warn_unused_result));

#endif
