/* The hash map against a plain array of what should be in it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/map.h"
#include "leveret/base/random.h"

#define KEYS 2000
#define COLLIDING                                                                                  \
    500 /* names that meet in the lowest bits of the hash that everybody can compute */
#define BITS 0xfffu

struct item {
    char name[16];
    bool there;
};

static struct item items[KEYS];

static struct bytes key_of(const struct item *item)
{
    return bytes_of_text(item->name);
}

START_TEST(empty)
{
    struct map map = {0};
    size_t at = 0;
    ck_assert_ptr_null(map_get(&map, BYTES_LITERAL("a")));
    ck_assert_ptr_null(map_remove(&map, BYTES_LITERAL("a")));
    ck_assert_ptr_null(map_next(&map, &at));
    map_free(&map);
}
END_TEST

START_TEST(put_replaces_key_and_value)
{
    struct map map = {0};
    char first[] = "same", second[] = "same";
    int one, two;
    ck_assert_ptr_null(map_put(&map, bytes_of_text(first), &one));
    ck_assert_ptr_eq(map_put(&map, bytes_of_text(second), &two), &one);
    first[0] = 'X'; /* the old key's view is not looked at any more */
    ck_assert_ptr_eq(map_get(&map, BYTES_LITERAL("same")), &two);
    ck_assert_uint_eq(map.count, 1);
    map_free(&map);
}
END_TEST

START_TEST(keys_of_any_bytes)
{
    struct map map = {0};
    int values[3];
    ck_assert_ptr_null(map_put(&map, (struct bytes){0}, &values[0]));
    ck_assert_ptr_null(map_put(&map, bytes_of("\0", 1), &values[1]));
    ck_assert_ptr_null(map_put(&map, bytes_of("\0\0", 2), &values[2]));
    ck_assert_ptr_eq(map_get(&map, BYTES_LITERAL("")), &values[0]);
    ck_assert_ptr_eq(map_get(&map, bytes_of("\0", 1)), &values[1]);
    ck_assert_ptr_eq(map_get_hashed(&map, bytes_of("\0\0", 2), map_hash(bytes_of("\0\0", 2))),
                     &values[2]);
    map_free(&map);
}
END_TEST

static void compare(const struct map *map, size_t count)
{
    size_t at = 0, walked = 0;
    const struct item *item;
    ck_assert_uint_eq(map->count, count);
    while ((item = map_next(map, &at))) {
        ck_assert(item->there);
        walked++;
    }
    ck_assert_uint_eq(walked, count);
    for (size_t i = 0; i < KEYS; i++)
        ck_assert_ptr_eq(map_get(map, key_of(&items[i])), items[i].there ? &items[i] : NULL);
}

START_TEST(random_puts_and_removes)
{
    struct map map = {0};
    struct random_stream random = {11};
    size_t count = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(items[i].name, sizeof items[i].name, "key-%u", i);
        items[i].there = false;
    }
    for (unsigned round = 0; round < 20000; round++) {
        /* Fills, then drains, then fills again: grown and shrunk places are both met. */
        unsigned puts = (round / 4000) % 2 ? 2 : 8;
        struct item *item = &items[random_next(&random) % KEYS];
        if (random_next(&random) % 10 < puts) {
            ck_assert_ptr_eq(map_put(&map, key_of(item), item), item->there ? item : NULL);
            count += !item->there;
            item->there = true;
        } else {
            ck_assert_ptr_eq(map_remove(&map, key_of(item)), item->there ? item : NULL);
            count -= item->there;
            item->there = false;
        }
        if (round % 500 == 0)
            compare(&map, count);
    }
    compare(&map, count);
    for (size_t i = 0; i < KEYS; i++)
        (void)map_remove(&map, key_of(&items[i]));
    ck_assert_uint_eq(map.count, 0);
    ck_assert_ptr_null(map.entries); /* an empty map holds no memory */
    map_free(&map);
}
END_TEST

static void set_secret(uint64_t seed)
{
    struct random_stream stream = {seed};
    uint64_t words[MAP_SECRET_BYTES / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = random_next(&stream);
    map_set_secret((const uint8_t *)words);
}

/* Names of one place, as a hostile client would look for them. */
static void find_colliding(char names[COLLIDING][16])
{
    unsigned found = 0;
    for (unsigned i = 0; found < COLLIDING; i++) {
        snprintf(names[found], sizeof names[found], "queue-%08u", i);
        if ((map_hash_stable(bytes_of_text(names[found])) & BITS) == 0)
            found++;
    }
}

START_TEST(secret_scatters_colliding_names)
{
    static char names[COLLIDING][16];
    static bool taken[BITS + 1];
    unsigned places = 0;
    find_colliding(names);
    ck_assert_uint_eq(map_hash(bytes_of_text(names[7])) & BITS, 0);
    set_secret(1);
    for (unsigned i = 0; i < COLLIDING; i++) {
        uint64_t place = map_hash(bytes_of_text(names[i])) & BITS;
        places += !taken[place];
        taken[place] = true;
    }
    ck_assert_uint_gt(places, COLLIDING * 9 / 10);
    map_set_secret(NULL);
    ck_assert_uint_eq(map_hash(bytes_of_text(names[7])) & BITS, 0);
}
END_TEST

/* Names of all lengths, as each range of lengths is hashed in its own way. */
START_TEST(each_secret_hashes_all_lengths_anew)
{
    uint8_t text[300];
    uint64_t before[sizeof text];
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len < sizeof text; len++)
        before[len] = map_hash(bytes_of(text, len));
    for (uint64_t seed = 1; seed < 4; seed++) {
        set_secret(seed);
        for (size_t len = 0; len < sizeof text; len++) {
            uint64_t hash = map_hash(bytes_of(text, len));
            ck_assert_uint_ne(hash, before[len]);
            ck_assert_uint_eq(hash, map_hash(bytes_of(text, len)));
            before[len] = hash;
        }
    }
    map_set_secret(NULL);
}
END_TEST

START_TEST(sorted_by_key)
{
    static const char *const names[] = {"b", "", "ab", "a", "abc", "B", "\xff"};
    static const char *const wanted[] = {"", "B", "a", "ab", "abc", "b", "\xff"};
    struct map map = {0};
    struct map_entry *sorted = map_sorted(&map);
    free(sorted);
    for (unsigned i = 0; i < 7; i++)
        ck_assert_ptr_null(map_put(&map, bytes_of_text(names[i]), (void *)names[i]));
    sorted = map_sorted(&map);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert(bytes_equal(sorted[i].key, bytes_of_text(wanted[i])));
        ck_assert_str_eq(sorted[i].value, wanted[i]);
    }
    free(sorted);
    map_free(&map);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, empty);
    tcase_add_test(tc, put_replaces_key_and_value);
    tcase_add_test(tc, keys_of_any_bytes);
    tcase_add_test(tc, random_puts_and_removes);
    tcase_add_test(tc, secret_scatters_colliding_names);
    tcase_add_test(tc, each_secret_hashes_all_lengths_anew);
    tcase_add_test(tc, sorted_by_key);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
