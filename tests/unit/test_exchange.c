/* Declaring, deleting, binding: what is refused and with which words, and what goes along. */
#include "topology_fixture.h"

static struct fixture f;

static void setup(void)
{
    fixture_open(&f);
}

static void teardown(void)
{
    fixture_close(&f);
}

#define REFUSED(expected_status, expected_text, call)                                              \
    do {                                                                                           \
        ck_assert_int_eq(call, expected_status);                                                   \
        ck_assert_str_eq(f.refusal.text, expected_text);                                           \
    } while (0)

static enum status declare_with(const char *name, const char *type, bool durable, bool auto_delete,
                                bool internal, struct bytes arguments)
{
    struct exchange_declaration d = {.name = bytes_of_text(name),
                                     .type = bytes_of_text(type),
                                     .arguments = arguments,
                                     .durable = durable,
                                     .auto_delete = auto_delete,
                                     .internal = internal};
    return topology_declare(f.topology, &d, NULL, &f.refusal);
}

static const struct bytes none = {0};

START_TEST(predeclared)
{
    static const char *const names[] = {"",          "amq.direct",  "amq.fanout",
                                        "amq.topic", "amq.headers", "amq.match"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct exchange *x = exchange_named(&f, names[i]);
        ck_assert_ptr_nonnull(x);
        ck_assert(x->durable && x->predeclared);
    }
    ck_assert_uint_eq(topology_exchange_count(f.topology), 6);
    ck_assert_uint_eq(f.exchanges_added, 0);
    ck_assert_int_eq(declare_with("amq.topic", "topic", true, false, false, none), STATUS_OK);
    ck_assert_int_eq(declare_with("amq.match", "headers", true, false, false, none), STATUS_OK);
}
END_TEST

START_TEST(declare_makes_once)
{
    uint64_t version = topology_version(f.topology);
    ck_assert_int_eq(declare(&f, "x", "direct"), STATUS_OK);
    ck_assert_uint_ne(topology_version(f.topology), version);
    version = topology_version(f.topology);
    ck_assert_int_eq(declare(&f, "x", "direct"), STATUS_OK);
    ck_assert_uint_eq(topology_version(f.topology), version);
    ck_assert_uint_eq(f.exchanges_added, 1);
}
END_TEST

START_TEST(declare_refuses)
{
    REFUSED(STATUS_PRECONDITION_FAILED, "unknown exchange type 'x-nothing'",
            declare(&f, "x", "x-nothing"));
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            declare(&f, "", "direct"));
    REFUSED(STATUS_ACCESS_REFUSED, "exchange name 'amq.mine' contains reserved prefix 'amq.*'",
            declare(&f, "amq.mine", "direct"));
    struct text arguments = {0};
    table_put_i32(&arguments, "alternate-exchange", 1);
    REFUSED(STATUS_PRECONDITION_FAILED,
            "invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in vhost '/'",
            declare_with("x", "direct", true, false, false, text_bytes(&arguments)));
    text_free(&arguments);
    ck_assert_uint_eq(f.exchanges_added, 0);
}
END_TEST

START_TEST(declare_compares)
{
    struct text ae = {0}, other = {0};
    table_put_string(&ae, "alternate-exchange", bytes_of_text("a"));
    table_put_string(&other, "alternate-exchange", bytes_of_text("b"));
    ck_assert_int_eq(declare_with("x", "direct", true, false, false, none), STATUS_OK);
    ck_assert_int_eq(declare_with("y", "direct", true, false, false, text_bytes(&ae)), STATUS_OK);
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'type' for exchange 'x' in vhost '/': received 'topic' but current "
            "is 'direct'",
            declare_with("x", "topic", true, false, false, none));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'false' but "
            "current is 'true'",
            declare_with("x", "direct", false, false, false, none));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'auto_delete' for exchange 'x' in vhost '/': received 'true' but "
            "current is 'false'",
            declare_with("x", "direct", true, true, false, none));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'internal' for exchange 'x' in vhost '/': received 'true' but "
            "current is 'false'",
            declare_with("x", "direct", true, false, true, none));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received the "
            "value 'a' of type 'longstr' but current is none",
            declare_with("x", "direct", true, false, false, text_bytes(&ae)));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'alternate-exchange' for exchange 'y' in vhost '/': received none "
            "but current is the value 'a' of type 'longstr'",
            declare_with("y", "direct", true, false, false, none));
    REFUSED(STATUS_PRECONDITION_FAILED,
            "inequivalent arg 'alternate-exchange' for exchange 'y' in vhost '/': received 'b' "
            "but current is 'a'",
            declare_with("y", "direct", true, false, false, text_bytes(&other)));
    text_free(&ae);
    text_free(&other);
}
END_TEST

START_TEST(passive)
{
    struct exchange_declaration d = {.name = bytes_of_text("x"), .passive = true};
    struct exchange *x;
    REFUSED(STATUS_NOT_FOUND, "no exchange 'x' in vhost '/'",
            topology_declare(f.topology, &d, &x, &f.refusal));
    ck_assert_int_eq(declare(&f, "x", "fanout"), STATUS_OK);
    ck_assert_int_eq(topology_declare(f.topology, &d, &x, &f.refusal), STATUS_OK);
    ck_assert_ptr_eq(x, exchange_named(&f, "x"));
    d.name = none;
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            topology_declare(f.topology, &d, &x, &f.refusal));
}
END_TEST

START_TEST(restore_knows_no_reserved_names)
{
    struct exchange_declaration d = {.name = bytes_of_text("amq.rabbitmq.trace"),
                                     .type = bytes_of_text("topic"),
                                     .durable = true};
    struct exchange *x = NULL;
    ck_assert_int_eq(topology_restore(f.topology, &d, &x, &f.refusal), STATUS_OK);
    ck_assert_ptr_eq(x, exchange_named(&f, "amq.rabbitmq.trace"));
}
END_TEST

static enum status delete_exchange(const char *name, bool if_unused)
{
    return topology_delete(f.topology, bytes_of_text(name), if_unused, &f.refusal);
}

START_TEST(delete_refuses)
{
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            delete_exchange("", false));
    REFUSED(STATUS_ACCESS_REFUSED,
            "deletion of system exchange 'amq.topic' in vhost '/' not allowed",
            delete_exchange("amq.topic", false));
    ck_assert_int_eq(delete_exchange("not-there", true), STATUS_OK);
    ck_assert_int_eq(declare(&f, "x", "direct"), STATUS_OK);
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "x", "q", "k"), STATUS_OK);
    REFUSED(STATUS_PRECONDITION_FAILED, "exchange 'x' in vhost '/' in use",
            delete_exchange("x", true));
    ck_assert_int_eq(delete_exchange("x", false), STATUS_OK);
    ck_assert_uint_eq(f.bindings_removed, 1);
    ck_assert_uint_eq(f.exchanges_removed, 1);
    ck_assert_ptr_null(exchange_named(&f, "x"));
    ck_assert_uint_eq(topology_binding_count(f.topology), 0);
}
END_TEST

START_TEST(bind_refuses)
{
    add_queue(&f, "q");
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            bind_queue(&f, "", "q", "k"));
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            bind_exchange(&f, "amq.direct", "", "k"));
    REFUSED(STATUS_NOT_FOUND, "no exchange 'x' in vhost '/'", bind_queue(&f, "x", "q", "k"));
    REFUSED(STATUS_NOT_FOUND, "no queue 'p' in vhost '/'", bind_queue(&f, "amq.direct", "p", "k"));
    REFUSED(STATUS_NOT_FOUND, "no exchange 'q' in vhost '/'",
            bind_exchange(&f, "amq.direct", "q", "k"));
    REFUSED(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange",
            unbind_queue(&f, "", "q", "k"));
    ck_assert_int_eq(unbind_queue(&f, "x", "q", "k"), STATUS_OK);
    ck_assert_int_eq(unbind_queue(&f, "amq.direct", "q", "k"), STATUS_OK);
}
END_TEST

START_TEST(binding_identity_is_all_of_it)
{
    struct text one = {0}, two = {0};
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "amq.direct", "q", "k");
    add_queue(&f, "q");
    table_put_i32(&one, "a", 1);
    table_put_i32(&one, "b", 2);
    table_put_i32(&two, "b", 2);
    table_put_i32(&two, "a", 1);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    ck_assert_uint_eq(f.bindings_added, 1);
    d.arguments = text_bytes(&one);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    d.arguments = text_bytes(&two); /* the same in another order */
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    ck_assert_uint_eq(f.bindings_added, 2);
    ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 1);
    /* A key with the arguments' bytes at its end is another binding. */
    ck_assert_int_eq(topology_unbind(f.topology, &d, &f.refusal), STATUS_OK);
    ck_assert_uint_eq(f.bindings_removed, 1);
    ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 1);
    ck_assert_int_eq(unbind_queue(&f, "amq.direct", "q", "k"), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 0);
    text_free(&one);
    text_free(&two);
}
END_TEST

START_TEST(identity_borders)
{
    /* Key "k" with arguments, and a key that continues with those arguments' bytes. */
    struct text arguments = {0}, key = {0};
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "amq.direct", "q", "k");
    add_queue(&f, "q");
    table_put_bool(&arguments, "a", true);
    text_add(&key, "k", 1);
    text_add_bytes(&key, text_bytes(&arguments));
    d.arguments = text_bytes(&arguments);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    d.arguments = none;
    d.routing_key = text_bytes(&key);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    ck_assert_uint_eq(topology_binding_count(f.topology), 2);
    text_free(&arguments);
    text_free(&key);
}
END_TEST

START_TEST(leaving_queue_takes_its_bindings)
{
    add_queue(&f, "q");
    add_queue(&f, "p");
    static const char *const exchanges[] = {"amq.direct", "amq.topic", "amq.fanout", "amq.match"};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(bind_queue(&f, exchanges[i], "q", "k"), STATUS_OK);
        ck_assert_int_eq(bind_queue(&f, exchanges[i], "p", "k"), STATUS_OK);
    }
    uint64_t version = topology_version(f.topology);
    drop_queue(&f, "q");
    ck_assert_uint_ne(topology_version(f.topology), version);
    ck_assert_uint_eq(f.bindings_removed, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(route_key(&f, exchanges[i], "k"), 1);
        ck_assert(reached(&f, "p"));
    }
    ck_assert_uint_eq(route_key(&f, "", "q"), 0);
    ck_assert_uint_eq(route_key(&f, "", "p"), 1);
}
END_TEST

START_TEST(auto_delete_goes_with_its_last_binding)
{
    add_queue(&f, "q");
    add_queue(&f, "p");
    ck_assert_int_eq(declare_with("x", "direct", false, true, false, none), STATUS_OK);
    ck_assert_int_eq(unbind_queue(&f, "x", "q", "k"), STATUS_OK);
    ck_assert_ptr_nonnull(exchange_named(&f, "x")); /* never had one */
    ck_assert_int_eq(bind_queue(&f, "x", "q", "k"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "x", "p", "k"), STATUS_OK);
    drop_queue(&f, "q");
    ck_assert_ptr_nonnull(exchange_named(&f, "x"));
    ck_assert_int_eq(unbind_queue(&f, "x", "p", "k"), STATUS_OK);
    ck_assert_ptr_null(exchange_named(&f, "x"));
    ck_assert_uint_eq(f.exchanges_removed, 1);
}
END_TEST

START_TEST(auto_delete_cascades_without_recursion)
{
    enum { LENGTH = 50000 };
    char name[2][16];
    add_queue(&f, "q");
    for (unsigned i = 0; i < LENGTH; i++) {
        snprintf(name[i % 2], sizeof name[0], "x%u", i);
        ck_assert_int_eq(declare_with(name[i % 2], "fanout", false, true, false, none), STATUS_OK);
        if (i)
            ck_assert_int_eq(bind_exchange(&f, name[i % 2], name[(i + 1) % 2], ""), STATUS_OK);
        else
            ck_assert_int_eq(bind_queue(&f, "x0", "q", ""), STATUS_OK);
    }
    snprintf(name[0], sizeof name[0], "x%u", LENGTH - 1);
    ck_assert_uint_eq(route_key(&f, name[0], ""), 1);
    drop_queue(&f, "q");
    ck_assert_uint_eq(topology_exchange_count(f.topology), 6);
    ck_assert_uint_eq(topology_binding_count(f.topology), 0);
    ck_assert_uint_eq(f.exchanges_removed, LENGTH);
    ck_assert_uint_eq(f.bindings_removed, LENGTH);
}
END_TEST

START_TEST(auto_delete_cycle)
{
    ck_assert_int_eq(declare_with("a", "fanout", false, true, false, none), STATUS_OK);
    ck_assert_int_eq(declare_with("b", "fanout", false, true, false, none), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "a", "b", ""), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "b", "a", ""), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "a", "a", ""), STATUS_OK);
    ck_assert_int_eq(delete_exchange("a", false), STATUS_OK);
    ck_assert_ptr_null(exchange_named(&f, "b"));
    ck_assert_uint_eq(f.bindings_removed, 3);
    ck_assert_uint_eq(f.exchanges_removed, 2);
}
END_TEST

START_TEST(internal_is_for_exchanges)
{
    ck_assert_int_eq(declare_with("x", "direct", false, false, true, none), STATUS_OK);
    REFUSED(STATUS_ACCESS_REFUSED, "cannot publish to internal exchange 'x' in vhost '/'",
            topology_check_publish(f.topology, exchange_named(&f, "x"), &f.refusal));
    ck_assert_int_eq(topology_check_publish(f.topology, exchange_named(&f, ""), &f.refusal),
                     STATUS_OK);
}
END_TEST

START_TEST(listing_in_slices)
{
    enum { BINDINGS = 1000, SLICE = 7 };
    char key[16];
    const struct binding *slice[SLICE];
    add_queue(&f, "q");
    for (unsigned i = 0; i < BINDINGS; i++) {
        snprintf(key, sizeof key, "%u", i);
        ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", key), STATUS_OK);
    }
    uint64_t after = 0;
    size_t n, told = 0;
    unsigned removed = 0;
    while ((n = topology_list_bindings(f.topology, &after, slice, SLICE))) {
        told += n;
        /* What goes meanwhile, before and behind the place, changes nothing for the rest. */
        snprintf(key, sizeof key, "%u", removed++);
        ck_assert_int_eq(unbind_queue(&f, "amq.topic", "q", key), STATUS_OK);
        if (removed < 20)
            ck_assert_int_eq(bind_queue(&f, "amq.direct", "q", key), STATUS_OK);
    }
    ck_assert_uint_eq(told, BINDINGS + 19);
    const struct exchange *exchanges[10];
    after = 0;
    ck_assert_uint_eq(topology_list_exchanges(f.topology, &after, exchanges, 10), 6);
    ck_assert_uint_eq(exchanges[0]->endpoint.name.len, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exchange");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, predeclared);
    tcase_add_test(tc, declare_makes_once);
    tcase_add_test(tc, declare_refuses);
    tcase_add_test(tc, declare_compares);
    tcase_add_test(tc, passive);
    tcase_add_test(tc, restore_knows_no_reserved_names);
    tcase_add_test(tc, delete_refuses);
    tcase_add_test(tc, bind_refuses);
    tcase_add_test(tc, binding_identity_is_all_of_it);
    tcase_add_test(tc, identity_borders);
    tcase_add_test(tc, leaving_queue_takes_its_bindings);
    tcase_add_test(tc, auto_delete_goes_with_its_last_binding);
    tcase_add_test(tc, auto_delete_cascades_without_recursion);
    tcase_add_test(tc, auto_delete_cycle);
    tcase_add_test(tc, internal_is_for_exchanges);
    tcase_add_test(tc, listing_in_slices);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
