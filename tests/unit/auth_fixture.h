/* A directory of users over a store in memory that fails when told, and words for it. */
#ifndef TESTS_AUTH_FIXTURE_H
#define TESTS_AUTH_FIXTURE_H

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "leveret/auth/auth.h"
#include "leveret/auth/limits.h"
#include "leveret/base/clock.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

/* ---- A store in memory that fails when told. */

#define STORE_MAX 256
struct fake_pair {
    char key[640];
    size_t key_len;
    char value[8192];
    size_t value_len;
    bool used;
};
struct fake_store {
    struct fake_pair pairs[STORE_MAX];
    int writes_left; /* then every write fails with fail; < 0: never */
    unsigned writes; /* that did not fail */
    enum status fail, fail_each;
};

static inline struct fake_pair *find_pair(struct fake_store *store, struct bytes key)
{
    for (size_t i = 0; i < STORE_MAX; i++)
        if (store->pairs[i].used &&
            bytes_equal(bytes_of(store->pairs[i].key, store->pairs[i].key_len), key))
            return &store->pairs[i];
    return NULL;
}

static inline bool may_write(struct fake_store *store)
{
    if (store->writes_left == 0)
        return false;
    if (store->writes_left > 0)
        store->writes_left--;
    return true;
}

static inline void fake_put(struct fake_store *store, struct bytes key, struct bytes value)
{
    struct fake_pair *pair = find_pair(store, key);
    for (size_t i = 0; !pair && i < STORE_MAX; i++)
        if (!store->pairs[i].used)
            pair = &store->pairs[i];
    ck_assert_ptr_nonnull(pair);
    ck_assert(key.len <= sizeof pair->key && value.len <= sizeof pair->value);
    memcpy(pair->key, key.at, key.len);
    memcpy(pair->value, value.at, value.len);
    pair->key_len = key.len;
    pair->value_len = value.len;
    pair->used = true;
}

static inline enum status fake_write(void *context, const struct auth_write *writes, size_t count)
{
    struct fake_store *store = context;
    if (!may_write(store))
        return store->fail;
    store->writes++;
    for (size_t i = 0; i < count; i++) {
        struct fake_pair *pair = find_pair(store, writes[i].key);
        if (!writes[i].erase)
            fake_put(store, writes[i].key, writes[i].value);
        else if (pair)
            pair->used = false;
    }
    return STATUS_OK;
}

static inline enum status
fake_each(void *context, struct bytes prefix,
          void (*each)(void *context, struct bytes key, struct bytes value), void *each_context)
{
    struct fake_store *store = context;
    if (store->fail_each != STATUS_OK)
        return store->fail_each;
    for (size_t i = 0; i < STORE_MAX; i++) {
        struct fake_pair *pair = &store->pairs[i];
        if (pair->used && pair->key_len >= prefix.len &&
            memcmp(pair->key, prefix.at, prefix.len) == 0)
            each(each_context, bytes_of(pair->key, pair->key_len),
                 bytes_of(pair->value, pair->value_len));
    }
    return STATUS_OK;
}

static struct fake_store disk;
static struct auth_store store = {.context = &disk, .write = fake_write, .each = fake_each};
static struct auth *auth;

static const char *const loopback_users[] = {"guest", NULL};
static const struct auth_options options = {.loopback_users = loopback_users};

static inline void set_up(void)
{
    memset(&disk, 0, sizeof disk);
    disk.writes_left = -1;
    disk.fail = STATUS_IO;
    ck_assert_int_eq(auth_new(&options, &store, &auth), STATUS_OK);
}

static inline void tear_down(void)
{
    auth_free(&auth);
}

static inline void reopen(void)
{
    auth_free(&auth);
    ck_assert_int_eq(auth_new(&options, &store, &auth), STATUS_OK);
}

static inline struct bytes text(const char *s)
{
    return bytes_of_text(s);
}

static inline enum status check_password(const char *user, const char *password)
{
    return auth_check_password(auth, text(user), text(password), true);
}

static inline void add_user(const char *name, const char *password, const char *tags)
{
    bool created;
    ck_assert_int_eq(auth_put_user(auth, name, password, NULL, NULL, tags, &created), STATUS_OK);
}

static inline void permit(const char *user, const char *vhost, const char *c, const char *w,
                          const char *r)
{
    bool created;
    char *error;
    ck_assert_int_eq(auth_put_permission(auth, user, vhost, c, w, r, &created, &error), STATUS_OK);
    ck_assert_ptr_null(error);
}

/* Adds a case with these tests (NULL ends them) to the suite. */
static inline void add_case(Suite *suite, const char *name, const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 1200);
    for (; *tests; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
}

#endif
