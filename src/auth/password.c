/* Password hashes, with OpenSSL's digests.
 *
 * Normal course: a log-in hashes salt and password once and compares all bytes. What can go wrong:
 * OpenSSL's policy forbids a digest (MD5 under FIPS): then no password matches. */
#include "password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "leveret/auth/auth.h"
#include "leveret/base/random.h"

struct hashing {
    const char *name;   /* name in RabbitMQ */
    const char *digest; /* name in OpenSSL */
    size_t bytes;
};

static const struct hashing hashings[] = {
    {PASSWORD_HASHING_DEFAULT, "SHA256", 32},
    {"rabbit_password_hashing_sha512", "SHA512", 64},
    {"rabbit_password_hashing_md5", "MD5", 16},
};

static const struct hashing *hashing_find(const char *name)
{
    for (size_t i = 0; i < sizeof hashings / sizeof hashings[0]; i++)
        if (strcmp(hashings[i].name, name) == 0)
            return &hashings[i];
    return NULL;
}

/* hash = digest(salt, password). */
static bool digest(const struct hashing *hashing, const uint8_t *salt, struct bytes password,
                   uint8_t *hash)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_MD *md = EVP_MD_fetch(NULL, hashing->digest, NULL);
    bool done = context && md && EVP_DigestInit_ex2(context, md, NULL) == 1 &&
                EVP_DigestUpdate(context, salt, PASSWORD_SALT_BYTES) == 1 &&
                EVP_DigestUpdate(context, password.at, password.len) == 1 &&
                EVP_DigestFinal_ex(context, hash, NULL) == 1;
    EVP_MD_free(md);
    EVP_MD_CTX_free(context);
    return done;
}

const char *password_hashing_find(const char *name)
{
    const struct hashing *hashing = hashing_find(name ? name : PASSWORD_HASHING_DEFAULT);
    return hashing ? hashing->name : NULL;
}

enum status password_hash_new(struct bytes password, const char *hashing_name,
                              struct password_hash *out)
{
    const struct hashing *hashing = hashing_find(hashing_name);
    *out = (struct password_hash){.hashing = hashing->name,
                                  .secret_len = PASSWORD_SALT_BYTES + hashing->bytes};
    random_bytes(out->secret, PASSWORD_SALT_BYTES);
    if (!digest(hashing, out->secret, password, out->secret + PASSWORD_SALT_BYTES))
        return STATUS_INTERNAL_ERROR;
    return STATUS_OK;
}

enum status password_hash_read(const char *text, const char *hashing_name,
                               struct password_hash *out)
{
    const struct hashing *hashing =
        hashing_find(hashing_name && *hashing_name ? hashing_name : PASSWORD_HASHING_DEFAULT);
    uint8_t decoded[PASSWORD_SECRET_MAX + 4];
    char again[PASSWORD_HASH_TEXT_MAX];
    size_t len = strlen(text);

    *out = (struct password_hash){0};
    if (!hashing)
        return STATUS_MALFORMED;
    if (len == 0)
        return STATUS_OK;
    /* The decoder rounds up to groups of three bytes and ignores padding. So the expected length is
     * used, and encoding the bytes again shows whether the text was right. */
    size_t want = PASSWORD_SALT_BYTES + hashing->bytes;
    if (len != (want + 2) / 3 * 4)
        return STATUS_MALFORMED;
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)len) < (int)want)
        return STATUS_MALFORMED;
    out->hashing = hashing->name;
    out->secret_len = want;
    memcpy(out->secret, decoded, want);
    password_hash_text(out, again);
    if (strcmp(again, text) != 0) {
        *out = (struct password_hash){0};
        return STATUS_MALFORMED;
    }
    return STATUS_OK;
}

void password_hash_text(const struct password_hash *hash, char out[PASSWORD_HASH_TEXT_MAX])
{
    out[0] = '\0';
    if (hash->hashing)
        EVP_EncodeBlock((unsigned char *)out, hash->secret, (int)hash->secret_len);
}

bool password_matches(const struct password_hash *hash, struct bytes password)
{
    const struct hashing *hashing =
        hashing_find(hash->hashing ? hash->hashing : PASSWORD_HASHING_DEFAULT);
    uint8_t got[64];

    if (!hashing || !digest(hashing, hash->secret, password, got))
        return false;
    bool equal = CRYPTO_memcmp(got, hash->secret + PASSWORD_SALT_BYTES, hashing->bytes) == 0;
    return equal && hash->hashing;
}
