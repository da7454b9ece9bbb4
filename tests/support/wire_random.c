/* Random wire values. Lengths favour the edges (empty, 255), where codecs break. */
#include "wire_random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/wire/method_table.h"
#include "leveret/wire/property_table.h"

uint64_t wire_random_seed(const char *program)
{
    const char *given = getenv("LEVERET_SEED");
    uint64_t seed;

    if (given)
        seed = strtoull(given, NULL, 0);
    else
        random_bytes(&seed, sizeof seed);
    printf("%s: LEVERET_SEED=%" PRIu64 "\n", program, seed);
    fflush(stdout);
    return seed;
}

uint64_t random_below(struct wire_random *r, uint64_t limit)
{
    return random_next(&r->stream) % limit;
}

static bool chance(struct wire_random *r, unsigned one_in)
{
    return random_below(r, one_in) == 0;
}

struct bytes random_view(struct wire_random *r, size_t len)
{
    if (len > sizeof r->room - r->used)
        len = 0;
    uint8_t *at = r->room + r->used;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)random_next(&r->stream);
    r->used += len;
    return bytes_of(at, len);
}

struct bytes random_short_string(struct wire_random *r)
{
    if (chance(r, 8))
        return random_view(r, 0);
    if (chance(r, 16))
        return random_view(r, 255);
    return random_view(r, random_below(r, 40));
}

static struct bytes random_long_string(struct wire_random *r)
{
    if (chance(r, 8))
        return random_view(r, 0);
    return random_view(r, random_below(r, chance(r, 8) ? 2000 : 60));
}

static uint64_t random_bits(struct wire_random *r)
{
    static const uint64_t edges[] = {0,          1,         INT8_MAX,   UINT8_MAX, INT16_MAX,
                                     UINT16_MAX, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX,
                                     1u << 7,    1u << 15,  1u << 31,   1ull << 63};

    if (chance(r, 3))
        return edges[random_below(r, sizeof edges / sizeof *edges)];
    return random_next(&r->stream);
}

static int64_t narrowed(uint64_t bits, enum field_type type)
{
    switch (type) {
    case FIELD_BOOL:
        return bits & 1;
    case FIELD_I8:
        return (int8_t)bits;
    case FIELD_U8:
        return (uint8_t)bits;
    case FIELD_I16:
        return (int16_t)bits;
    case FIELD_U16:
        return (uint16_t)bits;
    case FIELD_I32:
        return (int32_t)bits;
    case FIELD_U32:
        return (uint32_t)bits;
    default:
        return (int64_t)bits;
    }
}

/* Any finite number; NaNs would not compare. */
static double random_real(struct wire_random *r, bool narrow)
{
    double real = (double)(int64_t)random_bits(r) / (double)(1 + random_below(r, 1000));

    return narrow ? (double)(float)real : real;
}

/* Takes what was built into the room; empty when it does not fit. */
static struct bytes keep(struct wire_random *r, struct text *built)
{
    struct bytes kept = {r->room + r->used, 0};

    if (built->len > 0 && built->len <= sizeof r->room - r->used) {
        memcpy(r->room + r->used, built->at, built->len);
        kept.len = built->len;
        r->used += built->len;
    }
    text_free(built);
    return kept;
}

struct field random_field(struct wire_random *r, unsigned depth)
{
    static const char types[] = "tbBsuIilfdDSxTVAF";
    struct field f = {.type = (enum field_type)types[random_below(r, sizeof types - 1)]};

    if (depth == 0 && (f.type == FIELD_ARRAY || f.type == FIELD_TABLE))
        f.type = FIELD_I32;
    switch (f.type) {
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        f.value.real = random_real(r, f.type == FIELD_FLOAT);
        break;
    case FIELD_DECIMAL:
        f.value.decimal.scale = (uint8_t)random_bits(r);
        f.value.decimal.digits = (int32_t)random_bits(r);
        break;
    case FIELD_STRING:
    case FIELD_BYTES:
        f.value.bytes = random_long_string(r);
        break;
    case FIELD_TABLE:
        f.value.bytes = random_table(r, depth - 1);
        break;
    case FIELD_ARRAY: {
        struct text built = {0};
        for (uint64_t n = random_below(r, 5); n > 0; n--) {
            struct field element = random_field(r, depth - 1);
            array_put_field(&built, &element);
        }
        f.value.bytes = keep(r, &built);
        break;
    }
    case FIELD_TIMESTAMP:
        f.value.timestamp = random_bits(r);
        break;
    case FIELD_VOID:
        break;
    default:
        f.value.integer = narrowed(random_bits(r), f.type);
        break;
    }
    return f;
}

struct bytes random_table(struct wire_random *r, unsigned depth)
{
    struct text built = {0};

    for (uint64_t n = random_below(r, 6); n > 0; n--) {
        struct bytes key = random_short_string(r);
        struct field value = random_field(r, depth);
        table_put_field(&built, key, &value);
    }
    return keep(r, &built);
}

#define SET_u8(to)           (to) = (uint8_t)random_bits(r)
#define SET_u16(to)          (to) = (uint16_t)random_bits(r)
#define SET_u32(to)          (to) = (uint32_t)random_bits(r)
#define SET_u64(to)          (to) = random_bits(r)
#define SET_bit(to)          (to) = chance(r, 2)
#define SET_short_string(to) (to) = random_short_string(r)
#define SET_long_string(to)  (to) = random_long_string(r)
#define SET_table(to)        (to) = random_table(r, 3)

#define SAME_u8(a, b)           ((a) == (b))
#define SAME_u16(a, b)          ((a) == (b))
#define SAME_u32(a, b)          ((a) == (b))
#define SAME_u64(a, b)          ((a) == (b))
#define SAME_bit(a, b)          ((a) == (b))
#define SAME_short_string(a, b) bytes_equal(a, b)
#define SAME_long_string(a, b)  bytes_equal(a, b)
#define SAME_table(a, b)        bytes_equal(a, b)

void random_properties(struct wire_random *r, struct properties *out)
{
    *out = (struct properties){.present = (uint16_t)(random_next(&r->stream) & 0xfffcu)};
    if (chance(r, 4))
        out->present = chance(r, 2) ? 0 : PROPERTY_DELIVERY_MODE;
#define SET(NAME, member, kind, bit)                                                               \
    if (out->present & PROPERTY_##NAME)                                                            \
        SET_##kind(out->member);
    PROPERTY_TABLE(SET)
#undef SET
}

bool properties_same(const struct properties *a, const struct properties *b)
{
    bool same = a->present == b->present;

#define SAME(NAME, member, kind, bit) same = same && SAME_##kind(a->member, b->member);
    PROPERTY_TABLE(SAME)
#undef SAME
    return same;
}

void random_method(struct wire_random *r, enum method_id id, struct method *out)
{
    memset(out, 0, sizeof *out);
    out->id = id;
    switch (id) {
#define FIELD(kind, field) SET_##kind(f->field);
#define METHOD(NAME, name)                                                                         \
    case METHOD_##NAME: {                                                                          \
        struct name *f = &out->u.name;                                                             \
        METHOD_FIELDS_##name(FIELD) break;                                                         \
    }
        METHOD_TABLE(METHOD)
#undef METHOD
#undef FIELD
    default:
        break;
    }
}

bool methods_same(const struct method *a, const struct method *b)
{
    bool same = a->id == b->id;

    if (!same)
        return false;
    switch (a->id) {
#define FIELD(kind, field) same = same && SAME_##kind(fa->field, fb->field);
#define METHOD(NAME, name)                                                                         \
    case METHOD_##NAME: {                                                                          \
        const struct name *fa = &a->u.name, *fb = &b->u.name;                                      \
        METHOD_FIELDS_##name(FIELD) break;                                                         \
    }
        METHOD_TABLE(METHOD)
#undef METHOD
#undef FIELD
    default:
        break;
    }
    return same;
}
