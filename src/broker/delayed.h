/* The header x-delay: how long a message asks to be kept, and what becomes of it. The type
 * x-delayed-message is in exchange_delayed.c, what waits is in delay.h. Any thread. */
#ifndef BROKER_DELAYED_H
#define BROKER_DELAYED_H

#include "leveret/base/message.h"

/* The longest delay; what asks for a longer one is not delayed, as in RabbitMQ's plugin. */
#define DELAY_MAX_MS UINT32_MAX

/* How long the message asks to be kept, 0: not at all. A header that is an integer, a string of
 * digits or a float. */
uint32_t delayed_ms(const struct message *message);

/* The message as it comes out of its wait: x-delay is negative, so that nobody delays it again and
 * consumers can tell. One reference for the caller. Errors: NULL when there is no memory. */
struct message *delayed_over(const struct message *message) __attribute__((warn_unused_result));

#endif
