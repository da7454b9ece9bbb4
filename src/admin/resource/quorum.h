/* Part of the api: members of quorum queues. Thread: the main thread. */
#ifndef LEVERET_ADMIN_QUORUM_H
#define LEVERET_ADMIN_QUORUM_H

#include "admin/http/routes.h"

extern const struct route api_quorum[];

#endif
