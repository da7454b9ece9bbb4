/* wire/table: every type, building and reading, checking of hostile tables, comparing, printing,
 * sorting. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/wire/table.h"
#include "leveret/wire/table_sort.h"
#include "wire_random.h"

static struct wire_random wire_random;

static enum status check_exactly(const void *at, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    ck_assert_ptr_nonnull(copy);
    if (len)
        memcpy(copy, at, len);
    enum status status = table_check(bytes_of(copy, len));
    free(copy);
    return status;
}

#define CHECK_LITERAL(literal) check_exactly(literal, sizeof(literal) - 1)

static struct field integer_field(enum field_type type, int64_t value)
{
    return (struct field){.type = type, .value.integer = value};
}

static struct field real_field(enum field_type type, double value)
{
    return (struct field){.type = type, .value.real = value};
}

static struct field bytes_field(enum field_type type, struct bytes value)
{
    return (struct field){.type = type, .value.bytes = value};
}

START_TEST(every_type_by_its_bytes)
{
    static const char wire[] = "\1a"
                               "t\2"
                               "\1b"
                               "b\xff"
                               "\1c"
                               "B\xff"
                               "\1d"
                               "s\xff\xfe"
                               "\1e"
                               "u\xff\xfe"
                               "\1f"
                               "I\xff\xff\xff\xfd"
                               "\1g"
                               "i\xff\xff\xff\xfd"
                               "\1h"
                               "l\xff\xff\xff\xff\xff\xff\xff\xfc"
                               "\1i"
                               "L\x7f\xff\xff\xff\xff\xff\xff\xff"
                               "\1j"
                               "f\x3f\xc0\0\0"
                               "\1k"
                               "d\x40\x09\x21\xfb\x54\x44\x2d\x18"
                               "\1l"
                               "D\2\0\0\1\x3a"
                               "\1m"
                               "S\0\0\0\2hi"
                               "\1n"
                               "x\0\0\0\1\0"
                               "\1o"
                               "A\0\0\0\3t\1V"
                               "\1p"
                               "T\0\0\0\0\x60\0\0\0"
                               "\1q"
                               "F\0\0\0\3\1zV"
                               "\1r"
                               "V";
    static const int64_t integers[] = {1, -1, 255, -2, 65534, -3, 4294967293, -4, INT64_MAX};
    static const char types[] = "tbBsuIillfdDSxATFV";
    struct bytes contents = bytes_of(wire, sizeof wire - 1);
    struct reader r = reader_of(contents);
    struct bytes key;
    struct field f[18];

    ck_assert_int_eq(check_exactly(wire, sizeof wire - 1), STATUS_OK);
    for (size_t i = 0; i < 18; i++) {
        ck_assert(table_next(&r, &key, &f[i]));
        ck_assert_uint_eq(key.len, 1);
        ck_assert_uint_eq(key.at[0], 'a' + i);
        ck_assert_int_eq(f[i].type, types[i]);
        if (i < 9)
            ck_assert_int_eq(f[i].value.integer, integers[i]);
    }
    ck_assert(!table_next(&r, &key, &f[0]) && !r.failed);
    ck_assert_double_eq(f[9].value.real, 1.5);
    ck_assert_double_eq(f[10].value.real, 3.141592653589793);
    ck_assert_uint_eq(f[11].value.decimal.scale, 2);
    ck_assert_int_eq(f[11].value.decimal.digits, 314);
    ck_assert(bytes_equal_text(f[12].value.bytes, "hi"));
    ck_assert_uint_eq(f[13].value.bytes.len, 1);
    ck_assert_uint_eq(f[15].value.timestamp, 0x60000000);
    struct reader array = reader_of(f[14].value.bytes);
    struct field element;
    ck_assert(array_next(&array, &element) && element.type == FIELD_BOOL);
    ck_assert(array_next(&array, &element) && element.type == FIELD_VOID);
    ck_assert(!array_next(&array, &element) && !array.failed);
    ck_assert(table_find(f[16].value.bytes, "z", &element) && element.type == FIELD_VOID);
}
END_TEST

START_TEST(random_tables_pass_and_are_rebuilt)
{
    for (int round = 0; round < 3000; round++) {
        wire_random.used = 0;
        struct bytes table = random_table(&wire_random, 5);
        struct reader r = reader_of(table);
        struct bytes key;
        struct field value;
        struct text again = {0};
        ck_assert_int_eq(check_exactly(table.at, table.len), STATUS_OK);
        while (table_next(&r, &key, &value))
            table_put_field(&again, key, &value);
        ck_assert(!r.failed);
        ck_assert(bytes_equal(table, text_bytes(&again)));
        text_free(&again);
    }
}
END_TEST

/* A table cut short is malformed, or, cut between two entries, a shorter one. */
START_TEST(cut_short_at_every_length)
{
    for (int round = 0; round < 100; round++) {
        wire_random.used = 0;
        struct bytes table = random_table(&wire_random, 4);
        struct reader r = reader_of(table);
        struct bytes key;
        struct field value;
        size_t next_end = 0;
        for (size_t cut = 0; cut < table.len; cut++) {
            bool between = cut == next_end;
            ck_assert_int_eq(check_exactly(table.at, cut), between ? STATUS_OK : STATUS_MALFORMED);
            if (between && table_next(&r, &key, &value))
                next_end = (size_t)(r.at - table.at);
        }
    }
}
END_TEST

START_TEST(hostile_tables)
{
    ck_assert_int_eq(check_exactly(NULL, 0), STATUS_OK);
    ck_assert_int_eq(CHECK_LITERAL("\0V"), STATUS_OK);
    ck_assert_int_eq(CHECK_LITERAL("\xff"
                                   "a"),
                     STATUS_MALFORMED);
    ck_assert_int_eq(CHECK_LITERAL("\1aS\xff\xff\xff\xff"), STATUS_MALFORMED);
    ck_assert_int_eq(CHECK_LITERAL("\1aS\x7f\xff\xff\xffx"), STATUS_MALFORMED);
    ck_assert_int_eq(CHECK_LITERAL("\1aF\xff\xff\xff\xff"), STATUS_MALFORMED);
    ck_assert_int_eq(CHECK_LITERAL("\1aA\0\0\0\2V"), STATUS_MALFORMED);
    /* An inner value that reaches beyond its own table, but not beyond the outer one. */
    ck_assert_int_eq(CHECK_LITERAL("\1aF\0\0\0\4\1bI\0\1cI\0\0\0\0"), STATUS_MALFORMED);
    ck_assert_int_eq(CHECK_LITERAL("\1aA\0\0\0\6S\0\0\0\4ab"
                                   "\1bV"),
                     STATUS_MALFORMED);
    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        uint8_t wire[2 + 9] = {0, (uint8_t)type};
        enum status status = check_exactly(wire, sizeof wire);
        if (!strchr("tbBsuIilLfdDSxAFTV", (int)type) || type == 0)
            ck_assert_int_eq(status, STATUS_MALFORMED);
    }
}
END_TEST

static void nest(struct text *out, unsigned depth, bool arrays)
{
    size_t begin[3 * TABLE_DEPTH_MAX];
    struct field empty = bytes_field(FIELD_ARRAY, bytes_of(NULL, 0));

    for (unsigned i = 0; i < depth; i++)
        begin[i] = i > 0 && arrays ? (array_put_field(out, &empty), out->len)
                   : arrays        ? array_begin(out, "a")
                                   : table_begin(out, "a");
    for (unsigned i = depth; i-- > 0;)
        table_end(out, begin[i]);
}

/* Tables, or arrays, one within the other, with a number of 32 bits in the innermost. */
static struct bytes nest_deep(struct text *out, unsigned depth, bool arrays, int32_t number)
{
    const struct field inner = {.type = FIELD_I32, .value.integer = number};
    unsigned level_bytes = arrays ? 5 : 7; /* of each but the innermost: type, length, key */
    unsigned last_bytes = arrays ? 5 : 7;

    out->len = 0;
    for (unsigned i = 1; i <= depth; i++) {
        uint8_t head[7] = {1, 'k', (uint8_t)(arrays ? FIELD_ARRAY : FIELD_TABLE)};
        struct writer w = writer_of(head + 3, 4);
        write_u32(&w, level_bytes * (depth - i) + last_bytes);
        bool keyed = !arrays || i == 1;
        text_add(out, keyed ? head : head + 2, keyed ? 7 : 5);
    }
    if (arrays)
        array_put_field(out, &inner);
    else
        table_put_field(out, BYTES_LITERAL("n"), &inner);
    return text_bytes(out);
}

/* As deep as a frame has room for; and no C stack is used for it. */
START_TEST(headers_nest_deeper)
{
    for (int arrays = 0; arrays < 2; arrays++) {
        struct text one = {0}, same = {0}, other = {0}, printed = {0};
        unsigned depth = arrays ? 26000 : 18000;
        struct field a = {.type = FIELD_TABLE, .value.bytes = nest_deep(&one, depth, arrays, 1)};
        struct field b = {.type = FIELD_TABLE, .value.bytes = nest_deep(&same, depth, arrays, 1)};
        struct field c = {.type = FIELD_TABLE, .value.bytes = nest_deep(&other, depth, arrays, 2)};
        ck_assert_int_eq(table_check_headers(a.value.bytes), STATUS_OK);
        ck_assert_int_eq(table_check(a.value.bytes), STATUS_LIMIT);
        ck_assert(field_equal(&a, &b) && field_equal(&b, &a));
        ck_assert(!field_equal(&a, &c) && !field_equal(&c, &a));
        field_print(&printed, &a);
        ck_assert_uint_lt(printed.len, 8192);
        one.at[one.len - 5] = 'Z'; /* the innermost type */
        ck_assert_int_eq(table_check_headers(text_bytes(&one)), STATUS_MALFORMED);
        nest_deep(&one, HEADERS_DEPTH_MAX - 1, arrays, 1);
        ck_assert_int_eq(table_check_headers(text_bytes(&one)), STATUS_OK);
        nest_deep(&one, HEADERS_DEPTH_MAX, arrays, 1);
        ck_assert_int_eq(table_check_headers(text_bytes(&one)), STATUS_LIMIT);
        text_free(&one);
        text_free(&same);
        text_free(&other);
        text_free(&printed);
    }
}
END_TEST

START_TEST(depth_is_bounded)
{
    for (int arrays = 0; arrays < 2; arrays++) {
        for (unsigned inner = 1; inner < 3 * TABLE_DEPTH_MAX; inner++) {
            struct text table = {0};
            nest(&table, inner, arrays);
            ck_assert_int_eq(check_exactly(table.at, table.len),
                             inner < TABLE_DEPTH_MAX ? STATUS_OK : STATUS_LIMIT);
            text_free(&table);
        }
    }
    /* Depth is of nesting, not of how many there are. */
    struct text wide = {0};
    for (int i = 0; i < 1000; i++)
        table_end(&wide, table_begin(&wide, "a"));
    ck_assert_int_eq(check_exactly(wide.at, wide.len), STATUS_OK);
    text_free(&wide);
}
END_TEST

START_TEST(building)
{
    struct text t = {0};
    struct field value, element;

    table_put_bool(&t, "bool", true);
    table_put_i32(&t, "i32", -7);
    table_put_i64(&t, "i64", INT64_MIN);
    table_put_timestamp(&t, "time", 1700000000);
    table_put_string(&t, "string", BYTES_LITERAL("text"));
    size_t inner = table_begin(&t, "table");
    table_put_bool(&t, "nested", false);
    table_end(&t, inner);
    size_t array = array_begin(&t, "array");
    value = integer_field(FIELD_U16, 9);
    array_put_field(&t, &value);
    size_t in_array = array_put_table_begin(&t);
    table_put_i32(&t, "x", 1);
    table_end(&t, in_array);
    array_end(&t, array);

    struct bytes contents = text_bytes(&t);
    ck_assert_int_eq(table_check(contents), STATUS_OK);
    ck_assert(table_find(contents, "bool", &value) && value.value.integer == 1);
    ck_assert(table_find(contents, "i32", &value) && value.value.integer == -7);
    ck_assert(table_find(contents, "i64", &value) && value.value.integer == INT64_MIN);
    ck_assert(table_find(contents, "time", &value) && value.value.timestamp == 1700000000);
    ck_assert(table_find(contents, "string", &value));
    ck_assert(bytes_equal_text(value.value.bytes, "text"));
    ck_assert(table_find(contents, "table", &value));
    ck_assert(table_find(value.value.bytes, "nested", &element));
    ck_assert(table_find_bytes(contents, BYTES_LITERAL("array"), &value));
    struct reader r = reader_of(value.value.bytes);
    ck_assert(array_next(&r, &element) && element.value.integer == 9);
    ck_assert(array_next(&r, &element) && element.type == FIELD_TABLE);
    ck_assert(table_find(element.value.bytes, "x", &value) && value.value.integer == 1);
    ck_assert(!array_next(&r, &element));
    ck_assert(!table_find(contents, "absent", &value));
    text_free(&t);
}
END_TEST

START_TEST(the_first_of_two_keys)
{
    struct text t = {0};
    struct field value;

    table_put_i32(&t, "k", 1);
    table_put_i32(&t, "k", 2);
    ck_assert(table_find(text_bytes(&t), "k", &value) && value.value.integer == 1);
    text_free(&t);
}
END_TEST

START_TEST(integers)
{
    static const char types[] = "bBsuIil", others[] = "tTfdDSxAFV";
    int64_t out;

    for (const char *t = types; *t; t++) {
        struct field f = integer_field((enum field_type) * t, 5);
        ck_assert(field_integer(&f, &out) && out == 5);
    }
    for (const char *t = others; *t; t++) {
        struct field f = integer_field((enum field_type) * t, 5);
        ck_assert(!field_integer(&f, &out));
    }
}
END_TEST

static bool same(struct field a, struct field b)
{
    ck_assert_int_eq(field_equal(&a, &b), field_equal(&b, &a));
    ck_assert(field_equal(&a, &a) && field_equal(&b, &b));
    return field_equal(&a, &b);
}

START_TEST(equality_of_scalars)
{
    struct bytes one = BYTES_LITERAL("1"), two = BYTES_LITERAL("2");

    ck_assert(same(integer_field(FIELD_I8, 5), integer_field(FIELD_I64, 5)));
    ck_assert(same(integer_field(FIELD_U32, 5), integer_field(FIELD_I32, 5)));
    ck_assert(!same(integer_field(FIELD_I32, 5), integer_field(FIELD_I32, 6)));
    ck_assert(!same(integer_field(FIELD_BOOL, 1), integer_field(FIELD_I32, 1)));
    ck_assert(!same(integer_field(FIELD_BOOL, 1), integer_field(FIELD_BOOL, 0)));
    ck_assert(!same(integer_field(FIELD_TIMESTAMP, 1), integer_field(FIELD_I64, 1)));
    ck_assert(same(real_field(FIELD_FLOAT, 1.5), real_field(FIELD_DOUBLE, 1.5)));
    ck_assert(!same(real_field(FIELD_DOUBLE, 1.0), integer_field(FIELD_I32, 1)));
    ck_assert(same(real_field(FIELD_DOUBLE, (double)NAN), real_field(FIELD_DOUBLE, (double)NAN)));
    ck_assert(same(bytes_field(FIELD_STRING, one), bytes_field(FIELD_STRING, one)));
    ck_assert(!same(bytes_field(FIELD_STRING, one), bytes_field(FIELD_STRING, two)));
    ck_assert(!same(bytes_field(FIELD_STRING, one), bytes_field(FIELD_BYTES, one)));
    ck_assert(same(integer_field(FIELD_VOID, 0), integer_field(FIELD_VOID, 0)));
}
END_TEST

START_TEST(equality_of_tables)
{
    struct text a = {0}, b = {0}, c = {0}, empty = {0};

    table_put_i32(&a, "x", 1);
    table_put_string(&a, "y", BYTES_LITERAL("s"));
    table_put_string(&b, "y", BYTES_LITERAL("s"));
    table_put_i64(&b, "x", 1);
    table_put_string(&c, "y", BYTES_LITERAL("s"));
    table_put_i64(&c, "z", 1);
    struct field fa = bytes_field(FIELD_TABLE, text_bytes(&a));
    struct field fb = bytes_field(FIELD_TABLE, text_bytes(&b));
    struct field fc = bytes_field(FIELD_TABLE, text_bytes(&c));
    struct field fe = bytes_field(FIELD_TABLE, text_bytes(&empty));
    ck_assert(same(fa, fb));
    ck_assert(!same(fa, fc));
    ck_assert(!same(fa, fe));
    ck_assert(same(fe, fe));
    /* The same within each other; arrays keep their order. */
    struct text ta = {0}, tb = {0}, tc = {0};
    array_put_field(&ta, &fa);
    array_put_field(&ta, &fc);
    array_put_field(&tb, &fb);
    array_put_field(&tb, &fc);
    array_put_field(&tc, &fc);
    array_put_field(&tc, &fb);
    ck_assert(
        same(bytes_field(FIELD_ARRAY, text_bytes(&ta)), bytes_field(FIELD_ARRAY, text_bytes(&tb))));
    ck_assert(!same(bytes_field(FIELD_ARRAY, text_bytes(&ta)),
                    bytes_field(FIELD_ARRAY, text_bytes(&tc))));
    ck_assert(!same(bytes_field(FIELD_ARRAY, text_bytes(&ta)), fe));
    text_free(&a);
    text_free(&b);
    text_free(&c);
    text_free(&ta);
    text_free(&tb);
    text_free(&tc);
}
END_TEST

/* Sixty thousand entries, the other way round: quick, or the test's time is over. */
START_TEST(equality_of_large_tables)
{
    struct text up = {0}, down = {0};
    char key[16];

    for (int i = 0; i < 60000; i++) {
        snprintf(key, sizeof key, "%d", i);
        table_put_bool(&up, key, true);
        snprintf(key, sizeof key, "%d", 59999 - i);
        table_put_bool(&down, key, true);
    }
    ck_assert(same(bytes_field(FIELD_TABLE, text_bytes(&up)),
                   bytes_field(FIELD_TABLE, text_bytes(&down))));
    text_free(&up);
    text_free(&down);
}
END_TEST

static void prints(struct field value, const char *expected)
{
    struct text out = {0};

    field_print(&out, &value);
    ck_assert_msg(bytes_equal_text(text_bytes(&out), expected), "'%.*s' is not '%s'",
                  BYTES_PRINT(text_bytes(&out)), expected);
    text_free(&out);
}

START_TEST(printing)
{
    struct text t = {0};
    struct field decimal = {.type = FIELD_DECIMAL, .value.decimal = {2, -314}};

    prints(integer_field(FIELD_I32, -10), "-10");
    prints(integer_field(FIELD_BOOL, 1), "true");
    prints(integer_field(FIELD_BOOL, 0), "false");
    prints(integer_field(FIELD_VOID, 0), "undefined");
    prints(real_field(FIELD_DOUBLE, 0.1), "0.1");
    prints(real_field(FIELD_DOUBLE, 3), "3.0");
    prints(decimal, "{2,-314}");
    prints(bytes_field(FIELD_STRING, BYTES_LITERAL("text")), "text");
    table_put_i32(&t, "a", 1);
    size_t array = array_begin(&t, "b");
    struct field element = bytes_field(FIELD_STRING, BYTES_LITERAL("x"));
    array_put_field(&t, &element);
    array_put_field(&t, &element);
    array_end(&t, array);
    prints(bytes_field(FIELD_TABLE, text_bytes(&t)),
           "[{<<\"a\">>,signedint,1},"
           "{<<\"b\">>,array,[{longstr,<<\"x\">>},{longstr,<<\"x\">>}]}]");
    ck_assert_str_eq(field_type_name(FIELD_I32), "signedint");
    ck_assert_str_eq(field_type_name(FIELD_STRING), "longstr");
    ck_assert_str_eq(field_type_name((enum field_type)'?'), "unknown");
    text_free(&t);
}
END_TEST

START_TEST(sorted)
{
    struct text one = {0}, two = {0}, scratch = {0};
    static const char *const in_order[] = {"", "a", "aa", "b"};
    static const int mixed[] = {2, 3, 0, 1};
    for (int i = 0; i < 4; i++) {
        table_put_i32(&one, in_order[i], i);
        table_put_i32(&two, in_order[mixed[i]], mixed[i]);
    }
    table_put_i32(&one, "b", 9); /* of one key twice the order stays */
    table_put_i32(&two, "b", 9);
    struct bytes same = table_sorted(text_bytes(&one), &scratch);
    ck_assert_ptr_eq(same.at, one.at);
    ck_assert(bytes_equal(table_sorted(text_bytes(&two), &scratch), text_bytes(&one)));
    ck_assert_uint_eq(table_sorted((struct bytes){0}, &scratch).len, 0);
    text_free(&one);
    text_free(&two);
    text_free(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *read = tcase_create("check and read");
    TCase *build = tcase_create("build");
    TCase *compare = tcase_create("compare and print");

    wire_random.stream.state = wire_random_seed("test_table");
    tcase_add_test(read, every_type_by_its_bytes);
    tcase_add_test(read, random_tables_pass_and_are_rebuilt);
    tcase_add_test(read, cut_short_at_every_length);
    tcase_add_test(read, hostile_tables);
    tcase_add_test(read, depth_is_bounded);
    tcase_add_test(read, headers_nest_deeper);
    tcase_add_test(build, building);
    tcase_add_test(build, the_first_of_two_keys);
    tcase_add_test(compare, integers);
    tcase_add_test(compare, equality_of_scalars);
    tcase_add_test(compare, equality_of_tables);
    tcase_add_test(compare, equality_of_large_tables);
    tcase_add_test(compare, printing);
    tcase_add_test(compare, sorted);
    suite_add_tcase(suite, read);
    suite_add_tcase(suite, build);
    suite_add_tcase(suite, compare);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
