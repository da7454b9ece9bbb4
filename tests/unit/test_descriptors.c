/* Sharing out descriptors: the journal's come first. */
#include <check.h>
#include <stdlib.h>

#include "descriptors.h"

START_TEST(all_are_shared_out)
{
    static const uint64_t limits[] = {400, 1000, 65536, 1048576};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct descriptors d;
        descriptors_plan(limits[i], 1, 576, &d);
        ck_assert_uint_eq(d.limit, limits[i]);
        ck_assert_uint_eq(d.journal + d.http + d.amqp, limits[i]);
        ck_assert_uint_ge(d.journal, 76 + (limits[i] < 16384 ? limits[i] / 8 : 2048));
        ck_assert_uint_gt(d.amqp, limits[i] / 3);
    }
}
END_TEST

START_TEST(each_vhost_takes_from_amqp)
{
    struct descriptors few, many;
    descriptors_plan(10000, 1, 576, &few);
    descriptors_plan(10000, 101, 576, &many);
    ck_assert_uint_eq(many.journal, few.journal + 1200);
    ck_assert_uint_eq(many.amqp, few.amqp - 1200);
    ck_assert_uint_eq(many.http, few.http);
}
END_TEST

START_TEST(http_has_no_more_than_it_wants)
{
    struct descriptors d;
    descriptors_plan(65536, 1, 576, &d);
    ck_assert_uint_eq(d.http, 576);
    descriptors_plan(400, 1, 576, &d);
    ck_assert_uint_eq(d.http, 50);
    descriptors_plan(400, 1, 0, &d);
    ck_assert_uint_eq(d.http, 0);
}
END_TEST

START_TEST(too_few_for_anything)
{
    struct descriptors d;
    descriptors_plan(20, 100, 576, &d);
    ck_assert_uint_gt(d.amqp, 0);
    ck_assert_uint_gt(d.http, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptors");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, all_are_shared_out);
    tcase_add_test(tc, each_vhost_takes_from_amqp);
    tcase_add_test(tc, http_has_no_more_than_it_wants);
    tcase_add_test(tc, too_few_for_anything);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
