/* Part of the api: the overview, and the node with its memory and watermarks. Thread: the main
 * thread. */
#ifndef LEVERET_ADMIN_NODE_H
#define LEVERET_ADMIN_NODE_H

#include "admin/http/routes.h"

extern const struct route api_overview[], api_memory[], api_watermarks[];

#endif
