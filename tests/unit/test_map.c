/* The hash map against a plain array of what should be in it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/map.h"
#include "leveret/base/random.h"

#define KEYS 2000

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

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, empty);
    tcase_add_test(tc, put_replaces_key_and_value);
    tcase_add_test(tc, keys_of_any_bytes);
    tcase_add_test(tc, random_puts_and_removes);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
