/* Numbers of objects, with their rates and samples, as JSON: see stats.h. */
#include "admin/listing/stats.h"

#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"

const char *const stats_names[STATS_COUNT] = {
    "publish", "confirm",     "return_unroutable", "deliver",    "deliver_no_ack",
    "get",     "get_no_ack",  "get_empty",         "ack",        "redeliver",
    "reject",  "deliver_get", "drop_unroutable",   "disk_reads", "disk_writes",
};

#define LENGTHS (1u << NUMBER_READY | 1u << NUMBER_UNACKNOWLEDGED | 1u << NUMBER_MESSAGES)

void stats_describe(struct archive_options *options)
{
    static const struct {
        enum archive_policy policy;
        unsigned columns;
        uint32_t gauges;
    } kinds[ARCHIVE_KINDS] = {
        [ARCHIVE_QUEUE] = {RETENTION_BASIC, QUEUE_NUMBERS, LENGTHS},
        [ARCHIVE_EXCHANGE] = {RETENTION_BASIC, EXCHANGE_NUMBERS, 0},
        [ARCHIVE_CHANNEL] = {RETENTION_BASIC, STATS_COUNT, 0},
        [ARCHIVE_CONNECTION] = {RETENTION_BASIC, CONNECTION_NUMBERS, 0},
        [ARCHIVE_VHOST] = {RETENTION_GLOBAL, VHOST_NUMBERS, LENGTHS},
        [ARCHIVE_OVERVIEW] = {RETENTION_GLOBAL, VHOST_NUMBERS, LENGTHS},
        [ARCHIVE_NODE] = {RETENTION_GLOBAL, NODE_NUMBERS, (1u << NODE_GAUGES) - 1},
    };
    _Static_assert(NODE_NUMBERS <= TRACK_COLUMNS_MAX && (unsigned)VHOST_NUMBERS <= NODE_NUMBERS,
                   "a sample has room for the numbers of each kind");
    for (unsigned i = 0; i < ARCHIVE_KINDS; i++) {
        options->kinds[i].policy = kinds[i].policy;
        options->kinds[i].columns = kinds[i].columns;
        options->kinds[i].gauges = kinds[i].gauges;
    }
}

void stats_values(const struct rates *rates, uint64_t disk_reads, uint64_t disk_writes,
                  uint64_t values[STATS_COUNT])
{
    const uint64_t all[STATS_COUNT] = {
        rates->publish,
        rates->confirm,
        rates->return_unroutable,
        rates->deliver,
        rates->deliver_no_ack,
        rates->get,
        rates->get_no_ack,
        rates->get_empty,
        rates->ack,
        rates->redeliver,
        rates->reject,
        rates->deliver + rates->deliver_no_ack + rates->get + rates->get_no_ack,
        rates->drop_unroutable,
        disk_reads,
        disk_writes,
    };
    memcpy(values, all, sizeof all);
}

void stats_of_queue(const struct queue_numbers *numbers, uint64_t values[QUEUE_NUMBERS])
{
    stats_values(&numbers->rates, numbers->disk_reads, numbers->disk_writes, values);
    values[NUMBER_READY] = numbers->ready;
    values[NUMBER_UNACKNOWLEDGED] = numbers->unsettled;
    values[NUMBER_MESSAGES] = numbers->ready + numbers->unsettled;
    values[NUMBER_ABLE_MS] = numbers->able_ms;
}

void stats_born(uint64_t ready, uint64_t values[VHOST_NUMBERS])
{
    memset(values, 0, VHOST_NUMBERS * sizeof *values);
    values[NUMBER_READY] = values[NUMBER_MESSAGES] = ready;
}

uint64_t stats_end_ms(const struct request *request, char place, struct bytes name)
{
    return archive_end_ms(archive_find_place(request->admin->archive, place, name),
                          clock_wall_ms());
}

void stats_tell_until(const struct request *request, char place, struct bytes name,
                      const struct archive_object *object, unsigned wanted, uint64_t end_ms,
                      struct told *out)
{
    const struct archive *archive = request->admin->archive;
    const struct archive_place *at = archive_find_place(archive, place, name);
    uint64_t now_ms = clock_wall_ms();
    const struct archive_question question = {&request->ranges, wanted, now_ms,
                                              end_ms ? end_ms : archive_end_ms(at, now_ms)};
    archive_tell(archive, at, object, &question, out);
}

void stats_tell(const struct request *request, char place, struct bytes name,
                const struct archive_object *object, unsigned wanted, struct told *out)
{
    stats_tell_until(request, place, name, object, wanted, 0, out);
}

/* ---- Writing. */

static void write_sample(struct answer *answer, const struct told_samples *samples, size_t i,
                         double mean, const uint64_t *value)
{
    uint64_t back_ms = (samples->count - 1 - i) * samples->range.incr_s * UINT64_C(1000);
    if (!answer_object(answer, NULL))
        return;
    if (value)
        answer_uint(answer, "sample", *value);
    else
        answer_real(answer, "sample", mean);
    answer_uint(answer, "timestamp", samples->last_ms > back_ms ? samples->last_ms - back_ms : 0);
    answer_end(answer);
}

static bool begin_details(struct answer *answer, const char *key)
{
    static const char suffix[] = "_details";
    char details[64];
    size_t len = strlen(key);
    CHECK(len + sizeof suffix <= sizeof details);
    memcpy(mempcpy(details, key, len), suffix, sizeof suffix);
    return answer_object(answer, details);
}

void stats_write_detail(struct answer *answer, const char *key, uint64_t value,
                        const struct told *told, unsigned column, enum range_kind range)
{
    const struct told_samples *samples = &told->of[range];
    answer_uint(answer, key, value);
    if (!begin_details(answer, key))
        return;
    answer_real(answer, "rate", told->rates[column]);
    if (samples->count && answer_array(answer, "samples")) {
        for (size_t i = samples->count; i-- > 0;)
            write_sample(answer, samples, i, 0, &samples->values[i * told->columns + column]);
        answer_end(answer);
    }
    if (samples->count) {
        answer_real(answer, "avg_rate", told_avg_rate(told, range, column));
        answer_real(answer, "avg", told_avg(told, range, column));
    }
    answer_end(answer);
}

static double mean_ms(const uint64_t *values, unsigned us, unsigned count)
{
    return values[count] ? (double)values[us] / 1000.0 / (double)values[count] : 0.0;
}

void stats_write_mean(struct answer *answer, const char *key, const uint64_t *values,
                      const struct told *told, unsigned us, unsigned count)
{
    const struct told_samples *samples = &told->of[RANGE_NODE];
    double now = mean_ms(values, us, count), sum = 0;
    answer_real(answer, key, now);
    if (!begin_details(answer, key))
        return;
    answer_real(answer, "rate", now);
    if (samples->count && answer_array(answer, "samples")) {
        for (size_t i = samples->count; i-- > 0;) {
            double mean = mean_ms(&samples->values[i * told->columns], us, count);
            write_sample(answer, samples, i, mean, NULL);
        }
        answer_end(answer);
    }
    for (size_t i = 0; i < samples->count; i++)
        sum += mean_ms(&samples->values[i * told->columns], us, count);
    if (samples->count) {
        answer_real(answer, "avg_rate", now);
        answer_real(answer, "avg", sum / (double)samples->count);
    }
    answer_end(answer);
}

void stats_write(struct answer *answer, const uint64_t *values, const struct told *told,
                 unsigned mask)
{
    if (!answer_object(answer, "message_stats"))
        return;
    for (unsigned i = 0; i < STATS_COUNT; i++)
        if (mask >> i & 1)
            stats_write_detail(answer, stats_names[i], values[i], told, i, RANGE_RATES);
    answer_end(answer);
}

void stats_write_lengths(struct answer *answer, const uint64_t *values, const struct told *told)
{
    stats_write_detail(answer, "messages_ready", values[NUMBER_READY], told, NUMBER_READY,
                       RANGE_LENGTHS);
    stats_write_detail(answer, "messages_unacknowledged", values[NUMBER_UNACKNOWLEDGED], told,
                       NUMBER_UNACKNOWLEDGED, RANGE_LENGTHS);
    stats_write_detail(answer, "messages", values[NUMBER_MESSAGES], told, NUMBER_MESSAGES,
                       RANGE_LENGTHS);
}
