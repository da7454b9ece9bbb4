/* Listings: pages, filters by name, sorting, columns; and rates. What a listing needs of requests
 * is played here. */
#include <check.h>
#include <stdlib.h>

#include "admin/http/http.h"
#include "admin/http/turns.h"
#include "admin/listing/filter.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "leveret/base/mem.h"

/* ---- The request's part. */

static struct admin admin;
static struct request request;
static const char *query[16]; /* name, value, … */
static struct text replied;
static int code;

char *request_query(const struct request *r, const char *name)
{
    (void)r;
    for (size_t i = 0; query[i]; i += 2)
        if (strcmp(query[i], name) == 0)
            return mem_need_text(query[i + 1], strlen(query[i + 1]));
    return NULL;
}

bool request_query_true(const struct request *r, const char *name)
{
    char *value = request_query(r, name);
    bool is = value && strcmp(value, "true") == 0;
    free(value);
    return is;
}

bool request_ranges(struct request *r)
{
    (void)r;
    return true;
}

void *request_work(struct request *r, size_t bytes, void (*free_work)(void *work))
{
    r->work = mem_need(bytes);
    r->free_work = free_work;
    return r->work;
}

static void done(struct request *r)
{
    r->free_work(r->work);
    r->work = NULL;
    loop_stop(admin.options.loop);
}

void respond_json(struct request *r, int status, struct answer *answer)
{
    code = status;
    replied = answer->text;
    done(r);
}

void respond_error(struct request *r, int status, const char *error, const char *reason)
{
    code = status;
    text_printf(&replied, "%s: %s", error, reason);
    done(r);
}

void respond_bad_request(struct request *r, const char *format, ...)
{
    code = 400;
    text_printf(&replied, "bad_request: %s", format);
    done(r);
}

char *request_query_next(const char **from, const char *name)
{
    (void)from, (void)name;
    return NULL;
}

/* A stream: the client has enough after each write, until it has taken it in a later turn. */
static unsigned waits;
static bool streaming, client_leaves;
static struct timer *reader;
static void (*when_read)(struct request *r);

static void on_read(void *context)
{
    struct request *r = context;
    if (client_leaves)
        r->http = NULL;
    when_read(r);
}

bool http_is_streaming(const struct request *r)
{
    (void)r;
    return streaming;
}

void http_stream_begin(struct request *r, int status, const char *type)
{
    (void)r, (void)type;
    ck_assert(!streaming);
    streaming = true;
    code = status;
}

void http_stream_write(struct request *r, struct text *text)
{
    (void)r;
    text_add_bytes(&replied, text_bytes(text));
    text_free(text);
}

bool http_stream_full(const struct request *r)
{
    (void)r;
    return streaming;
}

void http_stream_wait(struct request *r, void (*more)(struct request *r))
{
    waits++;
    when_read = more;
    if (!reader)
        reader = timer_new(admin.options.loop, on_read, r);
    timer_set(reader, 0);
}

void respond_streamed(struct request *r)
{
    done(r);
}

void request_free(struct request *r)
{
    code = 0;
    done(r);
}

void turns_give(struct request *r)
{
    (void)r;
}

/* Gathering is not played. */
void gather_run(struct request *r, struct gather *gather, const struct bytes *vhost,
                void (*called)(struct request *r, struct gather *gather))
{
    (void)r, (void)gather, (void)vhost, (void)called;
    ck_abort();
}

void gather_free(struct gather *gather)
{
    free(gather->rows);
}

void arena_free(struct arena *arena)
{
    (void)arena;
}

/* ---- A listing. */

struct thing {
    char name[16];
    uint64_t size;
};

static void render(struct request *r, struct answer *a, const struct row *row)
{
    const struct thing *thing = row->info;
    (void)r;
    answer_text(a, "name", thing->name);
    answer_bytes(a, "vhost", row->vhost);
    answer_uint(a, "size", thing->size);
}

static void order(const struct row *row, struct listing_order *keys)
{
    keys->keys[0] = row->vhost;
    keys->keys[1] = bytes_of_text(((const struct thing *)row->info)->name);
}

static struct bytes name(const struct row *row)
{
    return bytes_of_text(((const struct thing *)row->info)->name);
}

static bool visible(const struct request *r, const struct row *row)
{
    (void)r;
    return !bytes_equal_text(name(row), "hidden");
}

static const struct listing_kind kind = {.render = render, .order = order, .name = name, .visible = visible};

static void list(const struct thing *things, size_t count)
{
    struct listing *listing = listing_new(&request, &kind);
    text_free(&replied);
    for (size_t i = 0; i < count; i++)
        listing_add(listing, i % 2 ? BYTES_LITERAL("a") : BYTES_LITERAL("b"),
                    listing_keep(listing, &things[i], sizeof things[i]));
    listing_write(&request, listing);
    if (request.work)
        loop_run(admin.options.loop);
}

#define ASK(...)                                                                                   \
    do {                                                                                           \
        static const char *const asked[] = {__VA_ARGS__, NULL, NULL};                              \
        memcpy(query, asked, sizeof asked);                                                        \
    } while (0)

static const struct thing five[] = {
    {"beta", 5}, {"alpha", 40}, {"gamma", 30}, {"Alps", 5}, {"hidden", 1}};

static void expect(int status, const char *text)
{
    ck_assert_int_eq(code, status);
    ck_assert_msg(bytes_equal_text(text_bytes(&replied), text), "%.*s instead of %s",
                  (int)replied.len, (const char *)replied.at, text);
}

static void set_up(void)
{
    memset(query, 0, sizeof query);
    ck_assert_int_eq(loop_new(&admin.options.loop), STATUS_OK);
    request.admin = &admin;
    request.http = (struct http_connection *)(void *)&request; /* somebody waits */
    waits = 0;
    streaming = client_leaves = false;
}

static void tear_down(void)
{
    text_free(&replied);
    timer_free(&reader);
    loop_free(&admin.options.loop);
}

START_TEST(all_rows_by_vhost_and_name)
{
    ASK("columns", "vhost,name");
    list(five, 5);
    expect(200, "[{\"name\":\"Alps\",\"vhost\":\"a\"},{\"name\":\"alpha\",\"vhost\":\"a\"},"
                "{\"name\":\"beta\",\"vhost\":\"b\"},{\"name\":\"gamma\",\"vhost\":\"b\"}]");
    list(five, 0);
    expect(200, "[]");
}
END_TEST

START_TEST(sorted_by_a_column)
{
    ASK("columns", "name", "sort", "size");
    list(five, 4);
    expect(200,
           "[{\"name\":\"Alps\"},{\"name\":\"beta\"},{\"name\":\"gamma\"},{\"name\":\"alpha\"}]");
    ASK("columns", "name", "sort", "size", "sort_reverse", "true");
    list(five, 4);
    expect(200,
           "[{\"name\":\"alpha\"},{\"name\":\"gamma\"},{\"name\":\"beta\"},{\"name\":\"Alps\"}]");
    ASK("columns", "name", "sort", "nonsense");
    list(five, 2);
    expect(200, "[{\"name\":\"alpha\"},{\"name\":\"beta\"}]");
}
END_TEST

START_TEST(pages)
{
    ASK("page", "2", "page_size", "3", "columns", "name");
    list(five, 5);
    expect(200, "{\"filtered_count\":4,\"item_count\":1,\"page\":2,\"page_count\":2,"
                "\"page_size\":3,\"total_count\":4,\"items\":[{\"name\":\"gamma\"}]}");
    ASK("page", "1", "name", "ALP", "columns", "name");
    list(five, 5);
    expect(200, "{\"filtered_count\":2,\"item_count\":2,\"page\":1,\"page_count\":1,"
                "\"page_size\":100,\"total_count\":4,\"items\":[{\"name\":\"Alps\"},"
                "{\"name\":\"alpha\"}]}");
    ASK("page", "1", "name", "^[bg]", "use_regex", "true", "columns", "size");
    list(five, 5);
    expect(200, "{\"filtered_count\":2,\"item_count\":2,\"page\":1,\"page_count\":1,"
                "\"page_size\":100,\"total_count\":4,\"items\":[{\"size\":5},{\"size\":30}]}");
    ASK("page", "1");
    list(five, 0);
    expect(200, "{\"filtered_count\":0,\"item_count\":0,\"page\":1,\"page_count\":1,"
                "\"page_size\":100,\"total_count\":0,\"items\":[]}");
}
END_TEST

START_TEST(pages_that_cannot_be)
{
    ASK("page", "9", "page_size", "2");
    list(five, 4);
    expect(400, "page_out_of_range: Page out of range, page: 9 page size: 2, len: 4");
    ASK("page", "abc");
    list(five, 4);
    expect(400, "bad_request: Pagination parameters are invalid");
    ASK("page", "1", "page_size", "501");
    list(five, 4);
    expect(400, "invalid_pagination_parameters: Invalid pagination parameters: page number 1, "
                "page size 501");
    ASK("page", "0");
    list(five, 4);
    expect(400, "invalid_pagination_parameters: Invalid pagination parameters: page number 0, "
                "page size undefined");
    ASK("page", "-1");
    list(five, 4);
    ck_assert_int_eq(code, 400);
    ASK("page", "99999999999999999999");
    list(five, 4);
    expect(400, "bad_request: Pagination parameters are invalid");
    ASK("page", "1", "name", "(", "use_regex", "true");
    list(five, 4);
    expect(400, "bad_request: Pagination parameters are invalid");
}
END_TEST

/* More rows than a turn of the loop writes. */
START_TEST(many_rows_go_in_slices)
{
    size_t count = 3 * LISTING_SLICE + 7;
    struct thing *things = mem_need(count * sizeof *things);
    for (size_t i = 0; i < count; i++)
        things[i] = (struct thing){.name = "x", .size = i};
    ASK("columns", "size", "sort", "size");
    list(things, count);
    struct text wanted = {0};
    for (size_t i = 0; i < count; i++)
        text_printf(&wanted, "%c{\"size\":%zu}", i ? ',' : '[', i);
    text_add(&wanted, "]", 2);
    expect(200, (const char *)wanted.at);
    text_free(&wanted);
    free(things);
}
END_TEST

/* Rows that make an answer of several times LISTING_WHOLE_BYTES. */
static void list_much(void)
{
    size_t count = 20000;
    struct thing *things = mem_need(count * sizeof *things);
    for (size_t i = 0; i < count; i++)
        things[i] = (struct thing){.name = "x", .size = i};
    ASK("columns", "size", "sort", "size");
    list(things, count);
    free(things);
}

START_TEST(long_answers_are_streamed)
{
    list_much();
    struct text wanted = {0};
    for (size_t i = 0; i < 20000; i++)
        text_printf(&wanted, "%c{\"size\":%zu}", i ? ',' : '[', i);
    text_add(&wanted, "]", 2);
    expect(200, (const char *)wanted.at);
    ck_assert_uint_ge(waits, 3);
    text_free(&wanted);
}
END_TEST

START_TEST(nothing_more_is_written_for_a_client_that_left)
{
    client_leaves = true;
    list_much();
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(waits, 1);
    ck_assert_uint_lt(replied.len, 2 * LISTING_WHOLE_BYTES);
}
END_TEST

START_TEST(a_hopeless_expression_ends)
{
    struct filter *filter;
    ck_assert_int_eq(filter_new("(a+)+$", true, &filter), STATUS_OK);
    ck_assert(!filter_fits(filter, BYTES_LITERAL("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    ck_assert(filter_fits(filter, BYTES_LITERAL("aaa")));
    ck_assert(!filter_fits(filter, bytes_of(NULL, 0)));
    filter_free(&filter);
    filter_free(&filter);
}
END_TEST

/* ---- Rates and samples. */

static unsigned rate_bit(const char *name)
{
    for (unsigned i = 0; i < STATS_COUNT; i++)
        if (strcmp(stats_names[i], name) == 0)
            return 1u << i;
    ck_abort_msg("no rate %s", name);
}

START_TEST(counters_are_told_with_their_rates)
{
    const struct rates counters = {.publish = 1, .deliver = 2, .get = 3, .get_no_ack = 4};
    uint64_t values[STATS_COUNT];
    const struct told told = {.columns = STATS_COUNT, .rates = {0.5}};
    struct answer a = {0};
    stats_values(&counters, 5, 6, values);
    answer_object(&a, NULL);
    stats_write(&a, values, &told,
                rate_bit("publish") | rate_bit("deliver_get") | rate_bit("disk_reads") |
                    rate_bit("disk_writes"));
    answer_end(&a);
    replied = a.text;
    code = 0;
    expect(0, "{\"message_stats\":{\"publish\":1,\"publish_details\":{\"rate\":0.5},"
              "\"deliver_get\":9,\"deliver_get_details\":{\"rate\":0.0},"
              "\"disk_reads\":5,\"disk_reads_details\":{\"rate\":0.0},"
              "\"disk_writes\":6,\"disk_writes_details\":{\"rate\":0.0}}}");
}
END_TEST

START_TEST(samples_are_told_newest_first)
{
    uint64_t samples[3] = {10, 20, 60};
    const struct told told = {
        .columns = 1,
        .rates = {8},
        .of[RANGE_DATA] = {.count = 3, .last_ms = 50000, .range = {10, 5}, .values = samples},
    };
    struct answer a = {0};
    answer_object(&a, NULL);
    stats_write_detail(&a, "recv_oct", 70, &told, 0, RANGE_DATA);
    answer_end(&a);
    replied = a.text;
    code = 0;
    expect(0, "{\"recv_oct\":70,\"recv_oct_details\":{\"rate\":8.0,\"samples\":["
              "{\"sample\":60,\"timestamp\":50000},{\"sample\":20,\"timestamp\":45000},"
              "{\"sample\":10,\"timestamp\":40000}],\"avg_rate\":5.0,\"avg\":30.0}}");
}
END_TEST

START_TEST(a_mean_is_its_own_rate)
{
    uint64_t values[2] = {3000, 2}, samples[4] = {0, 0, 1000, 2};
    const struct told told = {
        .columns = 2,
        .of[RANGE_NODE] = {.count = 2, .last_ms = 50000, .range = {5, 5}, .values = samples},
    };
    struct answer a = {0};
    answer_object(&a, NULL);
    stats_write_mean(&a, "io_read_avg_time", values, &told, 0, 1);
    answer_end(&a);
    replied = a.text;
    code = 0;
    expect(0, "{\"io_read_avg_time\":1.5,\"io_read_avg_time_details\":{\"rate\":1.5,\"samples\":["
              "{\"sample\":0.5,\"timestamp\":50000},{\"sample\":0.0,\"timestamp\":45000}],"
              "\"avg_rate\":1.5,\"avg\":0.25}}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, all_rows_by_vhost_and_name);
    tcase_add_test(tcase, sorted_by_a_column);
    tcase_add_test(tcase, pages);
    tcase_add_test(tcase, pages_that_cannot_be);
    tcase_add_test(tcase, many_rows_go_in_slices);
    tcase_add_test(tcase, long_answers_are_streamed);
    tcase_add_test(tcase, nothing_more_is_written_for_a_client_that_left);
    tcase_add_test(tcase, a_hopeless_expression_ends);
    tcase_add_test(tcase, counters_are_told_with_their_rates);
    tcase_add_test(tcase, samples_are_told_newest_first);
    tcase_add_test(tcase, a_mean_is_its_own_rate);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
