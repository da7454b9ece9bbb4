/* Headers exchanges: known cases, random ones against a matcher that looks at every
 * binding, work. */
#include "leveret/base/random.h"
#include "topology_fixture.h"

static struct fixture f;

static void setup(void)
{
    fixture_open(&f);
    ck_assert_int_eq(declare(&f, "h", "headers"), STATUS_OK);
}

static void teardown(void)
{
    fixture_close(&f);
}

static struct field integer(enum field_type type, int64_t value)
{
    struct field v = {.type = type, .value.integer = value};
    return v;
}

static struct field string(const char *value)
{
    struct field v = {.type = FIELD_STRING, .value.bytes = bytes_of_text(value)};
    return v;
}

static struct field real(enum field_type type, double value)
{
    struct field v = {.type = type, .value.real = value};
    return v;
}

static struct field timestamp(uint64_t seconds)
{
    struct field v = {.type = FIELD_TIMESTAMP, .value.timestamp = seconds};
    return v;
}

static struct field nothing(void)
{
    struct field v = {.type = FIELD_VOID};
    return v;
}

static void put(struct text *table, const char *key, struct field value)
{
    table_put_field(table, bytes_of_text(key), &value);
}

static enum status bind_table(const char *queue, const struct text *arguments)
{
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "h", queue, "");
    d.arguments = text_bytes(arguments);
    return topology_bind(f.topology, &d, &f.refusal);
}

static enum status unbind_table(const char *queue, const struct text *arguments)
{
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "h", queue, "");
    d.arguments = text_bytes(arguments);
    return topology_unbind(f.topology, &d, &f.refusal);
}

static size_t route_table(const struct text *headers)
{
    struct message *m = message_with(text_bytes(headers));
    route_message(f.topology, exchange_named(&f, "h"), m, &f.result);
    message_unref(&m);
    return f.result.count;
}

/* Binds q by these arguments, routes those headers, unbinds; both tables are used up. */
static bool fits(struct text *arguments, struct text *headers)
{
    ck_assert_int_eq(bind_table("q", arguments), STATUS_OK);
    bool fit = route_table(headers) == 1;
    ck_assert_int_eq(unbind_table("q", arguments), STATUS_OK);
    ck_assert_uint_eq(route_table(headers), 0);
    text_free(arguments);
    text_free(headers);
    return fit;
}

START_TEST(all_and_any)
{
    static const struct {
        const char *match; /* NULL: none given */
        const char *header;
        bool fit;
    } cases[] = {{"all", "ab", true},         {"all", "a", false},  {NULL, "ab", true},
                 {NULL, "b", false},          {"any", "a", true},   {"any", "b", true},
                 {"any", "", false},          {"any", "ab", true},  {"all-with-x", "ab", false},
                 {"all-with-x", "abx", true}, {"all", "abx", true}, {"any", "x", false},
                 {"any-with-x", "x", true}};
    add_queue(&f, "q");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text arguments = {0}, headers = {0};
        put(&arguments, "a", integer(FIELD_I32, 1));
        if (cases[i].match)
            put(&arguments, "x-match", string(cases[i].match));
        put(&arguments, "b", string("two"));
        put(&arguments, "x-extra", integer(FIELD_BOOL, 1));
        if (strchr(cases[i].header, 'x'))
            put(&headers, "x-extra", integer(FIELD_BOOL, 1));
        if (strchr(cases[i].header, 'b'))
            put(&headers, "b", string("two"));
        put(&headers, "other", string("two"));
        if (strchr(cases[i].header, 'a'))
            put(&headers, "a", integer(FIELD_I64, 1));
        ck_assert_msg(fits(&arguments, &headers) == cases[i].fit, "x-match %s, headers %s",
                      cases[i].match ? cases[i].match : "(none)", cases[i].header);
    }
}
END_TEST

START_TEST(empty_patterns)
{
    add_queue(&f, "q");
    struct text arguments = {0}, headers = {0};
    ck_assert(fits(&arguments, &headers)); /* all of nothing */
    put(&headers, "a", string("b"));
    ck_assert(fits(&arguments, &headers));
    put(&arguments, "x-match", string("any"));
    put(&headers, "a", string("b"));
    ck_assert(!fits(&arguments, &headers)); /* any of nothing */
    /* A message without any headers property. */
    put(&arguments, "a", nothing());
    ck_assert_int_eq(bind_table("q", &arguments), STATUS_OK);
    struct message *m =
        message_new(bytes_of_text("h"), (struct bytes){0}, BYTES_LITERAL("\0\0"), 0);
    route_message(f.topology, exchange_named(&f, "h"), m, &f.result);
    ck_assert_uint_eq(f.result.count, 0);
    ck_assert(!f.result.by_key);
    message_unref(&m);
    text_free(&arguments);
}
END_TEST

START_TEST(values)
{
    const struct {
        struct field wanted, given;
        bool fit;
    } cases[] = {
        {integer(FIELD_I8, 7), integer(FIELD_U32, 7), true},
        {integer(FIELD_I8, -7), integer(FIELD_I64, -7), true},
        {integer(FIELD_I32, 1), integer(FIELD_BOOL, 1), false},
        {integer(FIELD_I32, 1), real(FIELD_DOUBLE, 1.0), true},
        {integer(FIELD_I64, -3), real(FIELD_FLOAT, -3.0), true},
        {integer(FIELD_I32, 1), real(FIELD_DOUBLE, 1.5), false},
        {integer(FIELD_I32, 0), real(FIELD_DOUBLE, 0.25), false},
        {integer(FIELD_I64, INT64_MAX), real(FIELD_DOUBLE, 9223372036854775807.0), false},
        {real(FIELD_FLOAT, 0.5), real(FIELD_DOUBLE, 0.5), true},
        {real(FIELD_DOUBLE, 0.0), real(FIELD_DOUBLE, -0.0), true},
        {timestamp(7), integer(FIELD_I32, 7), true},
        {timestamp(7), timestamp(8), false},
        {string("7"), integer(FIELD_I32, 7), false},
        {string("a"), string("a"), true},
        {string("a"), string("A"), false},
        {string(""), string(""), true},
        {nothing(), string("a"), true},
        {nothing(), nothing(), true},
        {string("a"), nothing(), false},
    };
    add_queue(&f, "q");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned any = 0; any < 2; any++) {
            struct text arguments = {0}, headers = {0};
            put(&arguments, "k", cases[i].wanted);
            put(&arguments, "x-match", string(any ? "any" : "all"));
            put(&headers, "k", cases[i].given);
            ck_assert_msg(fits(&arguments, &headers) == cases[i].fit, "case %zu", i);
        }
    }
}
END_TEST

START_TEST(tables_and_arrays)
{
    add_queue(&f, "q");
    struct text arguments = {0}, headers = {0};
    for (unsigned same = 0; same < 2; same++) {
        size_t begin = table_begin(&arguments, "t");
        table_put_i32(&arguments, "a", 1);
        table_put_i32(&arguments, "b", 2);
        table_end(&arguments, begin);
        begin = table_begin(&headers, "t");
        table_put_i64(&headers, "b", 2);
        table_put_i32(&headers, "a", same ? 1 : 3);
        table_end(&headers, begin);
        ck_assert_int_eq(fits(&arguments, &headers), same);
    }
}
END_TEST

START_TEST(repeated_keys)
{
    add_queue(&f, "q");
    struct text arguments = {0}, headers = {0};
    /* In a message the first counts. */
    put(&arguments, "k", integer(FIELD_I32, 1));
    put(&headers, "k", integer(FIELD_I32, 1));
    put(&headers, "k", integer(FIELD_I32, 2));
    ck_assert(fits(&arguments, &headers));
    put(&arguments, "k", integer(FIELD_I32, 2));
    put(&headers, "k", integer(FIELD_I32, 1));
    put(&headers, "k", integer(FIELD_I32, 2));
    ck_assert(!fits(&arguments, &headers));
    /* In a pattern a repetition says nothing, presence beside a value neither, two values never
     * fit. */
    put(&arguments, "k", nothing());
    put(&arguments, "k", integer(FIELD_I32, 1));
    put(&arguments, "k", integer(FIELD_I8, 1));
    put(&headers, "k", integer(FIELD_I32, 1));
    ck_assert(fits(&arguments, &headers));
    put(&arguments, "k", integer(FIELD_I32, 1));
    put(&arguments, "k", integer(FIELD_I32, 2));
    put(&headers, "k", integer(FIELD_I32, 1));
    ck_assert(!fits(&arguments, &headers));
    put(&arguments, "x-match", string("any"));
    put(&arguments, "k", integer(FIELD_I32, 1));
    put(&arguments, "k", nothing());
    put(&headers, "k", integer(FIELD_I32, 3));
    ck_assert(fits(&arguments, &headers));
}
END_TEST

START_TEST(match_is_validated)
{
    add_queue(&f, "q");
    struct text arguments = {0};
    put(&arguments, "x-match", string("some"));
    ck_assert_int_eq(bind_table("q", &arguments), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(f.refusal.text, "Invalid x-match field value <<\"some\">>; expected all, any, "
                                     "all-with-x, or any-with-x");
    text_free(&arguments);
    put(&arguments, "x-match", integer(FIELD_I32, 1));
    ck_assert_int_eq(bind_table("q", &arguments), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(f.refusal.text,
                     "Invalid x-match field type signedint (value 1); expected longstr");
    text_free(&arguments);
    ck_assert_uint_eq(topology_binding_count(f.topology), 0);
}
END_TEST

/* ---- Random cases */

struct pattern {
    bool bound, any, with_x;
    struct text arguments;
};

static uint64_t seed_of_run(void)
{
    const char *text = getenv("LEVERET_TEST_SEED");
    uint64_t seed;
    if (text)
        return strtoull(text, NULL, 0);
    random_bytes(&seed, sizeof seed);
    return seed;
}

static const char *const keys[] = {"a", "b", "c", "d", "x-a", "x-b"};

static struct field random_value(struct random_stream *random)
{
    static const enum field_type widths[] = {FIELD_I8, FIELD_I32, FIELD_I64};
    switch (random_next(random) % 5) {
    case 0:
        return nothing();
    case 4: {
        struct field octets = string(random_next(random) % 2 ? "one" : "two");
        octets.type = FIELD_BYTES;
        return octets;
    }
    case 1:
        return string(random_next(random) % 2 ? "one" : "two");
    default:
        return integer(widths[random_next(random) % 3], (int64_t)(random_next(random) % 2));
    }
}

static void random_table(struct random_stream *random, unsigned fields_max, struct text *out)
{
    unsigned count = (unsigned)(random_next(random) % (fields_max + 1));
    for (unsigned i = 0; i < count; i++)
        put(out, keys[random_next(random) % 6], random_value(random));
}

static bool naive_equal(const struct field *wanted, const struct field *given)
{
    bool octets = (wanted->type == FIELD_STRING || wanted->type == FIELD_BYTES) &&
                  (given->type == FIELD_STRING || given->type == FIELD_BYTES);
    return octets ? bytes_equal(wanted->value.bytes, given->value.bytes)
                  : field_equal(wanted, given);
}

static bool naive_fit(const struct pattern *pattern, struct bytes headers)
{
    struct reader r = reader_of(text_bytes(&pattern->arguments));
    struct bytes key;
    struct field wanted, given;
    bool all = true, any = false;
    while (table_next(&r, &key, &wanted)) {
        if (bytes_equal_text(key, "x-match") || (!pattern->with_x && bytes_start_with(key, "x-")))
            continue;
        bool fit = table_find_bytes(headers, key, &given) &&
                   (wanted.type == FIELD_VOID || naive_equal(&wanted, &given));
        all = all && fit;
        any = any || fit;
    }
    return pattern->any ? any : all;
}

static void rebind(struct random_stream *random, struct pattern *p, const char *name)
{
    static const char *const matches[] = {"all", "any", "all-with-x", "any-with-x"};
    if (p->bound) {
        ck_assert_int_eq(unbind_table(name, &p->arguments), STATUS_OK);
        text_free(&p->arguments);
    } else {
        uint64_t match = random_next(random) % 4;
        p->any = match & 1;
        p->with_x = match >> 1;
        random_table(random, 4, &p->arguments);
        put(&p->arguments, "x-match", string(matches[match]));
        ck_assert_int_eq(bind_table(name, &p->arguments), STATUS_OK);
    }
    p->bound = !p->bound;
}

START_TEST(random_bindings)
{
    enum { QUEUES = 40, ROUNDS = 600, MESSAGES = 6 };
    static struct pattern patterns[QUEUES];
    uint64_t seed = seed_of_run();
    struct random_stream random = {seed};
    char name[16];

    for (unsigned q = 0; q < QUEUES; q++) {
        snprintf(name, sizeof name, "q%u", q);
        add_queue(&f, name);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned q = (unsigned)(random_next(&random) % QUEUES);
        snprintf(name, sizeof name, "q%u", q);
        rebind(&random, &patterns[q], name);
        for (unsigned i = 0; i < MESSAGES; i++) {
            struct text headers = {0};
            random_table(&random, 40, &headers);
            if (random_next(&random) % 2) {
                text_free(&headers);
                random_table(&random, 6, &headers);
            }
            route_table(&headers);
            for (q = 0; q < QUEUES; q++) {
                snprintf(name, sizeof name, "q%u", q);
                bool expected = patterns[q].bound && naive_fit(&patterns[q], text_bytes(&headers));
                ck_assert_msg(reached(&f, name) == expected, "LEVERET_TEST_SEED=%llu, round %u",
                              (unsigned long long)seed, round);
            }
            text_free(&headers);
        }
    }
    for (unsigned q = 0; q < QUEUES; q++)
        text_free(&patterns[q].arguments);
}
END_TEST

/* ---- Work */

/* What a route looks at with a number of bindings that do not match: each shares the type with the
 * message and differs in its id. */
static uint64_t work_with(int others, const char *match)
{
    struct text headers = {0};
    fixture_close(&f);
    fixture_open(&f);
    ck_assert_int_eq(declare(&f, "h", "headers"), STATUS_OK);
    add_queue(&f, "q");
    for (int i = -1; i < others; i++) {
        struct text arguments = {0};
        if (bytes_start_with(bytes_of_text(match), "all"))
            put(&arguments, "type", string("order"));
        put(&arguments, "id", integer(FIELD_I32, i));
        put(&arguments, "x-match", string(match));
        ck_assert_int_eq(bind_table("q", &arguments), STATUS_OK);
        text_free(&arguments);
    }
    put(&headers, "id", integer(FIELD_I64, -1));
    put(&headers, "type", string("order"));
    put(&headers, "more", string("order"));
    ck_assert_uint_eq(route_table(&headers), 1);
    text_free(&headers);
    return f.result.work;
}

START_TEST(work_does_not_grow)
{
    ck_assert_uint_eq(work_with(10, "all"), work_with(20000, "all"));
    ck_assert_uint_eq(work_with(10, "any"), work_with(20000, "any"));
}
END_TEST

START_TEST(many_headers_stay_cheap)
{
    /* A route looks at no more than there is to look at, whatever the message brings. */
    struct text headers = {0};
    char key[16];
    add_queue(&f, "q");
    for (int i = 0; i < 50; i++) {
        struct text arguments = {0};
        for (int j = i; j < 50; j++) {
            snprintf(key, sizeof key, "k%d", j);
            put(&arguments, key, nothing());
        }
        ck_assert_int_eq(bind_table("q", &arguments), STATUS_OK);
        text_free(&arguments);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(&headers, key, integer(FIELD_I32, i));
    }
    ck_assert_uint_eq(route_table(&headers), 1);
    ck_assert_uint_lt(f.result.work, 4 * 50 * 50);
    text_free(&headers);
}
END_TEST

/* Bindings that ask the same and lead to the same queue are looked at once; and what they ask is
 * compared once, however many pairs that are. */
START_TEST(the_same_is_compared_once)
{
    struct text arguments = {0}, headers = {0};
    char key[16];
    add_queue(&f, "q");
    add_queue(&f, "r");
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(&arguments, key, integer(FIELD_I32, i));
        put(&headers, key, integer(FIELD_I32, i));
    }
    if (_i)
        put(&arguments, "x-match", string("any"));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "h", i % 2 ? "q" : "r", key);
        d.arguments = text_bytes(&arguments);
        ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    }
    ck_assert_uint_eq(route_table(&headers), 2);
    ck_assert_uint_le(f.result.work, 200 * 5 + 2);
    for (int i = 0; i < 1000; i++) {
        ck_assert_uint_eq(route_table(&headers), i == 999 ? 1 : 2);
        snprintf(key, sizeof key, "%d", i);
        struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "h", i % 2 ? "q" : "r", key);
        d.arguments = text_bytes(&arguments);
        ck_assert_int_eq(topology_unbind(f.topology, &d, &f.refusal), STATUS_OK);
    }
    ck_assert_uint_eq(route_table(&headers), 0);
    text_free(&arguments);
    text_free(&headers);
}
END_TEST

/* Values whose hashes tell nothing (tables) stand beside each other and are told apart. */
START_TEST(pairs_of_one_hash)
{
    struct text arguments[3] = {{0}}, headers = {0};
    char queue[8];
    for (int i = 0; i < 3; i++) {
        snprintf(queue, sizeof queue, "q%d", i);
        add_queue(&f, queue);
        size_t begin = table_begin(&arguments[i], "t");
        table_put_i32(&arguments[i], "a", i);
        table_end(&arguments[i], begin);
        ck_assert_int_eq(bind_table(queue, &arguments[i]), STATUS_OK);
    }
    for (int gone = 0; gone < 3; gone++) {
        static const int order[] = {1, 2, 0};
        for (int i = 0; i < 3; i++) {
            size_t begin = table_begin(&headers, "t");
            table_put_i64(&headers, "a", i);
            table_end(&headers, begin);
            bool there = true;
            for (int j = 0; j < gone; j++)
                there = there && order[j] != i;
            ck_assert_uint_eq(route_table(&headers), there);
            text_free(&headers);
        }
        snprintf(queue, sizeof queue, "q%d", order[gone]);
        ck_assert_int_eq(unbind_table(queue, &arguments[order[gone]]), STATUS_OK);
        text_free(&arguments[order[gone]]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("headers");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, all_and_any);
    tcase_add_test(tc, empty_patterns);
    tcase_add_test(tc, values);
    tcase_add_test(tc, tables_and_arrays);
    tcase_add_test(tc, repeated_keys);
    tcase_add_test(tc, match_is_validated);
    tcase_add_test(tc, random_bindings);
    tcase_add_test(tc, work_does_not_grow);
    tcase_add_test(tc, many_headers_stay_cheap);
    tcase_add_loop_test(tc, the_same_is_compared_once, 0, 2);
    tcase_add_test(tc, pairs_of_one_hash);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
