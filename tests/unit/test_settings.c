/* leveretd's settings: each key, units, errors with file and line. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveretd/settings/key.h"
#include "leveretd/settings/key_types.h"
#include "leveretd/settings/keys.h"
#include "settings_fixture.h"

/* ---- Values. */

START_TEST(sizes)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"1048576", 1048576},
        {"50MB", 50000000},
        {"1GiB", 1073741824},
        {"1 GiB", 1 << 30},
        {"2k", 2048},
        {"2kB", 2000},
        {"2KB", 2000},
        {"3M", 3145728},
        {"3mib", 3145728},
        {"1G", 1073741824},
        {"7B", 7},
        {"1TB", 1000000000000},
        {"1TiB", 1099511627776},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "MB",
                                      "-1",
                                      "1.5GB",
                                      "1XB",
                                      "1 000",
                                      "0x10",
                                      " 1",
                                      "1GBs",
                                      "18446744073709551616",
                                      "99999999999TiB"};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_ptr_null(literal_size(good[i].text, &bytes));
        ck_assert_uint_eq(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(literal_size(bad[i], &bytes) != NULL, "'%s' is taken", bad[i]);
}
END_TEST

START_TEST(ratios_and_bools)
{
    static const char *const bad[] = {"", "-0.1", "nan", "inf", "0x1p3", "1e3", "0.4.1", "."};
    double ratio;
    bool on = false;
    ck_assert_ptr_null(literal_ratio("0.25", &ratio));
    ck_assert_double_eq(ratio, 0.25);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(literal_ratio(bad[i], &ratio) != NULL, "'%s' is taken", bad[i]);
    ck_assert_ptr_null(literal_bool("true", &on));
    ck_assert(on);
    ck_assert_ptr_null(literal_bool("no", &on));
    ck_assert(!on);
    ck_assert_ptr_nonnull(literal_bool("2", &on));
}
END_TEST

/* Each reader of a key's words stops at the NULL after the last. */
START_TEST(words_end)
{
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        ck_assert_msg(key->words[KEY_WORDS_MAX - 1] == NULL, "%s has too many words", key->name);
}
END_TEST

START_TEST(addresses)
{
    static const struct {
        const char *text, *address; /* NULL: off */
    } good[] = {
        {"5672", "5672"},
        {"127.0.0.1:5672", "127.0.0.1:5672"},
        {"::1:5672", "[::1]:5672"},
        {"[::1]:5672", "[::1]:5672"},
        {":::5672", "[::]:5672"},
        {"127.0.0.1:any", "127.0.0.1:0"},
        {"unix:/run/a.sock:0", "unix:/run/a.sock"},
        {"local:/run/a.sock", "unix:/run/a.sock"},
        {"0", NULL},
        {"none", NULL},
        {"127.0.0.1:none", NULL},
    };
    static const char *const bad[] = {"", ":5672", "65536", "x", "127.0.0.1", "127.0.0.1:", "-1"};
    char *address;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_ptr_null(literal_address(good[i].text, &address));
        if (good[i].address)
            ck_assert_str_eq(address, good[i].address);
        else
            ck_assert_ptr_null(address);
        free(address);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(literal_address(bad[i], &address) != NULL, "'%s' is taken", bad[i]);
}
END_TEST

/* ---- Keys. */

START_TEST(defaults)
{
    char *address;
    addresses_are("5672");
    loopback_users_are("guest");
    address = settings_management_address(settings);
    ck_assert_str_eq(address, "15672");
    free(address);
    address = settings_prometheus_address(settings);
    ck_assert_str_eq(address, "15692");
    free(address);
    ck_assert_uint_eq(settings->heartbeat_s, 60);
    ck_assert_uint_eq(settings->channel_max, 2047);
    ck_assert_uint_eq(settings->frame_bytes_max, 131072);
    ck_assert_uint_eq(settings->handshake_timeout_ms, 10000);
    ck_assert_uint_eq(settings->message_bytes_max, 134217728);
    ck_assert_str_eq(settings->default_user, "guest");
    ck_assert_str_eq(settings->default_pass, "guest");
    ck_assert_str_eq(settings->default_vhost, "/");
    ck_assert_ptr_null(settings->anonymous_user);
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1000), 400);
    ck_assert_uint_eq(settings_disk_free_bytes_min(settings, 1000), 50000000);
    ck_assert_uint_eq(settings->log_level, LOG_INFO);
    ck_assert_uint_eq(settings->log_format, LOG_TEXT);
    ck_assert_ptr_null(settings->log_file);
    ck_assert_str_eq(settings->data_dir, LEVERET_DATA_DIR);
    ck_assert_uint_eq(settings->workers, 0);
    ck_assert_uint_eq(settings->writers, 2);
    ck_assert_str_eq(settings->product, DIALECT_PRODUCT);
    ck_assert_str_eq(settings->version, DIALECT_VERSION);
}
END_TEST

/* Every key with a value it takes and one it does not (NULL: it takes all). */
static const struct {
    const char *key, *good, *bad;
} each_key[] = {
    {"listeners.tcp", "none", "5672"},
    {"listeners.tcp.default", "5673", "x"},
    {"listeners.tcp.1", "127.0.0.1:5672", "127.0.0.1"},
    {"listeners.tcp.local", "[::1]:5672", "[::1]"},
    {"listeners.unix", "/tmp/leveret.sock", ""},
    {"management.tcp.ip", "127.0.0.1", ""},
    {"management.tcp.port", "15673", "http"},
    {"prometheus.tcp.ip", "::1", ""},
    {"prometheus.tcp.port", "none", "some"},
    {"heartbeat", "0", "65536"},
    {"channel_max", "65535", "-1"},
    {"frame_max", "4096", "4095"},
    {"compatibility", "4.3", "4"},
    {"quorum_queue.delivery_count", "failures", "all"},
    {"x_death.from_clients", "ignore", "none"},
    {"consumer_timeout.action", "close", "closes"},
    {"handshake_timeout", "5000", "10s"},
    {"max_message_size", "1MiB", "0"},
    {"connection_output_max", "2MiB", "1k"},
    {"consumer_timeout", "0", "soon"},
    {"default_user", "me", ""},
    {"default_pass", "", NULL},
    {"default_vhost", "v", ""},
    {"anonymous_login_user", "none", ""},
    {"loopback_users", "a, b", NULL},
    {"loopback_users.guest", "false", "perhaps"},
    {"vm_memory_high_watermark.relative", "0.6", "1.1"},
    {"vm_memory_high_watermark.absolute", "2GB", "lots"},
    {"disk_free_limit.relative", "1.5", "-1"},
    {"disk_free_limit.absolute", "1GB", "1.5GB"},
    {"log.level", "debug", "loud"},
    {"log.console.level", "error", "loud"},
    {"log.file.level", "none", "loud"},
    {"log.format", "json", "xml"},
    {"log.console.formatter", "plaintext", "xml"},
    {"log.file.formatter", "json", "xml"},
    {"default_user_tags.monitoring", "true", "x"},
    {"default_permissions.configure", "^$", "("},
    {"default_permissions.write", "", "("},
    {"default_permissions.read", ".*", "*"},
    {"default_users.bob.password", "p", NULL},
    {"default_users.bob.tags", "monitoring,policymaker", NULL},
    {"default_users.bob.vhost_pattern", "^a", "("},
    {"default_users.bob.configure", ".*", "("},
    {"default_users.bob.write", ".*", "("},
    {"default_users.bob.read", ".*", "("},
    {"default_limits.vhosts.a.pattern", ".*", "("},
    {"default_limits.vhosts.a.max_connections", "3", "-1"},
    {"default_limits.vhosts.a.max_queues", "0", "many"},
    {"credential_validator.validation_backend", "rabbit_credential_validator_password_regexp",
     "rabbit_credential_validator"},
    {"credential_validator.min_length", "20", "0"},
    {"credential_validator.regexp", "^.{9,}$", "("},
    {"password_hashing_module", "rabbit_password_hashing_sha512", "sha512"},
    {"auth_attempts.max_per_minute", "0", "x"},
    {"tcp_listen_options.backlog", "128", "x"},
    {"tcp_listen_options.nodelay", "false", "2"},
    {"tcp_listen_options.keepalive", "true", "2"},
    {"tcp_listen_options.sndbuf", "196608", "big"},
    {"tcp_listen_options.recbuf", "196608", "big"},
    {"tcp_listen_options.send_timeout", "15000", "15s"},
    {"management.hsts.policy", "max-age=31536000", "a\rb"},
    {"management.cors.allow_origins", "none", ""},
    {"management.cors.allow_origins.1", "https://a.example", NULL},
    {"management.cors.max_age", "60", "x"},
    {"prometheus.path", "/m", "m"},
    {"prometheus.return_per_object_metrics", "true", "2"},
    {"prometheus.authentication.enabled", "true", "2"},
    {"event_exchange.vhost", "events", ""},
    {"product.name", "A product", ""},
    {"product.version", "1.2.3", ""},
    {"motd_file", "/etc/motd", ""},
    {"max_channels_per_connection", "128", "65536"},
    {"initial_frame_max", "16kb", "4095"},
    {"max_connections", "infinity", "many"},
    {"connection_max", "10", "-1"},
    {"channel_max_per_node", "infinity", "none"},
    {"consumer_max_per_channel", "7", "0"},
    {"vhost_max", "0", "x"},
    {"cluster_queue_limit", "10000", "1.5"},
    {"cluster_exchange_limit", "infinity", "x"},
    {"total_memory_available_override_value", "2GB", "much"},
    {"log.file", "/tmp/leveret.log", ""},
    {"log.dir", "/tmp", ""},
    {"log.console", "true", "yes"},
    {"log.console.stdio", "stdout", "both"},
    {"log.file.rotation.date", "$D0", "daily"},
    {"log.file.rotation.size", "10485760", "-1"},
    {"log.file.rotation.count", "5", "1001"},
    {"log.file.rotation.compress", "true", "gz"},
    {"log.journald", "true", "x"},
    {"log.journald.level", "notice", "loud"},
    {"log.exchange", "false", "x"},
    {"log.exchange.level", "inherit", "loud"},
    {"log.connection.level", "error", "loud"},
    {"log.ra.level", "none", "loud"},
    {"data_dir", "/tmp/leveret", ""},
    {"workers", "4", "257"},
    {"journal.writers", "16", "0"},
    {"server_properties.product", "RabbitMQ", ""},
    {"server_properties.version", "3.13.0", ""},
    {"cluster_name", "here", ""},
    {"cluster_tags.region", "eu", NULL},
    {"node_tags.rack", "b 7", NULL},
};

START_TEST(key)
{
    ck_assert(set(each_key[_i].key, each_key[_i].good));
    if (each_key[_i].bad)
        ck_assert(!set(each_key[_i].key, each_key[_i].bad));
    ck_assert(!set("no.such.key", each_key[_i].good));
    ck_assert(!set("log.nothing.level", "info"));
}
END_TEST

START_TEST(listeners)
{
    ck_assert(set("listeners.tcp.1", "127.0.0.1:5672"));
    addresses_are("127.0.0.1:5672");
    ck_assert(set("listeners.tcp.default", "5673"));
    addresses_are("127.0.0.1:5672 5673");
    ck_assert(set("listeners.tcp.1", "0"));
    ck_assert(set("listeners.unix", "/run/leveret.sock"));
    addresses_are("5673 unix:/run/leveret.sock");
    ck_assert(set("listeners.tcp", "none"));
    addresses_are("unix:/run/leveret.sock");
    ck_assert(set("listeners.unix", "none"));
    addresses_are("");
    ck_assert(set("listeners.tcp.2", "::1:any"));
    addresses_are("[::1]:0");
}
END_TEST

START_TEST(too_many_listeners)
{
    char name[32];
    for (unsigned i = 0; i < KEY_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "listeners.tcp.%u", i);
        ck_assert(set(name, "1"));
    }
    ck_assert(!set("listeners.tcp.more", "1"));
    ck_assert(set("listeners.tcp.63", "2"));
}
END_TEST

START_TEST(api_addresses)
{
    char *address;
    ck_assert(set("management.tcp.ip", "::1"));
    address = settings_management_address(settings);
    ck_assert_str_eq(address, "[::1]:15672");
    free(address);
    ck_assert(set("management.tcp.port", "any"));
    address = settings_management_address(settings);
    ck_assert_str_eq(address, "[::1]:0");
    free(address);
    ck_assert(set("management.tcp.port", "0"));
    ck_assert_ptr_null(settings_management_address(settings));
    ck_assert(set("prometheus.tcp.port", "none"));
    ck_assert_ptr_null(settings_prometheus_address(settings));
}
END_TEST

START_TEST(loopback_users)
{
    ck_assert(set("loopback_users.alice", "true"));
    loopback_users_are("guest alice");
    ck_assert(set("loopback_users.guest", "false"));
    loopback_users_are("alice");
    ck_assert(set("loopback_users", "none"));
    loopback_users_are("");
    ck_assert(set("loopback_users", " a ,b , c d,"));
    loopback_users_are("a b c d");
}
END_TEST

START_TEST(watermarks_replace_each_other)
{
    ck_assert(set("vm_memory_high_watermark.absolute", "1GB"));
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1000), 1000000000);
    ck_assert(set("vm_memory_high_watermark.absolute", "0"));
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1000), 0);
    ck_assert(set("vm_memory_high_watermark.absolute", "1000"));
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1), 1000);
    ck_assert(set("vm_memory_high_watermark.relative", "0.5"));
    ck_assert_uint_eq(settings_memory_bytes_max(settings, 1000), 500);
    ck_assert(set("disk_free_limit.relative", "2"));
    ck_assert_uint_eq(settings_disk_free_bytes_min(settings, 1000), 2000);
    ck_assert(set("disk_free_limit.absolute", "1MB"));
    ck_assert_uint_eq(settings_disk_free_bytes_min(settings, 1000), 1000000);
    ck_assert(set("disk_free_limit.absolute", "0"));
    ck_assert_uint_eq(settings_disk_free_bytes_min(settings, 1000), 0);
}
END_TEST

/* ---- Files. */

START_TEST(file_forms)
{
    ck_assert(read_text("\xef\xbb\xbf# a comment\n"
                        "\n"
                        "heartbeat=30\r\n"
                        "  channel_max   =   100   # behind a value\n"
                        "; another comment\n"
                        "default_pass = a#b;c=d\n"
                        "listeners.tcp.1 = ::1:5672\n"
                        "cluster_name = no line end"));
    ck_assert_uint_eq(report.count, 0);
    ck_assert_uint_eq(settings->heartbeat_s, 30);
    ck_assert_uint_eq(settings->channel_max, 100);
    ck_assert_str_eq(settings->default_pass, "a#b;c=d");
    ck_assert_str_eq(settings->cluster_name, "no line end");
    addresses_are("[::1]:5672");
}
END_TEST

START_TEST(file_errors_have_lines)
{
    char wanted[128];
    ck_assert(!read_text("heartbeat = soon\n"
                         "channel_max = 100\n"
                         "no_such_key = 1\n"
                         "not an assignment\n"
                         "[section]\n"
                         "frame_max = 100\n"
                         "= 1\n"
                         "heartbeat =\n"));
    ck_assert_uint_eq(error_lines(), 7);
    snprintf(wanted, sizeof wanted, "%s:1: heartbeat must be a whole number", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:3: unknown key 'no_such_key'", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:4: not of the form key = value", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:5: not of the form", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:6: frame_max must be from 4096 to 16777216", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:7: ", path);
    ck_assert(errors_have(wanted));
    snprintf(wanted, sizeof wanted, "%s:8: heartbeat must", path);
    ck_assert(errors_have(wanted));
    /* What is good is set all the same: one look shows all errors. */
    ck_assert_uint_eq(settings->channel_max, 100);
}
END_TEST

START_TEST(file_missing)
{
    settings_read_path(settings, "no/such/file.conf", &report);
    ck_assert(errors_have("no/such/file.conf: No such file or directory"));
}
END_TEST

START_TEST(file_long_lines)
{
    static char text[6000];
    memset(text, 'x', sizeof text - 1);
    const char start[] = "cluster_name = ";
    memcpy(text, start, sizeof start - 1);
    text[900] = '\n';
    text[901] = '#';
    ck_assert(!read_text(text));
    ck_assert_uint_eq(error_lines(), 1);
    ck_assert(errors_have(":2: the line is longer than"));
    ck_assert_uint_eq(strlen(settings->cluster_name), 900 - (sizeof start - 1));
}
END_TEST

START_TEST(passwords_are_not_shown)
{
    static char text[3000];
    memset(text, 'x', sizeof text - 1);
    const char line[] = "default_pass = secret";
    memcpy(text, line, sizeof line - 1);
    ck_assert(!read_text(text));
    ck_assert(!errors_have("secret"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    add_case(suite, "values", (const TTest *const[]){sizes, ratios_and_bools, words_end, addresses, NULL});
    add_case(suite, "keys",
             (const TTest *const[]){defaults, listeners, too_many_listeners, api_addresses,
                                    loopback_users, watermarks_replace_each_other, NULL});
    add_case(suite, "files",
             (const TTest *const[]){file_forms, file_errors_have_lines, file_missing,
                                    file_long_lines, passwords_are_not_shown, NULL});

    TCase *tcase = tcase_create("each key");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, key, 0, (int)(sizeof each_key / sizeof each_key[0]));
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
