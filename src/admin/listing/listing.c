/* Listings.
 *
 * Normal course: read the query, gather rows, drop those that the user may not see or whose names
 * do not fit, capture what to sort by, sort, cut the page, write it. Capturing and writing do
 * LISTING_SLICE rows in a turn of the loop, and a timer calls the next one. What can go wrong: the
 * query's page is malformed or beyond the last row (400); the client leaves (nothing more is
 * written). */
#include "admin/listing/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/http.h"
#include "admin/http/respond.h"
#include "admin/http/turns.h"
#include "admin/json/columns.h"
#include "admin/listing/conditions.h"
#include "admin/listing/filter.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"

/* A row that is listed, and what it is sorted by. */
struct listed {
    struct row row;
    struct captured sort;
};

struct listing {
    struct gather gather;
    const struct listing_kind *kind;
    struct request *request;
    struct arena arena;
    void **kept; /* what listing_keep has copied */
    size_t kept_count, kept_room;
    struct timer *timer;
    struct conditions *conditions; /* that rows must fulfil; NULL: none */
    struct columns columns, sort;
    bool asked;   /* true once the query has been read */
    bool sorted;  /* true when the query says by which column to sort */
    bool reverse; /* true when the query asks for the reverse order */
    struct listing_page page;
    struct listed *entries;
    size_t count; /* of entries */
    size_t at,
        end; /* of entries: the next one to be captured or written, and the end of the page */
    struct answer answer;
    bool some; /* true once a row has been written: a comma comes before the next one */
};

static void listing_free(void *work)
{
    struct listing *l = work;
    for (size_t i = 0; i < l->count; i++)
        text_free(&l->entries[i].sort.text);
    free(l->entries);
    gather_free(&l->gather);
    arena_free(&l->arena);
    for (size_t i = 0; i < l->kept_count; i++)
        free(l->kept[i]);
    free(l->kept);
    timer_free(&l->timer);
    conditions_free(&l->conditions);
    columns_free(&l->columns);
    columns_free(&l->sort);
    answer_free(&l->answer);
    free(l);
}

struct listing *listing_new(struct request *request, const struct listing_kind *kind)
{
    struct listing *l = request_work(request, sizeof *l, listing_free);
    l->kind = kind;
    l->gather.kind = kind->gather;
    l->request = request;
    return l;
}

struct gather *listing_rows(struct listing *listing)
{
    return &listing->gather;
}

struct arena *listing_arena(struct listing *listing)
{
    return &listing->arena;
}

const void *listing_keep(struct listing *listing, const void *info, size_t bytes)
{
    if (listing->kept_count == listing->kept_room) {
        listing->kept_room = 2 * listing->kept_room + 16;
        listing->kept = mem_need_array(listing->kept, listing->kept_room, sizeof(void *));
    }
    void *copy = mem_need(bytes);
    memcpy(copy, info, bytes);
    return listing->kept[listing->kept_count++] = copy;
}

void listing_add(struct listing *listing, struct bytes vhost, const void *info)
{
    struct gather *g = &listing->gather;
    if (g->row_count == g->row_room) {
        g->row_room = 2 * g->row_room + 16;
        g->rows = mem_need_array(g->rows, g->row_room, sizeof *g->rows);
    }
    g->rows[g->row_count++] = (struct row){vhost, info};
}

/* ---- The query. */

static enum status bad_page(struct request *r, const char *number, const char *size)
{
    char reason[160];
    snprintf(reason, sizeof reason,
             "Invalid pagination parameters: page number %.20s, page size %.20s", number,
             size ? size : "undefined");
    respond_error(r, 400, "invalid_pagination_parameters", reason);
    return STATUS_MALFORMED;
}

enum status listing_page_read(struct request *request, struct listing_page *page)
{
    char *number = request_query(request, "page"), *size = request_query(request, "page_size");
    enum status status = STATUS_OK;
    *page = (struct listing_page){.given = number != NULL, .size = PAGE_SIZE};
    if (number) {
        bool minus = number[0] == '-' || (size && size[0] == '-');
        if (!minus && (!number_read(number, PAGE_NUMBER_MAX, &page->number) ||
                       (size && !number_read(size, PAGE_NUMBER_MAX, &page->size)))) {
            respond_error(request, 400, "bad_request", "Pagination parameters are invalid");
            status = STATUS_MALFORMED;
        } else if (minus || page->number == 0 || page->size == 0 || page->size > PAGE_SIZE_MAX) {
            status = bad_page(request, number, size);
        }
    }
    free(number);
    free(size);
    return status;
}

enum status listing_page_cut(const struct listing_page *page, size_t *first, size_t *count)
{
    *first = 0;
    *count = page->filtered;
    if (!page->given)
        return STATUS_OK;
    if ((page->number - 1) * page->size > page->filtered)
        return STATUS_LIMIT;
    *first = (size_t)((page->number - 1) * page->size);
    *count -= *first;
    if (*count > page->size)
        *count = (size_t)page->size;
    return STATUS_OK;
}

bool listing_without_stats(const struct request *request)
{
    return request->admin->options.disable_stats || request_query_true(request, "disable_stats");
}

bool listing_with_queue_totals(const struct request *request)
{
    return request->admin->options.enable_queue_totals ||
           request_query_true(request, "enable_queue_totals");
}

/* Reads which columns are told. */
static void read_columns(struct request *r, const struct listing_kind *kind, struct columns *out)
{
    char *columns = request_query(r, "columns");
    if (columns)
        columns_parse(out, columns);
    free(columns);
    if (!kind->small || !listing_without_stats(r))
        return;
    bool totals = kind->small_totals && listing_with_queue_totals(r);
    columns_narrow(out, totals ? kind->small_totals : kind->small);
}

/* Returns true when the query's page is not meant. */
static bool ignores_page(const struct request *r, const struct listing_kind *kind)
{
    return kind->unpaged && !request_query_true(r, "pagination");
}

/* Reads the query, once. Returns false when it is wrong, and has answered. */
static bool read_query(struct request *r, struct listing *l)
{
    if (l->asked)
        return true;
    l->asked = true;
    char *sort = request_query(r, "sort");
    read_columns(r, l->kind, &l->columns);
    if (sort && *sort && !strchr(sort, ','))
        columns_parse(&l->sort, sort);
    free(sort);
    l->sorted = l->sort.count != 0;
    l->reverse = request_query_true(r, "sort_reverse");
    if (!request_ranges(r) || !conditions_read(r, &l->conditions))
        return false;
    return ignores_page(r, l->kind) || listing_page_read(r, &l->page) == STATUS_OK;
}

/* ---- Writing, the last step. */

static void listing_error(struct listing *l)
{
    char reason[128];
    snprintf(reason, sizeof reason,
             "Page out of range, page: %" PRIu64 " page size: %" PRIu64 ", len: %zu",
             l->page.number, l->page.size, l->page.filtered);
    respond_error(l->request, 400, "page_out_of_range", reason);
}

static void finish(struct listing *l)
{
    struct answer answer = l->answer;
    text_add(&answer.text, "]", 1);
    if (l->page.given)
        text_add(&answer.text, "}", 1);
    l->answer = (struct answer){0};
    if (http_is_streaming(l->request)) {
        http_stream_write(l->request, &answer.text);
        respond_streamed(l->request);
    } else {
        respond_json(l->request, 200, &answer);
    }
}

static void write_more(struct request *r);

static void write_slice(void *context)
{
    struct listing *l = context;
    for (size_t n = 0;
         n < LISTING_SLICE && l->at < l->end && l->answer.text.len < LISTING_SLICE_BYTES;
         n++, l->at++) {
        if (l->some)
            text_add(&l->answer.text, ",", 1);
        l->some = true;
        answer_object(&l->answer, NULL);
        l->kind->render(l->request, &l->answer, &l->entries[l->at].row);
        answer_end(&l->answer);
    }
    if (l->at == l->end) {
        finish(l);
        return;
    }
    if (l->answer.text.len >= LISTING_WHOLE_BYTES) {
        if (!http_is_streaming(l->request))
            http_stream_begin(l->request, 200, "application/json");
        http_stream_write(l->request, &l->answer.text);
    }
    if (http_stream_full(l->request))
        http_stream_wait(l->request, write_more);
    else if (l->request->http)
        timer_set(l->timer, 0);
    else
        request_free(l->request); /* the client has left */
}

/* Goes on when the client has taken most of what was written, or has left. */
static void write_more(struct request *r)
{
    if (r->http)
        write_slice(r->work);
    else
        request_free(r);
}

static void start_writing(struct listing *l)
{
    size_t first, count;
    if (listing_page_cut(&l->page, &first, &count) != STATUS_OK) {
        listing_error(l);
        return;
    }
    l->at = first;
    l->end = first + count;
    if (l->columns.count)
        l->answer.columns = &l->columns;
    if (l->page.given) {
        uint64_t pages = (l->page.filtered + l->page.size - 1) / l->page.size;
        text_printf(&l->answer.text,
                    "{\"filtered_count\":%zu,\"item_count\":%zu,\"page\":%" PRIu64
                    ",\"page_count\":%" PRIu64 ",\"page_size\":%" PRIu64
                    ",\"total_count\":%zu,\"items\":",
                    l->page.filtered, count, l->page.number, pages ? pages : 1, l->page.size,
                    l->page.total);
    }
    text_add(&l->answer.text, "[", 1);
    timer_free(&l->timer);
    l->timer = timer_new(l->request->admin->options.loop, write_slice, l);
    write_slice(l);
}

/* ---- Sorting. */

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_captured(const struct captured *a, const struct captured *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == CAPTURED_NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    return a->kind == CAPTURED_TEXT ? compare_bytes(text_bytes(&a->text), text_bytes(&b->text)) : 0;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct listing *l = context;
    const struct listed *x = a, *y = b;
    struct listing_order left = {.number = 0}, right = {.number = 0};
    int order = compare_captured(&x->sort, &y->sort);
    if (order == 0 && l->kind->order) {
        l->kind->order(&x->row, &left);
        l->kind->order(&y->row, &right);
        for (size_t i = 0; i < LISTING_KEYS && order == 0; i++)
            order = compare_bytes(left.keys[i], right.keys[i]);
        if (order == 0)
            order = (left.number > right.number) - (left.number < right.number);
    }
    return l->reverse ? -order : order;
}

static void sort_and_write(struct listing *l)
{
    if (l->count)
        qsort_r(l->entries, l->count, sizeof *l->entries, compare, l);
    start_writing(l);
}

static void capture_slice(void *context)
{
    struct listing *l = context;
    if (!l->request->http) {
        request_free(l->request); /* the client has left */
        return;
    }
    for (size_t n = 0; n < LISTING_SLICE && l->at < l->count; n++, l->at++) {
        struct answer w = {.columns = &l->sort, .capture = &l->entries[l->at].sort};
        answer_object(&w, NULL);
        l->kind->render(l->request, &w, &l->entries[l->at].row);
        answer_free(&w);
    }
    if (l->at < l->count)
        timer_set(l->timer, 0);
    else
        sort_and_write(l);
}

static void start_sorting(struct listing *l)
{
    if (!l->sorted) {
        sort_and_write(l);
        return;
    }
    timer_free(&l->timer);
    l->timer = timer_new(l->request->admin->options.loop, capture_slice, l);
    l->at = 0;
    capture_slice(l);
}

/* ---- Choosing rows. */

/* A row for conditions_hold. */
struct judged {
    struct listing *listing;
    const struct row *row;
};

static void render_judged(void *context, struct answer *answer)
{
    const struct judged *judged = context;
    judged->listing->kind->render(judged->listing->request, answer, judged->row);
}

/* Drops rows for which a condition does not hold: those that stay move to the front. */
static void judge_slice(void *context)
{
    struct listing *l = context;
    if (!l->request->http) {
        request_free(l->request); /* the client has left */
        return;
    }
    for (size_t n = 0; n < LISTING_SLICE && l->at < l->count; n++, l->at++) {
        struct judged judged = {l, &l->entries[l->at].row};
        if (conditions_hold(l->conditions, render_judged, &judged))
            l->entries[l->page.filtered++] = l->entries[l->at];
    }
    if (l->at < l->count) {
        timer_set(l->timer, 0);
        return;
    }
    l->count = l->page.filtered;
    start_sorting(l);
}

static void start_judging(struct listing *l)
{
    if (!l->conditions) {
        l->page.filtered = l->count;
        start_sorting(l);
        return;
    }
    l->timer = timer_new(l->request->admin->options.loop, judge_slice, l);
    judge_slice(l);
}

static void choose(struct listing *l, struct filter *filter)
{
    l->entries = mem_need_array(NULL, l->gather.row_count, sizeof *l->entries);
    for (size_t i = 0; i < l->gather.row_count; i++) {
        const struct row *row = &l->gather.rows[i];
        if (l->kind->visible && !l->kind->visible(l->request, row))
            continue;
        l->page.total++;
        if (!filter || filter_fits(filter, l->kind->name(row)))
            l->entries[l->count++] = (struct listed){.row = *row};
    }
}

void listing_write(struct request *request, struct listing *listing)
{
    struct filter *filter = NULL;
    turns_give(request); /* a client that reads slowly keeps no other waiting */
    if (!read_query(request, listing))
        return;
    char *name = listing->page.given ? request_query(request, "name") : NULL;
    enum status status = STATUS_OK;
    if (name && *name && listing->kind->name)
        status = filter_new(name, request_query_true(request, "use_regex"), &filter);
    free(name);
    if (status != STATUS_OK) {
        respond_error(request, 400, "bad_request", "Pagination parameters are invalid");
        return;
    }
    choose(listing, filter);
    filter_free(&filter);
    start_judging(listing);
}

static void gathered(struct request *request, struct gather *gather)
{
    listing_write(request, (struct listing *)(void *)gather);
}

void listing_gather(struct request *request, struct listing *listing, const struct bytes *vhost)
{
    if (!read_query(request, listing))
        return;
    gather_run(request, &listing->gather, vhost, gathered);
}

void listing_respond_one(struct request *request, const struct listing_kind *kind,
                         const struct row *row)
{
    struct columns columns = {0};
    struct answer answer = {0};
    if (!request_ranges(request))
        return;
    read_columns(request, kind, &columns);
    if (columns.count)
        answer.columns = &columns;
    answer_object(&answer, NULL);
    kind->render(request, &answer, row);
    answer_end(&answer);
    answer.columns = NULL;
    columns_free(&columns);
    respond_json(request, 200, &answer);
}
