/* Arguments of exchanges of type x-recent-history. Thread: any; no state. */
#ifndef BROKER_EXCHANGE_HISTORY_H
#define BROKER_EXCHANGE_HISTORY_H

#include "leveret/base/bytes.h"

/* Messages that an exchange keeps when it does not say how many, and at most: more are refused when
 * it is declared. What they may take in memory has a bound of its own. */
#define HISTORY_LENGTH     20u
#define HISTORY_LENGTH_MAX 100000u

/* x-recent-history-length of arguments that have been checked. */
uint32_t exchange_history_length(struct bytes arguments);

#endif
