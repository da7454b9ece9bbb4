/* Sorting a table: fields are moved in their encoded form, so that nothing inside them changes. */
#include "leveret/wire/table_sort.h"

#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveret/wire/table.h"

struct table_piece {
    struct bytes key, encoded; /* encoded: key, type and value */
};

static int compare_keys(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Fields with the same key keep their order, which their addresses tell. */
static int compare_pieces(const void *left, const void *right)
{
    const struct table_piece *a = left, *b = right;
    int order = compare_keys(a->key, b->key);
    return order ? order : (a->encoded.at > b->encoded.at) - (a->encoded.at < b->encoded.at);
}

/* Counts the fields. *in_order: true when they are sorted already. */
static size_t look_through(struct bytes contents, bool *in_order)
{
    struct reader r = reader_of(contents);
    struct bytes key, before = {0};
    struct field value;
    size_t count = 0;
    *in_order = true;
    while (table_next(&r, &key, &value)) {
        if (count++ && compare_keys(before, key) > 0)
            *in_order = false;
        before = key;
    }
    return count;
}

struct bytes table_sorted(struct bytes contents, struct text *scratch)
{
    bool in_order;
    size_t count = look_through(contents, &in_order);
    if (in_order)
        return contents;

    struct table_piece *pieces = mem_need_array(NULL, count, sizeof *pieces);
    struct reader r = reader_of(contents);
    struct field value;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = r.at;
        (void)table_next(&r, &pieces[i].key, &value);
        pieces[i].encoded = bytes_of(from, (size_t)(r.at - from));
    }
    qsort(pieces, count, sizeof *pieces, compare_pieces);
    scratch->len = 0;
    for (size_t i = 0; i < count; i++)
        text_add_bytes(scratch, pieces[i].encoded);
    free(pieces);
    return text_bytes(scratch);
}
