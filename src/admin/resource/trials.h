/* Part of the api: what would happen, for the page: which queues a routing key reaches, what a
 * policy would change. Nothing changes. Thread: the main thread. */
#ifndef LEVERET_ADMIN_TRIALS_H
#define LEVERET_ADMIN_TRIALS_H

#include "admin/http/routes.h"

extern const struct route api_trials[];

#endif
