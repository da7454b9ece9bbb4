/* leveretctl's tables: alignment, escaping, TSV; values as they are shown; base64. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/output/column.h"
#include "ctl/output/table.h"
#include "ctl/output/value.h"
#include "leveret/base/base64.h"

static char *printed;
static size_t printed_len;

static FILE *out_open(void)
{
    return open_memstream(&printed, &printed_len);
}

/* What was printed is this, and nothing else. */
static void expect(FILE *out, const char *wanted)
{
    fclose(out);
    ck_assert_str_eq(printed, wanted);
    free(printed);
    printed = NULL;
}

static void row(struct table *table, const char *a, const char *b, const char *c)
{
    table_cell(table, bytes_of_text(a));
    table_cell(table, bytes_of_text(b));
    table_cell(table, bytes_of_text(c));
}

static const char *const headings[] = {"name", "messages", "state"};

START_TEST(table_aligns)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, headings, 0);
    row(table, "work", "7", "running");
    row(table, "a-longer-name", "12345", "idle");
    row(table, "none", "", "");
    table_end(&table);
    ck_assert_ptr_null(table);
    expect(out, "name           messages  state\n"
                "work                  7  running\n"
                "a-longer-name     12345  idle\n"
                "none\n");
}
END_TEST

START_TEST(table_aligns_numbers_only)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, NULL, 0);
    row(table, "1.5", "1", "x");
    row(table, "-20", "two", "x");
    table_end(&table);
    expect(out, "1.5  1    x\n"
                "-20  two  x\n");
}
END_TEST

START_TEST(table_counts_characters)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, NULL, 0);
    row(table, "h\xc3\xa4schen", "x", "1");
    row(table, "hare", "y", "2");
    table_end(&table);
    expect(out, "h\xc3\xa4schen  x  1\n"
                "hare     y  2\n");
}
END_TEST

START_TEST(table_escapes_controls)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, NULL, 0);
    row(table, "\x1b[31m", "a\nb\tc",
        "\xc2\x9b"
        "\x7f");
    table_end(&table);
    expect(out, "\\x1b[31m  a\\x0ab\\x09c  \\x9b\\x7f\n");
}
END_TEST

START_TEST(table_of_nothing)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, headings, 0);
    table_end(&table);
    table = table_new(out, FORMAT_TABLE, 3, NULL, 0);
    table_end(&table);
    table = table_new(out, FORMAT_TSV, 3, NULL, 0);
    table_end(&table);
    expect(out, "name  messages  state\n");
}
END_TEST

START_TEST(tsv_escapes)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TSV, 3, headings, 0);
    row(table, "a\tb", "7", "x\\y\r\nz");
    row(table, "", "", "");
    table_end(&table);
    expect(out, "name\tmessages\tstate\n"
                "a\\tb\t7\tx\\\\y\\r\\nz\n"
                "\t\t\n");
}
END_TEST

START_TEST(tsv_streams)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TSV, 3, NULL, 0);
    row(table, "a", "b", "c");
    fflush(out);
    ck_assert_str_eq(printed, "a\tb\tc\n"); /* before the end */
    table_end(&table);
    expect(out, "a\tb\tc\n");
}
END_TEST

START_TEST(table_is_cut)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, headings, 30);
    row(table, "a-name-of-twenty-four-h\xc3\xa4", "7", "running");
    row(table, "short", "12345", "idle");
    table_end(&table);
    expect(out, "name         messages  state\n"
                "a-name-of-\xe2\x80\xa6         7  running\n"
                "short           12345  idle\n");
}
END_TEST

START_TEST(table_is_not_cut_to_nothing)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABLE, 3, NULL, 3);
    row(table, "123456789", "x", "y");
    table_end(&table);
    expect(out, "1234567\xe2\x80\xa6  x  y\n");
}
END_TEST

START_TEST(tabs_have_headings_above_rows_only)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_TABS, 3, headings, 0);
    table_end(&table);
    table = table_new(out, FORMAT_TABS, 3, headings, 0);
    row(table, "a\x1b[31m\n", "", "\\");
    row(table, "b", "1", "2");
    table_end(&table);
    expect(out, "name\tmessages\tstate\n"
                "a\\x1b[31m\\x0a\t\t\\\n"
                "b\t1\t2\n");
}
END_TEST

START_TEST(csv_quotes)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_CSV, 3, headings, 0);
    row(table, "a\"b", "1,5", "");
    table_end(&table);
    expect(out, "\"name\",\"messages\",\"state\"\n"
                "\"a\"\"b\",\"1,5\",\"\"\n");
}
END_TEST

START_TEST(frames)
{
    FILE *out = out_open();
    struct table *table = table_new(out, FORMAT_FRAMES_VT, 3, headings, 0);
    row(table, "q\x1b", "7", "");
    table_end(&table);
    table = table_new(out, FORMAT_FRAMES, 3, NULL, 0);
    table_end(&table);
    expect(out,
           "\x1b(0lqqqqqqqwqqqqqqqqqqwqqqqqqqk\x1b(B\n"
           "\x1b(0x\x1b(B \x1b[1mname\x1b[0m  \x1b(0x\x1b(B \x1b[1mmessages\x1b[0m \x1b(0x\x1b(B "
           "\x1b[1mstate\x1b[0m \x1b(0x\x1b(B\n"
           "\x1b(0tqqqqqqqnqqqqqqqqqqnqqqqqqqu\x1b(B\n"
           "\x1b(0x\x1b(B q\\x1b \x1b(0x\x1b(B 7        \x1b(0x\x1b(B       \x1b(0x\x1b(B\n"
           "\x1b(0mqqqqqqqvqqqqqqqqqqvqqqqqqqj\x1b(B\n");
}
END_TEST

/* ---- Figures and forms. */

static const struct style own = {.format = FORMAT_TABLE};
static const struct style person = {.format = FORMAT_TABLE, .person = true};
static const struct style rabbitmqctl = {.format = FORMAT_TABS, .rabbitmqctl = true};

/* The value of JSON, as a cell of the column with this path. */
static void expect_cell(const struct style *style, const char *path, const char *json,
                        const char *wanted)
{
    struct value *value = value_parse(bytes_of_text(json));
    struct text shown = {0};
    column_show(style, column_kind_of(path), value, &shown);
    text_add(&shown, "", 1);
    ck_assert_str_eq((const char *)shown.at, wanted);
    text_free(&shown);
    value_free(&value);
}

START_TEST(figures_for_people)
{
    expect_cell(&person, "message_bytes", "0", "0 B");
    expect_cell(&person, "message_bytes", "999", "999 B");
    expect_cell(&person, "message_bytes_ready", "1000", "1.0 kB");
    expect_cell(&person, "memory", "11345678", "11.3 MB");
    expect_cell(&person, "memory", "999949999", "999.9 MB");
    expect_cell(&person, "memory", "999950000", "1.0 GB");
    expect_cell(&person, "memory.binary", "1500", "1.5 kB");
    expect_cell(&person, "message_stats.publish_details.rate", "0.193498452", "0.2");
    expect_cell(&person, "node.uptime", "273600000", "3 d 4 h");
    expect_cell(&person, "uptime", "125999", "2 min 5 s");
    expect_cell(&person, "uptime", "3600000", "1 h");
    expect_cell(&person, "uptime", "350", "0.3 s");
    expect_cell(&person, "connected_at", "1796115985999", "2026-12-01 09:06:25");
    expect_cell(&person, "messages", "11345678", "11345678");
    expect_cell(&person, "rates", "0.193498452", "0.193498452");
    expect_cell(&own, "memory", "11345678", "11345678");
    expect_cell(&own, "publish_details.rate", "0.193498452", "0.193498452");
}
END_TEST

START_TEST(forms_of_rabbitmqctl)
{
    expect_cell(&rabbitmqctl, "arguments", "{}", "[]");
    expect_cell(&rabbitmqctl, "arguments",
                "{\"list\":[1,\"x\",true],\"note\":\"a\\\"b\",\"o\":{\"a\":1}}",
                "[{\"list\",[1,\"x\",true]},{\"note\",\"a\\\"b\"},{\"o\",[{\"a\",1}]}]");
    expect_cell(&rabbitmqctl, "tags", "[\"monitoring\",\"management\"]",
                "[monitoring, management]");
    expect_cell(&rabbitmqctl, "tags", "[]", "[]");
    expect_cell(&rabbitmqctl, "definition", "{\"max-length\":10}", "{\"max-length\":10}");
    expect_cell(&rabbitmqctl, "value", "\"text\"", "\"text\"");
    expect_cell(&rabbitmqctl, "name", "\"text\"", "text");
    expect_cell(&rabbitmqctl, "name", "null", "");
    struct value *arguments = value_parse(BYTES_LITERAL("{\"n\":1,\"f\":1.5,\"t\":{\"s\":\"x\"}}"));
    struct value *listed = column_json(&rabbitmqctl, COLUMN_TERM, arguments);
    struct text shown = {0};
    value_encode(listed, &shown);
    text_add(&shown, "", 1);
    ck_assert_str_eq((const char *)shown.at, "[[\"n\",\"long\",1],[\"f\",\"double\",1.5],"
                                             "[\"t\",\"table\",[[\"s\",\"longstr\",\"x\"]]]]");
    text_free(&shown);
    value_free(&listed);
    value_free(&arguments);
}
END_TEST

/* value_show of what the path leads to. */
static void expect_shown(const char *json, const char *path, const char *wanted)
{
    struct value *root = value_parse(bytes_of_text(json));
    struct text shown = {0};
    ck_assert_ptr_nonnull(root);
    value_show(value_get(root, path), &shown);
    text_add(&shown, "", 1);
    ck_assert_str_eq((const char *)shown.at, wanted);
    text_free(&shown);
    value_free(&root);
}

START_TEST(values_shown)
{
    expect_shown("{\"a\":\"x y\"}", "a", "x y");
    expect_shown("{\"a\":12}", "a", "12");
    expect_shown("{\"a\":0.25}", "a", "0.25");
    expect_shown("{\"a\":true}", "a", "true");
    expect_shown("{\"a\":null}", "a", "");
    expect_shown("{\"a\":[]}", "a", "");
    expect_shown("{\"a\":{}}", "a", "");
    expect_shown("{\"a\":[\"x\",\"y\"]}", "a", "x,y");
    expect_shown("{\"a\":[1,\"y\"]}", "a", "[1,\"y\"]");
    expect_shown("{\"a\":{\"b\":1}}", "a", "{\"b\":1}");
    expect_shown("{\"a\":{\"b\":{\"c\":3}}}", "a.b.c", "3");
    expect_shown("{\"a.b\":4}", "a.b", "4");
    expect_shown("{\"a\":1}", "a.b", "");
    expect_shown("[1]", "a", "");
    expect_shown("{}", "a", "");
}
END_TEST

START_TEST(values_bad)
{
    ck_assert_ptr_null(value_parse(bytes_of_text("{")));
    ck_assert_ptr_null(value_parse(bytes_of_text("")));
    ck_assert_ptr_null(value_parse(bytes_of_text("<html>")));
    ck_assert(value_text_valid("h\xc3\xa4schen"));
    ck_assert(!value_text_valid("\xff"));
}
END_TEST

START_TEST(base64_round_trip)
{
    uint8_t plain[256];
    for (unsigned i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof plain; len++) {
        struct text encoded = {0};
        size_t decoded_len;
        base64_encode(&encoded, bytes_of(plain, len));
        ck_assert_uint_eq(encoded.len, (len + 2) / 3 * 4);
        uint8_t *decoded = base64_decode(text_bytes(&encoded), &decoded_len);
        ck_assert(bytes_equal(bytes_of(decoded, decoded_len), bytes_of(plain, len)));
        text_free(&encoded);
        free(decoded);
    }
    struct text known = {0};
    base64_encode(&known, BYTES_LITERAL("hare"));
    ck_assert(bytes_equal_text(text_bytes(&known), "aGFyZQ=="));
    text_free(&known);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ctl");
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, table_aligns);
    tcase_add_test(tests, table_aligns_numbers_only);
    tcase_add_test(tests, table_counts_characters);
    tcase_add_test(tests, table_escapes_controls);
    tcase_add_test(tests, table_of_nothing);
    tcase_add_test(tests, tsv_escapes);
    tcase_add_test(tests, tsv_streams);
    tcase_add_test(tests, table_is_cut);
    tcase_add_test(tests, table_is_not_cut_to_nothing);
    tcase_add_test(tests, tabs_have_headings_above_rows_only);
    tcase_add_test(tests, csv_quotes);
    tcase_add_test(tests, frames);
    tcase_add_test(tests, figures_for_people);
    tcase_add_test(tests, forms_of_rabbitmqctl);
    tcase_add_test(tests, values_shown);
    tcase_add_test(tests, values_bad);
    tcase_add_test(tests, base64_round_trip);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
