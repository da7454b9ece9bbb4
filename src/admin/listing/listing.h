/* Listings: rows are gathered, filtered by name, sorted, cut to a page and written, the last three
 * in slices between which the loop serves others. Query: page, page_size, name, use_regex, sort,
 * sort_reverse, columns. Thread: main. */
#ifndef LEVERET_ADMIN_LISTING_H
#define LEVERET_ADMIN_LISTING_H

#include "admin/listing/gather.h"

#define LISTING_KEYS        5u
#define PAGE_SIZE           100u
#define PAGE_SIZE_MAX       500u
#define PAGE_NUMBER_MAX     999999999u /* what page and size are read up to */
#define LISTING_WHOLE_BYTES 65536u     /* a longer answer is streamed as its client reads */
#define LISTING_SLICE       500u       /* rows written in a turn of the loop */

/* Compared in turn; unused ones stay empty. */
struct listing_order {
    struct bytes keys[LISTING_KEYS];
    uint64_t number;
};

struct listing_kind {
    const struct gather_kind *gather;
    /* Writes the row's fields into the object that is open. */
    void (*render)(struct request *request, struct answer *answer, const struct row *row);
    /* What the rows are ordered by when the query does not say. */
    void (*order)(const struct row *row, struct listing_order *order);
    struct bytes (*name)(const struct row *row);
    /* Whether the user may see the row; NULL: yes. */
    bool (*visible)(const struct request *request, const struct row *row);
};

/* The page, as the query says. */
struct listing_page {
    bool given;
    uint64_t number, size;
    size_t total, filtered; /* rows before and after the filter by name */
};

struct listing;

/* Makes the request's listing. To be followed by setting the gather's pick and wanted, or by adding
 * rows of one's own, and then by listing_gather or listing_write. */
struct listing *listing_new(struct request *request, const struct listing_kind *kind);
struct gather *listing_rows(struct listing *listing);
struct arena *listing_arena(struct listing *listing);
/* A copy of info that lives as long as the listing, aligned for any type. */
const void *listing_keep(struct listing *listing, const void *info, size_t bytes);
/* Adds a row that the caller made; info lives in the arena or longer. */
void listing_add(struct listing *listing, struct bytes vhost, const void *info);

/* Gathers from the vhost (NULL: all visible), then writes the answer. */
void listing_gather(struct request *request, struct listing *listing, const struct bytes *vhost);
/* Writes the answer from the rows that are there. */
void listing_write(struct request *request, struct listing *listing);

/* The answer to one object asked for by name: the object with the query's columns; not found: 404.
 */
void listing_respond_one(struct request *request, const struct listing_kind *kind,
                         const struct row *row);

/* Reads page and page_size. Errors: MALFORMED (answered). */
MUST_USE enum status listing_page_read(struct request *request, struct listing_page *page);
/* The rows of the page: from *first, *count of them. Errors: LIMIT (beyond the last one). */
MUST_USE enum status listing_page_cut(const struct listing_page *page, size_t *first,
                                      size_t *count);

/* A filter by name: a part of it, or a regular expression, both regardless of case. NULL: all
 * names. */
struct filter;
/* Errors: MALFORMED. */
MUST_USE enum status filter_new(const char *pattern, bool regex, struct filter **out);
bool filter_fits(struct filter *filter, struct bytes name);
void filter_free(struct filter **filter);

#endif
