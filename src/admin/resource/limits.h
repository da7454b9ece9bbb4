/* Part of the api: limits of vhosts and users. Thread: the main thread. */
#ifndef LEVERET_ADMIN_LIMITS_H
#define LEVERET_ADMIN_LIMITS_H

#include "admin/http/routes.h"
#include "admin/json/form.h"
#include "leveret/auth/limits.h"

extern const struct route api_limits[];

/* Writes the limits of a vhost or user (holder) as an object under key. */
void api_limits_write(struct answer *answer, const char *key, struct auth *auth,
                      enum limited limited, const char *holder);
/* The same with limits that the caller has; those below 0 are none, and left out. */
void api_limits_write_values(struct answer *answer, const char *key, enum limited limited,
                             const int64_t max[LIMITS_EACH]);
/* Notes in the form what is wrong with the limits in its field key. */
void api_limits_check(enum limited limited, struct form *form, const char *key);
/* Sets the limits that the form's field key has; does nothing when it is missing. Errors: MALFORMED
 * with the reason in the form; as auth_put_limit. */
MUST_USE enum status api_limits_from_json(struct admin *admin, enum limited limited,
                                          const char *holder, struct form *form, const char *key);

#endif
