/* x-consistent-hash, x-modulus-hash, x-random: how even, what moves, what is refused. */
#include "topology_fixture.h"

#include <math.h>

#include "broker/topology/hash_ring.h"
#include "leveret/base/random.h"

#define KEYS 100000u

static struct fixture f;

static void setup(void)
{
    fixture_open(&f);
    ck_assert_int_eq(declare(&f, "x", "x-consistent-hash"), STATUS_OK);
}

static void teardown(void)
{
    fixture_close(&f);
}

/* Queues q0 … with these weights. */
static void bind_queues(const char *exchange, unsigned first, unsigned count, const char *weight)
{
    char name[32];
    for (unsigned i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "q%u", i);
        if (!map_get(&f.queues, bytes_of_text(name)))
            add_queue(&f, name);
        ck_assert_int_eq(bind_queue(&f, exchange, name, weight), STATUS_OK);
    }
}

/* The number of the queue that a key goes to: exactly one. */
static unsigned queue_of_key(const char *exchange, unsigned key)
{
    char text[32];
    unsigned number;
    snprintf(text, sizeof text, "order.%u.created", key);
    ck_assert_uint_eq(route_key(&f, exchange, text), 1);
    number = (unsigned)strtoul(((struct stub_queue *)f.result.queues[0])->name + 1, NULL, 10);
    return number;
}

/* How the keys spread over queues: the largest deviation from the fair share, relative, and the
 * sum of squares that a chi-square test takes, divided by the degrees of freedom. */
struct spread {
    double worst, chi;
};

static struct spread spread_over(const char *exchange, unsigned queues, const double *weights)
{
    unsigned counts[256] = {0};
    double sum = 0;
    struct spread spread = {0, 0};
    for (unsigned i = 0; i < KEYS; i++)
        counts[queue_of_key(exchange, i)]++;
    for (unsigned i = 0; i < queues; i++)
        sum += weights ? weights[i] : 1;
    for (unsigned i = 0; i < queues; i++) {
        double fair = KEYS * (weights ? weights[i] : 1) / sum;
        double off = fabs(counts[i] - fair);
        if (off / fair > spread.worst)
            spread.worst = off / fair;
        spread.chi += off * off / fair / (queues - 1);
    }
    return spread;
}

START_TEST(even)
{
    /* With shares that have a standard deviation of 3.2 % the expected chi of n queues is
     * 1 + 100,000 / n * 0.032^2 = 1 + 102 / n. */
    static const unsigned counts[] = {2, 3, 10, 50, 200};
    unsigned made = 0;
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        bind_queues("x", made, counts[i] - made, "1");
        made = counts[i];
        struct spread spread = spread_over("x", made, NULL);
        if (getenv("SHOW_SPREAD"))
            printf("%3u queues: worst %.2f %%, chi %.2f\n", made, spread.worst * 100, spread.chi);
        ck_assert_double_le(spread.worst, made <= 10 ? 0.10 : 0.30);
        ck_assert_double_le(spread.chi, 1.5 + 2 * 102.0 / made);
    }
}
END_TEST

START_TEST(weights)
{
    static const double shares[] = {1, 1, 2, 2, 10};
    bind_queues("x", 0, 2, "1");
    bind_queues("x", 2, 2, "2");
    bind_queues("x", 4, 1, "10");
    struct spread spread = spread_over("x", 5, shares);
    ck_assert_double_le(spread.worst, 0.10);
}
END_TEST

START_TEST(bound_twice_is_the_sum)
{
    static const double shares[] = {1, 3};
    static const double left[] = {1, 2};
    bind_queues("x", 0, 2, "1");
    bind_queues("x", 1, 1, "2");
    ck_assert_double_le(spread_over("x", 2, shares).worst, 0.10);
    ck_assert_int_eq(unbind_queue(&f, "x", "q1", "1"), STATUS_OK);
    ck_assert_double_le(spread_over("x", 2, left).worst, 0.10);
    ck_assert_int_eq(unbind_queue(&f, "x", "q1", "2"), STATUS_OK);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(queue_of_key("x", i), 0);
}
END_TEST

static unsigned *places(const char *exchange)
{
    unsigned *all = mem_need_array(NULL, KEYS, sizeof *all);
    for (unsigned i = 0; i < KEYS; i++)
        all[i] = queue_of_key(exchange, i);
    return all;
}

START_TEST(only_its_share_moves)
{
    bind_queues("x", 0, 10, "1");
    unsigned *before = places("x");
    bind_queues("x", 10, 1, "1");
    unsigned *with = places("x");
    unsigned moved = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        if (before[i] == with[i])
            continue;
        ck_assert_uint_eq(with[i], 10); /* nothing moves between the old ones */
        moved++;
    }
    ck_assert_double_eq_tol(moved, KEYS / 11.0, KEYS / 11.0 * 0.15);
    /* A heavier weight takes more, and nothing else moves. */
    ck_assert_int_eq(unbind_queue(&f, "x", "q10", "1"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "x", "q10", "2"), STATUS_OK);
    unsigned *heavier = places("x");
    for (unsigned i = 0; i < KEYS; i++)
        ck_assert(heavier[i] == with[i] || heavier[i] == 10);
    /* One goes: what it had is spread, the rest stays. */
    drop_queue(&f, "q10");
    unsigned *after = places("x");
    ck_assert_int_eq(memcmp(before, after, KEYS * sizeof *after), 0);
    drop_queue(&f, "q3");
    free(after);
    after = places("x");
    unsigned took[10] = {0};
    for (unsigned i = 0; i < KEYS; i++) {
        if (before[i] == 3)
            took[after[i]]++;
        else
            ck_assert_uint_eq(before[i], after[i]);
    }
    ck_assert_uint_eq(took[3], 0);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(i == 3 || took[i] > 0);
    free(before);
    free(with);
    free(heavier);
    free(after);
}
END_TEST

START_TEST(order_makes_no_difference)
{
    static const char *const types[] = {"x-consistent-hash", "x-modulus-hash"};
    char name[32];
    for (unsigned t = 0; t < 2; t++) {
        ck_assert_int_eq(declare(&f, "up", types[t]), STATUS_OK);
        ck_assert_int_eq(declare(&f, "down", types[t]), STATUS_OK);
        bind_queues("up", 0, 20, "3");
        for (unsigned i = 20; i-- > 0;) {
            snprintf(name, sizeof name, "q%u", i);
            ck_assert_int_eq(bind_queue(&f, "down", name, "9"), STATUS_OK);
            ck_assert_int_eq(bind_queue(&f, "down", name, "3"), STATUS_OK);
        }
        for (unsigned i = 0; i < 20; i++) {
            snprintf(name, sizeof name, "q%u", i);
            ck_assert_int_eq(unbind_queue(&f, "down", name, "9"), STATUS_OK);
        }
        for (unsigned i = 0; i < 1000; i++)
            ck_assert_uint_eq(queue_of_key("up", i), queue_of_key("down", i));
        for (unsigned i = 0; i < 2; i++)
            ck_assert_int_eq(
                topology_delete(f.topology, bytes_of_text(i ? "down" : "up"), false, &f.refusal),
                STATUS_OK);
    }
}
END_TEST

START_TEST(the_same_everywhere)
{
    /* Where these keys go must never change: messages of a key would change queues with the
     * version of the broker. */
    static const unsigned hash[] = {4, 1, 5, 6, 3, 3, 4, 2, 3, 2, 1, 3};
    static const unsigned modulus[] = {0, 3, 6, 4, 4, 2, 5, 6, 2, 1, 0, 5};
    ck_assert_int_eq(declare(&f, "m", "x-modulus-hash"), STATUS_OK);
    bind_queues("x", 0, 7, "5");
    bind_queues("m", 0, 7, "");
    for (unsigned i = 0; getenv("SHOW_SPREAD") && i < 12; i++)
        printf("%u %u\n", queue_of_key("x", i), queue_of_key("m", i));
    for (unsigned i = 0; i < 12; i++) {
        ck_assert_uint_eq(queue_of_key("x", i), hash[i]);
        ck_assert_uint_eq(queue_of_key("m", i), modulus[i]);
    }
}
END_TEST

START_TEST(modulus_and_random)
{
    ck_assert_int_eq(declare(&f, "m", "x-modulus-hash"), STATUS_OK);
    ck_assert_int_eq(declare(&f, "r", "x-random"), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "m", "k"), 0);
    ck_assert_uint_eq(route_key(&f, "r", "k"), 0);
    bind_queues("m", 0, 10, "any key");
    bind_queues("r", 0, 10, "");
    /* A true chi-square: 9 degrees of freedom, chance of more than 3.1 each is 0.1 %. */
    ck_assert_double_le(spread_over("m", 10, NULL).chi, 3.1);
    ck_assert(f.result.by_key);
    ck_assert_double_le(spread_over("r", 10, NULL).chi, 3.1);
    ck_assert(!f.result.by_key);
    drop_queue(&f, "q4");
    drop_queue(&f, "q0");
    drop_queue(&f, "q9");
    for (unsigned i = 0; i < 1000; i++) {
        unsigned number = queue_of_key("r", i);
        ck_assert(number != 0 && number != 4 && number != 9);
    }
}
END_TEST

START_TEST(random_is_reproducible)
{
    unsigned first[50];
    ck_assert_int_eq(declare(&f, "r", "x-random"), STATUS_OK);
    bind_queues("r", 0, 10, "");
    topology_seed(f.topology, 4711);
    for (unsigned i = 0; i < 50; i++)
        first[i] = queue_of_key("r", 0);
    topology_seed(f.topology, 4711);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(queue_of_key("r", 0), first[i]);
}
END_TEST

/* ---- What is refused. */

static void refused(const char *weight, const char *text)
{
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "x", "q", weight), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(f.refusal.text, text);
    drop_queue(&f, "q");
}

START_TEST(bad_weights)
{
    refused("abc", "The binding key must be an integer: <<\"abc\">>");
    refused("1.5", "The binding key must be an integer: <<\"1.5\">>");
    refused("1 ", "The binding key must be an integer: <<\"1 \">>");
    refused("", "The binding key must be an integer: <<>>");
    refused("-", "The binding key must be an integer: <<\"-\">>");
    refused("0", "The binding key must be greater than 0");
    refused("-1", "The binding key must be greater than 0");
    refused("4097", "The binding key must not be greater than 4096");
    refused("18446744073709551617", "The binding key must not be greater than 4096");
    bind_queues("x", 0, 1, "+5");
    bind_queues("x", 0, 1, "007");
    bind_queues("x", 0, 1, "4096");
    ck_assert_uint_eq(queue_of_key("x", 0), 0);
}
END_TEST

static enum status declare_hash(const char *name, const char *header, const char *property)
{
    struct text arguments = {0};
    if (header)
        table_put_string(&arguments, "hash-header", bytes_of_text(header));
    if (property)
        table_put_string(&arguments, "hash-property", bytes_of_text(property));
    struct exchange_declaration d = {.name = bytes_of_text(name),
                                     .type = bytes_of_text("x-consistent-hash"),
                                     .arguments = text_bytes(&arguments)};
    enum status status = topology_declare(f.topology, &d, NULL, &f.refusal);
    text_free(&arguments);
    return status;
}

START_TEST(bad_arguments)
{
    struct text arguments = {0};
    ck_assert_int_eq(declare_hash("y", "h", "message_id"), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(f.refusal.text, "hash-header and hash-property are mutually exclusive");
    ck_assert_int_eq(declare_hash("y", NULL, "app_id"), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(f.refusal.text, "Unsupported property: app_id");
    table_put_i32(&arguments, "hash-header", 1);
    struct exchange_declaration d = {.name = bytes_of_text("y"),
                                     .type = bytes_of_text("x-consistent-hash"),
                                     .arguments = text_bytes(&arguments)};
    ck_assert_int_eq(topology_declare(f.topology, &d, NULL, &f.refusal),
                     STATUS_PRECONDITION_FAILED);
    ck_assert(!exchange_named(&f, "y"));
    text_free(&arguments);
}
END_TEST

/* ---- What is hashed. */

static const char *place_of(const char *exchange, const struct properties *properties,
                            const char *key)
{
    struct text encoded = {0};
    properties_encode(properties, &encoded);
    struct message *m =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), 0);
    m->has_headers = properties->present & PROPERTY_HEADERS;
    route_message(f.topology, exchange_named(&f, exchange), m, &f.result);
    ck_assert_uint_eq(f.result.count, 1);
    text_free(&encoded);
    message_unref(&m);
    return ((struct stub_queue *)f.result.queues[0])->name;
}

START_TEST(by_property)
{
    struct properties p = {.present =
                               PROPERTY_CORRELATION_ID | PROPERTY_MESSAGE_ID | PROPERTY_TIMESTAMP};
    struct properties none = {0};
    static const char *const names[] = {"correlation_id", "message_id", "timestamp"};
    for (unsigned i = 0; i < 3; i++) {
        unsigned differ = 0;
        char text[32];
        ck_assert_int_eq(declare_hash(names[i], NULL, names[i]), STATUS_OK);
        bind_queues(names[i], 0, 10, "1");
        const char *empty = place_of(names[i], &none, "k");
        ck_assert_ptr_eq(empty, place_of(names[i], &none, "other"));
        for (unsigned n = 0; n < 100; n++) {
            snprintf(text, sizeof text, "%u", n);
            p.correlation_id = bytes_of_text(i == 0 ? text : "c");
            p.message_id = bytes_of_text(i == 1 ? text : "m");
            p.timestamp = i == 2 ? n : 0;
            const char *place = place_of(names[i], &p, "k");
            ck_assert_ptr_eq(place, place_of(names[i], &p, text));
            differ += place != empty;
        }
        ck_assert_uint_ge(differ, 50);
    }
}
END_TEST

START_TEST(by_header)
{
    struct properties p = {.present = PROPERTY_HEADERS}, none = {0};
    unsigned differ = 0;
    ck_assert_int_eq(declare_hash("h", "customer", NULL), STATUS_OK);
    bind_queues("h", 0, 10, "1");
    const char *empty = place_of("h", &none, "k");
    for (int n = 0; n < 100; n++) {
        struct text narrow = {0}, wide = {0}, other = {0};
        table_put_i32(&narrow, "customer", n);
        table_put_i64(&wide, "customer", n);
        table_put_i32(&other, "client", n);
        p.headers = text_bytes(&narrow);
        const char *place = place_of("h", &p, "k");
        differ += place != empty;
        p.headers = text_bytes(&wide); /* by value, whatever its type */
        ck_assert_ptr_eq(place, place_of("h", &p, "k"));
        p.headers = text_bytes(&other);
        ck_assert_ptr_eq(empty, place_of("h", &p, "k"));
        text_free(&narrow);
        text_free(&wide);
        text_free(&other);
    }
    ck_assert_uint_ge(differ, 50);
}
END_TEST

START_TEST(to_exchanges)
{
    add_queue(&f, "a");
    add_queue(&f, "b");
    ck_assert_int_eq(declare(&f, "ya", "fanout"), STATUS_OK);
    ck_assert_int_eq(declare(&f, "yb", "fanout"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "ya", "a", ""), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "yb", "b", ""), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "x", "ya", "10"), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "x", "yb", "10"), STATUS_OK);
    unsigned reached_a = 0;
    for (unsigned i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        ck_assert_uint_eq(route_key(&f, "x", key), 1);
        reached_a += reached(&f, "a");
    }
    ck_assert_uint_ge(reached_a, 400);
    ck_assert_uint_le(reached_a, 600);
    ck_assert_int_eq(topology_delete(f.topology, bytes_of_text("ya"), false, &f.refusal),
                     STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", "k"), 1);
    ck_assert(reached(&f, "b"));
}
END_TEST

/* ---- The ring itself: random changes, against a plain search. */

#define OWNERS 60u

struct owner {
    uint64_t weight, seed;
};

START_TEST(ring_random)
{
    struct hash_ring ring = {0};
    struct owner owners[OWNERS] = {{0}};
    struct random_stream random = {17};
    unsigned long total = 0;
    for (unsigned i = 0; i < OWNERS; i++)
        owners[i].seed = i < 4 ? UINT64_MAX - i : random_next(&random);
    for (unsigned step = 0; step < 1000; step++) {
        struct owner *owner = &owners[random_next(&random) % OWNERS];
        uint64_t weight = random_next(&random) % (step % 400 < 200 ? 20 : 3);
        if (weight > owner->weight)
            hash_ring_add(&ring, owner, owner->seed, owner->weight, weight);
        else
            hash_ring_remove(&ring, owner, owner->seed, weight, owner->weight);
        total += weight - owner->weight;
        owner->weight = weight;
        ck_assert_uint_eq(ring.count, total * RING_POINTS);
        const struct ring_point *last = NULL;
        uint64_t count = 0;
        bool sound = true;
        for (uint64_t i = 0; ring.count && i < ring.places + ring.spare; i++) {
            const struct ring_point *point = &ring.points[i];
            if (!point->owner)
                continue;
            sound &= !last || last->at <= point->at;
            sound &= point->at >> (64 - ring.bits) <= i;
            last = point;
            count++;
        }
        ck_assert(sound);
        ck_assert_uint_eq(count, ring.count);
        const struct owner *found = hash_ring_find(&ring, random_next(&random));
        ck_assert(ring.count ? found && found->weight : !found);
    }
    for (unsigned i = 0; i < OWNERS; i++)
        hash_ring_remove(&ring, &owners[i], owners[i].seed, 0, owners[i].weight);
    ck_assert_ptr_null(ring.points);
    hash_ring_free(&ring);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exchange_hash");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, even);
    tcase_add_test(tc, weights);
    tcase_add_test(tc, bound_twice_is_the_sum);
    tcase_add_test(tc, only_its_share_moves);
    tcase_add_test(tc, order_makes_no_difference);
    tcase_add_test(tc, the_same_everywhere);
    tcase_add_test(tc, modulus_and_random);
    tcase_add_test(tc, random_is_reproducible);
    tcase_add_test(tc, bad_weights);
    tcase_add_test(tc, bad_arguments);
    tcase_add_test(tc, by_property);
    tcase_add_test(tc, by_header);
    tcase_add_test(tc, to_exchanges);
    tcase_add_test(tc, ring_random);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
