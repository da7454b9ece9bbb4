/* Salted password hashes in the format of RabbitMQ's definitions: base64 of a 4-byte salt and the
 * hash of salt and password. Thread: any; holds no state. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

#define PASSWORD_SALT_BYTES 4u
#define PASSWORD_SECRET_MAX (PASSWORD_SALT_BYTES + 64u)
/* Base64 of the secret, with a zero. */
#define PASSWORD_HASH_TEXT_MAX ((PASSWORD_SECRET_MAX + 2u) / 3u * 4u + 1u)

/* The hashing of new passwords, by the name of its module in RabbitMQ. */
#define PASSWORD_HASHING_DEFAULT "rabbit_password_hashing_sha256"

struct password_hash {
    const char *hashing; /* a static string; NULL: there is no password, and nothing matches */
    uint8_t secret[PASSWORD_SECRET_MAX]; /* salt and hash */
    size_t secret_len;
};

/* The static name of a hashing; NULL: it is unknown. name NULL: the default. */
const char *password_hashing_find(const char *name);
/* Hashes a new password with a random salt. hashing: as found. Errors: INTERNAL_ERROR (the library
 * refuses). */
MUST_USE enum status password_hash_new(struct bytes password, const char *hashing,
                                       struct password_hash *out);

/* Reads base64 text and a hashing's name (NULL: the default). Empty text: no password.
 * Errors: MALFORMED (hashing unknown, text not base64 or of another length than the hashing's). */
MUST_USE enum status password_hash_read(const char *text, const char *hashing,
                                        struct password_hash *out);

/* The base64 text; "" for none. */
void password_hash_text(const struct password_hash *hash, char out[PASSWORD_HASH_TEXT_MAX]);

/* Whether the password is right. The time that this takes tells neither how much of it matches nor
 * whether there is a password. */
bool password_matches(const struct password_hash *hash, struct bytes password);

#endif
