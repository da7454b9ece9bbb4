/* auth/: users, vhosts, permissions, what the store may do, batches, many threads at once. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth_fixture.h"

/* ---- Users and vhosts. */

static enum status put_vhost(const char *name, const char *description, const char *tags,
                             bool tracing)
{
    bool created;
    const struct vhost_entry entry = {
        .name = name, .description = description, .tags = tags, .tracing = tracing};
    return auth_put_vhost(auth, &entry, &created);
}

START_TEST(names_checked)
{
    char longest[AUTH_NAME_MAX + 2];
    bool created;
    memset(longest, 'n', sizeof longest);
    longest[AUTH_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(auth_put_user(auth, "", "p", NULL, NULL, "", &created), STATUS_MALFORMED);
    ck_assert_int_eq(auth_put_user(auth, longest, "p", NULL, NULL, "", &created), STATUS_MALFORMED);
    ck_assert_int_eq(auth_put_user(auth, "\xff", "p", NULL, NULL, "", &created), STATUS_MALFORMED);
    ck_assert_int_eq(auth_put_user(auth, "u", "p", NULL, NULL, "\xff", &created), STATUS_MALFORMED);
    ck_assert_int_eq(put_vhost("", "", "", false), STATUS_MALFORMED);
    ck_assert_int_eq(put_vhost(longest, "", "", false), STATUS_MALFORMED);
    longest[AUTH_NAME_MAX] = '\0';
    ck_assert_int_eq(auth_put_user(auth, longest, "p", NULL, NULL, "", &created), STATUS_OK);
    ck_assert_int_eq(put_vhost(longest, "", "", false), STATUS_OK);
    permit(longest, longest, ".*", "", "");
    reopen();
    ck_assert(auth_may_open(auth, text(longest), text(longest)));
    char beyond[AUTH_NAME_MAX + 2];
    memset(beyond, 'n', sizeof beyond);
    ck_assert(!auth_may_open(auth, bytes_of(beyond, sizeof beyond), text(longest)));
}
END_TEST

START_TEST(tags_tidied)
{
    char tags[64], little[4];
    add_user("alice", "x", "  administrator ,monitoring,, a b ,");
    ck_assert(auth_user_tags(auth, text("alice"), tags, sizeof tags));
    ck_assert_str_eq(tags, "administrator,monitoring,a b");
    ck_assert(auth_user_tags(auth, text("alice"), little, sizeof little));
    ck_assert_str_eq(little, "");
    ck_assert_int_eq(auth_set_tags(auth, "alice", "policymaker"), STATUS_OK);
    reopen();
    ck_assert(auth_user_tags(auth, text("alice"), tags, sizeof tags));
    ck_assert_str_eq(tags, "policymaker");
    ck_assert_int_eq(check_password("alice", "x"), STATUS_OK);
    ck_assert_int_eq(auth_set_tags(auth, "nobody", ""), STATUS_NOT_FOUND);
}
END_TEST

static void count_permission(void *context, const struct permission_info *info)
{
    (void)info;
    ++*(int *)context;
}

static void check_vhost(void *context, const struct vhost_entry *entry)
{
    if (strcmp(entry->name, "v") != 0)
        return;
    ck_assert_str_eq(entry->description, "a \"description\"");
    ck_assert_str_eq(entry->tags, "one,two");
    ck_assert_str_eq(entry->default_queue_type, "quorum");
    ck_assert(entry->tracing && entry->protected_from_deletion);
    ++*(int *)context;
}

START_TEST(delete_takes_permissions)
{
    bool created;
    int count = 0, seen = 0;
    add_user("alice", "x", "");
    const struct vhost_entry made = {.name = "v",
                                     .description = "a \"description\"",
                                     .tags = "one, two",
                                     .default_queue_type = "quorum",
                                     .tracing = true,
                                     .protected_from_deletion = true};
    ck_assert_int_eq(auth_put_vhost(auth, &made, &created), STATUS_OK);
    ck_assert(created);
    permit("alice", "v", ".*", ".*", ".*");
    permit("guest", "v", ".*", ".*", ".*");
    permit("alice", "/", ".*", ".*", ".*");
    reopen();
    auth_each_vhost(auth, check_vhost, &seen);
    ck_assert_int_eq(seen, 1);
    auth_each_permission(auth, count_permission, &count);
    ck_assert_int_eq(count, 4);
    ck_assert_int_eq(auth_delete_vhost(auth, "v"), STATUS_OK);
    ck_assert_int_eq(auth_delete_vhost(auth, "v"), STATUS_NOT_FOUND);
    ck_assert(auth_may_open(auth, text("alice"), text("/")));
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_OK);
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_NOT_FOUND);
    /* A later user or vhost of the name starts with nothing, also after a restart. */
    reopen();
    add_user("alice", "x", "");
    ck_assert_int_eq(put_vhost("v", "", "", false), STATUS_OK);
    ck_assert(!auth_may_open(auth, text("alice"), text("/")));
    ck_assert(!auth_may_open(auth, text("guest"), text("v")));
}
END_TEST

START_TEST(version_grows)
{
    uint64_t before = auth_version(auth);
    add_user("alice", "x", "");
    ck_assert_uint_gt(auth_version(auth), before);
    before = auth_version(auth);
    permit("alice", "/", "", "", "");
    ck_assert_uint_gt(auth_version(auth), before);
}
END_TEST

/* ---- Permissions. */

static bool allowed(enum permission permission, const char *name)
{
    return auth_allowed(auth, text("alice"), text("/"), permission, text(name));
}

START_TEST(permissions)
{
    add_user("alice", "x", "");
    ck_assert(!allowed(PERMISSION_READ, "jobs.1"));
    permit("alice", "/", "^jobs\\.", "^(jobs\\..*|amq\\.default)$", "");
    ck_assert(allowed(PERMISSION_CONFIGURE, "jobs.1"));
    ck_assert(!allowed(PERMISSION_CONFIGURE, "xjobs.1"));
    ck_assert(!allowed(PERMISSION_CONFIGURE, "jobs"));
    ck_assert(allowed(PERMISSION_WRITE, ""));
    ck_assert(allowed(PERMISSION_WRITE, "amq.default"));
    ck_assert(!allowed(PERMISSION_READ, "jobs.1"));
    ck_assert(!allowed(PERMISSION_READ, ""));
    reopen();
    ck_assert(allowed(PERMISSION_CONFIGURE, "jobs.1"));
    ck_assert(!allowed(PERMISSION_READ, "jobs.1"));
    permit("alice", "/", "", "", "jobs"); /* anywhere in the name, as in RabbitMQ */
    ck_assert(allowed(PERMISSION_READ, "my jobs."));
    ck_assert(!allowed(PERMISSION_CONFIGURE, "jobs.1"));
    ck_assert_int_eq(auth_delete_permission(auth, "alice", "/"), STATUS_OK);
    ck_assert_int_eq(auth_delete_permission(auth, "alice", "/"), STATUS_NOT_FOUND);
    ck_assert(!auth_may_open(auth, text("alice"), text("/")));
}
END_TEST

START_TEST(permission_names_are_bytes)
{
    static const uint8_t name[] = {0xff, 0x00, 'a'};
    add_user("alice", "x", "");
    permit("alice", "/", "a$", "^\\x{ff}", "\xc3\xbc");
    ck_assert(auth_allowed(auth, text("alice"), text("/"), PERMISSION_CONFIGURE,
                           bytes_of(name, sizeof name)));
    ck_assert(auth_allowed(auth, text("alice"), text("/"), PERMISSION_WRITE,
                           bytes_of(name, sizeof name)));
    ck_assert(allowed(PERMISSION_READ, "gr\xc3\xbcn"));
    /* The separator of user and vhost cannot be smuggled in. */
    ck_assert(!auth_may_open(auth, bytes_of("alice\0x", 7), text("/")));
    ck_assert(!auth_may_open(auth, text(""), bytes_of("/\0alice", 7)));
}
END_TEST

START_TEST(permission_refused)
{
    static const char *const bad[] = {"(",       "[a",  "*",   "a{2}{", "(?<n>a)(?<n>b)",
                                      "(*UTF)a", "\\C", "\xff"};
    static char long_one[8192];
    bool created;
    char *error;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum status status =
            auth_put_permission(auth, "guest", "/", ".*", bad[i], ".*", &created, &error);
        if (strcmp(bad[i], "a{2}{") == 0) { /* that is a literal brace */
            ck_assert_int_eq(status, STATUS_OK);
            continue;
        }
        ck_assert_int_eq(status, STATUS_MALFORMED);
        ck_assert_ptr_nonnull(error);
        free(error);
    }
    memset(long_one, 'a', sizeof long_one - 1);
    ck_assert_int_eq(auth_put_permission(auth, "guest", "/", long_one, "", "", &created, &error),
                     STATUS_MALFORMED);
    free(error);
    memset(long_one, '(', 2000);
    memset(long_one + 2000, ')', 2000);
    long_one[4000] = '\0';
    ck_assert_int_eq(auth_put_permission(auth, "guest", "/", long_one, "", "", &created, &error),
                     STATUS_MALFORMED);
    free(error);
    ck_assert_int_eq(auth_put_permission(auth, "nobody", "/", "", "", "", &created, &error),
                     STATUS_NOT_FOUND);
    ck_assert_int_eq(auth_put_permission(auth, "guest", "no", "", "", "", &created, &error),
                     STATUS_NOT_FOUND);
}
END_TEST

/* Expressions that backtrack for ever: refused, and soon. */
START_TEST(permission_catastrophe)
{
    static const char *const evil[] = {
        "^(a+)+$",  "^(a|aa)+$", "^(a|a?)+$", "(.*a){40}$", "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(?R)?a+b", "(x+x+)+y"};
    char name[AUTH_NAME_MAX + 1];
    memset(name, 'a', AUTH_NAME_MAX);
    name[AUTH_NAME_MAX - 1] = '!';
    name[AUTH_NAME_MAX] = '\0';
    add_user("alice", "x", "");
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        permit("alice", "/", evil[i], "", "");
        ck_assert(!allowed(PERMISSION_CONFIGURE, name)); /* without a limit it would take years */
    }
}
END_TEST

/* ---- A store that fails. */

START_TEST(store_failure_changes_nothing)
{
    bool created;
    char *error;
    add_user("alice", "x", "t");
    permit("alice", "/", "a", "a", "a");
    uint64_t version = auth_version(auth);
    disk.writes_left = 0;
    ck_assert_int_eq(auth_put_user(auth, "bob", "x", NULL, NULL, "", &created), STATUS_IO);
    ck_assert(!created);
    ck_assert_int_eq(auth_set_password(auth, "alice", "y"), STATUS_IO);
    ck_assert_int_eq(auth_set_tags(auth, "alice", "y"), STATUS_IO);
    ck_assert_int_eq(put_vhost("v", "", "", false), STATUS_IO);
    ck_assert_int_eq(auth_put_permission(auth, "alice", "/", "", "", "", &created, &error),
                     STATUS_IO);
    ck_assert_int_eq(auth_delete_permission(auth, "alice", "/"), STATUS_IO);
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_IO);
    ck_assert_int_eq(auth_delete_vhost(auth, "/"), STATUS_IO);
    ck_assert_uint_eq(auth_version(auth), version);
    ck_assert_int_eq(check_password("alice", "x"), STATUS_OK);
    ck_assert(!auth_user_tags(auth, text("bob"), (char[8]){0}, 8));
    ck_assert(allowed(PERMISSION_READ, "a"));
    disk.writes_left = -1;
    reopen();
    ck_assert_int_eq(check_password("alice", "x"), STATUS_OK);
    ck_assert(allowed(PERMISSION_READ, "a"));
}
END_TEST

/* A user goes with its permissions and limits, or stays with them. */
START_TEST(delete_is_one_write)
{
    add_user("alice", "x", "");
    permit("alice", "/", "a", "a", "a");
    ck_assert_int_eq(auth_put_limit(auth, LIMITED_USER, "alice", "max-channels", 3), STATUS_OK);
    disk.writes_left = 0;
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_IO);
    ck_assert_int_eq(check_password("alice", "x"), STATUS_OK);
    ck_assert(auth_may_open(auth, text("alice"), text("/")));
    disk.writes_left = 1;
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_OK);
    disk.writes_left = -1;
    reopen();
    add_user("alice", "x", "");
    ck_assert(!auth_may_open(auth, text("alice"), text("/")));
    ck_assert_int_eq(auth_limit(auth, LIMITED_USER, text("alice"), LIMIT_CHANNELS), LIMIT_NONE);
}
END_TEST

/* ---- Batches. */

static void fill_batch(void)
{
    bool created;
    char *error;
    auth_begin(auth);
    ck_assert_int_eq(auth_put_user(auth, "alice", "x", NULL, NULL, "a", &created), STATUS_OK);
    ck_assert(created);
    ck_assert_int_eq(auth_put_user(auth, "alice", "y", NULL, NULL, "b", &created), STATUS_OK);
    ck_assert(!created);
    ck_assert_int_eq(put_vhost("v", "", "", true), STATUS_OK);
    ck_assert_int_eq(auth_put_permission(auth, "nobody", "v", "", "", "", &created, &error),
                     STATUS_NOT_FOUND);
    ck_assert_int_eq(auth_put_permission(auth, "alice", "v", "a", "b", "c", &created, &error),
                     STATUS_OK);
    ck_assert_int_eq(auth_put_limit(auth, LIMITED_VHOST, "v", "max-queues", 5), STATUS_OK);
    ck_assert_int_eq(auth_put_limit(auth, LIMITED_VHOST, "v", "max-connections", 6), STATUS_OK);
}

/* Before vhosts had a default queue type and could be protected. */
START_TEST(older_vhosts_are_read)
{
    struct vhost_entry entry;
    bool created;
    fake_put(&disk, text("vhost/old"),
             text("{\"description\":\"d\",\"tags\":\"a\",\"tracing\":1}"));
    reopen();
    ck_assert(auth_find_vhost(auth, text("old"), &entry));
    ck_assert_str_eq(entry.description, "d");
    ck_assert_str_eq(entry.default_queue_type, "");
    ck_assert(entry.tracing && !entry.protected_from_deletion);
    entry.protected_from_deletion = true;
    ck_assert_int_eq(auth_put_vhost(auth, &entry, &created), STATUS_OK);
    ck_assert(!created);
    reopen();
    ck_assert(auth_find_vhost(auth, text("old"), &entry));
    ck_assert_str_eq(entry.tags, "a");
    ck_assert(entry.tracing && entry.protected_from_deletion);
}
END_TEST

/* What is staged is seen by nobody, stored with one write, and there at once. */
START_TEST(batch_is_one_write)
{
    struct vhost_entry entry;
    uint64_t version = auth_version(auth);
    unsigned writes = disk.writes;
    fill_batch();
    ck_assert_uint_eq(auth_version(auth), version);
    ck_assert(!auth_vhost_exists(auth, text("v")));
    ck_assert(!auth_may_open(auth, text("alice"), text("v")));
    ck_assert_int_eq(check_password("alice", "y"), STATUS_ACCESS_REFUSED);
    ck_assert_int_eq(auth_commit(auth), STATUS_OK);
    ck_assert_uint_eq(disk.writes, writes + 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(check_password("alice", "y"), STATUS_OK);
        ck_assert(auth_may_open(auth, text("alice"), text("v")));
        ck_assert(auth_find_vhost(auth, text("v"), &entry) && entry.tracing);
        ck_assert_int_eq(auth_limit(auth, LIMITED_VHOST, text("v"), LIMIT_QUEUES), 5);
        ck_assert_int_eq(auth_limit(auth, LIMITED_VHOST, text("v"), LIMIT_CONNECTIONS), 6);
        reopen();
    }
}
END_TEST

START_TEST(batch_that_fails_or_is_cancelled_changes_nothing)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        uint64_t version = auth_version(auth);
        fill_batch();
        disk.writes_left = 0;
        if (cancel)
            auth_cancel(auth);
        else
            ck_assert_int_eq(auth_commit(auth), STATUS_IO);
        ck_assert_uint_eq(auth_version(auth), version);
        ck_assert(!auth_vhost_exists(auth, text("v")));
        ck_assert_int_eq(check_password("alice", "y"), STATUS_ACCESS_REFUSED);
        ck_assert_int_eq(auth_limit(auth, LIMITED_VHOST, text("v"), LIMIT_QUEUES), LIMIT_NONE);
        disk.writes_left = -1;
    }
    fill_batch();
    ck_assert_int_eq(auth_commit(auth), STATUS_OK);
}
END_TEST

START_TEST(users_deleted_together)
{
    const char *const names[] = {"alice", "nobody", "bob", "alice"};
    add_user("alice", "x", "");
    add_user("bob", "x", "");
    add_user("carol", "x", "");
    permit("alice", "/", "", "", "");
    permit("carol", "/", "", "", "");
    unsigned writes = disk.writes;
    ck_assert_int_eq(auth_delete_users(auth, names, 4), STATUS_OK);
    ck_assert_uint_eq(disk.writes, writes + 1);
    ck_assert_int_eq(check_password("alice", "x"), STATUS_ACCESS_REFUSED);
    ck_assert_int_eq(check_password("bob", "x"), STATUS_ACCESS_REFUSED);
    ck_assert_int_eq(check_password("carol", "x"), STATUS_OK);
    ck_assert(auth_may_open(auth, text("carol"), text("/")));
    ck_assert(!auth_may_open(auth, text("alice"), text("/")));
}
END_TEST

static char told[512];
static size_t told_len;

static void hear(void *context, const struct auth_change *change)
{
    (void)context;
    told_len += (size_t)snprintf(told + told_len, sizeof told - told_len, "%s", change->event);
    for (size_t i = 0; change->fields[i].key && told_len < sizeof told; i++)
        told_len += (size_t)snprintf(told + told_len, sizeof told - told_len, "%s%s", i ? "," : "(",
                                     change->fields[i].value);
    ck_assert_uint_lt(told_len + 1, sizeof told);
    told[told_len++] = ')';
    told[told_len] = '\0';
}

START_TEST(changes_are_told_once_they_have_happened)
{
    auth_set_watcher(auth, hear, NULL);
    told[told_len = 0] = '\0';
    fill_batch();
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(auth_commit(auth), STATUS_OK);
    ck_assert_str_eq(told, "user.created(alice)user.password.changed(alice)vhost.created(v)"
                           "permission.created(alice,v,a,b,c)");
    told[told_len = 0] = '\0';
    ck_assert_int_eq(auth_set_tags(auth, "alice", "t"), STATUS_OK);
    ck_assert_int_eq(auth_delete_permission(auth, "alice", "v"), STATUS_OK);
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_OK);
    ck_assert_str_eq(told, "user.tags.set(alice,t)permission.deleted(alice,v)user.deleted(alice)");
    auth_set_watcher(auth, NULL, NULL);
}
END_TEST

START_TEST(store_damaged)
{
    static const struct {
        const char *key;
        size_t key_len;
        const char *value;
        enum status status;
    } bad[] = {
        {"user/x", 6, "", STATUS_CORRUPT},
        {"user/x", 6, "[]", STATUS_CORRUPT},
        {"user/x", 6, "{\"tags\":1}", STATUS_CORRUPT},
        {"user/x", 6, "{\"password_hash\":\"x\"}", STATUS_CORRUPT},
        {"vhost/x", 7, "{\"tracing\":\"x\"}", STATUS_CORRUPT},
        {"permission/x", 12, "{}", STATUS_CORRUPT},
        {"permission/\0x", 13, "{\"read\":\"(\"}", STATUS_CORRUPT},
        {"permission/a\0b\0c", 16, "{}", STATUS_CORRUPT},
        {"auth/format", 11, "{\"format\":2}", STATUS_VERSION},
        {"auth/format", 11, "{\"format\"", STATUS_CORRUPT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fake_store before = disk;
        fake_put(&disk, bytes_of(bad[i].key, bad[i].key_len), text(bad[i].value));
        auth_free(&auth);
        ck_assert_int_eq(auth_new(&options, &store, &auth), bad[i].status);
        ck_assert_ptr_null(auth);
        disk = before;
    }
    disk.fail_each = STATUS_IO;
    ck_assert_int_eq(auth_new(&options, &store, &auth), STATUS_IO);
    disk.fail_each = STATUS_OK;
    ck_assert_int_eq(auth_new(&options, &store, &auth), STATUS_OK);
}
END_TEST

/* ---- Threads: many ask while one changes. */

static atomic_bool threads_stop;

static void *ask(void *argument)
{
    const struct login_peer peer = {ATTEMPT_AMQP, "127.0.0.1", true, 0, NULL};
    struct login out;
    char tags[64];
    atomic_uint *asked = argument;
    while (!atomic_load(&threads_stop)) {
        ck_assert_int_eq(
            auth_login(auth, BYTES_LITERAL("PLAIN"), BYTES_LITERAL("\0guest\0guest"), &peer, &out),
            STATUS_OK);
        ck_assert(auth_allowed(auth, text("guest"), text("/"), PERMISSION_READ, text("q")));
        (void)auth_allowed(auth, text("u7"), text("/"), PERMISSION_READ, text("q"));
        (void)auth_user_tags(auth, text("u7"), tags, sizeof tags);
        (void)auth_version(auth);
        atomic_fetch_add(asked, 1);
    }
    return NULL;
}

START_TEST(threads)
{
    pthread_t thread[4];
    atomic_uint asked[4] = {0};
    unsigned rounds = 0;
    atomic_store(&threads_stop, false);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, ask, &asked[i]), 0);
    bool all = false;
    while (!all || rounds++ < 50) {
        char name[8];
        all = true; /* have asked while users came and went */
        for (size_t i = 0; i < 4; i++)
            all &= atomic_load(&asked[i]) >= 50;
        for (int i = 0; i < 10; i++) {
            snprintf(name, sizeof name, "u%d", i);
            add_user(name, "x", "t");
            permit(name, "/", ".*", "^q", "q$");
        }
        for (int i = 0; i < 10; i++) {
            snprintf(name, sizeof name, "u%d", i);
            ck_assert_int_eq(auth_delete_user(auth, name), STATUS_OK);
        }
    }
    atomic_store(&threads_stop, true);
    for (size_t i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
}

int main(void)
{
    Suite *suite = suite_create("auth_changes");
    add_case(suite, "directory",
             (const TTest *const[]){names_checked, tags_tidied, delete_takes_permissions,
                                    version_grows, NULL});
    add_case(suite, "permissions",
             (const TTest *const[]){permissions, permission_names_are_bytes, permission_refused,
                                    permission_catastrophe, NULL});
    add_case(suite, "store",
             (const TTest *const[]){store_failure_changes_nothing, delete_is_one_write,
                                    store_damaged, NULL});
    add_case(suite, "batch",
             (const TTest *const[]){
                 older_vhosts_are_read, batch_that_fails_or_is_cancelled_changes_nothing,
                 batch_is_one_write, batch_that_fails_or_is_cancelled_changes_nothing,
                 users_deleted_together, changes_are_told_once_they_have_happened, NULL});
    add_case(suite, "threads", (const TTest *const[]){threads, NULL});

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
