/* leveretd's settings: the environment, --set, what overrides what, and the key compatibility. */
#include <check.h>
#include <stdlib.h>

#include "settings_fixture.h"

/* ---- Environment, --set, order. */

START_TEST(environment)
{
    char *variables[] = {"LEVERET_HEARTBEAT=7",
                         "LEVERET_LOG_LEVEL=error",
                         "LEVERET_VM_MEMORY_HIGH_WATERMARK_ABSOLUTE=1GB",
                         "LEVERET_LISTENERS_TCP_DEFAULT=1234",
                         "LEVERET_LISTENERS_TCP_1=127.0.0.1:5",
                         "LEVERET_LOOPBACK_USERS_GUEST=false",
                         "LEVERET_SERVICE_HOST=10.0.0.1",
                         "LEVERET_=x",
                         "LEVERET",
                         "heartbeat=8",
                         NULL};
    ck_assert(read_variables(variables));
    ck_assert_uint_eq(settings->heartbeat_s, 7);
    ck_assert_uint_eq(settings->log_level, LOG_ERROR);
    ck_assert_uint_eq(settings->memory_bytes, 1000000000);
    addresses_are("1234 127.0.0.1:5");
    loopback_users_are("");

    char *bad[] = {"LEVERET_HEARTBEAT=x", "LEVERET_WORKERS=300", NULL};
    ck_assert(!read_variables(bad));
    ck_assert(errors_have("LEVERET_HEARTBEAT: heartbeat must be a whole number"));
    ck_assert(errors_have("LEVERET_WORKERS: workers must be from 0 to 256"));
}
END_TEST

START_TEST(assignments)
{
    ck_assert(assign(settings, "heartbeat=5"));
    ck_assert_uint_eq(settings->heartbeat_s, 5);
    ck_assert(assign(settings, "heartbeat = 6"));
    ck_assert_uint_eq(settings->heartbeat_s, 6);
    ck_assert(assign(settings, "default_pass=a=b"));
    ck_assert_str_eq(settings->default_pass, "a=b");
    ck_assert(!assign(settings, "heartbeat"));
    ck_assert(!assign(settings, "=5"));
    ck_assert(!assign(settings, "hartbeat=5"));
    ck_assert(errors_have("--set: unknown key 'hartbeat'; did you mean heartbeat?"));
    ck_assert_uint_eq(error_lines(), 3);
}
END_TEST

START_TEST(order)
{
    char *variables[] = {"LEVERET_CHANNEL_MAX=2", "LEVERET_FRAME_MAX=8192", NULL};
    ck_assert(read_text("heartbeat = 1\nchannel_max = 1\nframe_max = 4096\n"));
    ck_assert(read_variables(variables));
    ck_assert(assign(settings, "frame_max=16384"));
    ck_assert_uint_eq(settings->handshake_timeout_ms, 10000); /* default */
    ck_assert_uint_eq(settings->heartbeat_s, 1);              /* file */
    ck_assert_uint_eq(settings->channel_max, 2);              /* environment */
    ck_assert_uint_eq(settings->frame_bytes_max, 16384);      /* --set */
}
END_TEST

START_TEST(what_changes_while_the_broker_runs)
{
    struct settings *wanted = settings_new();
    struct text live = {0}, waiting = {0};
    settings_differences(settings, wanted, &live, &waiting);
    ck_assert_uint_eq(live.len + waiting.len, 0);
    ck_assert(assign(wanted, "heartbeat=5"));
    ck_assert(assign(wanted, "log.console.level=debug"));
    ck_assert(assign(wanted, "vm_memory_high_watermark.absolute=1GB"));
    ck_assert(assign(wanted, "loopback_users=none"));
    ck_assert(assign(wanted, "workers=3"));
    ck_assert(assign(wanted, "listeners.tcp.1=127.0.0.1:5673"));
    ck_assert(assign(wanted, "cluster_name=us"));
    ck_assert(assign(wanted, "cluster_tags.a=1"));
    ck_assert(assign(wanted, "cluster_tags.b=2"));
    ck_assert(assign(wanted, "cluster_tags.a=3"));
    ck_assert_uint_eq(wanted->cluster_tags.count, 2);
    ck_assert_str_eq(wanted->cluster_tags.items[0].value, "3");
    settings_differences(settings, wanted, &live, &waiting);
    ck_assert(bytes_equal_text(text_bytes(&live),
                               "heartbeat, vm_memory_high_watermark.relative, "
                               "vm_memory_high_watermark.absolute, loopback_users, "
                               "log.console.level"));
    ck_assert(bytes_equal_text(text_bytes(&waiting),
                               "listeners.tcp, workers, cluster_name, cluster_tags"));
    settings_take_live(settings, wanted);
    ck_assert_uint_eq(settings->heartbeat_s, 5);
    ck_assert_uint_eq(settings->log_console_level, LOG_DEBUG);
    ck_assert_uint_eq(settings->loopback_users.count, 0);
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1), 1000000000);
    ck_assert_uint_eq(settings->workers, 0);
    live.len = waiting.len = 0;
    settings_differences(settings, wanted, &live, &waiting);
    ck_assert_uint_eq(live.len, 0);
    ck_assert(bytes_equal_text(text_bytes(&waiting),
                               "listeners.tcp, workers, cluster_name, cluster_tags"));
    text_free(&live);
    text_free(&waiting);
    settings_free(&wanted);
}
END_TEST

static void dialect_is(uint64_t count, uint64_t deaths, uint64_t timeout, uint64_t body_bytes,
                       const char *version)
{
    ck_assert_uint_eq(settings->delivery_count, count);
    ck_assert_uint_eq(settings->x_death, deaths);
    ck_assert_uint_eq(settings->consumer_timeout_action, timeout);
    ck_assert_uint_eq(settings->message_bytes_max, body_bytes);
    ck_assert_str_eq(settings->version, version);
    ck_assert_str_eq(compatibility_version(settings), version);
}

START_TEST(compatibility_sets_them_together)
{
    dialect_is(COUNT_RETURNS, DEATHS_COUNT, TIMEOUT_CANCELS, 128 << 20, DIALECT_VERSION);
    ck_assert(set("compatibility", "4.3"));
    dialect_is(COUNT_FAILURES, DEATHS_IGNORE, TIMEOUT_CANCELS, 16 << 20, DIALECT_VERSION_43);
    ck_assert(set("compatibility", "3.13"));
    dialect_is(COUNT_RETURNS, DEATHS_COUNT, TIMEOUT_CLOSES, 128 << 20, DIALECT_VERSION_313);
    ck_assert(set("compatibility", "mixed"));
    dialect_is(COUNT_RETURNS, DEATHS_COUNT, TIMEOUT_CANCELS, 128 << 20, DIALECT_VERSION);
}
END_TEST

START_TEST(compatibility_leaves_what_is_said)
{
    ck_assert(set("max_message_size", "1MiB"));
    ck_assert(set("compatibility", "4.3"));
    ck_assert(set("x_death.from_clients", "count"));
    dialect_is(COUNT_FAILURES, DEATHS_COUNT, TIMEOUT_CANCELS, 1 << 20, DIALECT_VERSION_43);
    ck_assert(set("compatibility", "3.13"));
    ck_assert(set("compatibility", "4.3"));
    dialect_is(COUNT_FAILURES, DEATHS_COUNT, TIMEOUT_CANCELS, 1 << 20, DIALECT_VERSION_43);
}
END_TEST

START_TEST(words_are_those_of_the_key)
{
    static const char *const keys[] = {"compatibility", "quorum_queue.delivery_count",
                                       "x_death.from_clients", "consumer_timeout.action"};
    char *why;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ck_assert(!set(keys[i], "4.2"));
        ck_assert(!set(keys[i], ""));
    }
    ck_assert_int_eq(settings_set(settings, "compatibility", "4", &why), STATUS_MALFORMED);
    ck_assert_str_eq(why, "must be mixed, 3.13 or 4.3");
    free(why);
    ck_assert_int_eq(settings_set(settings, "x_death.from_clients", "no", &why), STATUS_MALFORMED);
    ck_assert_str_eq(why, "must be count or ignore");
    free(why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings_sources");
    add_case(suite, "sources",
             (const TTest *const[]){environment, assignments, order,
                                    what_changes_while_the_broker_runs, NULL});

    add_case(suite, "compatibility",
             (const TTest *const[]){compatibility_sets_them_together,
                                    compatibility_leaves_what_is_said, words_are_those_of_the_key,
                                    NULL});

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
