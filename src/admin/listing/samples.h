/* Rates: what counters were when they were last looked at. A rate is the growth since an earlier
 * look at least SAMPLE_PERIOD_MS before; at the first look it is not known and told as 0, as
 * RabbitMQ does. Thread: main. */
#ifndef LEVERET_ADMIN_SAMPLES_H
#define LEVERET_ADMIN_SAMPLES_H

#include "admin/json/answer.h"
#include "leveret/base/bytes.h"
#include "leveret/broker/vhost.h"

#define SAMPLE_VALUES  16u
#define SAMPLE_KEEP_MS 120000u /* objects nobody looks at are forgotten after this */

struct samples *samples_new(void);
void samples_free(struct samples **samples);
/* Forgets all looks: each rate begins anew. */
void samples_forget(struct samples *samples);

/* Takes a look: per second, the growth of each value since the look before. The key is the object's
 * name, made with samples_key. */
void samples_look(struct samples *samples, struct bytes key, uint64_t now_ms,
                  const uint64_t *values, size_t count, double *rates);
/* Whether there is room for objects that may never need a rate: those that nothing happened to yet.
 */
bool samples_have_room(const struct samples *samples);
/* Forgets what has not been looked at for SAMPLE_KEEP_MS. */
void samples_sweep(struct samples *samples, uint64_t now_ms);

/* "kind\0vhost\0name" into key (emptied first). */
void samples_key(struct text *key, const char *kind, struct bytes vhost, struct bytes name);

/* The values of struct rates in the order of stats_names, with deliver_get as their sum. */
#define RATE_COUNT 13u
#define RATES_ALL  ((1u << RATE_COUNT) - 1) /* a mask for stats_write */
_Static_assert(RATE_COUNT + 3 <= SAMPLE_VALUES, "a sample has room for the depths of a queue too");
extern const char *const stats_names[RATE_COUNT];
void stats_values(const struct rates *rates, uint64_t values[RATE_COUNT]);
/* Writes {"publish": n, "publish_details": {"rate": r}, …} under "message_stats"; mask: which of
 * stats_names. */
void stats_write(struct answer *answer, const uint64_t *values, const double *rates, unsigned mask);
/* Writes key and key_details. */
void stats_write_detail(struct answer *answer, const char *key, uint64_t value, double rate);

#endif
