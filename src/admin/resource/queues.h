/* Part of the api: queues. Thread: the main thread. */
#ifndef LEVERET_ADMIN_QUEUES_H
#define LEVERET_ADMIN_QUEUES_H

#include "admin/http/routes.h"

extern const struct route api_queues[];

#endif
