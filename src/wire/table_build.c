/* Building field tables. Keys and values are constants or were checked before, so nothing here
 * fails: a key or length that does not fit is a programming error. */
#include "leveret/base/check.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/table.h"

/* Bytes of a type octet and the largest value of fixed size. */
#define VALUE_BYTES_MAX 9u

static void put_key(struct text *out, struct bytes key)
{
    CHECK(key.len <= NAME_BYTES_MAX);
    uint8_t len = (uint8_t)key.len;
    text_add(out, &len, 1);
    text_add_bytes(out, key);
}

static uint32_t float_bits(double value)
{
    float narrow = (float)value;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

static uint64_t double_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void write_fixed(struct writer *w, const struct field *value)
{
    switch (value->type) {
    case FIELD_BOOL:
        write_u8(w, value->value.integer != 0);
        break;
    case FIELD_I8:
    case FIELD_U8:
        write_u8(w, (uint8_t)value->value.integer);
        break;
    case FIELD_I16:
    case FIELD_U16:
        write_u16(w, (uint16_t)value->value.integer);
        break;
    case FIELD_I32:
    case FIELD_U32:
        write_u32(w, (uint32_t)value->value.integer);
        break;
    case FIELD_I64:
        write_u64(w, (uint64_t)value->value.integer);
        break;
    case FIELD_TIMESTAMP:
        write_u64(w, value->value.timestamp);
        break;
    case FIELD_FLOAT:
        write_u32(w, float_bits(value->value.real));
        break;
    case FIELD_DOUBLE:
        write_u64(w, double_bits(value->value.real));
        break;
    case FIELD_DECIMAL:
        write_u8(w, value->value.decimal.scale);
        write_u32(w, (uint32_t)value->value.decimal.digits);
        break;
    default:
        CHECK(value->type == FIELD_VOID);
    }
}

static void put_value(struct text *out, const struct field *value)
{
    struct writer w = writer_of(text_reserve(out, VALUE_BYTES_MAX), VALUE_BYTES_MAX);
    const uint8_t *start = w.at;
    struct bytes tail = {NULL, 0};

    write_u8(&w, (uint8_t)value->type);
    switch (value->type) {
    case FIELD_STRING:
    case FIELD_BYTES:
    case FIELD_ARRAY:
    case FIELD_TABLE:
        tail = value->value.bytes;
        CHECK(tail.len <= UINT32_MAX);
        write_u32(&w, (uint32_t)tail.len);
        break;
    default:
        write_fixed(&w, value);
        break;
    }
    out->len += (size_t)(w.at - start);
    text_add_bytes(out, tail);
}

void table_put_field(struct text *out, struct bytes key, const struct field *value)
{
    put_key(out, key);
    put_value(out, value);
}

void array_put_field(struct text *out, const struct field *value)
{
    put_value(out, value);
}

static void put_integer(struct text *out, const char *key, enum field_type type, int64_t value)
{
    struct field field = {.type = type, .value.integer = value};

    table_put_field(out, bytes_of_text(key), &field);
}

void table_put_bool(struct text *out, const char *key, bool value)
{
    put_integer(out, key, FIELD_BOOL, value);
}

void table_put_i32(struct text *out, const char *key, int32_t value)
{
    put_integer(out, key, FIELD_I32, value);
}

void table_put_i64(struct text *out, const char *key, int64_t value)
{
    put_integer(out, key, FIELD_I64, value);
}

void table_put_timestamp(struct text *out, const char *key, uint64_t seconds)
{
    struct field field = {.type = FIELD_TIMESTAMP, .value.timestamp = seconds};

    table_put_field(out, bytes_of_text(key), &field);
}

void table_put_string(struct text *out, const char *key, struct bytes value)
{
    struct field field = {.type = FIELD_STRING, .value.bytes = value};

    table_put_field(out, bytes_of_text(key), &field);
}

/* Writes a container's type and leaves room for its length, which container_end fills in; returns
 * where its contents begin. */
static size_t container_begin(struct text *out, enum field_type type)
{
    struct field empty = {.type = type, .value.bytes = {NULL, 0}};

    put_value(out, &empty);
    return out->len;
}

static void container_end(struct text *out, size_t begin)
{
    CHECK(begin >= sizeof(uint32_t) && begin <= out->len && out->len - begin <= UINT32_MAX);
    struct writer w = writer_of(out->at + begin - sizeof(uint32_t), sizeof(uint32_t));
    write_u32(&w, (uint32_t)(out->len - begin));
}

size_t table_begin(struct text *out, const char *key)
{
    put_key(out, bytes_of_text(key));
    return container_begin(out, FIELD_TABLE);
}

void table_end(struct text *out, size_t begin)
{
    container_end(out, begin);
}

size_t array_begin(struct text *out, const char *key)
{
    put_key(out, bytes_of_text(key));
    return container_begin(out, FIELD_ARRAY);
}

void array_end(struct text *out, size_t begin)
{
    container_end(out, begin);
}

size_t array_put_table_begin(struct text *out)
{
    return container_begin(out, FIELD_TABLE);
}
