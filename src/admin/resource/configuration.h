/* Part of the api: the configuration that is in effect. Thread: the main thread. */
#ifndef LEVERET_ADMIN_CONFIGURATION_H
#define LEVERET_ADMIN_CONFIGURATION_H

#include "admin/http/routes.h"

extern const struct route api_configuration[];

#endif
