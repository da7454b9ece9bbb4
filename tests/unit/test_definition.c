/* Definitions: what is written reads back the same; what is cut or bent is refused. */
#include "broker/store/definition.h"
#include "leveret/base/random.h"
#include "topology_fixture.h"

static struct fixture f;
static struct text key, value;

static void setup(void)
{
    fixture_open(&f);
    add_queue(&f, "q");
}

static void teardown(void)
{
    fixture_close(&f);
    text_free(&key);
    text_free(&value);
}

/* A table of about this many bytes. */
static void fill_table(struct text *out, size_t bytes, char letter)
{
    char filler[1000];
    memset(filler, letter, sizeof filler);
    table_put_string(out, "s", bytes_of(filler, bytes));
    table_put_i32(out, "z", 5);
}

START_TEST(exchange_round_trip)
{
    struct text arguments = {0};
    table_put_string(&arguments, "alternate-exchange", bytes_of_text("amq.fanout"));
    for (unsigned bits = 0; bits < 8; bits++) {
        char name[8];
        snprintf(name, sizeof name, "x%u", bits);
        struct exchange_declaration d = {.name = bytes_of_text(name),
                                         .type = bytes_of_text("topic"),
                                         .arguments = text_bytes(&arguments),
                                         .durable = bits & 1,
                                         .auto_delete = bits & 2,
                                         .internal = bits & 4};
        struct exchange_declaration back;
        struct exchange *x;
        ck_assert_int_eq(topology_declare(f.topology, &d, &x, &f.refusal), STATUS_OK);
        definition_of_exchange(x, &key, &value);
        ck_assert_int_eq(key.at[0], DEFINITION_EXCHANGE);
        ck_assert_int_eq(definition_read_exchange(text_bytes(&key), text_bytes(&value), &back),
                         STATUS_OK);
        ck_assert(bytes_equal(back.name, d.name) && bytes_equal(back.type, d.type));
        ck_assert(bytes_equal(back.arguments, d.arguments));
        ck_assert_int_eq(back.durable, d.durable);
        ck_assert_int_eq(back.auto_delete, d.auto_delete);
        ck_assert_int_eq(back.internal, d.internal);
        ck_assert(!back.passive);
        struct text only_key = {0};
        definition_of_exchange(x, &only_key, NULL);
        ck_assert(bytes_equal(text_bytes(&key), text_bytes(&only_key)));
        text_free(&only_key);
    }
    text_free(&arguments);
}
END_TEST

START_TEST(queue_round_trip)
{
    struct text arguments = {0};
    fill_table(&arguments, 400, 'q');
    for (unsigned bits = 0; bits < 16; bits++) {
        struct queue_definition d = {.name = bytes_of_text("some queue"),
                                     .arguments = text_bytes(&arguments),
                                     .durable = bits & 1,
                                     .auto_delete = bits & 2,
                                     .exclusive = bits & 4,
                                     .lane_id = UINT64_MAX - bits,
                                     .priorities_id = bits & 8 ? bits << 20 : 0};
        struct queue_definition back;
        definition_of_queue(&d, &key, &value);
        ck_assert_int_eq(key.at[0], DEFINITION_QUEUE);
        ck_assert_int_eq(definition_read_queue(text_bytes(&key), text_bytes(&value), &back),
                         STATUS_OK);
        ck_assert(bytes_equal(back.name, d.name) && bytes_equal(back.arguments, d.arguments));
        ck_assert_int_eq(back.durable, d.durable);
        ck_assert_int_eq(back.auto_delete, d.auto_delete);
        ck_assert_int_eq(back.exclusive, d.exclusive);
        ck_assert_uint_eq(back.lane_id, d.lane_id);
        ck_assert_uint_eq(back.priorities_id, d.priorities_id);
    }
    text_free(&arguments);
}
END_TEST

static const struct binding *bind_with(struct bytes arguments, const char *routing_key)
{
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "amq.headers", "q", routing_key);
    d.arguments = arguments;
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    const struct binding *b = NULL;
    uint64_t after = topology_binding_count(f.topology) - 1;
    ck_assert_uint_eq(topology_list_bindings(f.topology, &after, &b, 1), 1);
    return b;
}

START_TEST(binding_round_trip)
{
    static const size_t sizes[] = {1, 150, 180, 190, 200, 900};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct text arguments = {0};
        struct binding_declaration back;
        fill_table(&arguments, sizes[i], 'b');
        const struct binding *b = bind_with(text_bytes(&arguments), "the key");
        definition_of_binding(b, &key, &value);
        ck_assert_int_eq(key.at[0], DEFINITION_BINDING);
        ck_assert_uint_le(key.len, 1024);
        ck_assert_int_eq(definition_read_binding(text_bytes(&key), text_bytes(&value), &back),
                         STATUS_OK);
        ck_assert(bytes_equal_text(back.source, "amq.headers"));
        ck_assert(bytes_equal_text(back.destination, "q"));
        ck_assert(bytes_equal_text(back.routing_key, "the key"));
        ck_assert(bytes_equal(back.arguments, text_bytes(&arguments)));
        ck_assert_int_eq(back.kind, ENDPOINT_QUEUE);
        text_free(&arguments);
    }
}
END_TEST

START_TEST(binding_keys_differ)
{
    /* Two bindings that differ only in long arguments have keys of their own. */
    struct text one = {0}, two = {0}, other_key = {0};
    fill_table(&one, 900, 'a');
    fill_table(&two, 900, 'b');
    definition_of_binding(bind_with(text_bytes(&one), "k"), &key, NULL);
    definition_of_binding(bind_with(text_bytes(&two), "k"), &other_key, NULL);
    ck_assert(!bytes_equal(text_bytes(&key), text_bytes(&other_key)));
    text_free(&one);
    text_free(&two);
    text_free(&other_key);
}
END_TEST

START_TEST(longest_key_fits)
{
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    ck_assert_int_eq(declare(&f, longest, "fanout"), STATUS_OK);
    struct text arguments = {0};
    fill_table(&arguments, 180, 'l');
    struct binding_declaration d = binding_to(ENDPOINT_EXCHANGE, longest, longest, longest), back;
    d.arguments = text_bytes(&arguments);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    const struct binding *b = NULL;
    uint64_t after = 0;
    ck_assert_uint_eq(topology_list_bindings(f.topology, &after, &b, 1), 1);
    definition_of_binding(b, &key, &value);
    ck_assert_uint_le(key.len, 1024);
    ck_assert_int_eq(definition_read_binding(text_bytes(&key), text_bytes(&value), &back),
                     STATUS_OK);
    ck_assert_int_eq(back.kind, ENDPOINT_EXCHANGE);
    ck_assert(bytes_equal_text(back.routing_key, longest));
    text_free(&arguments);
}
END_TEST

/* Reads a definition of any kind; the views are touched so that a sanitizer sees where
 * they point. */
static enum status read_any(struct bytes k, struct bytes v)
{
    struct exchange_declaration x;
    struct queue_definition q;
    struct binding_declaration b;
    struct policy_definition p;
    enum status status = definition_read_exchange(k, v, &x);
    if (status == STATUS_OK)
        (void)map_hash(x.name), (void)map_hash(x.type), (void)map_hash(x.arguments);
    if (status == STATUS_CORRUPT && k.len && k.at[0] == DEFINITION_QUEUE) {
        status = definition_read_queue(k, v, &q);
        if (status == STATUS_OK)
            (void)map_hash(q.name), (void)map_hash(q.arguments);
    }
    if (status == STATUS_CORRUPT && k.len && k.at[0] == DEFINITION_BINDING) {
        status = definition_read_binding(k, v, &b);
        if (status == STATUS_OK)
            (void)map_hash(b.source), (void)map_hash(b.destination), (void)map_hash(b.routing_key),
                (void)map_hash(b.arguments);
    }
    if (status == STATUS_CORRUPT && k.len &&
        (k.at[0] == DEFINITION_POLICY || k.at[0] == DEFINITION_OPERATOR_POLICY)) {
        status = definition_read_policy(k, v, &p);
        if (status == STATUS_OK)
            (void)map_hash(p.name), (void)map_hash(p.pattern), (void)map_hash(p.definition);
    }
    return status;
}

/* Every shorter value is refused, and every version but ours; bytes at random are refused or read,
 * within bounds. The copies are on the heap, exactly as long as they say. */
static void abuse(uint64_t seed)
{
    struct random_stream random = {seed};
    ck_assert_int_eq(read_any(text_bytes(&key), text_bytes(&value)), STATUS_OK);
    for (size_t len = 0; len < value.len; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, value.at, len);
        cut = realloc(cut, len ? len : 1);
        ck_assert_int_eq(read_any(text_bytes(&key), bytes_of(cut, len)), STATUS_CORRUPT);
        free(cut);
    }
    value.at[0]++;
    ck_assert_int_eq(read_any(text_bytes(&key), text_bytes(&value)), STATUS_VERSION);
    value.at[0]--;
    for (unsigned i = 0; i < 5000; i++) {
        size_t cut = random_next(&random) % 4 ? 0 : random_next(&random) % key.len;
        struct bytes k = {malloc(key.len - cut), key.len - cut}, v = {malloc(value.len), value.len};
        memcpy((void *)(uintptr_t)k.at, key.at, k.len);
        memcpy((void *)(uintptr_t)v.at, value.at, v.len);
        for (unsigned flips = 0; flips < 3; flips++) {
            ((uint8_t *)(uintptr_t)v.at)[random_next(&random) % v.len] ^=
                (uint8_t)random_next(&random);
            if (flips == 2)
                ((uint8_t *)(uintptr_t)k.at)[random_next(&random) % k.len] ^=
                    (uint8_t)random_next(&random);
            (void)read_any(k, v);
        }
        free((void *)(uintptr_t)k.at);
        free((void *)(uintptr_t)v.at);
    }
    ck_assert_int_eq(read_any((struct bytes){0}, text_bytes(&value)), STATUS_CORRUPT);
}

START_TEST(policy_round_trip)
{
    struct text definition = {0};
    fill_table(&definition, 400, 'p');
    for (unsigned i = 0; i < 12; i++) {
        struct policy_definition d = {.operator_policy = i % 2,
                                      .name = bytes_of_text("some policy"),
                                      .pattern = bytes_of_text("^a.*b$"),
                                      .definition = text_bytes(&definition),
                                      .priority = (int64_t)i * 7 - 30,
                                      .target = (enum policy_target)(i / 2)};
        struct policy_definition back;
        definition_of_policy(&d, &key, &value);
        ck_assert_int_eq(key.at[0], i % 2 ? DEFINITION_OPERATOR_POLICY : DEFINITION_POLICY);
        ck_assert_int_eq(definition_read_policy(text_bytes(&key), text_bytes(&value), &back),
                         STATUS_OK);
        ck_assert(bytes_equal(back.name, d.name) && bytes_equal(back.pattern, d.pattern));
        ck_assert(bytes_equal(back.definition, d.definition));
        ck_assert_int_eq(back.priority, d.priority);
        ck_assert_int_eq(back.target, d.target);
        ck_assert_int_eq(back.operator_policy, d.operator_policy);
    }
    text_free(&definition);
}
END_TEST

START_TEST(delay_round_trip)
{
    struct delay_definition d = {.exchange = bytes_of_text("x"),
                                 .span_ms = 3600000,
                                 .start_ms = 1700000000000,
                                 .lane_id = UINT64_MAX - 5};
    struct delay_definition back;
    definition_of_delay(&d, &key, &value);
    ck_assert_int_eq(key.at[0], DEFINITION_DELAY);
    ck_assert_int_eq(definition_read_delay(text_bytes(&key), text_bytes(&value), &back), STATUS_OK);
    ck_assert(bytes_equal(back.exchange, d.exchange));
    ck_assert_uint_eq(back.span_ms, d.span_ms);
    ck_assert_uint_eq(back.start_ms, d.start_ms);
    ck_assert_uint_eq(back.lane_id, d.lane_id);
    for (size_t len = 0; len < value.len; len++) /* cut short, and too long */
        ck_assert_int_eq(definition_read_delay(text_bytes(&key), bytes_of(value.at, len), &back),
                         STATUS_CORRUPT);
    for (size_t len = 0; len < 13; len++)
        ck_assert_int_eq(definition_read_delay(bytes_of(key.at, len), text_bytes(&value), &back),
                         STATUS_CORRUPT);
    text_add(&value, "", 1);
    ck_assert_int_eq(definition_read_delay(text_bytes(&key), text_bytes(&value), &back),
                     STATUS_CORRUPT);
}
END_TEST

START_TEST(hostile)
{
    struct text arguments = {0};
    fill_table(&arguments, 100, 'h');
    ck_assert_int_eq(declare(&f, "x", "headers"), STATUS_OK);
    definition_of_exchange(exchange_named(&f, "x"), &key, &value);
    abuse(1);
    struct queue_definition q = {
        .name = bytes_of_text("q"), .arguments = text_bytes(&arguments), .lane_id = 3};
    definition_of_queue(&q, &key, &value);
    abuse(2);
    definition_of_binding(bind_with(text_bytes(&arguments), "key"), &key, &value);
    abuse(3);
    struct policy_definition policy = {.name = bytes_of_text("p"),
                                       .pattern = bytes_of_text("^q"),
                                       .definition = text_bytes(&arguments)};
    struct text binding_key = {0}, binding_value = {0};
    text_add_bytes(&binding_key, text_bytes(&key));
    text_add_bytes(&binding_value, text_bytes(&value));
    definition_of_policy(&policy, &key, &value);
    abuse(4);
    key.len = value.len = 0;
    text_add_bytes(&key, text_bytes(&binding_key));
    text_add_bytes(&value, text_bytes(&binding_value));
    text_free(&binding_key);
    text_free(&binding_value);
    /* A tail that does not belong to the arguments. */
    key.at[key.len - 1] ^= 1;
    struct binding_declaration back;
    ck_assert_int_eq(definition_read_binding(text_bytes(&key), text_bytes(&value), &back),
                     STATUS_CORRUPT);
    text_free(&arguments);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("definition");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, exchange_round_trip);
    tcase_add_test(tc, queue_round_trip);
    tcase_add_test(tc, binding_round_trip);
    tcase_add_test(tc, binding_keys_differ);
    tcase_add_test(tc, longest_key_fits);
    tcase_add_test(tc, policy_round_trip);
    tcase_add_test(tc, delay_round_trip);
    tcase_add_test(tc, hostile);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
