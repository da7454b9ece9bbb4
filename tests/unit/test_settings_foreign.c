/* Keys of RabbitMQ's files: each has a class; none of them stops a start without a reason. */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "leveretd/settings/foreign.h"
#include "leveretd/settings/key_name.h"
#include "leveretd/settings/keys.h"
#include "settings_fixture.h"

static void take(const char *key, const char *value)
{
    settings_take(settings, "a.conf:1", key, value, &report);
}

/* ---- Classes. */

START_TEST(needless_keys_say_why)
{
    take("net_ticktime", "60");
    take("cluster_formation.peer_discovery_backend", "rabbit_peer_discovery_k8s");
    ck_assert_uint_eq(report.count, 2);
    ck_assert(found(FINDING_NEEDLESS, "a.conf:1: net_ticktime has no effect: no Erlang here"));
    ck_assert(found(FINDING_NEEDLESS, "peer_discovery_backend has no effect: one node"));
    ck_assert(report_is_good(&report));
}
END_TEST

START_TEST(missing_keys_name_the_feature)
{
    take("mqtt.listeners.tcp.default", "1883");
    ck_assert(found(FINDING_MISSING,
                    "a.conf:1: mqtt.listeners.tcp.default: Leveret does not have this: MQTT"));
    ck_assert(!report_is_good(&report));
    take("config.lenient", "true");
    ck_assert(report_is_good(&report));
    take("heartbeat", "soon");
    ck_assert(!report_is_good(&report));
}
END_TEST

START_TEST(values_that_ask_for_nothing)
{
    take("log.syslog", "false");
    take("auth_backends.1", "internal");
    take("auth_backends.2", "rabbit_auth_backend_internal");
    take("deprecated_features.permit.transient_nonexcl_queues", "true");
    ck_assert_uint_eq(report.count, 0);
    take("log.syslog", "true");
    take("auth_backends.1", "rabbit_auth_backend_ldap");
    take("deprecated_features.permit.transient_nonexcl_queues", "false");
    take("auth_backends.1", "intern");
    take("queue_types.classic.enabled", "false");
    ck_assert_uint_eq(report_count(&report, FINDING_MISSING), 5);
}
END_TEST

START_TEST(unknown_keys_name_the_nearest)
{
    static const struct {
        const char *key, *nearest; /* NULL: none is near */
    } cases[] = {
        {"hartbeat", "heartbeat"},
        {"defualt_user", "default_user"},
        {"listeners.tpc.default", "listeners.tcp.default"},
        {"loopback_user.alice", "loopback_users.alice"},
        {"net_tick_time", "net_ticktime"},
        {"vm_memory_high_watermark.relativ", "vm_memory_high_watermark.relative"},
        {"cluster_tag.a.b", "cluster_tags.a.b"},
        {"zzzzzz", NULL},
        {"x", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = key_name_nearest(cases[i].key);
        if (cases[i].nearest)
            ck_assert_str_eq(got, cases[i].nearest);
        else
            ck_assert_ptr_null(got);
        free(got);
    }
    static char long_name[3000];
    memset(long_name, 'a', sizeof long_name - 1);
    ck_assert_ptr_null(key_name_nearest(long_name));
}
END_TEST

START_TEST(encrypted_values_are_not_taken_literally)
{
    take("default_pass", "encrypted:kDnCy25dRvI8xs4nrJ6hp34ffL0O");
    ck_assert(found(FINDING_MISSING, "default_pass is encrypted"));
    ck_assert(!report_is_good(&report));
    ck_assert_ptr_null(strstr(settings->default_pass, "encrypted"));
    ck_assert_str_ne(settings->default_pass, "guest");
    ck_assert_uint_ge(strlen(settings->default_pass), 32);
}
END_TEST

START_TEST(each_row_is_reached)
{
    /* A row that no name reaches, because an earlier one or a key that works takes all of its
     * names, says what is not so. */
    for (const struct foreign_key *row = foreign_keys; row->name; row++) {
        const char *rest;
        ck_assert_msg(foreign_find(row->name) == row, "%s is hidden", row->name);
        if (!strchr(row->name, '$'))
            ck_assert_msg(!keys_find(row->name, &rest), "%s works", row->name);
        ck_assert(row->why && *row->why);
    }
}
END_TEST

/* ---- RabbitMQ's schemas, where a RabbitMQ is installed. */

static size_t names_seen;

/* A key whose variable parts have only some values here stands for one of these. */
static const char *example_of(const char *name)
{
    static const char retention[] = "management.sample_retention_policies.";
    return strncmp(name, retention, sizeof retention - 1) == 0
               ? "management.sample_retention_policies.global.minute"
               : name;
}

static void has_class(const char *name)
{
    const char *rest;
    name = example_of(name);
    names_seen++;
    ck_assert_msg(keys_find(name, &rest) || foreign_find(name), "%s has no class", name);
}

/* Each line that begins with {mapping, "NAME" names a key. */
static void read_schema(const char *schema)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(schema, "re");
    ck_assert_ptr_nonnull(file);
    while (getline(&line, &room, file) >= 0) {
        char name[200];
        if (sscanf(line, "{mapping, \"%199[^\"]\"", name) == 1)
            has_class(name);
    }
    free(line);
    fclose(file);
}

static void read_plugins(const char *plugins)
{
    DIR *folder = opendir(plugins);
    if (!folder)
        return;
    for (struct dirent *plugin; (plugin = readdir(folder));) {
        char schemas[4096];
        /* Of its runtime's schema only "nodename" is known by users, and that is a key here. */
        snprintf(schemas, sizeof schemas, "%s/%s/priv/schema", plugins, plugin->d_name);
        DIR *inner = opendir(schemas);
        for (struct dirent *entry; inner && (entry = readdir(inner));) {
            char schema[8192];
            snprintf(schema, sizeof schema, "%s/%s", schemas, entry->d_name);
            if (strstr(entry->d_name, ".schema"))
                read_schema(schema);
        }
        if (inner)
            closedir(inner);
    }
    closedir(folder);
}

START_TEST(each_key_of_the_schemas_has_a_class)
{
    static const char *const roots[] = {"/usr/lib/rabbitmq/lib", NULL};
    const char *other = getenv("RABBITMQ_SCHEMAS"); /* a second folder like that one */
    for (size_t i = 0; i < 2; i++) {
        const char *root = roots[i] ? roots[i] : other;
        DIR *folder = root ? opendir(root) : NULL;
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            char plugins[2048];
            snprintf(plugins, sizeof plugins, "%s/%s/plugins", root, entry->d_name);
            if (strncmp(entry->d_name, "rabbitmq_server-", 16) == 0)
                read_plugins(plugins);
        }
        if (folder)
            closedir(folder);
    }
    if (names_seen == 0)
        puts("no RabbitMQ is installed: its schemas were not read");
    else
        ck_assert_uint_gt(names_seen, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings_foreign");
    add_case(suite, "classes",
             (const TTest *const[]){needless_keys_say_why, missing_keys_name_the_feature,
                                    values_that_ask_for_nothing, unknown_keys_name_the_nearest,
                                    encrypted_values_are_not_taken_literally, each_row_is_reached,
                                    NULL});
    add_case(suite, "schemas", (const TTest *const[]){each_key_of_the_schemas_has_a_class, NULL});
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
