/* Part of the api: runtime parameters. Thread: the main thread. */
#ifndef LEVERET_ADMIN_PARAMETERS_H
#define LEVERET_ADMIN_PARAMETERS_H

#include "admin/http/routes.h"

extern const struct route api_parameters[];

#endif
