/* The node's numbers: what is sampled of the whole process. Thread: the main thread. */
#ifndef LEVERET_ADMIN_BROKER_NUMBERS_H
#define LEVERET_ADMIN_BROKER_NUMBERS_H

#include "admin/listing/stats.h"

/* Fills in the numbers. fds: descriptors that the process has open. */
void broker_numbers(const struct admin *admin, uint64_t fds, const struct sessions_totals *sessions,
                    const struct counters *counters, const struct journal_figures *journal,
                    uint64_t values[NODE_NUMBERS]);
/* The node as an object of the archive. born has room for NODE_NUMBERS and must live as long. */
struct archive_object broker_object(const struct admin *admin, const uint64_t *values,
                                    uint64_t *born);

#endif
