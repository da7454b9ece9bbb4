/* For the tests of dead letters: a core, and functions that show the headers of what it delivers.
 */
#ifndef TESTS_DEAD_LETTER_FIXTURE_H
#define TESTS_DEAD_LETTER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static char *headers, *properties_text; /* those of the last message that was delivered, as text */

static inline void watch(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    const struct message *message = event->type == EVENT_DELIVER ? event->u.deliver.message
                                    : event->type == EVENT_REPLY ? event->got.message
                                                                 : NULL;
    struct properties properties;
    struct text text = {0};
    if (!message)
        return;
    ck_assert_int_eq(properties_decode(message_properties(message), &properties), STATUS_OK);
    const struct field table = {.type = FIELD_TABLE, .value.bytes = properties.headers};
    field_print(&text, &table);
    text_add(&text, "", 1);
    free(headers);
    headers = (char *)text.at;
    text = (struct text){0};
    text_printf(&text, "%.*s:%.*s", BYTES_PRINT(message_exchange(message)),
                BYTES_PRINT(message_routing_key(message)));
    if (properties.present & PROPERTY_EXPIRATION)
        text_printf(&text, " expiration %.*s", BYTES_PRINT(properties.expiration));
    if (properties.present & PROPERTY_PRIORITY)
        text_printf(&text, " priority %u", properties.priority);
    if (properties.present & PROPERTY_USER_ID)
        text_printf(&text, " user %.*s", BYTES_PRINT(properties.user_id));
    text_printf(&text, "%s", message->persistent ? " persistent" : "");
    text_printf(&text, "%s", message->ttl_ms == MESSAGE_NO_TTL ? "" : " ttl");
    text_add(&text, "", 1);
    free(properties_text);
    properties_text = (char *)text.at;
}

static inline void setup(void)
{
    harness_open(&h);
    h.watch = watch;
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static inline void teardown(void)
{
    harness_close(&h);
    free(headers);
    free(properties_text);
    headers = properties_text = NULL;
}

/* arguments: "name=value", separated by spaces; a value of digits is a number. */
static inline void declare(const char *queue, const char *flags, const char *arguments)
{
    struct text table = {0};
    char line[512], *at = line, *word;
    snprintf(line, sizeof line, "%s", arguments);
    while ((word = strsep(&at, " "))) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        char name[64];
        snprintf(name, sizeof name, "x-%s", word);
        if (*value && strspn(value, "0123456789") == strlen(value))
            table_put_i64(&table, name, strtoll(value, NULL, 10));
        else
            table_put_string(&table, name, bytes_of_text(value));
    }
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
    harness_sync(&h);
    harness_take(&h);
}

/* A message with these headers (NULL: none) and properties. */
static inline void publish_as(const char *exchange, const char *key, const char *body,
                              struct properties properties, const struct text *table)
{
    struct text encoded = {0};
    if (table) {
        properties.present |= PROPERTY_HEADERS;
        properties.headers = text_bytes(table);
    }
    properties_encode(&properties, &encoded);
    struct message *message = message_new(bytes_of_text(exchange), bytes_of_text(key),
                                          text_bytes(&encoded), strlen(body));
    ck_assert_int_eq(message_fill(message, NULL, (const uint8_t *)body, strlen(body)), STATUS_OK);
    message->has_headers = table != NULL;
    message->persistent = properties.delivery_mode == 2;
    message->priority = properties.priority;
    if (properties.present & PROPERTY_EXPIRATION)
        message->ttl_ms = strtoull((const char *)properties.expiration.at, NULL, 10);
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    text_free(&encoded);
}

static inline void expect_depth(const char *queue, unsigned depth)
{
    char line[100];
    harness_take(&h);
    do_declare(&h, "A1", queue, "p");
    snprintf(line, sizeof line, "A1 ok declare %s %u 0\n", queue, depth);
    expect(&h, line);
}

/* Takes the head of q and rejects it. */
static inline void get_and_reject(const char *queue)
{
    struct queue_info info;
    do_get(&h, "A1", queue, "a");
    harness_sync(&h);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_unacknowledged, 1);
    struct command command = {.type = COMMAND_NACK, .channel = 1};
    command.u.ack.multiple = true; /* with tag 0: all deliveries */
    harness_do(&h, 'A', &command);
}

static inline void expect_got(const char *queue, const char *line)
{
    char expected[100];
    harness_sync(&h);
    harness_take(&h);
    do_get(&h, "A1", queue, "");
    harness_sync(&h);
    snprintf(expected, sizeof expected, "%s\n", strcmp(line, "empty") ? line : "A1 empty");
    const char *got = harness_take(&h);
    char *tag = strstr(got, " t"); /* the delivery tag is cut out */
    char cut[200];
    if (tag)
        snprintf(cut, sizeof cut, "%.*s%s", (int)(tag - got), got, strchr(tag + 1, ' '));
    else
        snprintf(cut, sizeof cut, "%s", got);
    ck_assert_str_eq(cut, expected);
}

/* Adds a case with these tests (NULL ends them) to the suite. */
static inline void add_case(Suite *suite, const char *name, const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 1200);
    for (; *tests; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
}

#endif
