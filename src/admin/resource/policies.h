/* Part of the api: policies, operator policies and runtime parameters. Thread: the main thread. */
#ifndef LEVERET_ADMIN_POLICIES_H
#define LEVERET_ADMIN_POLICIES_H

#include "admin/http/routes.h"

extern const struct route api_policies[];

#endif
