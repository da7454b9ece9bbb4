/* Compares and prints values as RabbitMQ does when it refuses a redeclaration that differs.
 *
 * Both descend DESCENT_MAX levels, which is more than arguments can have. Headers may nest deeper:
 * below that level they are equal when their bytes are, and are printed as "...". Comparing takes n
 * log n steps, so that a client cannot hold up the broker with a table of a hundred
 * thousand keys. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "leveret/base/mem.h"
#include "leveret/wire/table.h"

/* Levels of tables and arrays that are compared and printed; deeper ones are compared as bytes
 * and printed as "...". */
#define DESCENT_MAX (TABLE_DEPTH_MAX + 2)

struct table_entry {
    struct bytes key;
    struct field value;
};

static bool equal(const struct field *a, const struct field *b, unsigned depth);

static int entry_order(const void *left, const void *right)
{
    const struct table_entry *a = left, *b = right;
    size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = len ? memcmp(a->key.at, b->key.at, len) : 0;

    if (order == 0 && a->key.len != b->key.len)
        order = a->key.len < b->key.len ? -1 : 1;
    if (order == 0) /* the same key twice: in the order of the table, which the addresses tell */
        order = a->key.at < b->key.at ? -1 : a->key.at > b->key.at;
    return order;
}

static size_t count_entries(struct bytes table)
{
    struct reader r = reader_of(table);
    struct bytes key;
    struct field value;
    size_t count = 0;

    while (table_next(&r, &key, &value))
        count++;
    return count;
}

static void sort_entries(struct bytes table, struct table_entry *out, size_t count)
{
    struct reader r = reader_of(table);

    for (size_t i = 0; i < count; i++) {
        if (!table_next(&r, &out[i].key, &out[i].value))
            break;
    }
    qsort(out, count, sizeof *out, entry_order);
}

static bool tables_equal(struct bytes a, struct bytes b, unsigned depth)
{
    size_t count = count_entries(a);

    if (bytes_equal(a, b))
        return true;
    if (count != count_entries(b) || depth == DESCENT_MAX)
        return false;
    if (count == 0)
        return true;
    struct table_entry *entries = mem_need_array(NULL, 2 * count, sizeof *entries);
    bool same = true;
    sort_entries(a, entries, count);
    sort_entries(b, entries + count, count);
    for (size_t i = 0; same && i < count; i++) {
        same = bytes_equal(entries[i].key, entries[count + i].key) &&
               equal(&entries[i].value, &entries[count + i].value, depth + 1);
    }
    free(entries);
    return same;
}

static bool arrays_equal(struct bytes a, struct bytes b, unsigned depth)
{
    struct reader ra = reader_of(a), rb = reader_of(b);
    struct field va, vb;

    if (bytes_equal(a, b))
        return true;
    if (depth == DESCENT_MAX)
        return false;
    for (;;) {
        bool more = array_next(&ra, &va);
        if (array_next(&rb, &vb) != more)
            return false;
        if (!more)
            return true;
        if (!equal(&va, &vb, depth + 1))
            return false;
    }
}

static bool is_real(const struct field *value)
{
    return value->type == FIELD_FLOAT || value->type == FIELD_DOUBLE;
}

static bool equal(const struct field *a, const struct field *b, unsigned depth)
{
    int64_t ia, ib;

    if (field_integer(a, &ia))
        return field_integer(b, &ib) && ia == ib;
    if (is_real(a)) {
        if (!is_real(b))
            return false;
        return a->value.real == b->value.real || (isnan(a->value.real) && isnan(b->value.real));
    }
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case FIELD_BOOL:
        return a->value.integer == b->value.integer;
    case FIELD_TIMESTAMP:
        return a->value.timestamp == b->value.timestamp;
    case FIELD_DECIMAL:
        return a->value.decimal.scale == b->value.decimal.scale &&
               a->value.decimal.digits == b->value.decimal.digits;
    case FIELD_STRING:
    case FIELD_BYTES:
        return bytes_equal(a->value.bytes, b->value.bytes);
    case FIELD_TABLE:
        return tables_equal(a->value.bytes, b->value.bytes, depth);
    case FIELD_ARRAY:
        return arrays_equal(a->value.bytes, b->value.bytes, depth);
    default:
        return true; /* void */
    }
}

bool field_equal(const struct field *a, const struct field *b)
{
    return equal(a, b, 0);
}

static void print(struct text *out, const struct field *value, unsigned depth);

/* Prints an Erlang binary, as RabbitMQ shows a string inside a table. */
static void print_binary(struct text *out, struct bytes bytes)
{
    text_printf(out, "<<\"");
    text_add_bytes(out, bytes);
    text_printf(out, "\">>");
}

static void print_typed(struct text *out, const struct field *value, unsigned depth)
{
    text_printf(out, "%s,", field_type_name(value->type));
    if (value->type == FIELD_STRING || value->type == FIELD_BYTES)
        print_binary(out, value->value.bytes);
    else
        print(out, value, depth);
}

static void print_container(struct text *out, const struct field *value, unsigned depth)
{
    struct reader r = reader_of(value->value.bytes);
    struct bytes key;
    struct field inner;
    bool table = value->type == FIELD_TABLE;
    const char *between = "";

    if (depth == DESCENT_MAX) {
        text_printf(out, "...");
        return;
    }
    text_printf(out, "[");
    while (table ? table_next(&r, &key, &inner) : array_next(&r, &inner)) {
        text_printf(out, "%s{", between);
        if (table) {
            print_binary(out, key);
            text_printf(out, ",");
        }
        print_typed(out, &inner, depth + 1);
        text_printf(out, "}");
        between = ",";
    }
    text_printf(out, "]");
}

/* Prints the shortest form that reads back as the same number, with a point or an exponent. */
static void print_real(struct text *out, double real)
{
    char digits[40];

    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        if (strtod(digits, NULL) == real)
            break;
    }
    text_printf(out, "%s%s", digits, strpbrk(digits, ".en") ? "" : ".0");
}

static void print(struct text *out, const struct field *value, unsigned depth)
{
    int64_t integer;

    if (field_integer(value, &integer)) {
        text_printf(out, "%" PRId64, integer);
        return;
    }
    switch (value->type) {
    case FIELD_BOOL:
        text_printf(out, "%s", value->value.integer ? "true" : "false");
        break;
    case FIELD_TIMESTAMP:
        text_printf(out, "%" PRIu64, value->value.timestamp);
        break;
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        print_real(out, value->value.real);
        break;
    case FIELD_DECIMAL:
        text_printf(out, "{%u,%" PRId32 "}", value->value.decimal.scale,
                    value->value.decimal.digits);
        break;
    case FIELD_STRING:
    case FIELD_BYTES:
        text_add_bytes(out, value->value.bytes);
        break;
    case FIELD_TABLE:
    case FIELD_ARRAY:
        print_container(out, value, depth);
        break;
    default:
        text_printf(out, "undefined");
        break;
    }
}

void field_print(struct text *out, const struct field *value)
{
    print(out, value, 0);
}

void field_print_term(struct text *out, const struct field *value)
{
    bool binary = value->type == FIELD_STRING;
    text_printf(out, "%s", binary ? "<<\"" : "");
    field_print(out, value);
    text_printf(out, "%s", binary ? "\">>" : "");
}
