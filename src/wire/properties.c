/* The content header. PROPERTY_TABLE, the list of properties, is generated from spec/.
 *
 * What can go wrong: flags that stand for no property, a list that is too short or followed by more
 * bytes, a headers table that is malformed or nests too deeply. Each is MALFORMED or LIMIT; nothing
 * is guessed. */
#include "leveret/wire/properties.h"

#include "leveret/base/check.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/property_table.h"
#include "leveret/wire/table.h"

#define SAME_BIT(NAME, member, kind, bit)                                                          \
    _Static_assert(PROPERTY_##NAME == 1 << (bit), "properties.h and spec/ disagree: " #member);
PROPERTY_TABLE(SAME_BIT)
#undef SAME_BIT

/* Bit 0 would announce a second word of flags, which class basic does not have; bit 1 stands for no
 * property. */
#define FLAGS_UNUSED 3u

enum status properties_header_decode(struct bytes payload, struct content_header *out)
{
    struct reader r = reader_of(payload);

    out->class_id = read_u16(&r);
    uint16_t weight = read_u16(&r);
    out->body_bytes = read_u64(&r);
    out->properties = bytes_of(r.at, reader_left(&r));
    return r.failed || weight != 0 ? STATUS_MALFORMED : STATUS_OK;
}

#define no_short_string ((struct bytes){NULL, 0})
#define no_u8           0
#define no_u64          0
#define no_table        no_short_string

#define read_short_string_property read_short_string
#define read_u8_property           read_u8
#define read_u64_property          read_u64
#define read_table_property        read_long_string

enum status properties_decode(struct bytes encoded, struct properties *out)
{
    struct reader r = reader_of(encoded);
    uint16_t flags = read_u16(&r);

    /* The members are cleared one by one, because the compiler would clear the struct with an
     * instruction that is slow to start, and this is done for each message. */
    out->present = flags;
#define CLEAR(NAME, member, kind, bit) out->member = no_##kind;
    PROPERTY_TABLE(CLEAR)
#undef CLEAR
    if (flags & FLAGS_UNUSED)
        return STATUS_MALFORMED;
    if ((flags & ~PROPERTY_DELIVERY_MODE) == 0) { /* what most messages carry */
        if (flags)
            out->delivery_mode = read_u8(&r);
        return r.failed || r.at != r.end ? STATUS_MALFORMED : STATUS_OK;
    }
#define READ(NAME, member, kind, bit)                                                              \
    if (flags & PROPERTY_##NAME)                                                                   \
        out->member = read_##kind##_property(&r);
    PROPERTY_TABLE(READ)
#undef READ
    if (r.failed || r.at != r.end)
        return STATUS_MALFORMED;
    return out->headers.len > 0 ? table_check_headers(out->headers) : STATUS_OK;
}

struct bytes properties_headers(struct bytes encoded)
{
    struct reader r = reader_of(encoded);
    uint16_t present = read_u16(&r);
    if (present & PROPERTY_CONTENT_TYPE)
        (void)read_short_string(&r);
    if (present & PROPERTY_CONTENT_ENCODING)
        (void)read_short_string(&r);
    if (!(present & PROPERTY_HEADERS))
        return (struct bytes){0};
    return read_long_string(&r);
}

#define short_string_bytes(member) (1 + properties->member.len)
#define u8_bytes(member)           ((size_t)1)
#define u64_bytes(member)          ((size_t)8)
#define table_bytes(member)        (4 + properties->member.len)

#define write_short_string_property write_short_string
#define write_u8_property           write_u8
#define write_u64_property          write_u64
#define write_table_property        write_long_string

void properties_encode(const struct properties *properties, struct text *out)
{
    uint16_t flags = (uint16_t)(properties->present & ~FLAGS_UNUSED);
    size_t len = 2;

#define ADD(NAME, member, kind, bit)                                                               \
    if (flags & PROPERTY_##NAME)                                                                   \
        len += kind##_bytes(member);
    PROPERTY_TABLE(ADD)
#undef ADD
    struct writer w = writer_of(text_reserve(out, len), len);
    write_u16(&w, flags);
#define WRITE(NAME, member, kind, bit)                                                             \
    if (flags & PROPERTY_##NAME)                                                                   \
        write_##kind##_property(&w, properties->member);
    PROPERTY_TABLE(WRITE)
#undef WRITE
    CHECK(!w.failed); /* fails for a short string of more than NAME_BYTES_MAX bytes */
    out->len += len;
}
