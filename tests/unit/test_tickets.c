/* Tests of admin/http/tickets: they are found until they end, and their number is bounded. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/tickets.h"

#define LIFE_MS 1000u

static struct ticket of_user(const char *user)
{
    struct ticket ticket = {.mark = 7, .loopback = true};
    snprintf(ticket.user, sizeof ticket.user, "%s", user);
    return ticket;
}

static void issue(struct tickets *tickets, const char *user, uint64_t now_ms, char *text)
{
    const struct ticket ticket = of_user(user);
    tickets_issue(tickets, &ticket, now_ms, text);
}

static bool is_there(struct tickets *tickets, const char *text, uint64_t now_ms)
{
    return tickets_find(tickets, bytes_of_text(text), now_ms) != NULL;
}

START_TEST(found_until_its_time_is_over)
{
    struct tickets *tickets = tickets_new(LIFE_MS);
    char text[TICKET_DIGITS + 1];
    issue(tickets, "ann", 5000, text);
    ck_assert_uint_eq(strlen(text), TICKET_DIGITS);
    ck_assert_uint_eq(strspn(text, "0123456789abcdef"), TICKET_DIGITS);
    const struct ticket *found = tickets_find(tickets, bytes_of_text(text), 5000 + LIFE_MS - 1);
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->user, "ann");
    ck_assert_uint_eq(found->mark, 7);
    ck_assert(found->loopback);
    ck_assert(!is_there(tickets, text, 5000 + LIFE_MS));
    ck_assert_uint_eq(tickets_count(tickets), 0);
    tickets_free(&tickets);
    ck_assert_ptr_null(tickets);
}
END_TEST

START_TEST(a_wrong_text_is_none)
{
    struct tickets *tickets = tickets_new(LIFE_MS);
    char text[TICKET_DIGITS + 1], other[TICKET_DIGITS + 1];
    ck_assert(!is_there(tickets, "", 0));
    issue(tickets, "ann", 0, text);
    issue(tickets, "ann", 0, other);
    ck_assert_str_ne(text, other);
    other[TICKET_DIGITS - 1] = other[TICKET_DIGITS - 1] == '0' ? '1' : '0';
    ck_assert(!is_there(tickets, other, 0));
    ck_assert(tickets_find(tickets, bytes_of(text, TICKET_DIGITS - 1), 0) == NULL);
    ck_assert(tickets_find(tickets, bytes_of(text, 0), 0) == NULL);
    ck_assert(is_there(tickets, text, 0));
    tickets_free(&tickets);
}
END_TEST

START_TEST(ended_one_by_one)
{
    struct tickets *tickets = tickets_new(LIFE_MS);
    char ann[3][TICKET_DIGITS + 1];
    for (int i = 0; i < 3; i++)
        issue(tickets, "ann", 0, ann[i]);
    tickets_end(tickets, bytes_of_text(ann[1]));
    tickets_end(tickets, bytes_of_text("no ticket"));
    ck_assert(!is_there(tickets, ann[1], 0));
    ck_assert(is_there(tickets, ann[0], 0) && is_there(tickets, ann[2], 0));
    ck_assert_uint_eq(tickets_count(tickets), 2);
    tickets_free(&tickets);
}
END_TEST

START_TEST(a_user_has_so_many)
{
    struct tickets *tickets = tickets_new(LIFE_MS);
    char first[TICKET_DIGITS + 1], bob[TICKET_DIGITS + 1], last[TICKET_DIGITS + 1];
    issue(tickets, "bob", 0, bob);
    issue(tickets, "ann", 0, first);
    for (unsigned i = 1; i < TICKETS_USER_MAX; i++)
        issue(tickets, "ann", 0, last);
    ck_assert(is_there(tickets, first, 0));
    issue(tickets, "ann", 0, last);
    ck_assert(!is_there(tickets, first, 0));
    ck_assert(is_there(tickets, last, 0) && is_there(tickets, bob, 0));
    ck_assert_uint_eq(tickets_count(tickets), TICKETS_USER_MAX + 1);
    tickets_free(&tickets);
}
END_TEST

START_TEST(all_together_have_so_many)
{
    struct tickets *tickets = tickets_new(LIFE_MS);
    char first[TICKET_DIGITS + 1], text[TICKET_DIGITS + 1], user[16];
    issue(tickets, "first", 0, first);
    for (unsigned i = 1; i <= TICKETS_MAX; i++) {
        ck_assert(i < TICKETS_MAX || is_there(tickets, first, 0));
        snprintf(user, sizeof user, "u%u", i);
        issue(tickets, user, 0, text);
    }
    ck_assert(!is_there(tickets, first, 0));
    ck_assert(is_there(tickets, text, 0));
    ck_assert_uint_eq(tickets_count(tickets), TICKETS_MAX);
    tickets_free(&tickets);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tickets");
    TCase *tcase = tcase_create("tickets");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, found_until_its_time_is_over);
    tcase_add_test(tcase, a_wrong_text_is_none);
    tcase_add_test(tcase, ended_one_by_one);
    tcase_add_test(tcase, a_user_has_so_many);
    tcase_add_test(tcase, all_together_have_so_many);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
