/* Part of the api: permissions of users on vhosts. Thread: the main thread. */
#ifndef LEVERET_ADMIN_PERMISSIONS_H
#define LEVERET_ADMIN_PERMISSIONS_H

#include "admin/http/routes.h"
#include "admin/json/answer.h"
#include "leveret/auth/auth.h"

extern const struct route api_permissions[];

/* Writes the permission's fields into the object that is open. */
void api_permission_write(struct answer *answer, const struct permission_info *permission);

#endif
