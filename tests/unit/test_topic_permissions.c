/* auth/: topic permissions: what they allow, how they are stored, and when they go. */
#include <stdlib.h>

#include "auth_fixture.h"
#include "leveret/auth/topic_permissions.h"
#include "leveret/base/pattern.h"

static enum status put(const char *exchange, const char *write, const char *read, bool *created)
{
    const struct topic_permission permission = {"alice", "/", exchange, write, read};
    char *error = NULL;
    enum status status = auth_put_topic_permission(auth, &permission, created, &error);
    ck_assert(status == STATUS_OK || status != STATUS_MALFORMED || error);
    free(error);
    return status;
}

static void confine(const char *exchange, const char *write, const char *read)
{
    bool created;
    ck_assert_int_eq(put(exchange, write, read, &created), STATUS_OK);
}

static bool allowed(enum permission permission, const char *exchange, const char *key,
                    const char *client_id)
{
    const struct topic_use use = {
        .user = text("alice"),
        .vhost = text("/"),
        .exchange = text(exchange),
        .routing_key = text(key),
        .permission = permission,
        .client_id = client_id ? text(client_id) : bytes_of(NULL, 0),
    };
    return auth_topic_allowed(auth, &use);
}

static bool may_publish(const char *exchange, const char *key)
{
    return allowed(PERMISSION_WRITE, exchange, key, NULL);
}

static void set_up_alice(void)
{
    set_up();
    add_user("alice", "x", "");
}

START_TEST(an_entry_confines_one_exchange)
{
    ck_assert(!auth_has_topic_permissions(auth, text("alice"), text("/")));
    ck_assert(may_publish("t", "b"));
    confine("t", "^a", "^r");
    ck_assert(auth_has_topic_permissions(auth, text("alice"), text("/")));
    ck_assert(!auth_has_topic_permissions(auth, text("alice"), text("other")));
    ck_assert(may_publish("t", "a.b"));
    ck_assert(!may_publish("t", "b"));
    ck_assert(may_publish("tt", "b"));
    ck_assert(may_publish("", "b"));
    ck_assert(allowed(PERMISSION_READ, "t", "r", NULL));
    ck_assert(!allowed(PERMISSION_READ, "t", "a", NULL));
    confine("t", "", "");
    ck_assert(may_publish("t", ""));
    ck_assert(!may_publish("t", "a"));
}
END_TEST

START_TEST(variables_are_literals)
{
    confine("t", "^{username}{vhost}{client_id}$", ".*");
    ck_assert(allowed(PERMISSION_WRITE, "t", "alice/c.d", "c.d"));
    ck_assert(!allowed(PERMISSION_WRITE, "t", "alice/cxd", "c.d"));
    ck_assert(!allowed(PERMISSION_WRITE, "t", "alice/anything", ".*"));
    ck_assert(allowed(PERMISSION_WRITE, "t", "alice/\\E(", "\\E("));
    ck_assert(may_publish("t", "alice/{client_id}"));
    ck_assert(!may_publish("t", "alice/"));
    /* With a long property the expression becomes too long, and matches nothing. */
    char longest[PATTERN_LEN_MAX + 1];
    memset(longest, 'x', PATTERN_LEN_MAX);
    longest[PATTERN_LEN_MAX] = '\0';
    ck_assert(!allowed(PERMISSION_WRITE, "t", longest, longest));
}
END_TEST

static char told[4096];

static void tell(void *context, const struct topic_permission *p)
{
    (void)context;
    size_t at = strlen(told);
    snprintf(told + at, sizeof told - at, "%s %s '%s' %s %s; ", p->vhost, p->user, p->exchange,
             p->write, p->read);
}

static const char *all(void)
{
    told[0] = '\0';
    auth_each_topic_permission(auth, tell, NULL);
    return told;
}

START_TEST(entries_are_stored)
{
    bool created;
    ck_assert_int_eq(put("t", "^a", "^b", &created), STATUS_OK);
    ck_assert(created);
    ck_assert_int_eq(put("t", "^c", "^d", &created), STATUS_OK);
    ck_assert(!created);
    confine("", "x", "y");
    reopen();
    ck_assert_str_eq(all(), "/ alice '' x y; / alice 't' ^c ^d; ");
    ck_assert(!may_publish("t", "a") && may_publish("t", "c"));
    ck_assert_int_eq(auth_delete_topic_permission(auth, "alice", "/", "none"), STATUS_OK);
    ck_assert_int_eq(auth_delete_topic_permission(auth, "alice", "/", "t"), STATUS_OK);
    reopen();
    ck_assert_str_eq(all(), "/ alice '' x y; ");
    ck_assert_int_eq(auth_delete_topic_permission(auth, "alice", "/", ""), STATUS_OK);
    ck_assert_int_eq(auth_delete_topic_permission(auth, "alice", "/", ""), STATUS_NOT_FOUND);
    ck_assert(!auth_has_topic_permissions(auth, text("alice"), text("/")));
    reopen();
    ck_assert_str_eq(all(), "");
}
END_TEST

START_TEST(they_go_with_user_and_vhost)
{
    confine("t", "^a", "^b");
    ck_assert_int_eq(auth_delete_user(auth, "alice"), STATUS_OK);
    add_user("alice", "x", "");
    ck_assert_str_eq(all(), "");
    confine("t", "^a", "^b");
    ck_assert_int_eq(auth_delete_vhost(auth, "/"), STATUS_OK);
    ck_assert_str_eq(all(), "");
    reopen();
    ck_assert_str_eq(all(), "");
}
END_TEST

START_TEST(what_is_wrong_changes_nothing)
{
    bool created;
    char longest[AUTH_NAME_MAX + 2];
    confine("t", "^a", "^b");
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(put("t", "(", "", &created), STATUS_MALFORMED);
    ck_assert_int_eq(put("t", "", "(", &created), STATUS_MALFORMED);
    ck_assert_int_eq(put(longest, "", "", &created), STATUS_MALFORMED);
    ck_assert_int_eq(put("\xff", "", "", &created), STATUS_MALFORMED);
    const struct topic_permission nobody = {"nobody", "/", "t", "", ""};
    const struct topic_permission nowhere = {"alice", "nowhere", "t", "", ""};
    char *error;
    ck_assert_int_eq(auth_put_topic_permission(auth, &nobody, &created, &error), STATUS_NOT_FOUND);
    ck_assert_int_eq(auth_put_topic_permission(auth, &nowhere, &created, &error), STATUS_NOT_FOUND);
    disk.writes_left = 0;
    ck_assert_int_eq(put("t", "^c", "^d", &created), STATUS_IO);
    ck_assert_int_eq(auth_delete_topic_permission(auth, "alice", "/", NULL), STATUS_IO);
    ck_assert_str_eq(all(), "/ alice 't' ^a ^b; ");
    disk.writes_left = -1;
    ck_assert_int_eq(auth_check_topic_permission("a", "(", &error), STATUS_MALFORMED);
    ck_assert_ptr_nonnull(strstr(error, "missing closing parenthesis"));
    free(error);
    ck_assert_int_eq(auth_check_topic_permission("a", "b", &error), STATUS_OK);
}
END_TEST

START_TEST(their_number_is_bounded)
{
    char name[16];
    bool created;
    auth_begin(auth);
    for (unsigned i = 0; i < TOPIC_PERMISSIONS_MAX; i++) {
        snprintf(name, sizeof name, "t%u", i);
        ck_assert_int_eq(put(name, "", "", &created), STATUS_OK);
    }
    ck_assert_int_eq(put("one more", "", "", &created), STATUS_LIMIT);
    ck_assert_int_eq(put("t0", "a", "", &created), STATUS_OK);
    auth_cancel(auth);
    ck_assert_str_eq(all(), "");
}
END_TEST

START_TEST(a_damaged_record_prevents_the_start)
{
    confine("t", "^a", "^b");
    struct fake_pair *pair = NULL;
    for (size_t i = 0; i < STORE_MAX; i++)
        if (disk.pairs[i].used && strncmp(disk.pairs[i].key, "topic-permissions/", 18) == 0)
            pair = &disk.pairs[i];
    ck_assert_ptr_nonnull(pair);
    static const char *const damaged[] = {
        "",
        "{}",
        "[]",
        "[1]",
        "[{\"exchange\": \"t\", \"write\": \"(\", \"read\": \"\"}]",
        "[{\"exchange\": \"t\", \"write\": \"\"}]"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        auth_free(&auth);
        pair->value_len = strlen(damaged[i]);
        memcpy(pair->value, damaged[i], pair->value_len);
        ck_assert_int_eq(auth_new(&options, &store, &auth), STATUS_CORRUPT);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_entry_confines_one_exchange,     variables_are_literals,        entries_are_stored,
        they_go_with_user_and_vhost,        what_is_wrong_changes_nothing, their_number_is_bounded,
        a_damaged_record_prevents_the_start};
    Suite *suite = suite_create("topic_permissions");
    TCase *tcase = tcase_create("topic_permissions");
    tcase_add_checked_fixture(tcase, set_up_alice, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
