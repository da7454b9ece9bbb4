/* Typed fields of JSON objects: what is taken, what is missing, what is refused and how. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/json/arguments.h"
#include "admin/json/form.h"

static struct value *json;
static struct form form;
static char why[VALUE_WHY_MAX];

static void tear_down(void)
{
    if (json)
        value_free(&json);
}

static void read_json(const char *text)
{
    if (json)
        value_free(&json);
    ck_assert_msg(value_parse(bytes_of_text(text), &json, why) == STATUS_OK, "%s", text);
    form = form_of(json);
}

/* The values that are of another type than the field's, each with its name in the error. */
static const char *const wrong_values[][2] = {
    {"null", "null"},      {"true", "a boolean"}, {"7", "a number"},          {"7.5", "a fraction"},
    {"\"x\"", "a string"}, {"[1]", "a list"},     {"{\"a\":1}", "an object"},
};

/* Reads the field "f" as one kind or the other. */
static void read_bool(void)
{
    ck_assert(form_bool(&form, "f", true));
}

static void read_int(void)
{
    ck_assert_int_eq(form_int(&form, "f", 42, 0, 100), 42);
}

static void read_text(void)
{
    ck_assert_str_eq(form_text(&form, "f", "otherwise"), "otherwise");
}

static void read_bytes_field(void)
{
    ck_assert(bytes_equal_text(form_bytes(&form, "f", BYTES_LITERAL("o")), "o"));
}

static void read_name(void)
{
    ck_assert(bytes_equal_text(form_name(&form, "f", BYTES_LITERAL("o")), "o"));
}

static void read_list(void)
{
    ck_assert_ptr_null(form_list(&form, "f"));
}

static void read_map(void)
{
    ck_assert_ptr_null(form_map(&form, "f"));
}

static void read_table(void)
{
    struct text out = {0};
    form_table(&form, "f", &out);
    ck_assert_uint_eq(out.len, 0);
    text_free(&out);
}

static const struct {
    void (*read)(void);
    const char *wants;
    unsigned takes; /* bit i: wrong_values[i] is of the right type */
} readers[] = {
    {read_bool, "a boolean", 1u << 1}, {read_int, "an integer", 1u << 2},
    {read_text, "a string", 1u << 4},  {read_bytes_field, "a string", 1u << 4},
    {read_name, "a string", 1u << 4},  {read_list, "a list", 1u << 5},
    {read_map, "an object", 1u << 6},  {read_table, "an object", 1u << 6},
};

START_TEST(each_reader_refuses_each_other_type)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        for (size_t j = 0; j < sizeof wrong_values / sizeof *wrong_values; j++) {
            char text[64], expected[128];
            if (readers[i].takes & (1u << j))
                continue;
            snprintf(text, sizeof text, "{\"f\":%s}", wrong_values[j][0]);
            snprintf(expected, sizeof expected, "f: must be %s, not %s", readers[i].wants,
                     wrong_values[j][1]);
            read_json(text);
            readers[i].read();
            ck_assert(!form_ok(&form));
            ck_assert_str_eq(form.wrong, expected);
        }
}
END_TEST

START_TEST(a_missing_field_is_no_error)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        read_json("{\"g\":null}");
        readers[i].read();
        ck_assert(form_ok(&form));
        form = form_of(NULL);
        readers[i].read();
        ck_assert(form_ok(&form));
    }
}
END_TEST

START_TEST(right_values_are_read)
{
    struct text table = {0};
    struct field field;
    read_json("{\"b\":false,\"bt\":\"true\",\"bf\":\"false\",\"i\":-3,\"it\":\"-12\",\"s\":\"x\","
              "\"z\":\"a\\u0000b\",\"l\":[1,2],\"m\":{\"k\":1},\"e\":[]}");
    ck_assert(!form_bool(&form, "b", true) && form_bool(&form, "bt", false));
    ck_assert(!form_bool(&form, "bf", true));
    ck_assert_int_eq(form_int(&form, "i", 0, -3, -3), -3);
    ck_assert_int_eq(form_int_or_text(&form, "i", 0, -9, 9), -3);
    ck_assert_int_eq(form_int_or_text(&form, "it", 0, -99, 99), -12);
    ck_assert_str_eq(form_text(&form, "s", NULL), "x");
    ck_assert_uint_eq(form_bytes(&form, "z", bytes_of("", 0)).len, 3);
    ck_assert_uint_eq(form_name(&form, "z", bytes_of("", 0)).len, 3);
    ck_assert_uint_eq(value_count(form_list(&form, "l")), 2);
    ck_assert_uint_eq(value_count(form_map(&form, "m")), 1);
    ck_assert_ptr_null(form_map(&form, "e"));
    form_table(&form, "m", &table);
    ck_assert(table_find(text_bytes(&table), "k", &field) && field.value.integer == 1);
    form_table(&form, "e", &table);
    ck_assert(form_has(&form, "z") && !form_has(&form, "zz"));
    ck_assert_msg(form_ok(&form), "%s", form.wrong);
    text_free(&table);
}
END_TEST

static void expect_wrong(const char *start)
{
    ck_assert_msg(strncmp(form.wrong, start, strlen(start)) == 0, "'%s' instead of '%s'",
                  form.wrong, start);
}

START_TEST(values_out_of_bounds_are_refused)
{
    char text[400];
    read_json("{\"i\":101}");
    ck_assert_int_eq(form_int(&form, "i", 5, 0, 100), 5);
    expect_wrong("i: 101 is not between 0 and 100");
    read_json("{\"i\":\"9223372036854775808\"}");
    ck_assert_int_eq(form_int_or_text(&form, "i", 5, 0, INT64_MAX), 5);
    expect_wrong("i: must be an integer");
    read_json("{\"i\":\"12x\"}");
    ck_assert_int_eq(form_int_or_text(&form, "i", 5, 0, 100), 5);
    expect_wrong("i: must be an integer");
    read_json("{\"s\":\"a\\u0000b\"}");
    ck_assert_ptr_null(form_text(&form, "s", NULL));
    expect_wrong("s: must not contain a NUL");
    snprintf(text, sizeof text, "{\"n\":\"%0256d\"}", 0);
    read_json(text);
    ck_assert_uint_eq(form_name(&form, "n", bytes_of("", 0)).len, 0);
    expect_wrong("n: longer than 255 bytes");
    snprintf(text, sizeof text, "{\"n\":\"%0255d\"}", 0);
    read_json(text);
    ck_assert_uint_eq(form_name(&form, "n", bytes_of("", 0)).len, 255);
    ck_assert(form_ok(&form));
}
END_TEST

START_TEST(the_first_error_stays)
{
    static const char *const keys[] = {"a", "c", "d", NULL};
    read_json("{\"a\":null,\"b\":5}");
    ck_assert(form_bool(&form, "a", true));
    ck_assert_ptr_null(form_text(&form, "b", NULL));
    form_refuse(&form, "b", "no good");
    form_need(&form, keys);
    ck_assert_str_eq(form.wrong, "a: must be a boolean, not null");
    read_json("{\"a\":null,\"b\":5}");
    form_need(&form, keys);
    ck_assert_str_eq(form.wrong, "[{key_missing,c},{key_missing,d}]");
    read_json("[]");
    ck_assert_str_eq(form.wrong, "must be an object, not a list");
    form_need(&form, keys);
    ck_assert_str_eq(form.wrong, "must be an object, not a list");
    read_json("{}");
    form_refuse(&form, "b", "no %s", "good");
    ck_assert_str_eq(form.wrong, "b: no good");
}
END_TEST

START_TEST(long_keys_in_errors_are_cut)
{
    char key[2 * FORM_WRONG_BYTES_MAX];
    const char *keys[] = {key, key, NULL};
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    read_json("{}");
    form_refuse(&form, key, "x");
    ck_assert(!form_ok(&form));
    ck_assert_uint_eq(strlen(form.wrong), FORM_WRONG_BYTES_MAX - 1);
    read_json("{}");
    form_need(&form, keys);
    ck_assert(!form_ok(&form));
    ck_assert_uint_lt(strlen(form.wrong), FORM_WRONG_BYTES_MAX);
}
END_TEST

/* {"f": …} with count entries: keys of an object, or elements of a list within one. */
static void read_many(unsigned count, bool list)
{
    struct text text = {0};
    text_printf(&text, list ? "{\"f\":{\"l\":[" : "{\"f\":{");
    for (unsigned i = 0; i < count; i++)
        text_printf(&text, list ? "%s1" : "%s\"%u\":1", i ? "," : "", i);
    text_printf(&text, list ? "]}}%c" : "}}%c", '\0');
    read_json((const char *)text.at);
    text_free(&text);
}

START_TEST(tables_are_bounded)
{
    struct text out = {0};
    read_many(ARGUMENTS_ENTRIES_MAX, false);
    form_table(&form, "f", &out);
    ck_assert_msg(form_ok(&form), "%s", form.wrong);
    ck_assert_int_eq(table_check(text_bytes(&out)), STATUS_OK);
    out.len = 0;
    read_many(ARGUMENTS_ENTRIES_MAX + 1, false);
    read_table();
    expect_wrong("f: nested too deep, or with too many entries or bytes");
    read_many(ARGUMENTS_ENTRIES_MAX - 1, true);
    form_table(&form, "f", &out);
    ck_assert_msg(form_ok(&form), "%s", form.wrong);
    read_many(ARGUMENTS_ENTRIES_MAX, true);
    read_table();
    expect_wrong("f: nested too deep");
    out.len = 0;
    text_printf(&out, "{\"f\":{\"k\":\"%0*d\"}}%c", (int)ARGUMENTS_BYTES_MAX, 0, '\0');
    read_json((const char *)out.at);
    read_table();
    expect_wrong("f: nested too deep");
    out.len = 0;
    text_printf(&out, "{\"f\":{\"%0256d\":1}}%c", 0, '\0');
    read_json((const char *)out.at);
    read_table();
    expect_wrong("f: must be an object whose keys have at most 255 bytes");
    text_free(&out);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_reader_refuses_each_other_type,
        a_missing_field_is_no_error,
        right_values_are_read,
        values_out_of_bounds_are_refused,
        the_first_error_stays,
        long_keys_in_errors_are_cut,
        tables_are_bounded,
    };
    Suite *suite = suite_create("form");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
