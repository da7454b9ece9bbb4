/* Part of the api: exchanges. Thread: the main thread. */
#ifndef LEVERET_ADMIN_EXCHANGES_H
#define LEVERET_ADMIN_EXCHANGES_H

#include "admin/http/routes.h"

extern const struct route api_exchanges[], api_exchange_tail[];

#endif
