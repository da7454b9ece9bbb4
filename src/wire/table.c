/* Checking and reading field tables.
 *
 * The normal course: table_check walks once over a table that has arrived; the bytes are kept as
 * they are, and code that needs a value looks for it with table_next or table_find.
 *
 * What can go wrong, in table_check only: an unknown type, a length that reaches beyond the table
 * or array that it is in, nesting deeper than is allowed. The walk keeps its own stack, so
 * hostile nesting costs no C stack. The readers stay in bounds on an unchecked table too, and end
 * early. */
#include "leveret/wire/table.h"

#include <limits.h>
#include <stdlib.h>

#include "leveret/base/mem.h"

/* The form of the bytes that follow a value's type octet. */
enum layout { LAYOUT_NONE, LAYOUT_FIXED, LAYOUT_STRING, LAYOUT_CONTAINER };

struct type_info {
    uint8_t layout;
    uint8_t bytes; /* of LAYOUT_FIXED */
    const char *name;
};

#define FIELD_I64_ALIAS 'L'

static const struct type_info types[UCHAR_MAX + 1] = {
    [FIELD_BOOL] = {LAYOUT_FIXED, 1, "bool"},
    [FIELD_I8] = {LAYOUT_FIXED, 1, "byte"},
    [FIELD_U8] = {LAYOUT_FIXED, 1, "unsignedbyte"},
    [FIELD_I16] = {LAYOUT_FIXED, 2, "short"},
    [FIELD_U16] = {LAYOUT_FIXED, 2, "unsignedshort"},
    [FIELD_I32] = {LAYOUT_FIXED, 4, "signedint"},
    [FIELD_U32] = {LAYOUT_FIXED, 4, "unsignedint"},
    [FIELD_I64] = {LAYOUT_FIXED, 8, "long"},
    [FIELD_I64_ALIAS] = {LAYOUT_FIXED, 8, "long"},
    [FIELD_FLOAT] = {LAYOUT_FIXED, 4, "float"},
    [FIELD_DOUBLE] = {LAYOUT_FIXED, 8, "double"},
    [FIELD_DECIMAL] = {LAYOUT_FIXED, 5, "decimal"},
    [FIELD_STRING] = {LAYOUT_STRING, 0, "longstr"},
    [FIELD_BYTES] = {LAYOUT_STRING, 0, "binary"},
    [FIELD_ARRAY] = {LAYOUT_CONTAINER, 0, "array"},
    [FIELD_TIMESTAMP] = {LAYOUT_FIXED, 8, "timestamp"},
    [FIELD_TABLE] = {LAYOUT_CONTAINER, 0, "table"},
    [FIELD_VOID] = {LAYOUT_FIXED, 0, "void"},
};

const char *field_type_name(enum field_type type)
{
    const char *name = types[(unsigned char)type].name;

    return name ? name : "unknown";
}

/* The tables and arrays that the walk is in, the outermost first. The first levels are in the
 * caller's array. */
struct within {
    const uint8_t *end;
    bool array;
};

struct walk {
    struct within *at, *few;
    unsigned room, depth, depth_max;
};

static enum status descend(struct walk *walk, const uint8_t *end, bool array)
{
    if (++walk->depth >= walk->depth_max)
        return STATUS_LIMIT;
    if (walk->depth == walk->room) {
        struct within *more = mem_try(2 * (size_t)walk->room * sizeof *more);
        if (!more)
            return STATUS_NO_MEMORY;
        memcpy(more, walk->at, walk->room * sizeof *more);
        if (walk->at != walk->few)
            free(walk->at);
        walk->at = more;
        walk->room *= 2;
    }
    walk->at[walk->depth] = (struct within){end, array};
    return STATUS_OK;
}

/* Checks one value; of a table or array only its length, and the walk goes on inside. */
static enum status check_value(struct walk *walk, struct reader *r)
{
    uint8_t type = read_u8(r);
    switch (types[type].layout) {
    case LAYOUT_FIXED:
        (void)read_bytes(r, types[type].bytes);
        break;
    case LAYOUT_STRING:
        (void)read_long_string(r);
        break;
    case LAYOUT_CONTAINER: {
        uint32_t len = read_u32(r);
        if (r->failed || len > reader_left(r))
            return STATUS_MALFORMED;
        r->end = r->at + len;
        return descend(walk, r->end, type == FIELD_ARRAY);
    }
    default:
        return STATUS_MALFORMED;
    }
    return r->failed ? STATUS_MALFORMED : STATUS_OK;
}

static enum status check(struct walk *walk, struct bytes contents)
{
    struct reader r = reader_of(contents);
    enum status status = STATUS_OK;

    walk->at[0] = (struct within){r.end, false};
    while (!status) {
        while (r.at == r.end) {
            if (walk->depth == 0)
                return STATUS_OK;
            r.end = walk->at[--walk->depth].end;
        }
        if (!walk->at[walk->depth].array)
            (void)read_short_string(&r);
        status = check_value(walk, &r);
    }
    return status;
}

enum status table_check(struct bytes contents)
{
    struct within few[TABLE_DEPTH_MAX];
    struct walk walk = {few, few, TABLE_DEPTH_MAX, 0, TABLE_DEPTH_MAX};

    return check(&walk, contents);
}

enum status table_check_headers(struct bytes contents)
{
    struct within few[TABLE_DEPTH_MAX];
    struct walk walk = {few, few, TABLE_DEPTH_MAX, 0, HEADERS_DEPTH_MAX};
    enum status status = check(&walk, contents);

    if (walk.at != few)
        free(walk.at);
    return status;
}

static double float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void read_value(struct reader *r, struct field *out)
{
    uint8_t type = read_u8(r);

    out->type = type == FIELD_I64_ALIAS ? FIELD_I64 : (enum field_type)type;
    out->value.bytes = bytes_of(NULL, 0);
    switch (out->type) {
    case FIELD_BOOL:
        out->value.integer = read_u8(r) != 0;
        break;
    case FIELD_I8:
        out->value.integer = (int64_t)(int8_t)read_u8(r);
        break;
    case FIELD_U8:
        out->value.integer = read_u8(r);
        break;
    case FIELD_I16:
        out->value.integer = (int16_t)read_u16(r);
        break;
    case FIELD_U16:
        out->value.integer = read_u16(r);
        break;
    case FIELD_I32:
        out->value.integer = (int32_t)read_u32(r);
        break;
    case FIELD_U32:
        out->value.integer = read_u32(r);
        break;
    case FIELD_I64:
        out->value.integer = (int64_t)read_u64(r);
        break;
    case FIELD_TIMESTAMP:
        out->value.timestamp = read_u64(r);
        break;
    case FIELD_FLOAT:
        out->value.real = float_of(read_u32(r));
        break;
    case FIELD_DOUBLE:
        out->value.real = double_of(read_u64(r));
        break;
    case FIELD_DECIMAL:
        out->value.decimal.scale = read_u8(r);
        out->value.decimal.digits = (int32_t)read_u32(r);
        break;
    case FIELD_STRING:
    case FIELD_BYTES:
    case FIELD_ARRAY:
    case FIELD_TABLE:
        out->value.bytes = read_long_string(r);
        break;
    case FIELD_VOID:
        break;
    default:
        r->failed = true;
        break;
    }
}

bool table_next(struct reader *at, struct bytes *key, struct field *value)
{
    if (at->failed || at->at == at->end)
        return false;
    *key = read_short_string(at);
    read_value(at, value);
    return !at->failed;
}

bool array_next(struct reader *at, struct field *value)
{
    if (at->failed || at->at == at->end)
        return false;
    read_value(at, value);
    return !at->failed;
}

bool table_find_bytes(struct bytes contents, struct bytes key, struct field *value)
{
    struct reader r = reader_of(contents);
    struct bytes found;

    while (table_next(&r, &found, value)) {
        if (bytes_equal(found, key))
            return true;
    }
    return false;
}

bool table_find(struct bytes contents, const char *key, struct field *value)
{
    return table_find_bytes(contents, bytes_of_text(key), value);
}

bool field_integer(const struct field *value, int64_t *out)
{
    switch (value->type) {
    case FIELD_I8:
    case FIELD_U8:
    case FIELD_I16:
    case FIELD_U16:
    case FIELD_I32:
    case FIELD_U32:
    case FIELD_I64:
        *out = value->value.integer;
        return true;
    default:
        return false;
    }
}
