/* Topic exchanges: known cases, and random ones against a matcher that tries everything. */
#include "leveret/base/random.h"
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

/* ---- The plain matcher: words as arrays, every way of `#` tried */

#define WORDS_MAX 130

struct words {
    struct bytes at[WORDS_MAX];
    size_t count;
};

static void split(const char *key, struct words *out)
{
    out->count = 0;
    while (*key || out->count) {
        const char *dot = strchr(key, '.');
        size_t len = dot ? (size_t)(dot - key) : strlen(key);
        ck_assert_uint_lt(out->count, WORDS_MAX);
        out->at[out->count++] = bytes_of(key, len);
        if (!dot)
            return;
        key = dot + 1;
    }
}

static bool match_from(const struct words *pattern, size_t p, const struct words *key, size_t k)
{
    if (p == pattern->count)
        return k == key->count;
    if (bytes_equal_text(pattern->at[p], "#")) {
        for (size_t next = k; next <= key->count; next++) {
            if (match_from(pattern, p + 1, key, next))
                return true;
        }
        return false;
    }
    return k < key->count &&
           (bytes_equal_text(pattern->at[p], "*") || bytes_equal(pattern->at[p], key->at[k])) &&
           match_from(pattern, p + 1, key, k + 1);
}

static bool matches(const char *pattern, const char *key)
{
    struct words p, k;
    split(pattern, &p);
    split(key, &k);
    return match_from(&p, 0, &k, 0);
}

/* ---- Known cases */

static const struct {
    const char *pattern, *key;
    bool match;
} cases[] = {
    {"a.b.c", "a.b.c", true},
    {"a.b.c", "a.b", false},
    {"a.b.c", "a.b.c.d", false},
    {"*", "a", true},
    {"*", "a.b", false},
    {"*", "", false},
    {"*", ".", false},
    {"*.*", ".", true},
    {"#", "", true},
    {"#", "a", true},
    {"#", "a.b.c", true},
    {"#", "...", true},
    {"a.#", "a", true},
    {"a.#", "a.", true},
    {"a.#", "a.b.c", true},
    {"a.#", "ab", false},
    {"#.a", "a", true},
    {"#.a", "b.c.a", true},
    {"#.a", "a.b", false},
    {"a.*.c", "a.b.c", true},
    {"a.*.c", "a..c", true},
    {"a.*.c", "a.c", false},
    {"a.#.c", "a.c", true},
    {"a.#.c", "a.b.b.c", true},
    {"#.#", "", true},
    {"#.#.#", "a", true},
    {"#.*", "", false},
    {"#.*", "a", true},
    {"*.#", "a.b", true},
    {"*.#.*", "a", false},
    {"*.#.*", "a.b", true},
    {"", "", true},
    {"", "a", false},
    {"a..b", "a..b", true},
    {"a..b", "a.b", false},
    {"a.", "a.", true},
    {"a.", "a", false},
    {".a", ".a", true},
    {"a.*", "a.", true},
    {"a*", "ab", false},
    {"a*", "a*", true},
    {"##", "a", false},
    {"##", "##", true},
    {"*", "*", true},
    {"*", "#", true},
    {"#.b.#", "a.b.c", true},
    {"#.b.#", "b", true},
    {"#.b.#", "a.c", false},
    {"#.a.#.a.#", "a", false},
    {"#.a.#.a.#", "a.a", true},
};

START_TEST(known_cases)
{
    size_t n = sizeof cases / sizeof cases[0];
    add_queue(&f, "q");
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(matches(cases[i].pattern, cases[i].key) == cases[i].match,
                      "the plain matcher on %s and %s", cases[i].pattern, cases[i].key);
        ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", cases[i].pattern), STATUS_OK);
        ck_assert_msg(route_key(&f, "amq.topic", cases[i].key) == cases[i].match,
                      "binding key %s, routing key %s", cases[i].pattern, cases[i].key);
        ck_assert_int_eq(unbind_queue(&f, "amq.topic", "q", cases[i].pattern), STATUS_OK);
        ck_assert_uint_eq(route_key(&f, "amq.topic", cases[i].key), 0);
    }
}
END_TEST

START_TEST(words_of_any_bytes)
{
    /* Words may hold anything but a dot, zero bytes included, and be as long as a key. */
    uint8_t longest[255];
    struct binding_declaration d = binding_to(ENDPOINT_QUEUE, "amq.topic", "q", "");
    add_queue(&f, "q");
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (uint8_t)(i == '.' ? 0 : i);
    d.routing_key = bytes_of(longest, sizeof longest);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    struct route_input input = {.keys = &d.routing_key, .key_count = 1};
    route(f.topology, exchange_named(&f, "amq.topic"), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 1);
    struct bytes shorter = bytes_of(longest, sizeof longest - 1);
    input.keys = &shorter;
    route(f.topology, exchange_named(&f, "amq.topic"), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 0);
    /* 255 dots: 256 empty words. */
    memset(longest, '.', sizeof longest);
    ck_assert_int_eq(topology_bind(f.topology, &d, &f.refusal), STATUS_OK);
    input.keys = &d.routing_key;
    route(f.topology, exchange_named(&f, "amq.topic"), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 1);
}
END_TEST

/* ---- Random cases */

static uint64_t seed_of_run(void)
{
    const char *text = getenv("LEVERET_TEST_SEED");
    uint64_t seed;
    if (text)
        return strtoull(text, NULL, 0);
    random_bytes(&seed, sizeof seed);
    return seed;
}

static void random_key(struct random_stream *random, bool pattern, char out[64])
{
    static const char *const words[] = {"a", "b", "", "cc", "*", "#"};
    size_t count = random_next(random) % 6, at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(out + at, 64 - at, "%s%s", i ? "." : "",
                               words[random_next(random) % (pattern ? 6 : 4)]);
}

START_TEST(random_bindings)
{
    enum { QUEUES = 40, ROUNDS = 600, KEYS = 6 };
    static char patterns[QUEUES][64];
    static bool bound[QUEUES];
    uint64_t seed = seed_of_run();
    struct random_stream random = {seed};
    char name[16], key[64];

    for (unsigned q = 0; q < QUEUES; q++) {
        snprintf(name, sizeof name, "q%u", q);
        add_queue(&f, name);
        bound[q] = false;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned q = (unsigned)(random_next(&random) % QUEUES);
        snprintf(name, sizeof name, "q%u", q);
        if (bound[q]) {
            ck_assert_int_eq(unbind_queue(&f, "amq.topic", name, patterns[q]), STATUS_OK);
        } else {
            random_key(&random, true, patterns[q]);
            ck_assert_int_eq(bind_queue(&f, "amq.topic", name, patterns[q]), STATUS_OK);
        }
        bound[q] = !bound[q];
        for (unsigned i = 0; i < KEYS; i++) {
            random_key(&random, false, key);
            route_key(&f, "amq.topic", key);
            for (q = 0; q < QUEUES; q++) {
                snprintf(name, sizeof name, "q%u", q);
                bool expected = bound[q] && matches(patterns[q], key);
                ck_assert_msg(reached(&f, name) == expected,
                              "LEVERET_TEST_SEED=%llu: binding key '%s', routing key '%s'",
                              (unsigned long long)seed, patterns[q], key);
            }
        }
    }
}
END_TEST

/* ---- Work */

/* What a route looks at, with a number of bindings that do not match beside one that does. */
static uint64_t work_with(unsigned others, const char *others_format)
{
    char key[64];
    fixture_close(&f);
    fixture_open(&f);
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", "stock.*.nyse"), STATUS_OK);
    for (unsigned i = 0; i < others; i++) {
        snprintf(key, sizeof key, others_format, i);
        ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", key), STATUS_OK);
    }
    ck_assert_uint_eq(route_key(&f, "amq.topic", "stock.usd.nyse"), 1);
    return f.result.work;
}

START_TEST(work_does_not_grow)
{
    static const char *const formats[] = {"stock.n%u.nyse", "n%u",   "stock.*.n%u",
                                          "n%u.#",          "#.n%u", "*.n%u.*"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        ck_assert_uint_eq(work_with(10, formats[i]), work_with(20000, formats[i]));
}
END_TEST

START_TEST(many_hashes_stay_cheap)
{
    /* 60 `#` and a word that never comes: backtracking would not end. */
    char pattern[242] = {0}, key[242] = {0};
    for (size_t i = 0; i < 240; i++) {
        pattern[i] = "#.a."[i % 4];
        key[i] = "a."[i % 2];
    }
    pattern[240] = 'b';
    key[240] = 'a';
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", pattern), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "amq.topic", key), 0);
    ck_assert_uint_lt(f.result.work, 121 * 122);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, known_cases);
    tcase_add_test(tc, words_of_any_bytes);
    tcase_add_test(tc, random_bindings);
    tcase_add_test(tc, work_does_not_grow);
    tcase_add_test(tc, many_hashes_stay_cheap);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
