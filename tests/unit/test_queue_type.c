/* The type of a queue: its name, the type that a declaration without one gets, and which
 * declarations are equivalent. */
#include <stdlib.h>

#include "broker/store/definition.h"
#include "core_harness.h"
#include "leveret/broker/queue_type.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

static void set_default(enum queue_type type)
{
    vhost_tune(h.vhost,
               &(struct vhost_tuning){.queues_max = UINT64_MAX, .default_queue_type = type});
}

/* type NULL: the argument x-queue-type is left out. */
static void declare(const char *who, const char *queue, const char *flags, const char *type)
{
    struct text arguments = {0};
    if (type)
        table_put_string(&arguments, "x-queue-type", bytes_of_text(type));
    do_declare_args(&h, who, queue, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
}

static void has_type(const char *queue, const char *type)
{
    struct queue_info info;
    struct field field;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert(table_find(info.arguments, "x-queue-type", &field));
    ck_assert(bytes_equal_text(field.value.bytes, type));
}

START_TEST(names)
{
    enum queue_type type = QUEUE_STREAM;
    ck_assert(queue_type_read(bytes_of_text("classic"), &type) && type == QUEUE_CLASSIC);
    ck_assert(queue_type_read(bytes_of_text("rabbit_quorum_queue"), &type) && type == QUEUE_QUORUM);
    ck_assert(queue_type_read(bytes_of_text("stream"), &type) && type == QUEUE_STREAM);
    ck_assert(!queue_type_read(bytes_of_text("Quorum"), &type));
    ck_assert(!queue_type_read(bytes_of_text(""), &type));
    for (unsigned i = 0; i < QUEUE_TYPE_COUNT; i++)
        ck_assert(queue_type_read(bytes_of_text(queue_type_name(i)), &type) && type == i);
}
END_TEST

START_TEST(arguments_are_filled_once)
{
    struct text arguments = {0}, scratch = {0};
    struct field field;
    table_put_i32(&arguments, "x-max-length", 3);
    struct bytes filled = queue_type_fill(text_bytes(&arguments), QUEUE_QUORUM, &scratch);
    ck_assert(table_check(filled) == STATUS_OK);
    ck_assert(table_find(filled, "x-max-length", &field) && field.value.integer == 3);
    ck_assert(table_find(filled, "x-queue-type", &field));
    ck_assert(bytes_equal_text(field.value.bytes, "quorum"));
    struct bytes again = queue_type_fill(filled, QUEUE_CLASSIC, &arguments);
    ck_assert_ptr_eq(again.at, filled.at);
    text_free(&arguments);
    text_free(&scratch);
}
END_TEST

/* An exclusive, auto-delete or transient queue is classic, whatever the vhost's default type is. */
START_TEST(the_default_is_for_plain_durable_queues)
{
    set_default(QUEUE_QUORUM);
    declare("A1", "plain", "d", NULL);
    declare("A1", "transient", "", NULL);
    declare("A1", "exclusive", "x", NULL);
    declare("A1", "auto", "da", NULL);
    declare("A1", "said", "d", "classic");
    declare("A1", "empty", "d", "");
    harness_take(&h);
    has_type("plain", "quorum");
    has_type("transient", "classic");
    has_type("exclusive", "classic");
    has_type("auto", "classic");
    has_type("said", "classic");
    has_type("empty", "");
    declare("A1", "amq.gen-mine", "ds", NULL);
    expect(&h, "A1 fail declare PRECONDITION_FAILED Cannot declare a server-named queue for type "
               "rabbit_quorum_queue\n");
    declare("A2", "amq.gen-mine", "xs", NULL);
    has_type("amq.gen-mine", "classic");
}
END_TEST

START_TEST(what_is_said_equals_the_default)
{
    declare("A1", "c", "d", NULL);
    declare("A1", "c", "d", "classic");
    declare("A1", "q", "d", "quorum");
    set_default(QUEUE_QUORUM);
    declare("A1", "q", "d", NULL);
    declare("A1", "q", "d", "quorum");
    expect(&h, "A1 ok declare c 0 0\nA1 ok declare c 0 0\nA1 ok declare q 0 0\n"
               "A1 ok declare q 0 0\nA1 ok declare q 0 0\n");
    declare("A1", "c", "d", NULL);
    expect(&h, "A1 fail declare PRECONDITION_FAILED inequivalent arg 'x-queue-type' for queue 'c' "
               "in vhost '/': received 'quorum' but current is 'classic'\n");
    set_default(QUEUE_CLASSIC);
    declare("A2", "q", "d", NULL);
    expect(&h, "A2 fail declare PRECONDITION_FAILED inequivalent arg 'x-queue-type' for queue 'q' "
               "in vhost '/': received 'classic' but current is 'quorum'\n");
}
END_TEST

/* The type of a queue does not change with the default, also not at a restart with another default.
 */
START_TEST(it_stays_over_a_restart)
{
    set_default(QUEUE_QUORUM);
    declare("A1", "q", "d", NULL);
    declare("A1", "c", "d", "classic");
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
    has_type("q", "quorum");
    has_type("c", "classic");
    declare("A1", "c", "d", NULL);
    expect(&h, "A1 ok declare c 0 0\n");
}
END_TEST

/* Before the type was among the arguments, a queue that did not say it was classic. */
START_TEST(older_definitions_are_classic)
{
    struct text key = {0}, value = {0};
    const struct queue_definition old = {
        .name = BYTES_LITERAL("old"), .durable = true, .lane_id = 1000};
    definition_of_queue(&old, &key, &value);
    declare("A1", "other", "d", NULL); /* so that the ids of lanes are on record */
    journal_put(h.journal, text_bytes(&key), text_bytes(&value));
    text_free(&key);
    text_free(&value);
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
    has_type("old", "classic");
    declare("A1", "old", "d", NULL);
    declare("A1", "old", "d", "classic");
    expect(&h, "A1 ok declare old 0 0\nA1 ok declare old 0 0\n");
}
END_TEST

START_TEST(unknown_types_are_refused)
{
    declare("A1", "q", "d", "jms");
    expect(&h, "A1 fail declare PRECONDITION_FAILED invalid arg 'x-queue-type' for queue 'q' in "
               "vhost '/': \"unsupported queue type 'jms'\"\n");
    declare("A2", "q", "d", "stream");
    expect(&h, "A2 fail declare NOT_IMPLEMENTED queue type 'stream' of queue 'q'\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue_type");
    TCase *one = tcase_create("one");
    tcase_add_checked_fixture(one, setup, teardown);
    tcase_add_test(one, names);
    tcase_add_test(one, arguments_are_filled_once);
    tcase_add_test(one, the_default_is_for_plain_durable_queues);
    tcase_add_test(one, what_is_said_equals_the_default);
    tcase_add_test(one, it_stays_over_a_restart);
    tcase_add_test(one, older_definitions_are_classic);
    tcase_add_test(one, unknown_types_are_refused);
    suite_add_tcase(suite, one);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
