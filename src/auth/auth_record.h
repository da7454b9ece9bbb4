/* How users, vhosts and permissions are written in the store: small JSON objects. Thread: any.
 *
 * Keys: "user/NAME", "vhost/NAME", "permission/VHOST\0USER", "topic-permissions/VHOST\0USER",
 * "vhost-limits/NAME", "user-limits/NAME", "global-parameter/NAME", and "auth/format", which is
 * written last at first start. Unknown members of an object are ignored; missing ones are empty. */
#ifndef AUTH_AUTH_RECORD_H
#define AUTH_AUTH_RECORD_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

#define AUTH_RECORD_FORMAT           1
#define AUTH_RECORD_KEY_FORMAT       "auth/format"
#define AUTH_RECORD_KEY_USER         "user/"
#define AUTH_RECORD_KEY_VHOST        "vhost/"
#define AUTH_RECORD_KEY_PERMISSION   "permission/"
#define AUTH_RECORD_KEY_TOPICS       "topic-permissions/"
#define AUTH_RECORD_KEY_PARAMETER    "global-parameter/"
#define AUTH_RECORD_KEY_VHOST_LIMITS "vhost-limits/"
#define AUTH_RECORD_KEY_USER_LIMITS  "user-limits/"
#define AUTH_RECORD_MEMBERS_MAX      8u

/* One member of an object: a text or, when text is NULL, a bool or number. */
struct auth_record_member {
    const char *name;
    const char *text;
    int64_t number;
};

/* Writes an object. Errors: MALFORMED (a text is not UTF-8). */
MUST_USE enum status auth_record_write(const struct auth_record_member *members, size_t count,
                                       struct text *out);

/* Reads an object. Members whose text is not NULL at the call get their text, a copy that
 * auth_record_free frees; the others get their number. Errors: CORRUPT; then there is nothing to
 * free. */
MUST_USE enum status auth_record_read(struct bytes value, struct auth_record_member *members,
                                      size_t count);
void auth_record_free(struct auth_record_member *members, size_t count);

/* Writes an array of objects with the same members: rows are count times columns. Errors: MALFORMED
 * (a text is not UTF-8). */
MUST_USE enum status auth_record_write_rows(const struct auth_record_member *rows, size_t count,
                                            size_t columns, struct text *out);
/* Reads such an array: calls each() for every object with its members, whose texts are valid during
 * the call; all of them must be there. Errors: CORRUPT, and the first that each() returns. */
MUST_USE enum status
auth_record_read_rows(struct bytes value, const char *const *names, size_t columns,
                      enum status (*each)(void *context, const char *const *texts), void *context);

/* Reads any JSON value. When it is a string, *text is it (owned, zero-ended) and *len its length,
 * zeros in it included; else NULL. Errors: MALFORMED. */
MUST_USE enum status auth_record_value(const char *json, char **text, size_t *len);

/* Whether text is UTF-8, which JSON requires. */
bool auth_record_is_text(const char *text);

#endif
