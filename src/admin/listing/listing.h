/* Listings: rows are gathered, filtered by name, sorted, cut to a page and written. Long ones are
 * sorted and written in slices, between which the loop serves others. The query says how: page,
 * page_size, name, use_regex, where (conditions.h), sort, sort_reverse, columns, and the ranges of
 * samples (request_ranges). Thread: the main thread. */
#ifndef LEVERET_ADMIN_LISTING_H
#define LEVERET_ADMIN_LISTING_H

#include "admin/json/answer.h"
#include "admin/listing/gather.h"

/* Rows of a page when the query does not say, and rows that it may ask for; asking for more is
 * answered 400. */
#define PAGE_SIZE     100u
#define PAGE_SIZE_MAX 500u
/* The largest number that is read for page and page_size; one above it is answered 400. */
#define PAGE_NUMBER_MAX 999999999u
/* An answer of more bytes is streamed as its client reads. */
#define LISTING_WHOLE_BYTES 65536u
/* Rows that are written, or looked at for sorting, in one turn of the loop; a turn in which so many
 * bytes have been written writes no more. */
#define LISTING_SLICE       500u
#define LISTING_SLICE_BYTES (256u << 10)

/* What rows are ordered by: the keys one after the other, then the number. Keys that a kind does
 * not use stay empty. */
#define LISTING_KEYS 5u
struct listing_order {
    struct bytes keys[LISTING_KEYS];
    uint64_t number;
};

struct listing_kind {
    const struct gather_kind *gather; /* NULL: the caller adds its rows with listing_add */
    /* Writes the row's fields into the object that is open. */
    void (*render)(struct request *request, struct answer *answer, const struct row *row);
    /* What the row is ordered by when the query does not say; NULL: rows keep their order. */
    void (*order)(const struct row *row, struct listing_order *order);
    /* What the query's name is compared with; NULL: the query's name is ignored. */
    struct bytes (*name)(const struct row *row);
    /* Returns true when the user may see the row; NULL: he may see all. */
    bool (*visible)(const struct request *request, const struct row *row);
    /* The columns that are told while statistics are off (disable_stats), and those while sums of
     * queues are on besides (enable_queue_totals); NULL: as many as ever, and those of small. */
    const char *small, *small_totals;
    /* true: the query's page counts only with pagination=true, as RabbitMQ has no pages of these */
    bool unpaged;
};

/* The page that the query asks for. */
struct listing_page {
    bool given; /* false: the query asks for all rows, and the answer is a plain list */
    uint64_t number, size;
    size_t total, filtered; /* rows before and after the filter by name */
};

struct listing;

/* Makes the request's listing. The caller then sets pick and wanted of listing_rows and calls
 * listing_gather, or adds rows of its own and calls listing_write. */
struct listing *listing_new(struct request *request, const struct listing_kind *kind);
struct gather *listing_rows(struct listing *listing);
struct arena *listing_arena(struct listing *listing);
/* A copy of info that lives as long as the listing. */
const void *listing_keep(struct listing *listing, const void *info, size_t bytes);
/* Adds a row of the caller's; info lives as long as the listing, or longer. */
void listing_add(struct listing *listing, struct bytes vhost, const void *info);

/* Gathers from the vhost (NULL: from all that the user may see), then answers. */
void listing_gather(struct request *request, struct listing *listing, const struct bytes *vhost);
/* Answers with the rows that are there. */
void listing_write(struct request *request, struct listing *listing);

/* Returns true when the configuration or the query (disable_stats, enable_queue_totals) says so. */
bool listing_without_stats(const struct request *request);
bool listing_with_queue_totals(const struct request *request);

/* Answers with one row: an object with the query's columns. */
void listing_respond_one(struct request *request, const struct listing_kind *kind,
                         const struct row *row);

/* Reads page and page_size of the query. Errors: MALFORMED; it has been answered. */
MUST_USE enum status listing_page_read(struct request *request, struct listing_page *page);
/* The rows of the page: *count of them from *first on. Errors: LIMIT: the page is beyond the last
 * row. */
MUST_USE enum status listing_page_cut(const struct listing_page *page, size_t *first,
                                      size_t *count);

#endif
