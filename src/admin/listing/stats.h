/* Counters of messages with their rates, as JSON: RabbitMQ's "message_stats". Thread: one at a
 * time. */
#ifndef LEVERET_ADMIN_STATS_H
#define LEVERET_ADMIN_STATS_H

#include "admin/json/answer.h"
#include "admin/listing/samples.h"
#include "leveret/broker/counters.h"

/* How many counters message_stats has: those of struct rates and their sum "deliver_get". */
#define STATS_COUNT 13u
/* A mask for stats_write: all of them. */
#define STATS_ALL ((1u << STATS_COUNT) - 1)
_Static_assert(STATS_COUNT + 3 <= SAMPLE_VALUES, "a sample has room for the depths of a queue too");

/* Their names, in the order in which they are written. */
extern const char *const stats_names[STATS_COUNT];
/* The values of struct rates, in that order. */
void stats_values(const struct rates *rates, uint64_t values[STATS_COUNT]);
/* Writes {"publish": n, "publish_details": {"rate": r}, …} under "message_stats". Bit i of mask
 * says whether the i-th counter is written. */
void stats_write(struct answer *answer, const uint64_t *values, const double *rates, unsigned mask);
/* Writes one counter, under key and key_details. */
void stats_write_detail(struct answer *answer, const char *key, uint64_t value, double rate);

#endif
