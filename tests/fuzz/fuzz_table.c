/* Tables: the readers stay in bounds on any bytes; a table that passes the check can be walked to
 * its end, rebuilt, compared and printed. */
#include "leveret/base/check.h"
#include "leveret/wire/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns how many values there are, all nested ones included. */
static size_t walk(struct bytes contents, bool array, unsigned depth, bool checked)
{
    struct reader r = reader_of(contents);
    struct bytes key;
    struct field value;
    size_t count = 0;

    CHECK(!checked || depth < TABLE_DEPTH_MAX);
    if (depth == TABLE_DEPTH_MAX)
        return 0;
    while (array ? array_next(&r, &value) : table_next(&r, &key, &value)) {
        count++;
        if (value.type == FIELD_TABLE || value.type == FIELD_ARRAY)
            count += walk(value.value.bytes, value.type == FIELD_ARRAY, depth + 1, checked);
    }
    CHECK(!checked || (!r.failed && r.at == r.end));
    return count;
}

/* Rebuilt tables are equal, and pass: 'L' has become 'l', booleans 0 or 1. */
static void rebuild(struct bytes contents)
{
    struct reader r = reader_of(contents);
    struct text again = {0}, printed = {0};
    struct bytes key;
    struct field value, found;

    while (table_next(&r, &key, &value)) {
        int64_t integer;
        table_put_field(&again, key, &value);
        CHECK(table_find_bytes(contents, key, &found));
        CHECK(field_equal(&value, &value));
        (void)field_integer(&value, &integer);
        (void)field_type_name(value.type);
    }
    CHECK(again.len == contents.len && table_check(text_bytes(&again)) == STATUS_OK);
    struct field before = {.type = FIELD_TABLE, .value.bytes = contents};
    struct field after = {.type = FIELD_TABLE, .value.bytes = text_bytes(&again)};
    CHECK(field_equal(&before, &after) && field_equal(&after, &before));
    field_print(&printed, &before);
    text_free(&printed);
    text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes contents = bytes_of(data, size);
    enum status status = table_check(contents);

    CHECK(status == STATUS_OK || status == STATUS_MALFORMED || status == STATUS_LIMIT);
    enum status as_headers = table_check_headers(contents);
    CHECK(as_headers == status || (status == STATUS_LIMIT && as_headers != STATUS_LIMIT));
    size_t count = walk(contents, false, 0, status == STATUS_OK);
    CHECK(count <= size);
    if (status == STATUS_OK)
        rebuild(contents);

    /* Both halves as tables, for comparing what is not the same. */
    struct bytes left = bytes_of(data, size / 2);
    struct bytes right = bytes_of(data + size / 2, size - size / 2);
    if (table_check(left) == STATUS_OK && table_check(right) == STATUS_OK) {
        struct field a = {.type = FIELD_TABLE, .value.bytes = left};
        struct field b = {.type = FIELD_TABLE, .value.bytes = right};
        CHECK(field_equal(&a, &b) == field_equal(&b, &a));
    }
    return 0;
}
