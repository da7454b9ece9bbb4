/* The entry of the directory with a user's topic permissions in a vhost: making, storing and
 * freeing it. For the files of auth/. Thread: as topic_permissions.h says. */
#ifndef AUTH_TOPIC_ENTRY_H
#define AUTH_TOPIC_ENTRY_H

#include "directory.h"
#include "leveret/auth/topic_permissions.h"

#define TOPIC_KINDS 2u /* write and read */

/* What the user may do with one exchange. It does not change, so the entry that a change makes
 * shares it with the one before. */
struct topic_rule {
    unsigned references; /* entries that have it; counted by the main thread */
    char *exchange;
    char *text[TOPIC_KINDS];
    /* Compiled with user and vhost filled in; NULL: the expression has {client_id}, and is compiled
     * for each question. */
    struct pattern *pattern[TOPIC_KINDS];
};

struct topic_entry {
    char *key; /* vhost, 0, user, 0 */
    size_t key_len;
    const char *user, *vhost;  /* point into key */
    struct topic_rule **rules; /* sorted by exchange */
    size_t count;
    char *changed; /* the exchange whose rule the last change made or removed; NULL: all */
};

/* An entry with the rules of another one, which may be NULL. */
struct topic_entry *topic_entry_new(const char *user, const char *vhost,
                                    const struct topic_entry *other);
void topic_entry_free(struct topic_entry **entry);
/* NULL: there is none. */
const struct topic_rule *topic_entry_find(const struct topic_entry *entry, struct bytes exchange);
/* Adds or replaces a rule. Errors: MALFORMED (an expression; *error says where, unless error is
 * NULL), LIMIT. */
MUST_USE enum status topic_entry_put(struct topic_entry *entry, const char *exchange,
                                     const char *write, const char *read, char **error);
void topic_entry_remove(struct topic_entry *entry, const char *exchange);

/* The record in the store: [{"exchange", "write", "read"}, …]. Errors: MALFORMED (a text
 * is not UTF-8). */
MUST_USE enum status topic_entry_write(const struct topic_entry *entry, struct text *out);
/* Errors: CORRUPT. */
MUST_USE enum status topic_entry_read(const char *user, const char *vhost, struct bytes record,
                                      struct topic_entry **out);

/* The expression with its variables filled in. client_id.at NULL: {client_id} stays. Appends to
 * *out. */
void topic_expression(const char *text, struct bytes user, struct bytes vhost,
                      struct bytes client_id, struct text *out);

#endif
