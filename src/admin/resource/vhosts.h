/* Part of the api: vhosts. Thread: the main thread. */
#ifndef LEVERET_ADMIN_VHOSTS_H
#define LEVERET_ADMIN_VHOSTS_H

#include "admin/http/routes.h"
#include "admin/json/form.h"

extern const struct route api_vhosts[], api_vhost_start[], api_vhost_protect[];

/* Notes in the form what is wrong with a vhost. */
void api_vhost_check(struct form *form);
/* Makes or changes a vhost. The user gets all permissions on a new one; "": nobody does. Errors:
 * MALFORMED with the reason in the form; as node_add_vhost and auth_put_vhost, with a sentence in
 * *error, which may stay NULL; the caller frees it. */
MUST_USE enum status api_vhost_from_json(struct admin *admin, const char *name, struct form *vhost,
                                         const char *user, bool *created, char **error);
/* The name of the type of queues that do not say theirs: the vhost's or else the node's. Static. */
const char *api_vhost_queue_type(struct admin *admin, const struct vhost_entry *entry);
/* Returns true when the vhost in the path is there and not protected from deletion. Otherwise
 * answers 404 or 412 and returns false. (vhost_protect.c) */
bool api_vhost_may_be_deleted(struct request *request);

#endif
