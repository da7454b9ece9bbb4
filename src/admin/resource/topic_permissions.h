/* Part of the api: topic permissions of users on vhosts. Thread: the main thread. */
#ifndef LEVERET_ADMIN_TOPIC_PERMISSIONS_H
#define LEVERET_ADMIN_TOPIC_PERMISSIONS_H

#include "admin/http/routes.h"
#include "admin/json/answer.h"
#include "leveret/auth/topic_permissions.h"

extern const struct route api_topic_permissions[];

/* Writes the topic permission's fields into the object that is open. */
void api_topic_permission_write(struct answer *answer, const struct topic_permission *permission);

#endif
