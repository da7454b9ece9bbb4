/* Part of the api: bindings. Thread: the main thread. */
#ifndef LEVERET_ADMIN_BINDINGS_H
#define LEVERET_ADMIN_BINDINGS_H

#include "admin/http/routes.h"

extern const struct route api_bindings[];

#endif
