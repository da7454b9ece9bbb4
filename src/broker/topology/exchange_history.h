/* Arguments of exchanges of type x-recent-history. Thread: any; no state. */
#ifndef BROKER_EXCHANGE_HISTORY_H
#define BROKER_EXCHANGE_HISTORY_H

#include "leveret/base/bytes.h"

/* The number of messages that an exchange keeps by default, and the largest that it can be declared
 * with; a declaration with more is refused. history.h bounds the memory that they take. */
#define HISTORY_LENGTH     20u
#define HISTORY_LENGTH_MAX 100000u

/* x-recent-history-length of checked arguments, or HISTORY_LENGTH. */
uint32_t exchange_history_length(struct bytes arguments);

#endif
