/* Counters with their rates, as JSON. */
#include "admin/listing/stats.h"

#include <string.h>

#include "leveret/base/check.h"

const char *const stats_names[STATS_COUNT] = {
    "publish", "confirm",     "return_unroutable", "deliver", "deliver_no_ack",
    "get",     "get_no_ack",  "get_empty",         "ack",     "redeliver",
    "reject",  "deliver_get", "drop_unroutable",
};

void stats_values(const struct rates *rates, uint64_t values[STATS_COUNT])
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
    };
    memcpy(values, all, sizeof all);
}

void stats_write_detail(struct answer *answer, const char *key, uint64_t value, double rate)
{
    static const char suffix[] = "_details";
    char details[64];
    size_t len = strlen(key);
    CHECK(len + sizeof suffix <= sizeof details);
    memcpy(mempcpy(details, key, len), suffix, sizeof suffix);
    answer_uint(answer, key, value);
    if (answer_object(answer, details)) {
        answer_real(answer, "rate", rate);
        answer_end(answer);
    }
}

void stats_write(struct answer *answer, const uint64_t *values, const double *rates, unsigned mask)
{
    if (!answer_object(answer, "message_stats"))
        return;
    for (size_t i = 0; i < STATS_COUNT; i++)
        if (mask >> i & 1)
            stats_write_detail(answer, stats_names[i], values[i], rates[i]);
    answer_end(answer);
}
