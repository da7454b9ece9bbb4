/* Field tables (AMQP 0-9-1, 4.2.5.5, with RabbitMQ's reading of the types,
 * https://www.rabbitmq.com/amqp-0-9-1-errata section 3). Thread: any.
 *
 * A table is kept as its encoded contents (without the 32-bit length), checked once by
 * table_check where it comes in; the functions that read one rely on that check. */
#ifndef LEVERET_WIRE_TABLE_H
#define LEVERET_WIRE_TABLE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/wire/cursor.h"

/* Tables and arrays within each other, the outermost included: of arguments and client properties,
 * and of messages' headers, which the broker only looks into at the top. A frame of the usual size
 * has room for 26,000. What is deeper is refused. */
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
    FIELD_I64 = 'l', /* 'L' on the wire is read as this too */
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
/* The same for headers. Errors: NO_MEMORY, too. */
MUST_USE enum status table_check_headers(struct bytes contents);

/* The next key and value of a checked table (start with reader_of(contents)); false at the end. */
bool table_next(struct reader *at, struct bytes *key, struct field *value);
/* The next value of a checked array. */
bool array_next(struct reader *at, struct field *value);
/* Finds a key; the first of several. */
bool table_find(struct bytes contents, const char *key, struct field *value);
bool table_find_bytes(struct bytes contents, struct bytes key, struct field *value);

/* Whether the value is of an integer type (not bool), and then its value. */
bool field_integer(const struct field *value, int64_t *out);

/* Equality as RabbitMQ compares arguments: integer types by value, tables regardless of order. */
bool field_equal(const struct field *a, const struct field *b);

/* RabbitMQ's name of the type in error texts: "signedint", "longstr", "bool", "table" … */
const char *field_type_name(enum field_type type);
/* The value as RabbitMQ prints it in error texts, without quotes: of "'10' of type 'signedint'" the
 * 10. Tables and arrays as Erlang terms. Appends to out, at a length that the value decides. */
void field_print(struct text *out, const struct field *value);
/* The same as an Erlang term: a string as <<"it">>. */
void field_print_term(struct text *out, const struct field *value);

/* Building a table: each call appends one key and value to the contents in out, which the value
 * must not point into. A key has at most NAME_BYTES_MAX bytes (checked by CHECK). table_begin …
 * table_end nest; begin returns what end needs. */
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
/* One array element: a field without a key. */
void array_put_field(struct text *out, const struct field *value);
/* A table as an element of an array. End with table_end. */
size_t array_put_table_begin(struct text *out);

#endif
