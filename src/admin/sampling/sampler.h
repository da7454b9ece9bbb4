/* The sampler: every SERIES_TICK_MS it brings the numbers that have changed to the archive.
 * Thread: the main thread; the owners of vhosts and sessions are asked, for a bounded number of
 * objects each time. */
#ifndef LEVERET_ADMIN_SAMPLER_H
#define LEVERET_ADMIN_SAMPLER_H

#include "admin/history/archive.h"
#include "admin/http/admin_state.h"

struct sampler;
/* Makes the sampler of an admin, whose archive is there; its first round begins at once. */
struct sampler *sampler_new(struct admin *admin);
/* Ends it; a round that is under way ends when the owner that it asks has answered. */
void sampler_free(struct sampler **sampler);
/* History begins anew. */
void sampler_reset(struct admin *admin);
/* The retention of samples: what RabbitMQ keeps by default. */
void sampler_options(const struct admin_options *options, struct account *account,
                     struct archive_options *out);

#endif
