/* librabbitmq's codec as the judge of ours. Random methods, properties and tables are encoded here
 * and decoded there, and the reverse, and compared field by field. A part of the encodings is
 * damaged first: what our decoder takes, theirs has to take and read alike (ours is the stricter).
 *
 * LEVERET_SEED sets the seed, which is printed; LEVERET_CASES the number of cases. */
/* librabbitmq spells this field in its own way; our structs follow here, for the macros' sake. */
#define no_wait nowait

#include <amqp.h>
#include <amqp_framing.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/wire/method_table.h"
#include "leveret/wire/property_table.h"
#include "wire_random.h"

#define CASES_DEFAULT   100000u
#define TABLE_DEPTH     6u
#define ENCODED_BYTES   (1u << 18)
#define BASIC           60u
#define DAMAGED_ONE_IN  4u
#define POOL_PAGE_BYTES 4096
#define METHOD_ID_BYTES 4u
#define TABLE_LEN_BYTES 4u

#ifndef AMQP_CONNECTION_UPDATE_SECRET_METHOD /* librabbitmq before 0.12 */
typedef struct {
    amqp_bytes_t new_secret, reason;
} amqp_connection_update_secret_t;
#endif

struct judge {
    struct wire_random random;
    amqp_pool_t pool;
    unsigned long at; /* number of the case, for messages */
    unsigned long damaged_taken;
    uint8_t encoded[ENCODED_BYTES];
};

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct judge *judge,
                                                                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "case %lu: ", judge->at);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

static bool same_bytes(struct bytes ours, amqp_bytes_t theirs)
{
    return bytes_equal(ours, bytes_of(theirs.bytes, theirs.len));
}

static bool same_real(double ours, double theirs)
{
    return ours == theirs || (isnan(ours) && isnan(theirs));
}

static bool same_integer(const struct field *ours, const amqp_field_value_t *theirs)
{
    int64_t integer = ours->value.integer;

    switch (theirs->kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
        return ours->type == FIELD_BOOL && integer == (theirs->value.boolean != 0);
    case AMQP_FIELD_KIND_I8:
        return ours->type == FIELD_I8 && integer == theirs->value.i8;
    case AMQP_FIELD_KIND_U8:
        return ours->type == FIELD_U8 && integer == theirs->value.u8;
    case AMQP_FIELD_KIND_I16:
        return ours->type == FIELD_I16 && integer == theirs->value.i16;
    case AMQP_FIELD_KIND_U16:
        return ours->type == FIELD_U16 && integer == theirs->value.u16;
    case AMQP_FIELD_KIND_I32:
        return ours->type == FIELD_I32 && integer == theirs->value.i32;
    case AMQP_FIELD_KIND_U32:
        return ours->type == FIELD_U32 && integer == theirs->value.u32;
    default: /* 'l', and 'L' which we read as that */
        return ours->type == FIELD_I64 && integer == theirs->value.i64;
    }
}

static bool same_table(struct bytes ours, const amqp_table_t *theirs);
static bool same_array(struct bytes ours, const amqp_array_t *theirs);

static bool same_field(const struct field *ours, const amqp_field_value_t *theirs)
{
    switch (theirs->kind) {
    case AMQP_FIELD_KIND_F32:
        return ours->type == FIELD_FLOAT && same_real(ours->value.real, (double)theirs->value.f32);
    case AMQP_FIELD_KIND_F64:
        return ours->type == FIELD_DOUBLE && same_real(ours->value.real, theirs->value.f64);
    case AMQP_FIELD_KIND_DECIMAL:
        return ours->type == FIELD_DECIMAL &&
               ours->value.decimal.scale == theirs->value.decimal.decimals &&
               (uint32_t)ours->value.decimal.digits == theirs->value.decimal.value;
    case AMQP_FIELD_KIND_UTF8:
        return ours->type == FIELD_STRING && same_bytes(ours->value.bytes, theirs->value.bytes);
    case AMQP_FIELD_KIND_BYTES:
        return ours->type == FIELD_BYTES && same_bytes(ours->value.bytes, theirs->value.bytes);
    case AMQP_FIELD_KIND_TIMESTAMP:
        return ours->type == FIELD_TIMESTAMP && ours->value.timestamp == theirs->value.u64;
    case AMQP_FIELD_KIND_TABLE:
        return ours->type == FIELD_TABLE && same_table(ours->value.bytes, &theirs->value.table);
    case AMQP_FIELD_KIND_ARRAY:
        return ours->type == FIELD_ARRAY && same_array(ours->value.bytes, &theirs->value.array);
    case AMQP_FIELD_KIND_VOID:
        return ours->type == FIELD_VOID;
    default:
        return same_integer(ours, theirs);
    }
}

static bool same_array(struct bytes ours, const amqp_array_t *theirs)
{
    struct reader r = reader_of(ours);
    struct field value;
    int i = 0;

    while (array_next(&r, &value)) {
        if (i == theirs->num_entries || !same_field(&value, &theirs->entries[i++]))
            return false;
    }
    return !r.failed && i == theirs->num_entries;
}

static bool same_table(struct bytes ours, const amqp_table_t *theirs)
{
    struct reader r = reader_of(ours);
    struct bytes key;
    struct field value;
    int i = 0;

    while (table_next(&r, &key, &value)) {
        if (i == theirs->num_entries || !same_bytes(key, theirs->entries[i].key) ||
            !same_field(&value, &theirs->entries[i].value))
            return false;
        i++;
    }
    return !r.failed && i == theirs->num_entries;
}

static amqp_bytes_t give_bytes(struct bytes ours)
{
    return (amqp_bytes_t){ours.len, (void *)(uintptr_t)ours.at};
}

/* Zeroed, in their pool. */
static void *pool_array(struct judge *judge, int count, size_t element_bytes)
{
    size_t bytes = (size_t)(count ? count : 1) * element_bytes;
    void *at = amqp_pool_alloc(&judge->pool, bytes);

    if (!at)
        fail(judge, "out of memory");
    memset(at, 0, bytes);
    return at;
}

static amqp_table_t give_table(struct judge *judge, struct bytes ours);
static amqp_array_t give_array(struct judge *judge, struct bytes ours);

static void give_integer(struct judge *judge, int64_t ours, amqp_field_value_t *theirs)
{
    switch (theirs->kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
        theirs->value.boolean = (amqp_boolean_t)ours;
        break;
    case AMQP_FIELD_KIND_I8:
        theirs->value.i8 = (int8_t)ours;
        break;
    case AMQP_FIELD_KIND_U8:
        theirs->value.u8 = (uint8_t)ours;
        break;
    case AMQP_FIELD_KIND_I16:
        theirs->value.i16 = (int16_t)ours;
        break;
    case AMQP_FIELD_KIND_U16:
        theirs->value.u16 = (uint16_t)ours;
        break;
    case AMQP_FIELD_KIND_I32:
        theirs->value.i32 = (int32_t)ours;
        break;
    case AMQP_FIELD_KIND_U32:
        theirs->value.u32 = (uint32_t)ours;
        break;
    default:
        theirs->value.i64 = ours;
        if (random_below(&judge->random, 2))
            theirs->kind = AMQP_FIELD_KIND_U64; /* 'L', which we never write */
        break;
    }
}

static amqp_field_value_t give_field(struct judge *judge, const struct field *ours)
{
    amqp_field_value_t theirs = {.kind = (uint8_t)ours->type};

    switch (ours->type) {
    case FIELD_FLOAT:
        theirs.value.f32 = (float)ours->value.real;
        break;
    case FIELD_DOUBLE:
        theirs.value.f64 = ours->value.real;
        break;
    case FIELD_DECIMAL:
        theirs.value.decimal.decimals = ours->value.decimal.scale;
        theirs.value.decimal.value = (uint32_t)ours->value.decimal.digits;
        break;
    case FIELD_STRING:
    case FIELD_BYTES:
        theirs.value.bytes = give_bytes(ours->value.bytes);
        break;
    case FIELD_TIMESTAMP:
        theirs.value.u64 = ours->value.timestamp;
        break;
    case FIELD_ARRAY:
        theirs.value.array = give_array(judge, ours->value.bytes);
        break;
    case FIELD_TABLE:
        theirs.value.table = give_table(judge, ours->value.bytes);
        break;
    case FIELD_VOID:
        break;
    default:
        give_integer(judge, ours->value.integer, &theirs);
        break;
    }
    return theirs;
}

static amqp_array_t give_array(struct judge *judge, struct bytes ours)
{
    struct reader r = reader_of(ours);
    amqp_array_t theirs = {0, NULL};
    struct field value;
    int count = 0;

    while (array_next(&r, &value))
        count++;
    theirs.entries = pool_array(judge, count, sizeof *theirs.entries);
    r = reader_of(ours);
    while (array_next(&r, &value))
        theirs.entries[theirs.num_entries++] = give_field(judge, &value);
    return theirs;
}

static amqp_table_t give_table(struct judge *judge, struct bytes ours)
{
    struct reader r = reader_of(ours);
    amqp_table_t theirs = {0, NULL};
    struct bytes key;
    struct field value;
    int count = 0;

    while (table_next(&r, &key, &value))
        count++;
    theirs.entries = pool_array(judge, count, sizeof *theirs.entries);
    r = reader_of(ours);
    while (table_next(&r, &key, &value)) {
        theirs.entries[theirs.num_entries].key = give_bytes(key);
        theirs.entries[theirs.num_entries++].value = give_field(judge, &value);
    }
    return theirs;
}

/* For the kinds of METHOD_TABLE and PROPERTY_TABLE: comparing ours with theirs, and giving. */
#define SAME_u8(ours, theirs)           ((ours) == (theirs))
#define SAME_u16(ours, theirs)          ((ours) == (theirs))
#define SAME_u32(ours, theirs)          ((ours) == (theirs))
#define SAME_u64(ours, theirs)          ((ours) == (theirs))
#define SAME_bit(ours, theirs)          ((ours) == ((theirs) != 0))
#define SAME_short_string(ours, theirs) same_bytes(ours, theirs)
#define SAME_long_string(ours, theirs)  same_bytes(ours, theirs)
#define SAME_table(ours, theirs)        same_table(ours, &(theirs))

#define GIVE_u8(ours)           (ours)
#define GIVE_u16(ours)          (ours)
#define GIVE_u32(ours)          (ours)
#define GIVE_u64(ours)          (ours)
#define GIVE_bit(ours)          (ours)
#define GIVE_short_string(ours) give_bytes(ours)
#define GIVE_long_string(ours)  give_bytes(ours)
#define GIVE_table(ours)        give_table(judge, ours)

static void judge_method_fields(const struct judge *judge, const struct method *ours,
                                const void *decoded)
{
    switch (ours->id) {
#define FIELD(kind, field)                                                                         \
    if (!SAME_##kind(f->field, theirs->field))                                                     \
        fail(judge, "%s: %s differs", method_name(ours->id), #field);
#define METHOD(NAME, name)                                                                         \
    case METHOD_##NAME: {                                                                          \
        const struct name *f = &ours->u.name;                                                      \
        const amqp_##name##_t *theirs = decoded;                                                   \
        METHOD_FIELDS_##name(FIELD) break;                                                         \
    }
        METHOD_TABLE(METHOD)
#undef METHOD
#undef FIELD
    default:
        break;
    }
}

/* Their struct for our method, in their pool. */
static void *give_method(struct judge *judge, const struct method *ours)
{
    switch (ours->id) {
#define FIELD(kind, field) theirs->field = GIVE_##kind(f->field);
#define METHOD(NAME, name)                                                                         \
    case METHOD_##NAME: {                                                                          \
        const struct name *f = &ours->u.name;                                                      \
        amqp_##name##_t *theirs = pool_array(judge, 1, sizeof *theirs);                            \
        METHOD_FIELDS_##name(FIELD) return theirs;                                                 \
    }
        METHOD_TABLE(METHOD)
#undef METHOD
#undef FIELD
    default:
        return pool_array(judge, 1, sizeof(amqp_connection_start_t)); /* reserved fields at most */
    }
}

/* Some of the cases: flips bits in what was encoded. */
static bool maybe_damage(struct judge *judge, uint8_t *at, size_t len)
{
    if (random_below(&judge->random, DAMAGED_ONE_IN) != 0 || len == 0)
        return false;
    for (uint64_t n = 1 + random_below(&judge->random, 3); n > 0; n--)
        at[random_below(&judge->random, len)] ^= (uint8_t)(1u << random_below(&judge->random, 8));
    return true;
}

static amqp_bytes_t encoded_part(struct judge *judge, size_t from, size_t len)
{
    return (amqp_bytes_t){len, judge->encoded + from};
}

static amqp_bytes_t room_behind(struct judge *judge, size_t from)
{
    return encoded_part(judge, from, sizeof judge->encoded - from);
}

static void judge_method(struct judge *judge)
{
    struct method method, back;
    void *decoded;

    do {
        random_method(&judge->random, method_ids[random_below(&judge->random, METHOD_COUNT)],
                      &method);
    } while (!amqp_method_name((amqp_method_number_t)method.id)); /* one that they know */
    amqp_method_number_t id = (amqp_method_number_t)method.id;
    const char *name = method_name(method.id);

    size_t len = method_encode(&method, judge->encoded, sizeof judge->encoded);
    if (len < METHOD_ID_BYTES)
        fail(judge, "%s: we cannot encode it", name);
    if (maybe_damage(judge, judge->encoded + METHOD_ID_BYTES, len - METHOD_ID_BYTES)) {
        if (method_decode(bytes_of(judge->encoded, len), &method) != STATUS_OK)
            return;
        judge->damaged_taken++;
    }
    if (amqp_decode_method(id, &judge->pool,
                           encoded_part(judge, METHOD_ID_BYTES, len - METHOD_ID_BYTES),
                           &decoded) < 0)
        fail(judge, "%s: they cannot decode it", name);
    judge_method_fields(judge, &method, decoded);

    /* Theirs goes behind ours: a damaged method is views into that. */
    void *theirs = give_method(judge, &method);
    struct writer w = writer_of(judge->encoded + len, METHOD_ID_BYTES);
    write_u32(&w, id);
    int arguments_len = amqp_encode_method(id, theirs, room_behind(judge, len + METHOD_ID_BYTES));
    if (arguments_len < 0)
        fail(judge, "%s: they cannot encode it", name);
    struct bytes payload = bytes_of(judge->encoded + len, METHOD_ID_BYTES + (size_t)arguments_len);
    if (method_decode(payload, &back) != STATUS_OK)
        fail(judge, "%s: we cannot decode theirs", name);
    judge_method_fields(judge, &back, theirs);
}

static void judge_property_fields(const struct judge *judge, const struct properties *ours,
                                  const amqp_basic_properties_t *theirs)
{
    if (ours->present != theirs->_flags)
        fail(judge, "property flags differ");
#define SAME(NAME, member, kind, bit)                                                              \
    if ((ours->present & PROPERTY_##NAME) && !SAME_##kind(ours->member, theirs->member))           \
        fail(judge, "property %s differs", #member);
    PROPERTY_TABLE(SAME)
#undef SAME
}

static void judge_properties(struct judge *judge)
{
    struct properties properties, back;
    struct text list = {0};
    void *decoded;

    random_properties(&judge->random, &properties);
    properties_encode(&properties, &list);
    memcpy(judge->encoded, list.at, list.len);
    size_t len = list.len;
    text_free(&list);
    if (maybe_damage(judge, judge->encoded, len)) {
        if (properties_decode(bytes_of(judge->encoded, len), &properties) != STATUS_OK)
            return;
        judge->damaged_taken++;
    }
    if (amqp_decode_properties(BASIC, &judge->pool, encoded_part(judge, 0, len), &decoded) < 0)
        fail(judge, "they cannot decode properties");
    judge_property_fields(judge, &properties, decoded);

    amqp_basic_properties_t theirs = {._flags = properties.present};
#define GIVE(NAME, member, kind, bit)                                                              \
    if (properties.present & PROPERTY_##NAME)                                                      \
        theirs.member = GIVE_##kind(properties.member);
    PROPERTY_TABLE(GIVE)
#undef GIVE
    int theirs_len = amqp_encode_properties(BASIC, &theirs, room_behind(judge, len));
    if (theirs_len < 0)
        fail(judge, "they cannot encode properties");
    if (properties_decode(bytes_of(judge->encoded + len, (size_t)theirs_len), &back) != STATUS_OK)
        fail(judge, "we cannot decode their properties");
    judge_property_fields(judge, &back, &theirs);
}

static void judge_table(struct judge *judge)
{
    struct bytes ours = random_table(&judge->random, TABLE_DEPTH);
    struct writer w = writer_of(judge->encoded, sizeof judge->encoded);
    amqp_table_t theirs;
    size_t offset = 0;

    write_long_string(&w, ours);
    size_t len = (size_t)(w.at - judge->encoded);
    ours = bytes_of(judge->encoded + TABLE_LEN_BYTES, ours.len);
    bool damaged = maybe_damage(judge, judge->encoded + TABLE_LEN_BYTES, ours.len);
    if (table_check(ours) != STATUS_OK) {
        if (!damaged)
            fail(judge, "we refuse our own table");
        return;
    }
    judge->damaged_taken += damaged;
    if (amqp_decode_table(encoded_part(judge, 0, len), &judge->pool, &theirs, &offset) < 0)
        fail(judge, "they cannot decode a table");
    if (offset != len || !same_table(ours, &theirs))
        fail(judge, "a table of ours differs");

    theirs = give_table(judge, ours);
    offset = 0;
    if (amqp_encode_table(room_behind(judge, len), &theirs, &offset) < 0)
        fail(judge, "they cannot encode a table");
    struct bytes back = bytes_of(judge->encoded + len + TABLE_LEN_BYTES, offset - TABLE_LEN_BYTES);
    if (table_check(back) != STATUS_OK)
        fail(judge, "we refuse their table");
    if (!same_table(back, &theirs))
        fail(judge, "a table of theirs differs");
    struct field a = {.type = FIELD_TABLE, .value.bytes = ours};
    struct field b = {.type = FIELD_TABLE, .value.bytes = back};
    if (!field_equal(&a, &b))
        fail(judge, "field_equal tells two encodings of one table apart");
}

int main(void)
{
    static struct judge judge;
    const char *given = getenv("LEVERET_CASES");
    unsigned long cases = given ? strtoul(given, NULL, 0) : CASES_DEFAULT;

    judge.random.stream.state = wire_random_seed("judge_rabbitmq");
    init_amqp_pool(&judge.pool, POOL_PAGE_BYTES);
    for (judge.at = 0; judge.at < cases; judge.at++) {
        judge.random.used = 0;
        switch (judge.at % 3) {
        case 0:
            judge_method(&judge);
            break;
        case 1:
            judge_properties(&judge);
            break;
        default:
            judge_table(&judge);
            break;
        }
        recycle_amqp_pool(&judge.pool);
    }
    empty_amqp_pool(&judge.pool);
    printf("judge_rabbitmq: %lu cases equal, %lu of them damaged and still readable\n", cases,
           judge.damaged_taken);
    return EXIT_SUCCESS;
}
