/* Part of the api: users. Thread: the main thread. */
#ifndef LEVERET_ADMIN_USERS_H
#define LEVERET_ADMIN_USERS_H

#include "admin/http/routes.h"
#include "admin/json/form.h"

extern const struct route api_users[];

/* Notes in the form what is wrong with a user. hashing is the algorithm of a password hash whose
 * algorithm the form does not say; NULL: the one that is used today. */
void api_user_check(struct form *form, const char *hashing);
/* Makes or changes a user. Errors: MALFORMED with the reason in the form; as auth_put_user. */
MUST_USE enum status api_user_from_json(struct auth *auth, const char *name, struct form *user,
                                        const char *hashing, bool *created);

#endif
