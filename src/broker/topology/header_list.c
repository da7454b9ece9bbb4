/* Sorting and hashing of headers. */
#include "broker/topology/header_list.h"

#include <math.h>
#include <stdlib.h>

#include "leveret/base/map.h"
#include "leveret/base/mem.h"

#define ROOM_MIN      16u
#define INSERTION_MAX 24u /* up to this many headers insertion sort is faster than qsort */

void header_list_free(struct header_list *list)
{
    free(list->headers);
    *list = (struct header_list){0};
}

void header_list_clear(struct header_list *list)
{
    list->count = 0;
}

void header_list_add(struct header_list *list, const struct header *header)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : ROOM_MIN;
        list->headers = mem_need_array(list->headers, list->room, sizeof *list->headers);
    }
    struct header *added = &list->headers[list->count++];
    *added = *header;
    added->key_hash = map_hash(header->key);
}

/* Orders headers by the hash of the key; when hashes collide, by key; headers with the same key by
 * their place in the message. */
static int compare(const void *left, const void *right)
{
    const struct header *a = left, *b = right;
    if (a->key_hash != b->key_hash)
        return a->key_hash < b->key_hash ? -1 : 1;
    if (a->key.len != b->key.len)
        return a->key.len < b->key.len ? -1 : 1;
    int order = a->key.len ? memcmp(a->key.at, b->key.at, a->key.len) : 0;
    return order ? order : (a->key.at > b->key.at) - (a->key.at < b->key.at);
}

void header_list_sort(struct header_list *list)
{
    if (list->count > INSERTION_MAX) {
        qsort(list->headers, list->count, sizeof *list->headers, compare);
        return;
    }
    for (size_t i = 1; i < list->count; i++) {
        struct header moving = list->headers[i];
        size_t at = i;
        for (; at && compare(&list->headers[at - 1], &moving) > 0; at--)
            list->headers[at] = list->headers[at - 1];
        list->headers[at] = moving;
    }
}

static bool same_key(const struct header *a, const struct header *b)
{
    return a->key_hash == b->key_hash && bytes_equal(a->key, b->key);
}

/* The integer that the value equals, if it is an integer, a timestamp or a real number without a
 * fraction: 1 equals 1.0. A real number from 2^53 on is not exact and equals no integer. */
static bool whole(const struct field *value, int64_t *out)
{
    if (value->type == FIELD_DOUBLE || value->type == FIELD_FLOAT) {
        double real = value->value.real;
        *out = fabs(real) < 9007199254740992.0 ? (int64_t)real : 0;
        return *out ? (double)*out == real : fpclassify(real) == FP_ZERO;
    }
    if (value->type != FIELD_TIMESTAMP)
        return field_integer(value, out);
    *out = (int64_t)value->value.timestamp;
    return true;
}

static bool is_octets(const struct field *value)
{
    return value->type == FIELD_STRING || value->type == FIELD_BYTES;
}

bool header_list_values_equal(const struct field *a, const struct field *b)
{
    int64_t left, right;
    if (whole(a, &left) && whole(b, &right))
        return left == right;
    if (is_octets(a) && is_octets(b))
        return bytes_equal(a->value.bytes, b->value.bytes);
    return field_equal(a, b);
}

void header_list_settle_pattern(struct header_list *list)
{
    size_t kept = 0, run = 0; /* run: index of the first pair that was kept of the current key */
    for (size_t i = 0; i < list->count; i++) {
        const struct header *h = &list->headers[i];
        if (kept == 0 || !same_key(&list->headers[run], h)) {
            run = kept;
            list->headers[kept++] = *h;
        } else if (list->headers[run].value.type == FIELD_VOID) {
            list->headers[run] = *h; /* a pair with a value replaces one without */
        } else if (h->value.type != FIELD_VOID && kept - run < 2 &&
                   !header_list_values_equal(&list->headers[run].value, &h->value)) {
            list->headers[kept++] =
                *h; /* two different values can never both match, so two are enough to say so */
        }
    }
    list->count = kept;
}

void header_list_hash(struct header_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (kept && same_key(&list->headers[kept - 1], &list->headers[i]))
            continue;
        struct header *h = &list->headers[kept];
        *h = list->headers[i];
        h->value_hash = header_list_value_hash(h);
        h->presence_hash = header_list_presence_hash(h);
        kept++;
    }
    list->count = kept;
}

size_t header_list_place(const struct header_list *list, uint64_t key_hash, size_t from)
{
    size_t low = from, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->headers[middle].key_hash < key_hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- Hashes */

static uint64_t mix(uint64_t a, uint64_t b)
{
    a ^= (b << 23 | b >> 41) + 0x9e3779b97f4a7c15u;
    a *= 0xff51afd7ed558ccdu;
    return a ^ a >> 32;
}

/* Arrays, tables and decimals hash by their type alone, because their equality is costly to follow
 * here; the comparison after the look-up decides. */
static uint64_t hash_value(const struct field *value)
{
    int64_t integer;
    double real;
    uint64_t bits;
    if (whole(value, &integer))
        return mix('I', (uint64_t)integer);
    switch (value->type) {
    case FIELD_BOOL:
        return mix('t', value->value.integer != 0);
    case FIELD_FLOAT:
    case FIELD_DOUBLE:
        real = value->value.real + 0.0; /* -0.0 becomes 0.0 */
        memcpy(&bits, &real, sizeof bits);
        return mix('d', real == real ? bits : 0); /* every NaN equals every NaN */
    case FIELD_STRING:
    case FIELD_BYTES:
        return mix('S', map_hash(value->value.bytes));
    default:
        return mix('?', 0);
    }
}

uint64_t header_list_value_hash(const struct header *header)
{
    return mix(header->key_hash, hash_value(&header->value));
}

uint64_t header_list_presence_hash(const struct header *header)
{
    return mix(header->key_hash, 'V');
}
