/* Samples: what an object's counters were when somebody last looked at them, for rates. A rate is
 * how much a counter has grown in a second, since an earlier look that is at least SAMPLE_PERIOD_MS
 * old; until there is one the rate is told as 0, as RabbitMQ does. Thread: the main thread. */
#ifndef LEVERET_ADMIN_SAMPLES_H
#define LEVERET_ADMIN_SAMPLES_H

#include "leveret/base/text.h"

/* For so many milliseconds a look is kept before a newer one takes its place. The admin looks at
 * all counters as often. */
#define SAMPLE_PERIOD_MS 5000u
/* An object that nobody has looked at for this long is forgotten by samples_sweep. */
#define SAMPLE_KEEP_MS 120000u
/* Counters that an object may have. */
#define SAMPLE_VALUES 16u

struct samples *samples_new(void);
void samples_free(struct samples **samples);
/* Forgets all looks: every rate begins anew. */
void samples_forget(struct samples *samples);
/* Forgets the objects that nobody has looked at for SAMPLE_KEEP_MS. */
void samples_sweep(struct samples *samples, uint64_t now_ms);

/* Makes the key of an object: "kind\0vhost\0name". What the key held before is gone. */
void samples_key(struct text *key, const char *kind, struct bytes vhost, struct bytes name);
/* Looks at an object's counters: values are count of them, at most SAMPLE_VALUES, and rates
 * receives as many rates. */
void samples_look(struct samples *samples, struct bytes key, uint64_t now_ms,
                  const uint64_t *values, size_t count, double *rates);
/* Returns true while objects that nothing has happened to yet may be looked at too. They may never
 * need a rate, and each takes memory. */
bool samples_have_room(const struct samples *samples);

#endif
