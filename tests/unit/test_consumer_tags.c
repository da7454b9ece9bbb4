/* Tests of session/consumer_tags: numbers and tags of a channel's consumers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/consumer_tags.h"

static struct consumer_tags tags;
static struct random_stream stream;

static void begin(void)
{
    tags = (struct consumer_tags){0};
    stream = (struct random_stream){1};
}

static void end(void)
{
    consumer_tags_free(&tags);
}

static uint32_t add(struct bytes tag)
{
    uint32_t consumer = UINT32_MAX;
    ck_assert_int_eq(consumer_tags_add(&tags, &stream, tag, &consumer), STATUS_OK);
    return consumer;
}

START_TEST(a_tag_is_found_until_it_is_removed)
{
    uint32_t found;
    uint32_t a = add(BYTES_LITERAL("a")), b = add(BYTES_LITERAL("b"));
    ck_assert_uint_ne(a, b);
    ck_assert(consumer_tags_find(&tags, BYTES_LITERAL("a"), &found));
    ck_assert_uint_eq(found, a);
    ck_assert(bytes_equal_text(consumer_tags_get(&tags, b), "b"));
    consumer_tags_remove(&tags, a);
    ck_assert(!consumer_tags_find(&tags, BYTES_LITERAL("a"), &found));
    ck_assert(consumer_tags_find(&tags, BYTES_LITERAL("b"), &found));
    ck_assert_uint_eq(found, b);
}
END_TEST

START_TEST(a_removed_number_is_the_next_one_and_without_flags)
{
    for (unsigned char i = 0; i < 5; i++)
        ck_assert_uint_eq(add(bytes_of(&i, 1)), i);
    consumer_tags_slot(&tags, 2)->cancelling = true;
    consumer_tags_slot(&tags, 2)->quiet = true;
    consumer_tags_remove(&tags, 2);
    ck_assert_uint_eq(add(BYTES_LITERAL("new")), 2);
    ck_assert(!consumer_tags_slot(&tags, 2)->cancelling);
    ck_assert(!consumer_tags_slot(&tags, 2)->quiet);
    ck_assert_uint_eq(add(BYTES_LITERAL("newer")), 5);
}
END_TEST

START_TEST(an_empty_tag_is_made_up)
{
    uint32_t found;
    uint32_t a = add(bytes_of("", 0)), b = add(bytes_of("", 0));
    struct bytes tag = consumer_tags_get(&tags, a);
    ck_assert(bytes_start_with(tag, "amq.ctag-"));
    ck_assert_uint_eq(tag.len, strlen("amq.ctag-") + RANDOM_NAME_LEN);
    ck_assert(!bytes_equal(tag, consumer_tags_get(&tags, b)));
    ck_assert(consumer_tags_find(&tags, tag, &found));
    ck_assert_uint_eq(found, a);
}
END_TEST

START_TEST(one_consumer_above_the_maximum_is_refused)
{
    char tag[16];
    uint32_t consumer = 0;
    for (unsigned i = 0; i < CONSUMERS_PER_CHANNEL_MAX; i++) {
        snprintf(tag, sizeof tag, "%u", i);
        add(bytes_of_text(tag));
    }
    ck_assert_int_eq(consumer_tags_add(&tags, &stream, BYTES_LITERAL("x"), &consumer),
                     STATUS_LIMIT);
    consumer_tags_remove(&tags, 7);
    ck_assert_uint_eq(add(BYTES_LITERAL("x")), 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("consumer_tags");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_tag_is_found_until_it_is_removed);
    tcase_add_test(all, a_removed_number_is_the_next_one_and_without_flags);
    tcase_add_test(all, an_empty_tag_is_made_up);
    tcase_add_test(all, one_consumer_above_the_maximum_is_refused);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
