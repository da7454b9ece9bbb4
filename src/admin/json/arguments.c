/* Field tables to JSON and back.
 *
 * From JSON an integer becomes a field of the type 'l', a real 'd', null 'V'. A table that went to
 * JSON and back may thus have wider numbers than before; the broker does not compare widths. */
#include "admin/json/arguments.h"

#include "leveret/base/map.h"

/* ---- Table to JSON. */

static void write_field(struct answer *w, struct bytes key, const struct field *field);

static void write_table(struct answer *w, struct bytes contents)
{
    struct reader at = reader_of(contents);
    struct bytes key;
    struct field field;
    while (table_next(&at, &key, &field))
        write_field(w, key, &field);
}

static void write_array(struct answer *w, struct bytes contents)
{
    struct reader at = reader_of(contents);
    struct field field;
    while (array_next(&at, &field))
        write_field(w, bytes_of(NULL, 0), &field);
}

static double decimal(const struct field *field)
{
    double value = field->value.decimal.digits;
    for (unsigned i = 0; i < field->value.decimal.scale; i++)
        value /= 10;
    return value;
}

static void write_field(struct answer *w, struct bytes key, const struct field *field)
{
    switch (field->type) {
    case FIELD_BOOL:
        answer_keyed_bool(w, key, field->value.integer != 0);
        break;
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        answer_keyed_real(w, key, field->value.real);
        break;
    case FIELD_DECIMAL:
        answer_keyed_real(w, key, decimal(field));
        break;
    case FIELD_STRING:
    case FIELD_BYTES:
        answer_keyed_bytes(w, key, field->value.bytes);
        break;
    case FIELD_TIMESTAMP:
        answer_keyed_int(w, key, (int64_t)field->value.timestamp);
        break;
    case FIELD_ARRAY:
        if (answer_array_bytes(w, key)) {
            write_array(w, field->value.bytes);
            answer_end(w);
        }
        break;
    case FIELD_TABLE:
        if (answer_object_bytes(w, key)) {
            write_table(w, field->value.bytes);
            answer_end(w);
        }
        break;
    case FIELD_VOID:
        answer_keyed_null(w, key);
        break;
    default:
        answer_keyed_int(w, key, field->value.integer);
    }
}

void arguments_write(struct answer *answer, const char *key, struct bytes table)
{
    if (!answer_object(answer, key))
        return;
    write_table(answer, table);
    answer_end(answer);
}

/* ---- JSON to table. */

struct arguments_reading {
    struct text *out;
    enum status status;
    unsigned depth;
    unsigned *entries; /* keys and elements read so far, at all depths */
};

/* Counts an entry, and looks how long the table has become. Returns false when it has too many
 * entries or bytes. */
static bool count_entry(struct arguments_reading *r)
{
    if (++*r->entries > ARGUMENTS_ENTRIES_MAX || r->out->len > ARGUMENTS_BYTES_MAX)
        r->status = STATUS_LIMIT;
    return r->status == STATUS_OK;
}

static bool simple_field(const struct value *value, struct field *out)
{
    switch (value_kind_of(value)) {
    case VALUE_BOOL:
        *out = (struct field){.type = FIELD_BOOL, .value.integer = value_true(value)};
        return true;
    case VALUE_INT:
        *out = (struct field){.type = FIELD_I64, .value.integer = value_int(value)};
        return true;
    case VALUE_REAL:
        *out = (struct field){.type = FIELD_DOUBLE, .value.real = value_real(value)};
        return true;
    case VALUE_TEXT:
        *out = (struct field){.type = FIELD_STRING, .value.bytes = value_bytes(value)};
        return true;
    case VALUE_NULL:
        *out = (struct field){.type = FIELD_VOID};
        return true;
    default:
        return false;
    }
}

static void read_entry(void *context, const char *key, const struct value *value);

/* Makes the contents of a nested array or table, which are not in the table yet. */
static void read_nested(struct arguments_reading *r, const struct value *value, struct field *field,
                        struct text *contents)
{
    struct arguments_reading below = {
        .out = contents, .depth = r->depth + 1, .entries = r->entries};
    bool list = value_kind_of(value) == VALUE_LIST;
    if (below.depth >= TABLE_DEPTH_MAX) {
        r->status = STATUS_LIMIT;
        return;
    }
    if (!list)
        value_each(value, read_entry, &below);
    for (size_t i = 0; list && i < value_count(value) && count_entry(&below); i++) {
        const struct value *element = value_at(value, i);
        struct field inner;
        struct text text = {0};
        if (!simple_field(element, &inner))
            read_nested(&below, element, &inner, &text);
        if (below.status == STATUS_OK)
            array_put_field(contents, &inner);
        text_free(&text);
    }
    r->status = below.status;
    field->type = list ? FIELD_ARRAY : FIELD_TABLE;
    field->value.bytes = text_bytes(contents);
}

static void read_entry(void *context, const char *key, const struct value *value)
{
    struct arguments_reading *r = context;
    struct bytes name = bytes_of_text(key);
    struct field field = {0};
    struct text text = {0};
    if (r->status != STATUS_OK || !count_entry(r))
        return;
    if (name.len > NAME_BYTES_MAX) {
        r->status = STATUS_MALFORMED;
        return;
    }
    if (!simple_field(value, &field))
        read_nested(r, value, &field, &text);
    if (r->status == STATUS_OK)
        table_put_field(r->out, name, &field);
    text_free(&text);
}

enum status arguments_read(const struct value *object, struct text *out)
{
    unsigned entries = 0;
    struct arguments_reading reading = {.out = out, .entries = &entries};
    if (!object || (value_kind_of(object) == VALUE_LIST && value_count(object) == 0))
        return STATUS_OK; /* [] is what PHP makes of an empty object */
    if (value_kind_of(object) != VALUE_MAP)
        return STATUS_MALFORMED;
    if (value_count(object) > ARGUMENTS_ENTRIES_MAX)
        return STATUS_LIMIT;
    value_each(object, read_entry, &reading);
    if (reading.status == STATUS_OK && out->len > ARGUMENTS_BYTES_MAX)
        return STATUS_LIMIT;
    return reading.status;
}

const char *arguments_wrong(enum status status)
{
    if (status == STATUS_LIMIT)
        return "nested too deep, or with too many entries or bytes";
    _Static_assert(NAME_BYTES_MAX == 255, "the text says how long a key may be");
    return "must be an object whose keys have at most 255 bytes";
}

/* ---- Hashes for the keys of bindings. */

void arguments_hash(struct bytes table, char out[ARGUMENTS_HASH_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct reader at = reader_of(table);
    struct bytes key;
    struct field field;
    uint64_t sum = 0;
    while (table_next(&at, &key, &field)) {
        struct text entry = {0};
        table_put_field(&entry, key, &field);
        sum += map_hash_stable(text_bytes(&entry));
        text_free(&entry);
    }
    for (size_t i = 0; i < ARGUMENTS_HASH_LEN; i++, sum >>= 6)
        out[i] = digits[sum & 63];
    out[ARGUMENTS_HASH_LEN] = '\0';
}
