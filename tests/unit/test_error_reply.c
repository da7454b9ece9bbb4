/* Tests of session/error_reply: statuses to reply codes and texts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/reply.h"
#include "session/error_reply.h"

START_TEST(statuses_have_the_codes_of_the_specification)
{
    ck_assert_uint_eq(error_reply_code(STATUS_NOT_FOUND), 404);
    ck_assert_uint_eq(error_reply_code(STATUS_PRECONDITION_FAILED), 406);
    ck_assert_uint_eq(error_reply_code(STATUS_NOT_ALLOWED), 530);
    ck_assert_uint_eq(error_reply_code(STATUS_MALFORMED), 502);
    ck_assert_uint_eq(error_reply_code(STATUS_INTERNAL_ERROR), 541);
    ck_assert_uint_eq(error_reply_code(STATUS_CORRUPT), 541); /* has no code of its own */
    ck_assert(!error_reply_closes_connection(STATUS_NOT_FOUND));
    ck_assert(error_reply_closes_connection(STATUS_NOT_ALLOWED));
}
END_TEST

START_TEST(a_text_begins_with_the_name_of_the_code)
{
    char out[ERROR_REPLY_TEXT_ROOM];
    struct bytes text = error_reply_text(STATUS_NOT_FOUND, "no queue 'q'", out);
    ck_assert(bytes_equal_text(text, "NOT_FOUND - no queue 'q'"));
}
END_TEST

START_TEST(a_long_text_is_cut_to_a_short_string)
{
    char out[ERROR_REPLY_TEXT_ROOM], text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_uint_eq(error_reply_text(STATUS_NOT_FOUND, text, out).len, NAME_BYTES_MAX);
}
END_TEST

START_TEST(a_cut_leaves_no_half_of_a_character)
{
    char out[ERROR_REPLY_TEXT_ROOM], text[300];
    size_t head = strlen("NOT_FOUND - ");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + NAME_BYTES_MAX - head - 1, "\xc3\xa4", 2); /* one byte of it fits */
    struct bytes cut = error_reply_text(STATUS_NOT_FOUND, text, out);
    ck_assert_uint_eq(cut.len, NAME_BYTES_MAX - 1);
    ck_assert_uint_eq(cut.at[cut.len - 1], 'x');
}
END_TEST

START_TEST(bytes_that_are_no_utf8_become_question_marks)
{
    char out[ERROR_REPLY_TEXT_ROOM];
    struct bytes text = error_reply_text(STATUS_NOT_FOUND, "a\xff\xc3 \xc3\xa4\xc3", out);
    ck_assert(bytes_equal_text(text, "NOT_FOUND - a?? \xc3\xa4?"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error_reply");
    TCase *all = tcase_create("all");
    tcase_add_test(all, statuses_have_the_codes_of_the_specification);
    tcase_add_test(all, a_text_begins_with_the_name_of_the_code);
    tcase_add_test(all, a_long_text_is_cut_to_a_short_string);
    tcase_add_test(all, a_cut_leaves_no_half_of_a_character);
    tcase_add_test(all, bytes_that_are_no_utf8_become_question_marks);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
