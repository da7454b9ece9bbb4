/* Global parameters: what may be stored, what is kept over a start, and the cluster's name. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/auth/auth.h"
#include "leveret/auth/parameters.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"

/* ---- A store in memory. */

#define PAIRS_MAX 64
static struct pair {
    struct text key, value;
} pairs[PAIRS_MAX];
static size_t pair_count;
static enum status write_fails;

static struct pair *find_pair(struct bytes key)
{
    for (size_t i = 0; i < pair_count; i++)
        if (bytes_equal(text_bytes(&pairs[i].key), key))
            return &pairs[i];
    return NULL;
}

static enum status store_write(void *context, const struct auth_write *writes, size_t count)
{
    (void)context;
    if (write_fails)
        return write_fails;
    for (size_t i = 0; i < count; i++) {
        struct pair *pair = find_pair(writes[i].key);
        if (writes[i].erase) {
            ck_assert_ptr_nonnull(pair);
            text_free(&pair->key);
            text_free(&pair->value);
            *pair = pairs[--pair_count];
            pairs[pair_count] = (struct pair){0};
            continue;
        }
        if (!pair) {
            ck_assert(pair_count < PAIRS_MAX);
            pair = &pairs[pair_count++];
            text_add_bytes(&pair->key, writes[i].key);
        }
        pair->value.len = 0;
        text_add_bytes(&pair->value, writes[i].value);
    }
    return STATUS_OK;
}

static enum status store_each(void *context, struct bytes prefix,
                              void (*each)(void *context, struct bytes key, struct bytes value),
                              void *each_context)
{
    (void)context;
    for (size_t i = 0; i < pair_count; i++)
        if (pairs[i].key.len >= prefix.len && memcmp(pairs[i].key.at, prefix.at, prefix.len) == 0)
            each(each_context, text_bytes(&pairs[i].key), text_bytes(&pairs[i].value));
    return STATUS_OK;
}

static struct auth *auth;
static bool created;

static enum status open_directory(bool stored)
{
    const struct auth_options options = {0};
    const struct auth_store store = {.write = store_write, .each = store_each};
    return auth_new(&options, stored ? &store : NULL, &auth);
}

static void set_up(void)
{
    write_fails = STATUS_OK;
    ck_assert(open_directory(true) == STATUS_OK);
}

static void tear_down(void)
{
    auth_free(&auth);
    while (pair_count) {
        text_free(&pairs[--pair_count].key);
        text_free(&pairs[pair_count].value);
        pairs[pair_count] = (struct pair){0};
    }
}

static void again(void)
{
    auth_free(&auth);
    ck_assert(open_directory(true) == STATUS_OK);
}

static enum status put(const char *name, const char *json)
{
    return auth_put_parameter(auth, name, json, &created);
}

/* ---- Tests. */

START_TEST(any_value_is_kept_over_a_start)
{
    static const char *const values[] = {
        "5", "-2.5", "null", "true", "\"\"", "\"a \\\"b\\\\\"", "[]", "{}", "{\"b\":[1,{\"a\":2}]}",
    };
    char name[16];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(name, sizeof name, "p%zu", i);
        ck_assert(put(name, values[i]) == STATUS_OK && created);
    }
    ck_assert(put("p0", "6") == STATUS_OK && !created);
    again();
    ck_assert_str_eq(auth_parameter(auth, "p0"), "6");
    for (size_t i = 1; i < sizeof values / sizeof *values; i++) {
        snprintf(name, sizeof name, "p%zu", i);
        ck_assert_str_eq(auth_parameter(auth, name), values[i]);
    }
    ck_assert(auth_delete_parameter(auth, "p1") == STATUS_OK);
    ck_assert(auth_delete_parameter(auth, "p1") == STATUS_NOT_FOUND);
    again();
    ck_assert_ptr_null(auth_parameter(auth, "p1"));
    ck_assert_str_eq(auth_parameter(auth, "p2"), "null");
}
END_TEST

START_TEST(what_cannot_be_stored_changes_nothing)
{
    ck_assert(put("a", "1") == STATUS_OK);
    write_fails = STATUS_NO_SPACE;
    ck_assert(put("a", "2") == STATUS_NO_SPACE);
    ck_assert(put("b", "2") == STATUS_NO_SPACE && !created);
    ck_assert(auth_delete_parameter(auth, "a") == STATUS_NO_SPACE);
    ck_assert_str_eq(auth_parameter(auth, "a"), "1");
    ck_assert_ptr_null(auth_parameter(auth, "b"));
}
END_TEST

START_TEST(names_and_values_are_bounded)
{
    char name[AUTH_NAME_MAX + 2], deep[2 * PARAMETER_DEPTH_MAX + 3];
    memset(name, 'n', sizeof name);
    name[AUTH_NAME_MAX + 1] = '\0';
    ck_assert(put(name, "1") == STATUS_MALFORMED);
    name[AUTH_NAME_MAX] = '\0';
    ck_assert(put(name, "1") == STATUS_OK);
    ck_assert(put("", "1") == STATUS_MALFORMED);
    ck_assert(put("x", "") == STATUS_MALFORMED);
    ck_assert(put("x", "{") == STATUS_MALFORMED);
    ck_assert(put("x", "1 2") == STATUS_MALFORMED);

    for (unsigned levels = PARAMETER_DEPTH_MAX; levels <= PARAMETER_DEPTH_MAX + 1; levels++) {
        memset(deep, '[', levels);
        memset(deep + levels, ']', levels);
        deep[2 * levels] = '\0';
        ck_assert(put("deep", deep) ==
                  (levels > PARAMETER_DEPTH_MAX ? STATUS_MALFORMED : STATUS_OK));
    }
    ck_assert(
        put("brackets", "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"") ==
        STATUS_OK);

    char *large = mem_need(PARAMETER_BYTES_MAX + 2);
    memset(large, '1', PARAMETER_BYTES_MAX + 1);
    large[0] = large[PARAMETER_BYTES_MAX] = '"';
    ck_assert(put("large", large) == STATUS_MALFORMED);
    large[PARAMETER_BYTES_MAX - 1] = '"';
    large[PARAMETER_BYTES_MAX] = '\0';
    ck_assert(put("large", large) == STATUS_OK);
    free(large);
}
END_TEST

/* In memory: the store above is small. */
START_TEST(their_number_is_bounded)
{
    char name[16];
    auth_free(&auth);
    ck_assert(open_directory(false) == STATUS_OK);
    for (unsigned i = 0; i < PARAMETERS_MAX / 2; i++) {
        snprintf(name, sizeof name, "p%u", i);
        ck_assert(put(name, "1") == STATUS_OK);
    }
    /* Those that are staged count. */
    auth_begin(auth);
    for (unsigned i = PARAMETERS_MAX / 2; i < PARAMETERS_MAX; i++) {
        snprintf(name, sizeof name, "p%u", i);
        ck_assert(put(name, "1") == STATUS_OK);
    }
    ck_assert(put("p0", "2") == STATUS_OK);
    ck_assert(put("one too many", "1") == STATUS_LIMIT);
    ck_assert(auth_commit(auth) == STATUS_OK);
    ck_assert(put("one too many", "1") == STATUS_LIMIT);
    ck_assert(put("p0", "3") == STATUS_OK);
    ck_assert(auth_delete_parameter(auth, "p7") == STATUS_OK);
    ck_assert(put("one too many", "1") == STATUS_OK);
}
END_TEST

START_TEST(their_size_is_bounded)
{
    char *value = mem_need(PARAMETER_BYTES_MAX + 1), name[16];
    enum status status = STATUS_OK;
    unsigned count = 0;
    auth_free(&auth);
    ck_assert(open_directory(false) == STATUS_OK);
    memset(value, 'v', PARAMETER_BYTES_MAX);
    value[0] = value[PARAMETER_BYTES_MAX - 1] = '"';
    for (; status == STATUS_OK; count++) {
        snprintf(name, sizeof name, "p%u", count);
        status = put(name, value);
    }
    ck_assert(status == STATUS_LIMIT);
    ck_assert_uint_eq(count, PARAMETERS_BYTES_MAX / PARAMETER_BYTES_MAX);
    /* Another value for one that is there takes its place. */
    ck_assert(put("p0", value) == STATUS_OK);
    free(value);
}
END_TEST

START_TEST(a_cluster_has_a_name)
{
    char name[CLUSTER_NAME_BYTES_MAX + 1], long_name[CLUSTER_NAME_BYTES_MAX + 4];
    static const char *const wrong[] = {"5", "\"\"", "null", "[\"a\"]", "\"a\\u0000b\""};
    ck_assert(!auth_cluster_name(auth, name));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert(put(PARAMETER_CLUSTER_NAME, wrong[i]) == STATUS_MALFORMED);
    memset(long_name, 'n', sizeof long_name);
    long_name[0] = long_name[CLUSTER_NAME_BYTES_MAX + 2] = '"';
    long_name[CLUSTER_NAME_BYTES_MAX + 3] = '\0';
    ck_assert(put(PARAMETER_CLUSTER_NAME, long_name) == STATUS_MALFORMED);
    ck_assert(!auth_cluster_name(auth, name));
    ck_assert(put(PARAMETER_CLUSTER_NAME, "\"caf\\u00e9 \\\"1\\\"\"") == STATUS_OK);
    ck_assert(auth_cluster_name(auth, name));
    ck_assert_str_eq(name, "caf\xc3\xa9 \"1\"");
    again();
    ck_assert(auth_cluster_name(auth, name));
    ck_assert_str_eq(name, "caf\xc3\xa9 \"1\"");
    uint64_t version = auth_version(auth);
    ck_assert(put(PARAMETER_CLUSTER_NAME, "\"b\"") == STATUS_OK);
    ck_assert(auth_version(auth) != version); /* sessions look for another name then */
    ck_assert(auth_cluster_name(auth, name));
    ck_assert_str_eq(name, "b");
    ck_assert_str_eq(auth_parameter_text(auth, PARAMETER_CLUSTER_NAME), "b");
    ck_assert(put("number", "5") == STATUS_OK);
    ck_assert_ptr_null(auth_parameter_text(auth, "number"));
    ck_assert_ptr_null(auth_parameter_text(auth, "nothing"));
}
END_TEST

START_TEST(a_cluster_keeps_its_identity)
{
    ck_assert_ptr_null(auth_parameter(auth, PARAMETER_CLUSTER_ID));
    ck_assert(auth_identify_cluster(auth) == STATUS_OK);
    char *identity = strdup(auth_parameter(auth, PARAMETER_CLUSTER_ID));
    ck_assert_ptr_nonnull(identity);
    ck_assert(strncmp(identity, "\"leveret-cluster-id-", 20) == 0 && strlen(identity) == 53);
    again();
    ck_assert(auth_identify_cluster(auth) == STATUS_OK);
    ck_assert_str_eq(auth_parameter(auth, PARAMETER_CLUSTER_ID), identity);
    free(identity);
}
END_TEST

static void hear(void *context, const struct auth_change *change)
{
    text_printf(context, "%s", change->event);
    for (size_t i = 0; change->fields[i].key; i++)
        text_printf(context, " %s=%s", change->fields[i].key, change->fields[i].value);
    text_printf(context, "\n");
}

START_TEST(changes_are_told)
{
    struct text heard = {0};
    auth_set_watcher(auth, hear, &heard);
    ck_assert(put("a", "1") == STATUS_OK);
    ck_assert(put("a", "{") == STATUS_MALFORMED);
    ck_assert(auth_delete_parameter(auth, "a") == STATUS_OK);
    ck_assert(bytes_equal_text(text_bytes(&heard), "parameter.set name=a component=global\n"
                                                   "parameter.cleared name=a component=global\n"));
    text_free(&heard);
}
END_TEST

START_TEST(tags_of_a_cluster_are_an_object)
{
    ck_assert(put(PARAMETER_CLUSTER_TAGS, "5") == STATUS_MALFORMED);
    ck_assert(put(PARAMETER_CLUSTER_TAGS, "[1]") == STATUS_MALFORMED);
    ck_assert(put(PARAMETER_CLUSTER_TAGS, "[]") == STATUS_OK);
    ck_assert(put(PARAMETER_CLUSTER_TAGS, "{\"region\":\"eu\"}") == STATUS_OK);
}
END_TEST

START_TEST(tags_of_the_configuration)
{
    static const struct auth_tag tags[] = {{"region", "eu"}, {"say", "\"hi\""}};
    ck_assert(auth_tag_cluster(auth, tags, 2) == STATUS_OK);
    const char *json = "{\"region\":\"eu\",\"say\":\"\\\"hi\\\"\"}";
    ck_assert_str_eq(auth_parameter(auth, PARAMETER_CLUSTER_TAGS), json);
    write_fails = STATUS_IO; /* the same once more is not written, and none take none away */
    ck_assert(auth_tag_cluster(auth, tags, 2) == STATUS_OK);
    ck_assert(auth_tag_cluster(auth, NULL, 0) == STATUS_OK);
    ck_assert(auth_tag_cluster(auth, tags, 1) == STATUS_IO);
    ck_assert_str_eq(auth_parameter(auth, PARAMETER_CLUSTER_TAGS), json);
}
END_TEST

START_TEST(a_record_that_is_no_value_is_damage)
{
    ck_assert(put("a", "1") == STATUS_OK);
    struct pair *pair = find_pair(BYTES_LITERAL("global-parameter/a"));
    ck_assert_ptr_nonnull(pair);
    pair->value.len = 0;
    text_printf(&pair->value, "{\"json\":\"{\"}");
    auth_free(&auth);
    ck_assert(open_directory(true) == STATUS_CORRUPT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parameters");
    TCase *tcase = tcase_create("parameters");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, any_value_is_kept_over_a_start);
    tcase_add_test(tcase, what_cannot_be_stored_changes_nothing);
    tcase_add_test(tcase, names_and_values_are_bounded);
    tcase_add_test(tcase, their_number_is_bounded);
    tcase_add_test(tcase, their_size_is_bounded);
    tcase_add_test(tcase, a_cluster_has_a_name);
    tcase_add_test(tcase, a_cluster_keeps_its_identity);
    tcase_add_test(tcase, changes_are_told);
    tcase_add_test(tcase, tags_of_a_cluster_are_an_object);
    tcase_add_test(tcase, tags_of_the_configuration);
    tcase_add_test(tcase, a_record_that_is_no_value_is_damage);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
