/* Field tables (AMQP 0-9-1, 4.2.5.5; types as in RabbitMQ,
 * https://www.rabbitmq.com/amqp-0-9-1-errata section 3). Thread: any.
 *
 * A table is kept as its encoded contents (without the 32-bit length), which table_check checks
 * once when they arrive; the functions that read a table rely on that check. */
#ifndef LEVERET_WIRE_TABLE_H
#define LEVERET_WIRE_TABLE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/wire/cursor.h"

/* The deepest nesting of tables and arrays, the outermost included; deeper ones are refused. The
 * first limit is for arguments and client properties, the second for messages' headers. The
 * broker reads only the top level of these. A frame of the usual size has room for 26,000 levels.
 */
#define TABLE_DEPTH_MAX   64u
#define HEADERS_DEPTH_MAX 65536u

enum field_type {
    FIELD_BOOL = 't',
    FIELD_I8 = 'b',
    FIELD_U8 = 'B',
    FIELD_I16 = 's',
    FIELD_U16 = 'u',
    FIELD_I32 = 'I',
    FIELD_U32 = 'i',
    FIELD_I64 = 'l', /* 'L' on the wire is read as this type too */
    FIELD_FLOAT = 'f',
    FIELD_DOUBLE = 'd',
    FIELD_DECIMAL = 'D',
    FIELD_STRING = 'S',
    FIELD_BYTES = 'x',
    FIELD_ARRAY = 'A',
    FIELD_TIMESTAMP = 'T',
    FIELD_TABLE = 'F',
    FIELD_VOID = 'V',
};

struct field {
    enum field_type type;
    union {
        int64_t integer;    /* bool and all integer types; a timestamp is in unsigned seconds */
        uint64_t timestamp; /* seconds since 1970 */
        double real;        /* float and double */
        struct {
            uint8_t scale; /* decimal digits */
            int32_t digits;
        } decimal;
        struct bytes bytes; /* string, bytes; contents of array or table */
    } value;
};

/* Whether contents is a well-formed table: types, lengths, depth. Errors: MALFORMED, LIMIT. */
MUST_USE enum status table_check(struct bytes contents);
/* The same for a message's headers, which may nest deeper. Errors: NO_MEMORY, too. */
MUST_USE enum status table_check_headers(struct bytes contents);

/* Reads the next key and value of a checked table (start with reader_of(contents)); false at the
 * end. */
bool table_next(struct reader *at, struct bytes *key, struct field *value);
/* Reads the next value of a checked array; false at the end. */
bool array_next(struct reader *at, struct field *value);
/* Finds a key in a checked table, the first when there are several; false when there is none. */
bool table_find(struct bytes contents, const char *key, struct field *value);
bool table_find_bytes(struct bytes contents, struct bytes key, struct field *value);

/* Whether the value has an integer type (not bool); *out is then its value. */
bool field_integer(const struct field *value, int64_t *out);

/* Whether two arguments are equal as RabbitMQ compares them: integers by value, tables in any
 * order. */
bool field_equal(const struct field *a, const struct field *b);

/* RabbitMQ's name of the type in error texts: "signedint", "longstr", "bool", "table" … */
const char *field_type_name(enum field_type type);
/* Appends the value as RabbitMQ prints it in error texts, without quotes: 10 in "'10' of type
 * 'signedint'". Tables and arrays are printed as Erlang terms, in full. */
void field_print(struct text *out, const struct field *value);
/* Appends the value as an Erlang term: a string is printed as <<"text">>. */
void field_print_term(struct text *out, const struct field *value);

/* Building a table: each call appends one key and value to the contents in out; the value must not
 * point into out. A key must have at most NAME_BYTES_MAX bytes; a CHECK aborts on a longer one.
 * table_begin and table_end enclose a nested table; begin returns what end needs. */
void table_put_bool(struct text *out, const char *key, bool value);
void table_put_i32(struct text *out, const char *key, int32_t value);
void table_put_i64(struct text *out, const char *key, int64_t value);
void table_put_timestamp(struct text *out, const char *key, uint64_t seconds);
void table_put_string(struct text *out, const char *key, struct bytes value);
void table_put_field(struct text *out, struct bytes key, const struct field *value);
size_t table_begin(struct text *out, const char *key);
void table_end(struct text *out, size_t begin);
size_t array_begin(struct text *out, const char *key);
void array_end(struct text *out, size_t begin);
/* Appends one array element: a field without a key. */
void array_put_field(struct text *out, const struct field *value);
/* Begins a table as an element of an array. End it with table_end. */
size_t array_put_table_begin(struct text *out);

#endif
