/* Part of the api: publishing and getting messages, and the aliveness test. Thread: the main
 * thread. */
#ifndef LEVERET_ADMIN_MESSAGES_H
#define LEVERET_ADMIN_MESSAGES_H

#include "admin/http/routes.h"

extern const struct route api_messages[];

#endif
