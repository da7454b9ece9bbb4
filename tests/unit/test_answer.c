/* JSON of the HTTP API: writing with a column filter, reading, arguments, properties, base64,
 * percent-encoding. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/json/answer.h"
#include "admin/json/arguments.h"
#include "admin/json/columns.h"
#include "admin/json/properties_json.h"
#include "admin/json/url.h"
#include "leveret/base/base64.h"
#include "leveret/base/utf8.h"

static struct answer out;
static struct columns columns;
static char why[VALUE_WHY_MAX];

static void tear_down(void)
{
    answer_free(&out);
    columns_free(&columns);
    out = (struct answer){0};
}

static void expect(const char *json)
{
    ck_assert_uint_eq(out.depth, 0);
    ck_assert_msg(bytes_equal_text(text_bytes(&out.text), json), "%.*s instead of %s",
                  (int)out.text.len, (const char *)out.text.at, json);
}

/* A row as listings have them. */
static void write_row(void)
{
    answer_object(&out, NULL);
    answer_text(&out, "name", "q");
    answer_uint(&out, "messages", 3);
    if (answer_object(&out, "message_stats")) {
        answer_uint(&out, "publish", 7);
        if (answer_object(&out, "publish_details")) {
            answer_real(&out, "rate", 0.5);
            answer_end(&out);
        }
        answer_end(&out);
    }
    if (answer_array(&out, "consumers")) {
        answer_object(&out, NULL);
        answer_text(&out, "tag", "t");
        answer_bool(&out, "active", true);
        answer_end(&out);
        answer_end(&out);
    }
    answer_null(&out, "policy");
    answer_end(&out);
}

/* ---- Writing. */

START_TEST(writes_everything)
{
    write_row();
    expect("{\"name\":\"q\",\"messages\":3,\"message_stats\":{\"publish\":7,\"publish_details\":"
           "{\"rate\":0.5}},\"consumers\":[{\"tag\":\"t\",\"active\":true}],\"policy\":null}");
}
END_TEST

START_TEST(writes_only_columns)
{
    columns_parse(&columns, "messages,message_stats.publish_details.rate,consumers.tag,nonsense.x");
    out.columns = &columns;
    write_row();
    expect("{\"messages\":3,\"message_stats\":{\"publish_details\":{\"rate\":0.5}},"
           "\"consumers\":[{\"tag\":\"t\"}]}");
}
END_TEST

START_TEST(a_column_stands_for_all_below)
{
    columns_parse(&columns, "message_stats");
    out.columns = &columns;
    write_row();
    expect("{\"message_stats\":{\"publish\":7,\"publish_details\":{\"rate\":0.5}}}");
}
END_TEST

START_TEST(too_many_columns_are_dropped)
{
    struct text many = {0};
    for (int i = 0; i < 200; i++)
        text_printf(&many, "c%d,", i);
    text_add(&many, "", 1);
    columns_parse(&columns, (const char *)many.at);
    ck_assert_uint_eq(columns.count, COLUMNS_MAX);
    text_free(&many);
}
END_TEST

START_TEST(columns_may_be_odd)
{
    columns_parse(&columns, ",,a..b,.,c,");
    out.columns = &columns;
    write_row();
    expect("{}");
}
END_TEST

static struct captured capture(const char *column)
{
    struct captured captured = {0};
    struct answer a = {.columns = &columns, .capture = &captured};
    columns_free(&columns);
    columns_parse(&columns, column);
    struct answer kept = out;
    out = a;
    write_row();
    ck_assert_uint_eq(out.text.len, 0);
    out = kept;
    return captured;
}

static void write_made(void)
{
    answer_object(&out, NULL);
    answer_text(&out, "name", "p");
    answer_json(&out, "value", "{\"a\":[1]}");
    answer_end(&out);
}

START_TEST(made_json_is_a_leaf)
{
    write_made();
    expect("{\"name\":\"p\",\"value\":{\"a\":[1]}}");
    tear_down();
    columns_parse(&columns, "name");
    out.columns = &columns;
    write_made();
    expect("{\"name\":\"p\"}");
}
END_TEST

START_TEST(captures_a_number_or_a_text)
{
    struct captured c = capture("message_stats.publish_details.rate");
    ck_assert_int_eq(c.kind, CAPTURED_NUMBER);
    ck_assert(c.number > 0.49 && c.number < 0.51);
    c = capture("messages");
    ck_assert_int_eq(c.kind, CAPTURED_NUMBER);
    ck_assert(c.number > 2.9 && c.number < 3.1);
    c = capture("name");
    ck_assert_int_eq(c.kind, CAPTURED_TEXT);
    ck_assert(bytes_equal_text(text_bytes(&c.text), "q"));
    text_free(&c.text);
    ck_assert_int_eq(capture("nonsense").kind, CAPTURED_NOTHING);
    ck_assert_int_eq(capture("policy").kind, CAPTURED_NOTHING);
}
END_TEST

START_TEST(strings_are_escaped)
{
    answer_array(&out, NULL);
    answer_text(&out, NULL, "a\"b\\c\n\r\t\x01\x7f/");
    answer_bytes(&out, NULL, bytes_of("\0z", 2));
    answer_end(&out);
    expect("[\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f/\",\"\\u0000z\"]");
}
END_TEST

START_TEST(what_is_no_utf8_is_replaced)
{
    answer_array(&out, NULL);
    answer_bytes(&out, NULL, BYTES_LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x87"));
    answer_bytes(&out, NULL,
                 BYTES_LITERAL("a\xff"
                               "b\xc3"));
    answer_bytes(&out, NULL, BYTES_LITERAL("\xc0\x80"));
    answer_bytes(&out, NULL, BYTES_LITERAL("\xed\xa0\x80"));
    answer_end(&out);
    expect("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x87\",\"a\xef\xbf\xbd"
           "b\xef\xbf\xbd\","
           "\"\xef\xbf\xbd\xef\xbf\xbd\",\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
    ck_assert(utf8_valid(BYTES_LITERAL("\xc3\xa9")));
    ck_assert(!utf8_valid(BYTES_LITERAL("\xc3")));
    ck_assert(!utf8_valid(BYTES_LITERAL("\xf4\x90\x80\x80")));
}
END_TEST

START_TEST(reals_look_like_reals)
{
    answer_array(&out, NULL);
    answer_real(&out, NULL, 0);
    answer_real(&out, NULL, 12);
    answer_real(&out, NULL, 0.1);
    answer_real(&out, NULL, 1e300);
    answer_real(&out, NULL, 1.0 / 0.0);
    answer_end(&out);
    expect("[0.0,12.0,0.1,1e+300,null]");
}
END_TEST

START_TEST(depth_has_an_end)
{
    unsigned depth = 0;
    while (answer_array(&out, NULL))
        depth++;
    ck_assert_uint_eq(depth, ANSWER_DEPTH_MAX);
    while (depth--)
        answer_end(&out);
    ck_assert_uint_eq(out.depth, 0);
}
END_TEST

/* ---- Reading. */

static struct value *parse(const char *json)
{
    struct value *value;
    ck_assert_int_eq(value_parse(bytes_of_text(json), &value, why), STATUS_OK);
    return value;
}

START_TEST(values_are_read)
{
    struct value *v = parse("{\"t\":\"x\",\"i\":-3,\"r\":1.5,\"b\":true,\"n\":null,\"l\":[1,2]}");
    ck_assert_int_eq(value_kind_of(v), VALUE_MAP);
    ck_assert_uint_eq(value_count(v), 6);
    ck_assert_str_eq(value_text(value_get(v, "t")), "x");
    ck_assert_int_eq(value_int(value_get(v, "i")), -3);
    ck_assert(value_real(value_get(v, "r")) > 1.4);
    ck_assert(value_true(value_get(v, "b")));
    ck_assert_int_eq(value_kind_of(value_get(v, "n")), VALUE_NULL);
    ck_assert_int_eq(value_int(value_at(value_get(v, "l"), 1)), 2);
    ck_assert_ptr_null(value_at(value_get(v, "l"), 2));
    /* What is missing can be asked on. */
    ck_assert_int_eq(value_kind_of(value_get(value_get(v, "no"), "nor this")), VALUE_NONE);
    ck_assert_ptr_null(value_text(value_get(v, "i")));
    ck_assert_uint_eq(value_count(value_get(v, "no")), 0);
    value_free(&v);
    ck_assert_ptr_null(v);
}
END_TEST

/* A value goes there and back: keys in their order, numbers as they were, anything in strings. */
START_TEST(values_are_written)
{
    static const char *const texts[] = {
        "5",    "-9223372036854775808",    "2.5", "null", "false",
        "\"\"", "\"\\u0000\\\"\xc3\xa9\"", "[]",  "{}",   "{\"b\":[1,{\"a\":null}],\"a\":\"\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct value *value;
        struct text json = {0};
        ck_assert(value_parse(bytes_of_text(texts[i]), &value, why) == STATUS_OK);
        ck_assert(value_write(value, &json) == STATUS_OK);
        ck_assert_msg(bytes_equal_text(text_bytes(&json), texts[i]), "%.*s instead of %s",
                      (int)json.len, (const char *)json.at, texts[i]);
        value_free(&value);
        text_free(&json);
    }
}
END_TEST

START_TEST(malformed_json_is_refused)
{
    static const char *const wrong[] = {"",         "{",      "{\"a\":1,\"a\":2}", "nojson", "{} x",
                                        "\"\xff\"", "[1e999]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct value *v;
        why[0] = '\0';
        ck_assert_int_eq(value_parse(bytes_of_text(wrong[i]), &v, why), STATUS_MALFORMED);
        ck_assert_uint_gt(strlen(why), 0);
    }
}
END_TEST

START_TEST(values_are_counted_unread)
{
    static const struct {
        const char *json;
        size_t count;
    } cases[] = {
        {"1", 1}, {"[1,2,3]", 4}, {"{\"a\":[[]],\"b\":{}}", 6}, {"[\",[{\\\":,\"]", 2}, {"[[[", 4},
        {"", 1},  {"\"\\", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(value_count_in(bytes_of_text(cases[i].json)) == cases[i].count, "%s",
                      cases[i].json);
}
END_TEST

/* ---- Arguments. */

START_TEST(arguments_go_there_and_back)
{
    static const char json[] = "{\"i\":10,\"big\":1099511627776,\"r\":1.5,\"b\":true,\"n\":null,"
                               "\"s\":\"text\",\"l\":[1,\"a\",[2],{\"x\":false}],\"t\":{\"k\":{}}}";
    struct value *v = parse(json);
    struct text table = {0};
    ck_assert_int_eq(arguments_read(v, &table), STATUS_OK);
    ck_assert_int_eq(table_check(text_bytes(&table)), STATUS_OK);
    arguments_write(&out, NULL, text_bytes(&table));
    expect(json);
    text_free(&table);
    value_free(&v);
}
END_TEST

START_TEST(arguments_that_cannot_be)
{
    static const char *const wrong[] = {"3", "\"x\"", "[1]"};
    struct text table = {0}, deep = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct value *v = parse(wrong[i]);
        ck_assert_int_eq(arguments_read(v, &table), STATUS_MALFORMED);
        value_free(&v);
    }
    for (int i = 0; i < 100; i++)
        text_printf(&deep, "{\"a\":");
    text_printf(&deep, "1");
    for (int i = 0; i < 100; i++)
        text_printf(&deep, "}");
    struct value *v;
    ck_assert_int_eq(value_parse(text_bytes(&deep), &v, why), STATUS_OK);
    ck_assert_int_eq(arguments_read(v, &table), STATUS_LIMIT);
    value_free(&v);
    text_free(&deep);
    text_free(&table);
    /* None at all is an empty table, and so is PHP's empty object. */
    ck_assert_int_eq(arguments_read(NULL, &table), STATUS_OK);
    v = parse("[]");
    ck_assert_int_eq(arguments_read(v, &table), STATUS_OK);
    ck_assert_uint_eq(table.len, 0);
    value_free(&v);
}
END_TEST

START_TEST(properties_keys)
{
    struct text key = {0}, a = {0}, b = {0}, other = {0};
    url_binding_key(&key, BYTES_LITERAL("a b/c~d%e#*.\xc3\xa9"), bytes_of("", 0));
    ck_assert(bytes_equal_text(text_bytes(&key), "a+b%2Fc%7Ed%25e%23%2A.%C3%A9"));
    key.len = 0;
    url_binding_key(&key, bytes_of("", 0), bytes_of("", 0));
    ck_assert(bytes_equal_text(text_bytes(&key), "~"));
    table_put_i32(&a, "x", 1);
    table_put_bool(&a, "y", true);
    table_put_bool(&b, "y", true);
    table_put_i32(&b, "x", 1);
    table_put_i32(&other, "x", 2);
    char hash_a[ARGUMENTS_HASH_LEN + 1], hash_b[ARGUMENTS_HASH_LEN + 1];
    arguments_hash(text_bytes(&a), hash_a);
    arguments_hash(text_bytes(&b), hash_b);
    ck_assert_str_eq(hash_a, hash_b);
    arguments_hash(text_bytes(&other), hash_b);
    ck_assert_str_ne(hash_a, hash_b);
    key.len = 0;
    url_binding_key(&key, BYTES_LITERAL("k"), text_bytes(&a));
    ck_assert(bytes_start_with(text_bytes(&key), "k~"));
    text_free(&key);
    text_free(&a);
    text_free(&b);
    text_free(&other);
}
END_TEST

/* ---- Properties. */

START_TEST(properties_go_there_and_back)
{
    static const char json[] =
        "{\"p\":{\"content_type\":\"text/"
        "plain\",\"delivery_mode\":2,\"priority\":9,\"expiration\":\"5\","
        "\"timestamp\":123456,\"user_id\":\"guest\",\"headers\":{\"a\":[1]}}}";
    struct value *v = parse(json);
    struct properties p;
    struct text headers;
    struct form form = form_of(v);
    form_properties(&form, "p", &p, &headers);
    ck_assert_msg(form_ok(&form), "%s", form.wrong);
    ck_assert_uint_eq(p.delivery_mode, 2);
    answer_object(&out, NULL);
    answer_properties(&out, "p", &p);
    answer_end(&out);
    expect(json);
    text_free(&headers);
    value_free(&v);
}
END_TEST

START_TEST(no_properties_are_a_list)
{
    const struct properties none = {0};
    answer_properties(&out, NULL, &none);
    expect("[]");
}
END_TEST

START_TEST(wrong_properties_are_named)
{
    static const struct {
        const char *json, *wrong;
    } cases[] = {
        {"{\"delivery_mode\":\"2\"}", "delivery_mode: must be an integer, not a string"},
        {"{\"delivery_mode\":null}", "delivery_mode: must be an integer, not null"},
        {"{\"priority\":256}", "priority: 256 is not between 0 and 255"},
        {"{\"priority\":-1}", "priority: -1 is not between 0 and 255"},
        {"{\"priority\":1.5}", "priority: must be an integer, not a fraction"},
        {"{\"timestamp\":-1}", "timestamp: -1 is not between 0 and 9223372036854775807"},
        {"{\"expiration\":5}", "expiration: must be a string, not a number"},
        {"{\"user_id\":[]}", "user_id: must be a string, not a list"},
        {"{\"headers\":\"x\"}", "headers: must be an object, not a string"},
        {"{\"headers\":null}", "headers: must be an object, not null"},
        {"[1]", "must be an object, not a list"},
        {"3", "must be an object, not a number"},
        {"null", "must be an object, not null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[100], wrong[100];
        struct properties p;
        struct text headers;
        snprintf(json, sizeof json, "{\"properties\":%s}", cases[i].json);
        snprintf(wrong, sizeof wrong, "properties: %s", cases[i].wrong);
        struct value *v = parse(json);
        struct form form = form_of(v);
        form_properties(&form, "properties", &p, &headers);
        ck_assert_str_eq(form.wrong, wrong);
        text_free(&headers);
        value_free(&v);
    }
}
END_TEST

/* ---- Encodings. */

START_TEST(base64_there_and_back)
{
    static const char *const texts[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct text encoded = {0};
        size_t len;
        base64_encode(&encoded, bytes_of_text(texts[i][0]));
        ck_assert(bytes_equal_text(text_bytes(&encoded), texts[i][1]));
        uint8_t *decoded = base64_decode(text_bytes(&encoded), &len);
        ck_assert(bytes_equal_text(bytes_of(decoded, len), texts[i][0]));
        free(decoded);
        text_free(&encoded);
    }
    size_t len;
    uint8_t *unpadded = base64_decode(BYTES_LITERAL("Zm8"), &len);
    ck_assert(bytes_equal_text(bytes_of(unpadded, len), "fo"));
    free(unpadded);
    ck_assert_ptr_null(base64_decode(BYTES_LITERAL("!!!"), &len));
    ck_assert_ptr_null(base64_decode(BYTES_LITERAL("Zm9vY"), &len));
    ck_assert_ptr_null(base64_decode(BYTES_LITERAL("Zm=v"), &len));
}
END_TEST

START_TEST(urls_are_decoded)
{
    size_t len;
    char *text = url_decode(BYTES_LITERAL("%2Fa+b%zz%4%41%"), false, &len);
    ck_assert_str_eq(text, "/a+b%zz%4A%");
    free(text);
    text = url_decode(BYTES_LITERAL("a+b%00c"), true, &len);
    ck_assert_uint_eq(len, 5);
    ck_assert_int_eq(memcmp(text, "a b\0c", 5), 0);
    free(text);
}
END_TEST

START_TEST(urls_are_sound_or_not)
{
    static const char *const sound[] = {"", "abc", "%2F", "%c3%A9", "a%00b", "\xc3\xa9"};
    static const char *const wrong[] = {"%", "%2", "a%zz", "%%20", "%ff", "\xff", "%c3", "%e2%82"};
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++)
        ck_assert_msg(url_sound(bytes_of_text(sound[i])), "%s", sound[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!url_sound(bytes_of_text(wrong[i])), "%s", wrong[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        writes_everything,
        writes_only_columns,
        a_column_stands_for_all_below,
        too_many_columns_are_dropped,
        columns_may_be_odd,
        made_json_is_a_leaf,
        captures_a_number_or_a_text,
        strings_are_escaped,
        what_is_no_utf8_is_replaced,
        reals_look_like_reals,
        depth_has_an_end,
        values_are_read,
        values_are_written,
        malformed_json_is_refused,
        values_are_counted_unread,
        arguments_go_there_and_back,
        arguments_that_cannot_be,
        properties_keys,
        properties_go_there_and_back,
        no_properties_are_a_list,
        wrong_properties_are_named,
        base64_there_and_back,
        urls_are_decoded,
        urls_are_sound_or_not,
    };
    Suite *suite = suite_create("answer");
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
