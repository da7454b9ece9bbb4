/* Part of the api: moving the messages of a queue, and the tasks that do it. Thread: the main
 * thread. */
#ifndef LEVERET_ADMIN_MOVES_H
#define LEVERET_ADMIN_MOVES_H

#include "admin/http/routes.h"

extern const struct route api_moves[];

#endif
