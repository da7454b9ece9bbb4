/* Which handler a path goes to. */
#include <check.h>
#include <stdlib.h>

#include "admin/http/routes.h"

static void none(struct request *r)
{
    (void)r;
}

static const struct route table[] = {
    {METHOD_GET, "/api/users", none, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/users/without-permissions", none, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/users/:u", none, ACCESS_USER, BODY_SMALL},
    {METHOD_PUT, "/api/users/:u", none, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/users/:u", none, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v/e/:x/q/:q", none, ACCESS_VHOST, BODY_SMALL},
    {METHOD_OTHER, NULL, NULL, ACCESS_USER, BODY_SMALL},
};

static const struct route *const tables[] = {table, NULL};

static struct bytes parts[REQUEST_ARGS_MAX];
static size_t count;
static char allow[64];

static const char *find(enum http_method method, const char *path)
{
    const struct route *route = routes_find(tables, method, path, parts, &count, allow);
    return route ? route->pattern : "";
}

START_TEST(literal_parts_match)
{
    ck_assert_str_eq(find(METHOD_GET, "/api/users"), "/api/users");
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(find(METHOD_GET, "/api/users/"), "/api/users");
    ck_assert_str_eq(find(METHOD_GET, "/api/user"), "");
    ck_assert_str_eq(find(METHOD_GET, "/api/usersx"), "");
    ck_assert_str_eq(find(METHOD_GET, "api/users"), "");
    ck_assert_str_eq(find(METHOD_GET, ""), "");
    ck_assert_str_eq(find(METHOD_GET, "/"), "");
    ck_assert_str_eq(allow, "");
}
END_TEST

START_TEST(variable_parts_are_told)
{
    ck_assert_str_eq(find(METHOD_GET, "/api/bindings/%2F/e/x/q/a%20b"),
                     "/api/bindings/:v/e/:x/q/:q");
    ck_assert_uint_eq(count, 3);
    ck_assert(bytes_equal_text(parts[0], "%2F"));
    ck_assert(bytes_equal_text(parts[1], "x"));
    ck_assert(bytes_equal_text(parts[2], "a%20b"));
    ck_assert_str_eq(find(METHOD_GET, "/api/bindings/%2F/e/x/q/"), "");
    ck_assert_str_eq(find(METHOD_GET, "/api/bindings//e/x/q/y"), "");
    ck_assert_str_eq(find(METHOD_GET, "/api/bindings/%2F/e/x/e/y"), "");
}
END_TEST

START_TEST(the_first_that_fits_counts)
{
    ck_assert_str_eq(find(METHOD_GET, "/api/users/without-permissions"),
                     "/api/users/without-permissions");
    ck_assert_str_eq(find(METHOD_GET, "/api/users/bob"), "/api/users/:u");
    ck_assert(bytes_equal_text(parts[0], "bob"));
    /* A method that the first does not have is looked for further. */
    ck_assert_str_eq(find(METHOD_DELETE, "/api/users/without-permissions"), "/api/users/:u");
}
END_TEST

START_TEST(other_methods_are_told_which_there_are)
{
    ck_assert_str_eq(find(METHOD_POST, "/api/users/bob"), "");
    ck_assert_str_eq(allow, "HEAD, GET, PUT, DELETE, OPTIONS");
    ck_assert_str_eq(find(METHOD_OTHER, "/api/users"), "");
    ck_assert_str_eq(allow, "HEAD, GET, OPTIONS");
    ck_assert_str_eq(find(METHOD_HEAD, "/api/users"), "/api/users");
}
END_TEST

/* A table each for two resources, as the API has them. */
START_TEST(tables_are_searched_in_their_order)
{
    static const struct route second[] = {
        {METHOD_GET, "/api/users/:first", none, ACCESS_USER, BODY_SMALL},
        {METHOD_POST, "/api/users/:u", none, ACCESS_USER, BODY_SMALL},
        ROUTES_END,
    };
    const struct route *const both[] = {table, second, NULL}, *const none_at_all[] = {NULL};
    const struct route *found =
        routes_find(both, METHOD_GET, "/api/users/bob", parts, &count, allow);
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->pattern, "/api/users/:u");
    found = routes_find(both, METHOD_POST, "/api/users/bob", parts, &count, allow);
    ck_assert_ptr_eq(found, &second[1]);
    ck_assert(bytes_equal_text(parts[0], "bob"));
    ck_assert_ptr_null(routes_find(both, METHOD_OTHER, "/api/users/bob", parts, &count, allow));
    ck_assert_str_eq(allow, "HEAD, GET, PUT, POST, DELETE, OPTIONS");
    ck_assert_ptr_null(routes_find(none_at_all, METHOD_GET, "/", parts, &count, allow));
    ck_assert_str_eq(allow, "");
}
END_TEST

START_TEST(too_many_parts_do_not_fit)
{
    ck_assert(routes_match("/:a/:b/:c/:d/:e/:f", "/1/2/3/4/5/6", parts, &count));
    ck_assert(!routes_match("/:a/:b/:c/:d/:e/:f/:g", "/1/2/3/4/5/6/7", parts, &count));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_route");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, literal_parts_match);
    tcase_add_test(tcase, variable_parts_are_told);
    tcase_add_test(tcase, the_first_that_fits_counts);
    tcase_add_test(tcase, other_methods_are_told_which_there_are);
    tcase_add_test(tcase, tables_are_searched_in_their_order);
    tcase_add_test(tcase, too_many_parts_do_not_fit);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
