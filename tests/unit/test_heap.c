/* The heap against the lowest of all keys, found by looking at each. */
#include <check.h>
#include <stdlib.h>

#include "leveret/base/heap.h"
#include "leveret/base/random.h"

#define NODES 300

START_TEST(empty)
{
    struct heap heap = {0};
    struct heap_node node = {0};
    ck_assert_ptr_null(heap_first(&heap));
    heap_remove(&heap, &node); /* in no heap: nothing happens */
    ck_assert(!heap_holds(&node));
    heap_free(&heap);
}
END_TEST

START_TEST(random_sets_and_removes)
{
    static struct heap_node nodes[NODES];
    struct heap heap = {0};
    struct random_stream random = {5};
    for (unsigned round = 0; round < 20000; round++) {
        struct heap_node *node = &nodes[random_next(&random) % NODES];
        if (random_next(&random) % 3)
            heap_set(&heap, node, random_next(&random) % 1000);
        else
            heap_remove(&heap, node);
        uint64_t lowest = UINT64_MAX;
        size_t count = 0;
        for (size_t i = 0; i < NODES; i++) {
            if (!heap_holds(&nodes[i]))
                continue;
            count++;
            if (nodes[i].key < lowest)
                lowest = nodes[i].key;
        }
        ck_assert_uint_eq(heap.count, count);
        if (count)
            ck_assert_uint_eq(heap_first(&heap)->key, lowest);
        else
            ck_assert_ptr_null(heap_first(&heap));
    }
    heap_free(&heap);
}
END_TEST

START_TEST(comes_out_in_order)
{
    static struct heap_node nodes[NODES];
    struct heap heap = {0};
    struct random_stream random = {6};
    for (size_t i = 0; i < NODES; i++)
        heap_set(&heap, &nodes[i], random_next(&random));
    uint64_t before = 0;
    for (size_t i = 0; i < NODES; i++) {
        struct heap_node *first = heap_first(&heap);
        ck_assert_uint_ge(first->key, before);
        before = first->key;
        heap_remove(&heap, first);
    }
    ck_assert_ptr_null(heap_first(&heap));
    heap_free(&heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, empty);
    tcase_add_test(tc, random_sets_and_removes);
    tcase_add_test(tc, comes_out_in_order);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
