/* Ranges: see ranges.h. */
#include "admin/history/ranges.h"

#include "leveret/base/number.h"

const char *const range_age_names[RANGE_KINDS] = {
    [RANGE_LENGTHS] = "lengths_age",
    [RANGE_RATES] = "msg_rates_age",
    [RANGE_DATA] = "data_rates_age",
    [RANGE_NODE] = "node_stats_age",
};
const char *const range_incr_names[RANGE_KINDS] = {
    [RANGE_LENGTHS] = "lengths_incr",
    [RANGE_RATES] = "msg_rates_incr",
    [RANGE_DATA] = "data_rates_incr",
    [RANGE_NODE] = "node_stats_incr",
};

enum status range_read(const char *age, const char *incr, struct sample_range *out)
{
    uint64_t age_s, incr_s;
    *out = (struct sample_range){0};
    if (!age && !incr)
        return STATUS_OK;
    if (!age || !incr || !number_read(age, UINT32_MAX, &age_s) ||
        !number_read(incr, UINT32_MAX, &incr_s) || incr_s == 0 ||
        age_s / incr_s + 1 > RANGE_SAMPLES_MAX)
        return STATUS_MALFORMED;
    *out = (struct sample_range){(uint32_t)age_s, (uint32_t)incr_s};
    return STATUS_OK;
}
