/* Part of the api: topic permissions of users on vhosts. Thread: the main thread. */
#ifndef LEVERET_ADMIN_TOPIC_PERMISSIONS_H
#define LEVERET_ADMIN_TOPIC_PERMISSIONS_H

#include "admin/http/routes.h"

extern const struct route api_topic_permissions[];

#endif
